//! Of all who miss one key at the same time, one computes.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, LazyLock};

use chorde::prelude::*;
use chorde::{InprocClient, ManualClock};
use support::gate::Gate;
use support::hand::{Hand, pause};
use support::{Count, bounded, info, runtime, secs, timed};

#[test]
fn ten_thousand_tasks_on_one_cold_key_compute_once() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn crowded(x: u64) -> u64 {
            GATE.passed().await;
            x + GATE.arrivals()
        }
        let one_thread = tokio::runtime::Builder::new_current_thread().build().unwrap();
        one_thread.block_on(async {
            let tasks: Vec<_> = (0..10_000).map(|_| tokio::spawn(crowded(10))).collect();
            // All tasks have had their turn when this one has it again.
            tokio::task::yield_now().await;
            assert_eq!((GATE.arrivals(), info("crowded").in_flight), (1, 1));
            GATE.open();
            for task in tasks {
                assert_eq!(task.await.unwrap(), 11);
            }
        });
        let stats = crowded::stats();
        // One that was not polled before the end is a hit.
        assert_eq!((stats.computes, stats.misses + stats.hits, stats.misses), (1, 10_000, 1 + stats.coalesced));
        assert_eq!(info("crowded").in_flight, 0);
    });
}

#[test]
fn tasks_on_several_threads_compute_once() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn spread_out(x: u64) -> u64 {
            GATE.passed().await;
            x + GATE.arrivals()
        }
        runtime().block_on(async {
            let tasks: Vec<_> = (0..10_000).map(|_| tokio::spawn(spread_out(10))).collect();
            GATE.open();
            for task in tasks {
                assert_eq!(task.await.unwrap(), 11);
            }
        });
        let stats = spread_out::stats();
        assert_eq!((stats.computes, stats.misses + stats.hits, stats.misses), (1, 10_000, 1 + stats.coalesced));
    });
}

#[test]
fn fifty_threads_on_one_cold_key_compute_once() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        static START: Barrier = Barrier::new(51);
        #[cached(client = CACHE, ttl = 60)]
        fn blocking(x: u64) -> u64 {
            GATE.pass();
            x + GATE.arrivals()
        }
        let call = || {
            START.wait();
            blocking(10)
        };
        let threads: Vec<_> = (0..50).map(|_| std::thread::spawn(call)).collect();
        START.wait();
        GATE.await_arrivals(1);
        GATE.open();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 11);
        }
        let stats = blocking::stats();
        assert_eq!((stats.computes, stats.misses + stats.hits, stats.misses), (1, 50, 1 + stats.coalesced));
    });
}

#[test]
fn different_keys_do_not_wait_for_one_another() {
    bounded(|| {
        store!(CACHE);
        static BOTH: Barrier = Barrier::new(2);
        #[cached(client = CACHE, ttl = 60)]
        fn meets(x: u64) -> u64 {
            BOTH.wait();
            x
        }
        let other = std::thread::spawn(|| meets(1));
        assert_eq!((meets(2), other.join().unwrap()), (2, 1));
    });
}

#[test]
fn the_time_spent_waiting_for_others_is_counted() {
    store!(CACHE, CLOCK);
    static GATE: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 600, lease = 100)]
    async fn waited_for() -> u64 {
        GATE.passed().await;
        1
    }
    let mut leader = Hand::begun(waited_for());
    let mut waiters = [Hand::begun(waited_for()), Hand::begun(waited_for())];
    CLOCK.advance(secs(5));
    GATE.open();
    assert_eq!(leader.run(), Some(1));
    assert_eq!(waiters.each_mut().map(Hand::run), [Some(1), Some(1)]);
    let stats = waited_for::stats();
    assert_eq!((stats.wait_time, stats.compute_time.max()), (secs(10), Some(secs(5))));
}

#[test]
fn those_who_wait_for_a_panic_compute_at_once() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    static TOGETHER: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn second_time() -> u64 {
        let run = RUNS.up();
        if run > 1 {
            TOGETHER.passed().await;
        }
        pause().await;
        assert!(run > 1, "the first run fails");
        run
    }
    let mut leader = Hand::begun(second_time());
    let mut waiters: Vec<_> = (0..20).map(|_| Hand::begun(second_time())).collect();
    assert!(catch_unwind(AssertUnwindSafe(|| leader.run())).is_err());
    drop(leader);
    assert!(waiters.iter_mut().all(|waiter| waiter.run().is_none()));
    assert_eq!(TOGETHER.arrivals(), 20, "none waits for another");
    TOGETHER.open();
    assert!(waiters.iter_mut().all(|waiter| waiter.run().is_some()));
    let stats = second_time::stats();
    assert_eq!((RUNS.get(), stats.panics, stats.computes, stats.coalesced), (21, 1, 20, 0));
    assert_eq!((second_time::peek().wait().is_some(), info("second_time").in_flight), (true, 0));
}

#[test]
fn threads_that_wait_for_a_panic_compute_at_once() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        static START: Barrier = Barrier::new(21);
        #[cached(client = CACHE, ttl = 60)]
        fn hopeless() -> u64 {
            GATE.pass();
            panic!("every time")
        }
        let call = || {
            START.wait();
            hopeless()
        };
        let threads: Vec<_> = (0..21).map(|_| std::thread::spawn(call)).collect();
        GATE.await_arrivals(1);
        GATE.open();
        for thread in threads {
            assert!(thread.join().is_err());
        }
        assert_eq!((hopeless::stats().panics, info("hopeless").in_flight, GATE.arrivals()), (21, 0, 21));
    });
}

#[test]
fn those_who_wait_share_an_error_that_can_be_cloned() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn refused() -> Result<u64, String> {
        let run = RUNS.up();
        pause().await;
        Err(format!("run {run}"))
    }
    let mut calls: Vec<_> = (0..21).map(|_| Hand::begun(refused())).collect();
    for call in &mut calls {
        assert_eq!(call.run(), Some(Err("run 1".to_owned())));
    }
    let stats = refused::stats();
    assert_eq!((RUNS.get(), stats.compute_errors, stats.misses, stats.coalesced), (1, 1, 21, 20));
    assert_eq!(refused().wait(), Err("run 2".to_owned()));
}

#[derive(Debug, PartialEq)]
struct Unique(u64);

#[test]
fn those_who_wait_for_an_error_that_cannot_be_cloned_compute_at_once() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    static TOGETHER: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn refused_once() -> Result<u64, Unique> {
        let run = RUNS.up();
        if run > 1 {
            TOGETHER.passed().await;
        }
        pause().await;
        if run < 3 { Err(Unique(run)) } else { Ok(run) }
    }
    let mut calls: Vec<_> = (0..10).map(|_| Hand::begun(refused_once())).collect();
    assert_eq!(calls[0].run(), Some(Err(Unique(1))));
    let mut rest = calls.split_off(1);
    assert!(rest.iter_mut().all(|call| call.run().is_none()));
    assert_eq!(TOGETHER.arrivals(), 9, "none waits for another");
    TOGETHER.open();
    let results: Vec<_> = rest.iter_mut().map(|call| call.run().unwrap()).collect();
    assert_eq!(results[0], Err(Unique(2)));
    assert!(results[1..].iter().all(Result::is_ok), "{results:?}");
    let stats = refused_once::stats();
    assert_eq!((RUNS.get(), stats.computes, stats.compute_errors, stats.coalesced), (10, 8, 2, 0));
    assert_eq!(info("refused_once").in_flight, 0);
}

#[test]
fn those_who_come_after_a_failure_share_the_next_computation() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn failing() -> Result<u64, Unique> {
        let run = RUNS.up();
        pause().await;
        Err(Unique(run))
    }
    let mut first = Hand::begun(failing());
    assert_eq!(first.run(), Some(Err(Unique(1))));
    let mut later = [Hand::begun(failing()), Hand::begun(failing())];
    assert_eq!((RUNS.get(), info("failing").in_flight), (2, 1));
    assert_eq!(later.each_mut().map(Hand::run), [Some(Err(Unique(2))), Some(Err(Unique(3)))]);
}

#[test]
fn a_function_shares_errors_that_cannot_be_cloned() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    fn copy(error: &std::io::Error) -> std::io::Error {
        std::io::Error::new(error.kind(), error.to_string())
    }
    #[cached(client = CACHE, ttl = 60, share_error = copy)]
    async fn query() -> Result<u64, std::io::Error> {
        RUNS.up();
        pause().await;
        Err(std::io::Error::other("no connection"))
    }
    #[cached(client = CACHE, ttl = 60, share_error = |error| std::io::Error::from(error.kind()))]
    fn plain() -> Result<u64, std::io::Error> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    let mut calls: Vec<_> = (0..10).map(|_| Hand::begun(query())).collect();
    for call in &mut calls {
        assert_eq!(call.run().unwrap().unwrap_err().to_string(), "no connection");
    }
    assert_eq!((RUNS.get(), query::stats().coalesced), (1, 9));
    assert_eq!(plain().unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_call_that_comes_when_a_value_was_just_stored_does_not_compute() {
    store!(CACHE);
    static GATE: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn just_stored(x: u64) -> u64 {
        GATE.passed().await;
        x
    }
    // The second one begins while the first computes and is looked at again long after its end.
    let mut first = Hand::begun(just_stored(3));
    let mut second = Hand::begun(just_stored(3));
    GATE.open();
    assert_eq!(first.run(), Some(3));
    assert_eq!((just_stored(3).wait(), second.run()), (3, Some(3)));
    let stats = just_stored::stats();
    assert_eq!((stats.computes, stats.misses, stats.coalesced, stats.hits), (1, 2, 1, 1));
}

#[test]
fn values_that_are_not_kept_are_shared_all_the_same() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, cache_if = |_: &u64| false)]
    async fn fleeting() -> u64 {
        let run = RUNS.up();
        pause().await;
        run
    }
    let mut calls: Vec<_> = (0..5).map(|_| Hand::begun(fleeting())).collect();
    for call in &mut calls {
        assert_eq!(call.run(), Some(1));
    }
    assert_eq!((fleeting::stats().coalesced, fleeting().wait()), (4, 2));
}

/// Begins two calls, of which the second waits for the first, and ends both.
fn wave<F: Future>(call: impl Fn() -> F) -> [F::Output; 2] {
    let mut calls = [Hand::begun(call()), Hand::begun(call())];
    calls.each_mut().map(|call| call.run().expect("a call that is driven ends"))
}

macro_rules! sometimes_down {
    ($name:ident, $runs:ident) => {
        store!(CACHE);
        static $runs: Count = Count::new();
        /// Fails for small numbers.
        #[cached(client = CACHE, ttl = 60)]
        async fn $name(x: u64) -> Result<u64, Unique> {
            let run = $runs.up();
            pause().await;
            if x < 100 { Err(Unique(run)) } else { Ok(x) }
        }
    };
}

#[test]
fn errors_that_nobody_waited_for_leave_the_next_calls_shared() {
    sometimes_down!(not_found, RUNS);
    (0..100).for_each(|x| assert!(Hand::begun(not_found(x)).run().unwrap().is_err()));
    assert_eq!((wave(|| not_found(100)), RUNS.get()), ([Ok(100), Ok(100)], 101));
}

#[test]
fn a_key_that_fails_again_and_again_is_not_waited_for_and_other_keys_are() {
    sometimes_down!(one_down, RUNS);
    for _ in 0..3 {
        assert!(wave(|| one_down(0)).iter().all(Result::is_err));
    }
    assert_eq!(RUNS.get(), 6);
    let mut at_once = [Hand::begun(one_down(0)), Hand::begun(one_down(0))];
    let mut refreshes = [Hand::begun(one_down::refresh(0)), Hand::begun(one_down::refresh(0))];
    assert_eq!(RUNS.get(), 10, "none waits for another");
    assert!(refreshes.iter_mut().all(|call| call.run().unwrap().is_err()));
    assert!(at_once.iter_mut().all(|call| call.run().unwrap().is_err()));
    assert_eq!((wave(|| one_down(100)), RUNS.get()), ([Ok(100), Ok(100)], 11));
}

#[test]
fn a_function_that_fails_for_one_key_after_the_other_is_not_waited_for_until_it_succeeds() {
    sometimes_down!(all_down, RUNS);
    for x in 0..3 {
        assert!(wave(|| all_down(x)).iter().all(Result::is_err));
    }
    let mut at_once = [Hand::begun(all_down(3)), Hand::begun(all_down(3))];
    assert_eq!(RUNS.get(), 8, "none waits for another");
    assert!(at_once.iter_mut().all(|call| call.run().unwrap().is_err()));
    assert_eq!(Hand::begun(all_down(100)).run(), Some(Ok(100)));
    assert_eq!((wave(|| all_down(101)), RUNS.get()), ([Ok(101), Ok(101)], 10));
}

#[test]
fn after_a_lease_without_such_a_wait_callers_wait_again() {
    static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
    static CACHE: LazyLock<InprocClient> = LazyLock::new(|| timed(100, &CLOCK));
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, lease = 5)]
    async fn recovers(fails: bool) -> Result<u64, Unique> {
        let run = RUNS.up();
        pause().await;
        if fails { Err(Unique(run)) } else { Ok(run) }
    }
    for _ in 0..3 {
        assert!(wave(|| recovers(true)).iter().all(Result::is_err));
    }
    let runs_of_a_wave = || {
        let before = RUNS.get();
        let mut calls = [Hand::begun(recovers(true)), Hand::begun(recovers(true))];
        let at_once = RUNS.get() - before;
        assert!(calls.iter_mut().all(|call| call.run().expect("a call that is driven ends").is_err()));
        at_once
    };
    assert_eq!(runs_of_a_wave(), 2);
    CLOCK.advance(secs(5));
    assert_eq!((runs_of_a_wave(), runs_of_a_wave()), (1, 2), "the first wave after that waits, for nothing again");
}
