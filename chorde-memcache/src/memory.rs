//! The short-lived memory of this process: values read or written a moment ago, and keys found missing a moment ago.
//!
//! Off by default, for it shows what other processes change as late as it remembers. What this client changes itself it
//! must never show wrongly: each change [begins](Memory::writing) and ends by forgetting the key and by moving the
//! generation of the key's lane on; what a server says is remembered only if the generation has not moved since it was
//! asked. A change that comes in between putting an entry into the table and that check is why entries are put there
//! unconfirmed, and shown only once they are confirmed: whoever moves the generation on before the check is seen by it,
//! and whoever does so later removes the entry.
//!
//! Entries are of one revision of their namespaces: the same sum of revisions must be known when they are asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chorde_core::{
    Cache, Client, Clock, Digest, Entry, InprocClient, Key, Lookup, Probe, ReadOptions, Result, Value, WriteOptions,
};
use futures_util::FutureExt;

use crate::life::TICK;
use crate::race::nanos;
use crate::stats::Counters;

/// How many keys have a generation of their own, more or less.
const LANES: usize = 1024;

/// What is to be remembered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemoryOptions {
    /// How long values are remembered, if they are.
    pub(crate) hits: Option<Duration>,
    /// How long keys are remembered as missing, if they are.
    pub(crate) misses: Option<Duration>,
    /// How many of each.
    pub(crate) entries: u64,
}

/// Remembers what one client has lately seen.
#[derive(Debug)]
pub(crate) struct Memory {
    hits: Option<Table>,
    misses: Option<Table>,
    /// Move on with each change of a key in the lane.
    generations: Box<[AtomicU64]>,
    clock: Clock,
    counters: Arc<Counters>,
}

/// Entries of one kind.
#[derive(Debug)]
struct Table {
    entries: InprocClient,
    most: Duration,
}

/// The state of a key's lane before a server was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading(u64);

/// A change of a key under way; when it ends, for whatever reason, nothing is remembered of the key.
#[derive(Debug)]
pub(crate) struct Writing<'a> {
    memory: &'a Memory,
    key: &'a Key,
    began: Reading,
    /// Its end has been noted.
    is_over: bool,
}

/// A change of everything under way.
#[derive(Debug)]
pub(crate) struct Clearing<'a>(&'a Memory);

/// A value that is remembered.
#[derive(Debug)]
struct Kept<V> {
    stamp: Stamp,
    value: V,
    /// When its life ends, by the client's clock, as far as the server tells.
    end: u64,
    /// When it was stored, where that is known.
    stored: Option<u64>,
    seed: u64,
}

/// What all that is remembered is marked with.
#[derive(Debug)]
struct Stamp {
    /// The sum of the revisions under which it was found.
    revision: u64,
    is_confirmed: AtomicBool,
}

impl Stamp {
    fn new(revision: u64) -> Self {
        Self { revision, is_confirmed: AtomicBool::new(false) }
    }

    fn holds(&self, revision: u64) -> bool {
        self.revision == revision && self.is_confirmed.load(Ordering::Acquire)
    }
}

impl<V: Clone> Kept<V> {
    fn new(entry: Entry<V>, now: u64, revision: u64) -> Self {
        Self {
            stamp: Stamp::new(revision),
            end: now.saturating_add(nanos(entry.remaining())),
            stored: entry.age().map(|age| now.saturating_sub(nanos(age))),
            seed: entry.seed(),
            value: entry.value,
        }
    }

    /// Makes the entry as it stands at `now`.
    fn entry(&self, now: u64) -> Entry<V> {
        let entry = Entry::new(self.value.clone(), Duration::from_nanos(self.end.saturating_sub(now)));
        match self.stored {
            Some(stored) => entry.with_age(Duration::from_nanos(now.saturating_sub(stored))),
            None => entry,
        }
        .with_seed(self.seed)
    }
}

impl Memory {
    /// Makes an empty memory, if anything is to be remembered.
    pub(crate) fn new(options: MemoryOptions, clock: &Clock, counters: &Arc<Counters>) -> Result<Option<Self>> {
        if options.hits.is_none() && options.misses.is_none() {
            return Ok(None);
        }
        let table = |most: Option<Duration>, name: &str| -> Result<Option<Table>> {
            let Some(most) = most else { return Ok(None) };
            let builder = InprocClient::builder().name(name).capacity(options.entries).clock(clock.clone());
            Ok(Some(Table { entries: builder.build()?, most }))
        };
        Ok(Some(Self {
            hits: table(options.hits, "memcached: succeed_fast")?,
            misses: table(options.misses, "memcached: fail_fast")?,
            generations: (0..LANES).map(|_| AtomicU64::new(0)).collect(),
            clock: clock.clone(),
            counters: Arc::clone(counters),
        }))
    }

    /// Says what is remembered of a key whose namespaces have these revisions: a valid value with life enough, or that
    /// there is none.
    pub(crate) fn look<V: Value>(&self, probe: &Probe<'_>, revision: u64, least: Duration) -> Option<Lookup<V>> {
        if let Some(kept) = find::<Kept<V>>(self.hits.as_ref(), probe).filter(|kept| kept.stamp.holds(revision)) {
            let entry = kept.entry(self.clock.now());
            if entry.is_stale() || entry.remaining() < least {
                return None;
            }
            self.counters.fast_hits.one();
            return Some(Lookup::Held(entry));
        }
        self.is_missing(probe, revision).then_some(Lookup::Absent)
    }

    /// Returns whether a key is remembered as missing.
    pub(crate) fn is_missing(&self, probe: &Probe<'_>, revision: u64) -> bool {
        let is_missing = find::<Stamp>(self.misses.as_ref(), probe).is_some_and(|stamp| stamp.holds(revision));
        if is_missing {
            self.counters.fast_misses.one();
        }
        is_missing
    }

    /// Returns whether values are remembered.
    pub(crate) fn keeps_values(&self) -> bool {
        self.hits.is_some()
    }

    /// Notes where a key stands before a server is asked for it.
    pub(crate) fn reading(&self, key: &Key) -> Reading {
        Reading(self.generation(key.digest()).load(Ordering::SeqCst))
    }

    /// Remembers a value that a server showed, unless the key has been changed since it was asked.
    pub(crate) fn keep<V: Value>(&self, key: &Key, reading: Reading, revision: u64, entry: Entry<V>) {
        self.drop_miss(key);
        let Some(hits) = &self.hits else { return };
        let left = hits.most.min(entry.remaining().saturating_sub(TICK));
        if !left.is_zero() && self.is_still(key, reading) {
            let kept = Arc::new(Kept::new(entry, self.clock.now(), revision));
            hits.put(key, Arc::clone(&kept), left);
            self.confirm(hits, key, reading, &kept.stamp);
        }
    }

    /// Remembers that a server has nothing under a key, unless that has been changed since it was asked.
    pub(crate) fn keep_missing(&self, key: &Key, reading: Reading, revision: u64) {
        self.drop_value(key);
        let Some(misses) = &self.misses else { return };
        if self.is_still(key, reading) {
            let stamp = Arc::new(Stamp::new(revision));
            misses.put(key, Arc::clone(&stamp), misses.most);
            self.confirm(misses, key, reading, &stamp);
        }
    }

    /// Forgets the value of a key, which a server does not have any more.
    pub(crate) fn drop_value(&self, key: &Key) {
        if let Some(hits) = &self.hits {
            hits.remove(key);
        }
    }

    /// Forgets that a key is missing, which a server has.
    pub(crate) fn drop_miss(&self, key: &Key) {
        if let Some(misses) = &self.misses {
            misses.remove(key);
        }
    }

    /// Forgets a key, and sees to it that nothing is remembered of it that was asked for before.
    pub(crate) fn forget(&self, key: &Key) -> Reading {
        let generation = self.generation(key.digest()).fetch_add(1, Ordering::SeqCst) + 1;
        for table in [&self.hits, &self.misses].into_iter().flatten() {
            table.remove(key);
        }
        Reading(generation)
    }

    /// Begins a change of a key.
    pub(crate) fn writing<'a>(&'a self, key: &'a Key) -> Writing<'a> {
        Writing { memory: self, key, began: self.forget(key), is_over: false }
    }

    /// Begins a change of everything.
    pub(crate) fn clearing(&self) -> Clearing<'_> {
        self.forget_all();
        Clearing(self)
    }

    fn forget_all(&self) {
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::SeqCst);
        }
        for table in [&self.hits, &self.misses].into_iter().flatten() {
            _ = table.entries.clear_all().now_or_never();
        }
    }

    fn generation(&self, digest: Digest) -> &AtomicU64 {
        &self.generations[digest.low() as usize % LANES]
    }

    fn is_still(&self, key: &Key, reading: Reading) -> bool {
        self.generation(key.digest()).load(Ordering::SeqCst) == reading.0
    }

    /// Lets an entry be shown that was put into a table, or takes it out again.
    fn confirm(&self, table: &Table, key: &Key, reading: Reading, stamp: &Stamp) {
        if self.is_still(key, reading) {
            stamp.is_confirmed.store(true, Ordering::Release);
        } else {
            table.remove(key);
        }
    }
}

impl Writing<'_> {
    /// Ends the change by remembering what was written, unless the key was changed by others in the meantime: then nobody
    /// knows which change came last.
    pub(crate) fn keep<V: Value>(mut self, revision: u64, entry: Entry<V>) {
        let Reading(began) = self.began;
        let generation = self.memory.generation(self.key.digest());
        if generation.compare_exchange(began, began + 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            self.is_over = true;
            self.memory.keep(self.key, Reading(began + 1), revision, entry);
        }
    }

    /// Returns whether [`keep`](Self::keep) has a use for the value.
    pub(crate) fn keeps_values(&self) -> bool {
        self.memory.keeps_values()
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.memory.forget(self.key);
        }
    }
}

impl Drop for Clearing<'_> {
    fn drop(&mut self) {
        self.0.forget_all();
    }
}

impl Table {
    fn put<T: Send + Sync + 'static>(&self, key: &Key, entry: Arc<T>, ttl: Duration) {
        _ = self.entries.put_entry(key, entry, ttl, WriteOptions::new()).now_or_never();
    }

    fn remove(&self, key: &Key) {
        _ = self.entries.delete_entry(key).now_or_never();
    }
}

/// Finds what is remembered of a key, if that is not over.
fn find<T: Send + Sync + 'static>(table: Option<&Table>, probe: &Probe<'_>) -> Option<Arc<T>> {
    let entry = Client::<Arc<T>>::look(&table?.entries, probe, ReadOptions::new())?.into_entry()?;
    (!entry.is_stale()).then_some(entry.value)
}
