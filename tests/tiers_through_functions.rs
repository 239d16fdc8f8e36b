//! Cached functions whose client has a near and a far tier.

mod support;

use std::sync::{LazyLock, Mutex};

use chorde::prelude::*;
use chorde::testing::{ChaosClient, Faults};
use chorde::{InprocClient, ManualClock, TieredClient};
use support::failing::Failing;
use support::{Count, bounded, drained, secs, timed};

/// Declares a clock and two tiers, the far one being a store that can never tell anything at once.
macro_rules! tiers {
    ($clock:ident, $client:ident) => {
        static $clock: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static $client: LazyLock<TieredClient<InprocClient, Failing>> =
            LazyLock::new(|| TieredClient::new(timed(100, &$clock), Failing::new(timed(100, &$clock))));
    };
}

#[test]
fn a_value_of_the_far_tier_is_served_and_copied_nearer() {
    tiers!(CLOCK, TIERS);
    #[cached(client = TIERS, ttl = 60, ttl_spread = none, namespace = none)]
    fn far(x: u64) -> u64 {
        panic!("computed {x}")
    }
    static HEARD: Mutex<Vec<(Vec<u8>, u64, std::time::Duration)>> = Mutex::new(Vec::new());
    far::on_promote(|key, value, remaining| {
        HEARD.lock().unwrap().push((key.bytes().to_vec(), *value, remaining));
    });
    let key = far::callkey(5).unwrap();
    TIERS.far().put(&key, 50_u64, secs(10)).wait().unwrap();
    assert_eq!((far(5), far(5)), (50, 50));
    let near = TIERS.near().get_ttl::<u64>(&key).wait().unwrap().unwrap();
    assert!(near.value == 50 && near.remaining() <= secs(10));
    assert_eq!(*HEARD.lock().unwrap(), [(key.bytes().to_vec(), 50, near.remaining())]);
    let stats = far::stats();
    assert_eq!((stats.hits, stats.misses, stats.computes, TIERS.stats().promotions), (2, 0, 0, 1));
    CLOCK.advance(secs(10));
    assert_eq!(far::peek(5), None);
}

#[test]
fn what_is_computed_is_in_both_tiers() {
    tiers!(CLOCK, TIERS);
    static RUNS: Count = Count::new();
    #[cached(client = TIERS, ttl = 60, ttl_spread = none, namespace = none)]
    fn both(x: u64) -> u64 {
        x + RUNS.up()
    }
    CLOCK.advance(secs(1));
    both(0);
    let key = both::callkey(0).unwrap();
    assert_eq!(TIERS.near().get::<u64>(&key).wait().unwrap(), Some(1));
    assert_eq!(TIERS.far().get::<u64>(&key).wait().unwrap(), Some(1));
    TIERS.near().clear().wait().unwrap();
    assert_eq!((both(0), RUNS.get()), (1, 1));
    both::put(0, 9).unwrap();
    assert_eq!(TIERS.far().get::<u64>(&key).wait().unwrap(), Some(9));
    both::invalidate(0).unwrap();
    assert_eq!((TIERS.far().get::<u64>(&key).wait().unwrap(), both::peek(0)), (None, None));
}

#[test]
fn lazy_that_looks_at_the_near_tier_finds_the_far_value_behind() {
    bounded(|| {
        tiers!(CLOCK, TIERS);
        #[cached(client = TIERS, ttl = 60, namespace = none, lazy(max_tiers = 1))]
        fn near_only(x: u64) -> u64 {
            panic!("computed {x}")
        }
        CLOCK.advance(secs(1));
        let key = near_only::callkey(5).unwrap();
        TIERS.far().put(&key, 50_u64, secs(10)).wait().unwrap();
        assert_eq!((near_only::peek(5), near_only::lazy(5)), (None, None));
        drained();
        assert_eq!((near_only::lazy(5), near_only::peek(5)), (Some(50), Some(50)));
        let stats = near_only::stats();
        assert_eq!((stats.computes, stats.panics, stats.misses, stats.hits), (0, 0, 1, 1));
    });
}

#[test]
fn without_that_limit_peek_and_lazy_look_at_all_tiers() {
    tiers!(CLOCK, TIERS);
    #[cached(client = TIERS, ttl = 60, namespace = none)]
    fn everywhere(x: u64) -> u64 {
        x
    }
    CLOCK.advance(secs(1));
    for x in [5, 6] {
        TIERS.far().put(&everywhere::callkey(x).unwrap(), 50_u64, secs(10)).wait().unwrap();
    }
    assert_eq!((everywhere::peek(5), everywhere::lazy(6)), (Some(50), Some(50)));
    assert_eq!(everywhere::stats().background, 0);
}

#[test]
fn clear_forgets_in_all_tiers() {
    tiers!(CLOCK, TIERS);
    static RUNS: Count = Count::new();
    #[cached(client = TIERS, ttl = 60)]
    fn cleared(x: u64) -> u64 {
        x + RUNS.up()
    }
    #[cached(client = TIERS, ttl = 60)]
    fn kept(x: u64) -> u64 {
        x + RUNS.up()
    }
    CLOCK.advance(secs(1));
    assert_eq!((cleared(0), kept(0)), (1, 2));
    cleared::clear().unwrap();
    assert_eq!((cleared::get_ttl(0), kept::peek(0)), (None, Some(2)));
    assert_eq!((cleared(0), kept(0), cleared(0)), (3, 2, 3));
}

#[test]
fn a_far_tier_out_of_reach_does_not_disturb_the_function() {
    bounded(|| {
        tiers!(CLOCK, TIERS);
        static RUNS: Count = Count::new();
        #[cached(client = TIERS, ttl = 60, async_ttl = -30)]
        fn robust(x: u64) -> u64 {
            x + RUNS.up()
        }
        TIERS.far().set_down(true);
        assert_eq!((robust(0), robust(0), robust::peek(0)), (1, 1, Some(1)));
        CLOCK.advance(secs(30));
        assert_eq!(robust(0), 1);
        drained();
        assert_eq!((robust(0), RUNS.get()), (2, 2));
        TIERS.far().set_down(false);
        CLOCK.advance(secs(60));
        assert_eq!((robust(0), robust(0), TIERS.far().usage().wait().unwrap()), (3, 3, vec![1]));
    });
}

#[test]
fn a_due_near_copy_is_replaced_by_what_the_far_tier_has_already() {
    bounded(|| {
        tiers!(CLOCK, TIERS);
        static RUNS: Count = Count::new();
        #[cached(client = TIERS, ttl = 60, async_ttl = -30, ttl_spread = none, namespace = none)]
        fn elsewhere(x: u64) -> u64 {
            x + RUNS.up()
        }
        assert_eq!(elsewhere(0), 1);
        CLOCK.advance(secs(40));
        // Another process has refreshed it.
        TIERS.far().put(&elsewhere::callkey(0).unwrap(), 70_u64, secs(60)).wait().unwrap();
        assert_eq!(elsewhere(0), 1);
        drained();
        assert_eq!((elsewhere(0), RUNS.get(), elsewhere::stats().due_hits), (70, 1, 1));
    });
}

#[test]
fn each_failed_operation_of_a_far_tier_counts_once_for_the_function() {
    static FAR: LazyLock<ChaosClient<InprocClient>> = LazyLock::new(|| ChaosClient::new(InprocClient::new(100), 1));
    static TIERS: LazyLock<TieredClient<InprocClient, ChaosClient<InprocClient>>> =
        LazyLock::new(|| TieredClient::new(InprocClient::new(100), FAR.clone()));
    #[cached(client = TIERS, ttl = 600)]
    fn plain(key: u32) -> u32 {
        key * 10
    }
    #[cached(client = TIERS, ttl = 600)]
    async fn asynchronous(key: u32) -> u32 {
        key * 10
    }
    /// Returns by how much something raised the function's count, and the number of the tier's failures.
    fn counted(errors: impl Fn() -> u64, act: impl FnOnce()) -> (u64, u64) {
        let (before, far) = (errors(), TIERS.stats().far_errors);
        act();
        (errors() - before, TIERS.stats().far_errors - far)
    }
    let (of_plain, of_async) = (|| plain::stats().client_errors, || asynchronous::stats().client_errors);
    FAR.set(Faults::none().errors(1.0));
    for key in 1..4 {
        let (count, failed) = counted(of_plain, || assert_eq!(plain(key), key * 10));
        assert!(count == failed && failed >= 2, "claim and store: {count} of {failed}");
        let (count, failed) = counted(of_async, || assert_eq!(asynchronous(key).wait(), key * 10));
        assert!(count == failed && failed >= 2, "claim and store: {count} of {failed}");
        assert_eq!(counted(of_plain, || assert_eq!(plain(key), key * 10)), (0, 0), "a near hit asks nobody else");
    }
    assert_eq!(counted(of_plain, || plain::put(1, 7).unwrap()), (1, 1), "the near tier took it");
    assert_eq!(counted(of_plain, || assert!(plain::invalidate(1).is_err())), (0, 1), "the caller was told");
    assert_eq!(counted(of_plain, || assert_eq!(plain::peek(9), None)), (1, 1));
    FAR.set(Faults::none());
    assert_eq!(counted(of_plain, || assert_eq!(plain(8), 80)), (0, 0));
}

#[test]
fn a_failure_of_both_tiers_counts_for_each() {
    static BOTH: LazyLock<[ChaosClient<InprocClient>; 2]> =
        LazyLock::new(|| [1, 2].map(|seed| ChaosClient::new(InprocClient::new(100), seed)));
    static TIERS: LazyLock<TieredClient<ChaosClient<InprocClient>, ChaosClient<InprocClient>>> =
        LazyLock::new(|| TieredClient::new(BOTH[0].clone(), BOTH[1].clone()));
    #[cached(client = TIERS, ttl = 600)]
    fn whatever(key: u32) -> u32 {
        key * 10
    }
    BOTH.iter().for_each(|tier| tier.set(Faults::none().errors(1.0)));
    assert_eq!(whatever(1), 10);
    let stats = TIERS.stats();
    assert_eq!(whatever::stats().client_errors, stats.near_errors + stats.far_errors);
}
