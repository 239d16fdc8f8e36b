//! Counters that many threads raise at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::{Stats, Timings};
use crate::lanes::{LANES, Lane};

/// Counts on one of several cache lines, so that threads do not take the line from one another.
#[derive(Debug, Default)]
pub(crate) struct Striped {
    stripes: [CachePadded<Stripe>; LANES],
    /// What had been counted at the last reset; stripes are written by their threads alone.
    base: AtomicU64,
}

#[derive(Debug, Default)]
struct Stripe {
    /// Counted by the thread that owns the lane.
    own: AtomicU64,
    /// Counted by the guests.
    guests: AtomicU64,
}

impl Stripe {
    /// Counts one for the owner: not atomic as a whole, and a fifth of the price, for nobody else stores here.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn count_own(&self) {
        self.own.store(self.own.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

impl Striped {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn increment(&self) {
        match Lane::owned() {
            Some(lane) => self.stripes[lane.index()].count_own(),
            None => self.increment_slowly(),
        }
    }

    #[cold]
    fn increment_slowly(&self) {
        let lane = Lane::mine();
        let stripe = &self.stripes[lane.index()];
        if lane.is_owned() {
            stripe.count_own();
        } else {
            stripe.guests.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn total(&self) -> u64 {
        let of = |stripe: &CachePadded<Stripe>| {
            stripe.own.load(Ordering::Relaxed).wrapping_add(stripe.guests.load(Ordering::Relaxed))
        };
        self.stripes.iter().map(of).fold(0, u64::wrapping_add)
    }

    pub(crate) fn sum(&self) -> u64 {
        let base = self.base.load(Ordering::Relaxed);
        self.total().wrapping_sub(base)
    }

    fn reset(&self) {
        self.base.store(self.total(), Ordering::Relaxed);
    }
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

    pub(crate) fn computed_in(&self, nanos: u64) {
        self.timings().record_nanos(nanos);
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
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_threads_than_lanes_count_exactly() {
        const EACH: u64 = 10_000;
        let counter = Striped::default();
        for round in 0..3 {
            std::thread::scope(|scope| {
                for _ in 0..LANES + 8 {
                    scope.spawn(|| (0..EACH).for_each(|_| counter.increment()));
                }
            });
            assert_eq!(counter.sum(), (LANES as u64 + 8) * EACH, "round {round}");
            counter.reset();
            assert_eq!(counter.sum(), 0);
        }
    }
}
