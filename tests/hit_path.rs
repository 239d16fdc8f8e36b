//! A hit allocates nothing.

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use allocation_counter::measure;
use chorde::InprocClient;
use chorde::inproc::Policy;
use chorde::prelude::*;
use serde::Serialize;
use support::hand::poll_once;

/// Returns how many allocations a hundred runs make, after one that warms up.
fn allocations(mut hit: impl FnMut()) -> u64 {
    hit();
    measure(|| (0..100).for_each(|_| hit())).count_total
}

#[test]
fn the_measurement_sees_allocations() {
    assert!(allocations(|| drop(std::hint::black_box(Box::new(1)))) >= 100);
}

#[test]
fn a_hit_of_numbers_allocates_nothing() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, async_ttl = -30)]
    fn ahead(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = 60)]
    fn plain(x: u64) -> u64 {
        x
    }
    assert_eq!(allocations(|| assert_eq!(ahead(5), 5)), 0);
    assert_eq!(allocations(|| assert_eq!((plain(5), plain::bg(5)), (5, 5))), 0);
    assert_eq!(allocations(|| assert_eq!((plain::lazy(5), plain::peek(5)), (Some(5), Some(5)))), 0);
    assert_eq!((ahead::stats().hits, plain::stats().hits), (100, 302));
}

#[test]
fn a_hit_of_a_struct_allocates_no_more_than_its_clone() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Pair(u64, u64);
    store!(CACHE);
    static LRU: std::sync::LazyLock<InprocClient> =
        std::sync::LazyLock::new(|| InprocClient::builder().capacity(10).policy(Policy::lru()).build().unwrap());
    #[cached(client = CACHE, ttl = 60)]
    fn pair(x: u64) -> Pair {
        Pair(x, x)
    }
    #[cached(client = LRU, ttl = 60)]
    fn used(x: u64) -> Pair {
        Pair(x, x)
    }
    #[cached(client = LRU, ttl = 60)]
    fn counted(x: u64) -> u64 {
        x
    }
    assert_eq!(allocations(|| assert_eq!(pair(5), Pair(5, 5))), 0);
    // Once the policy has been told of as many hits as are told at a time.
    (0..200).for_each(|_| _ = (used(5), counted(5)));
    assert_eq!(allocations(|| assert_eq!((used(5), counted(5)), (Pair(5, 5), 5))), 0);
}

#[test]
fn a_hit_by_text_allocates_nothing() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, async_ttl = -30)]
    fn named(name: &str, x: u32) -> Arc<str> {
        format!("{name}{x}").into()
    }
    assert_eq!(
        allocations(|| assert_eq!(
            &*named("a name that is longer than any inline key would be", 5),
            "a name that is longer than any inline key would be5"
        )),
        0
    );
    assert_eq!(named::stats().hits, 100);
}

#[test]
fn a_hit_of_an_asynchronous_function_allocates_nothing() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, async_ttl = -30)]
    async fn later(x: u64, name: &str) -> u64 {
        x + name.len() as u64
    }
    later(5, "abc").wait();
    let count = allocations(|| assert_eq!(poll_once(pin!(later(5, "abc"))), Poll::Ready(8)));
    assert_eq!((count, later::stats().hits), (0, 101));
}

#[test]
#[allow(clippy::ptr_arg, reason = "a reference to a list is a kind of key")]
fn a_hit_by_a_long_key_allocates_nothing() {
    store!(CACHE);
    #[derive(Debug, Serialize)]
    struct Nested<'a> {
        bytes: &'a [u8],
        parts: Vec<(String, Vec<u32>, Option<[u8; 32]>)>,
    }
    #[derive(Debug, Serialize)]
    struct Byte(u8);
    #[cached(client = CACHE, ttl = 60)]
    fn arrays(a: [u8; 32], b: [u64; 32], c: [[u16; 20]; 20]) -> u64 {
        u64::from(a[0]) + b[0] + u64::from(c[0][0])
    }
    #[cached(client = CACHE, ttl = 60)]
    fn text(key: &str) -> u64 {
        key.len() as u64
    }
    #[cached(client = CACHE, ttl = 60)]
    fn numbers(key: &Vec<u64>, bytes: &[u8], floats: &[f64]) -> u64 {
        key[1] + bytes.len() as u64 + floats.len() as u64
    }
    #[cached(client = CACHE, ttl = 60)]
    fn nested(key: &Nested<'static>, names: &[String], newtypes: &[Byte]) -> u64 {
        (key.bytes.len() + names.len() + newtypes.len()) as u64
    }
    static BYTES: [u8; 1 << 16] = [7; 1 << 16];
    let (long, words): (String, Vec<u64>) = ("x".repeat(1 << 10), (0..10_000).collect());
    let part = |at: u32| (format!("part {at}"), vec![at; 100], Some([1; 32]));
    let key = Nested { bytes: &BYTES, parts: (0..20).map(part).collect() };
    let (names, newtypes): (Vec<String>, Vec<Byte>) = (0..1000).map(|at| (at.to_string(), Byte(at as u8))).unzip();
    assert_eq!(allocations(|| assert_eq!(arrays([1; 32], [2; 32], [[3; 20]; 20]), 6)), 0);
    assert_eq!(allocations(|| assert_eq!(text(&long), 1 << 10)), 0);
    assert_eq!(allocations(|| assert_eq!(numbers(&words, &BYTES, &[0.5; 100]), 1 + (1 << 16) + 100)), 0);
    assert_eq!(allocations(|| assert_eq!(nested(&key, &names, &newtypes), (1 << 16) + 2000)), 0);
    let hits = [arrays::stats().hits, text::stats().hits, numbers::stats().hits, nested::stats().hits];
    assert_eq!((hits, key.parts.len()), ([100; 4], 20));
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Query<'a> {
    table: &'a str,
    ids: [u64; 4],
    limit: Option<u32>,
}

#[test]
fn a_hit_by_a_struct_allocates_nothing() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn rows(query: &Query<'static>, scale: f64) -> Arc<[f64]> {
        query.ids.iter().map(|id| *id as f64 * scale).collect()
    }
    let query = Query { table: "prices", ids: [1, 2, 3, 4], limit: Some(5) };
    assert_eq!(allocations(|| assert_eq!(rows(&query, 2.0).len(), 4)), 0);
    assert_eq!((rows::stats().hits, query.table.len(), query.limit), (100, 6, Some(5)));
}

#[test]
fn a_hit_of_a_method_allocates_nothing() {
    #[derive(Clone)]
    struct Repo {
        cache: InprocClient,
        tenant: String,
    }
    impl Repo {
        #[cached(client = self.cache, ttl = 60, async_ttl = -30, key = (self.tenant, id))]
        fn user(&self, id: u64) -> u64 {
            id + self.tenant.len() as u64
        }
        #[cached(client = self.cache, ttl = 60, key = (self.tenant, id))]
        async fn user_later(&self, id: u64) -> u64 {
            id + self.tenant.len() as u64
        }
    }
    let repo = Repo { cache: InprocClient::new(100), tenant: "tenant".to_owned() };
    assert_eq!(allocations(|| assert_eq!(repo.user(1), 7)), 0);
    repo.user_later(1).wait();
    assert_eq!(allocations(|| assert_eq!(poll_once(pin!(repo.user_later(1))), Poll::Ready(7))), 0);
    assert_eq!((Repo::user_stats().hits, Repo::user_later_stats().hits), (100, 101));
}

#[test]
fn a_hit_of_a_generic_or_fallible_function_allocates_nothing() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, result = false)]
    fn generic<T: Serialize + Clone + Send + Sync + 'static>(x: T) -> T {
        x
    }
    #[cached(client = CACHE, ttl = 60)]
    fn fallible(x: u64) -> Result<u64, String> {
        if x > 0 { Ok(x) } else { Err("zero".to_owned()) }
    }
    assert_eq!(allocations(|| assert_eq!((generic(1_u8), generic('a')), (1, 'a'))), 0);
    assert_eq!(allocations(|| assert_eq!(fallible(1), Ok(1))), 0);
}

#[test]
fn a_near_hit_of_a_tiered_client_allocates_nothing() {
    use std::sync::LazyLock;
    static TIERS: LazyLock<chorde::TieredClient<InprocClient, InprocClient>> =
        LazyLock::new(|| chorde::TieredClient::new(InprocClient::new(10), InprocClient::new(100)));
    #[cached(client = TIERS, ttl = 60)]
    fn near(x: u64) -> u64 {
        x
    }
    assert_eq!((allocations(|| assert_eq!(near(1), 1)), near::stats().hits), (0, 100));
}
