//! Work behind the callers' backs: who does it, how often, and how one waits for its end.

mod support;

use std::future::Future;
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Waker};

use chorde::ErrorKind;
use chorde::prelude::*;
use support::gate::Gate;
use support::hand::Bell;
use support::{Count, bounded, drained, eventually, info, millis, runtime, secs};

#[test]
fn twenty_lazy_callers_on_nothing_compute_once() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn wanted(x: u64) -> u64 {
            GATE.pass();
            x + GATE.arrivals()
        }
        let threads: Vec<_> = (0..20).map(|_| std::thread::spawn(|| wanted::lazy(0))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), None);
        }
        assert_eq!(wanted::future_lazy(0).wait().unwrap(), None);
        GATE.open();
        eventually("the value is there", || wanted::peek(0) == Some(1));
        assert_eq!((wanted::lazy(0), wanted(0), GATE.arrivals()), (Some(1), 1, 1));
        let stats = wanted::stats();
        assert_eq!((stats.background, stats.computes, stats.misses, stats.hits), (1, 1, 21, 2));
    });
}

#[test]
fn twenty_lazy_callers_of_an_asynchronous_function_compute_once() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn wanted_later(x: u64) -> u64 {
            GATE.passed().await;
            x + GATE.arrivals()
        }
        runtime().block_on(async {
            for _ in 0..20 {
                assert_eq!(wanted_later::lazy(0).await, None);
            }
            GATE.open();
            assert_eq!(wanted_later(0).await, 1);
        });
        assert_eq!((wanted_later::stats().background, GATE.arrivals()), (1, 1));
    });
}

#[test]
fn a_plain_call_joins_the_background() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn joined() -> u64 {
            GATE.pass();
            GATE.arrivals()
        }
        assert_eq!(joined::lazy(), None);
        GATE.await_arrivals(1);
        let caller = std::thread::spawn(joined);
        eventually("both look", || joined::stats().misses >= 1);
        GATE.open();
        assert_eq!((caller.join().unwrap(), joined(), GATE.arrivals()), (1, 1, 1));
    });
}

#[test]
fn blocking_work_runs_on_threads_of_its_own_within_the_runtime_of_the_caller() {
    bounded(|| {
        store!(CACHE);
        fn place() -> (Option<String>, bool) {
            let thread = std::thread::current().name().map(ToOwned::to_owned);
            (thread, tokio::runtime::Handle::try_current().is_ok())
        }
        #[cached(client = CACHE, ttl = 60)]
        fn here(_inside: bool) -> (Option<String>, bool) {
            place()
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later(_inside: bool) -> (Option<String>, bool) {
            place()
        }
        here::bg_refresh(false).unwrap();
        later::bg_refresh(false).unwrap();
        let runtime = runtime();
        runtime.block_on(async {
            here::bg_refresh(true).unwrap();
            later::bg_refresh(true).unwrap();
            chorde::drain(support::PATIENCE).await.unwrap();
        });
        let is_own = |thread: Option<String>| thread.is_some_and(|name| name.starts_with("chorde-background-"));
        let place = |found: Option<(Option<String>, bool)>| found.map(|(thread, inside)| (is_own(thread), inside));
        assert_eq!((place(here::peek(false)), place(here::peek(true))), (Some((true, false)), Some((true, true))));
        assert_eq!(place(later::peek(false).wait()), Some((true, false)));
        assert_eq!(place(later::peek(true).wait()), Some((false, true)));
    });
}

#[test]
fn a_panic_in_the_background_is_counted_and_disturbs_nothing() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn broken(x: u64) -> u64 {
            RUNS.up();
            assert!(x > 0, "broken");
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn broken_later(x: u64) -> u64 {
            assert!(x > 0, "broken");
            x
        }
        broken::put(0, 9).unwrap();
        for _ in 0..20 {
            broken::bg_refresh(0).unwrap();
            broken_later::bg_refresh(0).unwrap();
            drained();
        }
        assert_eq!((broken::stats().panics, broken_later::stats().panics, RUNS.get()), (20, 20, 20));
        assert_eq!((broken(0), info("broken").in_flight, info("broken_later").in_flight), (9, 0, 0));
        broken::bg_refresh(5).unwrap();
        drained();
        assert_eq!(broken::peek(5), Some(5));
    });
}

#[test]
fn drain_gives_up_after_its_timeout_and_the_work_goes_on() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow() -> u64 {
            GATE.pass();
            1
        }
        slow::bg_refresh().unwrap();
        let error = chorde::drain(millis(1)).wait().unwrap_err();
        assert_eq!((error.kind(), slow::peek()), (ErrorKind::Timeout, None));
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let mut drain = Box::pin(chorde::drain(secs(60)));
        assert!(drain.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop((drain, waker));
        assert_eq!(Arc::strong_count(&bell), 1, "one that was dropped is forgotten");
        GATE.open();
        drained();
        assert_eq!(slow::peek(), Some(1));
    });
}

#[test]
fn later_callers_get_the_placeholder_until_the_first_computation_ends() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn slow(x: u64) -> String {
            GATE.pass();
            format!("real {x}")
        }
        slow::placeholder(|(x,)| format!("instead of {x}"));
        let first = std::thread::spawn(|| slow(3));
        GATE.await_arrivals(1);
        assert_eq!((slow(3), slow(3)), ("instead of 3".to_owned(), "instead of 3".to_owned()));
        assert_eq!((slow::peek(3), slow::stats().misses, slow::stats().coalesced), (None, 3, 0));
        GATE.open();
        assert_eq!((first.join().unwrap(), slow(3)), ("real 3".to_owned(), "real 3".to_owned()));
        assert_eq!((slow::stats().misses, slow::stats().hits, GATE.arrivals()), (3, 1, 1));
        slow::placeholder(|_| "another".to_owned());
        let refresher = slow::future_refresh(3);
        assert_eq!((slow(3), refresher.wait().unwrap()), ("real 3".to_owned(), "real 3".to_owned()));
    });
}

#[test]
fn asynchronous_functions_have_placeholders_too() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    async fn later(x: u64) -> u64 {
        support::hand::pause().await;
        x
    }
    later::placeholder(|(x,)| x + 1000);
    let mut first = support::hand::Hand::begun(later(3));
    assert_eq!(later(3).wait(), 1003);
    assert_eq!((first.run(), later(3).wait()), (Some(3), 3));
}

/// Keeps what is logged.
struct Log(Mutex<Vec<String>>);

static LOG: Log = Log(Mutex::new(Vec::new()));

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().expect("nobody panics here").push(format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}

#[test]
fn a_background_error_is_logged_without_its_arguments() {
    static LOGGING: Once = Once::new();
    LOGGING.call_once(|| {
        log::set_logger(&LOG).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
    bounded(|| {
        store!(CACHE, CLOCK);
        #[cached(client = CACHE, ttl = 100, async_ttl = -50)]
        fn complains(secret: &str) -> Result<u64, String> {
            Err(secret.to_owned())
        }
        complains::put("secret", 1).unwrap();
        CLOCK.advance(secs(50));
        assert_eq!(complains("secret"), Ok(1));
        drained();
        let logged = LOG.0.lock().unwrap().clone();
        let about: Vec<_> = logged.iter().filter(|line| line.contains("complains")).collect();
        assert_eq!(about.len(), 1, "{about:?}");
        assert!(about[0].starts_with("WARN") && !about[0].contains("secret"), "{about:?}");
    });
}
