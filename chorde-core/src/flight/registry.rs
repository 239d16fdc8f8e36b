//! The flights of one function, by key, and what writes do to those of all.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::hash_table::Entry;
use smallvec::SmallVec;

use super::active::is_active;
use super::role::{Leader, Waiter};
use super::store::StoreWait;
use super::table::{self, DirectWrite, FlightKey, Locked, OfKey, Owner};
use super::{Flight, Phase, wake};
use crate::client_id::ClientId;
use crate::clock::Clock;
use crate::sync::{AtomicUsize, Ordering};

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

/// All flights of one function. A key has at most one joinable flight that is led, and one queued behind it.
#[derive(Debug, Default)]
pub(crate) struct Flights {
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
        self.flights.lock(&key).change(&key, Owner::of(&self.flights), |of_key| of_key.writing -= 1);
    }
}

impl Flights {
    /// Joins, lines up for, or begins a flight.
    pub(crate) fn join(self: &Arc<Self>, key: FlightKey, kind: Kind, clock: &Clock) -> Role {
        let mut by_key = self.lock(&key);
        let owner = Owner::of(self);
        let is_written = by_key.is_written_directly(&key);
        let of_key = match by_key.entry(key, owner) {
            Entry::Vacant(vacant) => {
                // Nearly always: nobody computes or writes it.
                let leader = self.begin(key, kind, clock);
                if is_written {
                    leader.flight().supersede();
                }
                vacant.insert(OfKey::new(key, owner, SmallVec::from_buf([Arc::clone(leader.flight())])));
                return Role::Lead(leader);
            }
            Entry::Occupied(occupied) => occupied.into_mut(),
        };
        let flights = &mut of_key.flights;
        if kind != Kind::Alone {
            if flights.iter().any(is_active) {
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
        Role::Lead(self.begin_beside(of_key, kind, clock, is_written))
    }

    /// Keeps calls from flights of a key that compute what belongs to another revision than this one: a clear that nobody told them
    /// of has come since.
    pub(crate) fn leave_outdated(&self, key: &FlightKey, stamp: u64) {
        if !table::may_fly(key) {
            return;
        }
        let outdated: SmallVec<[_; 1]> = self.joinable(key, |flight| flight.is_outdated(stamp) && !is_active(flight));
        // What they store is refused, or taken back.
        drop(supersede_each(outdated));
    }

    /// Begins a flight that nobody joins.
    pub(crate) fn lead_alone(self: &Arc<Self>, key: FlightKey, clock: &Clock) -> Leader {
        let mut by_key = self.lock(&key);
        let is_written = by_key.is_written_directly(&key);
        self.begin_beside(by_key.get_or_add(key, Owner::of(self)), Kind::Alone, clock, is_written)
    }

    /// Begins a flight of a key that may have others, or writes.
    fn begin_beside(self: &Arc<Self>, of_key: &mut OfKey, kind: Kind, clock: &Clock, is_written: bool) -> Leader {
        let leader = self.begin(of_key.key, kind, clock);
        if is_written || of_key.writing > 0 {
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
        let all = by_key.get(key, Owner::of(self)).into_iter().flat_map(|of_key| &of_key.flights);
        all.filter(|flight| flight.joinable && wanted(flight)).cloned().collect()
    }

    /// Returns whether a joinable flight of the key is under way.
    pub(crate) fn is_flying(&self, key: &FlightKey) -> bool {
        self.lock(key)
            .get(key, Owner::of(self))
            .is_some_and(|of_key| of_key.flights.iter().any(|flight| flight.joinable))
    }

    /// Begins an explicit write to a key: computations of it that have begun will not store what they compute, and new calls will
    /// not join them.
    ///
    /// The caller writes after the returned wait is over.
    pub(crate) fn write(self: &Arc<Self>, key: FlightKey) -> (Writing, StoreWait) {
        let mut by_key = self.lock(&key);
        let of_key = by_key.get_or_add(key, Owner::of(self));
        of_key.writing += 1;
        let flights: Vec<_> = of_key.all().map(Arc::clone).collect();
        drop(by_key);
        (Writing { flights: Arc::clone(self), key: Some(key) }, supersede_each(flights))
    }

    /// Begins a clear.
    pub(crate) fn clear(self: &Arc<Self>) -> Writing {
        self.clearing.fetch_add(1, Ordering::SeqCst);
        Writing { flights: Arc::clone(self), key: None }
    }

    /// Makes computations of all keys of one client that have begun not store what they compute.
    ///
    /// The caller clears after the returned wait is over.
    pub(crate) fn supersede_all(&self, client: ClientId) -> StoreWait {
        let owner = Owner::of(self);
        supersede_each(table::where_wanted(|of_key| of_key.owner == owner && of_key.key.0 == client))
    }

    /// Takes a flight out of the registry and lets the one queued behind it begin.
    pub(super) fn remove(&self, flight: &Arc<Flight>) {
        let mut by_key = self.lock(&flight.key);
        if let Some(found) = by_key.find(&flight.key, Owner::of(self))
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
        let next = self.lock(&flight.key).change(&flight.key, Owner::of(self), |of_key| out(of_key, flight)).flatten();
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
        let owner = Owner::of(self);
        let flights = table::where_wanted(|of_key| of_key.owner == owner);
        let age = |flight: &Arc<Flight>| Duration::from_nanos(flight.clock.now().saturating_sub(flight.began));
        (flights.len(), flights.iter().map(age).max())
    }

    /// Locks the flights among which those of a key are.
    #[expect(clippy::unused_self, reason = "the flights of this function are among them")]
    fn lock(&self, key: &FlightKey) -> Locked<'static> {
        table::locked(key)
    }
}

/// Begins a write to a client itself: computations of the key that have begun, whichever function's they are, will not store what
/// they compute, nor do those that begin before its end.
///
/// The caller writes after the returned wait is over.
pub(crate) fn write_directly(key: FlightKey) -> (DirectWrite, StoreWait) {
    let (writing, flights) = DirectWrite::begin(key);
    (writing, supersede_each(flights.into_iter().filter(|flight| !is_own_store(flight))))
}

/// Makes computations of all keys of one client not store what they compute, whichever functions' they are.
pub(crate) fn supersede_client(client: ClientId) -> StoreWait {
    supersede_each(table::where_wanted(|of_key| of_key.key.0 == client))
}

/// Returns whether this thread is storing what the flight has computed: a client that wraps another writes to that.
fn is_own_store(flight: &Arc<Flight>) -> bool {
    is_active(flight) && flight.lock().phase == Phase::Storing
}

fn supersede_each(flights: impl IntoIterator<Item = Arc<Flight>>) -> StoreWait {
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
            flight.flights.take_out(&flight, OfKey::end);
            storing.push(flight);
        } else {
            flight.flights.remove(&flight);
        }
    }
    StoreWait::new(storing)
}
