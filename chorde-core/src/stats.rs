//! What a cached function counts.

mod bins;
mod counters;
mod timings;

pub use bins::TimingBin;
pub(crate) use counters::Counters;
pub use timings::Timings;

use std::time::Duration;

/// Shows what a cached function has counted since it was first used or last reset.
///
/// Each plain call (and each `bg`, and each `future`) moves exactly one of `hits`, `due_hits`, `misses` and `key_errors`.
/// Nothing but such calls moves them, except that `lazy` counts its look in the same way.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls served by a valid entry that was not due.
    pub hits: u64,
    /// Calls served by a valid entry that was due: a refresh was asked for.
    pub due_hits: u64,
    /// Calls that found no valid entry. Each of them either computed, or coalesced, or was given the placeholder.
    pub misses: u64,
    /// Misses that were answered by another call's computation (its value, or its shared error).
    pub coalesced: u64,
    /// Runs of the user's function that returned a value: by misses, refreshes and background work. Those that failed
    /// are in `compute_errors` or `panics` instead.
    pub computes: u64,
    /// Runs that returned `Err`.
    pub compute_errors: u64,
    /// Runs that panicked, and callbacks that did.
    pub panics: u64,
    /// Background computations accepted.
    pub background: u64,
    /// Background computations refused because the queue was full.
    pub refused: u64,
    /// Calls whose key could not be serialised, or whose namespace another function has in a shared cache; they computed
    /// without the cache.
    pub key_errors: u64,
    /// Operations of the client that failed and were treated as misses, or as stores that did not happen; over tiers, those of
    /// each tier, though another one had the answer.
    pub client_errors: u64,
    /// Values not stored because a `put`, `invalidate`, `expire` or `clear` came after their computation had begun.
    pub superseded: u64,
    /// The time that callers spent waiting for computations of other calls, summed.
    pub wait_time: Duration,
    /// The time that computations took; empty with `timings = false`.
    pub compute_time: Timings,
}

impl Stats {
    /// Returns the share of calls that were served by an entry, between 0 and 1; 0 before the first call.
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        let hits = self.hits + self.due_hits;
        let calls = hits + self.misses + self.key_errors;
        if calls == 0 { 0.0 } else { hits as f64 / calls as f64 }
    }

    /// Adds what another instance of the same function has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.hits += other.hits;
        self.due_hits += other.due_hits;
        self.misses += other.misses;
        self.coalesced += other.coalesced;
        self.computes += other.computes;
        self.compute_errors += other.compute_errors;
        self.panics += other.panics;
        self.background += other.background;
        self.refused += other.refused;
        self.key_errors += other.key_errors;
        self.client_errors += other.client_errors;
        self.superseded += other.superseded;
        self.wait_time += other.wait_time;
        self.compute_time.merge(&other.compute_time);
    }
}
