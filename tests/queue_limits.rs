//! The bounds of background work. They are those of the process: these tests take turns.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use chorde::background::{Limits, limits, set_limits};
use chorde::prelude::*;
use chorde::{ErrorKind, InprocClient, ManualClock};
use support::gate::Gate;
use support::leasing::{Answer, Leasing};
use support::{Count, bounded, drained, info, millis, secs};

/// Sets the limits for one test.
fn limited(concurrency: usize, queue: usize) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    drained();
    set_limits(Limits { concurrency, queue });
    turn
}

#[test]
fn what_does_not_fit_is_refused_and_counted() {
    bounded(|| {
        let _turn = limited(2, 3);
        store!(CACHE, CLOCK);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        fn crowded(x: u64) -> u64 {
            GATE.pass();
            100 + x
        }
        (0..10).for_each(|x| crowded::put(x, x).unwrap());
        CLOCK.advance(secs(50));
        // The callers notice nothing.
        (0..10).for_each(|x| assert_eq!(crowded(x), x));
        let stats = crowded::stats();
        assert_eq!((stats.due_hits, stats.background, stats.refused), (10, 5, 5));
        GATE.await_arrivals(2);
        assert_eq!((crowded::lazy(77), crowded::stats().refused), (None, 6));
        crowded::bg_refresh(78);
        assert_eq!(crowded::stats().refused, 7);
        assert_eq!(crowded::future(79).wait().unwrap_err().kind(), ErrorKind::Overloaded);
        assert_eq!(chorde::drain(millis(1)).wait().unwrap_err().kind(), ErrorKind::Timeout);
        GATE.open();
        drained();
        let refreshed = (0..10).filter(|x| crowded::peek(*x) == Some(100 + x)).count();
        assert_eq!((refreshed, GATE.arrivals(), info("crowded").in_flight), (5, 5, 0));
        // What was refused may be tried again.
        (0..10).for_each(|x| _ = crowded(x));
        drained();
        (0..10).for_each(|x| _ = crowded(x));
        drained();
        assert_eq!((0..10).filter(|x| crowded::peek(*x) == Some(100 + x)).count(), 10);
    });
}

#[test]
fn a_refresh_that_waits_for_longer_than_its_lease_leaves_it_to_others() {
    bounded(|| {
        let _turn = limited(1, 10);
        store!(OTHER);
        static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(support::timed(100, &CLOCK)));
        static GATE: Gate = Gate::new();
        #[cached(client = OTHER, ttl = 60)]
        fn busy() {
            GATE.pass();
        }
        #[cached(client = CLIENT, ttl = 600, async_ttl = -50, lease = 2, ttl_spread = none)]
        fn refreshed(x: u64) -> u64 {
            100 + x
        }
        (0..2).for_each(|x| refreshed::put(x, x).unwrap());
        CLOCK.advance(secs(50));
        busy::bg_refresh();
        GATE.await_arrivals(1);
        // By the time that it is its turn, another process has taken the first claim for given up and has computed.
        CLIENT.plan([Answer::Due(5), Answer::Due(6), Answer::Won(0)]);
        assert_eq!(refreshed(0), 0);
        CLOCK.advance(millis(1500));
        assert_eq!(refreshed(1), 1);
        CLOCK.advance(millis(1000));
        GATE.open();
        drained();
        assert_eq!((CLIENT.released(), CLIENT.filled()), (vec![5], vec![6]));
        assert_eq!((refreshed::peek(0), refreshed::peek(1)), (Some(0), Some(101)));
    });
}

#[test]
fn no_more_run_at_once_than_allowed() {
    bounded(|| {
        let _turn = limited(3, 1000);
        store!(CACHE);
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        #[cached(client = CACHE, ttl = 60)]
        fn counted(_x: u64) {
            MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn counted_later(_x: u64) {
            MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        }
        support::runtime().block_on(async {
            for x in 0..300 {
                counted::bg_refresh(x);
                counted_later::bg_refresh(x);
            }
            chorde::drain(support::PATIENCE).await.unwrap();
        });
        let most = MOST.load(Ordering::SeqCst);
        assert!((1..=3).contains(&most), "{most}");
        assert_eq!((counted::stats().computes, counted_later::stats().computes), (300, 300));
    });
}

#[test]
fn a_wider_limit_lets_in_what_is_queued() {
    bounded(|| {
        let _turn = limited(1, 10);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn held(x: u64) -> u64 {
            GATE.pass();
            x
        }
        (0..4).for_each(held::bg_refresh);
        GATE.await_arrivals(1);
        assert_eq!(GATE.arrivals(), 1);
        set_limits(Limits { concurrency: 4, ..limits() });
        GATE.await_arrivals(4);
        GATE.open();
        drained();
    });
}

#[test]
fn a_concurrency_of_zero_counts_as_one() {
    bounded(|| {
        let _turn = limited(0, 10);
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn lone() -> u64 {
            1
        }
        assert_eq!((limits().concurrency, lone::future().wait().unwrap()), (1, 1));
    });
}

#[test]
fn a_future_cancelled_before_its_start_never_runs() {
    bounded(|| {
        let _turn = limited(1, 10);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn held() {
            GATE.pass();
        }
        #[cached(client = CACHE, ttl = 60)]
        fn ticket(x: u64) -> u64 {
            x + RUNS.up()
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> u64 {
            x + RUNS.up()
        }
        let running = held::future();
        GATE.await_arrivals(1);
        let waiting = [ticket::future(1), later::future(1), ticket::future_refresh(2)];
        assert_eq!((running.cancel(), waiting.each_ref().map(chorde::CacheFuture::cancel)), (false, [true; 3]));
        assert!(waiting.iter().all(|future| future.is_done() && !future.cancel()));
        GATE.open();
        drained();
        for future in waiting {
            assert_eq!(future.wait().unwrap_err().kind(), ErrorKind::Cancelled);
        }
        assert_eq!((running.wait().unwrap(), RUNS.get(), ticket::peek(1)), ((), 0, None));
    });
}

#[test]
fn background_work_may_wait_for_other_background_work() {
    bounded(|| {
        let _turn = limited(1, 100);
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn leaf(x: u64) -> u64 {
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later_leaf(x: u64) -> u64 {
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        fn tree(x: u64) -> u64 {
            if x == 0 {
                return 0;
            }
            let parts = [leaf::future(x), later_leaf::future(x), tree::future(x - 1)];
            parts.into_iter().map(|part| part.wait().unwrap()).sum()
        }
        tree::bg_refresh(5);
        assert_eq!(tree::future(6).wait().unwrap(), 2 * 21);
        drained();
        assert_eq!(tree::peek(5), Some(2 * 15));
    });
}

#[test]
fn background_work_may_wait_for_a_flight_that_is_still_in_the_queue() {
    bounded(|| {
        let _turn = limited(1, 100);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn leaf() -> u64 {
            7
        }
        #[cached(client = CACHE, ttl = 60)]
        fn root() -> u64 {
            GATE.pass();
            leaf()
        }
        root::bg_refresh();
        GATE.await_arrivals(1);
        leaf::bg_refresh();
        assert_eq!(leaf::lazy(), None);
        GATE.open();
        drained();
        assert_eq!((root::peek(), leaf::peek()), (Some(7), Some(7)));
    });
}

#[test]
fn a_claim_whose_refresh_is_refused_is_released() {
    bounded(|| {
        let _turn = limited(1, 0);
        static GATE: Gate = Gate::new();
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(InprocClient::new(100)));
        #[cached(client = CLIENT, ttl = 600, async_ttl = -60)]
        fn due(x: u64) -> u64 {
            GATE.pass();
            x
        }
        (0..2).for_each(|x| due::put(x, 50).unwrap());
        CLIENT.plan([Answer::Due(1), Answer::Due(2)]);
        assert_eq!(due(0), 50);
        GATE.await_arrivals(1);
        assert_eq!((due(1), due::stats().refused, CLIENT.released()), (50, 1, vec![2]));
        GATE.open();
        drained();
        assert_eq!((CLIENT.filled(), CLIENT.released()), (vec![1], vec![2]));
    });
}
