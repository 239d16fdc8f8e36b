//! Settings that cannot work are refused, with the name of the setting and the mend; clears survive outages.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::time::Duration;

use chorde_core::{CacheExt, ErrorKind, Wait};
use chorde_memcache::testing::{ChaosProxy, MemcachedServer};
use chorde_memcache::{MemcachedBuilder, MemcachedClient, StaticServers, Transport};
use support::{LONG, builder, client, eventually, healed, millis, works};

fn good() -> MemcachedBuilder {
    MemcachedClient::builder().servers(["127.0.0.1:11211"]).checksum_key("tests")
}

/// Builds in vain; all of the parts are in the message.
fn refused(builder: MemcachedBuilder, parts: &[&str]) {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
    assert!(!text.contains("secret of the test"), "{text}");
    assert!(!text.ends_with('.') && !text.starts_with(char::is_uppercase), "{text}");
}

#[test]
fn what_is_missing_is_named() {
    let no_key = MemcachedClient::builder().servers(["127.0.0.1"]);
    refused(no_key, &["checksum_key", "give", "secret"]);
    refused(good().checksum_key(""), &["checksum_key", "empty", "give"]);
    refused(good().accept_key(""), &["accept_key", "empty"]);
    refused(MemcachedClient::builder().checksum_key("secret of the test"), &["no servers", "servers(", "source"]);
    refused(MemcachedClient::builder().servers(Vec::<String>::new()).checksum_key("tests"), &["no servers"]);
}

#[test]
fn servers_that_cannot_be_are_named() {
    let with = |server: &str| good().servers([server]);
    refused(with("cache:port"), &["servers", "cache:port", "no number"]);
    refused(with("cache:0"), &["cache:0", "port 0", "1 to 65535"]);
    refused(with("cache:70000"), &["cache:70000"]);
    refused(with(""), &["servers", "empty", "host:port"]);
    refused(with("http://cache:11211"), &["write host:port"]);
    refused(with("10.0.0.1:11211,10.0.0.2:11211"), &["several servers"]);
    refused(with("10.0.0.1 10.0.0.2"), &["holds ' '"]);
    refused(with("::1:11211"), &["[::1]"]);
    refused(with("./memcached.sock"), &["memcached.sock"]);
    refused(good().server("10.0.0.1", 0), &["weight 0", "leave it out", "1 or more"]);
    let source = StaticServers::new(["10.0.0.1".parse().unwrap()]).unwrap();
    refused(good().source(source), &["servers", "source", "leave one of them out"]);
}

#[test]
fn sizes_beyond_sense_are_refused() {
    refused(good().item_size(0), &["item_size 0", "too small", "-I", "1024"]);
    refused(good().item_size(1023), &["item_size 1023"]);
    // memcached's own limit, and what a length on the wire can be.
    refused(good().item_size(usize::MAX), &["item_size", "too large", "1 GiB"]);
    refused(good().item_size((1 << 30) + 1), &["item_size", "too large"]);
    refused(good().max_value_size(usize::MAX), &["max_value_size", "too large"]);
    refused(good().max_value_size(0), &["max_value_size", "zero"]);
    refused(good().max_waiting(0), &["max_waiting", "zero"]);
    refused(good().classic_connections(0), &["classic_connections", "at least 1"]);
    assert!(good().item_size(1024).max_waiting(1).classic_connections(1).build().is_ok());
    assert!(good().item_size(1 << 30).build().is_ok());
}

#[test]
fn numbers_without_a_limit_are_taken_as_they_are() {
    // Nothing overflows.
    let server = MemcachedServer::start().unwrap();
    let long = Duration::MAX;
    let most = MemcachedClient::builder().servers([server.address()]).checksum_key("tests");
    let most = most.deadline(long).probe_pauses(long..=long).clear_delay(long).tolerated_failures(u32::MAX);
    let client = most.max_waiting(usize::MAX).classic_connections(usize::MAX).namespace("most").build().unwrap();
    assert!(works(&client));
    client.put(&1, 1, long).wait().unwrap();
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), Some(1));
    client.clear().wait().unwrap();
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), None);
    let classic = MemcachedClient::builder().servers([server.address()]).checksum_key("tests");
    let classic = classic.transport(chorde_memcache::Transport::Classic).deadline(long);
    assert!(works(&classic.classic_connections(usize::MAX).build().unwrap()));
}

#[test]
fn durations_of_zero_are_refused() {
    let zero = Duration::ZERO;
    refused(good().deadline(zero), &["deadline", "zero", "100 ms"]);
    refused(good().clear_delay(zero), &["clear_delay", "zero"]);
    refused(good().probe_pauses(zero..=zero), &["probe_pauses", "above zero"]);
    refused(good().probe_pauses(millis(2)..=millis(1)), &["probe_pauses", "before they begin"]);
}

#[test]
fn namespaces_that_cannot_be_are_refused() {
    refused(good().namespace(""), &["namespace", "empty"]);
    refused(good().namespace("\0x"), &["namespace", "NUL"]);
}

#[test]
fn a_ttl_of_zero_and_values_that_cannot_be_stored_are_errors_of_the_caller() {
    let server = MemcachedServer::start().unwrap();
    let client = builder([server.address()]).max_value_size(1000).build().unwrap();
    assert_eq!(client.put(&1, 1, Duration::ZERO).wait().unwrap_err().kind(), ErrorKind::Ttl);
    assert_eq!(client.put(&1, "x".repeat(2000), LONG).wait().unwrap_err().kind(), ErrorKind::Value);
    assert_eq!((client.stats().failures, client.stats().stores), (0, 0));
}

#[test]
fn what_was_cleared_stays_so_for_a_process_that_starts_in_an_outage() {
    let server = MemcachedServer::start().unwrap();
    let with = |deadline| builder([server.address()]).namespace("n").deadline(deadline).build().unwrap();
    let before = with(support::AMPLE);
    before.put(&1, "cleared".to_owned(), LONG).wait().unwrap();
    before.clear().wait().unwrap();
    server.pause().unwrap();
    let starts = with(millis(300));
    eventually("the server is out of use", || {
        assert_eq!(starts.get::<String>(&1).wait().unwrap_or_default(), None);
        starts.stats().outages == 1
    });
    // It asks while there is no server, up to the moment when there is one.
    std::thread::scope(|scope| {
        scope.spawn(|| server.resume().unwrap());
        healed("a start in an outage", || {
            assert_eq!(starts.get::<String>(&1).wait().unwrap_or_default(), None);
            starts.stats().recoveries == 1
        });
    });
    eventually("it stores", || {
        assert_eq!(starts.get::<String>(&2).wait().unwrap_or_default(), None);
        starts.put(&3, "new".to_owned(), LONG).wait().is_ok()
    });
    assert_eq!(starts.get::<String>(&1).wait().unwrap_or_default(), None);
    // Both agree on the revision now.
    eventually("the first finds it", || {
        _ = starts.put(&3, "new".to_owned(), LONG).wait();
        before.get::<String>(&3).wait().unwrap().is_some()
    });
}

#[test]
fn what_was_cleared_stays_so_when_a_server_forgets_it() {
    let servers: Vec<_> = (0..3).map(|_| MemcachedServer::start().unwrap()).collect();
    let addresses = || servers.iter().map(MemcachedServer::address);
    let make = || builder(addresses()).namespace("n").build().unwrap();
    let one = make();
    for key in 0..30 {
        one.put(&key, "cleared".to_owned(), LONG).wait().unwrap();
    }
    one.clear().wait().unwrap();
    for server in &servers {
        server.restart().unwrap();
        // Whoever knows of it, puts it back; whoever does not, must not find what was cleared.
        eventually("it is back in use", || {
            (0..30).for_each(|key| assert_eq!(one.get::<String>(&key).wait().unwrap_or_default(), None));
            one.stats().recoveries == one.stats().outages
        });
        eventually("another knows of it", || {
            let other = make();
            (0..30).for_each(|key| assert_eq!(other.get::<String>(&key).wait().unwrap(), None));
            one.put(&100, "new".to_owned(), LONG).wait().is_ok()
                && other.get::<String>(&100).wait().unwrap().as_deref() == Some("new")
        });
    }
    // The client without a namespace sees none of it.
    assert_eq!(client(addresses()).get::<String>(&100).wait().unwrap(), None);
}

#[test]
fn a_clear_that_cannot_be_is_an_error() {
    let server = MemcachedServer::start().unwrap();
    let client = builder([server.address()]).namespace("n").build().unwrap();
    client.put(&1, 1, LONG).wait().unwrap();
    server.kill();
    let error = client.clear().wait().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoServers | ErrorKind::Unavailable), "{error}");
    server.restart().unwrap();
    healed("a clear that could not be", || client.clear().wait().is_ok());
}

#[test]
fn the_classic_transport_has_no_more_connections_than_it_may() {
    for most in [1, 3] {
        let server = MemcachedServer::start().unwrap();
        let proxy = ChaosProxy::start(&server.address()).unwrap();
        let builder = builder([proxy.address()]).transport(Transport::Classic);
        let client = builder.classic_connections(most).build().unwrap();
        assert!(works(&client));
        server.pause().unwrap();
        std::thread::scope(|scope| {
            for key in 0..20_u64 {
                let client = &client;
                scope.spawn(move || client.get::<u64>(&key).wait().unwrap());
            }
            // Connections are made one after the other.
            eventually("one more is made where it may be", || proxy.open() >= most.min(2));
            server.resume().unwrap();
        });
        assert!((most.min(2)..=most).contains(&proxy.open()), "{} of {most}", proxy.open());
        assert_eq!(proxy.connections(), proxy.open() as u64, "and none was made in vain");
        assert_eq!(client.stats().failures, 0);
    }
}
