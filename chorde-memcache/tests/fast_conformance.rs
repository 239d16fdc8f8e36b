//! The client keeps the rules that all clients keep, with every option that trades freshness for speed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod time_rules;

use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_core::{InprocClient, NamespaceClient, TieredClient};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedBuilder, MemcachedClient, Transport, WriteBehind};

/// How long is remembered: longer than any rule runs.
const LONG: Duration = Duration::from_secs(600);

/// Begins a suite for clients that keep whole seconds of servers whose clocks go on meanwhile.
fn suite<'a, C>(make: impl Fn() -> C + 'a) -> Suite<'a, C> {
    Suite::new(make).resolution(Duration::from_secs(1))
}

/// Makes a client that sees nothing of what others have stored, or still store.
fn fresh(server: &MemcachedServer, with: impl Fn(MemcachedBuilder) -> MemcachedBuilder) -> MemcachedClient {
    let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("tests");
    let builder = builder.namespace(format!("{:x}", fastrand::u128(..))).deadline(Duration::from_secs(20));
    with(builder).build().unwrap()
}

fn check(with: impl Fn(MemcachedBuilder) -> MemcachedBuilder) {
    let server = MemcachedServer::start_unix().unwrap();
    let suite = suite(|| fresh(&server, &with));
    suite.check::<String>();
    suite.check::<u64>();
    suite.check::<Vec<u8>>();
    suite.check_types();
}

fn all(builder: MemcachedBuilder) -> MemcachedBuilder {
    builder.succeed_fast(LONG).fail_fast(LONG).write_behind(WriteBehind::new())
}

#[test]
fn remembered_hits_conform() {
    check(|builder| builder.succeed_fast(LONG));
}

#[test]
fn remembered_misses_conform() {
    check(|builder| builder.fail_fast(LONG));
}

#[test]
fn writes_behind_conform() {
    check(|builder| builder.write_behind(WriteBehind::new()));
}

#[test]
fn a_queue_that_is_always_full_conforms() {
    check(|builder| builder.write_behind(WriteBehind::new().most(1)));
}

#[test]
fn writes_that_wait_for_long_conform() {
    // What is queued stays so until something asks for more than a read.
    check(|builder| builder.write_behind(WriteBehind::new().pause(LONG)));
}

#[test]
fn all_of_them_conform() {
    check(all);
}

#[test]
fn all_of_them_conform_where_clear_empties_the_server() {
    let server = MemcachedServer::start_unix().unwrap();
    let make = || {
        let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("tests");
        all(builder.deadline(Duration::from_secs(20))).build().unwrap()
    };
    suite(make).only("clear takes away all keys, and the client goes on").check::<u64>();
}

#[test]
fn all_of_them_conform_inside_of_a_runtime() {
    let server = MemcachedServer::start_unix().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    suite(|| fresh(&server, all)).check::<Vec<u8>>();
}

#[test]
fn tiers_over_all_of_them_conform() {
    let server = MemcachedServer::start_unix().unwrap();
    suite(|| TieredClient::new(InprocClient::new(10_000), fresh(&server, all))).check::<String>();
    suite(|| NamespaceClient::new("one", fresh(&server, all)).unwrap()).check::<String>();
}

#[test]
fn all_of_them_conform_over_the_classic_transport() {
    check(|builder| all(builder.transport(Transport::Classic)));
}

#[test]
fn all_of_them_keep_time() {
    let server = &MemcachedServer::start_unix().unwrap();
    time_rules::check(server, || fresh(server, all));
}
