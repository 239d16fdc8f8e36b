//! How old a value may get: no call ever returns one older than the call's own ttl, whatever changed since it was stored, however
//! it was lengthened, and wherever a copy of it lies.

mod support;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chorde::prelude::*;
use chorde::{ErrorKind, InprocClient, ManualClock, TieredClient};
use support::gate::Gate;
use support::leasing::Leasing;
use support::{Count, bounded, drained, millis, runtime, secs, timed};

const DAY: u64 = 86_400;

/// Declares a clock and two tiers with these fractions.
macro_rules! tiers {
    ($clock:ident, $client:ident, $fractions:expr) => {
        static $clock: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static $client: LazyLock<TieredClient<InprocClient, InprocClient>> = LazyLock::new(|| {
            let (near, far) = (timed(100, &$clock), timed(100, &$clock));
            TieredClient::builder().ttl_fractions($fractions).build(near, far).unwrap()
        });
    };
}

#[test]
fn a_ttl_lowered_at_run_time_holds_at_once_for_what_is_stored() {
    store!(CACHE, CLOCK);
    static TTL: AtomicU64 = AtomicU64::new(1_000);
    static RUNS: Count = Count::new();
    fn ttl() -> Duration {
        secs(TTL.load(Ordering::Relaxed))
    }
    #[cached(client = CACHE, ttl = ttl(), ttl_spread = none, namespace = "lowered")]
    fn lowered(x: u64) -> u64 {
        x + RUNS.up()
    }
    assert_eq!(lowered(0), 1);
    CLOCK.advance(secs(40));
    assert_eq!((lowered(0), lowered::peek(0)), (1, Some(1)));

    TTL.store(60, Ordering::Relaxed);
    let entry = lowered::get_ttl(0).unwrap();
    assert!((secs(20) - entry.remaining()) < millis(1) && !entry.is_stale());
    CLOCK.advance(secs(19));
    assert_eq!((lowered(0), lowered::lazy(0)), (1, Some(1)));

    CLOCK.advance(secs(1));
    assert_eq!(lowered::peek(0), None);
    assert!(lowered::get_ttl(0).unwrap().is_stale());
    assert_eq!(lowered(0), 2);

    // Raised, it does not revive what was stored under the shorter one, nor shorten what comes.
    TTL.store(1_000, Ordering::Relaxed);
    CLOCK.advance(secs(61));
    assert_eq!(lowered(0), 3);
}

#[test]
fn a_lowered_ttl_holds_in_every_form_of_a_call() {
    bounded(|| {
        tiers!(CLOCK, TIERS, [1.0, 1.0]);
        static TTL: AtomicU64 = AtomicU64::new(1_000);
        static RUNS: Count = Count::new();
        fn ttl() -> Duration {
            secs(TTL.load(Ordering::Relaxed))
        }
        #[cached(client = TIERS, ttl = ttl(), ttl_spread = none, namespace = "every_form")]
        fn plain(x: u64) -> u64 {
            x + RUNS.up()
        }
        #[cached(client = TIERS, ttl = ttl(), ttl_spread = none, namespace = "every_form_async")]
        async fn later(x: u64) -> u64 {
            x + RUNS.up()
        }
        let runtime = runtime();
        for key in 0..5 {
            plain(key);
            runtime.block_on(later(key));
        }
        CLOCK.advance(secs(100));
        TTL.store(100, Ordering::Relaxed);
        let before = RUNS.get();
        assert!(plain(0) > before);
        assert!(plain::bg(1) > before);
        assert_eq!(plain::lazy(2), None);
        assert!(plain::future(3).wait().unwrap() > before);
        assert_eq!(plain::future_peek(4).wait().unwrap(), None);
        runtime.block_on(async {
            assert!(later(0).await > before);
            assert!(later::bg(1).await > before);
            assert_eq!(later::lazy(2).await, None);
            assert!(later::future(3).await.unwrap() > before);
            assert_eq!(later::peek(4).await, None);
        });
        drained();
    });
}

#[test]
fn a_value_put_for_longer_than_the_ttl_is_served_for_the_ttl() {
    store!(CACHE, CLOCK);
    #[cached(client = CACHE, ttl = 10, namespace = "put_for_longer")]
    fn put_for_longer(x: u64) -> u64 {
        x
    }
    let key = put_for_longer::callkey(1).unwrap();
    CACHE.put(&key, 7_u64, secs(1_000)).wait().unwrap();
    assert_eq!(put_for_longer(1), 7);
    CLOCK.advance(secs(10));
    assert_eq!((put_for_longer(1), put_for_longer::peek(1)), (1, Some(1)));
}

/// Checks that a function with these terms refreshes at the age of `async_ttl`, and neither before nor long after.
macro_rules! long_lived {
    ($ttl:expr, $async_ttl:literal, $age:expr) => {
        bounded(|| {
            store!(CACHE, CLOCK);
            #[cached(client = CACHE, ttl = $ttl, async_ttl = $async_ttl, ttl_spread = none)]
            fn long_lived(x: u64) -> u64 {
                x
            }
            for _ in 0..100 {
                long_lived(1);
            }
            CLOCK.advance(secs($age) / 2);
            long_lived(1);
            assert_eq!(long_lived::stats().computes, 1, "{} {}: too early", stringify!($ttl), $async_ttl);
            CLOCK.advance(secs($age) / 2 + secs(2));
            long_lived(1);
            drained();
            assert_eq!(long_lived::stats().due_hits, 1, "{} {}", stringify!($ttl), $async_ttl);
            assert!(long_lived::get_ttl(1).unwrap().age().unwrap() <= secs(1));
            assert!(long_lived::get_ttl(1).unwrap().remaining() > secs(29 * DAY));
        });
    };
}

#[test]
fn however_long_a_life_it_is_refreshed_in_time() {
    long_lived!(Duration::MAX, "-1h", 3_600);
    long_lived!(Duration::MAX, "-60s", 60);
    long_lived!("36500d", "-1h", 3_600);
    long_lived!("36500d", "-5s", 5);
    long_lived!("400d", "-1s", 1);
    long_lived!("190d", "-1s", 1);
    long_lived!("30d", "-1s", 1);
}

#[test]
fn renew_never_lets_a_value_live_longer_than_its_ttl() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static FAILS: AtomicU64 = AtomicU64::new(0);
        #[cached(client = CACHE, ttl = 100, async_ttl = -60, renew = 20, ttl_spread = none, namespace = "renewed")]
        fn renewed(x: u64) -> Result<u64, String> {
            if FAILS.load(Ordering::SeqCst) == 1 { Err("down".into()) } else { Ok(x) }
        }
        assert_eq!(renewed(1), Ok(1));
        FAILS.store(1, Ordering::SeqCst);
        for _ in 0..9 {
            CLOCK.advance(secs(11));
            assert_eq!(renewed(1), Ok(1));
            drained();
        }
        CLOCK.advance(secs(1));
        assert!(renewed(1).is_err());
        let held = CACHE.get::<u64>(&renewed::callkey(1).unwrap()).wait().unwrap();
        assert_eq!(held, None, "not even the client shows it");
    });
}

#[test]
fn a_copy_is_as_old_as_its_value() {
    bounded(|| {
        tiers!(CLOCK, TIERS, [1.0, 1.0]);
        static RUNS: Count = Count::new();
        #[cached(client = TIERS, ttl = 100, async_ttl = -30, ttl_spread = none, namespace = "aged_copies")]
        fn aged(x: u64) -> u64 {
            x + RUNS.up()
        }
        assert_eq!(aged(0), 1);
        let key = aged::callkey(0).unwrap();
        CLOCK.advance(secs(29));
        TIERS.near().delete(&key).wait().unwrap();
        assert_eq!(aged(0), 1, "copied at 29 s");
        let age = aged::get_ttl(0).unwrap().age().unwrap();
        assert!(age >= secs(29) && age - secs(29) < millis(1), "{age:?}");
        CLOCK.advance(secs(1));
        assert_eq!(aged(0), 1, "due at 30 s");
        drained();
        assert_eq!(aged(0), 2);
        assert_eq!(aged::stats().due_hits, 1);
    });
}

#[test]
fn a_near_copy_that_ends_early_is_not_due_for_that() {
    bounded(|| {
        tiers!(CLOCK, TIERS, [0.1, 1.0]);
        #[cached(client = TIERS, ttl = 300, async_ttl = 30, ttl_spread = none, namespace = "early_copies")]
        fn early(x: u64) -> u64 {
            x
        }
        for _ in 0..1_000 {
            assert_eq!(early(7), 7);
        }
        CLOCK.advance(secs(100));
        for _ in 0..1_000 {
            assert_eq!(early(7), 7, "copied again");
        }
        assert_eq!((early::stats().due_hits, early::stats().computes), (0, 1));
        CLOCK.advance(secs(171));
        early(7);
        drained();
        assert_eq!((early::stats().due_hits, early::stats().computes), (1, 2));
    });
}

#[test]
fn all_tiers_agree_on_the_refresh_point() {
    bounded(|| {
        tiers!(CLOCK, TIERS, [0.5, 1.0]);
        #[cached(client = TIERS, ttl = 100, async_ttl = -50, namespace = "agreed")]
        fn agreed(x: u64) -> u64 {
            x
        }
        for key in 0..20 {
            agreed(key);
        }
        CLOCK.advance(secs(30));
        for key in 0..20 {
            TIERS.near().delete(&agreed::callkey(key).unwrap()).wait().unwrap();
            agreed(key);
        }
        // Whenever the near copy is due, so is the far entry: each question to the far tier ends in a computation.
        for _ in 0..40 {
            CLOCK.advance(millis(500));
            for key in 0..20 {
                agreed(key);
                drained();
            }
        }
        let stats = agreed::stats();
        assert_eq!((stats.due_hits, stats.computes), (20, 40));
    });
}

#[test]
fn a_ttl_of_zero_stores_nothing_and_put_says_so() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    fn ttl() -> Duration {
        Duration::ZERO
    }
    #[cached(client = CACHE, ttl = ttl(), namespace = "zero")]
    fn zero(x: u64) -> u64 {
        x + RUNS.up()
    }
    assert_eq!((zero(0), zero(0)), (1, 2));
    assert_eq!(zero::put(0, 9).unwrap_err().kind(), ErrorKind::Ttl);
    assert_eq!(zero::peek(0), None);
}

#[test]
fn a_refresh_point_beyond_the_ttl_refreshes_nothing() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        fn beyond() -> Duration {
            secs(100)
        }
        #[cached(client = CACHE, ttl = 10, async_ttl = beyond(), ttl_spread = none, namespace = "beyond")]
        fn beyond_ttl(x: u64) -> u64 {
            x + RUNS.up()
        }
        for _ in 0..100 {
            assert_eq!(beyond_ttl(0), 1);
        }
        CLOCK.advance(secs(9));
        assert_eq!(beyond_ttl(0), 1);
        drained();
        assert_eq!(beyond_ttl::stats().computes, 1);
    });
}

#[test]
fn a_value_that_is_stored_late_lives_no_longer_for_it() {
    bounded(|| {
        static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static STORES: Gate = Gate::new();
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::gated(timed(100, &CLOCK), &STORES));
        #[cached(client = CLIENT, ttl = 10, ttl_spread = none, namespace = "late")]
        async fn late(x: u64) -> u64 {
            x
        }
        let caller = std::thread::spawn(|| runtime().block_on(late(1)));
        STORES.await_arrivals(1);
        CLOCK.advance(secs(11));
        STORES.open();
        assert_eq!(caller.join().unwrap(), 1);
        assert_eq!(late::peek(1).wait(), None, "it was 11 s old when it came to be stored");
    });
}
