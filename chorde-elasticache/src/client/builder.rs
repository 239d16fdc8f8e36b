//! The settings of a client.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::{Clock, Error, ErrorKind, Result};
#[cfg(feature = "tls")]
use chorde_memcache::Tls;
use chorde_memcache::{
    Compression, Dialer, Endpoint, MemcachedBuilder, Placement, Resolver, SystemResolver, Transport, WriteBehind,
};

use super::ElastiCacheClient;
use crate::discover::Discovery;
use crate::kind::{self, EndpointKind};
use crate::stats::Record;
use crate::turns::DEFAULT_INTERVAL;

/// Configures an [`ElastiCacheClient`].
///
/// An endpoint and a key are required, all else has a default:
///
/// | setting | default |
/// |---|---|
/// | [`endpoint`](Self::endpoint) | required |
/// | [`checksum_key`](Self::checksum_key) | required |
/// | [`endpoint_kind`](Self::endpoint_kind) | found out by the name, or by asking |
/// | [`fallback`](Self::fallback) | none: reads miss until the endpoint has answered once |
/// | [`poll_interval`](Self::poll_interval) | 60 s |
/// | [`resolver`](Self::resolver) | the system's hosts file and name servers |
///
/// and every setting of [`MemcachedBuilder`] but its servers.
///
/// # Errors
///
/// [`build`](Self::build) reports everything that cannot work as
/// [`ErrorKind::Config`](chorde_core::ErrorKind::Config), naming the setting and the mend. An endpoint that cannot be reached
/// is no error: it is asked for as long as the client lives.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_elasticache::ElastiCacheClient;
///
/// let client = ElastiCacheClient::builder()
///     .endpoint("my-cluster.abc123.cfg.use1.cache.amazonaws.com:11211")
///     .checksum_key("this year's secret")
///     .accept_key("last year's secret")
///     .namespace("shop")
///     .deadline(Duration::from_millis(200))
///     .build()?;
///
/// let error = ElastiCacheClient::builder().checksum_key("secret").build().unwrap_err();
/// assert!(error.to_string().contains("endpoint"));
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[must_use = "a builder makes nothing before `build`"]
pub struct ElastiCacheBuilder {
    endpoint: Option<String>,
    kind: EndpointKind,
    fallback: Vec<String>,
    interval: Duration,
    resolver: Option<Arc<dyn Resolver>>,
    dialer: Dialer,
    memcached: MemcachedBuilder,
}

impl Default for ElastiCacheBuilder {
    fn default() -> Self {
        Self {
            endpoint: None,
            kind: EndpointKind::Auto,
            fallback: Vec::new(),
            interval: DEFAULT_INTERVAL,
            resolver: None,
            dialer: Dialer::new(),
            memcached: MemcachedBuilder::default(),
        }
    }
}

/// Passes settings on, each under its own name.
macro_rules! passed_on {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[doc = concat!("As [`MemcachedBuilder::", stringify!($name), "`].")]
        pub fn $name(mut self, $($argument: $type),*) -> Self {
            self.memcached = self.memcached.$name($($argument),*);
            self
        }
    )*};
}

impl ElastiCacheBuilder {
    /// Sets where the cluster is asked for its nodes: `host:port`, or `host` (port 11211), as the console of AWS shows it.
    ///
    /// * The configuration endpoint of a cluster (`...cfg...`): the nodes are found and followed.
    /// * A node: as every node knows its cluster, the same; but that node is needed when the client starts. A server that
    ///   knows of no cluster, such as a memcached of your own, is used by itself.
    /// * The endpoint of a serverless cache (`....serverless....`): is used by itself, encrypted.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Says what the endpoint is, where its name does not: behind a name of your own, or a proxy.
    pub fn endpoint_kind(mut self, kind: EndpointKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds nodes to be used for as long as nothing was heard of the cluster since the client was made: `host:port` each.
    /// They are asked for the configuration as well.
    ///
    /// Keys are placed by these texts, so write the nodes' own endpoints (`my-cluster.abc123.0001.use1.cache.amazonaws.com:11211`):
    /// then no key moves when the cluster is heard of.
    pub fn fallback<S: Into<String>>(mut self, nodes: impl IntoIterator<Item = S>) -> Self {
        self.fallback.extend(nodes.into_iter().map(Into::into));
        self
    }

    /// Sets the time from one poll of the cluster to the next, to which up to a tenth is added by chance: new nodes are used
    /// within that time.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Has host names looked up by `resolver`, instead of by the system's hosts file and name servers: that of the endpoint
    /// for each poll, and those of nodes of which the configuration tells no address.
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Encrypts the connections to the endpoint and all nodes, and checks their certificates (feature `tls`): for clusters
    /// with encryption in transit. Each certificate has to show the host name of the endpoint, or of the node as the cluster
    /// tells it. A serverless cache needs no word of it: it is always spoken to like this, by default with the system's roots.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.dialer = self.dialer.tls(tls.clone());
        self.memcached = self.memcached.tls(tls);
        self
    }

    passed_on! {
        checksum_key(key: impl AsRef<[u8]>);
        accept_key(key: impl AsRef<[u8]>);
        namespace(namespace: impl Into<String>);
        compression(compression: Compression);
        item_size(bytes: usize);
        max_value_size(bytes: usize);
        deadline(deadline: Duration);
        placement(placement: Placement);
        transport(transport: Transport);
        tolerated_failures(failures: u32);
        probe_pauses(pauses: RangeInclusive<Duration>);
        max_waiting(operations: usize);
        classic_connections(connections: usize);
        clear_delay(delay: Duration);
        strict();
        succeed_fast(most: Duration);
        fail_fast(most: Duration);
        fast_entries(entries: u64);
        write_behind(options: WriteBehind);
        clock(clock: impl Into<Clock>);
    }

    /// Makes the client. The cluster is asked for its nodes from now on, behind the callers' backs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](chorde_core::ErrorKind::Config), see [`ElastiCacheBuilder`].
    pub fn build(mut self) -> Result<ElastiCacheClient> {
        let endpoint = self.endpoint.as_deref().ok_or_else(|| {
            wrong("no `endpoint`: name the cluster's configuration endpoint, my-cluster....cfg....cache.amazonaws.com:11211")
        })?;
        if self.interval.is_zero() {
            return Err(wrong("a `poll_interval` of zero: the cluster would be asked without end; give some 60 s"));
        }
        let endpoint = written("endpoint", endpoint)?;
        let kind = kind::of(self.kind, endpoint.host());
        if kind == EndpointKind::Serverless && !self.dialer.is_encrypting() {
            self = self.encrypted()?;
        }
        let fallback = self.fallback.iter().map(|node| written("fallback", node)).collect::<Result<Vec<_>>>()?;
        let record = Record::default();
        let discovery = Discovery {
            endpoint,
            kind,
            fallback,
            interval: self.interval,
            resolver: self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new())),
            dialer: self.dialer,
            record: record.clone(),
        };
        Ok(ElastiCacheClient { memcached: self.memcached.source(discovery).build()?, record })
    }
}

impl ElastiCacheBuilder {
    /// Encrypts connections, since the endpoint accepts no others.
    #[cfg(feature = "tls")]
    fn encrypted(self) -> Result<Self> {
        Ok(self.tls(Tls::new()?))
    }

    #[cfg(not(feature = "tls"))]
    fn encrypted(self) -> Result<Self> {
        Err(wrong("a serverless cache accepts encrypted connections only: enable the cargo feature `tls` of chorde"))
    }
}

/// Reads where a server is; an error names the setting.
fn written(setting: &str, text: &str) -> Result<Endpoint> {
    text.parse().map_err(|error: Error| {
        let text = error.to_string();
        wrong(format!("{setting}: {}", text.strip_prefix("servers: ").unwrap_or(&text)))
    })
}

fn wrong(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, text.into())
}

/// Never shows a key.
impl fmt::Debug for ElastiCacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElastiCacheBuilder")
            .field("endpoint", &self.endpoint)
            .field("kind", &self.kind)
            .field("fallback", &self.fallback)
            .field("interval", &self.interval)
            .field("memcached", &self.memcached)
            .finish_non_exhaustive()
    }
}
