//! Time that moves only when it is told to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::{Agenda, Ring};
use super::nanos;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

/// Stands still until it is advanced: for tests of expiry, refresh-ahead and timeouts that take no time.
///
/// Clones show the same time. Give it to a client's builder; a cached function takes its client's clock.
///
/// # Concurrency
///
/// May be advanced from any thread. Alarms that become due ring on the advancing thread before `advance` returns.
#[derive(Clone)]
pub struct ManualClock(Arc<Inner>);

struct Inner {
    now: AtomicU64,
    agenda: Mutex<Agenda>,
}

impl ManualClock {
    /// Creates a clock that shows a day after its origin, so that there is a past to reckon with.
    #[must_use]
    pub fn new() -> Self {
        let now = AtomicU64::new(nanos(Duration::from_secs(86_400)));
        Self(Arc::new(Inner { now, agenda: Mutex::default() }))
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        let by = nanos(by);
        let mut agenda = lock(&self.0.agenda);
        let now = self.nanos().saturating_add(by);
        self.0.now.store(now, Ordering::SeqCst);
        let due = agenda.due(now);
        drop(agenda);
        for ring in due {
            ring();
        }
    }

    pub(super) fn nanos(&self) -> u64 {
        self.0.now.load(Ordering::SeqCst)
    }

    pub(super) fn alarm(&self, at: u64, ring: Ring) {
        let mut agenda = lock(&self.0.agenda);
        if self.nanos() >= at {
            drop(agenda);
            ring();
        } else {
            agenda.add(at, ring);
        }
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManualClock({:?})", Duration::from_nanos(self.nanos()))
    }
}
