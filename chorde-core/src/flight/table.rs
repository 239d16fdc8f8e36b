//! All flights of the process, by key: one table for the functions of all clients, so that a write to a client finds whatever is
//! being computed for the key, by whichever function.

use std::sync::Arc;

use crossbeam_utils::CachePadded;
use hashbrown::HashTable;
use hashbrown::hash_table::{Entry, OccupiedEntry};
use smallvec::SmallVec;

use super::{Flight, Flights};
use crate::client_id::ClientId;
use crate::digest::Digest;
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering, global, lock, spread};

/// Identifies what is computed: the same key of two clients is computed for each.
pub(crate) type FlightKey = (ClientId, Digest);

/// Tells functions apart, whose keys may be equal if they have no namespace: where their [`Flights`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(usize);

impl Owner {
    /// Stands for the client itself, which is written to directly.
    const CLIENT: Self = Self(0);

    pub(super) fn of(flights: &Flights) -> Self {
        Self(std::ptr::from_ref(flights).addr())
    }
}

/// The flights of one key of one function: nearly always one.
#[derive(Debug)]
pub(super) struct OfKey {
    pub(super) key: FlightKey,
    pub(super) owner: Owner,
    /// Those that calls may join, or that are alone.
    pub(super) flights: SmallVec<[Arc<Flight>; 1]>,
    /// Those that a write found storing: nobody joins them, and whoever writes waits for them.
    ending: Vec<Arc<Flight>>,
    /// How many explicit writes are under way.
    pub(super) writing: usize,
}

impl OfKey {
    pub(super) fn new(key: FlightKey, owner: Owner, flights: SmallVec<[Arc<Flight>; 1]>) -> Self {
        Self { key, owner, flights, ending: Vec::new(), writing: 0 }
    }

    /// Takes a flight out; returns the one behind it.
    pub(super) fn remove(&mut self, flight: &Arc<Flight>) -> Option<Arc<Flight>> {
        self.flights.retain(|other| !Arc::ptr_eq(&*other, flight));
        self.ending.retain(|other| !Arc::ptr_eq(other, flight));
        self.next()
    }

    /// Keeps calls from a flight that is storing, unless it is at its end already; returns the one behind it.
    pub(super) fn end(&mut self, flight: &Arc<Flight>) -> Option<Arc<Flight>> {
        if self.flights.iter().any(|other| Arc::ptr_eq(other, flight)) {
            self.ending.push(Arc::clone(flight));
            self.flights.retain(|other| !Arc::ptr_eq(&*other, flight));
        }
        self.next()
    }

    /// Returns the flight that calls join now, which may have been queued.
    fn next(&self) -> Option<Arc<Flight>> {
        self.flights.iter().find(|other| other.joinable).cloned()
    }

    /// Returns whether there is this flight and no other.
    pub(super) fn is_all(&self, flight: &Arc<Flight>) -> bool {
        self.ending.is_empty() && self.writing == 0 && self.flights.len() == 1 && Arc::ptr_eq(&self.flights[0], flight)
    }

    fn is_empty(&self) -> bool {
        self.writing == 0 && self.flights.is_empty() && self.ending.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Flight>> {
        self.flights.iter().chain(&self.ending)
    }
}

/// Mixes the client in: many clients may have one key, as where each tenant has a cache. Not the owner, so that all functions'
/// flights of a key are found together.
fn hash((client, digest): &FlightKey) -> u64 {
    digest.low() ^ client.spread()
}

/// Those of some keys.
#[derive(Debug, Default)]
pub(super) struct ByKey {
    all: HashTable<OfKey>,
    /// How many writes to clients themselves are under way.
    direct: usize,
}

impl ByKey {
    pub(super) fn get(&self, key: &FlightKey, owner: Owner) -> Option<&OfKey> {
        self.all.find(hash(key), |of_key| of_key.key == *key && of_key.owner == owner)
    }

    pub(super) fn find(&mut self, key: &FlightKey, owner: Owner) -> Option<OccupiedEntry<'_, OfKey>> {
        self.all.find_entry(hash(key), |of_key| of_key.key == *key && of_key.owner == owner).ok()
    }

    pub(super) fn entry(&mut self, key: FlightKey, owner: Owner) -> Entry<'_, OfKey> {
        self.all.entry(hash(&key), |of_key| of_key.key == key && of_key.owner == owner, |of_key| hash(&of_key.key))
    }

    pub(super) fn get_or_add(&mut self, key: FlightKey, owner: Owner) -> &mut OfKey {
        self.entry(key, owner).or_insert_with(|| OfKey::new(key, owner, SmallVec::new())).into_mut()
    }

    /// Changes what there is of a key, and forgets that if it is empty then.
    pub(super) fn change<R>(
        &mut self,
        key: &FlightKey,
        owner: Owner,
        change: impl FnOnce(&mut OfKey) -> R,
    ) -> Option<R> {
        let mut found = self.find(key, owner)?;
        let changed = change(found.get_mut());
        if found.get().is_empty() {
            found.remove();
        }
        Some(changed)
    }

    /// Returns whether the client itself is written to under this key.
    pub(super) fn is_written_directly(&self, key: &FlightKey) -> bool {
        self.direct > 0 && self.get(key, Owner::CLIENT).is_some()
    }

    /// Visits what there is of a key, of all functions.
    fn of_all(&self, key: &FlightKey) -> impl Iterator<Item = &OfKey> {
        self.all.iter_hash(hash(key)).filter(|of_key| of_key.key == *key)
    }
}

/// Over how many locks the keys are spread: where another store is asked, each call takes one, and takes it again.
const SHARDS: usize = spread(64);

/// Some of the keys.
#[derive(Default)]
pub(super) struct Shard {
    by_key: Mutex<ByKey>,
    /// How many keys there are: mostly none, which can be seen without the lock.
    keys: AtomicUsize,
}

global! {
    static SHARED: Vec<CachePadded<Shard>> = (0..SHARDS).map(|_| CachePadded::default()).collect();
}

/// A locked shard; unlocked, it says how many keys it has.
pub(super) struct Locked<'a> {
    by_key: MutexGuard<'a, ByKey>,
    keys: &'a AtomicUsize,
}

impl std::ops::Deref for Locked<'_> {
    type Target = ByKey;

    fn deref(&self) -> &ByKey {
        &self.by_key
    }
}

impl std::ops::DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut ByKey {
        &mut self.by_key
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.keys.store(self.by_key.all.len(), Ordering::Release);
    }
}

/// Locks the flights among which those of a key are.
pub(super) fn locked(key: &FlightKey) -> Locked<'static> {
    let shard = shard(key);
    Locked { by_key: lock(&shard.by_key), keys: &shard.keys }
}

fn shard(key: &FlightKey) -> &'static Shard {
    &SHARED[hash(key) as usize % SHARDS]
}

/// A write to a client itself, up to its end: what begins to compute meanwhile is not stored.
#[derive(Debug)]
pub(crate) struct DirectWrite(FlightKey);

impl DirectWrite {
    /// Begins a write; returns the flights of the key, of all functions.
    pub(super) fn begin(key: FlightKey) -> (Self, Vec<Arc<Flight>>) {
        let mut by_key = locked(&key);
        let flights = by_key.of_all(&key).flat_map(OfKey::all).map(Arc::clone).collect();
        by_key.direct += 1;
        by_key.get_or_add(key, Owner::CLIENT).writing += 1;
        (Self(key), flights)
    }
}

impl Drop for DirectWrite {
    fn drop(&mut self) {
        let mut by_key = locked(&self.0);
        by_key.direct -= 1;
        by_key.change(&self.0, Owner::CLIENT, |of_key| of_key.writing -= 1);
    }
}

/// Returns whether there may be flights of a key, without a lock: mostly there are none.
pub(super) fn may_fly(key: &FlightKey) -> bool {
    shard(key).keys.load(Ordering::Acquire) > 0
}

/// Returns the flights of the keys that are wanted.
pub(super) fn where_wanted(wanted: impl Fn(&OfKey) -> bool) -> Vec<Arc<Flight>> {
    let mut flights = Vec::new();
    for shard in SHARED.iter().filter(|shard| shard.keys.load(Ordering::Acquire) > 0) {
        let by_key = lock(&shard.by_key);
        flights.extend(by_key.all.iter().filter(|of_key| wanted(of_key)).flat_map(OfKey::all).map(Arc::clone));
    }
    flights
}
