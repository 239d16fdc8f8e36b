//! Exactly which counter moves when.

mod support;

use std::time::Duration;

use chorde::prelude::*;
use chorde::{ManualClock, Stats};
use support::hand::{Hand, pause};
use support::{Count, bounded, drained, millis, secs};

/// Shows the counters that are not zero.
fn moved(stats: &Stats) -> Vec<(&'static str, u64)> {
    let all = [
        ("hits", stats.hits),
        ("due_hits", stats.due_hits),
        ("misses", stats.misses),
        ("coalesced", stats.coalesced),
        ("computes", stats.computes),
        ("compute_errors", stats.compute_errors),
        ("panics", stats.panics),
        ("background", stats.background),
        ("refused", stats.refused),
        ("key_errors", stats.key_errors),
        ("client_errors", stats.client_errors),
        ("superseded", stats.superseded),
        ("timed", stats.compute_time.count()),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Asserts what moves when something is done, and forgets it.
macro_rules! moves {
    ($function:ident: $done:expr => [$($counter:ident $by:literal),*]) => {{
        $function::reset_stats();
        let _ = $done;
        drained();
        assert_eq!(moved(&$function::stats()), [$((stringify!($counter), $by)),*], stringify!($done));
    }};
}

#[test]
fn each_companion_moves_what_its_documentation_says() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        fn ticket(x: u64) -> Result<u64, &'static str> {
            assert_ne!(x, 13, "unlucky");
            if x == 4 { Err("unlucky too") } else { Ok(x) }
        }
        moves!(ticket: ticket::peek(1) => []);
        moves!(ticket: ticket::get_ttl(1) => []);
        moves!(ticket: ticket::put(9, 9) => []);
        moves!(ticket: (ticket::invalidate(9), ticket::expire(9), ticket::clear(), ticket::callkey(9)) => []);
        moves!(ticket: ticket::uncached(1) => []);
        moves!(ticket: ticket(1) => [misses 1, computes 1, timed 1]);
        moves!(ticket: ticket(1) => [hits 1]);
        moves!(ticket: ticket::bg(1) => [hits 1]);
        moves!(ticket: ticket::lazy(1) => [hits 1]);
        moves!(ticket: ticket::future(1).wait() => [hits 1]);
        moves!(ticket: ticket::future_lazy(1).wait() => [hits 1]);
        moves!(ticket: (ticket::peek(1), ticket::future_peek(1).wait(), ticket::get_ttl(1)) => []);
        moves!(ticket: ticket::refresh(1) => [computes 1, timed 1]);
        moves!(ticket: ticket::future_refresh(1).wait() => [computes 1, timed 1]);
        moves!(ticket: ticket::bg_refresh(1).unwrap() => [computes 1, background 1, timed 1]);
        moves!(ticket: ticket::bg(2) => [misses 1, computes 1, timed 1]);
        moves!(ticket: ticket::future(3).wait() => [misses 1, computes 1, timed 1]);
        moves!(ticket: ticket(4) => [misses 1, compute_errors 1]);
        moves!(ticket: ticket::refresh(4) => [compute_errors 1]);
        moves!(ticket: ticket::future(13).wait() => [misses 1, panics 1]);
        moves!(ticket: ticket::bg_refresh(13).unwrap() => [panics 1, background 1]);
        moves!(ticket: ticket::lazy(5) => [misses 1, computes 1, background 1, timed 1]);
        moves!(ticket: ticket::lazy(4) => [misses 1, compute_errors 1, background 1]);
        CLOCK.advance(secs(50));
        moves!(ticket: ticket(1) => [due_hits 1, computes 1, background 1, timed 1]);
        moves!(ticket: ticket::lazy(2) => [due_hits 1, computes 1, background 1, timed 1]);
        moves!(ticket: ticket::future(3).wait() => [due_hits 1, computes 1, background 1, timed 1]);
        moves!(ticket: ticket::peek(5) => []);
        moves!(ticket: ticket::bg(5) => [due_hits 1, computes 1, background 1, timed 1]);
    });
}

#[test]
fn coalesced_calls_and_superseded_values_are_counted() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, timings = false)]
    async fn slow(x: u64) -> u64 {
        pause().await;
        x
    }
    let mut calls = [Hand::begun(slow(1)), Hand::begun(slow(1)), Hand::begun(slow(1))];
    slow::put(1, 5).wait().unwrap();
    assert_eq!(calls.each_mut().map(Hand::run), [Some(1); 3]);
    assert_eq!(moved(&slow::stats()), [("misses", 3), ("coalesced", 2), ("computes", 1), ("superseded", 1)]);
}

#[test]
fn every_call_moves_exactly_one_of_four() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 40, async_ttl = -20)]
        fn mixed(x: u64) -> Result<u64, u64> {
            if x.is_multiple_of(7) { Err(x) } else { Ok(x) }
        }
        let mut calls = 0;
        for round in 0..50 {
            for x in 0..20 {
                match (x + round) % 4 {
                    0 => _ = mixed(x),
                    1 => _ = mixed::bg(x),
                    2 => _ = mixed::future(x).wait().unwrap(),
                    _ => _ = mixed::lazy(x),
                }
                calls += 1;
            }
            CLOCK.advance(secs(3));
        }
        let stats = mixed::stats();
        assert_eq!(stats.hits + stats.due_hits + stats.misses + stats.key_errors, calls);
        assert!(stats.hits > 0 && stats.due_hits > 0 && stats.misses > 0);
        let ratio = (stats.hits + stats.due_hits) as f64 / calls as f64;
        assert!((stats.hit_ratio() - ratio).abs() < 1e-9);
    });
}

#[test]
fn hits_are_counted_from_all_threads() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn ticket() -> u64 {
        1
    }
    ticket();
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| (0..250).for_each(|_| _ = ticket()));
        }
    });
    assert_eq!((ticket::stats().hits, ticket::stats().misses), (10_000, 1));
    ticket::reset_stats();
    assert_eq!(ticket::stats(), Stats::default());
}

#[test]
fn computations_are_timed_by_the_clock_of_the_client() {
    store!(CACHE, CLOCK);
    #[cached(client = CACHE, ttl = 600)]
    fn takes(time: Duration) -> u64 {
        let clock: &ManualClock = &CLOCK;
        clock.advance(time);
        1
    }
    takes::set_timing_bins(4, secs(1));
    for time in [millis(100), millis(300), millis(600), secs(5)] {
        takes(time);
    }
    takes(secs(5));
    let times = takes::stats().compute_time;
    assert_eq!(times.histogram(), [1, 1, 1, 1]);
    assert_eq!((times.min(), times.max()), (Some(millis(100)), Some(secs(5))));
    assert_eq!((times.count(), times.sum(), times.mean()), (4, secs(6), Some(millis(1500))));
    assert!((times.sum_sq() - 25.46).abs() < 1e-9, "{}", times.sum_sq());
    takes::reset_stats();
    let times = takes::stats().compute_time;
    assert_eq!((times.histogram(), times.min(), times.max(), times.count()), (&[0, 0, 0, 0][..], None, None, 0));
    assert_eq!((takes::stats().hits, takes::stats().misses), (0, 0));
}

#[test]
fn computations_that_fail_are_not_timed_and_timing_can_be_turned_off() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn fails() -> Result<u64, u64> {
        Err(RUNS.up())
    }
    #[cached(client = CACHE, ttl = 60, timings = false)]
    fn untimed() -> u64 {
        1
    }
    assert_eq!((fails(), untimed()), (Err(1), 1));
    assert_eq!((fails::stats().compute_time.count(), untimed::stats().compute_time.count()), (0, 0));
    assert_eq!(untimed::stats().computes, 1);
}
