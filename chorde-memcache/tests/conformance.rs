//! The client keeps the rules that all clients keep, over both transports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_core::{InprocClient, NamespaceClient, TieredClient};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{Compression, MemcachedBuilder, MemcachedClient, Transport};

/// One unit of time in the rules about expiry: memcached's clock ticks once a second.
const UNIT: Duration = Duration::from_secs(2);

fn builder(server: &MemcachedServer) -> MemcachedBuilder {
    MemcachedClient::builder().servers([server.address()]).checksum_key("tests").deadline(Duration::from_secs(10))
}

/// Makes a client over an empty server.
fn emptied(server: &MemcachedServer, client: impl FnOnce(MemcachedBuilder) -> MemcachedBuilder) -> MemcachedClient {
    server.flush().unwrap();
    client(builder(server)).build().unwrap()
}

/// Waits until the server's own clock has gone on by `by`.
fn pass(server: &MemcachedServer, by: Duration) {
    let now = || server.stats().unwrap()["time"].parse::<u64>().unwrap();
    let end = now() + by.as_secs().max(1);
    while now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn check(transport: Transport) {
    let server = MemcachedServer::start_unix().unwrap();
    let suite = Suite::new(|| emptied(&server, |builder| builder.transport(transport)));
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
