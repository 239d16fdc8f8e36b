//! Leaders that compute in their own futures, since their arguments cannot be owned, and go away or are not polled any more;
//! and waiters that do not wait.

mod support;

use std::sync::LazyLock;

use chorde::prelude::*;
use support::gate::Gate;
use support::hand::{Hand, pause};
use support::leasing::Leasing;
use support::{Count, bounded, eventually, info, secs, timed};

#[test]
fn a_leader_dropped_at_any_await_hands_over_to_a_waiter() {
    static STORING: Gate = Gate::new();
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::gated(chorde::InprocClient::new(100), &STORING));
    static RUNS: Count = Count::new();
    #[cached(client = CLIENT, ttl = 60, companions = false)]
    async fn in_steps(key: u64) -> u64 {
        RUNS.up();
        pause().await;
        pause().await;
        pause().await;
        key
    }
    // Three pauses in the function, the fourth step is held up in the store.
    for steps in 1..=4 {
        let before = RUNS.get();
        let mut leader = Hand::new(in_steps(steps));
        for _ in 0..steps {
            assert!(leader.step().is_pending());
        }
        assert_eq!(STORING.arrivals(), if steps == 4 { 4 } else { steps - 1 });
        let mut waiters = [Hand::begun(in_steps(steps)), Hand::begun(in_steps(steps))];
        assert_eq!(waiters[0].run(), None);
        drop(leader);
        STORING.admit(1);
        assert_eq!(waiters.each_mut().map(Hand::run), [Some(steps), Some(steps)]);
        assert_eq!((RUNS.get() - before, info("in_steps").in_flight), (2, 0));
        assert_eq!(in_steps(steps).wait(), steps);
        assert_eq!(RUNS.get() - before, 2);
    }
    let stats = info("in_steps").stats;
    assert_eq!((stats.computes, stats.coalesced), (5, 4));
}

#[test]
fn a_leader_that_is_not_polled_is_overtaken_after_its_lease() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 600, lease = 3, companions = false)]
    async fn forgotten() -> u64 {
        let run = RUNS.up();
        pause().await;
        run
    }
    let mut leader = Hand::begun(forgotten());
    CLOCK.advance(secs(1));
    let mut waiters = [Hand::begun(forgotten()), Hand::begun(forgotten())];
    // From when on somebody waits.
    CLOCK.advance(secs(3) - std::time::Duration::from_nanos(1));
    assert_eq!((waiters[0].rung(), waiters[0].run()), (0, None));
    CLOCK.advance(std::time::Duration::from_nanos(1));
    assert_eq!(waiters.each_mut().map(Hand::run), [Some(2), Some(2)]);
    assert_eq!((forgotten().wait(), RUNS.get()), (2, 2));
    // It has its value, but that is not what is stored.
    assert_eq!((leader.run(), forgotten().wait()), (Some(1), 2));
    let stats = info("forgotten").stats;
    assert_eq!((stats.computes, stats.superseded, info("forgotten").in_flight), (2, 1, 0));
}

#[test]
fn a_leader_that_is_polled_now_and_then_is_not_overtaken() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    static GATE: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 600, lease = 3, companions = false)]
    async fn steady() -> u64 {
        GATE.passed().await;
        RUNS.up()
    }
    let mut leader = Hand::begun(steady());
    let mut waiter = Hand::begun(steady());
    for _ in 0..7 {
        CLOCK.advance(secs(2));
        assert!(leader.step().is_pending());
        assert_eq!(waiter.run(), None);
    }
    GATE.open();
    assert_eq!((leader.run(), waiter.run(), RUNS.get()), (Some(1), Some(1), 1));
}

#[test]
fn a_thread_that_computes_for_long_has_one_who_waits_compute_beside_it_after_each_lease() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static FIRST: Gate = Gate::new();
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 6000, lease = 3)]
        fn busy() -> u64 {
            let run = RUNS.up();
            if run == 1 {
                FIRST.pass();
            }
            run
        }
        let leader = std::thread::spawn(busy);
        FIRST.await_arrivals(1);
        let waiters: Vec<_> = (0..3).map(|_| std::thread::spawn(busy)).collect();
        eventually("they wait", || busy::stats().coalesced == 0 && info("busy").in_flight == 1);
        while !waiters.iter().any(std::thread::JoinHandle::is_finished) {
            CLOCK.advance(secs(1));
            std::thread::yield_now();
        }
        // The caller that computed beside it shares the value with all others; the leader's value is older.
        for waiter in waiters {
            assert!(waiter.join().unwrap() > 1);
        }
        FIRST.open();
        assert_eq!(leader.join().unwrap(), 1);
        assert!(busy() > 1 && RUNS.get() <= 4);
        assert_eq!(info("busy").in_flight, 0);
    });
}

#[test]
fn a_waiter_dropped_when_its_turn_has_come_passes_it_on() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, companions = false)]
    async fn relay() -> u64 {
        let run = RUNS.up();
        pause().await;
        run
    }
    let leader = Hand::begun(relay());
    let (first, second, mut third) = (Hand::begun(relay()), Hand::begun(relay()), Hand::begun(relay()));
    drop(leader);
    assert_eq!([first.rung(), second.rung(), third.rung()], [1, 0, 0]);
    drop(first);
    assert_eq!([second.rung(), third.rung()], [1, 0]);
    drop(second);
    assert_eq!((third.rung(), third.run(), RUNS.get()), (1, Some(2), 2));
    assert_eq!(info("relay").in_flight, 0);
}

#[test]
fn when_all_are_dropped_nothing_is_left() {
    store!(CACHE);
    static GATE: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 60, detach = false)]
    async fn deserted() -> u64 {
        GATE.passed().await;
        1
    }
    for leader_first in [true, false] {
        type Call = std::pin::Pin<Box<dyn Future<Output = u64>>>;
        let call = |_| Hand::begun(Box::pin(deserted()) as Call);
        let mut calls: Vec<Hand<Call>> = (0..3).map(call).collect();
        calls.push(Hand::begun(Box::pin(deserted::refresh())));
        if leader_first {
            calls.reverse();
        }
        assert_eq!(info("deserted").in_flight, 2);
        while calls.pop().is_some() {}
        eventually("no flight is left", || info("deserted").in_flight == 0);
    }
    GATE.open();
    assert_eq!(deserted().wait(), 1);
}

#[test]
fn dropping_a_waiter_does_not_disturb_the_others() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, companions = false)]
    async fn shared() -> u64 {
        let run = RUNS.up();
        pause().await;
        run
    }
    let mut leader = Hand::begun(shared());
    let (dropped, mut waiter) = (Hand::begun(shared()), Hand::begun(shared()));
    drop(dropped);
    assert_eq!((leader.run(), waiter.run(), RUNS.get()), (Some(1), Some(1), 1));
}

#[test]
fn a_future_that_is_dropped_computes_for_those_who_wait() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow() -> u64 {
            GATE.pass();
            GATE.arrivals()
        }
        let future = slow::future();
        GATE.await_arrivals(1);
        let waiter = std::thread::spawn(slow);
        drop(future);
        GATE.open();
        assert_eq!(waiter.join().unwrap(), 1);
        eventually("the computation is stored", || slow::peek() == Some(1));
    });
}

#[test]
fn an_aborted_task_hands_over() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60, companions = false)]
        async fn abortable() -> u64 {
            GATE.passed().await;
            GATE.arrivals()
        }
        support::runtime().block_on(async {
            let leader = tokio::spawn(abortable());
            while GATE.arrivals() < 1 {
                tokio::task::yield_now().await;
            }
            let waiters: Vec<_> = (0..5).map(|_| tokio::spawn(abortable())).collect();
            leader.abort();
            assert!(leader.await.unwrap_err().is_cancelled());
            while GATE.arrivals() < 2 {
                tokio::task::yield_now().await;
            }
            GATE.open();
            for waiter in waiters {
                assert_eq!(waiter.await.unwrap(), 2);
            }
        });
        assert_eq!((GATE.arrivals(), info("abortable").stats.computes, info("abortable").in_flight), (2, 1, 0));
    });
}

#[test]
fn a_runtime_that_shuts_down_leaves_no_flight() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn homeless() -> u64 {
            GATE.passed().await;
            7
        }
        let runtime = support::runtime();
        let task = runtime.spawn(homeless());
        let context = runtime.enter();
        let future = homeless::future();
        drop(context);
        eventually("the computation has begun", || GATE.arrivals() == 1);
        drop(runtime);
        assert_eq!(future.wait().unwrap_err().kind(), chorde::ErrorKind::Cancelled);
        drop(task);
        eventually("no flight is left", || info("homeless").in_flight == 0);
        GATE.open();
        assert_eq!(homeless().wait(), 7);
    });
}

#[test]
fn a_woken_waiter_that_is_not_polled_is_passed_over_after_the_lease() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 600, lease = 3, companions = false)]
    async fn sleepy() -> u64 {
        let run = RUNS.up();
        pause().await;
        run
    }
    let leader = Hand::begun(sleepy());
    let (sleeper, mut waiter) = (Hand::begun(sleepy()), Hand::begun(sleepy()));
    drop(leader);
    assert_eq!((sleeper.rung(), waiter.rung()), (1, 0));
    CLOCK.advance(secs(3));
    assert_eq!((waiter.rung(), waiter.run()), (1, Some(2)));
}

#[test]
fn a_leader_that_is_not_polled_in_the_store_holds_nobody_up_for_longer_than_the_lease() {
    static STORING: Gate = Gate::new();
    static CLOCK: LazyLock<chorde::ManualClock> = LazyLock::new(chorde::ManualClock::new);
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::gated(timed(100, &CLOCK), &STORING));
    static RUNS: Count = Count::new();
    // What is generic in anything is not known to be fit for the background.
    #[cached(client = CLIENT, ttl = 600, lease = 3)]
    async fn stored_late<T: Into<u64> + serde::Serialize + Send + Sync>(key: T) -> u64 {
        key.into() + RUNS.up()
    }
    let mut leaders =
        [Hand::begun(stored_late(0_u64)), Hand::begun(stored_late(10_u64)), Hand::begun(stored_late(20_u64))];
    let mut waiter = Hand::begun(stored_late(0_u64));
    let mut put = Hand::begun(stored_late::put(10_u64, 50));
    CLOCK.advance(secs(3));
    STORING.admit(1);
    assert_eq!((waiter.run(), put.run().map(|put| put.is_ok())), (Some(4), Some(true)));
    assert_eq!((stored_late(0_u64).wait(), stored_late(10_u64).wait()), (4, 50));
    // The late ones end after all, and leave no older value behind.
    STORING.open();
    assert_eq!(leaders.each_mut().map(Hand::run), [Some(1), Some(12), Some(23)]);
    let held =
        async { [stored_late::peek(0_u64).await, stored_late::peek(10_u64).await, stored_late::peek(20_u64).await] };
    assert_eq!((held.wait(), info("stored_late").in_flight), ([None, None, Some(23)], 0));
}

#[test]
fn leases_are_told_by_the_clock_of_the_client_of_the_call() {
    static CLOCKS: [LazyLock<chorde::ManualClock>; 2] = [const { LazyLock::new(chorde::ManualClock::new) }; 2];
    static CLIENTS: LazyLock<[chorde::InprocClient; 2]> =
        LazyLock::new(|| std::array::from_fn(|i| timed(10, &CLOCKS[i])));
    static RUNS: Count = Count::new();
    #[cached(client = CLIENTS[which], ttl = 600, lease = 3, skip(which))]
    async fn either(which: usize) -> u64 {
        assert!(which < 2);
        let run = RUNS.up();
        pause().await;
        run
    }
    let (_first, _second) = (Hand::begun(either(0)), Hand::begun(either(1)));
    let mut waiters = [Hand::begun(either(0)), Hand::begun(either(1))];
    CLOCKS[1].advance(secs(3));
    assert_eq!(waiters.each_mut().map(Hand::run), [None, Some(3)]);
}
