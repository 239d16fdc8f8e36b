//! The plain call: what is computed, what is served, for how long, and what is stored.

mod support;

use std::time::Duration;

use chorde::prelude::*;
use support::{Count, millis, secs, shown};

#[test]
fn a_second_call_with_the_same_argument_is_served() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn ticket(x: u64) -> (u64, u64) {
        (x, RUNS.up())
    }
    assert_eq!(ticket(7), (7, 1));
    assert_eq!(ticket(7), (7, 1));
    let stats = ticket::stats();
    assert_eq!((stats.hits, stats.misses, stats.computes), (1, 1, 1));
}

#[test]
fn a_second_call_of_an_asynchronous_function_is_served() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn ticket(x: u64) -> (u64, u64) {
        std::future::ready(()).await;
        (x, RUNS.up())
    }
    assert_eq!([ticket(7).wait(), ticket(7).wait()], [(7, 1), (7, 1)]);
    let stats = ticket::stats();
    assert_eq!((stats.hits, stats.misses, stats.computes), (1, 1, 1));
}

#[test]
fn different_arguments_are_computed_apart() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn pair(x: i32, word: &str) -> String {
        RUNS.up();
        format!("{word}{x}")
    }
    for _ in 0..2 {
        assert_eq!((pair(1, "a"), pair(1, "b")), ("a1".to_owned(), "b1".to_owned()));
    }
    let stats = pair::stats();
    assert_eq!((RUNS.get(), stats.computes, stats.misses, stats.hits), (2, 2, 2, 2));
}

#[test]
fn an_entry_is_valid_until_its_expiry_and_not_at_it() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 10, ttl_spread = none, namespace = none)]
    fn ticket(x: u64) -> u64 {
        x + RUNS.up()
    }
    ticket(0);
    CLOCK.advance(secs(10) - Duration::from_nanos(1));
    let key = ticket::callkey(0).unwrap();
    assert_eq!((ticket(0), ticket::peek(0), ticket::lazy(0)), (1, Some(1), Some(1)));
    assert_eq!(shown(ticket::get_ttl(0)), Some((1, Duration::from_nanos(1), false)));
    assert_eq!((CACHE.get::<u64>(&key).wait().unwrap(), CACHE.contains(&key).wait().unwrap()), (Some(1), true));
    CLOCK.advance(Duration::from_nanos(1));
    assert_eq!((ticket::peek(0), shown(ticket::get_ttl(0))), (None, Some((1, Duration::ZERO, true))));
    assert_eq!((CACHE.get::<u64>(&key).wait().unwrap(), CACHE.contains(&key).wait().unwrap()), (None, false));
    assert_eq!((ticket::future_peek(0).wait().unwrap(), ticket(0)), (None, 2));
}

#[test]
fn hits_do_not_lengthen_a_life() {
    store!(CACHE, CLOCK);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 10, ttl_spread = none)]
    fn ticket() -> u64 {
        RUNS.up()
    }
    for _ in 0..10 {
        assert_eq!(ticket(), 1);
        CLOCK.advance(secs(1));
    }
    assert_eq!(ticket(), 2);
}

#[test]
fn nothing_and_empty_are_values_like_any_other() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn unit() {
        RUNS.up();
    }
    #[cached(client = CACHE, ttl = 60)]
    fn none(x: u64) -> Option<u64> {
        RUNS.up();
        (x > 100).then_some(x)
    }
    #[cached(client = CACHE, ttl = 60)]
    fn empty() -> String {
        RUNS.up();
        String::new()
    }
    for _ in 0..3 {
        unit();
        assert_eq!((none(1), empty()), (None, String::new()));
    }
    assert_eq!(RUNS.get(), 3);
    assert_eq!((unit::stats().hits, none::stats().hits, empty::stats().hits), (2, 2, 2));
    assert_eq!((unit::peek(), none::peek(1), empty::peek()), (Some(()), Some(None), Some(String::new())));
}

#[test]
fn lives_are_spread_below_the_ttl_unless_told_not_to() {
    store!(CACHE, CLOCK);
    #[cached(client = CACHE, ttl = 10, ttl_spread = 4)]
    fn wide(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = 10)]
    fn automatic(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = 10, async_ttl = -8)]
    fn ahead(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = 10, ttl_spread = none)]
    fn exact(x: u64) -> u64 {
        x
    }
    let lives = |put: &dyn Fn(u64), left: &dyn Fn(u64) -> Duration| {
        (0..2000).for_each(put);
        let mut lives: Vec<Duration> = (0..2000).map(left).collect();
        lives.sort_unstable();
        (lives[0], lives[1000], lives[1999])
    };
    let left = |entry: Option<chorde::Entry<u64>>| entry.unwrap().remaining();
    let check = |(least, median, most): (Duration, Duration, Duration), spread: Duration| {
        let (from, to) = (secs(10) - spread, secs(10));
        assert!(least >= from && least < from + spread / 10, "{least:?}");
        assert!(most <= to && most > to - spread / 10, "{most:?}");
        assert!(median > from + spread / 3 && median < to - spread / 3, "{median:?}");
    };
    check(lives(&|x| wide::put(x, x).unwrap(), &|x| left(wide::get_ttl(x))), secs(4));
    check(lives(&|x| _ = wide(x + 5000), &|x| left(wide::get_ttl(x + 5000))), secs(4));
    check(lives(&|x| automatic::put(x, x).unwrap(), &|x| left(automatic::get_ttl(x))), secs(1));
    check(lives(&|x| _ = ahead(x), &|x| left(ahead::get_ttl(x))), millis(200));
    let (least, _, most) = lives(&|x| exact::put(x, x).unwrap(), &|x| left(exact::get_ttl(x)));
    assert_eq!((least, most), (secs(10), secs(10)));
}

#[test]
fn durations_may_be_numbers_texts_and_expressions() {
    store!(CACHE, CLOCK);
    static CONFIGURED: Count = Count::new();
    #[cached(client = CACHE, ttl = 2.5)]
    fn float() {}
    #[cached(client = CACHE, ttl = "1h30m", async_ttl = "5m")]
    fn text() {}
    #[cached(client = CACHE, ttl = secs(60 * CONFIGURED.get()), async_ttl = -secs(CONFIGURED.get()), ttl_spread = none)]
    fn configured() {}
    use chorde::RefreshPoint;
    assert_eq!((float::ttl(), float::async_ttl()), (millis(2500), RefreshPoint::Never));
    assert_eq!((text::ttl(), text::async_ttl()), (secs(5400), RefreshPoint::Remaining(secs(300))));
    CONFIGURED.up();
    configured();
    assert_eq!(shown(configured::get_ttl()), Some(((), secs(60), false)));
    CONFIGURED.up();
    configured::refresh();
    assert_eq!(shown(configured::get_ttl()), Some(((), secs(120), false)));
    assert_eq!((configured::ttl(), configured::async_ttl()), (secs(120), RefreshPoint::Age(secs(2))));
}

#[test]
fn what_is_stored_may_be_another_form_of_the_value() {
    store!(CACHE);
    #[derive(Clone, Debug, PartialEq)]
    struct Point {
        x: u32,
        y: u32,
    }
    #[cached(
        client = CACHE,
        ttl = 60,
        namespace = none,
        encode = |p: Point| format!("{},{}", p.x, p.y),
        decode = decode
    )]
    fn point(x: u32) -> Point {
        Point { x, y: x * x }
    }
    #[expect(clippy::needless_pass_by_value, reason = "what is stored is given away")]
    fn decode(text: String) -> Point {
        let (x, y) = text.split_once(',').unwrap();
        Point { x: x.parse().unwrap(), y: y.parse().unwrap() }
    }
    let (computed, hit) = (point(3), point(3));
    assert_eq!((&computed, &hit), (&Point { x: 3, y: 9 }, &Point { x: 3, y: 9 }));
    assert_eq!((point::stats().computes, point::peek(3)), (1, Some(hit)));
    assert_eq!(CACHE.get::<String>(&point::callkey(3).unwrap()).wait().unwrap().as_deref(), Some("3,9"));
    point::put(3, Point { x: 1, y: 1 }).unwrap();
    assert_eq!((point(3), point::get_ttl(3).unwrap().value), (Point { x: 1, y: 1 }, Point { x: 1, y: 1 }));
}

#[test]
fn the_computing_call_returns_what_a_hit_would() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, encode = |x: f64| x as i64, decode = |x: i64| x as f64)]
    fn rounded(x: f64) -> f64 {
        x
    }
    assert_eq!([rounded(2.7), rounded(2.7)], [2.0, 2.0]);
}

#[test]
fn a_value_that_is_not_wanted_is_not_stored() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, cache_if = |found: &Option<u64>| found.is_some())]
    fn find(x: u64) -> Option<u64> {
        RUNS.up();
        x.is_multiple_of(2).then_some(x)
    }
    assert_eq!([find(1), find(1), find(2), find(2)], [None, None, Some(2), Some(2)]);
    assert_eq!((RUNS.get(), find::peek(1), find::stats().client_errors), (3, None, 0));
}

#[test]
fn without_single_flight_every_miss_computes() {
    support::bounded(|| {
        store!(CACHE);
        static BOTH: std::sync::Barrier = std::sync::Barrier::new(2);
        #[cached(client = CACHE, ttl = 60, single_flight = false)]
        fn alone() -> u64 {
            BOTH.wait();
            1
        }
        let other = std::thread::spawn(alone);
        assert_eq!((alone(), other.join().unwrap()), (1, 1));
        let stats = alone::stats();
        assert_eq!((stats.computes, stats.misses, stats.coalesced), (2, 2, 0));
        assert_eq!(alone(), 1);
    });
}

#[test]
fn the_function_itself_can_be_called_past_the_cache() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn ticket() -> u64 {
        RUNS.up()
    }
    #[cached(client = CACHE, ttl = 60)]
    async fn later() -> u64 {
        RUNS.up()
    }
    assert_eq!((ticket::uncached(), later::uncached().wait()), (1, 2));
    assert_eq!((ticket::stats(), later::stats()), Default::default());
    assert_eq!((ticket::peek(), later::peek().wait()), (None, None));
}

#[test]
fn a_client_may_be_any_expression_that_leads_to_one() {
    use chorde::InprocClient;
    use std::sync::{Arc, LazyLock};
    static SHARED: LazyLock<Arc<InprocClient>> = LazyLock::new(|| Arc::new(InprocClient::new(10)));
    static RUNS: Count = Count::new();
    fn client() -> &'static InprocClient {
        &SHARED
    }
    #[cached(client = client(), ttl = 60, namespace = "one and the same")]
    fn by_call(x: u64) -> u64 {
        x + RUNS.up()
    }
    #[cached(client = Arc::clone(&SHARED), ttl = 60, namespace = "one and the same")]
    fn by_arc(x: u64) -> u64 {
        x + RUNS.up()
    }
    #[cached(client = *SHARED, ttl = 60, namespace = "one and the same")]
    fn by_deref(x: u64) -> u64 {
        x + RUNS.up()
    }
    assert_eq!((by_call(1), by_arc(1), by_deref(1), RUNS.get()), (2, 2, 2, 1));
}
