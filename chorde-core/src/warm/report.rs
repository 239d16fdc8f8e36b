//! How far a warming has come, and what came of it.

use std::fmt;
use std::sync::Arc;

use crate::engine::background::Ended;
use crate::sync::{AtomicU64, Ordering};

/// How many failures a report describes.
const MOST_FAILURES: usize = 16;

/// Shows how far a [`Warm`](super::Warm) has come; cheap to clone, and may outlive it.
///
/// Each number is right; read one after the other they may be of different moments.
#[derive(Clone)]
pub struct WarmProgress(Arc<Counts>);

#[derive(Default)]
struct Counts {
    hits: AtomicU64,
    computed: AtomicU64,
    failed: AtomicU64,
    total: Option<u64>,
}

impl WarmProgress {
    /// Returns how many calls need nothing more: hits, computed, and failed.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.hits() + self.computed() + self.failed()
    }

    /// Returns how many results were fresh already, or computed by another call meanwhile.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.0.hits.load(Ordering::Relaxed)
    }

    /// Returns how many results were computed.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.0.computed.load(Ordering::Relaxed)
    }

    /// Returns how many could not be computed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Returns how many calls there are in all, if the iterator knows that from the start.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.0.total
    }
}

impl fmt::Debug for WarmProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WarmProgress")
            .field("hits", &self.hits())
            .field("computed", &self.computed())
            .field("failed", &self.failed())
            .field("total", &self.total())
            .finish()
    }
}

/// Says what a [`Warm`](super::Warm) has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmReport {
    /// How many results were fresh already, or computed by another call meanwhile.
    pub hits: u64,
    /// How many results were computed.
    pub computed: u64,
    /// How many could not be computed.
    pub failed: u64,
    /// Describes the failures of the first arguments that failed, 16 at most, in the order of the arguments.
    pub failures: Vec<WarmFailure>,
}

/// Describes one failure of a [`Warm`](super::Warm).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmFailure {
    /// Which of the iterator's arguments it was, counted from zero.
    pub index: u64,
    /// What the error says by its `Debug`, or the panic; the first 512 bytes.
    pub reason: String,
    /// Whether the function panicked.
    pub is_panic: bool,
}

impl fmt::Display for WarmFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_panic { "panicked" } else { "failed" };
        write!(f, "argument {} {verb}: {}", self.index, self.reason)
    }
}

/// Counts what ended.
pub(super) struct Tally {
    counts: WarmProgress,
    /// Those of the lowest numbers, in order.
    failures: Vec<WarmFailure>,
}

impl Tally {
    pub(super) fn new(total: Option<u64>) -> Self {
        let counts = WarmProgress(Arc::new(Counts { total, ..Counts::default() }));
        Self { counts, failures: Vec::new() }
    }

    pub(super) fn progress(&self) -> WarmProgress {
        self.counts.clone()
    }

    /// Counts one end.
    pub(super) fn ended(&mut self, index: u64, ended: Ended) {
        let counts = &self.counts.0;
        let (reason, is_panic) = match ended {
            Ended::Held => return add(&counts.hits),
            Ended::Computed => return add(&counts.computed),
            Ended::Failed(reason) => (reason, false),
            Ended::Panicked(reason) => (reason, true),
            Ended::Dropped => ("the computation was dropped before its end".to_owned(), false),
        };
        add(&counts.failed);
        let at = self.failures.partition_point(|other| other.index < index);
        if at < MOST_FAILURES {
            self.failures.insert(at, WarmFailure { index, reason, is_panic });
            self.failures.truncate(MOST_FAILURES);
        }
    }

    /// Says what has ended; describes failures once.
    pub(super) fn report(&mut self) -> WarmReport {
        let failures = std::mem::take(&mut self.failures);
        let counts = &self.counts;
        WarmReport { hits: counts.hits(), computed: counts.computed(), failed: counts.failed(), failures }
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
