//! Detects deadlocks: computations that wait for one another in a circle. The caller that would close it computes instead.
//!
//! Known is what a computation waits for while it is being polled, or on its thread, and what is lined up behind what. A
//! function that has another task or thread wait for its own key is not seen; for these there is
//! [`PATIENCE`](super::judge::PATIENCE).

use std::sync::{Arc, Weak};

use smallvec::SmallVec;

use super::{Flight, Phase, active};
use crate::sync::lock;

/// How many flights are looked at before a circle is ruled out.
const MOST: usize = 64;

/// The computations with which it was noted that they wait for a flight.
pub(super) type Noted = SmallVec<[Weak<Flight>; 1]>;

/// Notes that what is computed on this thread waits for a flight; returns whether that waits for it in turn.
pub(super) fn closes(flight: &Arc<Flight>, noted: &mut Noted) -> bool {
    let waiting = active::all();
    for own in waiting.iter().filter(|own| !noted.iter().any(|noted| is(noted, own))).cloned().collect::<Vec<_>>() {
        lock(&own.waits_for).push(Arc::downgrade(flight));
        noted.push(Arc::downgrade(&own));
    }
    !waiting.is_empty() && reaches(flight, &waiting)
}

/// Notes that those computations do not wait for the flight any more.
pub(super) fn forget(noted: &Noted, flight: &Arc<Flight>) {
    for own in noted.iter().filter_map(Weak::upgrade) {
        let mut waits_for = lock(&own.waits_for);
        if let Some(at) = waits_for.iter().position(|other| is(other, flight)) {
            waits_for.swap_remove(at);
        }
    }
}

fn is(one: &Weak<Flight>, other: &Arc<Flight>) -> bool {
    std::ptr::eq(one.as_ptr(), Arc::as_ptr(other))
}

fn reaches(from: &Arc<Flight>, ends: &[Arc<Flight>]) -> bool {
    let mut seen = vec![Arc::clone(from)];
    let mut next = 0;
    while let Some(flight) = seen.get(next).filter(|_| next < MOST).cloned() {
        next += 1;
        if ends.iter().any(|end| Arc::ptr_eq(end, &flight)) {
            return true;
        }
        for other in waited_for(&flight) {
            if !seen.iter().any(|known| Arc::ptr_eq(known, &other)) {
                seen.push(other);
            }
        }
    }
    false
}

/// Returns what a flight waits for: its computation, or it as a whole, if it is lined up.
fn waited_for(flight: &Arc<Flight>) -> Vec<Arc<Flight>> {
    let phase = flight.lock().phase;
    match phase {
        Phase::Landed => Vec::new(),
        Phase::Queued => flight.flights.joinable(&flight.key, |other| !Arc::ptr_eq(other, flight)),
        Phase::Free | Phase::Led | Phase::Storing => lock(&flight.waits_for).iter().filter_map(Weak::upgrade).collect(),
    }
}
