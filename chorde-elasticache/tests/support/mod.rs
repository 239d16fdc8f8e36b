//! A client of a fake cluster, by a clock that the test moves.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and one that cannot go on panics")]

pub(crate) mod names;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chorde_core::{CacheExt, ManualClock, Wait};
use chorde_elasticache::testing::{FakeCluster, FakeClusterBuilder};
use chorde_elasticache::{DiscoveryStats, ElastiCacheBuilder, ElastiCacheClient};

/// Longer than any test runs.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// The longest time from one poll to the next.
const POLL: Duration = Duration::from_secs(66);

/// How long anything is waited for before it counts as broken: long enough for a machine that is busy elsewhere.
const PATIENCE: Duration = Duration::from_secs(180);

/// How many keys a test uses where it counts them.
pub(crate) const KEYS: u64 = 600;

pub(crate) struct Rig {
    // Dropped first: nobody asks a cluster that is gone.
    pub(crate) client: ElastiCacheClient,
    pub(crate) cluster: FakeCluster,
    pub(crate) clock: ManualClock,
}

/// Makes a client of an endpoint.
pub(crate) fn client_of(
    endpoint: &str,
    clock: &ManualClock,
    with: impl FnOnce(ElastiCacheBuilder) -> ElastiCacheBuilder,
) -> ElastiCacheClient {
    let builder = ElastiCacheClient::builder().endpoint(endpoint).checksum_key("tests").clock(clock.clone());
    with(builder.deadline(LONG)).build().unwrap()
}

/// Lets time pass, but not faster than servers answer, until something is so.
pub(crate) fn passing(clock: &ManualClock, what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        clock.advance(Duration::from_millis(50));
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Rig {
    pub(crate) fn new(nodes: usize) -> Self {
        Self::of(FakeCluster::builder().nodes(nodes), |builder| builder)
    }

    pub(crate) fn of(cluster: FakeClusterBuilder, with: impl FnOnce(ElastiCacheBuilder) -> ElastiCacheBuilder) -> Self {
        let (cluster, clock) = (cluster.start().unwrap(), ManualClock::new());
        let client = client_of(&cluster.endpoint(), &clock, with);
        Self { client, cluster, clock }
    }

    /// A rig whose client knows the cluster.
    pub(crate) fn settled(nodes: usize) -> Self {
        let rig = Self::new(nodes);
        rig.knows_the_cluster();
        rig
    }

    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut(&DiscoveryStats) -> bool) {
        passing(&self.clock, what, || {
            self.breathe();
            is_so(&self.client.discovery())
        });
    }

    /// Waits until the first poll that tells of the cluster has ended.
    pub(crate) fn knows_the_cluster(&self) {
        self.until("the cluster is known", |known| known.version == Some(1) && known.polls > known.failed_polls);
    }

    /// Lets so many more polls end.
    pub(crate) fn poll(&self, times: u64) -> DiscoveryStats {
        for _ in 0..times {
            let before = self.client.discovery().polls;
            let begun = Instant::now();
            while self.client.discovery().polls == before {
                assert!(begun.elapsed() < PATIENCE, "no poll ends");
                self.clock.advance(POLL);
                for _ in 0..100 {
                    if self.client.discovery().polls > before {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(2));
                    self.breathe();
                    self.clock.advance(Duration::from_millis(50));
                }
            }
        }
        self.client.discovery()
    }

    /// Goes the way of a question: through chorde's thread, to a server, and back. So a poll, which is to be answered within
    /// a second of the clock's, has as much time as twenty of these take, however busy the machine is.
    fn breathe(&self) {
        if self.client.servers().is_empty() {
            let first = self.cluster.nodes().into_iter().next().and_then(|name| self.cluster.server(&name));
            first.unwrap().command("version").unwrap();
        } else {
            // No test uses this key; its server may be one that is gone.
            let _ = self.client.delete(&u64::MAX).wait();
        }
    }

    /// Waits until the nodes that there are are those in use. No time passes: what no poll has told by now does not come.
    pub(crate) fn follows(&self) {
        let begun = Instant::now();
        while self.names() != self.nodes() {
            let known = self.client.discovery();
            assert!(begun.elapsed() < PATIENCE, "{:?} in use, not {:?}: {known:?}", self.names(), self.nodes());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The servers in use by their names.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.client.servers().into_iter().map(|server| server.name).collect()
    }

    /// The nodes that there are.
    pub(crate) fn nodes(&self) -> BTreeSet<String> {
        self.cluster.nodes().into_iter().collect()
    }

    /// Stores all keys.
    pub(crate) fn put_all(&self) {
        let entries: Vec<(u64, u64)> = (0..KEYS).map(|key| (key, key + 1)).collect();
        self.client.put_multi(&entries, LONG).wait().unwrap();
    }

    /// Counts the keys that are there; a wrong value is none that a test goes on after.
    pub(crate) fn held(&self) -> u64 {
        let keys: Vec<u64> = (0..KEYS).collect();
        let found = self.client.get_multi::<u64>(&keys).wait().unwrap();
        let right = |(key, value): (&u64, &Option<u64>)| {
            value.is_some_and(|value| {
                assert_eq!(value, key + 1, "a wrong value");
                true
            })
        };
        keys.iter().zip(&found).filter(|&pair| right(pair)).count() as u64
    }

    /// Which server has each key.
    pub(crate) fn places(&self) -> Vec<String> {
        self.places_of(KEYS)
    }

    /// The same for so many keys.
    pub(crate) fn places_of(&self, keys: u64) -> Vec<String> {
        (0..keys).map(|key| self.client.server_for(&key).wait().unwrap().expect("servers are in use")).collect()
    }
}
