//! A cache with a capacity of 0 is switched off: functions compute on each call, and still only once at a time.

mod support;

use std::sync::LazyLock;

use chorde::prelude::*;
use chorde::{InprocClient, TieredClient};
use support::gate::Gate;
use support::{Count, bounded, drained, info, runtime};

static OFF: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(0));

#[test]
fn a_function_computes_on_each_call() {
    static CALLS: Count = Count::new();
    #[cached(client = OFF, ttl = 60, async_ttl = -30)]
    fn plain(x: u64) -> u64 {
        x + CALLS.up()
    }
    #[cached(client = OFF, ttl = 60)]
    async fn asynchronous(x: u64) -> String {
        format!("{}", x + CALLS.up())
    }
    assert_eq!([plain(10), plain(10), plain(10)], [11, 12, 13]);
    let two = runtime().block_on(async { (asynchronous(10).await, asynchronous(10).await) });
    assert_eq!(two, ("14".to_owned(), "15".to_owned()));
    assert_eq!((plain::stats().computes, plain::stats().hits), (3, 0));
    assert_eq!(OFF.stats().entries, 0);
}

#[test]
fn companions_work_and_find_nothing() {
    static CALLS: Count = Count::new();
    #[cached(client = OFF, ttl = 60)]
    fn accompanied(x: u64) -> u64 {
        x + CALLS.up()
    }
    assert_eq!((accompanied::peek(10), accompanied::lazy(10)), (None, None));
    drained();
    assert_eq!(CALLS.get(), 1);
    accompanied::put(10, 5).unwrap();
    assert_eq!((accompanied::peek(10), accompanied(10)), (None, 12));
    assert_eq!(accompanied::refresh(10), 13);
    accompanied::invalidate(10).unwrap();
    accompanied::expire(10).unwrap();
    assert_eq!(accompanied::future(10).wait().unwrap(), 14);
}

#[test]
fn concurrent_calls_compute_once() {
    bounded(|| {
        static GATE: Gate = Gate::new();
        #[cached(client = OFF, ttl = 60)]
        async fn crowded(x: u64) -> u64 {
            GATE.passed().await;
            x + GATE.arrivals()
        }
        let one_thread = tokio::runtime::Builder::new_current_thread().build().unwrap();
        one_thread.block_on(async {
            let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(crowded(10))).collect();
            // All tasks have had their turn when this one has it again.
            tokio::task::yield_now().await;
            assert_eq!((GATE.arrivals(), info("crowded").in_flight), (1, 1));
            GATE.open();
            for task in tasks {
                assert_eq!(task.await.unwrap(), 11);
            }
            assert_eq!(crowded(10).await, 12);
        });
        assert_eq!((crowded::stats().computes, crowded::stats().coalesced), (2, 99));
    });
}

#[test]
fn a_near_tier_that_is_switched_off_leaves_the_far_one_to_answer() {
    static FAR: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));
    static BOTH: LazyLock<TieredClient<&InprocClient, &InprocClient>> =
        LazyLock::new(|| TieredClient::new(&*OFF, &*FAR));
    static CALLS: Count = Count::new();
    #[cached(client = BOTH, ttl = 60)]
    fn tiered(x: u64) -> u64 {
        x + CALLS.up()
    }
    assert_eq!([tiered(10), tiered(10)], [11, 11]);
    assert_eq!(FAR.stats().entries, 1);
}
