//! The client's handle: finds the shard, keeps the budget.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::builder::{InprocBuilder, Policy, Weigher};
use super::locks::Locks;
use super::registry::{self, InprocStats};
use super::shard::Shard;
use super::table::{Times, Trash, Wanted};
use crate::client::{Cache, Client, Computed, Identity, ReadOptions, Revision, Token, Value, WriteOptions};
use crate::clock::nanos;
use crate::digest::Digest;
use crate::entry::{Entry, Lookup};
use crate::error::Result;
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
/// A hit takes a shared lock and writes nothing that other hits read. A value's `Clone` runs under that lock and must not
/// use the client; its `Drop` runs outside of all locks.
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
    /// How often all entries were removed.
    clears: AtomicU64,
    /// The sum of all entries' weights.
    weight: CachePadded<AtomicU64>,
}

impl InprocClient {
    /// Creates a client for that many entries, with the default policy.
    ///
    /// A capacity of 0 counts as 1; the [`builder`](Self::builder) rejects it.
    #[must_use]
    pub fn new(entries: u64) -> Self {
        let capacity = entries.max(1);
        Self::builder().capacity(capacity).build().expect("invariant: a capacity above zero is all that is needed")
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
            clears: AtomicU64::new(0),
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
        let (mut entries, mut evicted, mut expired) = (0, 0, 0);
        for shard in inner.shards.indices() {
            let shard = inner.shards.read(shard);
            let departures = shard.departures();
            entries += shard.len() as u64;
            evicted += departures.evicted;
            expired += departures.expired;
        }
        InprocStats {
            name: inner.name.clone(),
            capacity: inner.capacity,
            usage: inner.weight.load(Ordering::Relaxed),
            entries,
            evicted,
            expired,
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
        let share = self.0.capacity.div_ceil(self.0.shards.len() as u64);
        for shard in self.0.shards.indices() {
            // The old contents are dropped after the lock is.
            let old = self.change::<(), _>(shard, |shard, _| shard.clear(self.0.policy.make(share)));
            drop(old);
        }
    }

    /// Picks the shard by multiplication instead of a mask, so that their number need not be a power of two.
    #[inline]
    fn shard(&self, digest: Digest) -> usize {
        ((digest.high() >> 32).wrapping_mul(self.0.shards.len() as u64) >> 32) as usize
    }

    /// Returns the digest under which this client keeps a key at the present revision of its namespaces.
    #[inline]
    fn digest(&self, probe: &Probe<'_>) -> Digest {
        self.0.identity.revised_digest(probe.digest, probe.path)
    }

    fn look_up<V: Value>(&self, digest: Digest, wanted: Wanted) -> Option<Entry<V>> {
        let clock = self.0.identity.clock();
        let shard = self.shard(digest);
        if self.0.wants_touch {
            return self.0.shards.write(shard).get_and_touch(digest, clock, wanted);
        }
        self.0.shards.read(shard).get(digest, clock, wanted)
    }

    /// Changes a shard under its lock, brings the common budget up to date, and drops what was removed after unlocking:
    /// most likely one value of type `V`, for which there is room without an allocation.
    #[inline]
    fn change<V: Send + 'static, R>(&self, shard: usize, change: impl FnOnce(&mut Shard, &mut Trash<'_>) -> R) -> R {
        let mut first = None::<V>;
        let mut trash = Trash::new(&mut first);
        let mut shard = self.0.shards.write(shard);
        let before = shard.weight();
        let result = change(&mut shard, &mut trash);
        self.account(before, shard.weight());
        drop(shard);
        result
    }

    /// Leaves the sum alone where one entry took the place of another: all shards share it.
    fn account(&self, before: u64, after: u64) {
        if before != after {
            self.0.weight.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        self.0.weight.load(Ordering::Relaxed) > self.0.capacity
    }

    /// Stores a value if the shard, as it is at that time, `permits` it. Returns whether it did.
    fn store<V: Value>(
        &self,
        key: &Key,
        value: V,
        (now, times): (u64, Times),
        permits: impl FnOnce(&Shard, Digest) -> bool,
    ) -> bool {
        let weight = self.weigh(key, &value);
        let digest = self.digest(&key.probe());
        let index = self.shard(digest);
        let stored = self.change::<V, _>(index, |shard, trash| {
            if !permits(shard, digest) {
                return false;
            }
            if u64::from(weight) > self.0.capacity {
                shard.remove(digest, trash);
                return true;
            }
            let before = shard.weight();
            shard.put(digest, value, times, weight, trash);
            self.make_room(shard, before, weight, now, trash);
            true
        });
        if stored && self.is_over() {
            self.make_room_elsewhere::<V>(index, now);
        }
        stored
    }

    /// Returns the time, and those of an entry that is written now.
    fn written(&self, ttl: Duration, options: WriteOptions) -> (u64, Times) {
        let now = self.0.identity.clock().now();
        (now, Times::new(now, nanos(ttl), nanos(options.value_age())))
    }

    fn weigh<V: Value>(&self, key: &Key, value: &V) -> u32 {
        if self.0.weighers.is_empty() {
            return 1;
        }
        self.0.weighers.get(&TypeId::of::<V>()).map_or(1, |weigh| weigh(key, value as &dyn Any))
    }

    /// Evicts from the shard that has grown while the client is over its budget and this shard is over its share.
    fn make_room(&self, shard: &mut Shard, before: u64, newest: u32, now: u64, trash: &mut Trash<'_>) {
        // The change is accounted for when it is complete; until then it is added here.
        let others = self.0.weight.load(Ordering::Relaxed).saturating_sub(before);
        let share = self.share();
        while others + shard.weight() > self.0.capacity
            && shard.weight() > share
            && shard.weight() > u64::from(newest)
            && shard.evict(now, trash)
        {}
    }

    /// Evicts from the other shards: at first from those over their share, then, if a heavy entry needs more, from all.
    fn make_room_elsewhere<V: Value>(&self, grown: usize, now: u64) {
        for floor in [self.share(), 0] {
            for index in self.0.shards.indices().filter(|index| *index != grown) {
                if !self.is_over() {
                    return;
                }
                self.change::<V, _>(index, |shard, trash| {
                    let others = self.0.weight.load(Ordering::Relaxed).saturating_sub(shard.weight());
                    while others + shard.weight() > self.0.capacity && shard.weight() > floor && shard.evict(now, trash)
                    {
                    }
                });
            }
        }
    }

    fn share(&self) -> u64 {
        self.0.capacity / self.0.shards.len() as u64
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
        false
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
            return self.0.shards.write(shard).get_fresh_and_touch(digest, clock, policy);
        }
        self.0.shards.read(shard).get_fresh(digest, clock, policy)
    }

    fn is_absent(&self, probe: &Probe<'_>) -> bool {
        let digest = self.digest(probe);
        !self.0.shards.read(self.shard(digest)).holds::<V>(digest)
    }

    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        Ok(self.look_up(self.digest(&key.probe()), Wanted::by(&options.exactly())))
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        let written = self.written(ttl, options);
        self.store(key, value, written, |_, _| true);
        Ok(())
    }

    async fn fill_at(&self, key: &Key, _token: Token, value: V, ttl: Duration, computed: Computed) -> Result<bool> {
        let (now, probe) = (computed.at, key.probe());
        let times = Times::new(now, nanos(ttl), 0);
        Ok(self.store(key, value, (now, times), |_, _| Cache::revision(self, &probe).stamp() == computed.revision))
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.add_entry_with(key, value, ttl, WriteOptions::new()).await
    }

    async fn add_entry_with(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<bool> {
        let (clock, written) = (self.0.identity.clock(), self.written(ttl, options));
        Ok(self.store(key, value, written, |shard, digest| {
            shard.entry(digest).is_none_or(|(_, times)| times.expires <= clock.now())
        }))
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
