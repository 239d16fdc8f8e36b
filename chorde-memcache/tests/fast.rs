//! The options that trade freshness for speed: what is remembered for a short time, and writes that are put off.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "fast/behind.rs"]
mod behind;
#[path = "fast/memory.rs"]
mod memory;

use std::time::Duration;

use chorde_core::{Cache, CacheExt, Client, ErrorKind, Key, Lookup, ManualClock, ReadOptions, Wait};
use chorde_memcache::testing::{FakeServer, MemcachedServer};
use chorde_memcache::{MemcachedBuilder, MemcachedClient, WriteBehind};

/// Longer than any test runs.
const LONG: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

fn builder(address: impl Into<String>) -> MemcachedBuilder {
    MemcachedClient::builder().servers([address]).checksum_key("tests").deadline(Duration::from_secs(20))
}

/// Makes a client without any of the options.
fn plain(server: &MemcachedServer) -> MemcachedClient {
    builder(server.address()).build().unwrap()
}

fn get(client: &MemcachedClient, key: &str) -> Option<u32> {
    client.get(key).wait().unwrap()
}

fn put(client: &MemcachedClient, key: &str, value: u32) {
    client.put(key, value, LONG).wait().unwrap();
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

/// Says what a client can tell at once.
fn look(client: &MemcachedClient, name: &str) -> Option<Option<u32>> {
    let known: Lookup<u32> = client.look(&key(name).probe(), ReadOptions::new())?;
    Some(known.into_entry().map(|entry| entry.value))
}

/// Returns a number out of a server's `stats`.
fn count(server: &MemcachedServer, name: &str) -> u64 {
    server.stats().unwrap()[name].parse().unwrap()
}

/// Waits until so many commands that begin with `start` have arrived.
fn await_lines(server: &FakeServer, start: &str, count: usize) {
    loop {
        let lines = server.commands();
        if lines.iter().filter(|line| line.starts_with(start)).count() >= count {
            return;
        }
        server.await_commands(lines.len() as u64 + 1).unwrap();
    }
}

#[test]
fn settings_that_cannot_work_are_refused_with_the_mend() {
    let builder = || MemcachedClient::builder().servers(["localhost"]).checksum_key("tests");
    let behind = WriteBehind::new();
    let cases = [
        ("succeed_fast", builder().succeed_fast(Duration::ZERO)),
        ("fail_fast", builder().fail_fast(Duration::ZERO)),
        ("fast_entries", builder().succeed_fast(SECOND).fast_entries(0)),
        ("pause", builder().write_behind(behind.pause(Duration::ZERO))),
        ("most", builder().write_behind(behind.most(0))),
        ("most_bytes", builder().write_behind(behind.most_bytes(0))),
    ];
    for (name, builder) in cases {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(name) && error.to_string().contains("give"), "{error}");
    }
}

#[test]
fn without_them_nothing_is_known_here_and_flush_has_nothing_to_do() {
    let server = MemcachedServer::start_unix().unwrap();
    let client = plain(&server);
    put(&client, "k", 1);
    assert_eq!(look(&client, "k"), None);
    client.flush().wait().unwrap();
    assert_eq!(client.stats().queued_writes + client.stats().fast_hits, 0);
}

#[test]
fn what_was_lost_is_not_remembered() {
    let server = MemcachedServer::start().unwrap();
    let builder = builder(server.address()).succeed_fast(LONG).write_behind(WriteBehind::new().pause(LONG));
    let client = builder.build().unwrap();
    put(&client, "k", 1);
    assert_eq!(look(&client, "k"), Some(Some(1)));
    server.kill();
    client.flush().wait().unwrap_err();
    assert_eq!(look(&client, "k"), None);
}

#[test]
fn a_queued_value_shows_what_the_stored_one_will() {
    let server = MemcachedServer::start_unix().unwrap();
    let behind = builder(server.address()).write_behind(WriteBehind::new().pause(LONG)).build().unwrap();
    let both = builder(server.address()).write_behind(WriteBehind::new().pause(LONG)).succeed_fast(LONG);
    for client in [behind, both.build().unwrap()] {
        put(&client, "k", 1);
        let queued = client.get_ttl::<u32>("k").wait().unwrap().unwrap();
        client.flush().wait().unwrap();
        let stored = plain(&server).get_ttl::<u32>("k").wait().unwrap().unwrap();
        assert_eq!((queued.value, queued.seed()), (stored.value, stored.seed()));
        assert!(
            queued.remaining() <= LONG && queued.remaining() + SECOND >= stored.remaining(),
            "{queued:?} {stored:?}"
        );
        assert!(queued.age().unwrap() <= stored.age().unwrap() + SECOND, "{queued:?} {stored:?}");
        client.delete("k").wait().unwrap();
    }
}
