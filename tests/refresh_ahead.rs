//! Entries that are due: served at once, and computed anew behind the callers' backs.

mod support;

use std::time::Duration;

use chorde::prelude::*;
use support::gate::Gate;
use support::{Count, bounded, drained, info, millis, runtime, secs};

#[test]
fn a_due_entry_is_served_at_once_and_refreshed_once() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 100, async_ttl = -60)]
        fn due_once(x: u64) -> u64 {
            GATE.pass();
            x + GATE.arrivals()
        }
        GATE.admit(1);
        assert_eq!(due_once(0), 1);
        CLOCK.advance(secs(60));
        assert_eq!([due_once(0), due_once(0), due_once::bg(0)], [1, 1, 1]);
        GATE.await_arrivals(2);
        assert_eq!([due_once(0), due_once::lazy(0).unwrap(), due_once::future(0).wait().unwrap()], [1, 1, 1]);
        GATE.admit(1);
        drained();
        assert_eq!((due_once(0), due_once(0), GATE.arrivals()), (2, 2, 2));
        let stats = due_once::stats();
        assert_eq!((stats.due_hits, stats.hits, stats.misses), (6, 2, 1));
        assert_eq!((stats.background, stats.computes, info("due_once").in_flight), (1, 2, 0));
    });
}

#[test]
fn a_due_entry_of_an_asynchronous_function_is_refreshed_on_its_runtime() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 100, async_ttl = 40)]
        async fn later(x: u64) -> (u64, bool) {
            // Only inside of a runtime.
            tokio::task::yield_now().await;
            (x + RUNS.up(), tokio::runtime::Handle::try_current().is_ok())
        }
        runtime().block_on(async {
            assert_eq!(later(0).await, (1, true));
            CLOCK.advance(secs(70));
            assert_eq!(later(0).await, (1, true));
            chorde::drain(support::PATIENCE).await.unwrap();
            assert_eq!(later(0).await, (2, true));
        });
        let stats = later::stats();
        assert_eq!((stats.due_hits, stats.hits, stats.background), (1, 1, 1));
    });
}

#[test]
fn a_negative_refresh_point_is_an_age_and_a_positive_one_a_remaining_life() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 10, async_ttl = -1, ttl_spread = none)]
        fn by_age() -> u64 {
            RUNS.up()
        }
        #[cached(client = CACHE, ttl = 10, async_ttl = 9, ttl_spread = none)]
        fn by_rest() -> u64 {
            RUNS.up()
        }
        assert_eq!((by_age(), by_rest()), (1, 2));
        CLOCK.advance(secs(1) - millis(1));
        assert_eq!((by_age(), by_rest(), by_age::stats().hits, by_rest::stats().hits), (1, 2, 1, 1));
        CLOCK.advance(millis(1));
        assert_eq!((by_age::get_ttl().unwrap().remaining(), by_age(), by_age::stats().due_hits), (secs(9), 1, 1));
        // Due when less than that remains.
        CLOCK.advance(millis(1));
        assert_eq!((by_rest(), by_rest::stats().due_hits), (2, 1));
        drained();
        assert!(by_age() > 2 && by_rest() > 2, "both were refreshed");
    });
}

#[test]
fn refresh_points_are_spread_over_the_last_tenth_and_stay_where_they_are() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 1000, async_ttl = -100)]
        fn spread(x: u64) -> u64 {
            x
        }
        let due = || {
            spread::reset_stats();
            (0..400).for_each(|x| _ = spread(x));
            drained();
            spread::stats().due_hits
        };
        (0..400).for_each(|x| _ = spread(x));
        CLOCK.advance(millis(89_900));
        assert_eq!(due(), 0);
        CLOCK.advance(millis(5_100));
        let first = due();
        assert!((100..300).contains(&first), "{first} of 400 at the middle of the last tenth");
        assert_eq!(due(), 0, "those that were due are fresh, the others are not due yet");
        CLOCK.advance(secs(5));
        assert_eq!(due(), 400 - first, "all others are due at the refresh point itself");
    });
}

#[test]
fn a_background_error_keeps_the_old_entry_and_is_tried_again() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        fn flaky(x: u64) -> Result<u64, &'static str> {
            match RUNS.up() {
                2 => Err("not now"),
                3 => panic!("nor now"),
                run => Ok(x + run),
            }
        }
        assert_eq!(flaky(0), Ok(1));
        CLOCK.advance(secs(50));
        for run in 2..=4 {
            assert_eq!((flaky::get_ttl(0).unwrap().remaining(), flaky(0)), (secs(50), Ok(1)));
            drained();
            assert_eq!(RUNS.get(), run);
        }
        assert_eq!((flaky(0), flaky::get_ttl(0).unwrap().remaining()), (Ok(4), secs(100)));
        let stats = flaky::stats();
        assert_eq!((stats.due_hits, stats.hits, stats.compute_errors, stats.panics), (3, 1, 1, 1));
        assert_eq!((stats.computes, stats.background, info("flaky").in_flight), (2, 3, 0));
    });
}

#[test]
fn an_entry_whose_refreshes_fail_is_served_until_its_end_and_not_beyond() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        fn doomed(x: u64) -> Result<u64, &'static str> {
            if x > 0 { Ok(x) } else { Err("no") }
        }
        doomed::put(0, 7).unwrap();
        CLOCK.advance(secs(100) - Duration::from_nanos(1));
        assert_eq!(doomed(0), Ok(7));
        drained();
        CLOCK.advance(Duration::from_nanos(1));
        assert_eq!((doomed(0), doomed::peek(0)), (Err("no"), None));
    });
}

#[test]
fn bg_makes_entries_due_at_half_of_their_life() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 100, ttl_spread = none)]
        fn ticket() -> u64 {
            RUNS.up()
        }
        #[cached(client = CACHE, ttl = 100, ttl_spread = none)]
        async fn later() -> u64 {
            RUNS.up()
        }
        assert_eq!((ticket::bg(), later::bg().wait()), (1, 2));
        CLOCK.advance(secs(49));
        assert_eq!((ticket::bg(), later::bg().wait(), ticket::stats().hits), (1, 2, 1));
        CLOCK.advance(secs(1));
        assert_eq!((ticket(), later().wait(), ticket::stats().due_hits), (1, 2, 0));
        assert_eq!((ticket::bg(), later::bg().wait()), (1, 2));
        assert_eq!((ticket::stats().due_hits, later::stats().due_hits), (1, 1));
        drained();
        assert!(ticket() > 2 && later().wait() > 2, "both were refreshed");
        assert_eq!((ticket::stats().computes, later::stats().computes), (2, 2));
    });
}

#[test]
fn bg_makes_entries_of_a_remote_client_due_as_well() {
    use std::sync::LazyLock;
    bounded(|| {
        static CLOCK: LazyLock<chorde::ManualClock> = LazyLock::new(chorde::ManualClock::new);
        static CLIENT: LazyLock<support::failing::Failing> =
            LazyLock::new(|| support::failing::Failing::new(support::timed(10, &CLOCK)));
        static RUNS: Count = Count::new();
        #[cached(client = CLIENT, ttl = 100, ttl_spread = none)]
        fn remote() -> u64 {
            RUNS.up()
        }
        assert_eq!(remote::bg(), 1);
        CLOCK.advance(secs(51));
        assert_eq!((remote(), remote::bg(), remote::stats().due_hits), (1, 1, 1));
        drained();
        assert_eq!((remote(), RUNS.get(), remote::stats().background), (2, 2, 1));
    });
}

#[test]
fn bg_of_a_function_with_a_refresh_point_keeps_to_that() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 100, async_ttl = 20, ttl_spread = none)]
        fn ticket() {}
        ticket::bg();
        CLOCK.advance(secs(60));
        ticket::bg();
        assert_eq!((ticket::stats().hits, ticket::stats().due_hits), (1, 0));
        CLOCK.advance(secs(21));
        ticket::bg();
        assert_eq!((ticket::stats().hits, ticket::stats().due_hits), (1, 1));
    });
}

#[test]
fn lazy_serves_what_is_due_and_not_what_is_stale() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        fn ticket() -> u64 {
            RUNS.up()
        }
        assert_eq!(ticket(), 1);
        CLOCK.advance(secs(50));
        assert_eq!(ticket::lazy(), Some(1));
        drained();
        assert_eq!(ticket::lazy(), Some(2));
        CLOCK.advance(secs(100));
        assert_eq!(ticket::lazy(), None);
        drained();
        assert_eq!((ticket::lazy(), RUNS.get()), (Some(3), 3));
        let stats = ticket::stats();
        assert_eq!((stats.hits, stats.due_hits, stats.misses, stats.background), (2, 1, 2, 2));
    });
}

#[test]
fn arguments_that_are_references_are_kept_for_the_refresh() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 100, async_ttl = -50)]
        fn joined(words: &[String], glue: &str, last: Option<&str>) -> String {
            format!("{}{}{}", words.join(glue), last.unwrap_or("."), RUNS.up())
        }
        {
            let words = ["a".to_owned(), "b".to_owned()];
            assert_eq!(joined(&words, &String::from("-"), Some("!")), "a-b!1");
            CLOCK.advance(secs(50));
            assert_eq!(joined(&words, &String::from("-"), Some("!")), "a-b!1");
        }
        drained();
        assert_eq!(joined::peek(&["a".to_owned(), "b".to_owned()], "-", Some("!")).as_deref(), Some("a-b!2"));
    });
}
