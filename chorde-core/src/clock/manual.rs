//! Time that moves only when it is told to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::{Agenda, Alarm, Moment, On, Ring};
use super::nanos;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::user_code::{shielded, tell};

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
        // What is set meanwhile and is due rings at once.
        while let Some(ring) = agenda.next_due(now) {
            drop(agenda);
            if shielded(ring).is_none() {
                tell!(error, "what a manual clock was to call has panicked");
            }
            agenda = lock(&self.0.agenda);
        }
    }

    pub(super) fn nanos(&self) -> u64 {
        self.0.now.load(Ordering::SeqCst)
    }

    pub(super) fn alarm(&self, at: u64, ring: Ring) -> Alarm {
        let mut agenda = lock(&self.0.agenda);
        let is_due = self.nanos() >= at;
        let moment = agenda.add(at, ring);
        let ring = if is_due { agenda.remove(moment) } else { None };
        drop(agenda);
        if let Some(ring) = ring {
            ring();
        }
        Alarm::new(On::Manual(self.clone()), moment)
    }

    pub(super) fn cancel(&self, moment: Moment) {
        let cancelled = lock(&self.0.agenda).remove(moment);
        drop(cancelled);
    }

    /// Returns how many alarms are set.
    #[cfg(test)]
    pub(crate) fn alarms(&self) -> usize {
        lock(&self.0.agenda).len()
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
