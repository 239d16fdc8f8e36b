//! Lives of entries in 24 bits, which is half of what a time takes: pure.

/// The longest life that 24 bits hold to the second, 194 days. Above it, a life is shortened to one that they hold exactly.
pub(crate) const LONG: u64 = 1_000_000_000 << f32::MANTISSA_DIGITS;

/// Returns a life in 24 bits, never less than it is, so that no age is understated.
///
/// # Units
///
/// Nanoseconds.
pub(crate) const fn in_24_bits(nanos: u64) -> f32 {
    let life = nanos as f32;
    if (life as u64) < nanos { life.next_up() } else { life }
}

/// Returns the life that an entry is given: the one asked for, or the longest below it from which an age follows to the second.
/// That takes a year short by 2 seconds at most.
pub(crate) const fn storable(nanos: u64) -> u64 {
    if nanos <= LONG {
        return nanos;
    }
    let life = nanos as f32;
    (if life as u64 > nanos { life.next_down() } else { life }) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lives_of_days_are_stored_as_they_are_and_those_of_years_nearly() {
        let day = 86_400 * 1_000_000_000_u64;
        for days in [1, 7, 30, 194] {
            assert_eq!(storable(days * day), days * day);
        }
        let year = 365 * day;
        assert!((1..=2_000_000_000).contains(&(year - storable(year))) || storable(year) == year);
    }

    proptest! {
        #[test]
        fn a_life_is_never_understated_and_what_is_stored_never_longer(nanos in 0..i64::MAX as u64) {
            prop_assert!(in_24_bits(nanos) as u64 >= nanos);
            let stored = storable(nanos);
            prop_assert!(stored <= nanos && nanos - stored <= nanos >> 23);
            prop_assert!(nanos <= LONG || in_24_bits(stored) as u64 == stored);
        }
    }
}
