//! The synchronisation primitives of the flights, in a place of their own: `tests/schedules.rs` compiles the flights against
//! those of a model checker instead.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock};

use std::sync::PoisonError;

/// Locks a mutex whose invariants hold between any two statements, so that a panic elsewhere does not matter.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
