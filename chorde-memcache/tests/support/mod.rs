//! What the tests of faults share: clients, waiting with bounds, a bare connection, a server that twists what it says.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

pub mod raw;
pub mod relay;
pub mod steps;
pub mod told;

use std::time::{Duration, Instant};

use chorde_core::{CacheExt, Wait};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedBuilder, MemcachedClient};

/// How long anything may take before it counts as broken; never waited for by a test that succeeds.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A deadline that a healthy server meets on any machine.
pub const AMPLE: Duration = Duration::from_secs(20);

/// A life that outlasts every test.
pub const LONG: Duration = Duration::from_secs(600);

pub const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Begins a client that tries a lost server again soon, and has ample time for everything.
pub fn builder<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> MemcachedBuilder {
    let builder = MemcachedClient::builder().servers(servers).checksum_key("tests").deadline(AMPLE);
    builder.probe_pauses(millis(20)..=millis(200))
}

/// Begins a client as users have it, with the defaults for all times.
pub fn default_builder<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> MemcachedBuilder {
    MemcachedClient::builder().servers(servers).checksum_key("tests")
}

pub fn client<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> MemcachedClient {
    builder(servers).build().unwrap()
}

/// Waits for what comes about by itself; fails if it does not.
pub fn eventually(what: &str, is_so: impl FnMut() -> bool) {
    took(what, is_so);
}

/// The same; returns how long it took.
fn took(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(millis(2));
    }
    began.elapsed()
}

/// Waits until a fault is over for the client, and prints how long that took.
pub fn healed(what: &str, is_so: impl FnMut() -> bool) {
    let took = took(what, is_so);
    println!("{what}: healed after {} ms", took.as_millis());
}

/// Returns whether the client stores and finds.
pub fn works(client: &MemcachedClient) -> bool {
    let value = fastrand::u64(..);
    client.put("works", value, LONG).wait().is_ok()
        && client.get::<u64>("works").wait().is_ok_and(|got| got == Some(value))
}

pub fn servers(count: usize) -> Vec<MemcachedServer> {
    (0..count).map(|_| MemcachedServer::start().unwrap()).collect()
}

pub fn addresses(servers: &[MemcachedServer]) -> Vec<String> {
    servers.iter().map(MemcachedServer::address).collect()
}

pub fn get(client: &MemcachedClient, key: u64) -> Option<String> {
    client.get(&key).wait().ok().flatten()
}

pub fn put(client: &MemcachedClient, key: u64, value: &str) {
    client.put(&key, value.to_owned(), LONG).wait().unwrap();
}

/// Has the client notice that a server does not answer: it does when the server is out of use.
pub fn until_out_of_use(client: &MemcachedClient, key: u64, outages: u64) {
    eventually("the server is out of use", || {
        _ = client.contains(&key).wait();
        client.stats().outages >= outages
    });
}

/// Finds a key that the client places on the server with this index.
pub fn key_on(servers: &[MemcachedServer], index: usize, client: &MemcachedClient) -> u64 {
    let stored = || servers[index].stats().unwrap()["cmd_set"].parse::<u64>().unwrap();
    for key in 0..1000 {
        let before = stored();
        client.put(&key, "probe".to_owned(), LONG).wait().unwrap();
        client.delete(&key).wait().unwrap();
        if stored() > before {
            return key;
        }
    }
    panic!("no key is placed on server {index}");
}

/// Runs a test on a thread of its own and fails if it does not end.
pub fn bounded<R: Send + 'static>(test: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, ended) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = test();
        // Nobody listens any more if it took too long.
        _ = done.send(());
        result
    });
    if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(PATIENCE) {
        panic!("the test hangs");
    }
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
