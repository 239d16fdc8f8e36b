//! Explicit refreshes: who shares which computation.

mod support;

use std::sync::LazyLock;

use chorde::prelude::*;
use support::gate::Gate;
use support::hand::{Hand, pause};
use support::leasing::Leasing;
use support::{Count, bounded, drained, info, secs};

macro_rules! counted {
    ($name:ident) => {
        store!(CACHE);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn $name() -> u64 {
            let run = RUNS.up();
            pause().await;
            run
        }
    };
}

#[test]
fn refreshes_that_come_while_one_runs_share_the_next() {
    counted!(refreshed);
    let mut first = Hand::begun(refreshed::refresh());
    let mut others = [Hand::begun(refreshed::refresh()), Hand::begun(refreshed::refresh())];
    assert_eq!((RUNS.get(), info("refreshed").in_flight), (1, 2));
    assert_eq!(others.each_mut().map(Hand::run), [None, None]);
    assert_eq!(first.run(), Some(1));
    assert_eq!(others[0].step(), std::task::Poll::Pending);
    let mut late = Hand::begun(refreshed::refresh());
    assert_eq!(others.each_mut().map(Hand::run), [Some(2), Some(2)]);
    assert_eq!((late.run(), refreshed().wait(), RUNS.get()), (Some(3), 3, 3));
    let stats = refreshed::stats();
    assert_eq!((stats.computes, stats.misses, stats.coalesced, stats.hits), (3, 0, 0, 1));
    assert_eq!(info("refreshed").in_flight, 0);
}

#[test]
fn a_refresh_during_a_plain_computation_computes_after_it() {
    counted!(after_plain);
    let mut plain = Hand::begun(after_plain());
    let mut refresher = Hand::begun(after_plain::refresh());
    assert_eq!((plain.run(), after_plain::peek().wait()), (Some(1), Some(1)));
    assert_eq!((refresher.run(), after_plain::peek().wait()), (Some(2), Some(2)));
}

#[test]
fn a_plain_call_during_a_refresh_of_nothing_joins_it() {
    counted!(joined);
    let mut refresher = Hand::begun(joined::refresh());
    let mut plain = Hand::begun(joined());
    assert_eq!((refresher.run(), plain.run(), RUNS.get()), (Some(1), Some(1), 1));
    assert_eq!((joined::stats().misses, joined::stats().coalesced), (1, 1));
}

#[test]
fn a_plain_call_during_a_refresh_of_something_is_served_at_once() {
    counted!(served);
    served::put(90).wait().unwrap();
    let mut refresher = Hand::begun(served::refresh());
    assert_eq!((Hand::new(served()).end(), served::peek().wait()), (90, Some(90)));
    assert_eq!((refresher.run(), served().wait()), (Some(1), 1));
}

#[test]
fn a_refresh_that_is_lined_up_goes_on_when_those_before_it_are_dropped() {
    bounded(|| {
        counted!(lined_up);
        let running = Hand::begun(lined_up::refresh());
        let queued = [Hand::begun(lined_up::refresh()), Hand::begun(lined_up::refresh())];
        drop(running);
        assert_eq!(queued.map(Hand::awaited), [2, 2]);
        assert_eq!((lined_up().wait(), info("lined_up").in_flight), (2, 0));
    });
}

#[test]
fn a_refresh_whose_turn_a_call_takes_is_given_nothing_older_than_itself() {
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(chorde::InprocClient::new(100)));
    static RUNS: Count = Count::new();
    #[cached(client = CLIENT, ttl = 60)]
    async fn taken() -> u64 {
        let run = RUNS.up();
        pause().await;
        run
    }
    let mut first = Hand::begun(taken());
    let mut refresher = Hand::begun(taken::refresh());
    assert_eq!((first.run(), refresher.rung()), (Some(1), 1));
    // What is valid is served, though the one who asked for a refresh was not polled yet.
    assert_eq!(Hand::new(taken()).run(), Some(1));
    taken::invalidate().wait().unwrap();
    // This call comes to lead in the place of the refresh.
    let mut call = Hand::new(taken());
    assert_eq!((call.run(), refresher.run()), (Some(2), Some(2)));
    assert_eq!((taken().wait(), RUNS.get(), info("taken").in_flight), (2, 2, 0));
}

#[test]
fn a_valid_value_is_served_whatever_is_under_way() {
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(chorde::InprocClient::new(100)));
    static HUNG: Gate = Gate::new();
    #[cached(client = CLIENT, ttl = 60)]
    async fn hung(x: u64) -> u64 {
        HUNG.passed().await;
        x
    }
    #[cached(client = CLIENT, ttl = 60)]
    fn blocked(x: u64) -> u64 {
        HUNG.pass();
        x
    }
    bounded(|| {
        hung::put(1, 7).wait().unwrap();
        blocked::put(1, 8).unwrap();
        let mut refresher = Hand::begun(hung::refresh(1));
        let blocker = std::thread::spawn(|| blocked::refresh(1));
        HUNG.await_arrivals(2);
        assert_eq!((Hand::new(hung(1)).end(), blocked(1)), (7, 8));
        hung::bg_refresh(1).unwrap();
        blocked::bg_refresh(1).unwrap();
        assert_eq!((Hand::new(hung(1)).end(), blocked(1)), (7, 8));
        assert_eq!((hung::stats().hits, blocked::stats().hits), (2, 2));
        HUNG.open();
        assert_eq!((refresher.run(), blocker.join().unwrap()), (Some(1), 1));
        drained();
    });
}

#[test]
fn a_refresh_goes_on_when_the_one_before_it_is_not_polled() {
    bounded(|| {
        store!(CACHE, CLOCK);
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 600, lease = 4)]
        async fn overdue() -> u64 {
            let run = RUNS.up();
            pause().await;
            run
        }
        let forgotten = Hand::begun(overdue());
        let refreshers = [Hand::begun(overdue::refresh()), Hand::begun(overdue::refresh())];
        CLOCK.advance(secs(1));
        assert_eq!(refreshers.map(Hand::awaited), [2, 2]);
        assert_eq!((forgotten.awaited(), overdue::peek().wait()), (1, Some(2)));
    });
}

#[test]
fn threads_that_refresh_get_values_that_were_computed_from_then_on() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn blocking() -> u64 {
            GATE.pass();
            GATE.arrivals()
        }
        let first = std::thread::spawn(blocking::refresh);
        GATE.await_arrivals(1);
        let futures: Vec<_> = (0..5).map(|_| blocking::future_refresh()).collect();
        support::eventually("another flight is lined up", || info("blocking").in_flight == 2);
        GATE.admit(1);
        assert_eq!(first.join().unwrap(), 1);
        GATE.await_arrivals(2);
        GATE.open();
        let values: Vec<u64> = futures.into_iter().map(|future| future.wait().unwrap()).collect();
        let last = GATE.arrivals();
        assert!(values.iter().all(|value| (2..=last).contains(value)), "{values:?}");
        assert!((2..=6).contains(&last) && blocking::peek() == Some(last), "{last}");
    });
}

#[test]
fn bg_refresh_computes_on_a_fresh_entry() {
    bounded(|| {
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
        assert_eq!((ticket(), later().wait()), (1, 2));
        ticket::bg_refresh().unwrap();
        drained();
        later::bg_refresh().unwrap();
        drained();
        assert_eq!((ticket(), later().wait()), (3, 4));
        let stats = ticket::stats();
        assert_eq!((stats.background, stats.computes, stats.misses, stats.hits), (1, 2, 1, 1));
    });
}

#[test]
fn bg_refreshes_that_come_while_one_runs_share_the_next() {
    bounded(|| {
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn behind() -> u64 {
            GATE.pass();
            GATE.arrivals()
        }
        behind::bg_refresh().unwrap();
        GATE.await_arrivals(1);
        for _ in 0..10 {
            behind::bg_refresh().unwrap();
        }
        GATE.open();
        drained();
        assert_eq!(behind::peek(), Some(GATE.arrivals()));
        // One runs, the others share the next; the last of them may have started only when that ran.
        assert!((2..=3).contains(&GATE.arrivals()), "{}", GATE.arrivals());
    });
}
