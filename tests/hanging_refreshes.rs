//! Refreshes that do not end, and what they leave to others. The bounds are those of the process: these tests take turns.

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

use chorde::background::{self, Limits, set_limits};
use chorde::prelude::*;
use support::gate::Gate;
use support::{Count, bounded, drained, eventually, millis, runtime, secs};
use tokio::runtime::{Builder, Runtime};

/// Sets the limits for one test.
fn limited(concurrency: usize, queue: usize) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    drained();
    set_limits(Limits { concurrency, async_concurrency: concurrency, queue, ..Limits::default() });
    turn
}

/// Makes a runtime that works only while somebody blocks on it.
fn undriven() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime of one thread")
}

#[test]
fn refreshes_that_hang_hold_up_no_others_and_lose_their_places_when_their_leases_end() {
    bounded(|| {
        let _turn = limited(8, 100);
        store!(CACHE, CLOCK);
        static DOWN: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 300, async_ttl = -60, lease = 1, ttl_spread = none)]
        async fn hangs(x: u64) -> u64 {
            DOWN.passed().await;
            100 + x
        }
        #[cached(client = CACHE, ttl = 300, async_ttl = -60, ttl_spread = none)]
        fn healthy(x: u64) -> u64 {
            100 + x
        }
        #[cached(client = CACHE, ttl = 300, async_ttl = -60, ttl_spread = none)]
        async fn healthy_later(x: u64) -> u64 {
            100 + x
        }
        let runtime = runtime();
        runtime.block_on(async {
            for x in 0..20 {
                hangs::put(x, x).await.unwrap();
                healthy::put(x, x).unwrap();
                healthy_later::put(x, x).await.unwrap();
            }
            CLOCK.advance(secs(61));
            for x in 0..20 {
                assert_eq!(hangs(x).await, x);
            }
            DOWN.await_arrivals(4);
            assert_eq!((healthy(1), healthy_later(1).await, healthy::future(2).await.unwrap()), (1, 1, 2));
            let refreshed = || async { (healthy::peek(1), healthy_later::peek(1).await) };
            while refreshed().await != (Some(101), Some(101)) {
                tokio::task::yield_now().await;
            }
            assert_eq!((healthy::future(77).await.unwrap(), healthy_later::future(77).await.unwrap()), (177, 177));
            assert_eq!(DOWN.arrivals(), 4);
            for all in [8, 12, 16, 20] {
                CLOCK.advance(secs(2));
                DOWN.await_arrivals(all);
            }
            CLOCK.advance(secs(2));
        });
        assert_eq!(background::stats().async_refreshes.queued, 0);
        assert_eq!(chorde::drain(millis(1)).wait().unwrap_err().kind(), chorde::ErrorKind::Timeout);
        DOWN.open();
        drained();
        // What takes long is not lost for that.
        assert!((0..20).all(|x| hangs::peek(x).wait() == Some(100 + x)));
    });
}

#[test]
fn plain_refreshes_that_hang_take_twice_the_threads_and_no_more() {
    bounded(|| {
        let _turn = limited(4, 100);
        store!(CACHE, CLOCK);
        static DOWN: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 300, async_ttl = -60, lease = 1, ttl_spread = none)]
        fn hangs(x: u64) -> u64 {
            DOWN.pass();
            100 + x
        }
        (0..10).for_each(|x| hangs::put(x, x).unwrap());
        CLOCK.advance(secs(61));
        (0..10).for_each(|x| assert_eq!(hangs(x), x));
        for all in [2, 4, 6] {
            DOWN.await_arrivals(all);
            CLOCK.advance(secs(2));
        }
        CLOCK.advance(secs(2));
        let stats = background::stats();
        assert_eq!((stats.refreshes.running, stats.waiting, stats.refreshes.queued, DOWN.arrivals()), (2, 4, 4, 6));
        // One that ends makes room for one that has outlasted its lease already.
        for all in [7, 8] {
            DOWN.admit(1);
            DOWN.await_arrivals(all);
        }
        DOWN.open();
        drained();
        assert!((0..10).all(|x| hangs::peek(x) == Some(100 + x)));
    });
}

#[test]
fn of_refreshes_that_never_end_the_oldest_are_dropped() {
    bounded(|| {
        let _turn = limited(2, 100);
        store!(CACHE, CLOCK);
        static BEGUN: Gate = Gate::new();
        static DROPPED: Count = Count::new();
        struct Witness;
        impl Drop for Witness {
            fn drop(&mut self) {
                DROPPED.up();
            }
        }
        #[cached(client = CACHE, ttl = 60, lease = 1)]
        async fn never(x: u64) -> u64 {
            let _witness = Witness;
            BEGUN.passed().await;
            x
        }
        let runtime = runtime();
        let _inside = runtime.enter();
        for x in 0..20 {
            never::bg_refresh(x).unwrap();
        }
        for all in 1..=20 {
            BEGUN.await_arrivals(all);
            CLOCK.advance(secs(2));
        }
        // One more may come, for it is queued from now on.
        eventually("four times two are kept", || DROPPED.get() == 20 - 8);
        assert_eq!(background::stats().waiting, 8);
        BEGUN.open();
        drained();
        assert_eq!((DROPPED.get(), background::stats().waiting), (20, 0));
    });
}

#[test]
fn a_refresh_that_nobody_drives_is_left_to_others_after_its_lease() {
    bounded(|| {
        let _turn = limited(8, 100);
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 300, async_ttl = -60, lease = 2, ttl_spread = none)]
        async fn rate(x: u64) -> u64 {
            RUNS.up();
            100 + x
        }
        rate::put(1, 1).wait().unwrap();
        CLOCK.advance(secs(61));
        let mine = undriven();
        assert_eq!(mine.block_on(rate(1)), 1);
        // Up to the end of its lease it may begin.
        let server = runtime();
        assert_eq!(server.block_on(rate(1)), 1);
        assert_eq!((rate::stats().background, RUNS.get()), (1, 0));
        CLOCK.advance(secs(3));
        assert_eq!(server.block_on(rate(1)), 1);
        eventually("it is refreshed elsewhere", || rate::peek(1).wait() == Some(101));
        assert_eq!((rate::stats().background, RUNS.get()), (2, 1));
        // When it comes to run after all, there is nothing to do.
        mine.block_on(async { chorde::drain(support::PATIENCE).await.unwrap() });
        assert_eq!(RUNS.get(), 1);
    });
}

#[test]
fn refreshes_that_nobody_drives_take_no_places_and_do_not_outlive_their_leases() {
    bounded(|| {
        let _turn = limited(2, 100);
        store!(CACHE, CLOCK);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 300, async_ttl = -60, lease = 2, ttl_spread = none)]
        async fn rate(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        #[cached(client = CACHE, ttl = 300, async_ttl = -60, lease = 2, ttl_spread = none)]
        async fn other(x: u64) -> u64 {
            100 + x
        }
        for x in 0..10 {
            rate::put(x, x).wait().unwrap();
            other::put(x, x).wait().unwrap();
        }
        CLOCK.advance(secs(61));
        let mine = undriven();
        for x in 0..10 {
            mine.block_on(async {
                rate(x).await;
                other(x).await;
                // Some are polled once.
                if x == 0 {
                    tokio::task::yield_now().await;
                }
            });
        }
        let server = runtime();
        assert_eq!(server.block_on(other(1)), 1);
        server.block_on(async {
            while other::peek(1).await != Some(101) {
                CLOCK.advance(secs(3));
                other(1).await;
                tokio::task::yield_now().await;
            }
            assert_eq!(other::future(77).await.unwrap(), 177);
        });
        eventually("those that have not begun are dropped", || {
            CLOCK.advance(secs(3));
            background::stats().unfinished <= 2
        });
        drop(mine);
        drained();
        assert!(GATE.arrivals() <= 2);
    });
}

#[test]
fn a_runtime_with_a_long_queue_can_be_dropped() {
    const QUEUED: u64 = 20_000;
    bounded(|| {
        let _turn = limited(1, 3 * QUEUED as usize);
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> u64 {
            x
        }
        let mine = undriven();
        mine.block_on(async { (0..QUEUED).for_each(|x| later::bg_refresh(x).unwrap()) });
        assert_eq!(background::stats().unfinished as u64, QUEUED);
        drop(mine);
        drained();
        assert_eq!(later::stats().computes, 0);
        // No place is lost.
        later::bg_refresh(1).unwrap();
        drained();
        assert_eq!(later::peek(1).wait(), Some(1));
    });
}

#[test]
fn work_in_the_background_may_await_other_work() {
    bounded(|| {
        let _turn = limited(1, 1000);
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        async fn inner(x: u64) -> u64 {
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        fn inner_plain(x: u64) -> u64 {
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn outer(x: u64) -> u64 {
            let (plain, later) = (inner_plain::future(x), inner::future(x));
            plain.await.unwrap() + later.await.unwrap()
        }
        /// Blocks in a poll, which is bad style and must not be worse than that.
        #[cached(client = CACHE, ttl = 60)]
        async fn outermost(x: u64) -> u64 {
            outer::future(x).wait().unwrap() + inner_plain::future(x + 1).wait().unwrap()
        }
        fn all(from: u64) -> u64 {
            let futures: Vec<_> = (from..from + 50).map(outermost::future).collect();
            (from..from + 50).for_each(|x| outer::bg_refresh(1000 + x).unwrap());
            futures.into_iter().map(|future| future.wait().unwrap()).sum()
        }
        let sum = |from: u64| (from..from + 50).map(|x| 3 * x + 1).sum::<u64>();
        assert_eq!(all(0), sum(0));
        drained();
        assert!((0..50).all(|x| outer::peek(1000 + x).wait() == Some(2000 + 2 * x)));
    });
}

#[test]
fn what_a_write_has_beaten_keeps_no_lazy_call_away() {
    bounded(|| {
        let _turn = limited(8, 100);
        store!(CACHE);
        static OLD: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn plain(x: u64) -> u64 {
            if x < 10 {
                OLD.pass();
            }
            x
        }
        // By an earlier `lazy`, and by a call.
        assert_eq!(plain::lazy(1), None);
        let caller = std::thread::spawn(|| plain(2));
        OLD.await_arrivals(2);
        for x in [1, 2] {
            assert_eq!((plain::lazy(x), OLD.arrivals()), (None, 1 + x), "somebody computes");
            plain::invalidate(x).unwrap();
            assert_eq!(plain::lazy(x), None);
            OLD.await_arrivals(2 + x);
            assert_eq!(plain::lazy(x), None, "the new one is under way");
        }
        plain::clear().unwrap();
        assert_eq!(plain::lazy(1), None);
        OLD.await_arrivals(5);
        assert_eq!((OLD.arrivals(), plain::stats().background), (5, 4));
        OLD.open();
        drained();
        assert_eq!((plain::peek(1), plain::peek(2), caller.join().unwrap()), (Some(1), None, 2));
    });
}
