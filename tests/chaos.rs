//! Cached functions over a cache that fails: callers see values of their keys, and nothing else.
//!
//! `CHORDE_CHAOS` sets how many random odds are tried, 64 by default.

mod support;

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chorde::prelude::*;
use chorde::testing::{ChaosClient, FaultKind, Faults, ManualClock, Operation};
use chorde::{Clock, InprocClient};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::{Count, PATIENCE, bounded, drained, secs, timed};

/// A value that tells whose it is, when it was made, and after how many others.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    key: u8,
    number: u64,
    at: u64,
}

static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
static CHAOS: LazyLock<ChaosClient<InprocClient>> = LazyLock::new(|| ChaosClient::new(timed(1_000, &CLOCK), 3));
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn now() -> u64 {
    Clock::from(CLOCK.clone()).now()
}

fn make(key: u8) -> Made {
    Made { key, number: NUMBER.fetch_add(1, Ordering::SeqCst), at: now() }
}

#[cached(client = CHAOS, ttl = 60, async_ttl = -20)]
fn plain(key: u8) -> Made {
    make(key)
}

#[cached(client = CHAOS, ttl = 60, async_ttl = -20)]
async fn asynchronous(key: u8) -> Made {
    make(key)
}

#[derive(Clone, Debug)]
enum Step {
    Call(u8),
    CallAsync(u8),
    Peek(u8),
    Refresh(u8),
    Put(u8),
    Invalidate(u8),
    Expire(u8),
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..4_u8;
    prop_oneof![
        8 => key().prop_map(Step::Call),
        4 => key().prop_map(Step::CallAsync),
        1 => key().prop_map(Step::Peek),
        1 => key().prop_map(Step::Refresh),
        1 => key().prop_map(Step::Put),
        1 => key().prop_map(Step::Invalidate),
        1 => key().prop_map(Step::Expire),
        3 => (1..30_u64).prop_map(Step::Advance),
    ]
}

/// Odds of all faults but wrong values; a delay ends by itself, since the clock stands still.
fn faults() -> impl Strategy<Value = Faults> {
    let odds = || prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64];
    let all = (odds(), odds(), odds(), odds(), odds());
    all.prop_map(|(errors, reads, delays, misses, losses)| {
        let faults = Faults::none().errors(errors).delays(delays, Duration::ZERO).misses(misses).lost_writes(losses);
        faults.on(Operation::Claim, FaultKind::Error, reads)
    })
}

/// What must not be seen any more of a key of the plain function: anything made before this.
type Floors = HashMap<u8, u64>;

fn take(step: &Step, floors: &mut Floors) -> Result<(), TestCaseError> {
    let seen = match *step {
        Step::Call(key) => Some((key, plain(key), true)),
        Step::CallAsync(key) => Some((key, asynchronous(key).wait(), false)),
        Step::Peek(key) => plain::peek(key).map(|made| (key, made, true)),
        Step::Refresh(key) => Some((key, plain::refresh(key), true)),
        Step::Put(key) => {
            let made = make(key);
            if plain::put(key, made.clone()).is_ok() {
                floors.insert(key, made.number);
            }
            None
        }
        Step::Invalidate(key) | Step::Expire(key) => {
            let floor = NUMBER.load(Ordering::SeqCst);
            let done = if matches!(step, Step::Expire(_)) { plain::expire(key) } else { plain::invalidate(key) };
            if done.is_ok() {
                floors.insert(key, floor);
            }
            None
        }
        Step::Advance(seconds) => {
            CLOCK.advance(secs(seconds));
            None
        }
    };
    let Some((key, made, is_plain)) = seen else { return Ok(()) };
    prop_assert_eq!(made.key, key, "the value of another key");
    prop_assert!(now() - made.at < 60_000_000_000, "past its ttl: {:?}", made);
    // A put that was lost leaves what was there before.
    if is_plain && CHAOS.faults().odds(Operation::Write, FaultKind::Loss) == 0.0 {
        let floor = floors.get(&key).copied().unwrap_or(0);
        prop_assert!(made.number >= floor, "{:?}, though what was made before {} is gone", made, floor);
    }
    Ok(())
}

#[test]
fn a_function_over_a_cache_with_any_odds_of_faults_returns_values_of_its_key_in_their_time() {
    let cases = std::env::var("CHORDE_CHAOS").map_or(64, |cases| cases.parse().unwrap());
    bounded_for(cases, move || {
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let strategy = (faults(), proptest::collection::vec(step(), 1..80));
        let outcome = runner.run(&strategy, |(faults, steps)| {
            CHAOS.set(Faults::none());
            plain::clear().unwrap();
            asynchronous::clear().wait().unwrap();
            CHAOS.set(faults);
            let mut floors = Floors::new();
            for step in &steps {
                take(step, &mut floors)?;
                // What is refreshed in the background belongs to the step that found it due.
                drained();
            }
            Ok(())
        });
        outcome.unwrap();
        let counts = CHAOS.counts();
        let faults: u64 = FaultKind::ALL.into_iter().map(|fault| counts.faults(fault)).sum();
        let operations: u64 = Operation::ALL.into_iter().map(|operation| counts.operations(operation)).sum();
        println!("chaos: {cases} random odds, {operations} operations of the cache, {faults} faults, no wrong value");
        assert!(FaultKind::ALL.iter().all(|fault| (counts.faults(*fault) > 0) == (*fault != FaultKind::WrongValue)));
    });
}

/// As `bounded`, for as long as so many cases may take.
fn bounded_for(cases: u32, test: impl FnOnce() + Send + 'static) {
    if cases <= 256 { bounded(test) } else { test() }
}

/// Declares a client that fails, and a function over it that counts its computations.
macro_rules! failing {
    ($client:ident, $runs:ident, $name:ident) => {
        static $client: LazyLock<ChaosClient<InprocClient>> =
            LazyLock::new(|| ChaosClient::new(InprocClient::new(100), 1));
        static $runs: Count = Count::new();
        #[cached(client = $client, ttl = 600)]
        fn $name(key: u32) -> u32 {
            $runs.up();
            key * 10
        }
    };
}

#[test]
fn a_cache_that_is_down_is_one_computation_for_each_call_and_none_that_fails() {
    failing!(DOWN, RUNS, over_down);
    assert_eq!(over_down(1), 10);
    DOWN.set(Faults::none().errors(1.0));
    assert_eq!((over_down(1), over_down(1), over_down::peek(1)), (10, 10, None));
    assert_eq!((RUNS.get(), over_down::stats().computes), (3, 3));
    assert!(over_down::stats().client_errors >= 3);
    assert!(over_down::put(1, 7).is_err() && over_down::invalidate(1).is_err());
    DOWN.set(Faults::none());
    assert_eq!((over_down(1), RUNS.get()), (10, 3), "what was stored before is there again");
}

#[test]
fn lost_writes_are_computed_again() {
    failing!(LOSING, RUNS, over_losing);
    LOSING.set(Faults::none().lost_writes(1.0));
    assert_eq!((over_losing(1), over_losing(1)), (10, 10));
    assert_eq!((RUNS.get(), LOSING.counts().faults(FaultKind::Loss)), (2, 2));
    LOSING.set(Faults::none());
    assert_eq!((over_losing(1), over_losing(1), RUNS.get()), (10, 10, 3));
}

#[test]
fn wrong_values_are_served_only_where_they_were_asked_for() {
    failing!(LYING, RUNS, over_lying);
    assert_eq!((over_lying(1), over_lying(2)), (10, 20));
    LYING.set(Faults::none().wrong_values(1.0));
    assert_eq!((over_lying(1), over_lying(2)), (20, 10));
    LYING.lie_with(|_| Some(99_u32));
    assert_eq!((over_lying(1), over_lying(3)), (99, 30), "what is computed is right");
    LYING.set(Faults::none());
    assert_eq!((over_lying(1), over_lying(2), RUNS.get()), (10, 20, 3));
}

#[test]
fn a_call_waits_for_a_slow_cache_no_longer_than_its_caller_does() {
    static SLOW_CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
    static SLOW: LazyLock<ChaosClient<InprocClient>> = LazyLock::new(|| ChaosClient::new(timed(100, &SLOW_CLOCK), 1));
    #[cached(client = SLOW, ttl = 600)]
    fn over_slow(key: u32) -> u32 {
        key * 10
    }
    SLOW.set(Faults::none().delays(0.0, secs(30)).on(Operation::Claim, FaultKind::Delay, 1.0));
    let mut call = over_slow::future(1);
    assert!(call.wait_timeout(Duration::from_millis(1)).is_err());
    support::eventually("the cache is asked", || SLOW.counts().faults(FaultKind::Delay) == 1);
    SLOW_CLOCK.advance(secs(30));
    assert_eq!(call.wait_timeout(PATIENCE).unwrap(), 10);
}
