//! The same function over memcached, so that other runs find what this one has counted.

use std::error::Error;
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use chorde::MemcachedClient;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;

use crate::counts::Counts;
use crate::{Cached, Failure};

static CLIENT: OnceLock<MemcachedClient> = OnceLock::new();

fn client() -> &'static MemcachedClient {
    CLIENT.get().expect("invariant: open makes it first")
}

/// As the one over the cache of this process; what is stored has to be serialisable as well.
#[cached(client = client(), ttl = "1h")]
fn count(path: &Path, _changed: SystemTime) -> Result<Counts, Failure> {
    Counts::of_file(path)
}

/// Chooses the server: `own` is one that is started, and ends with this process.
pub(crate) fn open(server: &str) -> Result<Cached, Box<dyn Error>> {
    // Ends when nobody holds it any more.
    let own = if server == "own" { Some(MemcachedServer::start()?) } else { None };
    let address = own.as_ref().map_or_else(|| server.to_owned(), MemcachedServer::address);
    let made = MemcachedClient::builder().servers([&address]).checksum_key("only for this example").build()?;
    CLIENT.get_or_init(|| made);
    let held = move || {
        let stats = client().stats();
        let whose = if own.is_some() { ", of this run" } else { "" };
        format!("memcached {address}{whose}: {} hits, {} stores", stats.hits, stats.stores)
    };
    Ok(Cached { count, stats: count::stats, held: Box::new(held) })
}
