//! The synchronisation primitives of the flights and of the in-process store's locks, in a place of their own: tests compile
//! both against those of a model checker instead.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};

use std::sync::PoisonError;
use std::time::Duration;

/// Locks a mutex whose invariants hold between any two statements, so that a panic elsewhere does not matter.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes the time of one more round of waiting for what takes others nanoseconds, unless they are interrupted.
pub(crate) fn pause(rounds: u32) {
    match rounds {
        0..7 => (0..1 << rounds).for_each(|_| std::hint::spin_loop()),
        7..64 => std::thread::yield_now(),
        _ => std::thread::sleep(Duration::from_micros(50)),
    }
}
