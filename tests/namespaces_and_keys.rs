//! What tells the entries of a function from those of others, and from one another.

mod support;

use std::sync::LazyLock;

use chorde::prelude::*;
use chorde::{Cache, InprocClient, Namespace, Path};
use serde::Serialize;
use support::{Count, secs};

mod golden {
    use super::*;
    store!(CACHE);
    #[cached(client = CACHE, ttl = 300)]
    pub(crate) fn price(_x: u64, _name: &str) -> f64 {
        1.0
    }
}

#[test]
fn the_automatic_namespace_is_the_same_in_every_build() {
    assert_eq!(golden::price::namespace(), "namespaces_and_keys::golden::price#b7d0d2e5bd17e629");
}

/// Declares functions of one name, each in a module of its own, and compares their namespaces' hashes.
macro_rules! variants {
    ($($module:ident: ($($argument:tt)*) fn($($name:ident: $type:ty),*) $(-> $result:ty)?;)*) => {{
        $(mod $module {
            use chorde::prelude::*;
            crate::store!(CACHE);
            #[cached(client = CACHE, $($argument)*)]
            #[expect(unused, reason = "only the signature counts")]
            pub(super) fn same($($name: $type),*) $(-> $result)? { panic!("never called") }
        })*
        [$($module::same::namespace().rsplit_once('#').unwrap().1.to_owned()),*]
    }};
}

#[test]
fn another_signature_ttl_or_version_is_another_namespace() {
    let hashes = variants! {
        base: (ttl = 60) fn(x: u64) -> u64;
        argument: (ttl = 60) fn(x: u32) -> u64;
        more: (ttl = 60) fn(x: u64, y: u64) -> u64;
        order: (ttl = 60) fn(y: u64, x: u64) -> u64;
        name: (ttl = 60) fn(y: u64) -> u64;
        skipped: (ttl = 60, skip(x)) fn(x: u64, y: u64) -> u64;
        other_skipped: (ttl = 60, skip(y)) fn(x: u64, y: u64) -> u64;
        key: (ttl = 60, key = x) fn(x: u64, y: u64) -> u64;
        other_key: (ttl = 60, key = y) fn(x: u64, y: u64) -> u64;
        coded: (ttl = 60, encode = u64::swap_bytes, decode = u64::swap_bytes) fn(x: u64) -> u64;
        other_coded: (ttl = 60, encode = u64::reverse_bits, decode = u64::reverse_bits) fn(x: u64) -> u64;
        result: (ttl = 60) fn(x: u64) -> u32;
        ttl: (ttl = 61) fn(x: u64) -> u64;
        version: (ttl = 60, version = "2") fn(x: u64) -> u64;
        next: (ttl = 60, version = "3") fn(x: u64) -> u64;
        nothing: (ttl = 60) fn(x: u64);
    };
    for (at, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..at].contains(hash), "{at}: {hashes:?}");
    }
}

#[test]
fn other_settings_do_not_change_the_namespace() {
    let hashes = variants! {
        base: (ttl = 60) fn(x: u64) -> u64;
        written: (ttl = "1m") fn(x: u64) -> u64;
        ahead: (ttl = 60, async_ttl = -20, ttl_spread = none, lease = 3) fn(x: u64) -> u64;
    };
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

/// Two builds of one program, in which the arguments of a function change places, are two blocks here.
#[test]
fn what_was_stored_under_another_order_of_the_arguments_is_not_read() {
    let before = {
        #[cached(client = store(), ttl = 60)]
        fn route(from: u32, to: u32) -> String {
            format!("{from} to {to}")
        }
        (route(1, 2), route::stats().key_errors)
    };
    let after = {
        #[cached(client = store(), ttl = 60)]
        fn route(to: u32, from: u32) -> String {
            format!("{from} to {to}")
        }
        (route(1, 2), route::stats().key_errors)
    };
    assert_eq!((before, after), (("1 to 2".into(), 0), ("2 to 1".into(), 0)));
}

#[test]
fn the_path_of_a_function_is_the_name_of_its_namespace() {
    store!(CACHE);
    struct Repo<T>(T);
    impl<T> Repo<T> {
        #[cached(client = CACHE, ttl = 60, associated = true)]
        fn load(x: u64) -> u64 {
            x
        }
    }
    #[cached(client = CACHE, ttl = 60)]
    fn local(x: u64) -> u64 {
        x
    }
    let path = |namespace: String| namespace.split('#').next().unwrap().to_owned();
    let here = "namespaces_and_keys::the_path_of_a_function_is_the_name_of_its_namespace";
    assert_eq!(path(local::namespace()), format!("{here}::local"));
    assert_eq!(path(Repo::<u8>::load_namespace()), format!("{here}::Repo<_>::load"));
    assert!(Repo::<u8>::load_namespace().ends_with("::Repo<u8>>"), "{}", Repo::<u8>::load_namespace());
    assert_eq!((Repo(1).0, local(1)), (1, 1));
}

#[test]
fn the_name_of_a_namespace_clears_it() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn kept(x: u64) -> u64 {
        x
    }
    kept(1);
    let name = support::info("kept").namespace;
    CACHE.clear_namespace(Path::new(&[Namespace::named(name)])).wait().unwrap();
    assert_eq!(kept::peek(1), None);
}

fn store() -> &'static support::shared::Shared {
    static STORE: LazyLock<support::shared::Shared> = LazyLock::new(Default::default);
    &STORE
}

#[test]
fn functions_of_one_name_in_different_modules_do_not_meet() {
    mod one {
        use chorde::prelude::*;
        #[cached(client = super::shared_client(), ttl = 60)]
        pub(super) fn load(x: u64) -> u64 {
            x + 1
        }
    }
    mod other {
        use chorde::prelude::*;
        #[cached(client = super::shared_client(), ttl = 60)]
        pub(super) fn load(x: u64) -> u64 {
            x + 2
        }
    }
    assert_eq!((one::load(0), other::load(0), one::load(0), other::load(0)), (1, 2, 1, 2));
}

fn shared_client() -> &'static InprocClient {
    store!(CLIENT);
    &CLIENT
}

#[test]
fn methods_of_one_name_of_different_types_do_not_meet() {
    struct Users;
    struct Orders;
    impl Users {
        #[cached(client = shared_client(), ttl = 60, skip(self))]
        fn find(&self, id: u64) -> String {
            format!("user {id}")
        }
        #[cached(client = shared_client(), ttl = 60, associated = true)]
        fn count(of: u64) -> u64 {
            of + 1
        }
    }
    impl Orders {
        #[cached(client = shared_client(), ttl = 60, skip(self))]
        fn find(&self, id: u64) -> String {
            format!("order {id}")
        }
        #[cached(client = shared_client(), ttl = 60, associated = true)]
        fn count(of: u64) -> u64 {
            of + 2
        }
    }
    assert_eq!((Users.find(1), Orders.find(1)), ("user 1".to_owned(), "order 1".to_owned()));
    assert_eq!((Users.find(1), Orders.find(1)), ("user 1".to_owned(), "order 1".to_owned()));
    assert_eq!((Users::count(0), Orders::count(0)), (1, 2));
    assert_eq!((Users::count(0), Orders::count(0)), (1, 2));
}

#[test]
fn without_a_namespace_keys_go_to_the_client_as_they_are() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, namespace = none)]
    fn bare(x: u64, name: &str) -> u64 {
        x + name.len() as u64
    }
    #[cached(client = CACHE, ttl = 60, namespace = none, key = x)]
    fn by_id(x: u64, _note: &str) -> u64 {
        x
    }
    assert_eq!((bare(1, "ab"), bare::namespace().as_str()), (3, ""));
    assert_eq!(CACHE.get::<u64>(&bare::callkey(1, "ab").unwrap()).wait().unwrap(), Some(3));
    assert_eq!(CACHE.get::<u64>(&(1_u64, "ab")).wait().unwrap(), Some(3));
    CACHE.put(&7_u64, 700_u64, secs(60)).wait().unwrap();
    assert_eq!((by_id(7, "a"), by_id(7, "b")), (700, 700));
    CACHE.delete(&7_u64).wait().unwrap();
    assert_eq!(by_id(7, "c"), 7);
}

#[test]
fn with_a_namespace_keys_are_found_by_callkey_alone() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn automatic(x: u64) -> u64 {
        x + 1
    }
    automatic(5);
    assert_eq!(CACHE.get::<u64>(&automatic::callkey(5).unwrap()).wait().unwrap(), Some(6));
    assert_eq!(CACHE.get::<u64>(&(5_u64,)).wait().unwrap(), None);
}

#[test]
fn functions_may_share_a_namespace() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, namespace = "people")]
    fn writer(x: u64) -> u64 {
        x + 100
    }
    #[cached(client = CACHE, ttl = 60, namespace = "people")]
    fn reader(x: u64) -> u64 {
        x
    }
    assert_eq!((writer(1), reader(1), reader::stats().hits), (101, 101, 1));
    reader::clear().unwrap();
    assert_eq!(writer::peek(1), None);
}

#[test]
fn the_key_is_all_arguments_that_are_not_skipped() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    struct NotAKey;
    #[cached(client = CACHE, ttl = 60, skip(connection, verbose))]
    fn load(connection: &NotAKey, id: u64, verbose: bool, tag: Option<&str>) -> u64 {
        let _ = (connection, verbose, tag);
        id + RUNS.up()
    }
    assert_eq!((load(&NotAKey, 0, true, None), load(&NotAKey, 0, false, None)), (1, 1));
    assert_eq!((load(&NotAKey, 0, true, Some("a")), load(&NotAKey, 0, true, Some("b"))), (2, 3));
    assert_eq!(load::peek(&NotAKey, 0, false, Some("a")), Some(2));
}

#[test]
fn the_key_may_be_any_expression_over_the_arguments() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[derive(Clone, Serialize)]
    struct Request {
        id: u64,
        trace: String,
    }
    #[cached(client = CACHE, ttl = 60, key = (request.id, name.to_lowercase()))]
    fn answer(request: &Request, name: &str) -> u64 {
        request.trace.len() as u64 + name.len() as u64 + RUNS.up()
    }
    let request = |id, trace: &str| Request { id, trace: trace.to_owned() };
    assert_eq!(answer(&request(1, "a"), "Bob"), 5);
    assert_eq!(answer(&request(1, "bcd"), "BOB"), 5);
    assert_eq!((answer(&request(2, "a"), "bob"), RUNS.get()), (6, 2));
}

#[test]
fn keys_that_look_alike_are_not_the_same() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn glued(a: &str, b: &str) -> String {
        format!("{a}|{b}")
    }
    assert_ne!(glued("ab", "c"), glued("a", "bc"));
    #[cached(client = CACHE, ttl = 60)]
    fn option(x: Option<&str>) -> String {
        format!("{x:?}")
    }
    assert_eq!([option(None), option(Some(""))], ["None", "Some(\"\")"]);
    #[cached(client = CACHE, ttl = 60)]
    fn slices(a: &[u8], b: &[u8]) -> (usize, usize) {
        (a.len(), b.len())
    }
    assert_eq!((slices(&[1], &[]), slices(&[], &[1])), ((1, 0), (0, 1)));
}

#[test]
fn owned_and_borrowed_arguments_make_the_same_key() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, namespace = "texts")]
    fn borrowed(text: &str) -> usize {
        text.len()
    }
    #[cached(client = CACHE, ttl = 60, namespace = "texts")]
    fn owned(text: String) -> usize {
        text.len() + 1000
    }
    assert_eq!((borrowed("abc"), owned("abc".to_owned()), owned::stats().hits), (3, 3, 1));
    assert_eq!(borrowed::callkey("x").unwrap(), owned::callkey("x".to_owned()).unwrap());
}
