//! What fails: the function, the key, the client. Callers see the first as it is and nothing of the others.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use chorde::ErrorKind;
use chorde::prelude::*;
use serde::{Serialize, Serializer};
use support::failing::Failing;
use support::{Count, drained, secs};

#[test]
fn an_error_reaches_the_caller_and_is_never_stored() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn odd(x: u64) -> Result<u64, String> {
        RUNS.up();
        if x % 2 == 1 { Ok(x) } else { Err(format!("{x} is even")) }
    }
    for _ in 0..3 {
        assert_eq!(odd(2), Err("2 is even".to_owned()));
    }
    assert_eq!((RUNS.get(), odd::peek(2), odd::get_ttl(2)), (3, None, None));
    let stats = odd::stats();
    assert_eq!((stats.compute_errors, stats.computes, stats.misses, stats.hits), (3, 0, 3, 0));
    assert_eq!((odd(3), odd(3), RUNS.get()), (Ok(3), Ok(3), 4));
}

#[test]
fn a_refresh_that_fails_leaves_the_old_value() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn once(x: u64) -> Result<u64, u64> {
        if RUNS.up() == 1 { Ok(x) } else { Err(x) }
    }
    assert_eq!((once(5), once::refresh(5), once(5), once::peek(5)), (Ok(5), Err(5), Ok(5), Some(5)));
    let stats = once::stats();
    assert_eq!((stats.computes, stats.compute_errors, stats.hits), (1, 1, 1));
}

#[test]
fn a_panic_reaches_the_caller_and_leaves_no_trace() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn third(x: u64) -> u64 {
        assert!(RUNS.up() > 2, "not yet {x}");
        x
    }
    #[cached(client = CACHE, ttl = 60)]
    async fn third_later(x: u64) -> u64 {
        support::hand::pause().await;
        assert!(RUNS.up() > 5, "not yet {x}");
        x
    }
    let message = |panic: Box<dyn std::any::Any + Send>| panic.downcast_ref::<String>().cloned().unwrap();
    for _ in 0..2 {
        assert_eq!(message(catch_unwind(|| third(7)).unwrap_err()), "not yet 7");
    }
    assert_eq!((third(7), third(7), third::stats().panics, third::stats().computes), (7, 7, 2, 1));
    for _ in 0..2 {
        assert_eq!(message(catch_unwind(|| third_later(7).wait()).unwrap_err()), "not yet 7");
    }
    assert_eq!((third_later(7).wait(), third_later(7).wait(), third_later::stats().panics), (7, 7, 2));
    assert_eq!((support::info("third").in_flight, support::info("third_later").in_flight), (0, 0));
}

/// A key that refuses to be serialised if it is zero.
#[derive(Clone, Copy, Debug)]
struct Stubborn(u64);

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 0 {
            return Err(serde::ser::Error::custom("no"));
        }
        self.0.serialize(serializer)
    }
}

#[test]
fn a_key_that_cannot_be_serialised_is_computed_without_the_cache() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    static HEARD: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    fn ticket(x: Stubborn) -> u64 {
        x.0 + RUNS.up()
    }
    ticket::on_value(|_, _| _ = HEARD.up());
    assert_eq!([ticket(Stubborn(0)), ticket(Stubborn(0)), ticket::bg(Stubborn(0))], [1, 2, 3]);
    let stats = ticket::stats();
    assert_eq!((stats.key_errors, stats.computes, stats.hits, stats.misses, HEARD.get()), (3, 3, 0, 0, 3));
    assert_eq!((ticket::refresh(Stubborn(0)), ticket(Stubborn(5)), ticket(Stubborn(5))), (4, 10, 10));
    assert_eq!(CACHE.usage().wait().unwrap(), [1]);
}

#[test]
fn every_companion_copes_with_a_key_that_cannot_be_serialised() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, async_ttl = -30)]
    fn ticket(x: Stubborn) -> u64 {
        x.0 + RUNS.up()
    }
    let key = Stubborn(0);
    let kind = |done: chorde::Result<()>| done.unwrap_err().kind();
    assert_eq!((ticket::peek(key), ticket::lazy(key), ticket::get_ttl(key)), (None, None, None));
    assert_eq!(kind(ticket::put(key, 1)), ErrorKind::Key);
    assert_eq!((kind(ticket::invalidate(key)), kind(ticket::expire(key))), (ErrorKind::Key, ErrorKind::Key));
    assert_eq!(ticket::callkey(key).unwrap_err().kind(), ErrorKind::Key);
    assert_eq!(ticket::bg_refresh(key).unwrap_err().kind(), ErrorKind::Key);
    drained();
    assert_eq!((RUNS.get(), ticket::stats().background), (0, 0));
    assert_eq!((ticket::future(key).wait().unwrap(), ticket::future_refresh(key).wait().unwrap()), (1, 2));
    assert_eq!((ticket::future_peek(key).wait().unwrap(), ticket::future_lazy(key).wait().unwrap()), (None, None));
    assert_eq!(ticket::future_get_ttl(key).wait().unwrap(), None);
    assert_eq!(kind(ticket::future_put(key, 1).wait().unwrap()), ErrorKind::Key);
    assert_eq!(kind(ticket::future_invalidate(key).wait().unwrap()), ErrorKind::Key);
    assert_eq!(kind(ticket::future_expire(key).wait().unwrap()), ErrorKind::Key);
    assert_eq!((ticket::uncached(key), CACHE.usage().wait().unwrap()), (3, vec![0]));
    assert!(ticket::clear().is_ok());
}

#[test]
fn companions_of_asynchronous_functions_cope_with_such_a_key() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn ticket(x: Stubborn) -> u64 {
        x.0 + RUNS.up()
    }
    let key = Stubborn(0);
    assert_eq!((ticket(key).wait(), ticket::bg(key).wait(), ticket::refresh(key).wait()), (1, 2, 3));
    assert_eq!((ticket::peek(key).wait(), ticket::lazy(key).wait(), ticket::get_ttl(key).wait()), (None, None, None));
    assert_eq!(ticket::put(key, 1).wait().unwrap_err().kind(), ErrorKind::Key);
    assert_eq!(ticket::invalidate(key).wait().unwrap_err().kind(), ErrorKind::Key);
    assert_eq!(ticket::expire(key).wait().unwrap_err().kind(), ErrorKind::Key);
    assert_eq!(ticket::bg_refresh(key).unwrap_err().kind(), ErrorKind::Key);
    assert_eq!(ticket::future(key).wait().unwrap(), 4);
    drained();
    assert_eq!((RUNS.get(), ticket::stats().background), (4, 0));
}

static DOWN: LazyLock<Failing> = LazyLock::new(|| {
    let client = Failing::new(chorde::InprocClient::new(100));
    client.set_down(true);
    client
});

#[test]
fn a_client_out_of_reach_is_a_miss_and_counted() {
    static RUNS: Count = Count::new();
    #[cached(client = DOWN, ttl = 60)]
    fn ticket(x: u64) -> u64 {
        x + RUNS.up()
    }
    assert_eq!([ticket(0), ticket(0)], [1, 2]);
    let stats = ticket::stats();
    // Each call: the claim and the store.
    assert_eq!((stats.misses, stats.computes, stats.hits, stats.client_errors), (2, 2, 0, 4));
    assert_eq!((ticket::refresh(0), ticket::stats().client_errors), (3, 5));
    assert_eq!((ticket::peek(0), ticket::stats().client_errors), (None, 6));
    assert_eq!((ticket::get_ttl(0), ticket::stats().client_errors), (None, 7));
    assert_eq!((ticket::lazy(0), ticket::future_lazy(0).wait().unwrap()), (None, None));
    drained();
    assert_eq!(ticket::future(0).wait().unwrap(), RUNS.get());
    assert_eq!(ticket::future_peek(0).wait().unwrap(), None);
}

#[test]
fn companions_that_return_results_show_that_the_client_failed() {
    #[cached(client = DOWN, ttl = 60)]
    fn ticket(x: u64) -> u64 {
        x
    }
    #[cached(client = DOWN, ttl = 60)]
    async fn later(x: u64) -> u64 {
        x
    }
    let sync = [ticket::put(1, 1), ticket::invalidate(1), ticket::expire(1), ticket::clear()];
    let futures = [ticket::future_put(1, 1), ticket::future_invalidate(1), ticket::future_expire(1)];
    let twins =
        async { [later::put(1, 1).await, later::invalidate(1).await, later::expire(1).await, later::clear().await] };
    let futures = futures.map(|future| future.wait().unwrap());
    for result in sync.into_iter().chain(futures).chain(twins.wait()) {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    assert_eq!((later(1).wait(), later::peek(1).wait(), later(1).wait()), (1, None, 1));
}

#[test]
fn an_error_of_the_function_is_its_own_even_when_the_client_fails_too() {
    #[cached(client = DOWN, ttl = 60)]
    fn wrong() -> Result<u64, &'static str> {
        Err("its own")
    }
    #[cached(client = DOWN, ttl = 60)]
    fn broken() -> u64 {
        panic!("its own")
    }
    assert_eq!(wrong(), Err("its own"));
    let panic = catch_unwind(AssertUnwindSafe(broken)).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"its own"));
}

#[test]
fn a_client_that_comes_back_is_used_again() {
    static CLIENT: LazyLock<Failing> = LazyLock::new(|| Failing::new(chorde::InprocClient::new(100)));
    static RUNS: Count = Count::new();
    #[cached(client = CLIENT, ttl = 60)]
    fn ticket() -> u64 {
        RUNS.up()
    }
    assert_eq!((ticket(), ticket()), (1, 1));
    CLIENT.set_down(true);
    assert_eq!((ticket(), ticket::peek()), (2, None));
    CLIENT.set_down(false);
    assert_eq!((ticket(), ticket::peek(), ticket::get_ttl().unwrap().remaining() <= secs(60)), (1, Some(1), true));
    assert_eq!(ticket::stats().hits, 2);
}
