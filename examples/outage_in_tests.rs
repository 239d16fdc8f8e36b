//! Tests of a program's own behaviour when its cache is old, down or slow: by hand, in milliseconds.
//!
//! `cargo run --example outage_in_tests`. In a program, each of the functions called by `main` would be a `#[test]`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Barrier, LazyLock};
use std::time::{Duration, Instant};

use chorde::prelude::*;
use chorde::testing::{ChaosClient, FaultKind, Faults, ManualClock};
use chorde::{ErrorKind, InprocClient};

/// Stands still until a test advances it.
static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);

/// In the program itself: a memcached, or tiers. What is tested does not depend on which it is.
static CACHE: LazyLock<ChaosClient<InprocClient>> = LazyLock::new(|| {
    let store = InprocClient::builder().capacity(1_000).clock(CLOCK.clone()).build();
    ChaosClient::new(store.expect("a capacity is all that it needs"), 1)
});

/// How often the origin was asked.
static ASKED: AtomicU32 = AtomicU32::new(0);

/// What the program caches: the price of an item, of which each question changes the last digit.
#[cached(client = CACHE, ttl = "5m", async_ttl = "-1m", ttl_spread = none)]
fn price(item: u32) -> u32 {
    item * 10 + ASKED.fetch_add(1, Ordering::SeqCst)
}

/// A price that takes as long as it takes all callers to come.
#[cached(client = CACHE, ttl = "5m")]
fn slow_price(item: u32) -> u32 {
    let begun = Instant::now();
    while slow_price::stats().misses < 8 && begun.elapsed() < Duration::from_secs(10) {
        std::thread::yield_now();
    }
    item * 10
}

/// What a caller of the program gets: a price, or none if there is none in time.
fn offer(item: u32) -> Option<u32> {
    match price::future(item).wait_timeout(Duration::from_millis(20)) {
        Ok(price) => Some(price),
        Err(error) if error.kind() == ErrorKind::Timeout => None,
        Err(error) => panic!("{error}"),
    }
}

/// Begins a test: everything is well, nothing is cached, nobody has asked.
fn begin() -> Result<(), chorde::Error> {
    CACHE.set(Faults::none());
    price::clear()?;
    ASKED.store(0, Ordering::SeqCst);
    Ok(())
}

fn old_prices_are_served_for_a_minute_and_never_after_five() -> Result<(), chorde::Error> {
    begin()?;
    assert_eq!(price(7), 70);
    CLOCK.advance(Duration::from_secs(61));
    assert_eq!(price(7), 70, "due: served once more, and asked for behind the caller's back");
    chorde::drain(Duration::from_secs(10)).wait()?;
    assert_eq!(price(7), 71);
    CLOCK.advance(Duration::from_secs(300));
    assert_eq!(price::peek(7), None, "past its ttl");
    println!("old values    due after a minute, refreshed once, gone after five");
    Ok(())
}

fn the_origin_is_asked_once_by_all_who_come_while_the_cache_is_down() -> Result<(), chorde::Error> {
    begin()?;
    price(7);
    CACHE.set(Faults::none().errors(1.0));
    assert_eq!(price(7), 71, "computed, as if it were not cached");
    assert_eq!(price(7), 72, "and again: nothing can be stored");
    println!("a dead cache  {} errors, and no caller sees one", CACHE.counts().faults(FaultKind::Error));
    CACHE.set(Faults::none());
    assert_eq!(price(7), 70, "back, with what was stored before");

    begin()?;
    CACHE.set(Faults::none().errors(1.0));
    let together = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                slow_price(7)
            });
        }
    });
    println!("a stampede    8 callers of a dead cache, {} computed", slow_price::stats().computes);
    assert_eq!(slow_price::stats().computes, 1, "one asks, the others wait for its answer");
    Ok(())
}

fn callers_do_not_wait_for_a_slow_cache() -> Result<(), chorde::Error> {
    begin()?;
    CACHE.set(Faults::none().delays(1.0, Duration::from_secs(30)));
    let begun = Instant::now();
    assert_eq!(offer(7), None, "the cache takes half a minute, the caller is answered in time");
    println!("a slow cache  the caller is answered after {} ms", begun.elapsed().as_millis());
    Ok(())
}

fn main() -> Result<(), chorde::Error> {
    old_prices_are_served_for_a_minute_and_never_after_five()?;
    the_origin_is_asked_once_by_all_who_come_while_the_cache_is_down()?;
    callers_do_not_wait_for_a_slow_cache()
}
