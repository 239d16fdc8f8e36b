//! Many computations of few keys that succeed, fail, panic and are dropped at random: nothing is left behind.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chorde::prelude::*;
use support::hand::{Hand, pause};
use support::{PATIENCE, eventually, info, runtime};

/// How many calls each test makes.
const CALLS: u64 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
/// How many calls are under way at once.
const CROWD: u64 = 1_000;
/// Few, so that calls meet.
const KEYS: u64 = 16;

/// Keeps the panics that are part of the test from being printed.
fn hush() {
    static HUSHED: LazyLock<()> = LazyLock::new(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
                print(panic);
            }
        }));
    });
    LazyLock::force(&HUSHED);
}

/// Decides, in a function that is told by a number, how a computation ends.
fn outcome(dice: u64, key: u64) -> Result<u64, String> {
    match dice % 4 {
        0 => Err(format!("{key} fails")),
        1 => panic!("on purpose"),
        _ => Ok(key),
    }
}

#[test]
fn tasks_that_end_in_all_ways_leave_no_flight() {
    hush();
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, skip(dice))]
    async fn chancy(key: u64, dice: u64) -> Result<u64, String> {
        for _ in 0..dice % 3 {
            tokio::task::yield_now().await;
        }
        outcome(dice / 3, key)
    }
    runtime().block_on(async {
        for _ in 0..CALLS / CROWD {
            let tasks: Vec<_> = (0..CROWD).map(|_| tokio::spawn(act(fastrand::u64(..)))).collect();
            for task in tasks {
                if fastrand::u8(..) < 32 {
                    task.abort();
                }
                // How it ended is not to the point here, only that it did.
                drop(tokio::time::timeout(PATIENCE, task).await.expect("nobody hangs"));
            }
        }
        chorde::drain(PATIENCE).await.unwrap();
    });
    async fn act(dice: u64) -> bool {
        let (key, fate) = (dice % KEYS, dice / KEYS / 16);
        match dice / KEYS % 16 {
            0 => chancy::invalidate(key, 0).await.is_ok(),
            1 => chancy::put(key, 0, key).await.is_ok(),
            2 => chancy::refresh(key, fate).await.is_ok_and(|value| value == key),
            3 => chancy::lazy(key, fate).await.is_none_or(|value| value == key),
            4 => tokio::time::timeout(Duration::ZERO, chancy(key, fate)).await.is_ok(),
            5 => chancy::expire(key, 0).await.is_ok(),
            6 => chancy::future(key, fate).await.is_ok(),
            7 => chancy::clear().await.is_ok(),
            _ => chancy(key, fate).await.is_ok_and(|value| value == key),
        }
    }
    eventually("no flight is left", || info("chancy").in_flight == 0);
    let stats = chancy::stats();
    assert!(stats.computes > 0 && stats.compute_errors > 0 && stats.panics > 0 && stats.coalesced > 0, "{stats:?}");
    for key in 0..KEYS {
        chancy::invalidate(key, 0).wait().unwrap();
        assert_eq!(chancy(key, 6).wait(), Ok(key));
    }
}

#[test]
fn threads_that_end_in_all_ways_leave_no_flight() {
    hush();
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, skip(dice))]
    fn risky(key: u64, dice: u64) -> Result<u64, String> {
        outcome(dice, key)
    }
    static WRONG: AtomicBool = AtomicBool::new(false);
    support::bounded(|| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..CALLS / 8 {
                        let (key, dice) = (fastrand::u64(..KEYS), fastrand::u64(..));
                        let ended = catch_unwind(AssertUnwindSafe(|| match dice / 16 % 8 {
                            0 => risky::invalidate(key, 0).is_ok(),
                            1 => risky::put(key, 0, key).is_ok(),
                            2 => risky::refresh(key, dice).is_ok_and(|value| value == key),
                            3 => risky::lazy(key, dice).is_none_or(|value| value == key),
                            _ => risky(key, dice).map_or(true, |value| value == key),
                        }));
                        if matches!(ended, Ok(false)) && !matches!(dice / 16 % 8, 2) {
                            WRONG.store(true, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        support::drained();
    });
    assert!(!WRONG.load(Ordering::SeqCst), "a value of another key was served");
    assert_eq!(info("risky").in_flight, 0);
}

#[test]
fn futures_stepped_and_dropped_at_random_leave_no_flight() {
    hush();
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60, skip(dice))]
    async fn handled(key: u64, dice: u64) -> Result<u64, String> {
        for _ in 0..dice % 5 {
            pause().await;
        }
        outcome(dice / 5, key)
    }
    let mut crowd = Vec::new();
    for _ in 0..CALLS {
        match fastrand::u8(..8) {
            0..3 => {
                crowd.push(Hand::new(handled(fastrand::u64(..4), fastrand::u64(..))));
            }
            3 if !crowd.is_empty() => drop(crowd.swap_remove(fastrand::usize(..crowd.len()))),
            4 => _ = handled::invalidate(fastrand::u64(..4), 0).wait(),
            _ if !crowd.is_empty() => {
                let at = fastrand::usize(..crowd.len());
                let stepped = catch_unwind(AssertUnwindSafe(|| crowd[at].step()));
                if stepped.is_err() || stepped.is_ok_and(|step| step.is_ready()) {
                    crowd.swap_remove(at);
                }
            }
            _ => {}
        }
    }
    drop(crowd);
    // Those that had begun go on.
    support::drained();
    let stats = handled::stats();
    assert_eq!(info("handled").in_flight, 0);
    assert!(stats.computes > 0 && stats.compute_errors > 0 && stats.panics > 0 && stats.superseded > 0, "{stats:?}");
}
