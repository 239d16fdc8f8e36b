//! What a cached function was told about time: how long its values live and when they are due.

use std::time::Duration;

use crate::clock::nanos;
use crate::life;

/// Holds the time-related arguments of `#[cached]`, as data.
///
/// Built once where the arguments are literals, at each call where they are expressions.
#[derive(Clone, Copy, Debug)]
pub struct CallPolicy {
    /// Nanoseconds that a value lives at most.
    pub(crate) ttl: u64,
    /// The same, as lives of entries are kept: what has no longer life than this needs no look at its age.
    pub(crate) longest: f32,
    pub(crate) refresh: RefreshPoint,
    pub(crate) spread: Spread,
    /// How long one computation may hold others back.
    pub(crate) lease: Duration,
    /// How long a refresh that starts keeps other processes from theirs, over clients that cannot lease.
    pub(crate) renew: Option<Duration>,
    /// How many tiers `peek` and `lazy` look at.
    pub(crate) lazy_tiers: usize,
    pub(crate) single_flight: bool,
    /// Whether a computation goes on when nobody is left who waits for it.
    pub(crate) detach: bool,
    pub(crate) timings: bool,
}

/// How long one computation may hold others back, unless its function says something else.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// Says from when on a valid entry is due: served, and recomputed behind the caller's back.
///
/// On the system's clock a hit may notice it late by a tick of the kernel, 1 to 10 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshPoint {
    /// Entries are never due.
    Never,
    /// Due when less than this remains.
    Remaining(Duration),
    /// Due when the entry is this old.
    Age(Duration),
}

/// Says how far the lives of entries are spread, so that what was stored together does not expire together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// A tenth of the time between the refresh point and the end.
    Automatic,
    /// That many nanoseconds.
    By(u64),
    /// Not at all, the refresh point neither.
    None,
}

impl CallPolicy {
    /// Creates the policy of values that live for `ttl` and are never due.
    #[must_use]
    pub const fn new(ttl: Duration) -> Self {
        Self {
            ttl: nanos(ttl),
            longest: life::in_24_bits(nanos(ttl)),
            refresh: RefreshPoint::Never,
            spread: Spread::Automatic,
            lease: LEASE,
            renew: None,
            lazy_tiers: usize::MAX,
            single_flight: true,
            detach: true,
            timings: true,
        }
    }

    /// Makes entries due when less than `remaining` of their life is left.
    #[must_use]
    pub const fn refresh_remaining(mut self, remaining: Duration) -> Self {
        self.refresh = RefreshPoint::Remaining(remaining);
        self
    }

    /// Makes entries due when they are `age` old.
    #[must_use]
    pub const fn refresh_age(mut self, age: Duration) -> Self {
        self.refresh = RefreshPoint::Age(age);
        self
    }

    /// Spreads lives over the last `spread` before the ttl.
    #[must_use]
    pub const fn spread(mut self, spread: Duration) -> Self {
        self.spread = Spread::By(nanos(spread));
        self
    }

    /// Gives all entries the same life and the same refresh point.
    #[must_use]
    pub const fn no_spread(mut self) -> Self {
        self.spread = Spread::None;
        self
    }

    /// Sets how long one computation may hold others back.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Keeps other processes from refreshing a key for `renew` when this one begins to, over shared clients that cannot lease.
    #[must_use]
    pub const fn renew(mut self, renew: Duration) -> Self {
        self.renew = Some(renew);
        self
    }

    /// Lets `peek` and `lazy` look at this many tiers.
    #[must_use]
    pub const fn lazy_tiers(mut self, tiers: usize) -> Self {
        self.lazy_tiers = tiers;
        self
    }

    /// Lets every miss compute, even of the same key at the same time.
    #[must_use]
    pub const fn without_single_flight(mut self) -> Self {
        self.single_flight = false;
        self
    }

    /// Drops a computation of an asynchronous function with the last caller that wants its value.
    #[must_use]
    pub const fn without_detach(mut self) -> Self {
        self.detach = false;
        self
    }

    /// Does not time computations.
    #[must_use]
    pub const fn without_timings(mut self) -> Self {
        self.timings = false;
        self
    }

    /// Returns how long values live at most.
    #[must_use]
    pub const fn ttl(&self) -> Duration {
        Duration::from_nanos(self.ttl)
    }

    /// Returns from when on entries are due.
    #[must_use]
    pub const fn refresh(&self) -> RefreshPoint {
        self.refresh
    }

    /// Returns the age at which entries are due, in nanoseconds, before it is spread; `None` where they never are, as with a
    /// refresh point that lies beyond the ttl.
    pub(crate) fn refresh_age_nanos(&self) -> Option<u64> {
        let age = match self.refresh {
            RefreshPoint::Never => return None,
            RefreshPoint::Age(age) => Some(nanos(age)).filter(|age| *age < self.ttl),
            RefreshPoint::Remaining(remaining) => {
                Some(nanos(remaining)).filter(|left| *left > 0).and_then(|left| self.ttl.checked_sub(left))
            }
        };
        age.filter(|age| *age > 0)
    }

    /// Returns whether there is a refresh point that can never apply.
    pub(crate) fn is_refresh_beyond_ttl(&self) -> bool {
        self.refresh != RefreshPoint::Never && self.refresh_age_nanos().is_none()
    }

    /// Returns the same policy with another refresh point.
    pub(crate) fn due_from(mut self, refresh: RefreshPoint) -> Self {
        self.refresh = refresh;
        self
    }

    /// Returns the same policy without a refresh point.
    pub(crate) fn never_due(&self) -> Self {
        self.due_from(RefreshPoint::Never)
    }

    /// Returns the same policy with a refresh point at half of the ttl if it had none.
    pub(crate) fn due_at_half(mut self) -> Self {
        if self.refresh == RefreshPoint::Never {
            self.refresh = RefreshPoint::Age(Duration::from_nanos(self.ttl / 2));
        }
        self
    }

    /// Returns whether a value can be stored by a client that counts time in such ticks: whether it lives for one of them.
    pub(crate) fn is_storable(&self, tick: Duration) -> bool {
        self.ttl > 0 && self.ttl >= nanos(tick)
    }

    /// Returns the life of an entry stored now, for a `draw` uniform in [0, 1), in whole ticks of a client that counts in such:
    /// rounded up, it would be longer than the ttl.
    pub(crate) fn life_in(&self, draw: f64, tick: Duration) -> Duration {
        let (life, tick) = (nanos(self.life(draw)), nanos(tick).max(1));
        Duration::from_nanos((life - life % tick).max(tick.min(self.ttl)))
    }

    /// Returns the life of an entry stored now, for a `draw` uniform in [0, 1).
    fn life(&self, draw: f64) -> Duration {
        let spread = match self.spread {
            Spread::None => 0,
            Spread::By(spread) => spread.min(self.ttl),
            Spread::Automatic => self.ttl.saturating_sub(self.refresh_age_nanos().unwrap_or(0)) / 10,
        };
        let life = self.ttl - (spread as f64 * draw) as u64;
        Duration::from_nanos(life.max(1).min(self.ttl))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn lives_are_spread_over_a_tenth_behind_the_refresh_point() {
        let plain = CallPolicy::new(100 * SECOND);
        assert_eq!(plain.life(0.0), 100 * SECOND);
        assert_eq!(plain.life(0.5), 95 * SECOND);
        let ahead = plain.refresh_age(60 * SECOND);
        assert_eq!(ahead.life(0.5), 98 * SECOND);
        let ahead = plain.refresh_remaining(20 * SECOND);
        assert_eq!(ahead.life(0.5), 99 * SECOND);
        assert_eq!(plain.spread(20 * SECOND).life(0.5), 90 * SECOND);
        assert_eq!(plain.spread(1000 * SECOND).life(1.0), Duration::from_nanos(1));
        assert_eq!(plain.no_spread().life(0.9), 100 * SECOND);
    }

    #[test]
    fn a_life_in_ticks_is_never_longer_than_the_ttl() {
        let life = |ttl, draw| CallPolicy::new(ttl).life_in(draw, SECOND);
        assert_eq!(life(Duration::from_millis(1_500), 0.0), SECOND);
        assert_eq!([life(10 * SECOND, 0.0), life(10 * SECOND, 0.5)], [10 * SECOND, 9 * SECOND]);
        assert_eq!(life(SECOND, 0.9), SECOND);
        assert!(!CallPolicy::new(Duration::from_millis(999)).is_storable(SECOND));
        assert_eq!(
            CallPolicy::new(Duration::from_millis(5)).no_spread().life_in(0.5, Duration::ZERO),
            Duration::from_millis(5)
        );
    }

    #[test]
    fn without_a_refresh_point_bg_takes_half_of_the_ttl() {
        let plain = CallPolicy::new(10 * SECOND);
        assert_eq!(plain.due_at_half().refresh(), RefreshPoint::Age(5 * SECOND));
        let early = plain.refresh_age(SECOND);
        assert_eq!(early.due_at_half().refresh(), RefreshPoint::Age(SECOND));
    }
}
