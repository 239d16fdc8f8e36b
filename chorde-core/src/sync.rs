//! What threads meet by, in a place of its own: `tests/schedules` compiles this crate against the primitives of a model
//! checker instead, and so runs whatever uses these in thousands of interleavings.
//!
//! Statics that live beyond one run of the checker (registries, drawn secrets), and counters on which nothing depends, keep
//! to the standard library's.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};

pub(crate) use pollster::block_on;

use std::sync::PoisonError;
use std::time::Duration;

pub(crate) mod thread {
    pub(crate) use std::thread::Builder;
}

/// Returns over how many locks something is spread for which so many would do.
pub(crate) const fn spread(locks: usize) -> usize {
    locks
}

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

/// Declares a static that is made when it is first used.
macro_rules! global {
    (static $name:ident: $type:ty = $make:expr;) => {
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $make);
    };
}
pub(crate) use global;
