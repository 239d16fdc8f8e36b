//! The client: one for memcached that is told its servers by [`discover`](crate::discover).

mod builder;

use std::ops::Deref;

use chorde_core::forward_client;
use chorde_memcache::MemcachedClient;

pub use self::builder::ElastiCacheBuilder;
use crate::stats::{DiscoveryStats, Record};

/// Caches in Amazon ElastiCache for memcached: a [`MemcachedClient`] that finds the nodes of the cluster by itself, and
/// follows their changes.
///
/// It derefs to the [`MemcachedClient`] for all that both can do: `stats`, `servers`, `flush`. Clones share everything.
///
/// # Concurrency
///
/// May be used from any number of threads and tasks. The nodes are asked for on a thread of chorde's own: no caller waits for
/// that but for the very first answer, and for that no longer than the
/// [deadline](ElastiCacheBuilder::deadline). A change of the nodes loses no operation that is under way, and moves only the
/// keys of the nodes that came or went.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use std::time::Duration;
///
/// use chorde_core::{CacheExt, Wait};
/// use chorde_elasticache::ElastiCacheClient;
/// use chorde_elasticache::testing::FakeCluster;
///
/// let cluster = FakeCluster::start(2)?; // in production: my-cluster.abc123.cfg.use1.cache.amazonaws.com:11211
/// let client = ElastiCacheClient::builder().endpoint(cluster.endpoint()).checksum_key("a secret of the fleet").build()?;
///
/// client.put("user:7", "Ada".to_owned(), Duration::from_secs(60)).wait()?;
/// assert_eq!(client.get::<String>("user:7").wait()?, Some("Ada".into()));
/// assert_eq!((client.servers().len(), client.discovery().version), (2, Some(1)));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ElastiCacheClient {
    memcached: MemcachedClient,
    record: Record,
}

impl ElastiCacheClient {
    /// Begins a client.
    pub fn builder() -> ElastiCacheBuilder {
        ElastiCacheBuilder::default()
    }

    /// Returns what is known of the cluster, and what the discovery has counted.
    #[must_use]
    pub fn discovery(&self) -> DiscoveryStats {
        self.record.snapshot()
    }
}

impl Deref for ElastiCacheClient {
    type Target = MemcachedClient;

    fn deref(&self) -> &MemcachedClient {
        &self.memcached
    }
}

forward_client!(ElastiCacheClient);
