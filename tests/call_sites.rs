//! Functions and types of one name, in different bodies: in process each call site and each instance has entries of its own,
//! and in a shared store nothing is ever read that another one has written.

mod support;

use std::fmt::Debug;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use chorde::prelude::*;
use chorde::{Cache, DynClient, InprocClient, NamespaceClient, TieredClient};
use support::shared::Shared;
use support::{Count, bounded, secs};

static NEAR: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10_000));
static FAR: LazyLock<Shared> = LazyLock::new(Shared::new);
static TIERS: LazyLock<TieredClient<InprocClient, Shared>> =
    LazyLock::new(|| TieredClient::new(InprocClient::new(1_000), Shared::new()));

/// Runs tests once for each kind of client, under the name `CACHE`.
macro_rules! everywhere {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {
        mod in_process {
            use super::{*, NEAR as CACHE};
            $($(#[$attribute])* #[test] fn $name() $body)*
        }
        mod in_a_shared_store {
            use super::{*, FAR as CACHE};
            $($(#[$attribute])* #[test] fn $name() $body)*
        }
        mod in_tiers {
            use super::{*, TIERS as CACHE};
            $($(#[$attribute])* #[test] fn $name() $body)*
        }
    };
}

/// Calls twice, so that the second one is a hit if anything was stored.
fn twice<R: PartialEq + Debug>(mut call: impl FnMut() -> R) -> R {
    let first = call();
    assert_eq!(call(), first);
    first
}

everywhere! {
    fn functions_in_different_functions_do_not_meet() {
        fn a() -> [Option<u32>; 2] {
            #[cached(client = CACHE, ttl = 60)]
            fn load(id: u32) -> u32 {
                id + 1
            }
            let seen = load::peek(7);
            load(7);
            [seen, load::peek(7)]
        }
        fn b() -> [Option<u32>; 2] {
            #[cached(client = CACHE, ttl = 60)]
            fn load(id: u32) -> u32 {
                id + 1000
            }
            let seen = load::peek(7);
            load(7);
            let stored = load::peek(7);
            load::clear().unwrap();
            assert_eq!(load::peek(7), None);
            [seen, stored]
        }
        assert_eq!((a(), b()), ([None, Some(8)], [None, Some(1007)]));
        // To clear one leaves the other alone.
        assert_eq!(a(), [Some(8), Some(8)]);
    }

    fn functions_in_blocks_and_closures_of_one_function_do_not_meet() {
        let blocks = [
            {
                #[cached(client = CACHE, ttl = 60)]
                fn load(id: u32) -> u32 {
                    id + 1
                }
                twice(|| load(7))
            },
            {
                #[cached(client = CACHE, ttl = 60)]
                fn load(id: u32) -> u32 {
                    id + 2
                }
                twice(|| load(7))
            },
        ];
        let first = || {
            #[cached(client = CACHE, ttl = 60)]
            fn load(id: u32) -> u32 {
                id + 3
            }
            twice(|| load(7))
        };
        let second = || {
            #[cached(client = CACHE, ttl = 60)]
            fn load(id: u32) -> u32 {
                id + 4
            }
            twice(|| load(7))
        };
        assert_eq!((blocks, first(), second()), ([8, 9], 10, 11));
    }

    fn expansions_of_a_macro_do_not_meet() {
        macro_rules! query {
            ($name:literal) => {{
                #[cached(client = CACHE, ttl = 60)]
                fn run(x: u32) -> String {
                    format!("{}{x}", $name)
                }
                twice(|| run(1))
            }};
        }
        assert_eq!([query!("first"), query!("second"), query!("first ")], ["first1", "second1", "first 1"]);
    }

    fn generic_and_asynchronous_functions_in_different_functions_do_not_meet() {
        fn a() -> (String, String, u8) {
            #[cached(client = CACHE, ttl = 60)]
            fn show<T: serde::Serialize + Debug + Clone + Send + Sync + 'static>(x: T) -> String {
                format!("a {x:?}")
            }
            #[cached(client = CACHE, ttl = 60)]
            async fn later(x: u8) -> String {
                std::future::ready(format!("a {x}")).await
            }
            #[cached(client = CACHE, ttl = 60, companions = false)]
            fn alone(x: u8) -> u8 {
                x
            }
            (twice(|| show(1_u8)), twice(|| later(1).wait()), twice(|| alone(1)))
        }
        fn b() -> (String, String, u8) {
            #[cached(client = CACHE, ttl = 60)]
            fn show<T: serde::Serialize + Debug + Clone + Send + Sync + 'static>(x: T) -> String {
                format!("b {x:?}")
            }
            #[cached(client = CACHE, ttl = 60)]
            async fn later(x: u8) -> String {
                std::future::ready(format!("b {x}")).await
            }
            #[cached(client = CACHE, ttl = 60, companions = false)]
            fn alone(x: u8) -> u8 {
                x + 1
            }
            (twice(|| show(1_u8)), twice(|| later(1).wait()), twice(|| alone(1)))
        }
        assert_eq!((a(), b()), (("a 1".into(), "a 1".into(), 1), ("b 1".into(), "b 1".into(), 2)));
    }

    fn methods_of_local_types_of_one_name_do_not_meet() {
        fn a() -> (u32, u32) {
            struct Repo;
            impl Repo {
                #[cached(client = CACHE, ttl = 60, skip(self))]
                fn get(&self, id: u32) -> u32 {
                    id + 1
                }
                #[cached(client = CACHE, ttl = 60, associated = true)]
                fn of(id: u32) -> u32 {
                    id + 2
                }
            }
            (twice(|| Repo.get(7)), twice(|| Repo::of(7)))
        }
        fn b() -> (u32, u32) {
            struct Repo;
            impl Repo {
                #[cached(client = CACHE, ttl = 60, skip(self))]
                fn get(&self, id: u32) -> u32 {
                    id + 100
                }
                #[cached(client = CACHE, ttl = 60, associated = true)]
                fn of(id: u32) -> u32 {
                    id + 200
                }
            }
            let computed = (twice(|| Repo.get(7)), twice(|| Repo::of(7)));
            Repo::get_clear().unwrap();
            assert_eq!((Repo.get_peek(7), Repo::of_peek(7)), (None, Some(207)));
            computed
        }
        assert_eq!((a(), b(), a()), ((8, 9), (107, 207), (8, 9)));
        let blocks = [
            {
                struct Repo;
                impl Repo {
                    #[cached(client = CACHE, ttl = 60, skip(self))]
                    fn get(&self, id: u32) -> u32 {
                        id + 3
                    }
                }
                twice(|| Repo.get(7))
            },
            {
                struct Repo;
                impl Repo {
                    #[cached(client = CACHE, ttl = 60, skip(self))]
                    fn get(&self, id: u32) -> u32 {
                        id + 4
                    }
                }
                twice(|| Repo.get(7))
            },
        ];
        assert_eq!(blocks, [10, 11]);
    }

    fn methods_of_one_name_of_two_types_or_traits_do_not_meet() {
        trait Named {
            fn show(&self) -> String;
            fn later(&self) -> impl Future<Output = String> + Send;
            fn of(x: u8) -> u8;
        }
        trait Titled {
            fn show(&self) -> String;
            fn later(&self) -> impl Future<Output = String> + Send;
            fn of(x: u8) -> u8;
        }
        struct A;
        struct B;
        impl Named for A {
            #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
            fn show(&self) -> String {
                "name".to_owned()
            }
            #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
            async fn later(&self) -> String {
                "name later".to_owned()
            }
            #[cached(client = CACHE, ttl = 60, companions = false)]
            fn of(x: u8) -> u8 {
                x + 1
            }
        }
        impl Titled for A {
            #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
            fn show(&self) -> String {
                "title".to_owned()
            }
            #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
            async fn later(&self) -> String {
                "title later".to_owned()
            }
            #[cached(client = CACHE, ttl = 60, companions = false)]
            fn of(x: u8) -> u8 {
                x + 2
            }
        }
        impl Titled for B {
            #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
            fn show(&self) -> String {
                "b".to_owned()
            }
            #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
            async fn later(&self) -> String {
                "b later".to_owned()
            }
            #[cached(client = CACHE, ttl = 60, companions = false)]
            fn of(x: u8) -> u8 {
                x + 3
            }
        }
        let shown = [twice(|| Named::show(&A)), twice(|| Titled::show(&A)), twice(|| B.show())];
        assert_eq!(shown, ["name", "title", "b"]);
        let later = [twice(|| Named::later(&A).wait()), twice(|| Titled::later(&A).wait()), twice(|| B.later().wait())];
        assert_eq!(later, ["name later", "title later", "b later"]);
        assert_eq!((twice(|| <A as Named>::of(7)), twice(|| <A as Titled>::of(7)), twice(|| B::of(7))), (8, 9, 10));
    }

    fn what_is_generic_around_a_function_tells_its_instances_apart() {
        trait Size {
            fn size(x: u8) -> u64;
            fn width(x: u8) -> impl Future<Output = u64> + Send;
        }
        struct Of<T>(T);
        impl<T> Size for Of<T> {
            // Nothing here says that it is in an `impl`, or which.
            #[cached(client = CACHE, ttl = 60, companions = false)]
            fn size(x: u8) -> u64 {
                u64::from(x) + size_of::<T>() as u64
            }
            #[cached(client = CACHE, ttl = 60, companions = false)]
            async fn width(x: u8) -> u64 {
                u64::from(x) + size_of::<T>() as u64
            }
        }
        assert_eq!((Of(1_u8).0, Of(1_u16).0), (1, 1));
        assert_eq!((twice(|| Of::<u8>::size(0)), twice(|| Of::<u16>::size(0))), (1, 2));
        assert_eq!((twice(|| Of::<u8>::width(0).wait()), twice(|| Of::<u16>::width(0).wait())), (1, 2));
    }

    fn local_types_of_one_name_are_different_arguments() {
        trait Kind {
            const NAME: &'static str;
        }
        #[cached(client = CACHE, ttl = 60)]
        fn of<T: Kind>(id: u32) -> String {
            format!("{}{id}", T::NAME)
        }
        #[cached(client = CACHE, ttl = 60, namespace = "kinds")]
        fn named<T: Kind>(id: u32) -> String {
            format!("{}{id}", T::NAME)
        }
        let first = {
            struct S;
            impl Kind for S {
                const NAME: &'static str = "first";
            }
            [twice(|| of::<S>(1)), twice(|| named::<S>(1))]
        };
        let second = {
            struct S;
            impl Kind for S {
                const NAME: &'static str = "second";
            }
            [twice(|| of::<S>(1)), twice(|| named::<S>(1))]
        };
        assert_eq!((first, second), (["first1", "first1"].map(str::to_owned), ["second1", "second1"].map(str::to_owned)));
    }

    fn functions_that_nothing_tells_apart_do_not_meet() {
        let values = [
            {
                const MORE: u32 = 1;
                #[cached(client = CACHE, ttl = 60)]
                fn load(id: u32) -> u32 {
                    id + MORE
                }
                twice(|| load(7))
            },
            {
                const MORE: u32 = 1000;
                #[cached(client = CACHE, ttl = 60)]
                fn load(id: u32) -> u32 {
                    id + MORE
                }
                twice(|| load(7))
            },
        ];
        assert_eq!(values, [8, 1007]);
    }
}

/// The lines of the log that say `error`.
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
        refused::bg_refresh(0);
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
    assert!(FAR.is_shared() && TIERS.is_shared() && !TieredClient::new(near(), near()).is_shared());
    assert!(TieredClient::new(near(), TieredClient::new(near(), Shared::new())).is_shared());
    assert!(!NamespaceClient::new("a", near()).unwrap().is_shared());
    assert!(NamespaceClient::new("a", Shared::new()).unwrap().is_shared());
    assert!(!DynClient::<u8>::new(near()).is_shared() && DynClient::<u8>::new(Shared::new()).clone().is_shared());
}
