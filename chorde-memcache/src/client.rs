//! The client: core's traits over the store of sealed values.

mod builder;
mod claims;
mod errors;
mod fast;
mod many;
mod names;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chorde_core::{
    AsKey, Cache, Claim, ClaimOptions, Client, Entry, Identity, Key, LogLimit, Lookup, Namespace, Path, Probe,
    ReadOptions, Result, Revision, Token, Value, WriteOptions,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use builder::MemcachedBuilder;
use fast::Prepared;

use crate::behind::Behind;
use crate::cluster::{Route, Unanswered};
use crate::command::{How, Item, Life};
use crate::envelope::{Damage, Opened, Sealed, Sealer};
use crate::lease::{Standing, Watch, standing};
use crate::life;
use crate::memory::Memory;
use crate::node::TaskGuard;
use crate::revisions::Revisions;
use crate::server::ServerState;
use crate::stats::{Count, MemcachedStats};
use crate::store::{Found, Store, Wrote};
use crate::wall_clock;
use crate::wire_key::WireKey;

/// Keeps values on memcached servers, shared by all processes that use the same servers and the same key.
///
/// A cached function over it computes each key once in the whole fleet: the first process to miss a key is given a lease,
/// the others wait for its value; a process that dies is replaced when the lease ends. Servers may fail at any time: reads
/// miss, writes are dropped and counted, and [`stats`](Self::stats) tells. See [the crate](crate) for how it works.
///
/// Cheap to clone; clones share connections, counts and identity.
///
/// # Units
///
/// memcached keeps time in whole seconds on a clock that ticks once a second: a ttl is rounded up, and what is stored for
/// T seconds is served for between T - 1 and T seconds.
///
/// # Errors
///
/// Asked directly: [`ErrorKind::Unavailable`](chorde_core::ErrorKind::Unavailable) when a server does not answer within the
/// deadline, [`Protocol`](chorde_core::ErrorKind::Protocol) when it answers nonsense,
/// [`Overloaded`](chorde_core::ErrorKind::Overloaded) when too much waits for it,
/// [`Value`](chorde_core::ErrorKind::Value) for values that cannot be serialised or are too large. While no server is in use,
/// reads miss and writes are dropped, or with [`strict`](MemcachedBuilder::strict) both fail with
/// [`NoServers`](chorde_core::ErrorKind::NoServers). Calls of cached functions see none of them.
///
/// # Concurrency
///
/// All operations may be called from any thread, on any executor or none. Inside of a tokio runtime connections live on
/// that runtime; plain threads share connections on one thread of chorde's own.
///
/// # Cancel safety
///
/// An operation dropped before its end may or may not be carried out; connections stay usable.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use std::time::Duration;
/// use chorde_core::{CacheExt, Wait};
/// use chorde_memcache::MemcachedClient;
/// use chorde_memcache::testing::MemcachedServer;
///
/// let server = MemcachedServer::start()?; // or one of your own, at "localhost:11211"
/// let client = MemcachedClient::builder().servers([server.address()]).checksum_key("a secret of the fleet").build()?;
/// client.put(&3, 10, Duration::from_secs(300)).wait()?;
/// client.put(&4, 20, Duration::from_secs(300)).wait()?;
/// assert_eq!(client.get_multi::<i32>(&[3, 4, 5]).wait()?, [Some(10), Some(20), None]);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemcachedClient(Arc<Inner>);

struct Inner {
    identity: Identity,
    store: Arc<Store>,
    sealer: Sealer,
    revisions: Revisions,
    /// Which claims others hold, and since when.
    watch: Watch,
    /// Surrounds all keys of this client.
    namespace: Option<Namespace>,
    /// How often this process has emptied the servers.
    clears: AtomicU64,
    /// Whether operations fail while no server is in use.
    is_strict: bool,
    /// What was lately seen, if that is remembered.
    memory: Option<Arc<Memory>>,
    /// The writes that are put off, if they are.
    behind: Option<Behind>,
    /// Keeps values that cannot be used from filling the log.
    log_limit: LogLimit<Damage>,
    /// Follows the source of servers, as long as the client lives.
    _follower: Option<Arc<TaskGuard>>,
}

/// What a read comes to.
enum Seen<V> {
    Held(Entry<V>),
    /// The server has nothing, or nothing but a stub.
    Missing,
    /// Something that cannot be used, or nobody knows.
    Unknown,
}

impl<V> Seen<V> {
    fn into_entry(self) -> Option<Entry<V>> {
        match self {
            Self::Held(entry) => Some(entry),
            Self::Missing | Self::Unknown => None,
        }
    }
}

impl MemcachedClient {
    /// Starts to configure a client.
    #[must_use]
    pub fn builder() -> MemcachedBuilder {
        MemcachedBuilder::default()
    }

    /// Returns what the client has counted.
    #[must_use]
    pub fn stats(&self) -> MemcachedStats {
        self.0.store.counters.snapshot()
    }

    /// Returns the servers in their order, and how they are doing; none before they are known.
    ///
    /// # Examples
    ///
    /// ```
    /// use chorde_memcache::MemcachedClient;
    ///
    /// let client = MemcachedClient::builder().servers(["10.0.0.1", "10.0.0.2"]).checksum_key("secret").build()?;
    /// let servers = client.servers();
    /// assert_eq!((servers[1].name.as_str(), servers[1].in_use), ("10.0.0.2:11211", true));
    /// # Ok::<(), chorde_core::Error>(())
    /// ```
    #[must_use]
    pub fn servers(&self) -> Vec<ServerState> {
        self.0.store.cluster.states()
    }

    /// Returns the name of the server that answers for a key at the moment: its own or, while that is out of use, the next.
    /// `None` while no server is known or in use.
    ///
    /// For operators who want to know where a key lies, and for tests of how keys move.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`](chorde_core::ErrorKind::Key) where the key cannot be serialised.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    ///
    /// # Examples
    ///
    /// ```
    /// use chorde_core::Wait;
    /// use chorde_memcache::MemcachedClient;
    ///
    /// let client = MemcachedClient::builder().servers(["10.0.0.1", "10.0.0.2"]).checksum_key("secret").build()?;
    /// let name = client.server_for("user:7").wait()?.expect("both are in use until they fail");
    /// assert!(["10.0.0.1:11211", "10.0.0.2:11211"].contains(&name.as_str()));
    /// # Ok::<(), chorde_core::Error>(())
    /// ```
    pub async fn server_for(&self, key: &(impl AsKey + ?Sized)) -> Result<Option<String>> {
        let inner = &*self.0;
        let wire = inner.name(&key.to_key()?).await.wire;
        Ok(inner.store.cluster.serving(&wire))
    }

    /// Waits until all writes that [`write_behind`](MemcachedBuilder::write_behind) has queued so far are carried out;
    /// returns at once where writes are not put off.
    ///
    /// # Errors
    ///
    /// Tells how many queued writes were lost since the last flush, with the kind of the last one's error. They are not
    /// tried again.
    ///
    /// # Cancel safety
    ///
    /// Dropped, nothing is lost: what is queued is written all the same, and losses are told by the next flush.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// use std::time::Duration;
    /// use chorde_core::{CacheExt, Wait};
    /// use chorde_memcache::testing::MemcachedServer;
    /// use chorde_memcache::{MemcachedClient, WriteBehind};
    ///
    /// let server = MemcachedServer::start()?;
    /// let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("a secret of the fleet");
    /// let client = builder.write_behind(WriteBehind::new()).build()?;
    /// for visits in 1..=100 {
    ///     client.put("visits", visits, Duration::from_secs(60)).wait()?; // returns at once
    /// }
    /// client.flush().wait()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn flush(&self) -> Result<()> {
        match &self.0.behind {
            Some(behind) => behind.flush().await,
            None => Ok(()),
        }
    }
}

impl Inner {
    /// Lets an operation come to `nothing` while no server is in use, unless the client is strict.
    fn served<T>(&self, answered: Result<T, Unanswered>, unserved: &Count, nothing: T) -> Result<T> {
        match answered {
            Err(Unanswered::NoServers(_)) if !self.is_strict => {
                unserved.one();
                Ok(nothing)
            }
            answered => Ok(answered?),
        }
    }

    fn read<T>(&self, answered: Result<T, Unanswered>, nothing: T) -> Result<T> {
        self.served(answered, &self.store.counters.unserved_reads, nothing)
    }

    fn wrote<T>(&self, answered: Result<T, Unanswered>, nothing: T) -> Result<T> {
        self.served(answered, &self.store.counters.lost_writes, nothing)
    }

    fn seal<V: Serialize>(&self, key: &WireKey, value: &V, ttl: Duration) -> Result<(Sealed, Life)> {
        let life = life::of_value(ttl, wall_clock::unix_seconds);
        let sealed = self.sealer.seal(key, value, life)?;
        Ok((sealed, life::of_item(life)))
    }

    /// Verifies and decodes what was found on the server that a route leads to.
    async fn open<V: DeserializeOwned>(&self, key: &WireKey, route: &Route, item: &Item) -> Result<Entry<V>, Damage> {
        match self.open_whole(key, item) {
            // What the head lacks may lie in pages.
            Err(Damage::Torn) => Box::pin(self.open_pages(key, route, item)).await,
            opened => opened,
        }
    }

    fn open_whole<V: DeserializeOwned>(&self, key: &WireKey, item: &Item) -> Result<Entry<V>, Damage> {
        self.sealer.open(key, &item.data).map(|opened| entry(opened, item))
    }

    async fn open_pages<V: DeserializeOwned>(
        &self,
        key: &WireKey,
        route: &Route,
        item: &Item,
    ) -> Result<Entry<V>, Damage> {
        let Some(set) = self.sealer.pages(&item.data)? else { return Err(Damage::Torn) };
        match self.store.read_pages(key, route, set).await {
            Ok(Some(tails)) => self.sealer.open_joined(key, &item.data, &tails).map(|opened| entry(opened, item)),
            Ok(None) | Err(_) => Err(Damage::Torn),
        }
    }

    /// Reads and opens; a value whose pages were replaced in between is read once more.
    async fn get<V: DeserializeOwned>(&self, key: &WireKey) -> Result<Seen<V>, Unanswered> {
        let mut is_second = false;
        loop {
            let Some(Found { route, item }) = self.store.read(key).await? else { return Ok(Seen::Missing) };
            match self.open(key, &route, &item).await {
                Err(Damage::Torn) if !is_second => is_second = true,
                opened => return Ok(self.seen(opened)),
            }
        }
    }

    /// Counts what cannot be used.
    fn seen<V>(&self, opened: Result<Entry<V>, Damage>) -> Seen<V> {
        match opened {
            Ok(entry) => Seen::Held(entry),
            Err(damage) => {
                self.note(&damage);
                Seen::Unknown
            }
        }
    }

    fn note(&self, damage: &Damage) {
        let counters = &self.store.counters;
        match damage {
            Damage::Foreign | Damage::Version => counters.foreign.one(),
            _ => counters.damaged.one(),
        }
        if let Some(more) = self.log_limit.admit(*damage, self.identity.clock().now()) {
            log::debug!("chorde: a value on memcached cannot be used: {damage:?}{more}");
        }
    }

    /// Counts what a read comes to.
    fn count<V>(&self, entry: Option<&Entry<V>>) {
        let counters = &self.store.counters;
        if entry.is_some_and(|entry| !entry.is_stale()) { counters.hits.one() } else { counters.misses.one() }
    }
}

impl fmt::Debug for MemcachedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.0.store.cluster.known();
        f.debug_struct("MemcachedClient")
            .field("servers", &nodes.as_ref().map(|view| view.nodes()))
            .field("namespace", &self.0.namespace)
            .field("strict", &self.0.is_strict)
            .finish_non_exhaustive()
    }
}

impl Cache for MemcachedClient {
    fn identity(&self) -> &Identity {
        &self.0.identity
    }

    fn resolution(&self) -> Duration {
        life::TICK
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        let inner = &*self.0;
        let _change = inner.change(key);
        let key = inner.name(key).await.wire;
        let was_queued = inner.withdraw(&key).await;
        let removed = inner.wrote(inner.store.remove(&key).await, false)?;
        Ok(removed || was_queued)
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        let inner = &*self.0;
        let _change = inner.change(key);
        let key = inner.name(key).await.wire;
        inner.settle(&key).await;
        inner.wrote(inner.store.expire(&key).await, false)
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        let inner = &*self.0;
        let _change = inner.change(key);
        let key = inner.name(key).await.wire;
        inner.settle(&key).await;
        let life = life::of_item(life::of_value(ttl, wall_clock::unix_seconds));
        inner.wrote(inner.store.renew(&key, life).await, false)
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        let inner = &*self.0;
        let name = inner.name(key).await;
        let left = match inner.known_life(key, &name) {
            Some(known) => known,
            None => inner.read(inner.store.time_left(&name.wire).await, None)?,
        };
        Ok(left.is_some_and(|left| left > min_ttl))
    }

    async fn clear_all(&self) -> Result<()> {
        match &self.0.namespace {
            None => self.0.flush_all().await,
            Some(_) => self.clear_namespace(Path::new(&[])).await,
        }
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        let namespaces = self.0.surround(path.iter());
        let cleared = self.0.revisions.clear(&self.0.store, Path::new(&namespaces)).await;
        // Nobody must believe that a clear has happened that has not.
        Ok(cleared?)
    }

    /// Does nothing: the servers remove what is past its life by themselves, half a minute after its end.
    async fn purge_stale(&self, _grace: Duration) -> Result<()> {
        Ok(())
    }

    /// Returns the bytes that all servers together can hold.
    async fn capacities(&self) -> Result<Vec<u64>> {
        Ok(vec![self.0.read(self.0.store.sum_of("limit_maxbytes").await, 0)?])
    }

    /// Returns the bytes that all servers together hold, whoever stored them.
    async fn usages(&self) -> Result<Vec<u64>> {
        Ok(vec![self.0.read(self.0.store.sum_of("bytes").await, 0)?])
    }

    /// Returns the sum of the revisions that this process knows: what others clear is seen within the
    /// [delay](MemcachedBuilder::clear_delay), but for a process that has not asked for longer, whose revision is not current.
    fn revision(&self, probe: &Probe<'_>) -> Revision {
        self.0.known_revision(probe).after_clears(self.0.clears.load(Ordering::Acquire))
    }

    async fn current_revision(&self, key: &Key) -> u64 {
        self.0.learn_revision(key).await;
        self.revision(&key.probe()).number
    }
}

impl<V: Value + Serialize + DeserializeOwned> Client<V> for MemcachedClient {
    /// Says what [`succeed_fast`](MemcachedBuilder::succeed_fast) and [`fail_fast`](MemcachedBuilder::fail_fast) remember.
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        self.0.memory.as_ref().and_then(|memory| self.0.look(memory, probe, options.least_ttl()))
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice, and thousands may wait")]
    fn get_entry(
        &self,
        key: &Key,
        options: ReadOptions<'_, V>,
    ) -> impl Future<Output = Result<Option<Entry<V>>>> + Send {
        async move {
            let inner = &*self.0;
            let name = inner.name(key).await;
            let view = inner.view(key, name.revision);
            if let Some(known) = view.as_ref().and_then(|view| view.look(options.least_ttl())) {
                return Ok(known.into_entry());
            }
            let seen = match inner.queued(&name.wire) {
                Some(queued) => queued,
                None => {
                    let got = match inner.ensure_answering(&name) {
                        Ok(()) => inner.get(&name.wire).await,
                        Err(unanswered) => Err(unanswered),
                    };
                    inner.read(got, Seen::Unknown)?
                }
            };
            if let Some(view) = view {
                view.keep(&seen);
            }
            let entry = seen.into_entry();
            inner.count(entry.as_ref());
            Ok(entry.filter(|entry| entry.remaining() >= options.least_ttl()))
        }
    }

    async fn get_entries(&self, keys: &[Key], options: ReadOptions<'_, V>) -> Result<Vec<Option<Entry<V>>>> {
        self.0.get_many(keys, options.least_ttl()).await
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, _: WriteOptions) -> Result<()> {
        let inner = &*self.0;
        let Prepared { name, sealed, life, written } = inner.prepare(key, value, ttl).await?;
        let Some(sealed) = inner.put_off(key, &name.wire, sealed, life).await else {
            inner.keep(written, &name);
            return Ok(());
        };
        match inner.wrote(inner.store.write(&name.wire, &sealed, life, How::Set).await, Wrote::Missing)? {
            Wrote::Stored => inner.keep(written, &name),
            Wrote::TooLarge => return Err(errors::too_large()),
            Wrote::Exists | Wrote::Missing => {}
        }
        Ok(())
    }

    async fn put_entries(&self, entries: Vec<(Key, V)>, ttl: Duration, _: WriteOptions) -> Result<()> {
        self.0.put_many(entries, ttl).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        let inner = &*self.0;
        let Prepared { name, sealed, life, written } = inner.prepare(key, value, ttl).await?;
        inner.settle(&name.wire).await;
        let is_added = inner.wrote(inner.store.add(&name.wire, &sealed, life).await, false)?;
        if is_added {
            inner.keep(written, &name);
        }
        Ok(is_added)
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice, and thousands may wait")]
    fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> impl Future<Output = Result<Claim<V>>> + Send {
        async move {
            let inner = &*self.0;
            let name = inner.name(key).await;
            let view = inner.view(key, name.revision);
            inner.settle(&name.wire).await;
            // Not a miss without servers: whoever has another place to look must know.
            let claim = inner.claim(&name, &options).await?;
            if let Some(view) = view {
                view.keep_claimed(&claim);
            }
            Ok(claim)
        }
    }

    async fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool> {
        let inner = &*self.0;
        let told = inner.told_revision(key);
        let Prepared { name, sealed, life, written } = inner.prepare(key, value, ttl).await?;
        if told.is_some_and(|told| told != name.revision) {
            // Another process has cleared it since: it was computed from before.
            return Ok(false);
        }
        inner.settle(&name.wire).await;
        let is_filled = inner.store.fill(&name.wire, token, &sealed, life).await?;
        if is_filled {
            inner.keep(written, &name);
        }
        Ok(is_filled)
    }

    fn release(&self, key: &Key, token: Token) {
        self.0.store.release(&self.0.known_wire_key(key), token);
    }
}

/// Makes an entry of a value and of what the server says about its item.
fn entry<V>(opened: Opened<V>, item: &Item) -> Entry<V> {
    let entry = Entry::new(opened.value, life::remaining(item.left));
    entry.with_age(life::age(opened.life, item.left)).with_seed(opened.seed)
}

/// Returns whether an item may be shown: with a value, valid or stale.
fn is_shown(item: &Item) -> bool {
    standing(item) != Standing::Stub
}
