//! The client keeps the rules that all clients keep, over both transports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod time_rules;

use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_core::{InprocClient, NamespaceClient, TieredClient};
use chorde_memcache::testing::{FakeServer, MemcachedServer};
use chorde_memcache::{MemcachedClient, Placement, Transport};

/// Begins a suite for clients that keep whole seconds of servers whose clocks go on meanwhile.
fn suite<'a, C>(make: impl Fn() -> C + 'a) -> Suite<'a, C> {
    Suite::new(make).resolution(Duration::from_secs(1))
}

fn servers(count: usize) -> Vec<MemcachedServer> {
    (0..count).map(|_| MemcachedServer::start_unix().unwrap()).collect()
}

/// Makes a client that sees nothing of what others have stored.
fn fresh(servers: &[MemcachedServer], transport: Transport) -> MemcachedClient {
    MemcachedClient::builder()
        .servers(servers.iter().map(MemcachedServer::address))
        .checksum_key("tests")
        .namespace(format!("{:x}", fastrand::u128(..)))
        .deadline(Duration::from_secs(20))
        .transport(transport)
        .build()
        .unwrap()
}

fn check(transport: Transport) {
    let servers = servers(1);
    let suite = suite(|| fresh(&servers, transport));
    suite.check::<String>();
    suite.check::<u64>();
    suite.check::<Vec<u8>>();
    suite.check_types();
}

#[test]
fn the_meta_transport_conforms() {
    check(Transport::Meta);
}

#[test]
fn the_classic_transport_conforms() {
    check(Transport::Classic);
}

fn check_time(transport: Transport) {
    let servers = servers(1);
    time_rules::check(&servers[0], || fresh(&servers, transport));
}

#[test]
fn the_meta_transport_keeps_time() {
    check_time(Transport::Meta);
}

#[test]
fn the_classic_transport_keeps_time() {
    check_time(Transport::Classic);
}

#[test]
fn an_old_server_conforms() {
    let suite = suite(|| {
        let server = FakeServer::old().unwrap();
        let client = MemcachedClient::builder().servers([server.address()]).checksum_key("tests");
        // The server lives as long as the test process.
        std::mem::forget(server);
        client.deadline(Duration::from_secs(20)).build().unwrap()
    });
    suite.check::<String>();
}

#[test]
fn three_servers_conform() {
    let servers = servers(3);
    suite(|| fresh(&servers, Transport::Auto)).check::<u64>();
    let ketama = || {
        let builder = MemcachedClient::builder().servers(servers.iter().map(MemcachedServer::address));
        let builder = builder.placement(Placement::Ketama).namespace(format!("{:x}", fastrand::u128(..)));
        builder.checksum_key("tests").deadline(Duration::from_secs(20)).build().unwrap()
    };
    suite(ketama).check::<u64>();
}

#[test]
fn tiers_and_namespaces_over_memcached_conform() {
    let servers = servers(1);
    let far = || fresh(&servers, Transport::Auto);
    suite(|| TieredClient::new(InprocClient::new(10_000), far())).check::<String>();
    suite(|| NamespaceClient::new("one", far()).unwrap()).check::<String>();
    suite(|| NamespaceClient::new("one", TieredClient::new(InprocClient::new(10_000), far())).unwrap())
        .check::<String>();
}

#[test]
fn the_client_conforms_inside_of_a_runtime() {
    let servers = servers(1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    suite(|| fresh(&servers, Transport::Auto)).check::<Vec<u8>>();
}
