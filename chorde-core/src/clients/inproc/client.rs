//! The client's handle, and what it can do as a client.

mod shards;

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::builder::{InprocBuilder, Policy, Weigher};
use super::locks::Locks;
use super::registry::{self, InprocStats};
use super::shard::Shard;
use super::table::{Times, Wanted};
use shards::{Condition, Stored};

use crate::client::{Cache, Client, Computed, Identity, ReadOptions, Revision, Token, Value, WriteOptions};
use crate::clock::nanos;
use crate::entry::{Entry, Lookup};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Probe};
use crate::namespace::Path;
use crate::policy::CallPolicy;
use crate::sync::{AtomicU64, Ordering};

/// Caches values of any types in the memory of this process, up to a capacity.
///
/// Values need not be serialisable; they are handed out as clones, so that large ones are best kept in an `Arc`. Of a
/// key only a keyed 128-bit digest is kept. Clones of the client are handles of the same store.
///
/// # Concurrency
///
/// A hit takes a shared lock and writes nothing that other hits read, but for the reference count of a value in an `Arc`.
/// No lock is held while a value's `Clone` or `Drop`, a key's `Serialize` or a weigher runs: they may take long, panic, and use
/// the client. To that end, numbers and other types of the standard library that are copied by their bits, `Arc`s, and texts and
/// buffers of up to 2 KiB lie in the table itself, and any other value behind a reference count that each hit raises and lowers.
/// A panic in the `Drop` of a value that leaves the store ends there, once the panic hook has reported it.
///
/// An eviction policy of one's own runs under a lock. It must not use any in-process client: that panics. If a policy panics, its
/// shard is emptied and begins anew with another policy, and the write that called it panics; a hit is served all the same.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{CacheExt, InprocClient, Wait};
///
/// let client = InprocClient::new(200);
/// client.put("motto", "hordes and stampedes", Duration::from_secs(60)).wait()?;
/// assert_eq!(client.get::<&str>("motto").wait()?, Some("hordes and stampedes"));
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone)]
pub struct InprocClient(Arc<Inner>);

pub(super) struct Inner {
    identity: Identity,
    name: Option<String>,
    shards: Locks<Shard>,
    capacity: u64,
    policy: Policy,
    /// Whether the policies want to hear of each hit.
    wants_touch: bool,
    weighers: HashMap<TypeId, Weigher>,
    /// Types that are `Copy`, as the user says.
    inline: HashSet<TypeId>,
    /// How often all entries were removed.
    clears: AtomicU64,
    /// Whether capacity and weights are in bytes.
    counts_bytes: bool,
    /// The sum of all entries' weights.
    weight: CachePadded<AtomicU64>,
}

impl InprocClient {
    /// Creates a client for that many entries, with the default policy.
    ///
    /// A capacity of 0 switches the cache off: nothing is held, writes are accepted and dropped, and [`add`] says `true`. A
    /// cached function computes on each call, concurrent calls once.
    ///
    /// [`add`]: crate::CacheExt::add
    #[must_use]
    pub fn new(entries: u64) -> Self {
        Self::builder().capacity(entries).build().expect("invariant: a capacity is all that is needed")
    }

    /// Returns a builder, for everything else.
    pub fn builder() -> InprocBuilder {
        InprocBuilder::default()
    }

    pub(super) fn from_builder(builder: InprocBuilder, capacity: u64, shards: usize) -> Self {
        let share = capacity.div_ceil(shards as u64);
        let shards = Locks::new((0..shards).map(|_| Shard::new(builder.policy.make(share))));
        let inner = Arc::new(Inner {
            identity: Identity::with_clock(builder.clock),
            name: builder.name,
            capacity,
            policy: builder.policy,
            wants_touch: shards.indices().any(|shard| shards.read(shard).wants_touch()),
            shards,
            weighers: builder.weighers,
            inline: builder.inline,
            clears: AtomicU64::new(0),
            counts_bytes: builder.counts_bytes,
            weight: CachePadded::default(),
        });
        registry::register(Arc::downgrade(&inner));
        Self(inner)
    }

    pub(super) fn from_inner(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    /// Returns how the client is doing.
    #[must_use]
    pub fn stats(&self) -> InprocStats {
        let inner = &*self.0;
        let (mut entries, mut evicted, mut expired, mut too_heavy) = (0, 0, 0, 0);
        for shard in inner.shards.indices() {
            let shard = inner.shards.read(shard);
            let departures = shard.departures();
            entries += shard.len() as u64;
            evicted += departures.evicted;
            expired += departures.expired;
            too_heavy += departures.too_heavy;
        }
        InprocStats {
            name: inner.name.clone(),
            capacity: inner.capacity,
            usage: inner.weight.load(Ordering::Relaxed),
            entries,
            evicted,
            expired,
            too_heavy,
        }
    }

    pub(super) fn purge_now(&self, grace: Duration) {
        let until = self.0.identity.clock().now().saturating_sub(nanos(grace));
        for shard in self.0.shards.indices() {
            self.change::<(), _>(shard, |shard, trash| shard.purge(until, trash));
        }
    }

    pub(super) fn clear_now(&self) {
        // Before the shards are locked: what was computed before is refused under a shard's lock from now on.
        self.0.clears.fetch_add(1, Ordering::AcqRel);
        for index in self.0.shards.indices() {
            // Made before the lock is taken, and the old contents are dropped after it is released.
            let empty = Shard::new(self.0.policy.make(self.policy_share()));
            let old = self.change::<(), _>(index, |shard, _| shard.exchange(empty));
            drop(old);
        }
    }

    /// What the policy of a shard is told of the capacity.
    fn policy_share(&self) -> u64 {
        self.0.capacity.div_ceil(self.0.shards.len() as u64)
    }

    /// Changes the end of a valid entry to what `end` makes of it; returns whether there is one.
    ///
    /// As wherever validity decides, the time is asked for under the lock: by an earlier one, an entry that was expired
    /// meanwhile would be valid, and lengthened.
    fn reschedule(&self, key: &Key, end: impl FnOnce(u64, u64) -> u64) -> bool {
        let digest = self.digest(&key.probe());
        self.change::<(), _>(self.shard(digest), |shard, _| {
            let now = self.0.identity.clock().now();
            let Some((_, times)) = shard.entry(digest).filter(|(_, times)| now < times.expires) else { return false };
            shard.set_times(digest, times.ending(end(now, times.expires)));
            true
        })
    }
}

impl Cache for InprocClient {
    #[inline]
    fn identity(&self) -> &Identity {
        &self.0.identity
    }

    #[inline]
    fn answers_at_once(&self) -> bool {
        true
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        let digest = self.digest(&key.probe());
        Ok(self.change::<(), _>(self.shard(digest), |shard, trash| {
            let now = self.0.identity.clock().now();
            let was_valid = shard.entry(digest).is_some_and(|(_, times)| now < times.expires);
            shard.remove(digest, trash);
            was_valid
        }))
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        Ok(self.reschedule(key, |now, _| now))
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        Ok(self.reschedule(key, |now, expires| expires.max(now.saturating_add(nanos(ttl)))))
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        let digest = self.digest(&key.probe());
        let shard = self.0.shards.read(self.shard(digest));
        let held = shard.entry(digest);
        let now = self.0.identity.clock().now();
        Ok(held.is_some_and(|(_, times)| times.expires.saturating_sub(now) > nanos(min_ttl)))
    }

    async fn clear_all(&self) -> Result<()> {
        self.clear_now();
        Ok(())
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        if path.is_empty() {
            self.clear_now();
        } else {
            self.0.identity.revise(path);
        }
        Ok(())
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        self.purge_now(grace);
        Ok(())
    }

    #[inline]
    fn is_shared(&self) -> bool {
        false
    }

    #[inline]
    fn reads_bytes(&self) -> bool {
        // A weigher is shown the key.
        !self.0.weighers.is_empty()
    }

    #[inline]
    fn revision(&self, probe: &Probe<'_>) -> Revision {
        let clears = self.0.clears.load(Ordering::Acquire);
        Revision::current(self.0.identity.revision(probe.path)).after_clears(clears)
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        Ok(vec![self.0.capacity])
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        Ok(vec![self.0.weight.load(Ordering::Relaxed)])
    }
}

impl<V: Value> Client<V> for InprocClient {
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        let entry = self.look_up(self.digest(probe), Wanted::by(&options));
        Some(entry.map_or(Lookup::Absent, Lookup::Held))
    }

    // Judged where it lies: to hand the entry from function to function through memory took a third of a hit.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn look_fresh(&self, probe: &Probe<'_>, policy: &CallPolicy) -> Option<V> {
        let digest = self.digest(probe);
        let clock = self.0.identity.clock();
        let shard = self.shard(digest);
        if self.0.wants_touch {
            return self.look_fresh_and_touch(digest, policy);
        }
        let shard = self.0.shards.read(shard);
        match shard.plain::<V>(digest) {
            Some(slot) => shard.get_fresh(slot, clock, policy),
            None => self.look_fresh_shared(shard, digest, policy),
        }
    }

    fn is_absent(&self, probe: &Probe<'_>) -> bool {
        let digest = self.digest(probe);
        !self.0.shards.read(self.shard(digest)).holds::<V>(digest)
    }

    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        Ok(self.look_up(self.digest(&key.probe()), Wanted::by(&options.exactly())))
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.store(key, value, self.written(ttl, options), Condition::Always);
        Ok(())
    }

    async fn fill_at(&self, key: &Key, _token: Token, value: V, ttl: Duration, computed: Computed) -> Result<bool> {
        let times = Times::new(computed.at, nanos(ttl), 0);
        Ok(self.store(key, value, (computed.at, times), Condition::OfRevision(computed.revision)) != Stored::Refused)
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.add_entry_with(key, value, ttl, WriteOptions::new()).await
    }

    async fn add_entry_with(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<bool> {
        match self.store(key, value, self.written(ttl, options), Condition::IfFree) {
            Stored::TooHeavy if self.0.capacity > 0 => Err(Error::new(
                ErrorKind::Value,
                "an entry weighs more than the whole `capacity` of the in-process client: raise it, or add a smaller value",
            )),
            stored => Ok(stored != Stored::Refused),
        }
    }
}

impl fmt::Debug for InprocClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InprocClient")
            .field("name", &self.0.name)
            .field("capacity", &self.0.capacity)
            .field("usage", &self.0.weight.load(Ordering::Relaxed))
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}
