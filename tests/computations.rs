//! A computation that has begun is driven to its end, whatever becomes of the caller that began it.

mod support;

use std::cell::Cell;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::{LazyLock, Mutex};

use chorde::prelude::*;
use support::gate::Gate;
use support::hand::{Hand, pause};
use support::{Count, bounded, drained, eventually, info, millis, runtime, secs};
use tokio::io::AsyncReadExt as _;

#[test]
fn a_computation_that_waits_for_a_slow_answer_is_left_alone() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static ANSWER: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 6000, lease = 3)]
        async fn slow() -> u64 {
            ANSWER.passed().await;
            ANSWER.arrivals()
        }
        runtime().block_on(async {
            let calls: Vec<_> = (0..3).map(|_| tokio::spawn(slow())).collect();
            while slow::stats().misses + ANSWER.arrivals() < 1 || info("slow").in_flight < 1 {
                tokio::task::yield_now().await;
            }
            // Four leases; each probe of the runtime is answered before the next second begins.
            for _ in 0..13 {
                CLOCK.advance(secs(1));
                tokio::task::spawn(async {}).await.unwrap();
                tokio::task::yield_now().await;
            }
            ANSWER.open();
            for call in calls {
                assert_eq!(call.await.unwrap(), 1);
            }
            assert_eq!((slow().await, ANSWER.arrivals()), (1, 1));
        });
    });
}

#[test]
fn by_hand_too() {
    store!(CACHE, CLOCK);
    static ANSWER: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 6000, lease = 3)]
    async fn by_hand() -> u64 {
        ANSWER.passed().await;
        ANSWER.arrivals()
    }
    let mut calls = [Hand::begun(by_hand()), Hand::begun(by_hand()), Hand::begun(by_hand())];
    CLOCK.advance(secs(14));
    assert_eq!(calls.each_mut().map(Hand::run), [None, None, None]);
    ANSWER.open();
    assert_eq!(calls.each_mut().map(Hand::run), [Some(1), Some(1), Some(1)]);
    assert_eq!((by_hand().wait(), ANSWER.arrivals()), (1, 1));
}

#[test]
fn callers_that_lose_patience_leave_the_computation_to_the_next() {
    bounded(|| {
        store!(CACHE);
        static ANSWER: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn impatient(x: u64) -> u64 {
            ANSWER.passed().await;
            x
        }
        runtime().block_on(async {
            for _ in 0..50 {
                let call = tokio::spawn(impatient(7));
                while ANSWER.arrivals() == 0 {
                    tokio::task::yield_now().await;
                }
                call.abort();
                assert!(call.await.is_err());
            }
            assert_eq!(ANSWER.arrivals(), 1);
            ANSWER.open();
            chorde::drain(support::PATIENCE).await.unwrap();
            assert_eq!((impatient::peek(7).await, impatient::stats().computes), (Some(7), 1));
        });
        assert_eq!(info("impatient").in_flight, 0);
    });
}

#[test]
fn a_call_that_is_dropped_at_any_step_is_computed_and_stored() {
    bounded(|| {
        static STORING: Gate = Gate::new();
        static CLIENT: LazyLock<support::leasing::Leasing> =
            LazyLock::new(|| support::leasing::Leasing::gated(chorde::InprocClient::new(100), &STORING));
        static RUNS: Count = Count::new();
        #[cached(client = CLIENT, ttl = 60)]
        async fn in_steps(key: u64) -> u64 {
            RUNS.up();
            pause().await;
            pause().await;
            pause().await;
            key
        }
        STORING.open();
        for steps in 1..=3 {
            let mut leader = Hand::new(in_steps(steps));
            for _ in 0..steps {
                assert!(leader.step().is_pending());
            }
            let waiter = (steps % 2 == 0).then(|| Hand::begun(in_steps(steps)));
            drop(leader);
            if let Some(waiter) = waiter {
                assert_eq!(waiter.awaited(), steps);
            }
            drained();
            assert_eq!((in_steps::peek(steps).wait(), RUNS.get(), info("in_steps").in_flight), (Some(steps), steps, 0));
        }
    });
}

#[test]
fn a_caller_that_is_not_polled_holds_nobody_up() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 600, lease = 300)]
        async fn forgotten() -> u64 {
            let run = RUNS.up();
            pause().await;
            pause().await;
            run
        }
        let forgetful = Hand::begun(forgotten());
        let waiters = [Hand::begun(forgotten()), Hand::begun(forgotten())];
        CLOCK.advance(millis(20));
        assert_eq!(waiters.map(Hand::awaited), [1, 1]);
        // It sees the end at its next poll.
        assert_eq!((forgetful.awaited(), forgotten().wait(), RUNS.get()), (1, 1, 1));
    });
}

#[test]
fn a_computation_that_is_woken_late_moves_too() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static ANSWER: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 600, lease = 300)]
        async fn late() -> u64 {
            ANSWER.passed().await;
            7
        }
        let forgetful = Hand::begun(late());
        let waiter = Hand::begun(late());
        CLOCK.advance(secs(100));
        ANSWER.open();
        CLOCK.advance(millis(20));
        assert_eq!((waiter.awaited(), forgetful.awaited()), (7, 7));
    });
}

#[test]
fn without_detach_the_last_caller_takes_the_computation_with_it() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, detach = false)]
    async fn attached(x: u64) -> u64 {
        RUNS.up();
        pause().await;
        x
    }
    drop(Hand::begun(attached(1)));
    assert_eq!((info("attached").in_flight, attached::peek(1).wait()), (0, None));
    // As long as one is left, it goes on.
    let leader = Hand::begun(attached(2));
    let waiter = Hand::begun(attached(2));
    drop(leader);
    assert_eq!((waiter.awaited(), RUNS.get()), (2, 2));
    drained();
    assert_eq!(attached::peek(2).wait(), Some(2));
}

#[test]
fn without_detach_the_last_one_who_waits_ends_it_in_the_background() {
    bounded(|| {
        store!(CACHE);
        static ANSWER: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60, detach = false)]
        async fn left() -> u64 {
            ANSWER.passed().await;
            7
        }
        let leader = Hand::begun(left());
        let waiters = [Hand::begun(left()), Hand::begun(left())];
        drop(leader);
        drop(waiters);
        eventually("no flight is left", || info("left").in_flight == 0);
        drained();
        assert_eq!((left::peek().wait(), ANSWER.arrivals()), (None, 1));
    });
}

#[test]
fn a_panic_in_the_background_reaches_the_caller_that_began() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 60)]
        async fn doomed() -> u64 {
            pause().await;
            panic!("its own")
        }
        let leader = Hand::begun(doomed());
        let waiter = Hand::begun(doomed());
        CLOCK.advance(millis(20));
        for call in [waiter, leader] {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.awaited())).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"its own"));
        }
        assert_eq!((doomed::stats().panics, info("doomed").in_flight), (2, 0));
    });
}

tokio::task_local! {
    static REQUEST: u64;
}

#[test]
fn a_computation_sees_the_task_locals_of_the_caller_that_began_it() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    async fn traced(x: u64) -> u64 {
        tokio::task::yield_now().await;
        x + REQUEST.get()
    }
    runtime().block_on(REQUEST.scope(100, async {
        assert_eq!(traced(1).await, 101);
    }));
}

#[test]
fn sockets_and_timers_work_when_the_caller_is_gone() {
    bounded(|| {
        store!(CACHE);
        static SERVERS: Mutex<Vec<UnixStream>> = Mutex::new(Vec::new());
        #[cached(client = CACHE, ttl = 60)]
        async fn asked(key: u64) -> u64 {
            let (client, server) = UnixStream::pair().unwrap();
            SERVERS.lock().unwrap().push(server);
            client.set_nonblocking(true).unwrap();
            let mut client = tokio::net::UnixStream::from_std(client).unwrap();
            let answer = client.read_u8().await.unwrap();
            // A timer that the runtime has to fire.
            let late = tokio::time::timeout(millis(1), std::future::pending::<()>()).await;
            key + u64::from(answer) + u64::from(late.is_err())
        }
        let answer = || SERVERS.lock().unwrap().pop().unwrap().write_all(&[10]).unwrap();
        let runtime = runtime();
        runtime.block_on(async {
            let mut call = Box::pin(asked(1));
            assert!(support::hand::poll_once(call.as_mut()).is_pending());
        });
        answer();
        drained();
        assert_eq!(asked::peek(1).wait(), Some(12));
        // Waiters on another runtime, or none, get the value as well.
        let mut leader = Box::pin(asked(2));
        runtime.block_on(async { assert!(support::hand::poll_once(leader.as_mut()).is_pending()) });
        let waiter = std::thread::spawn(|| asked(2).wait());
        drop(leader);
        answer();
        assert_eq!(waiter.join().unwrap(), 13);
    });
}

#[test]
fn when_the_runtime_of_a_computation_ends_another_caller_computes() {
    bounded(|| {
        store!(CACHE);
        static ANSWER: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn homeless() -> u64 {
            ANSWER.passed().await;
            ANSWER.arrivals()
        }
        let first = runtime();
        let leader = first.spawn(homeless());
        eventually("it has begun", || ANSWER.arrivals() == 1);
        let waiter = std::thread::spawn(|| homeless().wait());
        eventually("another waits", || info("homeless").in_flight == 1);
        leader.abort();
        drop(first);
        eventually("it is computed again", || ANSWER.arrivals() == 2);
        ANSWER.open();
        assert_eq!(waiter.join().unwrap(), 2);
        assert_eq!(info("homeless").in_flight, 0);
    });
}

#[test]
fn a_runtime_that_nobody_drives_is_found_out_and_overtaken_after_the_lease() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 600, lease = 4)]
        async fn undriven() -> u64 {
            let run = RUNS.up();
            if run == 1 {
                std::future::pending::<()>().await;
            }
            run
        }
        let idle = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut leader = Box::pin(undriven());
        idle.block_on(async { assert!(support::hand::poll_once(leader.as_mut()).is_pending()) });
        let mut waiter = Hand::begun(undriven());
        CLOCK.advance(secs(2));
        assert_eq!(waiter.run(), None, "a probe is in flight");
        CLOCK.advance(secs(2));
        assert_eq!((waiter.run(), undriven().wait(), RUNS.get()), (Some(2), 2, 2));
    });
}

#[test]
fn a_plain_function_that_needs_the_thread_of_one_who_waits_ends_after_the_lease() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 600, lease = 5)]
        fn by_thread(x: u64) -> u64 {
            if RUNS.up() > 1 {
                return x;
            }
            std::thread::scope(|scope| scope.spawn(|| by_thread(x)).join().unwrap()) + 1
        }
        let call = std::thread::spawn(|| by_thread(10));
        eventually("both have come", || RUNS.get() == 1 && info("by_thread").in_flight == 1);
        while !call.is_finished() {
            CLOCK.advance(secs(1));
            std::thread::yield_now();
        }
        assert_eq!((call.join().unwrap(), by_thread(10), RUNS.get()), (11, 10, 2));
    });
}

struct Flush;

impl Drop for Flush {
    fn drop(&mut self) {
        FLUSHED.set_to(in_destructors(2) + later_in_destructors(2).wait());
    }
}

struct Cellar(std::sync::atomic::AtomicU64);

impl Cellar {
    fn set_to(&self, value: u64) {
        self.0.store(value, std::sync::atomic::Ordering::SeqCst);
    }
}

static FLUSHED: Cellar = Cellar(std::sync::atomic::AtomicU64::new(0));

thread_local! {
    static BUFFER: Flush = const { Flush };
    static USED: Cell<bool> = const { Cell::new(false) };
}

store!(DESTRUCTORS);

#[cached(client = DESTRUCTORS, ttl = 60)]
fn in_destructors(x: u64) -> u64 {
    x * 10
}

#[cached(client = DESTRUCTORS, ttl = 60)]
async fn later_in_destructors(x: u64) -> u64 {
    x * 100
}

#[test]
fn a_miss_while_a_thread_ends_computes() {
    let ending = std::thread::spawn(|| {
        BUFFER.with(|_| ());
        USED.set(true);
        in_destructors(1) + later_in_destructors(1).wait()
    });
    assert_eq!(ending.join().unwrap(), 110);
    assert_eq!(FLUSHED.0.load(std::sync::atomic::Ordering::SeqCst), 220);
}

/// Carries a task-local along; of a test binary all tests share the choice.
struct Carried(u64);

impl chorde::background::Context for Carried {
    fn run(&self, step: &mut dyn FnMut()) {
        REQUEST.sync_scope(self.0, step);
    }
}

#[test]
fn what_was_around_a_caller_goes_along_into_the_background() {
    bounded(|| {
        store!(CACHE);
        static ANSWER: Gate = Gate::new();
        fn request() -> u64 {
            REQUEST.try_with(|request| *request).unwrap_or(0)
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn moved() -> u64 {
            ANSWER.passed().await;
            request()
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> u64 {
            x + request()
        }
        #[cached(client = CACHE, ttl = 60)]
        fn plain(x: u64) -> u64 {
            x + request()
        }
        let capture = || {
            let request = REQUEST.try_with(|request| *request).ok()?;
            Some(Box::new(Carried(request)) as Box<dyn chorde::background::Context>)
        };
        assert!(chorde::background::set_context(capture) && !chorde::background::set_context(|| None));
        let futures = REQUEST.sync_scope(100, || {
            drop(Hand::begun(moved()));
            later::bg_refresh(1).unwrap();
            plain::bg_refresh(2).unwrap();
            (later::future(3), plain::future(4))
        });
        ANSWER.open();
        assert_eq!((futures.0.wait().unwrap(), futures.1.wait().unwrap()), (103, 104));
        drained();
        assert_eq!((moved::peek().wait(), later::peek(1).wait(), plain::peek(2)), (Some(100), Some(101), Some(102)));
    });
}

#[test]
fn a_caller_drives_its_computation_though_it_has_moved_to_a_runtime_that_stands_still() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 60, lease = 100)]
        async fn moved_away() -> u64 {
            pause().await;
            pause().await;
            7
        }
        let idle = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut leader = Hand::new(moved_away());
        idle.block_on(async { assert!(leader.step().is_pending()) });
        let mut waiter = Hand::begun(moved_away());
        CLOCK.advance(millis(20));
        assert_eq!((leader.run(), waiter.run()), (Some(7), Some(7)));
    });
}
