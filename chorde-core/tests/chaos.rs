//! A client that fails as told: each fault does what it says, as often as it was told to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use chorde_core::testing::conformance::Suite;
use chorde_core::testing::{ChaosClient, FaultKind, Faults, Operation};
use chorde_core::{
    CacheExt, Claim, ClaimOptions, Client, DynClient, ErrorKind, InprocClient, Key, ManualClock, ReadOptions,
    TieredClient, Wait,
};

const LIFE: Duration = Duration::from_secs(60);

fn chaos() -> ChaosClient<InprocClient> {
    ChaosClient::new(InprocClient::new(10_000), 7)
}

fn on(clock: &ManualClock) -> ChaosClient<InprocClient> {
    ChaosClient::new(InprocClient::builder().capacity(10_000).clock(clock.clone()).build().unwrap(), 7)
}

#[test]
fn without_a_fault_it_is_the_client_inside() {
    let clock = ManualClock::new();
    let suite = Suite::new(|| on(&clock)).advance(|by| clock.advance(by));
    suite.check::<String>();
    suite.check::<u64>();
    suite.check_types();
    let suite = Suite::new(|| TieredClient::new(on(&clock), on(&clock))).advance(|by| clock.advance(by));
    suite.check::<String>();
    let suite = Suite::new(|| DynClient::<u64>::new(on(&clock))).advance(|by| clock.advance(by));
    suite.check::<u64>();
}

#[test]
fn delays_alone_break_no_rule() {
    // They pass by themselves on the system's clock.
    let make = || {
        let client = chaos();
        client.set(Faults::none().delays(0.5, Duration::from_nanos(1)));
        client
    };
    let suite = Suite::new(make);
    let rules: Vec<_> = suite.rules::<u64>().into_iter().filter(|rule| !rule.contains("at_once")).collect();
    assert!(rules.len() > 20, "{rules:?}");
    for rule in rules {
        Suite::new(make).resolution(Duration::from_millis(100)).only(rule).check::<u64>();
    }
}

#[test]
fn an_error_has_no_effect() {
    let client = chaos();
    client.put(&1, 1, LIFE).wait().unwrap();
    client.set(Faults::none().errors(1.0));
    let failed = [
        client.put(&1, 2, LIFE).wait(),
        client.delete(&1).wait().map(drop),
        client.expire(&1).wait().map(drop),
        client.renew(&1, LIFE * 2).wait().map(drop),
        client.clear().wait(),
        client.get::<i32>(&1).wait().map(drop),
        client.get_multi::<i32>(&[1]).wait().map(drop),
        client.put_multi(&[(1, 2)], LIFE).wait(),
        client.contains(&1).wait().map(drop),
        client.add(&2, 2, LIFE).wait().map(drop),
        client.capacity().wait().map(drop),
    ];
    assert!(failed.iter().all(|outcome| outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unavailable)));
    assert_eq!(client.counts().faults(FaultKind::Error), failed.len() as u64);
    client.set(Faults::none());
    let entry = client.get_ttl::<i32>(&1).wait().unwrap().unwrap();
    assert!(entry.value == 1 && entry.remaining() <= LIFE);
    assert_eq!(client.get::<i32>(&2).wait().unwrap(), None);
}

#[test]
fn errors_may_be_for_one_kind_of_operation_only() {
    let client = chaos();
    client.set(Faults::none().on(Operation::Write, FaultKind::Error, 1.0));
    assert!(client.put(&1, 1, LIFE).wait().is_err());
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), None);
    assert!(!client.delete(&1).wait().unwrap());
    let counts = client.counts();
    // What can be said at once is no operation.
    assert_eq!((counts.of(Operation::Write, FaultKind::Error), counts.faults(FaultKind::Error)), (1, 1));
    assert_eq!(Operation::ALL.map(|operation| counts.operations(operation)), [0, 0, 1, 1]);
}

/// Does not need to be woken: the test looks by itself.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_delay_passes_by_the_clock_of_the_client() {
    let clock = ManualClock::new();
    let client = on(&clock);
    client.put(&1, 1, LIFE).wait().unwrap();
    client.set(Faults::none().delays(1.0, Duration::from_secs(30)));
    let waker = Waker::from(Arc::new(Nobody));
    let mut look = Context::from_waker(&waker);
    let mut get = pin!(client.get::<i32>(&1));
    assert!(get.as_mut().poll(&mut look).is_pending());
    clock.advance(Duration::from_secs(29));
    assert!(get.as_mut().poll(&mut look).is_pending());
    clock.advance(Duration::from_secs(1));
    assert!(matches!(get.as_mut().poll(&mut look), Poll::Ready(Ok(Some(1)))));
    assert_eq!(client.counts().faults(FaultKind::Delay), 1);
}

#[test]
fn a_miss_hides_what_is_there() {
    let client = chaos();
    client.put_multi(&[(1, 1), (2, 2)], LIFE).wait().unwrap();
    client.set(Faults::none().misses(1.0));
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), None);
    assert_eq!(client.get_multi::<i32>(&[1, 2]).wait().unwrap(), [None, None]);
    assert!(!client.contains(&1).wait().unwrap() && !client.promote::<i32>(&1).wait().unwrap());
    let options = ClaimOptions::<i32>::new(LIFE);
    assert!(matches!(client.claim(&Key::new(&1).unwrap(), options).wait().unwrap(), Claim::Absent(_)));
    assert_eq!(client.counts().faults(FaultKind::Miss), 6);
    client.set(Faults::none());
    assert_eq!(client.get_multi::<i32>(&[1, 2]).wait().unwrap(), [Some(1), Some(2)]);
}

#[test]
fn what_is_lost_is_said_to_be_stored_and_what_is_not_removed_to_be_gone() {
    let client = chaos();
    client.set(Faults::none().lost_writes(1.0));
    client.put(&1, 1, LIFE).wait().unwrap();
    client.put_multi(&[(2, 2), (3, 3)], LIFE).wait().unwrap();
    assert!(client.add(&4, 4, LIFE).wait().unwrap() && client.renew(&5, LIFE).wait().unwrap());
    assert!(client.fill(&Key::new(&6).unwrap(), Default::default(), 6, LIFE).wait().unwrap());
    assert_eq!(client.counts().faults(FaultKind::Loss), 6);
    assert_eq!(client.get_multi::<i32>(&[1, 2, 3, 4, 5, 6]).wait().unwrap(), [None; 6]);

    client.inner().put(&1, 1, LIFE).wait().unwrap();
    client.set(Faults::none().on(Operation::Remove, FaultKind::Loss, 1.0));
    assert!(client.delete(&1).wait().unwrap() && client.expire(&1).wait().unwrap());
    client.clear().wait().unwrap();
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), Some(1));
}

#[test]
fn a_wrong_value_is_that_of_another_key_of_the_same_type() {
    let client = chaos();
    client.put(&1, 1, LIFE).wait().unwrap();
    client.put(&"text", "of another type".to_owned(), LIFE).wait().unwrap();
    client.set(Faults::none().wrong_values(1.0));
    // There is no other yet.
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), Some(1));
    assert_eq!(client.counts().faults(FaultKind::WrongValue), 0);
    client.put(&2, 2, LIFE).wait().unwrap();
    assert_eq!(client.get_multi::<i32>(&[1, 2, 3]).wait().unwrap(), [Some(2), Some(1), None]);
    let claim = client.claim(&Key::new(&1).unwrap(), ClaimOptions::<i32>::new(LIFE)).wait().unwrap();
    assert!(matches!(claim, Claim::Fresh(entry) if entry.value == 2));
    assert_eq!(client.counts().faults(FaultKind::WrongValue), 3);

    client.lie_with(|key: &Key| (*key != Key::new(&2).unwrap()).then_some(99));
    assert_eq!(client.get_multi::<i32>(&[1, 2]).wait().unwrap(), [Some(99), Some(2)]);
}

#[test]
fn nothing_is_said_at_once_while_reads_may_fail() {
    let client = chaos();
    client.put(&1, 1, LIFE).wait().unwrap();
    let key = Key::new(&1).unwrap();
    let says = || client.look(&key.probe(), ReadOptions::<i32>::new()).is_some();
    assert!(says());
    client.set(Faults::none().on(Operation::Claim, FaultKind::Delay, 0.001));
    assert!(!says());
    client.set(Faults::none().lost_writes(1.0));
    assert!(says());
}

#[test]
fn the_same_seed_makes_the_same_faults_and_higher_odds_add_to_them() {
    let failed = |seed, odds| {
        let client = ChaosClient::new(InprocClient::new(10), seed);
        client.set(Faults::none().errors(odds));
        (0..200).map(|key| client.get::<i32>(&key).wait().is_err()).collect::<Vec<_>>()
    };
    assert_eq!(failed(1, 0.3), failed(1, 0.3));
    assert_ne!(failed(1, 0.3), failed(2, 0.3));
    let (few, many) = (failed(1, 0.3), failed(1, 0.6));
    assert!(few.iter().zip(&many).all(|(few, many)| !few || *many) && few != many);
}

/// The chance that a fault of these odds happens so often or less in that many operations.
fn chance_of_at_most(count: u64, of: u64, odds: f64) -> f64 {
    let mut term = (of as f64 * (1.0 - odds).ln()).exp();
    let mut sum = term;
    for happened in 0..count {
        term *= (of - happened) as f64 / (happened + 1) as f64 * odds / (1.0 - odds);
        sum += term;
    }
    sum
}

#[test]
fn odds_are_kept() {
    const COUNT: u64 = 1000;
    for seed in 0..20 {
        for odds in [0.02, 0.25, 0.5] {
            let client = ChaosClient::new(InprocClient::new(10), seed);
            let faults = Faults::none().delays(odds, Duration::ZERO).misses(odds);
            client.set(faults.lost_writes(odds));
            for key in 0..COUNT {
                client.put(&key, key, LIFE).wait().unwrap();
                client.get::<u64>(&key).wait().unwrap();
            }
            let counts = client.counts();
            let happened = [
                counts.of(Operation::Write, FaultKind::Loss),
                counts.of(Operation::Write, FaultKind::Delay),
                counts.of(Operation::Read, FaultKind::Miss),
                counts.of(Operation::Read, FaultKind::Delay),
            ];
            for count in happened {
                // 240 draws, of which one beyond these bounds would be one in 4 millions.
                let (below, above) =
                    (chance_of_at_most(count, COUNT, odds), 1.0 - chance_of_at_most(count - 1, COUNT, odds));
                assert!(below > 1e-9 && above > 1e-9, "{count} of {COUNT} with odds of {odds}, by seed {seed}");
            }
        }
    }
}

#[test]
fn odds_that_make_no_sense_are_refused() {
    let refused = |set: fn() -> Faults| std::panic::catch_unwind(set).is_err();
    assert!(refused(|| Faults::none().errors(1.1)) && refused(|| Faults::none().errors(f64::NAN)));
    assert!(refused(|| Faults::none().on(Operation::Write, FaultKind::Miss, 0.5)));
    assert!(refused(|| Faults::none().on(Operation::Read, FaultKind::Loss, 0.5)));
}
