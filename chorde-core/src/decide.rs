//! What to do with what was found: pure, of what is known about an entry and the call's policy alone.

use std::time::Duration;

use crate::clock::nanos;
use crate::entry::Vitals;
use crate::policy::{CallPolicy, RefreshPoint, Spread};

/// Says what becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Serve the entry.
    Serve,
    /// Serve the entry and compute a new one in the background.
    ServeAndRefresh,
    /// There is nothing to serve.
    Compute,
}

/// Decides about an entry found, or not found.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn decide(found: Option<Vitals>, policy: &CallPolicy) -> Decision {
    let Some(vitals) = found else { return Decision::Compute };
    let vitals = vitals.within(policy);
    if vitals.left <= 0 {
        return Decision::Compute;
    }
    if policy.refresh == RefreshPoint::Never || !is_due(vitals, policy) {
        return Decision::Serve;
    }
    Decision::ServeAndRefresh
}

/// Decides whether a valid entry is past its refresh point: an age uniform in [90 %, 100 %] of the configured one,
/// drawn from the entry's seed so that all who read the entry agree.
#[inline]
fn is_due(vitals: Vitals, policy: &CallPolicy) -> bool {
    let Some(point) = policy.refresh_age_nanos() else { return false };
    // What a copy has left says nothing of the value.
    if let RefreshPoint::Remaining(remaining) = policy.refresh
        && vitals.remaining() < nanos(remaining)
        && !vitals.is_copy
    {
        return true;
    }
    let age = vitals.age().unwrap_or_else(|| policy.ttl.saturating_sub(vitals.remaining()));
    // Most entries are too young for any draw.
    age >= point - point / 10 && age >= spread_point(point, vitals.seed, policy) && is_known(vitals, point)
}

/// Returns whether an age is known well enough for a refresh point: that of an entry that lives for months may be a second too
/// long.
fn is_known(vitals: Vitals, point: u64) -> bool {
    vitals.least_age().is_none_or(|age| age >= point / 2)
}

/// Returns below which remaining life an entry is due that tells nothing else of itself, as [`decide`] sees it.
pub(crate) fn due_below(policy: &CallPolicy) -> Duration {
    policy.refresh_age_nanos().map_or(Duration::ZERO, |point| {
        Duration::from_nanos(policy.ttl.saturating_sub(spread_point(point, 0, policy)).saturating_add(1))
    })
}

fn spread_point(point: u64, seed: u64, policy: &CallPolicy) -> u64 {
    if policy.spread == Spread::None {
        return point;
    }
    let fraction = f64::from((mix(seed) >> 32) as u32) / f64::from(u32::MAX);
    point - ((point / 10) as f64 * fraction) as u64
}

/// Spreads the bits of a seed over the word (the finalizer of `SplitMix64`: Steele, Lea and Flood, OOPSLA 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::life;

    const SECOND: u64 = 1_000_000_000;

    fn vitals(age: u64, remaining: u64) -> Option<Vitals> {
        let (left, life) = ((remaining * SECOND).cast_signed(), life::in_24_bits((age + remaining) * SECOND));
        Some(Vitals { left, life, seed: 1, is_copy: false })
    }

    fn policy() -> CallPolicy {
        CallPolicy::new(Duration::from_secs(300))
    }

    #[test]
    fn nothing_and_stale_are_computed() {
        assert_eq!(decide(None, &policy()), Decision::Compute);
        assert_eq!(decide(vitals(300, 0), &policy()), Decision::Compute);
    }

    #[test]
    fn valid_is_served_without_refresh_point() {
        assert_eq!(decide(vitals(299, 1), &policy()), Decision::Serve);
    }

    #[test]
    fn a_negative_point_is_an_age() {
        let policy = policy().refresh_age(Duration::from_secs(60));
        assert_eq!(decide(vitals(53, 247), &policy), Decision::Serve);
        assert_eq!(decide(vitals(60, 240), &policy), Decision::ServeAndRefresh);
        let exact = policy.no_spread();
        assert_eq!(decide(vitals(59, 241), &exact), Decision::Serve);
        assert_eq!(decide(vitals(60, 240), &exact), Decision::ServeAndRefresh);
    }

    #[test]
    fn a_positive_point_is_a_remaining_life() {
        let policy = policy().refresh_remaining(Duration::from_secs(60)).no_spread();
        assert_eq!(decide(vitals(100, 60), &policy), Decision::Serve);
        assert_eq!(decide(vitals(100, 59), &policy), Decision::ServeAndRefresh);
        assert_eq!(decide(vitals(240, 60), &policy), Decision::ServeAndRefresh);
    }

    #[test]
    fn an_unknown_age_follows_from_the_ttl() {
        let policy = policy().refresh_age(Duration::from_secs(60)).no_spread();
        let unknown = |remaining: u64| Some(Entry::new((), Duration::from_secs(remaining)).vitals());
        assert_eq!(decide(unknown(241), &policy), Decision::Serve);
        assert_eq!(decide(unknown(240), &policy), Decision::ServeAndRefresh);
        assert_eq!(due_below(&policy), Duration::from_nanos(240 * SECOND + 1));
    }

    #[test]
    fn what_was_found_is_shared_with_calls_that_would_serve_it_themselves() {
        let unknown = Some(Entry::new((), Duration::from_secs(200)).vitals());
        for found in [vitals(53, 247), vitals(0, 300), vitals(100, 1), unknown].into_iter().flatten() {
            for ttl in [1, 52, 53, 54, 100, 101, 199, 200, 201, 300, 1000] {
                let policy = CallPolicy::new(Duration::from_secs(ttl));
                assert_eq!(policy.ttl > found.exceeded(), found.within(&policy).left > 0, "{found:?} {ttl}");
            }
        }
    }

    #[test]
    fn refresh_points_are_uniform_in_the_last_tenth() {
        let policy = policy().refresh_age(Duration::from_secs(100));
        let mut points: Vec<u64> = (0..1000).map(|seed| spread_point(100 * SECOND, seed, &policy)).collect();
        points.sort_unstable();
        assert!(points[0] >= 90 * SECOND && points[999] <= 100 * SECOND);
        let median = points[500] as f64 / SECOND as f64;
        assert!((median - 95.0).abs() < 1.0, "{median}");
    }
}
