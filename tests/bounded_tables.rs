//! What the library keeps does not grow with how much was made and dropped: tenants, clients, waits, alarms, ttls, runtimes.
//! Each count is of bytes that are allocated and not freed, on the thread that makes and drops.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::pin::pin;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use allocation_counter::measure;
use chorde::prelude::*;
use chorde::{Clock, InprocClient, ManualClock, NamespaceClient, TieredClient, drain};
use support::gate::Gate;
use support::hand::Hand;
use support::{bounded, info, secs};

/// How many of each are made and dropped.
const MANY: u64 = 30_000;

/// Does something many times, and fails if more than a little is kept of that: after as many times first, for what is kept up to a
/// bound.
fn keeps_nothing(what: &str, mut make_and_drop: impl FnMut(u64)) {
    // One after the other: what this thread has allocated and another test's thread releases would count as kept.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    (0..MANY).for_each(&mut make_and_drop);
    let kept = measure(|| (MANY..2 * MANY).for_each(&mut make_and_drop)).bytes_current;
    // A table that is at its bound may double once more.
    assert!(kept < 1 << 20, "{what}: {kept} bytes are kept of {MANY}, {} of each", kept / MANY as i64);
}

#[test]
fn nothing_is_kept_of_tenants_that_are_cleared_and_dropped() {
    store!(CACHE);
    let tiers = TieredClient::new(InprocClient::new(100), InprocClient::new(1_000));
    keeps_nothing("tenants", |number| {
        let tenant = NamespaceClient::new(format!("tenant {number}"), &*CACHE).unwrap();
        tenant.put(&1, number, secs(60)).wait().unwrap();
        tenant.clear().wait().unwrap();
        assert_eq!(tenant.get::<u64>(&1).wait().unwrap(), None);
    });
    keeps_nothing("tenants over tiers", |number| {
        NamespaceClient::new(format!("tenant {number}"), &tiers).unwrap().clear().wait().unwrap();
    });
}

#[test]
fn nothing_is_kept_of_clients_that_are_dropped() {
    keeps_nothing("clients", |number| {
        let client = InprocClient::new(10);
        let tenant = NamespaceClient::new("tenant", &client).unwrap();
        tenant.put(&1, number, secs(60)).wait().unwrap();
        if number % 2 == 0 {
            tenant.clear().wait().unwrap();
        }
    });
}

#[test]
fn nothing_is_kept_of_clients_of_one_function() {
    #[cached(client = InprocClient::new(10), ttl = 60)]
    fn of_each(x: u64) -> u64 {
        x
    }
    keeps_nothing("clients of a function", |number| assert_eq!(of_each(number), number));
    assert_eq!(info("of_each").instances.len(), 1);
}

#[test]
fn nothing_is_kept_of_timeouts_and_waits_that_are_dropped() {
    let manual = ManualClock::new();
    let mut cx = Context::from_waker(Waker::noop());
    for clock in [Clock::system(), Clock::from(manual)] {
        keeps_nothing("sleeps", |_| assert!(pin!(clock.sleep(secs(3600))).poll(&mut cx).is_pending()));
    }
    store!(CACHE, CLOCK);
    static GATE: Gate = Gate::new();
    #[cached(client = CACHE, ttl = 60)]
    async fn slow(x: u64) -> u64 {
        GATE.passed().await;
        x
    }
    let leader = Hand::begun(slow(1));
    keeps_nothing("waits", |_| drop(Hand::begun(slow(1))));
    keeps_nothing("drains", |_| _ = pin!(drain(secs(3600))).poll(&mut cx));
    GATE.open();
    assert_eq!(leader.end(), 1);
}

#[test]
fn nothing_is_kept_of_flights_that_somebody_waited_for() {
    store!(CACHE, CLOCK);
    #[cached(client = CACHE, ttl = 60, lease = 3600)]
    async fn shared(x: u64) -> u64 {
        support::hand::pause().await;
        x
    }
    CLOCK.advance(Duration::ZERO);
    keeps_nothing("flights", |number| {
        let (mut leader, mut waiter) = (Hand::begun(shared(number)), Hand::begun(shared(number)));
        assert_eq!((leader.run(), waiter.run()), (Some(number), Some(number)));
        shared::invalidate(number).wait().unwrap();
    });
}

#[test]
fn nothing_is_kept_of_ttls_that_are_known_at_run_time() {
    store!(CACHE, CLOCK);
    static TTL: LazyLock<std::sync::atomic::AtomicU64> = LazyLock::new(Default::default);
    #[cached(client = CACHE, ttl = Duration::from_millis(TTL.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1))]
    fn timed(x: u64) -> u64 {
        x
    }
    CLOCK.advance(Duration::ZERO);
    keeps_nothing("ttls", |number| {
        assert_eq!(timed(number), number);
        timed::invalidate(number).unwrap();
    });
    assert_eq!(info("timed").instances.len(), 1);
}

#[test]
fn a_function_has_one_instance_for_each_type() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn size_of<T: 'static>(x: u64) -> u64 {
        x + std::mem::size_of::<T>() as u64
    }
    bounded(|| {
        for _ in 0..3 {
            assert_eq!((size_of::<u8>(1), size_of::<u16>(1), size_of::<u32>(1), size_of::<u64>(1)), (2, 3, 5, 9));
            assert_eq!(size_of::<[u8; 7]>(1), 8);
        }
        assert_eq!(info("size_of").instances.len(), 5);
    });
}
