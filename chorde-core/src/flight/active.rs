//! Which flights the present thread is computing for, from the outermost call inwards.
//!
//! Known by thread, and for asynchronous functions only while their future is being polled, so that it follows the task.
//! With it, a function that calls itself with the same arguments is told from one that must wait for another caller.

use std::cell::RefCell;
use std::sync::Arc;

use super::Flight;

thread_local! {
    static ACTIVE: RefCell<Vec<Arc<Flight>>> = const { RefCell::new(Vec::new()) };
}

/// Marks the flight as being computed on this thread until dropped.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The flight, where the list is gone.
    alone: Option<Arc<Flight>>,
    /// Whether the end is a sign of life: a thread needs none.
    is_sign: bool,
}

impl Scope {
    /// Begins one poll of a future.
    pub(crate) fn enter(flight: &Arc<Flight>) -> Self {
        Self::begin(flight, true)
    }

    /// Notes that it was the last poll: a computation that has ended needs no sign of life.
    pub(super) fn was_last(&mut self) {
        self.is_sign = false;
    }

    /// Begins a computation that ends on this thread.
    pub(crate) fn enter_thread(flight: &Arc<Flight>) -> Self {
        Self::begin(flight, false)
    }

    fn begin(flight: &Arc<Flight>, is_sign: bool) -> Self {
        flight.set_polling(true);
        let listed = with(|active| active.push(Arc::clone(flight)));
        Self { alone: if listed.is_some() { None } else { Some(Arc::clone(flight)) }, is_sign }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let flight = self.alone.take().or_else(|| with(Vec::pop).flatten());
        match flight {
            Some(flight) if self.is_sign => flight.set_polling(false),
            Some(flight) => flight.end_polling(),
            None => {}
        }
    }
}

/// Does something with the list; `None` on a thread that ends and has thrown it away, whose destructors may still compute.
fn with<R>(change: impl FnOnce(&mut Vec<Arc<Flight>>) -> R) -> Option<R> {
    ACTIVE.try_with(|active| change(&mut active.borrow_mut())).ok()
}

/// Returns all flights that this thread is computing for.
pub(super) fn all() -> Vec<Arc<Flight>> {
    with(|active| active.clone()).unwrap_or_default()
}

/// Returns whether this thread is computing for the flight.
pub(crate) fn is_active(flight: &Arc<Flight>) -> bool {
    with(|active| active.iter().any(|other| Arc::ptr_eq(other, flight))).unwrap_or(false)
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
    with(|active| active.iter().for_each(|flight| flight.set_polling(polling)));
}
