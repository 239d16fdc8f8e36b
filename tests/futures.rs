//! The futures of a cached function: when they are ready, and who may wait for them.

mod support;

use std::sync::mpsc;
use std::time::Duration;

use chorde::ErrorKind;
use chorde::prelude::*;
use support::gate::Gate;
use support::{Count, PATIENCE, bounded, secs};

#[test]
fn a_future_is_not_ready_while_its_computation_runs() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow(x: u64) -> u64 {
            GATE.pass();
            x
        }
        let mut future = slow::future(3);
        GATE.await_arrivals(1);
        assert!(!future.is_done());
        assert_eq!(future.wait_timeout(Duration::ZERO).unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!((future.cancel(), slow::peek(3)), (false, None));
        GATE.open();
        assert_eq!(future.wait_timeout(PATIENCE).unwrap(), 3);
        assert_eq!((future.is_done(), future.cancel(), slow::peek(3)), (true, false, Some(3)));
        // The result was handed out.
        assert_eq!(future.wait_timeout(PATIENCE).unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

#[test]
fn the_future_of_a_hit_is_ready_at_once() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn ticket(x: u64) -> u64 {
        x
    }
    ticket::put(1, 5).unwrap();
    let future = ticket::future(1);
    assert_eq!((future.is_done(), future.cancel()), (true, false));
    assert_eq!((future.wait().unwrap(), ticket::stats().hits, ticket::stats().background), (5, 1, 0));
}

#[test]
fn the_future_of_a_failing_function_holds_its_error() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn wrong(x: u64) -> Result<u64, String> {
            RUNS.up();
            Err(format!("wrong {x}"))
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn wrong_later(x: u64) -> Result<u64, String> {
            RUNS.up();
            Err(format!("wrong {x}"))
        }
        assert_eq!(wrong::future(1).wait().unwrap(), Err("wrong 1".to_owned()));
        assert_eq!((RUNS.get(), wrong::peek(1), wrong::stats().compute_errors), (1, None, 1));
        assert_eq!(wrong_later::future(1).wait().unwrap(), Err("wrong 1".to_owned()));
        assert_eq!((RUNS.get(), wrong_later::peek(1).wait()), (2, None));
        assert_eq!((wrong::stats().misses, wrong_later::stats().misses), (1, 1));
    });
}

#[test]
fn the_future_of_a_panic_says_so() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn broken() -> u64 {
            panic!("broken")
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn broken_later() -> u64 {
            panic!("broken")
        }
        for future in [broken::future(), broken::future_refresh(), broken_later::future()] {
            assert_eq!(future.wait().unwrap_err().kind(), ErrorKind::Panicked);
        }
        assert_eq!((broken::stats().panics, broken_later::stats().panics), (2, 1));
        assert_eq!(broken::future_peek().wait().unwrap(), None);
    });
}

#[test]
fn the_effect_of_each_future_is_visible_when_it_resolves() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn ticket(x: u64) -> u64 {
            x + RUNS.up()
        }
        assert_eq!((ticket::future(0).wait().unwrap(), ticket::peek(0)), (1, Some(1)));
        assert_eq!((ticket::future_refresh(0).wait().unwrap(), ticket::peek(0)), (2, Some(2)));
        ticket::future_put(0, 50).wait().unwrap().unwrap();
        assert_eq!((ticket::peek(0), ticket::future_peek(0).wait().unwrap()), (Some(50), Some(50)));
        assert_eq!(ticket::future_lazy(0).wait().unwrap(), Some(50));
        ticket::future_expire(0).wait().unwrap().unwrap();
        assert!(ticket::get_ttl(0).unwrap().is_stale());
        assert!(ticket::future_get_ttl(0).wait().unwrap().unwrap().is_stale());
        ticket::future_invalidate(0).wait().unwrap().unwrap();
        assert_eq!((ticket::get_ttl(0), ticket::future_get_ttl(0).wait().unwrap()), (None, None));
        assert_eq!((ticket::future_lazy(0).wait().unwrap(), ticket::future(0).wait().unwrap()), (None, 3));
        assert_eq!(RUNS.get(), 3);
    });
}

#[test]
fn arguments_of_a_future_are_its_own() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn joined(words: &[&'static str], glue: &str) -> String {
            words.join(glue)
        }
        let future = {
            let (words, glue) = (vec!["a", "b"], String::from("-"));
            joined::future(&words, &glue)
        };
        assert_eq!(future.wait().unwrap(), "a-b");
    });
}

#[test]
fn a_dropped_future_goes_on() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow() -> u64 {
            GATE.pass();
            1
        }
        drop(slow::future());
        GATE.open();
        support::drained();
        assert_eq!(slow::peek(), Some(1));
    });
}

#[test]
fn callbacks_hear_of_the_end_whether_it_is_past_or_to_come() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow(x: u64) -> u64 {
            GATE.pass();
            x
        }
        let (send, hear) = mpsc::channel();
        let future = slow::future(3);
        GATE.await_arrivals(1);
        let to_come = send.clone();
        future.on_done(move |result| to_come.send(("to come", result.unwrap())).unwrap());
        assert!(hear.try_recv().is_err());
        GATE.open();
        assert_eq!(hear.recv_timeout(PATIENCE).unwrap(), ("to come", 3));
        let past = send.clone();
        slow::future(3).on_done(move |result| past.send(("past", result.unwrap())).unwrap());
        assert_eq!(hear.try_recv().unwrap(), ("past", 3));
        let done = slow::future(4);
        support::eventually("it is done", || done.is_done());
        done.on_done(move |result| send.send(("done", result.unwrap())).unwrap());
        assert_eq!(hear.try_recv().unwrap(), ("done", 4));
    });
}

#[test]
fn any_executor_can_await_them() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn plain(x: u64) -> u64 {
            x + 1
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> u64 {
            smol::future::yield_now().await;
            x + 2
        }
        async fn all(from: u64) -> [u64; 5] {
            let spawned = plain::future(from);
            let refreshed = plain::future_refresh(from + 10).await.unwrap();
            let awaited = later(from).await;
            [spawned.await.unwrap(), refreshed, awaited, later::future(from).await.unwrap(), later(from + 1).await]
        }
        let sums = |from: u64| [from + 1, from + 11, from + 2, from + 2, from + 3];
        let tokio = support::runtime();
        assert_eq!(tokio.block_on(async { tokio::spawn(all(100)).await.unwrap() }), sums(100));
        let current = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(current.block_on(all(200)), sums(200));
        assert_eq!(smol::block_on(all(300)), sums(300));
        assert_eq!(smol::block_on(smol::spawn(all(400))), sums(400));
        assert_eq!(futures::executor::block_on(all(500)), sums(500));
        assert_eq!(all(600).wait(), sums(600));
    });
}

#[test]
fn waiters_on_different_executors_share_one_computation() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn slow(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        let tokio = support::runtime();
        let leader = tokio.spawn(slow(5));
        GATE.await_arrivals(1);
        let waiters = [
            std::thread::spawn(|| smol::block_on(slow(5))),
            std::thread::spawn(|| futures::executor::block_on(slow(5))),
            std::thread::spawn(|| slow(5).wait()),
        ];
        GATE.open();
        let values = waiters.map(|waiter| waiter.join().unwrap());
        assert_eq!((tokio.block_on(leader).unwrap(), values, GATE.arrivals()), (5, [5; 3], 1));
    });
}

#[test]
fn futures_can_be_polled_by_reference_and_selected() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow(x: u64) -> u64 {
            if x > 0 {
                GATE.pass();
            }
            x
        }
        let (mut held, quick) = (slow::future(1), slow::future(0));
        let first = futures::executor::block_on(futures::future::select(&mut held, quick));
        assert!(matches!(first, futures::future::Either::Right((Ok(0), _))));
        CLOCK.advance(secs(1));
        GATE.open();
        assert_eq!(held.wait().unwrap(), 1);
    });
}

#[test]
fn thousands_of_futures_of_an_asynchronous_function_run_at_once() {
    const MANY: u64 = 2000;
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn slow(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        let begin = |from: u64| (from..from + MANY).map(slow::future).collect::<Vec<_>>();
        let tokio = support::runtime();
        let inside = tokio.block_on(async { begin(0) });
        let outside = begin(MANY);
        // Each has begun, and none is at its end.
        GATE.await_arrivals(2 * MANY);
        assert!(inside.iter().chain(&outside).all(|future| !future.is_done()));
        GATE.open();
        let sum: u64 = inside.into_iter().chain(outside).map(|future| future.wait().unwrap()).sum();
        assert_eq!(sum, (0..2 * MANY).sum());
    });
}

#[test]
fn the_future_of_a_plain_function_blocks_a_thread_of_the_runtime_if_there_is_one() {
    const MANY: u64 = 100;
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow(_x: u64) -> String {
            GATE.pass();
            std::thread::current().name().unwrap_or_default().to_owned()
        }
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("mine").build().unwrap();
        let futures: Vec<_> = tokio.block_on(async { (0..MANY).map(slow::future).collect() });
        let refreshed = {
            let _context = tokio.enter();
            slow::future_refresh(MANY)
        };
        let outside = slow::future(MANY + 1);
        GATE.await_arrivals(MANY + 2);
        assert_eq!(chorde::drain(Duration::ZERO).wait().unwrap_err().kind(), ErrorKind::Timeout);
        GATE.open();
        for future in futures.into_iter().chain([refreshed]) {
            assert_eq!(future.wait().unwrap(), "mine");
        }
        assert!(outside.wait().unwrap().starts_with("chorde-background-"));
    });
}

#[test]
fn plain_futures_that_wait_for_plain_futures_need_no_more_threads_of_the_runtime() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn depth(level: u64, x: u64) -> u64 {
            if level == 0 { x } else { depth::future(level - 1, x).wait().unwrap() + 1 }
        }
        let tokio =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).max_blocking_threads(2).build().unwrap();
        let futures: Vec<_> = tokio.block_on(async { (0..8).map(|x| depth::future(3, x)).collect() });
        for (x, future) in (0..8).zip(futures) {
            assert_eq!(future.wait().unwrap(), x + 3);
        }
    });
}

#[test]
fn a_future_ends_when_its_runtime_does() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> u64 {
            RUNS.up();
            std::future::pending::<()>().await;
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn never_begins(x: u64) -> u64 {
            x + RUNS.up()
        }
        let mine = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (begun, waiting, cancelled) = mine.block_on(async {
            let begun = later::future(1);
            tokio::task::yield_now().await;
            (begun, never_begins::future(1), never_begins::future(2))
        });
        // It has not begun, so that it never will.
        assert_eq!((cancelled.cancel(), begun.cancel()), (true, false));
        drop(mine);
        support::drained();
        for future in [begun, waiting, cancelled] {
            assert_eq!(future.wait().unwrap_err().kind(), ErrorKind::Cancelled);
        }
        assert_eq!(RUNS.get(), 1);
    });
}

#[test]
fn a_future_looks_again_by_the_key_that_it_has() {
    bounded(|| {
        store!(CACHE);
        static KEYS: Count = Count::new();
        fn key(x: u64) -> u64 {
            KEYS.up();
            x
        }
        #[derive(Clone)]
        struct Method;
        impl Method {
            #[cached(client = CACHE, ttl = 60, key = key(x))]
            fn plain(&self, x: u64) -> u64 {
                x + 1
            }

            #[cached(client = CACHE, ttl = 60, key = key(x))]
            async fn later(&self, x: u64) -> u64 {
                x + 2
            }
        }
        #[cached(client = CACHE, ttl = 60, key = key(x))]
        fn described(x: u64) -> u64 {
            x + 3
        }
        #[cached(client = CACHE, ttl = 60, key = key(x), encode = |x: u64| x, decode = |x: u64| x)]
        fn written_out(x: u64, written_out: u8) -> u64 {
            x + u64::from(written_out)
        }
        assert_eq!((Method.plain_future(1).wait().unwrap(), KEYS.get()), (2, 1));
        assert_eq!((Method.later_future(1).wait().unwrap(), KEYS.get()), (3, 2));
        assert_eq!((described::future(1).wait().unwrap(), KEYS.get()), (4, 3));
        assert_eq!((written_out::future(1, 4).wait().unwrap(), KEYS.get()), (5, 4));
    });
}

#[test]
fn a_key_is_made_on_the_thread_of_the_caller() {
    thread_local!(static TENANT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    bounded(|| {
        store!(CACHE);
        #[derive(Clone)]
        struct Method;
        impl Method {
            #[cached(client = CACHE, ttl = 60, key = (TENANT.get(), x))]
            fn plain(&self, x: u64) -> u64 {
                x + 1
            }

            #[cached(client = CACHE, ttl = 60, key = (TENANT.get(), x))]
            async fn later(&self, x: u64) -> u64 {
                support::hand::pause().await;
                x + 2
            }
        }
        #[cached(client = CACHE, ttl = 60, key = (TENANT.get(), x))]
        fn described(x: u64) -> u64 {
            x + 3
        }
        TENANT.set(7);
        assert_eq!((Method.plain_future_refresh(1).wait().unwrap(), Method.plain_peek(1)), (2, Some(2)));
        assert_eq!((Method.plain_future(2).wait().unwrap(), Method.plain_peek(2)), (3, Some(3)));
        assert_eq!((Method.later_future(1).wait().unwrap(), Method.later_peek(1).wait()), (3, Some(3)));
        assert_eq!((described::future_refresh(1).wait().unwrap(), described::peek(1)), (4, Some(4)));
        assert_eq!((described::future(2).wait().unwrap(), described::peek(2)), (5, Some(5)));
    });
}
