//! The settings of a client.

mod fast;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chorde_core::{Clock, Error, ErrorKind, Identity, LogLimit, Namespace, Result};
use futures_util::future::join;

use fast::Fast;

use super::{Inner, MemcachedClient};
use crate::behind::Behind;
use crate::cluster::Cluster;
use crate::compression::Compression;
use crate::envelope::{Sealer, SealerOptions};
use crate::lease;
use crate::node::{NodeOptions, TaskGuard, Transport};
use crate::resolve::{self, Endpoint, Resolver, ServerSource, Servers};
use crate::revisions::Revisions;
use crate::ring::Placement;
use crate::stats::Counters;
use crate::store::Store;
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// Configures a [`MemcachedClient`].
///
/// Servers and a key are required, all else has a default:
///
/// | setting | default |
/// |---|---|
/// | [`servers`](Self::servers), [`server`](Self::server), [`source`](Self::source) | required, one of them |
/// | [`resolver`](Self::resolver) | the system's hosts file and name servers |
/// | [`checksum_key`](Self::checksum_key) | required |
/// | [`accept_key`](Self::accept_key) | none more |
/// | [`namespace`](Self::namespace) | none |
/// | [`compression`](Self::compression) | zstd, values from 1 KiB on |
/// | [`item_size`](Self::item_size) | 1 MiB, as memcached's |
/// | [`max_value_size`](Self::max_value_size) | 256 MiB |
/// | [`deadline`](Self::deadline) | 500 ms |
/// | [`placement`](Self::placement) | rendezvous |
/// | [`transport`](Self::transport) | by the servers' version |
#[cfg_attr(feature = "tls", doc = "| [`tls`](Self::tls) | no: connections are not encrypted |")]
#[cfg_attr(not(feature = "tls"), doc = "| `tls`, with the cargo feature `tls` | no: connections are not encrypted |")]
/// | [`tolerated_failures`](Self::tolerated_failures) | 2 in a row |
/// | [`probe_pauses`](Self::probe_pauses) | 1 s to 30 s |
/// | [`max_waiting`](Self::max_waiting) | 65,536 operations for each connection |
/// | [`classic_connections`](Self::classic_connections) | 16 |
/// | [`clear_delay`](Self::clear_delay) | 1 s |
/// | [`strict`](Self::strict) | no |
/// | [`succeed_fast`](Self::succeed_fast) | no: every read asks a server |
/// | [`fail_fast`](Self::fail_fast) | no: every miss asks a server |
/// | [`fast_entries`](Self::fast_entries) | 10,000 of each |
/// | [`write_behind`](Self::write_behind) | no: every write waits for a server |
/// | [`clock`](Self::clock) | the system's |
///
/// # Errors
///
/// [`build`](Self::build) reports everything that cannot work as
/// [`ErrorKind::Config`](chorde_core::ErrorKind::Config), naming the setting and the mend. Servers that cannot be reached
/// are no error: they are looked for as long as the client lives.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_memcache::MemcachedClient;
///
/// let client = MemcachedClient::builder()
///     .servers(["10.0.0.1:11211", "10.0.0.2:11211"])
///     .checksum_key("this year's secret")
///     .accept_key("last year's secret")
///     .namespace("shop")
///     .deadline(Duration::from_millis(200))
///     .build()?;
///
/// let error = MemcachedClient::builder().servers(["10.0.0.1"]).build().unwrap_err();
/// assert!(error.to_string().contains("checksum_key"));
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub struct MemcachedBuilder {
    /// What was written as servers, with their weights.
    named: Vec<(String, u32)>,
    source: Option<Box<dyn ServerSource>>,
    resolver: Option<Arc<dyn Resolver>>,
    /// The first signs.
    checksum_key: Option<Vec<u8>>,
    accepted_keys: Vec<Vec<u8>>,
    namespace: Option<String>,
    compression: Compression,
    item_size: usize,
    max_value_size: usize,
    placement: Placement,
    nodes: NodeOptions,
    clear_delay: Duration,
    is_strict: bool,
    fast: Fast,
    clock: Clock,
}

impl Default for MemcachedBuilder {
    fn default() -> Self {
        let SealerOptions { item_size, max_value, .. } = SealerOptions::default();
        Self {
            named: Vec::new(),
            source: None,
            resolver: None,
            checksum_key: None,
            accepted_keys: Vec::new(),
            namespace: None,
            compression: Compression::default(),
            item_size,
            max_value_size: max_value,
            placement: Placement::default(),
            nodes: NodeOptions::default(),
            clear_delay: Duration::from_secs(1),
            is_strict: false,
            fast: Fast::default(),
            clock: Clock::system(),
        }
    }
}

impl MemcachedBuilder {
    /// Adds servers: `host:port`, `host` (port 11211), `[::1]:11211`, or the path of a unix socket.
    ///
    /// Keys are placed by these texts, so all processes of a fleet must write them in the same way. A host name with
    /// several addresses is several servers; names are looked up by chorde's own resolver, the hosts file first, and
    /// again when their records expire.
    #[must_use]
    pub fn servers<S: Into<String>>(mut self, servers: impl IntoIterator<Item = S>) -> Self {
        self.named.extend(servers.into_iter().map(|server| (server.into(), 1)));
        self
    }

    /// Adds a server that takes `weight` times the share of keys of one with weight 1.
    #[must_use]
    pub fn server(mut self, server: impl Into<String>, weight: u32) -> Self {
        self.named.push((server.into(), weight));
        self
    }

    /// Lets `source` tell which servers there are, instead of naming them.
    #[must_use]
    pub fn source(mut self, source: impl ServerSource) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Has host names looked up by `resolver`, instead of by the system's hosts file and name servers.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Sets the secret that values are signed with (HMAC-SHA256), the same for the whole fleet.
    ///
    /// memcached itself knows no users: whoever reaches the port may write. Values that were not signed with an accepted
    /// key are misses. Any text or bytes; a random one of 32 bytes is best.
    #[must_use]
    pub fn checksum_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.checksum_key = Some(key.as_ref().to_vec());
        self
    }

    /// Accepts values that were signed with another key as well.
    ///
    /// To change the key of a running fleet: accept the new one everywhere, then sign with it and accept the old one, then
    /// drop the old one.
    #[must_use]
    pub fn accept_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.accepted_keys.push(key.as_ref().to_vec());
        self
    }

    /// Keeps the keys of this client apart from those of others on the same servers.
    ///
    /// It also makes [`clear`](chorde_core::CacheExt::clear) forget the entries of this namespace alone, where without
    /// one it empties the servers (`flush_all`).
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets what is compressed, and how. Whatever this says, values compressed in other ways can be read.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets the largest item that the servers take, in bytes: memcached's `-I`. Larger values are cut into pages.
    #[must_use]
    pub fn item_size(mut self, bytes: usize) -> Self {
        self.item_size = bytes;
        self
    }

    /// Sets the largest value that is written or read, in serialised bytes: no answer of a server makes the client
    /// allocate more.
    #[must_use]
    pub fn max_value_size(mut self, bytes: usize) -> Self {
        self.max_value_size = bytes;
        self
    }

    /// Sets how long an operation may take before it fails; connecting included.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.nodes.deadline = deadline;
        self
    }

    /// Sets how keys are spread over the servers.
    #[must_use]
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Sets which of memcached's protocols is spoken.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.nodes.transport = transport;
        self
    }

    /// Encrypts the connections to all servers, and checks their certificates (feature `tls`).
    ///
    /// A certificate has to show the host name that the server was given by, else its IP address; a source of one's own
    /// says it by [`Server::host`](crate::Server::host). A unix socket cannot be encrypted: with one among the
    /// [`servers`](Self::servers) there is no client, and one that a [`source`](Self::source) tells of is not used. To
    /// connect takes some round trips more, and computation; give the [`deadline`](Self::deadline) room for it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use chorde_memcache::{MemcachedClient, Tls};
    ///
    /// let servers = ["cache-1.internal:11211", "cache-2.internal:11211"];
    /// let client = MemcachedClient::builder().servers(servers).checksum_key("secret").tls(Tls::new()?).build()?;
    /// # Ok::<(), chorde_core::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.nodes.dialer = self.nodes.dialer.tls(tls);
        self
    }

    /// Sets how many operations in a row a server may fail to answer before the next one takes it out of use. A refused
    /// connection does so at once.
    #[must_use]
    pub fn tolerated_failures(mut self, failures: u32) -> Self {
        self.nodes.breaker.soft_failures = failures.saturating_add(1);
        self
    }

    /// Sets how long to pause between two attempts to reach a server that is out of use: the shortest pause, which is
    /// doubled up to the longest while there is no answer at all. A server that refuses is asked again after the shortest,
    /// one that hangs is back as soon as it answers.
    #[must_use]
    pub fn probe_pauses(mut self, pauses: RangeInclusive<Duration>) -> Self {
        self.nodes.breaker.min_pause = *pauses.start();
        self.nodes.breaker.max_pause = *pauses.end();
        self
    }

    /// Sets how many operations may wait for one connection; more fail at once, and are counted as refused.
    #[must_use]
    pub fn max_waiting(mut self, operations: usize) -> Self {
        self.nodes.limits.waiting = operations;
        self
    }

    /// Sets how many connections to each server the classic transport may have, each of which does one operation at a
    /// time.
    #[must_use]
    pub fn classic_connections(mut self, connections: usize) -> Self {
        self.nodes.classic.connections = connections;
        self
    }

    /// Sets within what time a `clear` by another process is noticed. Each namespace in use is asked for twice in that
    /// time, behind the callers' backs; one that was not used for longer is asked for first.
    #[must_use]
    pub fn clear_delay(mut self, delay: Duration) -> Self {
        self.clear_delay = delay;
        self
    }

    /// Makes operations fail with [`ErrorKind::NoServers`](chorde_core::ErrorKind::NoServers) while no server is in use,
    /// where reads would miss and writes would be dropped; and multi-gets fail when any of their servers does.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Sets the clock by which deadlines, pauses and leases are kept; the life of values goes by the servers' own.
    #[must_use]
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Makes the client. Connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](chorde_core::ErrorKind::Config), see [`MemcachedBuilder`].
    pub fn build(self) -> Result<MemcachedClient> {
        self.check()?;
        let source = match self.source {
            Some(source) => source,
            None => {
                let endpoints = endpoints(self.named)?;
                #[cfg(feature = "tls")]
                if self.nodes.dialer.is_encrypting() {
                    refuse_unix(&endpoints)?;
                }
                resolve::source(endpoints, self.resolver)?
            }
        };
        let mut keys = vec![self.checksum_key.unwrap_or_default()];
        keys.extend(self.accepted_keys);
        let sealer = Sealer::new(SealerOptions {
            keys,
            compress: self.compression.into_options(),
            item_size: self.item_size,
            max_value: self.max_value_size,
        })?;
        let mut nodes = self.nodes;
        // Others may have stored larger items than we do.
        nodes.limits.data = nodes.limits.data.max(u32::try_from(self.item_size).unwrap_or(u32::MAX));
        nodes.limits.dial = nodes.deadline;
        nodes.classic.largest = nodes.classic.largest.max(self.item_size);
        let counters = Arc::new(Counters::default());
        let cluster = Cluster::new(self.placement, nodes, self.clock.clone(), Arc::clone(&counters));
        let store = Arc::new(Store { cluster, counters });
        let follower = follow(&store, source, self.clock.clone()).map(Arc::new);
        let memory = self.fast.memory(&store, &self.clock)?.map(Arc::new);
        let behind = self.fast.behind.map(|options| Behind::new(options, &store, memory.as_ref(), follower.as_ref()));
        Ok(MemcachedClient(Arc::new(Inner {
            identity: Identity::with_clock(self.clock),
            store,
            sealer,
            revisions: Revisions::new(self.clear_delay),
            watch: lease::Watch::default(),
            namespace: self.namespace.map(Namespace::named),
            clears: AtomicU64::new(0),
            is_strict: self.is_strict,
            memory,
            behind,
            log_limit: LogLimit::new(),
            _follower: follower,
        })))
    }

    fn check(&self) -> Result<()> {
        let settings = [
            (
                self.named.iter().any(|(_, weight)| *weight == 0),
                "a server of weight 0: it would hold nothing; leave it out, or give it 1 or more",
            ),
            (
                self.named.is_empty() && self.source.is_none(),
                "no servers: name some with `servers([\"host:11211\"])`, or give a `source`",
            ),
            (
                !self.named.is_empty() && self.source.is_some(),
                "both `servers` and a `source`: leave one of them out, the source tells all servers",
            ),
            (
                self.resolver.is_some() && self.source.is_some(),
                "a `resolver` beside a `source`, which would not ask it: give it to the source",
            ),
            (
                self.checksum_key.is_none(),
                "no `checksum_key`: values are signed with it; give the whole fleet the same random secret",
            ),
            (
                self.checksum_key.as_ref().is_some_and(Vec::is_empty) || self.accepted_keys.iter().any(Vec::is_empty),
                "an empty `checksum_key` or `accept_key`: anybody could sign with it; give a random secret",
            ),
            (self.namespace.as_ref().is_some_and(String::is_empty), "an empty `namespace`: leave it out, or name it"),
            (
                self.namespace.as_ref().is_some_and(|name| name.starts_with('\0')),
                "the `namespace` begins with NUL: choose a name without it",
            ),
            (
                self.nodes.deadline.is_zero(),
                "a `deadline` of zero: nothing could be answered in time; give some 100 ms",
            ),
            (self.nodes.limits.waiting == 0, "`max_waiting` of zero: nothing could be asked; give some thousands"),
            (self.nodes.classic.connections == 0, "`classic_connections` of zero: give at least 1"),
            (
                self.nodes.breaker.min_pause.is_zero() || self.nodes.breaker.min_pause > self.nodes.breaker.max_pause,
                "`probe_pauses` must begin above zero and not end before they begin",
            ),
            (self.clear_delay.is_zero(), "a `clear_delay` of zero: every operation would ask twice; give some 100 ms"),
        ];
        match settings.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, mend)) => Err(Error::new(ErrorKind::Config, *mend)),
            None => self.fast.check(),
        }
    }
}

/// Has the cluster use the servers that the source knows, and follow it for as long as the guard is kept.
fn follow(store: &Arc<Store>, source: Box<dyn ServerSource>, clock: Clock) -> Option<TaskGuard> {
    let servers = Servers::new();
    let mut watch = servers.watch();
    if let Some(known) = source.known() {
        servers.set(known);
        watch = servers.watch();
        if let Some(list) = watch.current() {
            store.cluster.set(&list);
        }
    }
    let store = Arc::clone(store);
    TaskGuard::spawn(async move {
        let apply = async {
            while let Some(list) = watch.changed().await {
                store.cluster.set(&list);
            }
        };
        join(source.follow(servers, clock), apply).await;
    })
}

/// Reads what users write as servers.
fn endpoints(named: Vec<(String, u32)>) -> Result<Vec<Endpoint>> {
    named.into_iter().map(|(text, weight)| Ok(text.parse::<Endpoint>()?.weight(weight))).collect()
}

/// Refuses what would not be encrypted.
#[cfg(feature = "tls")]
fn refuse_unix(endpoints: &[Endpoint]) -> Result<()> {
    let is_unix = |endpoint: &&Endpoint| {
        endpoint.server().is_some_and(|server| matches!(server.address(), crate::server::Address::Unix(_)))
    };
    match endpoints.iter().find(is_unix) {
        None => Ok(()),
        Some(socket) => Err(Error::new(
            ErrorKind::Config,
            format!(
                "servers: {socket} is a unix socket, which `tls` cannot encrypt: give a TCP port, or leave out `tls`"
            ),
        )),
    }
}

/// Never shows a key.
impl fmt::Debug for MemcachedBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcachedBuilder")
            .field("servers", &self.named)
            .field("has_source", &self.source.is_some())
            .field("has_resolver", &self.resolver.is_some())
            .field("has_checksum_key", &self.checksum_key.is_some())
            .field("accepted_keys", &self.accepted_keys.len())
            .field("namespace", &self.namespace)
            .field("compression", &self.compression)
            .field("item_size", &self.item_size)
            .field("max_value_size", &self.max_value_size)
            .field("placement", &self.placement)
            .field("nodes", &self.nodes)
            .field("clear_delay", &self.clear_delay)
            .field("strict", &self.is_strict)
            .field("fast", &self.fast)
            .finish_non_exhaustive()
    }
}
