//! What threads meet by, in a place of its own: `tests/schedules` compiles this crate against the primitives of a model
//! checker instead, and so runs whatever uses these in thousands of interleavings.
//!
//! Statics that live beyond one run of the checker (registries, drawn secrets), and counters on which nothing depends, keep
//! to the standard library's.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

mod table;

pub(crate) use table::Table;

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

/// Runs a future to its end, blocking this thread where it waits. It needs none of the thread's own variables, so that it works
/// while these are dropped.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => signal.wait(),
        }
    }
}

/// Whether a thread that waits is to poll again.
#[derive(Default)]
struct Signal {
    is_given: Mutex<bool>,
    given: Condvar,
}

impl Signal {
    fn wait(&self) {
        let mut is_given = lock(&self.is_given);
        while !*is_given {
            is_given = self.given.wait(is_given).unwrap_or_else(PoisonError::into_inner);
        }
        *is_given = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *lock(&self.is_given) = true;
        self.given.notify_one();
    }
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
    ($(#[$doc:meta])* static $name:ident: $type:ty = $make:expr;) => {
        $(#[$doc])*
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $make);
    };
}
pub(crate) use global;
