//! How much life each tier gives an entry, and which of two entries shows. Pure.

use std::time::Duration;

use crate::entry::Entry;

/// The fractions of a ttl that the tiers give, each above 0 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fractions {
    near: f64,
    far: f64,
}

impl Fractions {
    /// Each tier gives all of it.
    pub(super) const WHOLE: Self = Self { near: 1.0, far: 1.0 };

    /// Checks the fractions.
    pub(super) fn new([near, far]: [f64; 2]) -> Option<Self> {
        let fits = |fraction: f64| fraction > 0.0 && fraction <= 1.0;
        (fits(near) && fits(far)).then_some(Self { near, far })
    }

    /// Returns whether a near copy may end before its value.
    pub(super) fn cut_near(self) -> bool {
        self.near < self.far
    }

    /// Returns the near tier's part of a ttl, or of the life that a far entry has left.
    pub(super) fn near(self, ttl: Duration) -> Duration {
        share(ttl, self.near)
    }

    /// Returns the far tier's part of a ttl.
    pub(super) fn far(self, ttl: Duration) -> Duration {
        share(ttl, self.far)
    }
}

/// Returns that fraction of a duration: never more than all of it, and never nothing of something, because a life of
/// zero would make a write into an error.
fn share(whole: Duration, fraction: f64) -> Duration {
    if fraction >= 1.0 || whole.is_zero() {
        return whole;
    }
    whole.mul_f64(fraction).clamp(Duration::from_nanos(1), whole)
}

/// Returns which of two entries of one key shows: the valid one, then the one with more life left, then the nearer.
pub(super) fn better<V>(near: Option<Entry<V>>, far: Option<Entry<V>>) -> Option<Entry<V>> {
    match (near, far) {
        (Some(near), Some(far)) => Some(if far.remaining() > near.remaining() { far } else { near }),
        (near, far) => near.or(far),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn fractions_of_round_numbers_are_exact() {
        let fractions = Fractions::new([0.1, 1.0]).unwrap();
        assert_eq!(fractions.near(100 * SECOND), 10 * SECOND);
        assert_eq!(fractions.far(100 * SECOND), 100 * SECOND);
        assert_eq!(Fractions::WHOLE.near(Duration::MAX), Duration::MAX);
    }

    #[test]
    fn a_fraction_is_above_zero_and_at_most_one() {
        for wrong in [0.0, -0.0, -1.0, 1.000_1, f64::NAN, f64::INFINITY] {
            assert_eq!(Fractions::new([wrong, 1.0]), None, "{wrong}");
            assert_eq!(Fractions::new([1.0, wrong]), None, "{wrong}");
        }
        assert!(Fractions::new([f64::MIN_POSITIVE, 1.0]).is_some());
    }

    #[test]
    fn the_better_entry_is_the_valid_one_then_the_longer_lived_then_the_nearer() {
        let entry = |value, life: u32| Some(Entry::new(value, life * SECOND));
        let shown = |near, far| better(near, far).map(|entry: Entry<&str>| entry.value);
        assert_eq!(shown(entry("near", 0), entry("far", 1)), Some("far"));
        assert_eq!(shown(entry("near", 1), entry("far", 0)), Some("near"));
        assert_eq!(shown(entry("near", 2), entry("far", 3)), Some("far"));
        assert_eq!(shown(entry("near", 0), entry("far", 0)), Some("near"));
        assert_eq!(shown(None, entry("far", 0)), Some("far"));
        assert_eq!(shown(entry("near", 0), None), Some("near"));
        assert_eq!(shown(None, None), None);
    }

    proptest! {
        #[test]
        fn a_share_of_something_is_something_and_not_more(nanos in 1..u64::MAX, fraction in 0.0..=1.0_f64) {
            let whole = Duration::from_nanos(nanos);
            let part = share(whole, fraction);
            prop_assert!(part > Duration::ZERO && part <= whole);
        }
    }
}
