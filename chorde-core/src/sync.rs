//! What threads meet by, in a place of its own: `tests/schedules` compiles this crate against the primitives of a model
//! checker instead, and so runs whatever uses these in thousands of interleavings.
//!
//! Statics that live beyond one run of the checker (registries, drawn secrets), and counters on which nothing depends, keep
//! to the standard library's.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};

pub(crate) use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
pub(crate) use pollster::block_on;

use std::sync::PoisonError;

pub(crate) mod thread {
    pub(crate) use std::thread::Builder;
}

/// Locks a mutex whose invariants hold between any two statements, so that a panic elsewhere does not matter.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Declares a static that is made when it is first used.
macro_rules! global {
    (static $name:ident: $type:ty = $make:expr;) => {
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $make);
    };
}
pub(crate) use global;
