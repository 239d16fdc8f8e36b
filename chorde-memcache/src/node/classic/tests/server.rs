//! A memcached of one test's own, and a client of it.

use std::path::PathBuf;

use chorde_core::Clock;

use crate::node::classic::{Classic, Limits};
use crate::server::Address;
use crate::testing::MemcachedServer;

/// Runs at a unix socket until it is dropped.
pub(super) struct Server(MemcachedServer);

impl Server {
    pub(super) fn start(options: &[&str]) -> Self {
        Self(MemcachedServer::builder().unix().args(options).start().unwrap())
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.0.address().trim_start_matches("unix:").into()
    }

    pub(super) fn client(&self) -> Classic {
        Classic::new(Address::Unix(self.socket()).into(), Clock::system(), Limits::default())
    }
}
