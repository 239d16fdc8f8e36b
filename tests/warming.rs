//! `f::warm`: many results made ready, a few at a time.

mod support;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use chorde::prelude::*;
use chorde::{InprocClient, WarmReport};
use support::gate::Gate;
use support::hand::{Hand, pause};
use support::leasing::Leasing;
use support::{Count, bounded, drained, info, secs};

/// Counts those that are alive, and how many were at once.
struct Alive {
    now: AtomicU64,
    most: AtomicU64,
}

struct One(&'static Alive);

impl Alive {
    const fn new() -> Self {
        Self { now: AtomicU64::new(0), most: AtomicU64::new(0) }
    }

    fn begin(&'static self) -> One {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        One(self)
    }

    fn most(&self) -> u64 {
        self.most.load(Ordering::SeqCst)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Shows a report as hits, computed and failed.
fn counts(report: &WarmReport) -> (u64, u64, u64) {
    (report.hits, report.computed, report.failed)
}

#[test]
fn what_is_missing_or_due_is_computed_and_what_is_fresh_is_not() {
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        fn plain(x: u64) -> u64 {
            100 + x
        }
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        async fn later(x: u64) -> u64 {
            pause().await;
            100 + x
        }
        plain::put(0, 0).unwrap();
        later::put(0, 0).wait().unwrap();
        CLOCK.advance(secs(60));
        plain::put(1, 1).unwrap();
        later::put(1, 1).wait().unwrap();
        assert_eq!(counts(&plain::warm(0..4).wait()), (1, 3, 0));
        assert_eq!(counts(&later::warm(0..4).wait()), (1, 3, 0));
        let plainly = [0, 1, 2, 3].map(plain::peek);
        assert_eq!(plainly, [Some(100), Some(1), Some(102), Some(103)]);
        assert_eq!([0, 1, 2, 3].map(|x| later::peek(x).wait()), plainly);
        assert_eq!(counts(&plain::warm(vec![0, 1, 2, 3]).wait()), (4, 0, 0));
        let stats = plain::stats();
        assert_eq!((stats.computes, stats.hits, stats.misses, stats.refused), (3, 0, 0, 0));
        assert_eq!(plain::warm(std::iter::empty()).wait(), WarmReport::default());
    });
}

#[test]
fn no_more_run_at_once_than_it_was_told() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        static ALIVE: Alive = Alive::new();
        #[cached(client = CACHE, ttl = 60)]
        fn crowd(x: u64) -> u64 {
            let _alive = ALIVE.begin();
            GATE.pass();
            x
        }
        let warm = crowd::warm(0..20).concurrency(3);
        let progress = warm.progress();
        let thread = std::thread::spawn(move || warm.wait());
        for done in 0..20 {
            GATE.await_arrivals((done + 3).min(20));
            GATE.admit(1);
            support::eventually("one is done", || progress.done() > done);
        }
        assert_eq!((counts(&thread.join().unwrap()), ALIVE.most()), ((0, 20, 0), 3));
    });
}

#[test]
fn an_asynchronous_function_is_polled_by_the_warming_itself() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn page(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        let warm = page::warm(0..10).concurrency(4);
        let progress = warm.progress();
        assert_eq!((GATE.arrivals(), progress.total(), progress.done()), (0, Some(10), 0));
        let mut hand = Hand::begun(warm);
        assert_eq!((GATE.arrivals(), info("page").in_flight), (4, 4));
        GATE.admit(1);
        assert!(hand.run().is_none());
        assert_eq!((GATE.arrivals(), progress.done(), progress.computed()), (5, 1, 1));
        GATE.open();
        assert_eq!(hand.run().as_ref().map(counts), Some((0, 10, 0)));
        assert_eq!((GATE.arrivals(), info("page").in_flight, progress.done()), (10, 0, 10));
    });
}

#[test]
fn one_that_always_yields_does_not_hold_up_the_others() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn restless(x: u64) -> u64 {
            while x == 0 && GATE.arrivals() == 0 {
                pause().await;
            }
            if x == 1 {
                GATE.open();
                GATE.passed().await;
            }
            x
        }
        assert_eq!(counts(&restless::warm([0, 1]).wait()), (0, 2, 0));
    });
}

#[test]
fn failures_are_reported_and_stop_nothing() {
    bounded(|| {
        store!(CACHE);
        struct Silent;
        #[derive(Debug)]
        struct Spoken(#[allow(dead_code)] u64);
        fn every_third(x: u64) -> Option<u64> {
            assert!(x != 7, "seven of {x}");
            (!x.is_multiple_of(3)).then_some(x)
        }
        #[cached(client = CACHE, ttl = 60)]
        fn plain(x: u64) -> Result<u64, String> {
            every_third(x).ok_or_else(|| format!("{x} is one of many"))
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> Result<u64, Spoken> {
            pause().await;
            every_third(x).ok_or(Spoken(x))
        }
        #[cached(client = CACHE, ttl = 60)]
        fn silent(x: u64) -> Result<u64, Silent> {
            every_third(x).ok_or(Silent)
        }
        let (first, second, third) =
            (plain::warm(0..300).wait(), later::warm(0..300).wait(), silent::warm(0..300).wait());
        for report in [&first, &second, &third] {
            assert_eq!(counts(report), (0, 199, 101));
            assert_eq!(report.failures.len(), 16);
            assert!(report.failures.is_sorted_by_key(|failure| failure.index));
            let seven = report.failures.iter().find(|failure| failure.index == 7).unwrap();
            assert_eq!(seven.to_string(), "argument 7 panicked: seven of 7");
        }
        assert_eq!(first.failures[0].to_string(), "argument 0 failed: \"0 is one of many\"");
        assert_eq!(second.failures[1].reason, "Spoken(3)");
        assert!(third.failures[0].reason.contains("Silent") && !third.failures[0].is_panic);
        assert_eq!(counts(&plain::warm(1..3).wait()), (2, 0, 0));
    });
}

#[test]
fn what_an_error_says_is_cut_off() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn wordy(x: usize) -> Result<u64, String> {
        Err("x".repeat(x))
    }
    let report = wordy::warm([10_000_000]).wait();
    assert!(report.failures[0].reason.len() < 1_000);
}

#[test]
fn a_computation_that_is_under_way_is_waited_for_and_its_error_reported() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn shared(x: u64) -> Result<u64, String> {
            RUNS.up();
            GATE.passed().await;
            if x == 0 { Err("none".to_owned()) } else { Ok(x) }
        }
        let mut calls = [Hand::begun(shared(0)), Hand::begun(shared(1))];
        let mut warm = Hand::begun(shared::warm(0..2));
        GATE.open();
        assert_eq!(calls.each_mut().map(|call| call.run().unwrap().is_ok()), [false, true]);
        let report = warm.run().unwrap();
        assert_eq!((counts(&report), RUNS.get()), ((1, 0, 1), 2));
        assert_eq!(report.failures[0].reason, "\"none\"");
    });
}

#[test]
fn dropping_it_stops_it_and_leaves_no_flight_behind() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        static ALIVE: Alive = Alive::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn stopped(x: u64) -> u64 {
            let _alive = ALIVE.begin();
            GATE.passed().await;
            x
        }
        let (warm, taken) = (Count::new(), Arc::new(Count::new()));
        let counting = Arc::clone(&taken);
        let hand = Hand::begun(stopped::warm((0..100).inspect(move |_| _ = counting.up())).concurrency(5));
        assert_eq!((ALIVE.now.load(Ordering::SeqCst), taken.get(), warm.get()), (5, 5, 0));
        drop(hand);
        assert_eq!((ALIVE.now.load(Ordering::SeqCst), info("stopped").in_flight, Arc::strong_count(&taken)), (0, 0, 1));
        GATE.open();
        assert_eq!((stopped(3).wait(), GATE.arrivals()), (3, 6));
    });
}

#[test]
fn dropping_it_keeps_what_is_queued_from_running() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn queued(x: u64) -> u64 {
            GATE.pass();
            x
        }
        // The runtime has one thread for blocking work, so that all but one wait for it.
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let warm = Hand::begun(queued::warm(0..10).concurrency(4));
            GATE.await_arrivals(1);
            drop(warm);
            GATE.open();
            tokio::task::spawn_blocking(|| ()).await.unwrap();
        });
        drained();
        assert_eq!((GATE.arrivals(), info("queued").in_flight), (1, 0));
        assert_eq!((0..10).filter(|x| queued::peek(*x).is_some()).count(), 1);
    });
}

#[test]
fn it_runs_in_a_task_of_its_own_and_on_the_runtimes_threads() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn named(x: u64) -> String {
            format!("{x} {}", tokio::runtime::Handle::try_current().is_ok())
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn slept(x: u64) -> u64 {
            tokio::time::sleep(std::time::Duration::from_nanos(1)).await;
            x
        }
        let runtime = support::runtime();
        let report = runtime.block_on(async { tokio::spawn(named::warm(0..100)).await.unwrap() });
        assert_eq!((counts(&report), named::peek(99)), ((0, 100, 0), Some("99 true".to_owned())));
        let report = runtime.block_on(async { tokio::spawn(slept::warm(0..100)).await.unwrap() });
        assert_eq!(counts(&report), (0, 100, 0));
    });
}

#[test]
fn arguments_come_as_the_function_takes_them() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn none() -> u64 {
            7
        }
        #[cached(client = CACHE, ttl = 60)]
        fn text(name: &str) -> usize {
            name.len()
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn two(name: &str, at: (u8, u8)) -> String {
            format!("{name}{at:?}")
        }
        #[cached(client = CACHE, ttl = 60)]
        fn pair(at: (u8, u8)) -> u8 {
            at.0
        }
        assert_eq!((counts(&none::warm([()]).wait()), none::peek()), ((0, 1, 0), Some(7)));
        let names = ["a".to_owned(), "bc".to_owned()];
        assert_eq!(counts(&text::warm(names.iter().map(String::as_str)).wait()), (0, 2, 0));
        assert_eq!((text::peek("a"), text::peek("bc")), (Some(1), Some(2)));
        assert_eq!(counts(&two::warm(names.iter().map(|name| (name.as_str(), (1, 2)))).wait()), (0, 2, 0));
        assert_eq!(two::peek("bc", (1, 2)).wait().as_deref(), Some("bc(1, 2)"));
        assert_eq!(
            (counts(&pair::warm([(1, 2), (1, 2)]).concurrency(1).wait()), pair::peek((1, 2))),
            ((1, 1, 0), Some(1))
        );
    });
}

#[test]
fn methods_and_generic_functions_have_it() {
    bounded(|| {
        store!(CACHE);
        #[derive(Clone)]
        struct Repo {
            cache: Arc<InprocClient>,
            tenant: String,
        }
        impl Repo {
            #[cached(client = self.cache, ttl = 60, key = (self.tenant, id))]
            fn user(&self, id: u64) -> Result<String, fmt::Error> {
                if id == 0 { Err(fmt::Error) } else { Ok(format!("{} {id}", self.tenant)) }
            }

            #[cached(client = self.cache, ttl = 60, key = (self.tenant, name, n))]
            async fn later(&self, name: &str, n: usize) -> String {
                pause().await;
                name.repeat(n)
            }
        }
        #[cached(client = CACHE, ttl = 60)]
        fn shown<T: fmt::Debug + serde::Serialize + Clone + Send + 'static>(of: &T, more: Option<&str>) -> String {
            format!("{of:?}{more:?}")
        }
        // Not `'static`: it cannot be warmed, and compiles.
        #[cached(client = CACHE, ttl = 60)]
        fn borrowed<T: fmt::Debug + serde::Serialize>(of: &T, more: &[T]) -> String {
            format!("{of:?}{more:?}")
        }
        assert_eq!(borrowed(&1, &[2]), "1[2]");
        let repo = Repo { cache: Arc::new(InprocClient::new(100)), tenant: "a".to_owned() };
        let report = repo.user_warm(0..5).wait();
        assert_eq!((counts(&report), repo.user_peek(4)), ((0, 4, 1), Some("a 4".to_owned())));
        assert_eq!(report.failures[0].to_string(), "argument 0 failed: Error");
        let words = ["x".to_owned(), "yz".to_owned()];
        let warm = repo.later_warm(words.iter().map(|word| (word.as_str(), 2)));
        assert_eq!((counts(&warm.wait()), repo.later_peek("yz", 2).wait().as_deref()), ((0, 2, 0), Some("yzyz")));
        assert_eq!(counts(&shown::warm([(&1, None), (&2, Some("b"))]).wait()), (0, 2, 0));
        assert_eq!(shown::peek(&2, Some("b")).as_deref(), Some("2Some(\"b\")"));
    });
}

#[test]
fn a_far_client_is_asked_about_many_keys_before_it_is_claimed_from() {
    bounded(|| {
        static FAR: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(InprocClient::new(10_000)));
        #[cached(client = FAR, ttl = 60)]
        fn plain(x: u64) -> u64 {
            x
        }
        (0..200).filter(|x: &u64| !x.is_multiple_of(10)).for_each(|x| plain::put(x, x).unwrap());
        assert_eq!((counts(&plain::warm(0..200).wait()), FAR.claims()), ((180, 20, 0), 20));
    });
}

#[test]
fn arguments_without_a_key_are_failures() {
    struct Bad;
    impl serde::Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no key in this"))
        }
    }
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn keyless(x: Bad) -> u64 {
        let _ = x;
        7
    }
    let report = keyless::warm([Bad]).wait();
    assert_eq!((counts(&report), keyless::stats().computes), ((0, 0, 1), 0));
    assert!(report.failures[0].reason.contains("key"), "{report:?}");
}

#[test]
fn a_hundred_thousand_keys_take_the_memory_of_a_few() {
    bounded(|| {
        static SMALL: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(1_000));
        static LATER: Alive = Alive::new();
        static PLAIN: Alive = Alive::new();
        #[cached(client = SMALL, ttl = 60)]
        async fn later(x: u64) -> u64 {
            let _alive = LATER.begin();
            pause().await;
            x
        }
        #[cached(client = SMALL, ttl = 60)]
        fn plain(x: u64) -> u64 {
            let _alive = PLAIN.begin();
            x
        }
        // What is made once: tables, threads.
        assert_eq!(later::warm(0..2_000).wait().computed, 2_000);
        let mut report = None;
        let memory = allocation_counter::measure(|| report = Some(later::warm(10_000..110_000).wait()));
        assert_eq!((counts(&report.unwrap()), LATER.most() <= 16), ((0, 100_000, 0), true));
        assert!(memory.bytes_max < 1 << 20, "{} bytes", memory.bytes_max);
        let runtime = support::runtime();
        let report = runtime.block_on(plain::warm(0..20_000).concurrency(8));
        assert_eq!((counts(&report), PLAIN.most() <= 8), ((0, 20_000, 0), true));
    });
}
