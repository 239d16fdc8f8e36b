//! Where time comes from: the system, or a test's own hand.

mod alarm;
mod manual;
mod system;

use std::fmt;
use std::time::Duration;

pub(crate) use alarm::Alarm;
pub use alarm::Sleep;
pub use manual::ManualClock;
use system::System;

/// Tells the time, in nanoseconds since an origin of its own, and never goes backwards.
///
/// The system clock is that of [`std::time::Instant`] on Linux; elsewhere it reads the processor's time stamp counter, which
/// takes half as long, where that is reliable.
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

impl Clock {
    /// Returns the clock of the system.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System(System::get()))
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
            Kind::System(system) => system.now(),
            Kind::Manual(manual) => manual.nanos(),
        }
    }

    /// Returns the time or, where that is much cheaper, one shortly before: by no more than [`LAG`].
    ///
    /// To read a processor's counter takes as long as all the rest of a hit, since it waits for whatever is under way.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn lately(&self) -> u64 {
        match &self.0 {
            Kind::System(system) => system.lately(),
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

    /// Calls `ring` once the clock shows `at` or later, unless the alarm is dropped before: on a timer's thread, or on that
    /// which advances the manual clock.
    pub(crate) fn alarm(&self, at: u64, ring: alarm::Ring) -> Alarm {
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

/// How far [`Clock::lately`] may lag behind, in nanoseconds: many times the tick of any kernel, which is 1 to 10 ms.
pub(crate) const LAG: u64 = 100_000_000;

/// Returns a duration in nanoseconds, or 584 years if it is longer than that.
#[inline]
#[must_use]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lately_is_past_and_never_before_what_was_then() {
        let clock = Clock::system();
        let mut before = 0;
        for _ in 0..10_000 {
            let lately = clock.lately();
            assert!(lately <= clock.now() && before <= lately && lately > 0);
            before = lately;
        }
    }
}
