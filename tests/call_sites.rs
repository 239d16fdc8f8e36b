//! Functions and types of one name, in different bodies: in process each call site and each instance has entries of its own,
//! and in a shared store nothing is ever read that another one has written.

mod support;

use std::fmt::Debug;
use std::sync::LazyLock;

use chorde::prelude::*;
use chorde::{InprocClient, TieredClient};
use support::shared::Shared;

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
