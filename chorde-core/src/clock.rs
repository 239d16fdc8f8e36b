//! Where time comes from: the processor's counter, or a test's own hand.

mod alarm;
mod manual;

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

pub use alarm::Sleep;
pub use manual::ManualClock;

/// Tells the time, in nanoseconds since an origin of its own, and never goes backwards.
///
/// The system clock reads the processor's time stamp counter through the crate `quanta`, which takes half as long as
/// [`std::time::Instant::now`] and falls back to it where the counter is not reliable.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{Clock, ManualClock};
///
/// let manual = ManualClock::new();
/// let clock = Clock::from(manual.clone());
/// let before = clock.now();
/// manual.advance(Duration::from_secs(1));
/// assert_eq!(clock.now() - before, 1_000_000_000);
/// ```
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    System(System),
    Manual(ManualClock),
}

/// The counter with the reading that counts as zero, the same for the whole process.
#[derive(Clone)]
struct System {
    counter: quanta::Clock,
    origin: u64,
}

static SYSTEM: LazyLock<System> = LazyLock::new(|| {
    let counter = quanta::Clock::new();
    let origin = counter.raw();
    System { counter, origin }
});

impl Clock {
    /// Returns the clock of the system.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System(SYSTEM.clone()))
    }

    /// Returns the time.
    ///
    /// # Units
    ///
    /// Nanoseconds since the clock's origin.
    #[inline]
    #[must_use]
    pub fn now(&self) -> u64 {
        match &self.0 {
            Kind::System(system) => system.counter.delta_as_nanos(system.origin, system.counter.raw()),
            Kind::Manual(manual) => manual.nanos(),
        }
    }

    /// Waits until the clock has moved on by `duration`, on any executor.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::until(self, self.now().saturating_add(nanos(duration)))
    }

    /// Calls `ring` once the clock shows `at` or later: on the timer's thread, or on that which advances the manual
    /// clock. `ring` must be short and must not block.
    pub(crate) fn alarm(&self, at: u64, ring: alarm::Ring) {
        match &self.0 {
            Kind::System(_) => alarm::on_system_time(at, ring),
            Kind::Manual(manual) => manual.alarm(at, ring),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl From<ManualClock> for Clock {
    fn from(manual: ManualClock) -> Self {
        Self(Kind::Manual(manual))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::System(_) => "Clock::system",
            Kind::Manual(_) => "Clock::manual",
        })
    }
}

/// Returns a duration in nanoseconds, or 584 years if it is longer than that.
#[inline]
#[must_use]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}
