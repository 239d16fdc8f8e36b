//! The client keeps the rules that all clients keep, with every option that trades freshness for speed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedBuilder, MemcachedClient, Transport, WriteBehind};

/// How long is remembered: longer than any rule runs.
const LONG: Duration = Duration::from_secs(600);

fn check(with: impl Fn(MemcachedBuilder) -> MemcachedBuilder) {
    let server = MemcachedServer::start_unix().unwrap();
    let suite = Suite::new(|| {
        server.flush().unwrap();
        let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("tests");
        with(builder.deadline(Duration::from_secs(10))).build().unwrap()
    });
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
fn all_of_them_conform_in_a_namespace() {
    check(|builder| all(builder.namespace("tests")));
}

#[test]
fn all_of_them_conform_over_the_classic_transport() {
    check(|builder| all(builder.transport(Transport::Classic)));
}
