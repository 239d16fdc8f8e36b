//! The companions that look, write and take away.

mod support;

use chorde::prelude::*;
use chorde::{Entry, ErrorKind};
use support::{Count, millis, secs, shown};

#[test]
fn peek_only_looks() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn ticket(x: u64) -> u64 {
        x + RUNS.up()
    }
    assert_eq!((ticket::peek(1), RUNS.get()), (None, 0));
    ticket(1);
    assert_eq!((ticket::peek(1), ticket::peek(2), RUNS.get()), (Some(2), None, 1));
    let stats = ticket::stats();
    assert_eq!((stats.hits, stats.misses, stats.background), (0, 1, 0));
}

#[test]
fn what_is_stale_is_shown_by_get_ttl_alone() {
    store!(CACHE, CLOCK);
    #[cached(client = CACHE, ttl = 10, ttl_spread = none)]
    fn ticket(x: u64) -> u64 {
        x
    }
    assert_eq!(ticket::get_ttl(1), None);
    ticket(1);
    CLOCK.advance(secs(4));
    assert_eq!(shown(ticket::get_ttl(1)), Some((1, secs(6), false)));
    let age = ticket::get_ttl(1).and_then(|entry| entry.age()).unwrap();
    assert!(age.abs_diff(secs(4)) < millis(1), "{age:?}");
    CLOCK.advance(secs(100));
    assert_eq!(shown(ticket::get_ttl(1)), Some((1, secs(0), true)));
    assert_eq!((ticket::peek(1), ticket::future_peek(1).wait().unwrap()), (None, None));
}

#[test]
fn put_replaces_what_is_cached() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 10, ttl_spread = none)]
    fn ticket(x: u64) -> u64 {
        x + RUNS.up()
    }
    assert_eq!(ticket(1), 2);
    CLOCK.advance(secs(9));
    ticket::put(1, 50).unwrap();
    CLOCK.advance(secs(9));
    assert_eq!((ticket(1), ticket::peek(1), RUNS.get()), (50, Some(50), 1));
    ticket::put(2, 60).unwrap();
    assert_eq!((ticket(2), RUNS.get()), (60, 1));
    assert_eq!(ticket::stats().computes, 1);
}

#[test]
fn refresh_computes_whatever_is_cached() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 10, ttl_spread = none)]
    fn ticket() -> u64 {
        RUNS.up()
    }
    assert_eq!((ticket::refresh(), ticket()), (1, 1));
    CLOCK.advance(secs(9));
    assert_eq!((ticket::refresh(), ticket(), ticket::peek()), (2, 2, Some(2)));
    assert_eq!(shown(ticket::get_ttl()), Some((2, secs(10), false)));
    let stats = ticket::stats();
    assert_eq!((stats.computes, stats.hits, stats.misses), (2, 2, 0));
}

#[test]
fn invalidate_removes_and_expire_marks() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn ticket(x: u64) -> u64 {
        x + RUNS.up()
    }
    for x in [0, 100] {
        ticket(x);
    }
    ticket::invalidate(0).unwrap();
    ticket::expire(100).unwrap();
    assert_eq!((ticket::peek(0), ticket::get_ttl(0)), (None, None));
    assert_eq!((ticket::peek(100), shown(ticket::get_ttl(100))), (None, Some((102, secs(0), true))));
    assert_eq!((ticket(0), ticket(100)), (3, 104));
    for absent in [7, 8] {
        ticket::invalidate(absent).unwrap();
        ticket::expire(absent).unwrap();
        assert_eq!(ticket::get_ttl(absent), None);
    }
    ticket::expire(0).unwrap();
    ticket::expire(0).unwrap();
    ticket::invalidate(0).unwrap();
    assert_eq!(ticket::get_ttl(0), None);
}

#[test]
fn clear_forgets_one_function_of_a_shared_client() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn one(x: u64) -> u64 {
        x + RUNS.up()
    }
    #[cached(client = CACHE, ttl = 60)]
    fn other(x: u64) -> u64 {
        x + RUNS.up()
    }
    CACHE.put(&1, 5_u64, secs(60)).wait().unwrap();
    let before = [one(0), one(1), other(0), other(1)];
    one::clear().unwrap();
    assert_eq!((one::peek(0), one::get_ttl(1)), (None, None));
    assert_eq!([other(0), other(1)], before[2..]);
    assert_eq!([one(0), one(1)], [5, 7]);
    assert_eq!([one(0), one(1)], [5, 7]);
    one::clear().unwrap();
    assert_eq!((one::peek(0), other::peek(0)), (None, Some(before[2])));
    assert_eq!(CACHE.get::<u64>(&1).wait().unwrap(), Some(5));
}

#[test]
fn clear_without_a_namespace_says_why_it_cannot() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, namespace = none)]
    fn bare() -> u64 {
        1
    }
    bare();
    let error = bare::clear().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("namespace"), "{error}");
    assert_eq!(bare::peek(), Some(1));
}

#[test]
fn asynchronous_functions_have_the_same_companions() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 10, ttl_spread = none)]
    async fn ticket(x: u64) -> u64 {
        std::future::ready(()).await;
        x + RUNS.up()
    }
    async {
        assert_eq!((ticket::peek(0).await, RUNS.get()), (None, 0));
        assert_eq!((ticket(0).await, ticket::peek(0).await), (1, Some(1)));
        ticket::put(0, 50).await.unwrap();
        assert_eq!((ticket(0).await, ticket::lazy(0).await, RUNS.get()), (50, Some(50), 1));
        assert_eq!((ticket::refresh(0).await, ticket(0).await, ticket::bg(0).await), (2, 2, 2));
        ticket::expire(0).await.unwrap();
        assert_eq!(shown(ticket::get_ttl(0).await), Some((2, secs(0), true)));
        assert_eq!((ticket::peek(0).await, ticket(0).await), (None, 3));
        ticket::invalidate(0).await.unwrap();
        assert_eq!((ticket::get_ttl(0).await, ticket(0).await), (None, 4));
        ticket::clear().await.unwrap();
        assert_eq!((ticket::get_ttl(0).await, ticket::future(0).await.unwrap()), (None, 5));
        CLOCK.advance(secs(10));
        assert_eq!((ticket::peek(0).await, ticket::uncached(0).await, ticket::uncached(0).await), (None, 6, 7));
        assert_eq!(ticket::ttl(), secs(10));
        let held: Option<Entry<u64>> = ticket::get_ttl(0).await;
        assert!(held.unwrap().is_stale());
    }
    .wait();
}

#[test]
fn functions_that_return_results_have_companions_of_their_values() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn parse(text: &str) -> Result<i64, std::num::ParseIntError> {
        text.parse()
    }
    assert_eq!(parse("12").unwrap(), 12);
    assert_eq!((parse::peek("12"), parse::peek("x"), parse::lazy("12")), (Some(12), None, Some(12)));
    parse::put("x", -1).unwrap();
    assert_eq!((parse("x").unwrap(), parse::get_ttl("x").unwrap().value), (-1, -1));
    assert!(parse::refresh("x").is_err());
    assert_eq!(parse::future("12").wait().unwrap().unwrap(), 12);
    assert!(parse::future_refresh("x").wait().unwrap().is_err());
    assert_eq!(parse::future_peek("x").wait().unwrap(), Some(-1));
}

#[test]
fn results_may_be_stored_whole_and_aliases_of_them_taken_apart() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    type Parsed = Result<i64, String>;
    #[cached(client = CACHE, ttl = 60, result = false)]
    fn whole(text: &str) -> Result<i64, String> {
        RUNS.up();
        text.parse().map_err(|_| text.to_owned())
    }
    #[cached(client = CACHE, ttl = 60, result = true)]
    fn alias(text: &str) -> Parsed {
        RUNS.up();
        text.parse().map_err(|_| text.to_owned())
    }
    for _ in 0..2 {
        assert_eq!(whole("x"), Err("x".to_owned()));
    }
    assert_eq!((RUNS.get(), whole::peek("x")), (1, Some(Err("x".to_owned()))));
    for _ in 0..2 {
        assert_eq!((alias("x"), alias("1")), (Err("x".to_owned()), Ok(1)));
    }
    assert_eq!((RUNS.get(), alias::peek("x"), alias::peek("1")), (4, None, Some(1)));
}

#[test]
fn introspection_tells_what_was_configured() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, async_ttl = -20, namespace = "tickets")]
    fn ticket(x: u64, name: &str) -> u64 {
        x + name.len() as u64
    }
    assert_eq!((ticket::ttl(), ticket::async_ttl()), (secs(60), chorde::RefreshPoint::Age(secs(20))));
    assert_eq!(ticket::namespace(), "tickets");
    let key = ticket::callkey(3, "abc").unwrap();
    assert_eq!(key.bytes(), chorde::Key::new(&(3_u64, "abc")).unwrap().bytes());
    assert_eq!(key, ticket::callkey(3, "abc").unwrap());
    assert_ne!(key, ticket::callkey(4, "abc").unwrap());
    assert_eq!(ticket::stats(), Default::default());
}
