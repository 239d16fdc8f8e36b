//! Finds computations that wait for one another in a circle: whoever would close it computes instead.
//!
//! Known is what a computation waits for while it is being polled, or on its thread. A function that has another task or thread
//! wait for its own key is not seen; for these there is [`PATIENCE`](super::judge::PATIENCE).

use std::sync::{Arc, Weak};

use super::Flight;
use super::active;
use crate::sync::lock;

/// How many flights are looked at before a circle is ruled out.
const MOST: usize = 64;

/// Notes that what is computed on this thread waits for a flight; returns whether that waits for it in turn.
pub(super) fn closes(flight: &Arc<Flight>) -> bool {
    let waiting = active::all();
    if waiting.is_empty() {
        return false;
    }
    for own in &waiting {
        let mut waits_for = lock(&own.waits_for);
        waits_for.retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(flight)) && other.strong_count() > 0);
        waits_for.push(Arc::downgrade(flight));
    }
    let is_closed = reaches(flight, &waiting);
    if is_closed {
        forget(flight);
    }
    is_closed
}

/// Notes that what is computed on this thread does not wait for the flight any more.
pub(super) fn forget(flight: &Arc<Flight>) {
    for own in active::all() {
        lock(&own.waits_for).retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(flight)));
    }
}

fn reaches(from: &Arc<Flight>, ends: &[Arc<Flight>]) -> bool {
    let mut seen = vec![Arc::clone(from)];
    let mut next = 0;
    while let Some(flight) = seen.get(next).filter(|_| next < MOST) {
        if ends.iter().any(|end| Arc::ptr_eq(end, flight)) {
            return true;
        }
        if flight.lock().is_over() {
            next += 1;
            continue;
        }
        let further: Vec<_> = lock(&flight.waits_for).iter().filter_map(Weak::upgrade).collect();
        for other in further {
            if !seen.iter().any(|known| Arc::ptr_eq(known, &other)) {
                seen.push(other);
            }
        }
        next += 1;
    }
    false
}
