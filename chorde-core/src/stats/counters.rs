//! Counters that many threads raise at once.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::{Stats, Timings};

/// How many cache lines a counter of hits is spread over.
const STRIPES: usize = 16;

/// Counts on one of several cache lines, so that threads do not take the line from one another.
#[derive(Debug, Default)]
pub(crate) struct Striped([CachePadded<AtomicU64>; STRIPES]);

impl Striped {
    #[inline]
    pub(crate) fn increment(&self) {
        self.0[stripe()].fetch_add(1, Ordering::Relaxed);
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.load(Ordering::Relaxed)).sum()
    }

    fn reset(&self) {
        for stripe in &self.0 {
            stripe.store(0, Ordering::Relaxed);
        }
    }
}

/// Returns the stripe of this thread; threads are dealt out in turn.
#[inline]
fn stripe() -> usize {
    const UNSET: usize = usize::MAX;
    thread_local! {
        static STRIPE: Cell<usize> = const { Cell::new(UNSET) };
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    STRIPE.with(|stripe| {
        if stripe.get() == UNSET {
            stripe.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        stripe.get() % STRIPES
    })
}

/// Declares the counters that are raised off the hit path.
macro_rules! counters {
    ($($name:ident),*) => {
        /// The counters of one function; see [`Stats`] for what moves them.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            pub(crate) hits: Striped,
            $(pub(crate) $name: Counter,)*
            /// Nanoseconds.
            wait_time: AtomicU64,
            timings: Mutex<Timings>,
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats {
                    hits: self.hits.sum(),
                    $($name: self.$name.0.load(Ordering::Relaxed),)*
                    wait_time: Duration::from_nanos(self.wait_time.load(Ordering::Relaxed)),
                    compute_time: self.timings().clone(),
                }
            }

            pub(crate) fn reset(&self) {
                self.hits.reset();
                $(self.$name.0.store(0, Ordering::Relaxed);)*
                self.wait_time.store(0, Ordering::Relaxed);
                self.timings().reset();
            }
        }
    };
}

counters! {
    due_hits, misses, coalesced, computes, compute_errors, panics, background, refused, key_errors, client_errors,
    superseded
}

impl Counters {
    pub(crate) fn waited(&self, nanos: u64) {
        self.wait_time.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn computed_in(&self, time: Duration) {
        self.timings().record(time);
    }

    pub(crate) fn set_timing_bins(&self, bins: usize, up_to: Duration) {
        *self.timings() = Timings::with_bins(bins, up_to);
    }

    fn timings(&self) -> MutexGuard<'_, Timings> {
        self.timings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts things too rare to spread.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
