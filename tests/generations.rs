//! An explicit write wins over a computation that began before it.

mod support;

use std::sync::LazyLock;

use chorde::prelude::*;
use support::gate::Gate;
use support::hand::{Hand, pause};
use support::leasing::Leasing;
use support::{Count, bounded, drained, info};

/// Declares an asynchronous function that can be interrupted, and returns how often it was begun.
macro_rules! counted {
    ($name:ident, $client:ident) => {
        static RUNS: Count = Count::new();
        #[cached(client = $client, ttl = 60)]
        async fn $name(x: u64) -> u64 {
            let run = RUNS.up();
            pause().await;
            x + run
        }
    };
}

#[test]
fn a_put_during_a_computation_stays() {
    store!(CACHE);
    counted!(put_during, CACHE);
    let mut leader = Hand::begun(put_during(0));
    let mut waiter = Hand::begun(put_during(0));
    put_during::put(0, 50).wait().unwrap();
    assert_eq!((leader.run(), waiter.run()), (Some(1), Some(1)));
    assert_eq!((put_during::peek(0).wait(), put_during(0).wait()), (Some(50), 50));
    let stats = put_during::stats();
    assert_eq!((stats.superseded, stats.computes, stats.coalesced), (1, 1, 1));
    assert_eq!(info("put_during").in_flight, 0);
}

#[test]
fn what_is_taken_away_during_a_computation_stays_away() {
    store!(CACHE);
    counted!(taken_away, CACHE);
    type Write = fn() -> std::pin::Pin<Box<dyn Future<Output = chorde::Result<()>>>>;
    let writes: [(Write, bool); 3] = [
        (|| Box::pin(taken_away::invalidate(0)), false),
        (|| Box::pin(taken_away::expire(0)), true),
        (|| Box::pin(taken_away::clear()), false),
    ];
    for (done, (write, is_kept_stale)) in writes.into_iter().enumerate() {
        taken_away::put(0, 70).wait().unwrap();
        let mut refresher = Hand::begun(taken_away::refresh(0));
        write().wait().unwrap();
        let runs = RUNS.get();
        assert_eq!(refresher.run(), Some(runs), "those who wait get the value");
        let held = taken_away::get_ttl(0).wait();
        assert_eq!(held.map(|entry| (entry.value, entry.is_stale())), is_kept_stale.then_some((70, true)));
        assert_eq!((taken_away::peek(0).wait(), taken_away::stats().superseded), (None, done as u64 + 1));
    }
    let mut cold = Hand::begun(taken_away(1));
    taken_away::clear().wait().unwrap();
    assert!(cold.run().is_some());
    assert_eq!(taken_away::peek(1).wait(), None);
}

#[test]
fn a_caller_after_an_invalidation_does_not_join_the_older_computation() {
    store!(CACHE);
    counted!(newcomer, CACHE);
    let mut old = Hand::begun(newcomer(0));
    let mut old_waiter = Hand::begun(newcomer(0));
    newcomer::invalidate(0).wait().unwrap();
    let mut new = Hand::begun(newcomer(0));
    let mut new_waiter = Hand::begun(newcomer(0));
    assert_eq!((RUNS.get(), info("newcomer").in_flight), (2, 1));
    assert_eq!((new.run(), new_waiter.run()), (Some(2), Some(2)));
    assert_eq!((old.run(), old_waiter.run()), (Some(1), Some(1)));
    assert_eq!((newcomer(0).wait(), newcomer::stats().superseded), (2, 1));
}

#[test]
fn when_a_superseded_leader_is_dropped_those_who_wait_start_over() {
    store!(CACHE);
    static RUNS: Count = Count::new();
    #[cached(client = CACHE, ttl = 60, skip(runs))]
    async fn start_over<R: Send + Sync>(key: u64, runs: R) -> u64 {
        let run = key + RUNS.up();
        pause().await;
        drop(runs);
        run
    }
    let leader = Hand::begun(start_over(0, ()));
    let mut waiters = [Hand::begun(start_over(0, ())), Hand::begun(start_over(0, ()))];
    start_over::invalidate(0, ()).wait().unwrap();
    drop(leader);
    assert_eq!(waiters.each_mut().map(Hand::run), [Some(2), Some(2)]);
    assert_eq!((start_over::peek(0, ()).wait(), start_over::stats().superseded), (Some(2), 0));
    let leader = Hand::begun(start_over(5, ()));
    let mut waiter = Hand::begun(start_over(5, ()));
    start_over::put(5, (), 90).wait().unwrap();
    drop(leader);
    assert_eq!((waiter.run(), RUNS.get()), (Some(90), 3));
}

#[test]
fn writes_to_other_keys_and_functions_do_not_matter() {
    store!(CACHE);
    counted!(unmoved, CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn other(x: u64) -> u64 {
        x
    }
    let mut call = Hand::begun(unmoved(0));
    unmoved::put(1, 1).wait().unwrap();
    unmoved::invalidate(2).wait().unwrap();
    other::put(0, 0).unwrap();
    other::clear().unwrap();
    assert_eq!((call.run(), unmoved::peek(0).wait()), (Some(1), Some(1)));
    assert_eq!(unmoved::stats().superseded, 0);
}

#[test]
fn a_computation_that_began_after_the_write_is_stored() {
    store!(CACHE);
    counted!(after, CACHE);
    // The refresh is lined up before the put and begins to compute after it.
    let mut first = Hand::begun(after(0));
    let mut refresher = Hand::begun(after::refresh(0));
    after::put(0, 50).wait().unwrap();
    assert_eq!(first.run(), Some(1));
    assert_eq!((refresher.run(), after::peek(0).wait()), (Some(2), Some(2)));
    assert_eq!(after::stats().superseded, 1);
}

#[test]
fn a_put_wins_over_computations_in_threads_and_in_the_background() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn blocking(x: u64) -> u64 {
            GATE.pass();
            x
        }
        let caller = std::thread::spawn(|| blocking(1));
        blocking::bg_refresh(2).unwrap();
        assert_eq!(blocking::lazy(3), None);
        let future = blocking::future_refresh(4);
        GATE.await_arrivals(4);
        for x in 1..=3 {
            blocking::put(x, 10 * x).unwrap();
        }
        blocking::future_put(4, 40).wait().unwrap().unwrap();
        GATE.open();
        assert_eq!((caller.join().unwrap(), future.wait().unwrap()), (1, 4));
        drained();
        assert_eq!([blocking(1), blocking(2), blocking(3), blocking(4)], [10, 20, 30, 40]);
        assert_eq!(blocking::stats().superseded, 4);
    });
}

#[test]
fn a_put_during_the_store_ends_last_and_stays() {
    static STORING: Gate = Gate::new();
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::gated(chorde::InprocClient::new(100), &STORING));
    counted!(storing, CLIENT);
    let mut leader = Hand::new(storing(0));
    assert_eq!((leader.run(), STORING.arrivals()), (None, 1));
    let mut put = Hand::begun(storing::put(0, 50));
    assert!(Hand::new(storing::invalidate(1000)).end().is_ok(), "another key does not wait");
    assert_eq!(CLIENT.store().usage().wait().unwrap(), [0], "the put waits for the store");
    STORING.admit(1);
    assert_eq!(leader.run(), Some(1));
    assert!(put.run().unwrap().is_ok());
    assert_eq!((storing::peek(0).wait(), storing::stats().superseded), (Some(50), 0));
}

#[test]
fn a_write_does_not_wait_for_a_store_that_is_dropped() {
    static STORING: Gate = Gate::new();
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::gated(chorde::InprocClient::new(100), &STORING));
    static RUNS: Count = Count::new();
    #[cached(client = CLIENT, ttl = 60, detach = false)]
    async fn dropped_store(key: u64) -> u64 {
        key + RUNS.up()
    }
    let mut leader = Hand::new(dropped_store(0));
    assert_eq!((leader.run(), STORING.arrivals()), (None, 1));
    let mut put = Hand::begun(dropped_store::put(0, 50));
    drop(leader);
    STORING.open();
    assert!(put.run().unwrap().is_ok());
    assert_eq!((dropped_store(0).wait(), RUNS.get()), (50, 1));
}

#[test]
fn a_store_whose_caller_goes_ends_in_the_background_before_a_write() {
    bounded(|| {
        static STORING: Gate = Gate::new();
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::gated(chorde::InprocClient::new(100), &STORING));
        counted!(left_store, CLIENT);
        let mut leader = Hand::new(left_store(0));
        assert_eq!((leader.run(), STORING.arrivals()), (None, 1));
        let put = Hand::begun(left_store::put(0, 50));
        drop(leader);
        STORING.open();
        assert!(put.awaited().is_ok());
        drained();
        assert_eq!((left_store(0).wait(), RUNS.get()), (50, 1));
    });
}

#[test]
fn a_computation_that_begins_while_a_put_is_under_way_is_not_stored_over_it() {
    static STORING: Gate = Gate::new();
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::gated(chorde::InprocClient::new(100), &STORING));
    counted!(meanwhile, CLIENT);
    let mut older = Hand::new(meanwhile(0));
    assert_eq!((older.run(), STORING.arrivals()), (None, 1));
    // It waits for the store.
    let mut put = Hand::begun(meanwhile::put(0, 50));
    let mut call = Hand::new(meanwhile(0));
    assert_eq!((call.run(), STORING.arrivals()), (Some(2), 1), "its value is served, and not stored");
    STORING.open();
    assert_eq!(older.run(), Some(1));
    assert!(put.run().unwrap().is_ok());
    assert_eq!((meanwhile(0).wait(), meanwhile::stats().superseded, info("meanwhile").in_flight), (50, 1, 0));
}
