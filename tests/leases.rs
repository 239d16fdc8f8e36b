//! Stores that are shared with other processes: whoever has the lease computes.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use chorde::prelude::*;
use chorde::{InprocClient, ManualClock, TieredClient};
use support::failing::Failing;
use support::gate::Gate;
use support::hand::{Hand, pause};
use support::leasing::{Answer, Leasing};
use support::{Count, bounded, drained, info, millis, secs, timed};

/// Declares a leasing client that goes by a manual clock, and a function that can be interrupted.
macro_rules! leased {
    ($name:ident $(, $more:ident = $value:expr)*) => {
        static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(timed(100, &CLOCK)));
        static RUNS: Count = Count::new();
        #[cached(client = CLIENT, ttl = 600, ttl_spread = none, namespace = none $(, $more = $value)*)]
        async fn $name(x: u64) -> u64 {
            let run = RUNS.up();
            pause().await;
            x + run
        }
    };
}

#[test]
fn a_value_that_another_process_computes_is_waited_for() {
    leased!(elsewhere);
    CLIENT.plan([Answer::AbsentElsewhere, Answer::AbsentElsewhere, Answer::AbsentElsewhere, Answer::Won(1)]);
    let mut call = Hand::begun(elsewhere(0));
    let mut waiter = Hand::begun(elsewhere(0));
    for asked in 1..=3 {
        assert_eq!((CLIENT.claims(), call.run(), waiter.run()), (asked, None, None));
        if asked == 3 {
            CLIENT.store().put(&(0_u64,), 70_u64, secs(60)).wait().unwrap();
        }
        CLOCK.advance(millis(500));
        _ = call.rung();
        if asked < 3 {
            assert_eq!(call.run(), None);
        }
    }
    assert_eq!((call.run(), waiter.run(), RUNS.get()), (Some(70), Some(70), 0));
    let stats = elsewhere::stats();
    assert_eq!((stats.hits, stats.misses, stats.computes), (2, 0, 0));
}

#[test]
fn when_the_other_process_gives_up_this_one_computes() {
    leased!(given_up);
    CLIENT.plan([Answer::AbsentElsewhere, Answer::Won(5)]);
    let mut call = Hand::begun(given_up(0));
    CLOCK.advance(millis(500));
    assert_eq!((call.run(), CLIENT.filled(), CLIENT.released()), (Some(1), vec![5], vec![]));
    assert_eq!((given_up::stats().misses, given_up::stats().hits), (1, 0));
}

#[test]
fn nobody_waits_for_other_processes_for_longer_than_two_leases() {
    leased!(impatient, lease = 3);
    CLIENT.plan([Answer::AbsentElsewhere]);
    let mut call = Hand::begun(impatient(0));
    for _ in 0..39 {
        CLOCK.advance(millis(200));
        assert_eq!(call.run(), None);
    }
    // Two seconds more than that, for stores that count in whole seconds.
    CLOCK.advance(millis(800));
    assert_eq!((call.run(), RUNS.get(), impatient::stats().misses), (Some(1), 1, 1));
    assert!(CLIENT.leases().iter().all(|lease| *lease == secs(3)));
}

#[test]
fn those_who_wait_are_not_released_by_the_wait_for_another_process() {
    leased!(patient, lease = 4);
    CLIENT.plan([Answer::AbsentElsewhere]);
    let mut calls = [Hand::begun(patient(0)), Hand::begun(patient(0))];
    for _ in 0..49 {
        CLOCK.advance(millis(200));
        assert_eq!(calls.each_mut().map(Hand::run), [None, None]);
    }
    CLOCK.advance(millis(500));
    assert_eq!((calls.each_mut().map(Hand::run), RUNS.get()), ([Some(1), Some(1)], 1));
}

#[test]
fn a_claim_is_redeemed_by_the_store() {
    leased!(redeemed);
    CLIENT.plan([Answer::Won(7)]);
    assert_eq!((redeemed(0).wait(), redeemed(0).wait()), (1, 1));
    assert_eq!((CLIENT.filled(), CLIENT.released(), CLIENT.claims()), (vec![7], vec![], 2));
    assert_eq!(CLIENT.leases(), [secs(10), secs(10)]);
}

#[test]
fn a_refused_store_returns_the_value_and_is_counted() {
    leased!(refused);
    CLIENT.refuse_fills();
    let mut calls = [Hand::begun(refused(0)), Hand::begun(refused(0))];
    assert_eq!(calls.each_mut().map(Hand::run), [Some(1), Some(1)]);
    let stats = refused::stats();
    assert_eq!((refused::peek(0).wait(), stats.superseded, stats.client_errors), (None, 1, 0));
}

#[test]
fn a_claim_is_released_when_the_computation_comes_to_nothing() {
    leased!(dropped);
    #[cached(client = CLIENT, ttl = 600, detach = false)]
    async fn undetached(x: u64) -> u64 {
        pause().await;
        x
    }
    #[cached(client = CLIENT, ttl = 600)]
    fn wrong() -> Result<u64, &'static str> {
        Err("wrong")
    }
    #[cached(client = CLIENT, ttl = 600)]
    fn broken() -> u64 {
        panic!("broken")
    }
    #[cached(client = CLIENT, ttl = 600, cache_if = |_: &u64| false)]
    fn unwanted() -> u64 {
        1
    }
    CLIENT.plan([Answer::Won(1), Answer::Won(2), Answer::Won(3), Answer::Won(4), Answer::Won(5)]);
    assert_eq!(wrong(), Err("wrong"));
    assert!(catch_unwind(AssertUnwindSafe(broken)).is_err());
    assert_eq!(CLIENT.released(), [1, 2]);
    drop(Hand::begun(undetached(0)));
    assert_eq!(CLIENT.released(), [1, 2, 3]);
    assert_eq!((unwanted(), CLIENT.released()), (1, vec![1, 2, 3, 4]));
    let mut superseded = Hand::begun(dropped(0));
    dropped::put(0, 9).wait().unwrap();
    assert!(superseded.run().is_some());
    assert_eq!((CLIENT.released(), CLIENT.filled()), (vec![1, 2, 3, 4, 5], vec![]));
}

#[test]
fn a_due_entry_is_served_and_refreshed_under_its_claim() {
    bounded(|| {
        leased!(due, async_ttl = -60);
        due::put(0, 50).wait().unwrap();
        CLIENT.plan([Answer::Due(9), Answer::Won(0)]);
        assert_eq!(due(0).wait(), 50);
        drained();
        assert_eq!((due::peek(0).wait(), CLIENT.filled(), CLIENT.released()), (Some(1), vec![9], vec![]));
        let stats = due::stats();
        assert_eq!((stats.due_hits, stats.hits, stats.misses, stats.background, stats.computes), (1, 0, 0, 1, 1));
    });
}

#[test]
fn a_due_entry_that_another_process_refreshes_is_served() {
    bounded(|| {
        leased!(due_elsewhere, async_ttl = -60);
        due_elsewhere::put(0, 50).wait().unwrap();
        CLIENT.plan([Answer::DueElsewhere]);
        assert_eq!([due_elsewhere(0).wait(), due_elsewhere(0).wait()], [50, 50]);
        drained();
        let stats = due_elsewhere::stats();
        assert_eq!((RUNS.get(), stats.hits, stats.due_hits, stats.background), (0, 2, 0, 0));
    });
}

#[test]
fn callers_are_served_while_a_due_entry_is_refreshed_here() {
    bounded(|| {
        static GATE: Gate = Gate::new();
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(InprocClient::new(100)));
        #[cached(client = CLIENT, ttl = 600, async_ttl = -60)]
        fn served() -> u64 {
            GATE.pass();
            GATE.arrivals()
        }
        served::put(50).unwrap();
        CLIENT.plan([Answer::Due(1), Answer::DueElsewhere, Answer::Due(2), Answer::DueElsewhere]);
        assert_eq!(served(), 50);
        GATE.await_arrivals(1);
        assert_eq!((served(), CLIENT.released()), (50, vec![]));
        // A store that grants the refresh twice is given back what is not needed.
        assert_eq!((served(), CLIENT.released()), (50, vec![2]));
        assert_eq!(served(), 50);
        GATE.open();
        drained();
        assert_eq!((served::peek(), CLIENT.filled(), CLIENT.released()), (Some(1), vec![1], vec![2]));
        let stats = served::stats();
        assert_eq!((stats.due_hits, stats.hits, stats.misses, stats.background, stats.computes), (2, 2, 0, 1, 1));
    });
}

#[test]
fn callers_are_served_while_a_background_computation_refreshes_what_it_found_due() {
    bounded(|| {
        static GATE: Gate = Gate::new();
        static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static NEAR: LazyLock<InprocClient> = LazyLock::new(|| timed(100, &CLOCK));
        static FAR: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(timed(100, &CLOCK)));
        static TIERS: LazyLock<TieredClient<&InprocClient, &Leasing>> =
            LazyLock::new(|| TieredClient::new(&*NEAR, &*FAR));
        #[cached(client = TIERS, ttl = 600, async_ttl = -60, ttl_spread = none)]
        fn found() -> u64 {
            GATE.pass();
            GATE.arrivals()
        }
        found::put(50).unwrap();
        CLOCK.advance(secs(60));
        FAR.plan([Answer::Due(1), Answer::DueElsewhere]);
        // The near tier says that it is due; the claim is taken behind.
        assert_eq!(found(), 50);
        GATE.await_arrivals(1);
        NEAR.clear().wait().unwrap();
        assert_eq!((found(), FAR.claims()), (50, 2));
        GATE.open();
        drained();
        assert_eq!((found::peek(), FAR.filled(), FAR.released()), (Some(1), vec![1], vec![]));
        assert_eq!((found::stats().computes, info("found").in_flight), (1, 0));
    });
}

#[test]
fn a_refresh_that_was_won_does_not_wait_for_those_who_read() {
    bounded(|| {
        leased!(busy, async_ttl = -60);
        busy::put(0, 50).wait().unwrap();
        CLIENT.plan([Answer::Due(1), Answer::AbsentElsewhere]);
        assert_eq!(Hand::new(busy(0)).run(), Some(50));
        // Others ask while the refresh is on its way, and wait for the store.
        let mut others = [Hand::begun(busy(0)), Hand::begun(busy(0))];
        drained();
        assert_eq!((RUNS.get(), CLIENT.filled(), CLIENT.released()), (1, vec![1], vec![]));
        CLIENT.plan([Answer::Won(0)]);
        CLOCK.advance(millis(500));
        assert_eq!(others.each_mut().map(Hand::run), [Some(1), Some(1)]);
    });
}

#[test]
fn what_is_written_meanwhile_is_not_overwritten_by_a_refresh() {
    bounded(|| {
        static GATE: Gate = Gate::new();
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(InprocClient::new(100)));
        #[cached(client = CLIENT, ttl = 600, async_ttl = -60)]
        fn overtaken() -> u64 {
            GATE.pass();
            1
        }
        overtaken::put(50).unwrap();
        CLIENT.plan([Answer::Due(1), Answer::DueElsewhere]);
        assert_eq!(overtaken(), 50);
        GATE.await_arrivals(1);
        overtaken::put(60).unwrap();
        GATE.open();
        drained();
        assert_eq!((overtaken::peek(), CLIENT.filled(), CLIENT.released()), (Some(60), vec![], vec![1]));
        assert_eq!((overtaken::stats().superseded, info("overtaken").in_flight), (1, 0));
    });
}

#[test]
fn a_background_computation_leaves_it_to_another_process() {
    bounded(|| {
        leased!(left_alone);
        CLIENT.plan([Answer::AbsentElsewhere]);
        assert_eq!(left_alone::lazy(0).wait(), None);
        drained();
        assert_eq!((RUNS.get(), CLIENT.claims(), left_alone::stats().background), (0, 1, 1));
        assert_eq!(info("left_alone").in_flight, 0);
    });
}

/// Declares two functions that stand for two processes: of one name in a store, and without knowledge of one another's flights.
/// The computation of the first one waits at the gate, and fails with what it finds there.
macro_rules! two_processes {
    ($client:ident, $gate:ident, $fails:ident, $here:ident, $there:ident) => {
        static $gate: Gate = Gate::new();
        static $fails: AtomicBool = AtomicBool::new(false);
        #[cached(client = $client, ttl = 100, async_ttl = -20, ttl_spread = none, renew = 10, namespace = "shared")]
        fn $here() -> Result<u64, String> {
            $gate.pass();
            if $fails.load(Ordering::SeqCst) { Err("down".into()) } else { Ok(1) }
        }
        #[cached(client = $client, ttl = 100, async_ttl = -20, ttl_spread = none, renew = 10, namespace = "shared")]
        fn $there() -> Result<u64, String> {
            Ok(2)
        }
    };
}

#[test]
fn a_refresh_keeps_other_processes_from_theirs_for_as_long_as_renew_says() {
    bounded(|| {
        static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static CLIENT: LazyLock<Failing> = LazyLock::new(|| Failing::new(timed(100, &CLOCK)));
        two_processes!(CLIENT, GATE, FAILS, here, there);
        here::put(50).unwrap();
        CLOCK.advance(secs(21));
        assert_eq!(here(), Ok(50));
        GATE.await_arrivals(1);
        assert_eq!(here::get_ttl().unwrap().remaining(), secs(79), "the value lives no longer for it");
        assert_eq!(there(), Ok(50));
        CLOCK.advance(secs(9));
        assert_eq!(there(), Ok(50));
        GATE.open();
        drained();
        assert_eq!((there::stats().computes, there::stats().due_hits, here()), (0, 2, Ok(1)));
        // What has ended well holds back nobody any more.
        CLOCK.advance(secs(20));
        assert_eq!(there(), Ok(1));
        drained();
        assert_eq!(there::stats().computes, 1);
    });
}

#[test]
fn a_refresh_that_fails_is_tried_again_when_renew_has_passed_and_lengthens_nothing() {
    bounded(|| {
        static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static CLIENT: LazyLock<Failing> = LazyLock::new(|| Failing::new(timed(100, &CLOCK)));
        two_processes!(CLIENT, GATE, FAILS, here, there);
        FAILS.store(true, Ordering::SeqCst);
        GATE.open();
        here::put(50).unwrap();
        CLOCK.advance(secs(20));
        for second in 0..79 {
            assert_eq!(here(), Ok(50));
            drained();
            assert_eq!(here::stats().compute_errors, 1 + second / 10);
            CLOCK.advance(secs(1));
        }
        CLOCK.advance(secs(1));
        assert_eq!((here(), there::peek()), (Err("down".into()), None));
    });
}

#[test]
fn a_claim_is_given_back_whatever_the_number_of_its_token() {
    static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
    static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(timed(100, &CLOCK)));
    #[cached(client = CLIENT, ttl = 600)]
    fn fails(x: u64) -> Result<u64, String> {
        Err(x.to_string())
    }
    CLIENT.plan([Answer::Won(0), Answer::Won(7)]);
    assert_eq!((fails(1), fails(2)), (Err("1".into()), Err("2".into())));
    assert_eq!(CLIENT.released(), [0, 7]);
}
