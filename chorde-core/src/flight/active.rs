//! Which flights the present thread is computing for, from the outermost call inwards.
//!
//! Known by thread, and for asynchronous functions only while their future is being polled, so that it follows the task.
//! With it, a function that calls itself with the same arguments is told from one that must wait for another caller.

use std::cell::RefCell;
use std::sync::Arc;

use super::Flight;
use crate::clock::Clock;

thread_local! {
    static ACTIVE: RefCell<Vec<(Arc<Flight>, Clock)>> = const { RefCell::new(Vec::new()) };
}

/// Marks the flight as being computed on this thread until dropped.
#[derive(Debug)]
pub(crate) struct Scope(());

impl Scope {
    pub(crate) fn enter(flight: &Arc<Flight>, clock: &Clock) -> Self {
        flight.set_polling(true, clock.now());
        ACTIVE.with_borrow_mut(|active| active.push((Arc::clone(flight), clock.clone())));
        Self(())
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let left = ACTIVE.with_borrow_mut(Vec::pop);
        if let Some((flight, clock)) = left {
            flight.set_polling(false, clock.now());
        }
    }
}

/// Returns whether this thread is computing for the flight.
pub(crate) fn is_active(flight: &Arc<Flight>) -> bool {
    ACTIVE.with_borrow(|active| active.iter().any(|(other, _)| Arc::ptr_eq(other, flight)))
}

/// Runs `wait`, which blocks this thread, with all its flights counted as idle: if what it waits for waits for one of
/// them in turn, they can be overtaken.
pub(crate) fn idle<R>(wait: impl FnOnce() -> R) -> R {
    struct Resume;
    impl Drop for Resume {
        fn drop(&mut self) {
            set_all(true);
        }
    }
    set_all(false);
    let _resume = Resume;
    wait()
}

fn set_all(polling: bool) {
    ACTIVE.with_borrow(|active| {
        for (flight, clock) in active {
            flight.set_polling(polling, clock.now());
        }
    });
}
