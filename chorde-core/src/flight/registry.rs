//! The flights of one function, by key.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashTable;
use hashbrown::hash_table::{Entry, OccupiedEntry};
use smallvec::SmallVec;

use super::role::{Leader, Waiter};
use super::store::StoreWait;
use super::{Flight, Phase, wake};
use crate::client::ClientId;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering, lock};

/// Identifies what is computed: the same key of two clients is computed for each.
pub(crate) type FlightKey = (ClientId, Digest);

/// Says what a call wants of a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any value that is being computed.
    Join,
    /// A value whose computation begins from now on.
    Next,
    /// A computation of its own.
    Alone,
}

/// What a call is to do.
pub(crate) enum Role {
    /// Compute.
    Lead(Leader),
    /// Wait.
    Wait(Waiter),
    /// Compute without a flight: this very thread is computing the same key already.
    Recurse,
}

/// The flights of one key: nearly always one.
#[derive(Debug)]
struct OfKey {
    key: FlightKey,
    /// Those that calls may join, or that are alone.
    flights: SmallVec<[Arc<Flight>; 1]>,
    /// Those that a write found storing: nobody joins them, and whoever writes waits for them.
    ending: Vec<Arc<Flight>>,
    /// How many explicit writes are under way.
    writing: usize,
}

impl OfKey {
    fn new(key: FlightKey, flights: SmallVec<[Arc<Flight>; 1]>) -> Self {
        Self { key, flights, ending: Vec::new(), writing: 0 }
    }

    /// Takes a flight out; returns the one behind it.
    fn remove(&mut self, flight: &Arc<Flight>) -> Option<Arc<Flight>> {
        self.flights.retain(|other| !Arc::ptr_eq(&*other, flight));
        self.ending.retain(|other| !Arc::ptr_eq(other, flight));
        self.next()
    }

    /// Keeps calls from a flight that is storing, unless it is at its end already; returns the one behind it.
    fn end(&mut self, flight: &Arc<Flight>) -> Option<Arc<Flight>> {
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
    fn is_all(&self, flight: &Arc<Flight>) -> bool {
        self.ending.is_empty() && self.writing == 0 && self.flights.len() == 1 && Arc::ptr_eq(&self.flights[0], flight)
    }

    fn is_empty(&self) -> bool {
        self.writing == 0 && self.flights.is_empty() && self.ending.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Flight>> {
        self.flights.iter().chain(&self.ending)
    }
}

/// Mixes the client in: many clients may have one key, as where each tenant has a cache.
fn hash((client, digest): &FlightKey) -> u64 {
    digest.low() ^ client.spread()
}

/// Those of some keys.
#[derive(Debug, Default)]
struct ByKey(HashTable<OfKey>);

impl ByKey {
    fn get(&self, key: &FlightKey) -> Option<&OfKey> {
        self.0.find(hash(key), |of_key| of_key.key == *key)
    }

    fn find(&mut self, key: &FlightKey) -> Option<OccupiedEntry<'_, OfKey>> {
        self.0.find_entry(hash(key), |of_key| of_key.key == *key).ok()
    }

    fn entry(&mut self, key: FlightKey) -> Entry<'_, OfKey> {
        self.0.entry(hash(&key), |of_key| of_key.key == key, |of_key| hash(&of_key.key))
    }

    fn get_or_add(&mut self, key: FlightKey) -> &mut OfKey {
        self.entry(key).or_insert_with(|| OfKey::new(key, SmallVec::new())).into_mut()
    }

    /// Changes what there is of a key, and forgets that if it is empty then.
    fn change<R>(&mut self, key: &FlightKey, change: impl FnOnce(&mut OfKey) -> R) -> Option<R> {
        let mut found = self.find(key)?;
        let changed = change(found.get_mut());
        if found.get().is_empty() {
            found.remove();
        }
        Some(changed)
    }
}

/// Over how many locks the keys are spread: where another store is asked, each call takes one, and takes it again.
const SHARDS: usize = 8;

/// All flights of one function. A key has at most one joinable flight that is led, and one queued behind it.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    shards: [Mutex<ByKey>; SHARDS],
    /// How many clears are under way.
    clearing: AtomicUsize,
}

/// An explicit write, up to its end: what begins to compute meanwhile is not stored.
#[derive(Debug)]
pub(crate) struct Writing {
    flights: Arc<Flights>,
    /// The key; `None` for a clear.
    key: Option<FlightKey>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(key) = self.key else {
            self.flights.clearing.fetch_sub(1, Ordering::SeqCst);
            return;
        };
        self.flights.lock(&key).change(&key, |of_key| of_key.writing -= 1);
    }
}

impl Flights {
    /// Joins, lines up for, or begins a flight.
    pub(crate) fn join(self: &Arc<Self>, key: FlightKey, kind: Kind, clock: &Clock) -> Role {
        let mut by_key = self.lock(&key);
        let of_key = match by_key.entry(key) {
            Entry::Vacant(vacant) => {
                // Nearly always: nobody computes or writes it.
                let leader = self.begin(key, kind, clock);
                vacant.insert(OfKey::new(key, SmallVec::from_buf([Arc::clone(leader.flight())])));
                return Role::Lead(leader);
            }
            Entry::Occupied(occupied) => occupied.into_mut(),
        };
        let flights = &mut of_key.flights;
        if kind != Kind::Alone {
            if flights.iter().any(super::active::is_active) {
                return Role::Recurse;
            }
            let mut joinable = flights.iter().filter(|flight| flight.joinable);
            let lines_up = kind == Kind::Next && joinable.by_ref().any(|flight| !flight.lock().is_over());
            if lines_up || kind == Kind::Join {
                // The one that runs, or the one behind it.
                if let Some(waiter) = joinable.find_map(Waiter::join) {
                    return Role::Wait(waiter);
                }
            }
            if lines_up {
                let queued = Arc::new(Flight::new(self, key, kind, Phase::Queued, clock, clock.now()));
                flights.push(Arc::clone(&queued));
                return Role::Wait(Waiter::new(queued));
            }
        }
        Role::Lead(self.begin_beside(of_key, kind, clock))
    }

    /// Begins a flight that nobody joins.
    pub(crate) fn lead_alone(self: &Arc<Self>, key: FlightKey, clock: &Clock) -> Leader {
        self.begin_beside(self.lock(&key).get_or_add(key), Kind::Alone, clock)
    }

    /// Begins a flight of a key that may have others, or writes.
    fn begin_beside(self: &Arc<Self>, of_key: &mut OfKey, kind: Kind, clock: &Clock) -> Leader {
        let leader = self.begin(of_key.key, kind, clock);
        if of_key.writing > 0 {
            leader.flight().supersede();
        }
        of_key.flights.push(Arc::clone(leader.flight()));
        leader
    }

    fn begin(self: &Arc<Self>, key: FlightKey, kind: Kind, clock: &Clock) -> Leader {
        let now = clock.now();
        let flight = Arc::new(Flight::new(self, key, kind, Phase::Led, clock, now));
        if self.clearing.load(Ordering::SeqCst) > 0 {
            flight.supersede();
        }
        Leader::new(flight, now)
    }

    /// Returns the flights of a key that calls may join, those of which `wanted` says so.
    pub(super) fn joinable<B: FromIterator<Arc<Flight>>>(
        &self,
        key: &FlightKey,
        wanted: impl Fn(&Arc<Flight>) -> bool,
    ) -> B {
        let by_key = self.lock(key);
        let all = by_key.get(key).into_iter().flat_map(|of_key| &of_key.flights);
        all.filter(|flight| flight.joinable && wanted(flight)).cloned().collect()
    }

    /// Returns whether a joinable flight of the key is under way.
    pub(crate) fn is_flying(&self, key: &FlightKey) -> bool {
        self.lock(key).get(key).is_some_and(|of_key| of_key.flights.iter().any(|flight| flight.joinable))
    }

    /// Begins an explicit write to a key.
    pub(crate) fn write(self: &Arc<Self>, key: FlightKey) -> Writing {
        self.lock(&key).get_or_add(key).writing += 1;
        Writing { flights: Arc::clone(self), key: Some(key) }
    }

    /// Begins a clear.
    pub(crate) fn clear(self: &Arc<Self>) -> Writing {
        self.clearing.fetch_add(1, Ordering::SeqCst);
        Writing { flights: Arc::clone(self), key: None }
    }

    /// Makes computations of a key that have begun not store what they compute; new calls will not join them.
    ///
    /// The caller writes after the returned wait is over.
    pub(crate) fn supersede(&self, key: &FlightKey) -> StoreWait {
        let flights: Vec<_> = self.lock(key).get(key).into_iter().flat_map(OfKey::all).map(Arc::clone).collect();
        self.supersede_each(flights)
    }

    /// Does the same for all keys of one client.
    pub(crate) fn supersede_all(&self, client: ClientId) -> StoreWait {
        let mut of_client = Vec::new();
        for shard in &self.shards {
            let by_key = lock(shard);
            let flights = by_key.0.iter().filter(|of_key| of_key.key.0 == client).flat_map(OfKey::all);
            of_client.extend(flights.map(Arc::clone));
        }
        self.supersede_each(of_client)
    }

    fn supersede_each(&self, flights: impl IntoIterator<Item = Arc<Flight>>) -> StoreWait {
        let mut storing = Vec::new();
        for flight in flights {
            let mut state = flight.lock();
            match state.phase {
                // They compute after the write.
                Phase::Queued | Phase::Free | Phase::Landed => continue,
                Phase::Led => {
                    state.superseded = true;
                    state.detached = true;
                }
                Phase::Storing => state.detached = true,
            }
            let is_storing = matches!(state.phase, Phase::Storing);
            drop(state);
            if is_storing {
                self.take_out(&flight, OfKey::end);
                storing.push(flight);
            } else {
                self.remove(&flight);
            }
        }
        StoreWait::new(storing)
    }

    /// Takes a flight out of the registry and lets the one queued behind it begin.
    pub(super) fn remove(&self, flight: &Arc<Flight>) {
        let mut by_key = self.lock(&flight.key);
        if let Some(found) = by_key.find(&flight.key)
            && found.get().is_all(flight)
        {
            // Nearly always: there is no other.
            let (alone, _) = found.remove();
            drop(by_key);
            return drop(alone);
        }
        drop(by_key);
        self.take_out(flight, OfKey::remove);
    }

    fn take_out(&self, flight: &Arc<Flight>, out: fn(&mut OfKey, &Arc<Flight>) -> Option<Arc<Flight>>) {
        let next = self.lock(&flight.key).change(&flight.key, |of_key| out(of_key, flight)).flatten();
        if let Some(next) = next {
            let mut state = next.lock();
            if state.phase != Phase::Queued {
                return;
            }
            let woken = state.free();
            let is_deserted = state.waiting == 0;
            if is_deserted {
                state.strand();
            }
            drop(state);
            wake(woken);
            if is_deserted {
                self.remove(&next);
            }
        }
    }

    /// Returns how many flights there are, and for how long the oldest has been.
    pub(crate) fn summary(&self) -> (usize, Option<Duration>) {
        let (mut count, mut oldest) = (0, None);
        for shard in &self.shards {
            for flight in lock(shard).0.iter().flat_map(OfKey::all) {
                count += 1;
                let age = Duration::from_nanos(flight.clock.now().saturating_sub(flight.began));
                oldest = oldest.max(Some(age));
            }
        }
        (count, oldest)
    }

    /// Locks the flights among which those of a key are.
    fn lock(&self, key: &FlightKey) -> MutexGuard<'_, ByKey> {
        lock(&self.shards[hash(key) as usize % SHARDS])
    }
}
