//! What becomes of functions and types that a shared store could not tell apart: nothing that is left to choose between them is
//! the same in every build.

mod support;

use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use chorde::prelude::*;
use chorde::{Cache, DynClient, InprocClient, NamespaceClient, TieredClient};
use support::shared::Shared;
use support::{Count, bounded, secs};

static NEAR: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10_000));

/// What was logged as an error or a warning.
static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.level() <= log::Level::Warn {
            errors().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn errors() -> MutexGuard<'static, Vec<String>> {
    ERRORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns what was logged of a function.
fn logged(name: &str) -> Vec<String> {
    errors().iter().filter(|line| line.contains(name)).cloned().collect()
}

fn log_is_kept() {
    static LOG: Log = Log;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LOG).expect("nobody else sets one");
        log::set_max_level(log::LevelFilter::Warn);
    });
}

/// Declares two functions that nothing in their text or place tells apart, over a client of this type.
macro_rules! twins {
    ($client:ident, $first:ident, $second:ident) => {
        let $first = {
            const MORE: u64 = 1;
            twins!(@one $client)
        };
        let $second = {
            const MORE: u64 = 1000;
            twins!(@one $client)
        };
    };
    (@one $client:ident) => {{
        #[cached(client = $client, ttl = 60)]
        fn twin(id: u64) -> u64 {
            id + MORE + RUNS.up() * 10_000
        }
        (
            twin as fn(u64) -> u64,
            twin::stats as fn() -> chorde::Stats,
            twin::peek as fn(u64) -> Option<u64>,
            twin::put as fn(u64, u64) -> chorde::Result<()>,
            twin::clear as fn() -> chorde::Result<()>,
        )
    }};
}

#[test]
fn the_second_of_two_twins_computes_without_the_shared_store_and_says_so_once() {
    bounded(|| {
        log_is_kept();
        static RUNS: Count = Count::new();
        static STORE: LazyLock<Shared> = LazyLock::new(Shared::new);
        twins!(STORE, first, second);
        assert_eq!(((first.0)(1), (first.0)(1), (first.1)().hits + (first.1)().misses), (10_002, 10_002, 2));
        assert_eq!(logged("twin:"), Vec::<String>::new());
        assert_eq!(((second.0)(1), (second.0)(1)), (21_001, 31_001));
        let lines = logged("and_says_so_once::{{closure}}::twin:");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("`namespace = \"..\"`"), "{lines:?}");
        let counted = (second.1)();
        assert_eq!((counted.key_errors, counted.computes, counted.hits, counted.misses), (2, 2, 0, 0));
        assert_eq!((second.2)(1), None);
        let error = (second.3)(1, 5).unwrap_err();
        assert!(error.to_string().contains("`namespace = \"..\"`"), "{error}");
        (second.4)().unwrap();
        assert_eq!(((first.0)(1), (first.2)(1), logged("twin:").len()), (10_002, Some(10_002), 1));
    });
}

#[test]
fn twins_in_process_have_entries_of_their_own() {
    static RUNS: Count = Count::new();
    twins!(NEAR, first, second);
    assert_eq!(((first.0)(1), (first.0)(1), (second.0)(1), (second.0)(1)), (10_002, 10_002, 21_001, 21_001));
    (second.3)(1, 5).unwrap();
    assert_eq!(((first.2)(1), (second.2)(1)), (Some(10_002), Some(5)));
    (second.4)().unwrap();
    assert_eq!(((second.2)(1), (second.0)(1), (second.1)().key_errors), (None, 31_001, 0));
}

#[test]
fn the_companions_of_a_refused_function_behave() {
    bounded(|| {
        log_is_kept();
        static RUNS: Count = Count::new();
        static STORE: LazyLock<Shared> = LazyLock::new(Shared::new);
        {
            #[cached(client = STORE, ttl = 60)]
            fn refused(id: u64) -> u64 {
                id + RUNS.up()
            }
            assert_eq!(refused(0), 1);
        }
        #[cached(client = STORE, ttl = 60)]
        fn refused(id: u64) -> u64 {
            id + RUNS.up()
        }
        assert_eq!((refused(0), refused::bg(0), refused::refresh(0)), (2, 3, 4));
        assert_eq!((refused::lazy(0), refused::peek(0), refused::get_ttl(0)), (None, None, None));
        assert_eq!(refused::bg_refresh(0).unwrap_err().kind(), chorde::ErrorKind::Config);
        assert!(refused::callkey(0).is_err() && refused::invalidate(0).is_err() && refused::expire(0).is_err());
        assert_eq!(refused::future(0).wait().unwrap(), 5);
        assert_eq!(refused::future_refresh(0).wait().unwrap(), 6);
        assert_eq!(refused::future_peek(0).wait().unwrap(), None);
        assert_eq!(refused::future_lazy(0).wait().unwrap(), None);
        assert!(refused::future_put(0, 1).wait().unwrap().is_err());
        assert_eq!((refused::uncached(0), refused::ttl()), (7, secs(60)));
        assert!(refused::namespace().contains("refused"));
    });
}

#[test]
fn a_type_whose_name_another_type_has_computes_without_the_shared_store() {
    bounded(|| {
        log_is_kept();
        static RUNS: Count = Count::new();
        static STORE: LazyLock<Shared> = LazyLock::new(Shared::new);
        #[cached(client = STORE, ttl = 60)]
        fn typed<T>(id: u64) -> u64 {
            id + RUNS.up()
        }
        let first = {
            struct Local;
            [typed::<Local>(0), typed::<Local>(0), typed::<u8>(0)]
        };
        let second = {
            struct Local;
            [typed::<Local>(0), typed::<Local>(0), typed::<u8>(0)]
        };
        assert_eq!((first, second), ([1, 1, 2], [3, 4, 2]));
        let lines = logged("::typed: ");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("`namespace = \"..\"`") && lines[0].contains("Local"), "{lines:?}");
        let info = support::info("typed");
        let counted: Vec<(u64, u64)> = info
            .instances
            .iter()
            .map(|instance| (instance.stats.hits + instance.stats.misses, instance.stats.key_errors))
            .collect();
        assert_eq!(counted, [(2, 0), (2, 0), (0, 2)]);
        assert_eq!(info.stats.key_errors, 2);
    });
}

#[test]
fn lifetimes_of_arguments_are_not_told_apart() {
    static STORE: LazyLock<Shared> = LazyLock::new(Shared::new);
    static RUNS: Count = Count::new();
    #[cached(client = STORE, ttl = 60)]
    fn length<T: AsRef<str> + serde::Serialize>(text: T) -> u64 {
        text.as_ref().len() as u64 + RUNS.up()
    }
    let text = "abc".to_owned();
    assert_eq!((length("abc"), length(text.as_str()), length::<&'static str>("abc")), (4, 4, 4));
}

#[test]
fn clients_say_whether_others_see_what_they_store() {
    let near = || InprocClient::new(10);
    assert!(!near().is_shared() && !(&&near()).is_shared() && !NEAR.is_shared());
    assert!(Shared::new().is_shared() && !TieredClient::new(near(), near()).is_shared());
    assert!(TieredClient::new(near(), TieredClient::new(near(), Shared::new())).is_shared());
    assert!(!NamespaceClient::new("a", near()).unwrap().is_shared());
    assert!(NamespaceClient::new("a", Shared::new()).unwrap().is_shared());
    assert!(!DynClient::<u8>::new(near()).is_shared() && DynClient::<u8>::new(Shared::new()).clone().is_shared());
}
