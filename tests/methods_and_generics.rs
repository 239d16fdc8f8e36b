//! Methods, generic functions and generic impls, with arguments of all kinds, in both forms.

mod support;

use std::borrow::Cow;
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use chorde::prelude::*;
use chorde::{Client, InprocClient};
use serde::Serialize;
use support::{Count, bounded, drained, secs, shown};

#[test]
fn a_method_has_its_companions_beside_it() {
    bounded(|| {
        static RUNS: Count = Count::new();
        #[derive(Clone)]
        struct Repo {
            cache: Arc<InprocClient>,
            tenant: String,
        }
        impl Repo {
            #[cached(client = self.cache, ttl = 60, ttl_spread = none, key = (self.tenant, id))]
            fn user(&self, id: u64, greeting: &str) -> String {
                format!("{greeting} {} {id} {}", self.tenant, RUNS.up())
            }
        }
        let clock = chorde::ManualClock::new();
        let cache = Arc::new(support::timed(100, &clock));
        let repo = |tenant: &str| Repo { cache: Arc::clone(&cache), tenant: tenant.to_owned() };
        let (a, b) = (repo("a"), repo("b"));
        assert_eq!(
            (a.user_peek(1, ""), a.user(1, "hi"), a.user(1, "ho")),
            (None, "hi a 1 1".into(), "hi a 1 1".into())
        );
        assert_eq!((b.user(1, "hi"), repo("a").user_peek(1, "x")), ("hi b 1 2".into(), Some("hi a 1 1".into())));
        assert_eq!((a.user_refresh(1, "yo"), a.user_uncached(1, "yo")), ("yo a 1 3".into(), "yo a 1 4".into()));
        a.user_put(1, "hi", "put".to_owned()).unwrap();
        assert_eq!(
            (a.user(1, "hi"), a.user_bg(1, "hi"), a.user_lazy(1, "hi")),
            ("put".into(), "put".into(), Some("put".into()))
        );
        assert_eq!(shown(a.user_get_ttl(1, "")), Some(("put".to_owned(), secs(60), false)));
        a.user_expire(1, "").unwrap();
        assert_eq!((a.user_peek(1, ""), a.user_get_ttl(1, "").unwrap().is_stale()), (None, true));
        a.user_invalidate(1, "").unwrap();
        assert_eq!((a.user_get_ttl(1, ""), a.user_lazy(1, "bg")), (None, None));
        drained();
        assert_eq!(a.user_peek(1, ""), Some("bg a 1 5".to_owned()));
        a.user_bg_refresh(1, "again").unwrap();
        drained();
        assert_eq!(a.user_future(1, "x").wait().unwrap(), "again a 1 6");
        assert_eq!(a.user_future_refresh(1, "x").wait().unwrap(), "x a 1 7");
        a.user_future_put(1, "x", "future".to_owned()).wait().unwrap().unwrap();
        assert_eq!(a.user_future_peek(1, "x").wait().unwrap().as_deref(), Some("future"));
        assert_eq!((Repo::user_ttl(), Repo::user_stats().key_errors), (secs(60), 0));
        assert_ne!(a.user_callkey(1, "").unwrap(), b.user_callkey(1, "").unwrap());
        a.user_clear().unwrap();
        assert_eq!((a.user_peek(1, ""), b.user_peek(1, "")), (None, None));
        assert!(a.user_namespace().contains("user"));
    });
}

#[test]
fn an_asynchronous_method_has_them_too() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[derive(Clone)]
        struct Api;
        impl Api {
            #[cached(client = CACHE, ttl = 60, skip(self))]
            async fn get(&self, path: &str) -> Result<String, Arc<str>> {
                support::hand::pause().await;
                if path.is_empty() { Err("empty".into()) } else { Ok(format!("{path}{}", RUNS.up())) }
            }
        }
        async {
            assert_eq!((Api.get("a").await, Api.get("a").await), (Ok("a1".into()), Ok("a1".into())));
            assert_eq!((Api.get("").await, Api.get_peek("").await), (Err("empty".into()), None));
            assert_eq!((Api.get_refresh("a").await, Api.get_peek("a").await), (Ok("a2".into()), Some("a2".into())));
            Api.get_put("a", "b".to_owned()).await.unwrap();
            assert_eq!((Api.get_lazy("a").await, Api.get_bg("a").await), (Some("b".into()), Ok("b".into())));
            Api.get_invalidate("a").await.unwrap();
            assert_eq!((Api.get_get_ttl("a").await, Api.get_future("a").await.unwrap()), (None, Ok("a3".into())));
            Api::get_clear().await.unwrap();
            assert_eq!(Api.get_peek("a").await, None);
        }
        .wait();
        assert_eq!((Api::get_stats().computes, Api::get_stats().compute_errors), (3, 1));
    });
}

#[test]
fn receivers_of_all_kinds_work() {
    store!(CACHE);
    #[derive(Clone)]
    struct Thing(u64);
    impl Thing {
        #[cached(client = CACHE, ttl = 60, key = (self.0, x))]
        fn shared(self: Arc<Self>, x: u64) -> u64 {
            self.0 + x
        }
        #[cached(client = CACHE, ttl = 60, key = (self.0, x))]
        fn owned(self, x: u64) -> u64 {
            self.0 + x
        }
        #[cached(client = CACHE, ttl = 60, associated = true)]
        fn associated(x: u64) -> u64 {
            x
        }
    }
    let thing = Arc::new(Thing(10));
    assert_eq!((Arc::clone(&thing).shared(1), Arc::clone(&thing).shared_peek(1)), (11, Some(11)));
    assert_eq!((Thing(20).owned(1), Thing(20).owned_peek(1), Thing(21).owned_peek(1)), (21, Some(21), None));
    assert_eq!((Thing::associated(5), Thing::associated_peek(5), Thing::associated_peek(6)), (5, Some(5), None));
}

#[test]
fn a_handle_that_cannot_be_cloned_has_all_that_stays_in_the_foreground() {
    store!(CACHE);
    struct Unique;
    impl Unique {
        #[cached(client = CACHE, ttl = 60, skip(self))]
        fn get(&self, x: u64) -> u64 {
            x
        }
    }
    assert_eq!((Unique.get(1), Unique.get_peek(1), Unique.get_refresh(1)), (1, Some(1), 1));
    Unique.get_put(1, 5).unwrap();
    assert_eq!((Unique.get(1), Unique.get_future_peek(1).wait().unwrap()), (5, Some(5)));
}

#[test]
fn trait_methods_are_cached_without_companions() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    trait Load {
        fn load(&self, id: u64) -> u64;
        fn load_later(&self, id: u64) -> impl Future<Output = u64> + Send;
    }
    struct Store;
    impl Load for Store {
        #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
        fn load(&self, id: u64) -> u64 {
            id + RUNS.up()
        }
        #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
        async fn load_later(&self, id: u64) -> u64 {
            id + RUNS.up()
        }
    }
    assert_eq!((Store.load(0), Store.load(0)), (1, 1));
    assert_eq!((Store.load_later(0).wait(), Store.load_later(0).wait(), RUNS.get()), (2, 2, 2));
}

#[test]
fn each_set_of_generic_arguments_has_entries_of_its_own() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn shape<T: Serialize + Debug + Clone + Send + Sync + 'static>(x: T) -> String {
            format!("{x:?} {} {}", std::any::type_name::<T>(), RUNS.up())
        }
        assert_eq!((shape(1_u8), shape(1_u16), shape(1_u8)), ("1 u8 1".into(), "1 u16 2".into(), "1 u8 1".into()));
        assert_ne!(shape::namespace::<u8>(), shape::namespace::<u16>());
        assert_eq!((shape::peek(1_u16), shape::peek(1_u32)), (Some("1 u16 2".into()), None));
        shape::put(1_u32, "put".to_owned()).unwrap();
        assert_eq!((shape(1_u32), shape::lazy(2_u8)), ("put".into(), None));
        drained();
        assert_eq!(shape::peek(2_u8), Some("2 u8 3".into()));
        assert_eq!((shape::future(3_i8).wait().unwrap(), shape::refresh(3_i8)), ("3 i8 4".into(), "3 i8 5".into()));
        // One function: one set of counters, and one clear.
        assert_eq!(shape::stats().computes, 5);
        shape::clear::<u8>().unwrap();
        assert_eq!((shape::peek(1_u8), shape::peek(1_u16), shape::peek(1_u32)), (None, None, None));
    });
}

#[test]
fn values_may_be_generic_and_constants_belong_to_the_key() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn twice<T: Serialize + Clone + Send + Sync + 'static>(x: T) -> (T, T) {
        (x.clone(), x)
    }
    #[cached(client = CACHE, ttl = 60)]
    fn times<const N: usize>(x: [u8; N]) -> usize {
        N * x.iter().map(|x| usize::from(*x)).sum::<usize>()
    }
    #[cached(client = CACHE, ttl = 60)]
    async fn later<T: Serialize + Clone + Send + Sync + 'static>(x: T) -> Option<T> {
        std::future::ready(Some(x)).await
    }
    assert_eq!((twice("a"), twice(1), twice("a")), (("a", "a"), (1, 1), ("a", "a")));
    assert_eq!((times([1, 2]), times([1, 2, 0]), times([1, 2])), (6, 9, 6));
    assert_eq!((later(1).wait(), later("x").wait(), later::peek(1).wait()), (Some(1), Some("x"), Some(Some(1))));
}

#[test]
fn a_generic_impl_works_with_any_client() {
    bounded(|| {
        static RUNS: Count = Count::new();
        #[derive(Clone)]
        struct Repo<C> {
            cache: C,
            tenant: u64,
        }
        impl<C: Client<u64> + Clone + 'static> Repo<C> {
            #[cached(client = self.cache, ttl = 60, key = (self.tenant, id))]
            fn load(&self, id: u64) -> u64 {
                self.tenant + id + RUNS.up()
            }
            #[cached(client = self.cache, ttl = 60, key = (self.tenant, id))]
            async fn load_later(&self, id: u64) -> u64 {
                self.tenant + id + RUNS.up()
            }
        }
        let near = Repo { cache: InprocClient::new(10), tenant: 100 };
        let tiers = chorde::TieredClient::new(InprocClient::new(10), InprocClient::new(100));
        let tiered = Repo { cache: tiers, tenant: 100 };
        let boxed = Repo { cache: chorde::DynClient::<u64>::new(InprocClient::new(10)), tenant: 100 };
        assert_eq!((near.load(1), tiered.load(1), boxed.load(1), near.load(1)), (102, 103, 104, 102));
        assert_eq!((tiered.load_peek(1), boxed.load_peek(1)), (Some(103), Some(104)));
        assert_eq!((near.load_later(1).wait(), near.load_later(1).wait()), (105, 105));
        assert_eq!((boxed.load_future(2).wait().unwrap(), near.load_lazy(3)), (107, None));
        drained();
        assert_eq!(near.load_peek(3), Some(109));
    });
}

#[test]
fn references_of_all_kinds_are_arguments() {
    bounded(|| {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[derive(Clone, Serialize)]
        struct Request {
            id: u64,
        }
        #[cached(client = CACHE, ttl = 60)]
        fn all(r: &Request, s: &[u8], t: &[String], o: Option<&str>, p: &Path, c: Cow<'static, str>, b: &u8) -> u64 {
            let lengths = s.len() + t.len() + o.map_or(0, str::len) + p.as_os_str().len() + c.len();
            r.id + lengths as u64 + u64::from(*b) + RUNS.up()
        }
        let call = |o| all(&Request { id: 1 }, &[1], &["x".into()], o, Path::new("/p"), "c".into(), &1);
        assert_eq!((call(None), call(Some("o")), call(None)), (8, 10, 8));
        let lazy = |o| all::lazy(&Request { id: 1 }, &[1], &["x".into()], o, Path::new("/p"), "c".into(), &1);
        assert_eq!((lazy(Some("o")), lazy(Some("new"))), (Some(10), None));
        drained();
        assert_eq!(lazy(Some("new")), Some(13));
    });
}

#[test]
fn companions_of_borrowed_arguments_can_be_spawned() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn load(id: u64, name: &str, more: Option<&str>, tags: &[u8]) -> Option<u64> {
        support::hand::pause().await;
        Some(id + (name.len() + more.map_or(0, str::len) + tags.len()) as u64 + RUNS.up())
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let task = runtime.spawn(async {
        let (name, more, tags) = ("ab".to_owned(), "c".to_owned(), vec![0, 1]);
        let called = load(1, &name, Some(&more), &tags).await;
        let refreshed = load::refresh(1, &name, Some(&more), &tags).await;
        load::put(2, &name, None, &tags, Some(7)).await.unwrap();
        let found = load::peek(2, &name, None, &tags).await;
        let looked = (load::lazy(2, &name, None, &tags).await, load::bg(2, &name, None, &tags).await);
        (called, refreshed, found, looked, load::future(2, &name, None, &tags).await.unwrap())
    });
    assert_eq!(runtime.block_on(task).unwrap(), (Some(7), Some(8), Some(Some(7)), (Some(Some(7)), Some(7)), Some(7)));
}

#[test]
fn companions_take_what_derefs_to_an_argument() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn length(text: &str, bytes: &[u8], more: &u64) -> u64 {
        (text.len() + bytes.len()) as u64 + more
    }
    let (text, bytes, more) = ("abc".to_owned(), vec![1, 2], Box::new(1));
    assert_eq!((length::peek(&text, &bytes, &more), length(&text, &bytes, &more)), (None, 6));
    assert_eq!(length::lazy(&text, &bytes, &more), Some(6));
    assert_eq!(length::future(&text, &bytes, &more).wait().unwrap(), 6);
}

mod private {
    use super::*;
    static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10));

    #[derive(Clone, Debug, PartialEq, Serialize)]
    struct Row(u64);

    /// As in the root of a program, where nothing is more public than anything else.
    #[cached(client = CACHE, ttl = 60)]
    pub fn row(of: Row) -> Row {
        Row(of.0 + 1)
    }

    #[test]
    fn a_public_function_may_use_private_types() {
        assert_eq!((row(Row(1)), row::peek(Row(1)), row::peek(Row(2))), (Row(2), Some(Row(2)), None));
    }
}

#[test]
fn arguments_may_be_patterns_and_mutable_and_many() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn pattern((a, b): (u64, u64), mut c: u64, [d, _]: [u64; 2]) -> u64 {
        c += 1;
        a + b + c + d
    }
    #[cached(client = CACHE, ttl = 60)]
    #[expect(clippy::too_many_arguments, reason = "that is the point")]
    fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8) -> u64 {
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n].into_iter().fold(0, |sum, x| 2 * sum + u64::from(x))
    }
    assert_eq!((pattern((1, 2), 3, [4, 0]), pattern((1, 2), 3, [4, 1])), (11, 11));
    assert_eq!((pattern::stats().computes, pattern::peek((1, 2), 3, [4, 0])), (2, Some(11)));
    assert_ne!(many(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), many(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0));
}

mod shop {
    use super::*;
    static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10));

    /// Imported with its companions by one `use`.
    #[cached(client = CACHE, ttl = 60)]
    pub(crate) fn price(x: u64) -> u64 {
        x + 1
    }
}

#[test]
fn one_use_imports_a_function_and_its_companions() {
    use shop::price;
    assert_eq!((price::peek(1), price(1), price::peek(1)), (None, 2, Some(2)));
    use shop::price as cost;
    assert_eq!((cost(1), cost::stats().hits), (2, 1));
}
