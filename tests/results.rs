//! What of a function's result is stored: of a `Result` what is `Ok`, whatever the type is called.

mod support;

use std::io;

use chorde::prelude::*;
use support::Count;

/// As most crates have one.
type ApiResult<T> = Result<T, Failure>;
type Parsed = Result<i64, String>;
/// Named as no `Result` is.
type R = Result<u64, Failure>;

#[derive(Debug, PartialEq, Eq)]
struct Failure;

/// No `Result`, whatever it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SearchResult<T>(T);

trait Load {
    type Out;
    fn load(&self, id: u64) -> Self::Out;
    fn of(id: u64) -> Self::Out;
}

struct Table;

store!(TABLES);
static LOADS: Count = Count::new();

impl Load for Table {
    type Out = ApiResult<u64>;
    #[cached(client = TABLES, ttl = 60, key = id, companions = false)]
    fn load(&self, id: u64) -> Self::Out {
        ask(&LOADS, id)
    }
    #[cached(client = TABLES, ttl = 60, companions = false)]
    fn of(id: u64) -> Self::Out {
        ask(&LOADS, id)
    }
}

/// Fails for zero.
fn ask(runs: &Count, id: u64) -> Result<u64, Failure> {
    runs.up();
    if id == 0 { Err(Failure) } else { Ok(id) }
}

#[test]
fn an_error_is_never_stored_whatever_the_type_is_called() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    macro_rules! outcome {
        () => { ApiResult<u64> };
    }
    #[cached(client = CACHE, ttl = 60)]
    fn generic_alias(id: u64) -> ApiResult<u64> {
        ask(&RUNS, id)
    }
    #[cached(client = CACHE, ttl = 60)]
    fn plain_alias(id: u64) -> R {
        ask(&RUNS, id)
    }
    #[cached(client = CACHE, ttl = 60)]
    fn projection(id: u64) -> <Table as Load>::Out {
        ask(&RUNS, id)
    }
    #[cached(client = CACHE, ttl = 60)]
    fn by_macro(id: u64) -> outcome!() {
        ask(&RUNS, id)
    }
    #[cached(client = CACHE, ttl = 60, companions = false)]
    fn alone(id: u64) -> R {
        ask(&RUNS, id)
    }
    #[cached(client = CACHE, ttl = 60, async_ttl = -30, companions = false)]
    fn alone_and_refreshed(id: u64) -> R {
        ask(&RUNS, id)
    }
    #[cached(client = CACHE, ttl = 60, cache_if = |id: &u64| *id < 10)]
    fn chosen(id: u64) -> R {
        ask(&RUNS, id)
    }
    for call in [generic_alias, plain_alias, projection, by_macro, alone, alone_and_refreshed, chosen] {
        let before = RUNS.get();
        assert_eq!([call(0), call(0)], [Err(Failure), Err(Failure)]);
        assert_eq!([call(1), call(1)], [Ok(1), Ok(1)]);
        assert_eq!(RUNS.get() - before, 3);
    }
    let peeked: [Option<u64>; 5] =
        [generic_alias::peek(1), plain_alias::peek(1), projection::peek(1), by_macro::peek(1), chosen::peek(1)];
    assert_eq!(peeked, [Some(1); 5]);
    assert_eq!((generic_alias::peek(0), plain_alias::get_ttl(0), chosen::peek(0)), (None, None, None));
    plain_alias::put(0, 7).unwrap();
    assert_eq!((plain_alias(0), plain_alias::stats().compute_errors), (Ok(7), 2));
}

#[test]
fn an_asynchronous_function_knows_an_alias_too() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn load(id: u64) -> R {
        ask(&RUNS, id)
    }
    #[cached(client = CACHE, ttl = 60, companions = false)]
    async fn alone(id: u64) -> R {
        ask(&RUNS, id)
    }
    async {
        for _ in 0..2 {
            assert_eq!((load(0).await, load(1).await), (Err(Failure), Ok(1)));
            assert_eq!((alone(0).await, alone(1).await), (Err(Failure), Ok(1)));
        }
        let held: Option<u64> = load::peek(1).await;
        assert_eq!((held, load::peek(0).await, RUNS.get()), (Some(1), None, 6));
        load::put(0, 3).await.unwrap();
        assert_eq!(load::future(0).await.unwrap(), Ok(3));
    }
    .wait();
}

#[test]
fn generic_functions_know_aliases_by_their_names_and_types() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn echo<T: serde::Serialize + Clone + Default + PartialEq + Send + Sync + 'static>(x: T) -> ApiResult<T> {
        RUNS.up();
        if x == T::default() { Err(Failure) } else { Ok(x) }
    }
    #[cached(client = CACHE, ttl = 60)]
    fn fixed<T: serde::Serialize>(x: T) -> R {
        ask(&RUNS, u64::from(std::mem::size_of_val(&x) > 1))
    }
    #[cached(client = CACHE, ttl = 60)]
    fn none<T: serde::Serialize + Clone + Send + Sync + 'static, const N: usize>(x: [T; N]) -> SearchResult<[T; N]> {
        RUNS.up();
        SearchResult(x)
    }
    for _ in 0..2 {
        assert_eq!((echo(0_u8), echo(3_u8), echo(String::new())), (Err(Failure), Ok(3), Err(Failure)));
        assert_eq!((fixed(1_u8), fixed(1_u16)), (Err(Failure), Ok(1)));
        assert_eq!(none([1, 2]), SearchResult([1, 2]));
    }
    assert_eq!(RUNS.get(), 2 + 1 + 2 + 2 + 1 + 1);
    let held: Option<u8> = echo::peek(3);
    assert_eq!((held, fixed::peek(1_u8), none::peek([1, 2])), (Some(3), None, Some(SearchResult([1, 2]))));
}

#[test]
fn methods_know_them_too() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[derive(Clone)]
    struct Repo<T>(T);
    impl<T: Clone + Send + Sync + 'static> Repo<T> {
        #[cached(client = CACHE, ttl = 60, key = id)]
        fn first(&self, id: u64) -> ApiResult<T> {
            ask(&RUNS, id).map(|_| self.0.clone())
        }
        #[cached(client = CACHE, ttl = 60, key = id)]
        async fn itself(&self, id: u64) -> ApiResult<Self> {
            ask(&RUNS, id).map(|_| self.clone())
        }
        #[cached(client = CACHE, ttl = 60, key = id, result = true)]
        fn said(&self, id: u64) -> R {
            ask(&RUNS, id)
        }
        #[cached(client = CACHE, ttl = 60, key = id)]
        fn found(&self, id: u64) -> SearchResult<T> {
            assert!(id > 0);
            RUNS.up();
            SearchResult(self.0.clone())
        }
    }
    let repo = Repo('x');
    for _ in 0..2 {
        assert_eq!((repo.first(0), repo.first(1)), (Err(Failure), Ok('x')));
        assert_eq!((repo.itself(0).wait().is_err(), repo.itself(1).wait().unwrap().0), (true, 'x'));
        assert_eq!((repo.said(0), repo.said(1), repo.found(1)), (Err(Failure), Ok(1), SearchResult('x')));
    }
    let held: Option<char> = repo.first_peek(1);
    assert_eq!((held, repo.first_peek(0), repo.said_peek(0), RUNS.get()), (Some('x'), None, None, 10));
}

#[test]
fn methods_of_traits_know_associated_types() {
    for _ in 0..2 {
        assert_eq!((Table.load(0), Table.load(1), Table::of(0)), (Err(Failure), Ok(1), Err(Failure)));
    }
    assert_eq!(LOADS.get(), 5);
}

#[test]
fn what_stands_for_a_result_where_nothing_shows_it_is_not_stored() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    struct Holder<T>(T);
    impl<T: Clone + Send + Sync + 'static> Holder<T> {
        #[cached(client = CACHE, ttl = 60, skip(self))]
        fn get(&self) -> T {
            RUNS.up();
            self.0.clone()
        }
    }
    let (failed, number) = (Holder(Parsed::Err("no".to_owned())), Holder(1));
    for _ in 0..2 {
        assert_eq!((failed.get(), number.get()), (Err("no".to_owned()), 1));
    }
    assert_eq!((failed.get_peek(), number.get_peek(), RUNS.get()), (None, Some(1), 3));
}

#[test]
fn errors_that_cannot_be_copied_are_not_asked_to_be() {
    store!(CACHE);
    type Read<T> = io::Result<T>;
    type Boxed<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
    #[cached(client = CACHE, ttl = 60)]
    fn read(fails: bool) -> Read<u8> {
        if fails { Err(io::Error::other("gone")) } else { Ok(1) }
    }
    #[cached(client = CACHE, ttl = 60)]
    async fn boxed(fails: bool) -> Boxed<()> {
        if fails { Err("gone".into()) } else { Ok(()) }
    }
    assert_eq!((read(true).unwrap_err().to_string(), read(false).unwrap()), ("gone".to_owned(), 1));
    assert_eq!((read::peek(true), read::peek(false)), (None, Some(1)));
    assert_eq!((boxed(true).wait().unwrap_err().to_string(), boxed(false).wait().ok()), ("gone".to_owned(), Some(())));
    assert_eq!((boxed::peek(true).wait(), boxed::peek(false).wait()), (None, Some(())));
}
