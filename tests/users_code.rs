//! What users wrote and the engine calls: it may panic, block, or call the cache. Nobody hangs, the process goes on, and nothing
//! is miscounted.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use chorde::prelude::*;
use chorde::{CacheFuture, Clock, InprocClient, ManualClock};
use support::failing::Failing;
use support::gate::Gate;
use support::hand::Hand;
use support::{Count, PATIENCE, bounded, drained, info, runtime, secs};

/// Panics once more when its message is dropped.
struct Spiteful;

impl Drop for Spiteful {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("in the drop of a panic's message");
        }
    }
}

mod callbacks {
    use super::*;

    #[test]
    fn one_that_panics_is_counted_and_the_others_are_called() {
        bounded(|| {
            store!(CACHE);
            static HEARD: Count = Count::new();
            #[cached(client = CACHE, ttl = 60)]
            fn told(x: u64) -> u64 {
                x
            }
            told::on_value(|_, _| panic!("in a callback"));
            told::on_value(|_, _| panic_any(Spiteful));
            told::on_value(|_, _| _ = HEARD.up());
            assert_eq!((told(1), told::future(2).wait().unwrap(), told::refresh(1)), (1, 2, 1));
            let stats = told::stats();
            assert_eq!((HEARD.get(), stats.panics, stats.computes, info("told").in_flight), (3, 6, 3, 0));
        });
    }

    #[test]
    fn one_may_call_its_function_and_register_others() {
        bounded(|| {
            store!(CACHE);
            static HEARD: Count = Count::new();
            #[cached(client = CACHE, ttl = 60)]
            fn again(x: u64) -> u64 {
                x
            }
            again::on_value(|value, (x,)| {
                assert_eq!((again(*x), again::peek(*x)), (*value, Some(*value)));
                if *x < 5 {
                    assert_eq!(again(x + 1), x + 1);
                }
                again::invalidate(100).unwrap();
                again::on_value(|_, _| _ = HEARD.up());
            });
            assert_eq!((again(1), again::stats().panics, again::stats().computes), (1, 0, 5));
            assert_eq!((HEARD.get(), again(50)), (0, 50));
            assert!(HEARD.get() > 0);
        });
    }

    #[test]
    fn one_that_calls_its_function_without_an_end_is_ended() {
        bounded(|| {
            store!(CACHE);
            #[cached(client = CACHE, ttl = 60, cache_if = |_: &u64| false)]
            fn endless(x: u64) -> u64 {
                x
            }
            endless::on_value(|_, (x,)| _ = endless(*x));
            assert_eq!(endless(1), 1);
            let stats = endless::stats();
            assert!((1..=2).contains(&stats.panics) && stats.computes > 10, "{stats:?}");
            assert_eq!((endless(2), info("endless").in_flight), (2, 0));
        });
    }

    #[test]
    fn one_that_blocks_holds_up_its_caller_alone() {
        bounded(|| {
            store!(CACHE);
            static GATE: Gate = Gate::new();
            #[cached(client = CACHE, ttl = 60)]
            fn held(x: u64) -> u64 {
                x
            }
            held::on_value(|_, (x,)| {
                if *x == 1 {
                    GATE.pass();
                }
            });
            let caller = thread::spawn(|| held(1));
            GATE.await_arrivals(1);
            assert_eq!((held(1), held(2), info("held").in_flight), (1, 2, 0));
            GATE.open();
            assert_eq!(caller.join().unwrap(), 1);
        });
    }

    #[test]
    fn what_a_replaced_placeholder_holds_may_call_the_function_when_it_is_dropped() {
        bounded(|| {
            store!(CACHE);
            #[cached(client = CACHE, ttl = 60)]
            fn replaced(x: u64) -> u64 {
                x
            }
            struct Calls;
            impl Drop for Calls {
                fn drop(&mut self) {
                    replaced::on_value(|_, _| ());
                    replaced::placeholder(|_| 7);
                    assert_eq!(replaced(1), 1);
                }
            }
            let calls = Calls;
            replaced::placeholder(move |_| {
                let _held = &calls;
                0
            });
            replaced::placeholder(|_| 1);
            assert_eq!((replaced(2), replaced::stats().panics), (2, 0));
        });
    }

    #[test]
    fn a_placeholder_that_panics_or_calls_the_function_has_its_caller_wait() {
        bounded(|| {
            store!(CACHE);
            static GATE: Gate = Gate::new();
            #[cached(client = CACHE, ttl = 60)]
            fn slow(x: u64) -> u64 {
                GATE.pass();
                x + 1
            }
            for x in 0..2 {
                let leader = thread::spawn(move || slow(x));
                GATE.await_arrivals(x + 1);
                let (came, comes) = mpsc::channel();
                let came = Mutex::new(came);
                slow::placeholder(move |(x,)| {
                    came.lock().unwrap().send(()).unwrap();
                    if *x == 0 { panic!("in a placeholder") } else { slow(*x) }
                });
                let caller = thread::spawn(move || slow(x));
                comes.recv_timeout(PATIENCE).unwrap();
                GATE.admit(1);
                assert_eq!((caller.join().unwrap(), leader.join().unwrap()), (x + 1, x + 1));
            }
            assert_eq!(slow::stats().computes, 2);
        });
    }

    #[test]
    fn arguments_that_panic_when_they_are_cloned_for_a_callback_do_no_harm() {
        bounded(|| {
            store!(CACHE);
            #[derive(serde::Serialize)]
            struct Fragile(u64);
            impl Clone for Fragile {
                fn clone(&self) -> Self {
                    panic!("in a clone")
                }
            }
            #[cached(client = CACHE, ttl = 60)]
            fn of_fragile(x: &Fragile) -> u64 {
                x.0
            }
            of_fragile::on_value(|_, _: &(Fragile,)| ());
            assert_eq!((of_fragile(&Fragile(1)), of_fragile(&Fragile(1))), (1, 1));
            let stats = of_fragile::stats();
            assert_eq!((stats.panics, stats.computes, stats.hits), (1, 1, 1));
        });
    }

    #[test]
    fn that_of_a_future_may_panic_and_call_the_function() {
        bounded(|| {
            store!(CACHE);
            #[cached(client = CACHE, ttl = 60)]
            async fn later(x: u64) -> u64 {
                support::hand::pause().await;
                x
            }
            let (done, came) = mpsc::channel();
            for x in 0..20 {
                let done = done.clone();
                later::future(x).on_done(move |result| {
                    done.send((result.unwrap(), later(x).wait())).unwrap();
                    panic!("in a callback");
                });
            }
            let mut came: Vec<_> = (0..20).map(|_| came.recv_timeout(PATIENCE).unwrap()).collect();
            came.sort_unstable();
            assert_eq!(came, (0..20).map(|x| (x, x)).collect::<Vec<_>>());
            drained();
            assert_eq!(later::future(100).wait().unwrap(), 100);
        });
    }

    #[test]
    fn that_of_a_future_may_panic_when_it_is_cancelled() {
        bounded(|| {
            let told = Arc::new(AtomicBool::new(false));
            let tells = Arc::clone(&told);
            let runtime = runtime();
            let dropped = {
                let _entered = runtime.enter();
                CacheFuture::spawn(std::future::pending::<()>())
            };
            dropped.on_done(move |result| {
                tells.store(result.is_err(), Ordering::SeqCst);
                panic!("in a callback");
            });
            drop(runtime);
            assert!(told.load(Ordering::SeqCst));
        });
    }
}

mod maps {
    use super::*;

    /// Has four callers wait for one computation that ends in a panic; returns how many computed, one after the other.
    fn four_callers(call: fn(u64) -> u64, gate: &'static Gate) {
        let callers: Vec<_> = (0..4).map(|_| thread::spawn(move || call(1))).collect();
        gate.await_arrivals(1);
        gate.open();
        for caller in callers {
            let panic = caller.join().unwrap_err();
            assert!(panic.downcast_ref::<&str>().is_some_and(|message| message.contains("in a map")));
        }
    }

    #[test]
    fn those_that_panic_are_panics_of_the_computation() {
        bounded(|| {
            store!(CACHE);
            static GATES: [Gate; 2] = [const { Gate::new() }; 2];
            #[cached(client = CACHE, ttl = 60, cache_if = |_: &u64| panic!("in a map"))]
            fn judged(x: u64) -> u64 {
                GATES[0].pass();
                x
            }
            #[cached(client = CACHE, ttl = 60, encode = |_: u64| -> u64 { panic!("in a map") }, decode = |stored: u64| stored)]
            fn encoded(x: u64) -> u64 {
                GATES[1].pass();
                x
            }
            four_callers(judged, &GATES[0]);
            four_callers(encoded, &GATES[1]);
            for stats in [judged::stats(), encoded::stats()] {
                assert_eq!((stats.panics, stats.computes, stats.hits), (4, 0, 0));
            }
            assert_eq!((info("judged").in_flight, info("encoded").in_flight), (0, 0));
            assert!(judged::future(2).wait().is_err() && judged::peek(2).is_none());
        });
    }

    #[test]
    fn one_that_panics_on_a_hit_is_seen_by_its_caller_and_leaves_the_entry() {
        bounded(|| {
            store!(CACHE);
            static BROKEN: AtomicBool = AtomicBool::new(false);
            fn decoded(stored: u64) -> u64 {
                assert!(!BROKEN.load(Ordering::SeqCst), "in a map");
                stored
            }
            #[cached(client = CACHE, ttl = 60, encode = |x: u64| x, decode = decoded)]
            fn read(x: u64) -> u64 {
                x
            }
            assert_eq!(read(1), 1);
            BROKEN.store(true, Ordering::SeqCst);
            assert!(catch_unwind(|| read(1)).is_err() && catch_unwind(|| read::peek(1)).is_err());
            BROKEN.store(false, Ordering::SeqCst);
            assert_eq!((read(1), read::stats().computes), (1, 1));
        });
    }

    #[test]
    fn those_that_call_their_function_without_an_end_panic_with_the_reason() {
        bounded(|| {
            store!(CACHE);
            #[cached(client = CACHE, ttl = 60, cache_if = |x: &u64| vain(*x) == 0)]
            fn vain(x: u64) -> u64 {
                x
            }
            #[cached(client = CACHE, ttl = 60, encode = |x: u64| x, decode = |x: u64| looping(x))]
            fn looping(x: u64) -> u64 {
                x
            }
            for call in [vain, looping] {
                let panic = catch_unwind(|| call(1)).unwrap_err();
                let message = panic.downcast_ref::<String>().unwrap();
                assert!(message.contains("call it again"), "{message}");
            }
            assert_eq!((info("vain").in_flight, info("looping").in_flight), (0, 0));
        });
    }

    #[test]
    fn one_may_call_other_functions_and_keys() {
        bounded(|| {
            store!(CACHE);
            #[cached(client = CACHE, ttl = 60)]
            fn limit(x: u64) -> u64 {
                x * 2
            }
            #[cached(client = CACHE, ttl = 60, cache_if = |x: &u64| *x == 0 || down(x - 1) < limit(*x))]
            fn down(x: u64) -> u64 {
                x
            }
            assert_eq!((down(20), down::stats().computes, down::peek(3)), (20, 21, Some(3)));
        });
    }
}

mod wakers {
    use super::*;

    /// A waker that panics, and tells that it was called.
    struct Panics(AtomicU64);

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic_any(Spiteful);
        }
    }

    fn poll_with<F: Future>(future: &mut Pin<Box<F>>, waker: &Arc<Panics>) -> Poll<F::Output> {
        future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(waker))))
    }

    #[test]
    fn one_that_panics_keeps_nobody_else_waiting() {
        bounded(|| {
            store!(CACHE);
            static GATE: Gate = Gate::new();
            #[cached(client = CACHE, ttl = 60)]
            async fn shared(x: u64) -> u64 {
                GATE.passed().await;
                x
            }
            let panics = Arc::new(Panics(AtomicU64::new(0)));
            let mut leader = Hand::begun(shared(1));
            let mut bad: Vec<_> = (0..3).map(|_| Box::pin(shared(1))).collect();
            bad.iter_mut().for_each(|call| assert!(poll_with(call, &panics).is_pending()));
            let waiter = thread::spawn(|| shared(1).wait());
            GATE.open();
            assert_eq!(leader.run(), Some(1));
            assert_eq!(waiter.join().unwrap(), 1);
            assert_eq!(panics.0.load(Ordering::SeqCst), 3);
            assert!(bad.iter_mut().all(|call| poll_with(call, &panics) == Poll::Ready(1)));
            assert_eq!((shared::stats().computes, shared::stats().panics), (1, 0));
        });
    }

    #[test]
    fn one_that_panics_ends_no_timeout_of_others() {
        bounded(|| {
            let panics = Arc::new(Panics(AtomicU64::new(0)));
            let clock = Clock::system();
            for _ in 0..5 {
                let mut bad = Box::pin(clock.sleep(Duration::from_micros(10)));
                let _ = poll_with(&mut bad, &panics);
                clock.sleep(Duration::from_micros(20)).wait();
            }
            let manual = ManualClock::new();
            let clock = Clock::from(manual.clone());
            let mut bad: Vec<_> = (0..3).map(|_| Box::pin(clock.sleep(secs(1)))).collect();
            bad.iter_mut().for_each(|sleep| assert!(poll_with(sleep, &panics).is_pending()));
            let mut good = Hand::begun(clock.sleep(secs(1)));
            manual.advance(secs(1));
            assert_eq!((good.rung(), good.run()), (1, Some(())));
        });
    }

    #[test]
    fn one_that_blocks_ends_no_timeout_of_others() {
        struct Blocks(Gate);
        impl Wake for Blocks {
            fn wake(self: Arc<Self>) {
                self.0.pass();
            }
        }
        bounded(|| {
            let blocks = Arc::new(Blocks(Gate::new()));
            let clock = Clock::system();
            let mut sleeps: Vec<_> = (0..3).map(|_| Box::pin(clock.sleep(Duration::from_millis(1)))).collect();
            for sleep in &mut sleeps {
                let _ = sleep.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&blocks))));
            }
            blocks.0.await_arrivals(3);
            clock.sleep(Duration::from_millis(1)).wait();
            static GATE: Gate = Gate::new();
            let mut late = CacheFuture::spawn(GATE.passed());
            assert!(late.wait_timeout(Duration::from_millis(1)).is_err());
            GATE.open();
            late.wait().unwrap();
            blocks.0.open();
        });
    }

    #[test]
    fn one_may_call_the_function_when_it_is_woken_cloned_or_dropped() {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        async fn busy(x: u64) -> u64 {
            support::hand::pause().await;
            x
        }
        struct Calls;
        impl Wake for Calls {
            fn wake(self: Arc<Self>) {
                assert_eq!((busy(1).wait(), busy::peek(1).wait()), (1, Some(1)));
            }
        }
        impl Drop for Calls {
            fn drop(&mut self) {
                assert_eq!(busy::get_ttl(7).wait().map(|entry| entry.value), None);
                assert_eq!(busy(2).wait(), 2);
            }
        }
        bounded(|| {
            for _ in 0..5 {
                let mut calls: Vec<_> = (0..3).map(|_| Box::pin(busy(1))).collect();
                for _ in 0..3 {
                    let waker = Waker::from(Arc::new(Calls));
                    calls.retain_mut(|call| call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                }
                busy::clear().wait().unwrap();
            }
            assert_eq!(info("busy").in_flight, 0);
        });
    }
}

mod contexts {
    use super::*;
    use chorde::background::{Context as Around, set_context};

    struct Panics;

    impl Around for Panics {
        fn run(&self, step: &mut dyn FnMut()) {
            step();
            panic!("in a context");
        }
    }

    #[test]
    fn one_that_panics_ends_no_computation() {
        bounded(|| {
            store!(CACHE);
            #[cached(client = CACHE, ttl = 60)]
            async fn carried(x: u64) -> u64 {
                support::hand::pause().await;
                x
            }
            #[cached(client = CACHE, ttl = 60)]
            fn plain(x: u64) -> u64 {
                assert!(x != 13, "unlucky");
                x
            }
            set_context(|| {
                static CAPTURED: Count = Count::new();
                assert!(!CAPTURED.up().is_multiple_of(3), "in a capture");
                Some(Box::new(Panics))
            });
            for x in 0..10 {
                assert_eq!((carried::future(x).wait().unwrap(), plain::future(x).wait().unwrap()), (x, x));
                drop(Hand::begun(carried(100 + x)));
                drained();
                assert_eq!(carried::peek(100 + x).wait(), Some(100 + x));
            }
            assert!(plain::future(13).wait().is_err());
        });
    }
}

mod loggers {
    use super::*;

    static FAILING: LazyLock<Failing> = LazyLock::new(|| {
        let failing = Failing::new(InprocClient::new(10));
        failing.set_down(true);
        failing
    });

    #[cached(client = FAILING, ttl = 60)]
    fn unlucky(x: u64) -> u64 {
        x
    }

    /// Calls a function whose client fails, so that there is something to be logged, and panics.
    struct Logger;

    static LOGGED: Count = Count::new();

    impl log::Log for Logger {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, _: &log::Record<'_>) {
            LOGGED.up();
            assert_eq!(unlucky(1), 1);
            panic_any(Spiteful);
        }

        fn flush(&self) {}
    }

    #[test]
    fn one_that_panics_and_calls_the_cache_does_no_harm() {
        bounded(|| {
            let _ = log::set_logger(&Logger);
            log::set_max_level(log::LevelFilter::Trace);
            assert_eq!((unlucky(1), unlucky::peek(1), unlucky::future(2).wait().unwrap()), (1, None, 2));
            drained();
            assert!(LOGGED.get() > 0 && info("unlucky").in_flight == 0);
        });
    }

    #[test]
    fn one_may_call_the_function_whose_namespace_is_refused() {
        bounded(|| {
            let _ = log::set_logger(&Logger);
            // Both have one name in shared stores, so that the second is refused, which is logged.
            fn calls() -> [fn(u64) -> u64; 2] {
                let one = {
                    #[cached(client = FAILING, ttl = 60)]
                    fn twin(x: u64) -> u64 {
                        x
                    }
                    twin
                };
                let other = {
                    #[cached(client = FAILING, ttl = 60)]
                    fn twin(x: u64) -> u64 {
                        x
                    }
                    twin
                };
                [one, other]
            }
            assert_eq!(calls().map(|call| call(3)), [3, 3]);
        });
    }
}

#[test]
fn values_may_call_the_cache_when_they_are_dropped_and_cloned() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn other(x: u64) -> u64 {
        x
    }
    #[derive(Debug)]
    struct Value(u64);
    impl Drop for Value {
        fn drop(&mut self) {
            assert_eq!(other(self.0), self.0);
        }
    }
    #[cached(client = CACHE, ttl = 60)]
    fn held(x: u64) -> Arc<Value> {
        Arc::new(Value(x))
    }
    bounded(|| {
        for x in 0..3 {
            assert_eq!((held(x).0, held(x).0, held::refresh(x).0), (x, x, x));
            held::invalidate(x).unwrap();
        }
        held(9);
        held::clear().unwrap();
        CACHE.clear().wait().unwrap();
        assert_eq!(catch_unwind(AssertUnwindSafe(|| held(1).0)).ok(), Some(1));
    });
}
