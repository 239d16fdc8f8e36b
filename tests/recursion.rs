//! Functions that call themselves, and one another.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use chorde::prelude::*;
use support::hand::Hand;
use support::{Count, bounded, info, runtime, secs};

#[test]
fn a_recursive_function_computes_each_argument_once() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn fib(n: u64) -> u64 {
            if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
        }
        assert_eq!(fib(80), 23_416_728_348_467_685);
        let stats = fib::stats();
        assert_eq!((stats.computes, stats.misses, stats.hits, info("fib").in_flight), (81, 81, 78, 0));
    });
}

#[test]
fn an_asynchronous_recursive_function_computes_each_argument_once() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        async fn later_fib(n: u64) -> u64 {
            tokio::task::yield_now().await;
            if n < 2 { n } else { Box::pin(later_fib(n - 1)).await + Box::pin(later_fib(n - 2)).await }
        }
        assert_eq!(runtime().block_on(later_fib(60)), 1_548_008_755_920);
        assert_eq!(later_fib::stats().computes, 61);
    });
}

#[test]
fn recursion_with_the_same_argument_computes_directly() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn again(x: u64) -> u64 {
            if RUNS.up() < 4 { again(x) + 1 } else { x }
        }
        assert_eq!((again(10), again(10), RUNS.get()), (13, 13, 4));
        let stats = again::stats();
        assert_eq!((stats.computes, stats.misses, stats.hits), (4, 4, 1));
        assert_eq!((again::refresh(10), info("again").in_flight), (10, 0));
    });
}

#[test]
fn a_refresh_and_a_future_from_within_do_not_deadlock() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn restless(x: u64) -> u64 {
            match RUNS.up() {
                1 => restless::refresh(x) + restless::bg(x),
                run => run,
            }
        }
        assert_eq!((restless(1), RUNS.get()), (2 + 3, 3));
    });
}

#[test]
fn asynchronous_recursion_with_the_same_argument_computes_directly() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn later_again(x: u64) -> u64 {
            tokio::task::yield_now().await;
            if RUNS.up() < 4 { Box::pin(later_again(x)).await + 1 } else { x }
        }
        let result = runtime().block_on(async { (later_again(10).await, later_again(10).await) });
        assert_eq!((result, RUNS.get(), info("later_again").in_flight), ((13, 13), 4, 0));
    });
}

#[test]
fn a_function_that_waits_for_itself_in_another_task_goes_on_after_five_leases() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 600, lease = 5)]
        async fn by_proxy(x: u64) -> u64 {
            if RUNS.up() == 1 { tokio::spawn(start(x)).await.unwrap() + 1 } else { x }
        }
        fn start(x: u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> {
            Box::pin(by_proxy(x))
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let outer = tokio::spawn(by_proxy(10));
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            // To wait for another task is to wait for an answer: nobody is overtaken for that.
            CLOCK.advance(secs(24));
            tokio::task::yield_now().await;
            assert!(!outer.is_finished() && RUNS.get() == 1);
            while !outer.is_finished() {
                CLOCK.advance(secs(1));
                tokio::task::yield_now().await;
            }
            assert_eq!((outer.await.unwrap(), by_proxy(10).await), (11, 10));
        });
        assert_eq!((RUNS.get(), info("by_proxy").in_flight), (2, 0));
    });
}

#[test]
fn two_functions_that_wait_for_one_another_go_on_after_the_lease() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static CROSSED: Barrier = Barrier::new(2);
        static ENDED: AtomicBool = AtomicBool::new(false);
        static RUNS: [Count; 2] = [Count::new(), Count::new()];
        #[cached(client = CACHE, ttl = 6000, lease = 5)]
        fn left(x: u64) -> u64 {
            if RUNS[0].up() > 1 {
                return x;
            }
            CROSSED.wait();
            right(x) + 1
        }
        #[cached(client = CACHE, ttl = 6000, lease = 5)]
        fn right(x: u64) -> u64 {
            if RUNS[1].up() > 1 {
                return x;
            }
            CROSSED.wait();
            left(x) + 1
        }
        let threads = [std::thread::spawn(|| left(10)), std::thread::spawn(|| right(10))];
        let hand = std::thread::spawn(|| {
            while !ENDED.load(Ordering::SeqCst) {
                CLOCK.advance(secs(1));
                std::thread::yield_now();
            }
        });
        let values = threads.map(|thread| thread.join().unwrap());
        ENDED.store(true, Ordering::SeqCst);
        hand.join().unwrap();
        assert!(values.iter().all(|value| (11..=12).contains(value)), "{values:?}");
        assert_eq!((info("left").in_flight, info("right").in_flight), (0, 0));
    });
}

#[test]
fn tasks_of_one_thread_that_wait_for_one_another_go_on_at_once() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 600)]
    async fn there(x: u64) -> u64 {
        let run = RUNS.up();
        support::hand::pause().await;
        if run > 2 { x } else { Box::pin(back(x)).await + 1 }
    }
    #[cached(client = CACHE, ttl = 600)]
    async fn back(x: u64) -> u64 {
        let run = RUNS.up();
        support::hand::pause().await;
        if run > 2 { x } else { Box::pin(there(x)).await + 1 }
    }
    let (mut one, mut other) = (Hand::begun(there(10)), Hand::begun(back(10)));
    let mut ended = (None, None);
    for _ in 0..3 {
        ended = (ended.0.or_else(|| one.run()), ended.1.or_else(|| other.run()));
        if ended.0.is_some() && ended.1.is_some() {
            break;
        }
    }
    let (one, other) = ended;
    assert!((10..=12).contains(&one.unwrap()) && (10..=12).contains(&other.unwrap()), "{one:?} {other:?}");
    assert_eq!((info("there").in_flight, info("back").in_flight), (0, 0));
}

#[test]
fn those_who_wait_for_a_recursive_computation_get_its_value() {
    bounded(|| {
        store!(CACHE);
        static DEEP: support::gate::Gate = support::gate::Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn sum(n: u64) -> u64 {
            if n == 0 {
                DEEP.pass();
                return 0;
            }
            n + sum(n - 1)
        }
        let threads: Vec<_> = (5..10).map(|n| std::thread::spawn(move || sum(n))).collect();
        DEEP.await_arrivals(1);
        DEEP.open();
        let sums: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!((sums, sum::stats().computes), (vec![15, 21, 28, 36, 45], 10));
    });
}
