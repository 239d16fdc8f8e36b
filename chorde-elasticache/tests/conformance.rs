//! The client keeps the rules that all clients keep.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_core::{InprocClient, TieredClient};
use chorde_elasticache::ElastiCacheClient;
use chorde_elasticache::testing::FakeCluster;

/// Begins a suite for clients that keep whole seconds of servers whose clocks go on meanwhile.
fn suite<'a, C>(make: impl Fn() -> C + 'a) -> Suite<'a, C> {
    Suite::new(make).resolution(Duration::from_secs(1))
}

/// Makes a client that sees nothing of what others have stored.
fn fresh(cluster: &FakeCluster) -> ElastiCacheClient {
    let builder = ElastiCacheClient::builder().endpoint(cluster.endpoint()).checksum_key("tests");
    builder.namespace(format!("{:x}", fastrand::u128(..))).deadline(Duration::from_secs(20)).build().unwrap()
}

#[test]
fn a_cluster_conforms() {
    let cluster = FakeCluster::start(3).unwrap();
    let suite = suite(|| fresh(&cluster));
    suite.check::<String>();
    suite.check::<u64>();
    suite.check_types();
}

#[test]
fn a_cluster_behind_a_near_tier_conforms() {
    let cluster = FakeCluster::start(2).unwrap();
    suite(|| TieredClient::new(InprocClient::new(100), fresh(&cluster))).check::<u64>();
}
