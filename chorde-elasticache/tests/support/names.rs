//! A name service that answers as the test says.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chorde_memcache::{Addresses, LookingUp, Resolver};

#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Mutex<HashMap<String, Known>>>);

#[derive(Default)]
struct Known {
    /// `None` fails.
    addresses: Option<Vec<IpAddr>>,
    asked: u64,
}

impl Names {
    pub(crate) fn answers(&self, host: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().unwrap().entry(host.to_owned()).or_default().addresses = Some(addresses);
    }

    pub(crate) fn fails(&self, host: &str) {
        self.0.lock().unwrap().entry(host.to_owned()).or_default().addresses = None;
    }

    pub(crate) fn asked(&self, host: &str) -> u64 {
        self.0.lock().unwrap().get(host).map_or(0, |known| known.asked)
    }
}

impl Resolver for Names {
    fn look_up(&self, host: &str) -> LookingUp {
        let mut names = self.0.lock().unwrap();
        let known = names.entry(host.to_owned()).or_default();
        known.asked += 1;
        let addresses = known.addresses.clone();
        Box::pin(async move { Ok(Addresses::new(addresses.ok_or("no name server answers")?, Duration::from_secs(1))) })
    }
}
