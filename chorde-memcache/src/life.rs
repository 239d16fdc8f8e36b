//! Between the times of `chorde`, which are durations, and those of memcached, which are whole seconds on the server's
//! own clock. Pure.
//!
//! An item outlives its value by [`GRACE`] seconds, for stale reads: it is valid while the server has more than that
//! left for it. So nothing depends on the clock of a client, but for lives of more than 30 days.

use std::time::Duration;

use crate::command::Life;

/// How many seconds an item is kept after its value has become stale.
pub(crate) const GRACE: u32 = 30;

/// By how much a server may tell the life of an item too long: it counts whole seconds, of which one may be almost over.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// The longest life that can be said as a number of seconds; what is above is read as a unix time (memcached's
/// `protocol.txt`, "Expiration times").
pub(crate) const RELATIVE: u32 = 30 * 24 * 60 * 60;

/// The last unix time that every server understands.
pub(crate) const LAST: u32 = i32::MAX as u32;

/// Returns a duration in whole seconds: rounded up, at least one, at most what an item's life can hold.
pub(crate) fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    u32::try_from(seconds).unwrap_or(LAST).clamp(1, LAST - GRACE)
}

/// Returns the seconds for which a lease is taken: one more, since the server's clock may tick at once; no more than can be
/// said as a number of seconds.
pub(crate) fn of_lease(lease: Duration) -> u32 {
    whole_seconds(lease).saturating_add(1).min(RELATIVE)
}

/// Returns how long the item of a value is kept that lives for so many seconds.
pub(crate) fn of_item(life: u32) -> Life {
    Life(life.saturating_add(GRACE))
}

/// Returns for how many whole seconds a value that is stored now is going to be valid: its ttl, but no longer than a server can
/// be told. `now` is the unix time in seconds, asked for only where that matters.
///
/// The age of a value follows from this number and from what the server has left for it.
pub(crate) fn of_value(ttl: Duration, now: impl FnOnce() -> u64) -> u32 {
    let life = whole_seconds(ttl);
    let item = of_item(life);
    if item.0 <= RELATIVE {
        return life;
    }
    let now = now();
    let kept = match exptime(item, now) {
        relative @ 0..=RELATIVE => relative,
        end => u32::try_from(u64::from(end).saturating_sub(now)).unwrap_or(item.0),
    };
    life.min(kept.saturating_sub(GRACE)).max(1)
}

/// Returns how the wire says a life, `now` being the unix time in seconds.
///
/// Where the end lies beyond what a server understands (from 2038 on), it is the farthest that can be said.
pub(crate) fn exptime(life: Life, now: u64) -> u32 {
    if life.0 <= RELATIVE {
        return life.0.max(1);
    }
    let end = now.saturating_add(u64::from(life.0)).min(u64::from(LAST));
    match u32::try_from(end.saturating_sub(now)) {
        Ok(0..=RELATIVE) | Err(_) => RELATIVE,
        Ok(_) => end as u32,
    }
}

/// Returns what a value has left whose item the server keeps for so many seconds: zero when it is stale, and also when
/// the item never ends, since then nobody knows.
pub(crate) fn remaining(left: Option<u32>) -> Duration {
    Duration::from_secs(u64::from(left.unwrap_or(0).saturating_sub(GRACE)))
}

/// Returns how old a value is that was stored to live for `life` seconds; zero where it was renewed beyond that.
pub(crate) fn age(life: u32, left: Option<u32>) -> Duration {
    Duration::from_secs(u64::from(life)).saturating_sub(remaining(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn seconds_are_rounded_up_and_never_zero() {
        let cases = [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_secs(1), 1),
            (Duration::new(1, 1), 2),
            (Duration::from_secs(300), 300),
            (Duration::MAX, LAST - GRACE),
        ];
        for (duration, expected) in cases {
            assert_eq!(whole_seconds(duration), expected, "{duration:?}");
        }
    }

    #[test]
    fn a_lease_lasts_as_long_as_it_was_asked_for_wherever_in_a_second_it_begins() {
        let cases = [(Duration::ZERO, 2), (Duration::from_millis(1500), 3), (Duration::from_secs(10), 11)];
        for (lease, expected) in cases.into_iter().chain([(Duration::MAX, RELATIVE)]) {
            assert_eq!(of_lease(lease), expected, "{lease:?}");
        }
    }

    #[test]
    fn long_lives_are_said_as_a_unix_time() {
        let cases = [
            (0, NOW, 1),
            (1, NOW, 1),
            (RELATIVE, NOW, RELATIVE),
            (RELATIVE + 1, NOW, NOW as u32 + RELATIVE + 1),
            (LAST, NOW, LAST),
            (u32::MAX, NOW, LAST),
            (RELATIVE + 1, u64::from(LAST) - 100, RELATIVE),
            (RELATIVE + 1, u64::from(LAST) + 100, RELATIVE),
            (u32::MAX, u64::MAX, RELATIVE),
        ];
        for (life, now, expected) in cases {
            assert_eq!(exptime(Life(life), now), expected, "{life} at {now}");
        }
    }

    #[test]
    fn a_value_is_valid_until_the_grace_begins() {
        assert_eq!(remaining(Some(GRACE + 2)), Duration::from_secs(2));
        assert_eq!(remaining(Some(GRACE)), Duration::ZERO);
        assert_eq!(remaining(Some(0)), Duration::ZERO);
        assert_eq!(remaining(None), Duration::ZERO);
        assert_eq!(age(100, Some(GRACE + 60)), Duration::from_secs(40));
        assert_eq!(age(100, Some(3)), Duration::from_secs(100));
        assert_eq!(age(100, Some(GRACE + 300)), Duration::ZERO);
    }

    #[test]
    fn a_value_is_young_when_it_is_stored_however_long_it_is_to_live() {
        for ttl in [Duration::MAX, Duration::from_secs(36_500 * 86_400), Duration::from_secs(40 * 86_400)] {
            for now in [NOW, u64::from(LAST) - 5_000_000, u64::from(LAST) - 100, u64::from(LAST) + 100] {
                let life = of_value(ttl, || now);
                let left = served(exptime(of_item(life), now), now);
                assert_eq!(age(life, u32::try_from(left).ok()), Duration::ZERO, "{ttl:?} at {now}");
            }
        }
        let never_asked = || unreachable!("the time does not matter");
        assert_eq!(of_value(Duration::from_millis(1500), never_asked), 2);
    }

    /// What a server makes of an expiry: the seconds from now on, as `protocol.txt` has it.
    fn served(exptime: u32, now: u64) -> u64 {
        if exptime <= RELATIVE { u64::from(exptime) } else { u64::from(exptime).saturating_sub(now) }
    }

    proptest! {
        #[test]
        fn a_server_keeps_an_item_for_its_life(ttl in 0..40_000_000_u64, nanos in 0..1_000_000_000_u32, now in NOW..NOW + 200_000_000) {
            let life = whole_seconds(Duration::new(ttl, nanos));
            let item = of_item(life);
            prop_assert!(Duration::from_secs(u64::from(life)) >= Duration::new(ttl, nanos));
            prop_assert_eq!(served(exptime(item, now), now), u64::from(item.0));
            prop_assert_eq!(remaining(Some(item.0)), Duration::from_secs(u64::from(life)));
            prop_assert_eq!(age(life, Some(item.0)), Duration::ZERO);
        }

        #[test]
        fn an_expiry_is_never_one_that_a_server_misreads(life: u32, now: u64) {
            let exptime = exptime(Life(life), now);
            prop_assert!((1..1 << 31).contains(&exptime));
            prop_assert!(exptime <= RELATIVE || u64::from(exptime) > now);
            prop_assert!(served(exptime, now) <= u64::from(life.max(1)));
        }
    }
}
