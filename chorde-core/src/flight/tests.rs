//! The flights' transitions, one by one; `tests/flights.rs` has them in all orders.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::client::Identity;
use crate::clock::{Clock, ManualClock};
use crate::digest::Digest;
use crate::flight::store::unless_overtaken;
use crate::flight::{FlightKey, Flights, Kind, Leader, Outcome, Role};

const LEASE: Duration = Duration::from_secs(10);

/// Counts how often it was woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn poll<F: Future + Unpin>(future: &mut F, wakes: &Arc<Wakes>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(wakes));
    pin!(future).poll(&mut Context::from_waker(&waker))
}

struct Field {
    flights: Arc<Flights>,
    key: FlightKey,
    manual: ManualClock,
    clock: Clock,
}

impl Field {
    fn new() -> Self {
        let manual = ManualClock::new();
        let key = (Identity::new().id(), Digest::of_text("key"));
        Self { flights: Arc::default(), key, clock: manual.clone().into(), manual }
    }

    fn join(&self, kind: Kind) -> Role {
        self.flights.join(self.key, kind, &self.clock)
    }

    fn lead(&self) -> Leader {
        match self.join(Kind::Join) {
            Role::Lead(leader) => leader,
            Role::Wait(_) | Role::Recurse => panic!("expected to lead"),
        }
    }

    fn wait(&self, kind: Kind) -> impl Future<Output = Outcome> + Unpin + use<> {
        match self.join(kind) {
            Role::Wait(waiter) => {
                self.flights.watch(&waiter, &self.clock, LEASE);
                waiter.wait()
            }
            Role::Lead(_) | Role::Recurse => panic!("expected to wait"),
        }
    }

    /// A write to the key, up to the point where it writes.
    fn write(&self) -> impl Future<Output = ()> + Unpin {
        Box::pin(self.flights.supersede(&self.key).within(&self.clock, LEASE))
    }

    /// A clear, likewise.
    fn clear(&self) -> impl Future<Output = ()> + Unpin {
        Box::pin(self.flights.supersede_all(self.key.0).within(&self.clock, LEASE))
    }

    fn count(&self) -> usize {
        self.flights.summary().0
    }
}

fn value(outcome: Poll<Outcome>) -> u32 {
    match outcome {
        Poll::Ready(Outcome::Landed(landing)) => *landing.cargo().unwrap(),
        other => panic!("expected a landing, not {other:?}"),
    }
}

#[test]
fn those_who_wait_get_what_the_leader_brings() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &wakes).is_pending());
    leader.land(|| Arc::new(7_u32));
    assert_eq!((wakes.count(), value(poll(&mut waiting, &wakes)), field.count()), (1, 7, 0));
}

#[test]
fn cargo_is_made_only_for_those_who_wait() {
    let field = Field::new();
    field.lead().land(|| panic!("nobody waits"));
    assert_eq!(field.count(), 0);
}

#[test]
fn a_lost_leader_hands_over_to_one() {
    let (field, first, second) = (Field::new(), Arc::default(), Arc::default());
    let leader = field.lead();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    assert!(poll(&mut one, &first).is_pending() && poll(&mut two, &second).is_pending());
    drop(leader);
    assert_eq!((first.count(), second.count()), (1, 0));
    let Poll::Ready(Outcome::Lead(leader)) = poll(&mut one, &first) else { panic!("the first was woken to lead") };
    assert!(poll(&mut two, &second).is_pending());
    leader.land(|| Arc::new(8_u32));
    assert_eq!(value(poll(&mut two, &second)), 8);
}

#[test]
fn one_who_is_woken_to_lead_and_leaves_passes_it_on() {
    let (field, first, second) = (Field::new(), Arc::default(), Arc::default());
    let leader = field.lead();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    assert!(poll(&mut one, &first).is_pending() && poll(&mut two, &second).is_pending());
    drop(leader);
    drop(one);
    assert_eq!(second.count(), 1);
    assert!(matches!(poll(&mut two, &second), Poll::Ready(Outcome::Lead(_))));
    drop(two);
    assert_eq!(field.count(), 0);
}

#[test]
fn a_refresh_lines_up_and_others_share_it() {
    let (field, wakes) = (Field::new(), Arc::default());
    let running = field.lead();
    let (mut one, mut two) = (field.wait(Kind::Next), field.wait(Kind::Next));
    assert!(poll(&mut one, &wakes).is_pending() && poll(&mut two, &wakes).is_pending());
    running.land(|| Arc::new(1_u32));
    let Poll::Ready(Outcome::Lead(next)) = poll(&mut one, &wakes) else { panic!("the queued flight begins") };
    assert!(poll(&mut two, &wakes).is_pending());
    next.land(|| Arc::new(2_u32));
    assert_eq!((value(poll(&mut two, &wakes)), field.count()), (2, 0));
}

#[test]
fn a_queue_that_everybody_left_is_gone_with_the_flight_before_it() {
    let (field, wakes) = (Field::new(), Arc::default());
    let running = field.lead();
    let mut next = field.wait(Kind::Next);
    assert!(poll(&mut next, &wakes).is_pending());
    drop(next);
    running.land(|| Arc::new(1_u32));
    assert_eq!(field.count(), 0);
}

#[test]
fn an_explicit_write_keeps_an_older_computation_from_being_stored() {
    let (field, wakes) = (Field::new(), Arc::default());
    let older = field.lead();
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &wakes).is_pending());
    assert!(poll(&mut field.write(), &wakes).is_ready());
    // A call that comes now begins a computation of its own.
    let newer = field.lead();
    assert!(!older.begin_store() && newer.begin_store());
    older.land(|| Arc::new(1_u32));
    newer.land(|| Arc::new(2_u32));
    assert_eq!((value(poll(&mut waiting, &wakes)), field.count()), (1, 0));
}

#[test]
fn an_explicit_write_waits_for_a_store_in_progress() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    assert!(leader.begin_store());
    let mut write = field.clear();
    assert!(poll(&mut write, &wakes).is_pending());
    leader.land(|| Arc::new(1_u32));
    assert_eq!((wakes.count(), poll(&mut write, &wakes).is_ready()), (1, true));
}

#[test]
fn each_of_several_writes_waits_for_the_store_in_progress() {
    let (field, one, two) = (Field::new(), Arc::default(), Arc::default());
    let leader = field.lead();
    assert!(leader.begin_store());
    let mut first = field.write();
    assert!(poll(&mut first, &one).is_pending());
    // What comes now has a computation of its own, which the second write supersedes.
    let newer = field.lead();
    let mut second = field.write();
    assert!(
        poll(&mut second, &two).is_pending(),
        "the value from before the first write may still come to lie over it"
    );
    assert!(!newer.begin_store());
    leader.land(|| Arc::new(1_u32));
    assert_eq!((one.count(), two.count()), (1, 1));
    assert!(poll(&mut first, &one).is_ready() && poll(&mut second, &two).is_ready());
    drop(newer);
    assert_eq!(field.count(), 0);
}

#[test]
fn a_store_that_is_dropped_lets_the_write_go_on() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    assert!(leader.begin_store());
    let mut write = field.write();
    assert!(poll(&mut write, &wakes).is_pending());
    drop(leader);
    assert_eq!((poll(&mut write, &wakes).is_ready(), field.count()), (true, 0));
}

#[test]
fn a_store_that_is_overtaken_is_not_polled_any_more() {
    let (field, wakes, polls) = (Field::new(), Arc::default(), AtomicUsize::new(0));
    let leader = field.lead();
    assert!(leader.begin_store());
    let never = std::future::poll_fn(|_| {
        polls.fetch_add(1, Ordering::SeqCst);
        Poll::<()>::Pending
    });
    let mut store = Box::pin(unless_overtaken(&leader, &field.clock, never));
    let mut write = field.write();
    assert!(poll(&mut store, &wakes).is_pending() && poll(&mut write, &wakes).is_pending());
    field.manual.advance(LEASE);
    assert!(poll(&mut write, &wakes).is_ready());
    assert!(poll(&mut store, &wakes) == Poll::Ready(None) && polls.load(Ordering::SeqCst) == 1);
    assert!(leader.is_overtaken());
}

#[test]
fn no_store_is_overtaken_while_it_is_polled() {
    let (field, wakes, reader) = (Field::new(), Arc::default(), Arc::default());
    let leader = field.lead();
    assert!(leader.begin_store());
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &reader).is_pending());
    let mut write = field.write();
    assert!(poll(&mut write, &wakes).is_pending());
    let mut store = Box::pin(unless_overtaken(&leader, &field.clock, async {
        field.manual.advance(LEASE * 2);
        let of_another = std::thread::scope(|scope| scope.spawn(|| poll(&mut write, &wakes).is_pending()).join());
        assert!(of_another.unwrap(), "what this step does is done before the write, or not at all");
        assert!(poll(&mut waiting, &reader).is_pending());
        std::future::pending::<()>().await;
    }));
    let woken = wakes.count();
    assert!(poll(&mut store, &Arc::default()).is_pending());
    assert!(wakes.count() > woken, "the write has waited for a lease, and looks again");
    drop(store);
    assert!(poll(&mut write, &wakes).is_ready() && leader.is_overtaken());
    assert!(matches!(poll(&mut waiting, &reader), Poll::Ready(Outcome::StartOver)));
}

#[test]
fn a_write_in_the_midst_of_a_store_does_not_wait_for_it() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    assert!(leader.begin_store());
    let store = unless_overtaken(&leader, &field.clock, async { field.write().await });
    assert!(poll(&mut Box::pin(store), &wakes).is_ready() && leader.is_overtaken());
}

#[test]
fn a_leader_that_is_not_polled_is_overtaken() {
    let (field, wakes) = (Field::new(), Arc::default());
    let stuck = field.lead();
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &wakes).is_pending());
    field.manual.advance(Duration::from_secs(9));
    stuck.flight().set_polling(false, field.clock.now());
    field.manual.advance(Duration::from_secs(9));
    assert_eq!(wakes.count(), 0, "it was polled nine seconds ago");
    field.manual.advance(Duration::from_secs(1));
    assert!(matches!(poll(&mut waiting, &wakes), Poll::Ready(Outcome::StartOver)));
    let next = field.lead();
    assert!(!stuck.begin_store() && next.begin_store());
    stuck.land(|| Arc::new(1_u32));
    assert_eq!(field.count(), 1);
}

#[test]
fn one_who_does_not_take_the_lead_holds_up_no_refresh() {
    let (field, dozing, behind) = (Field::new(), Arc::default(), Arc::default());
    let leader = field.lead();
    let mut dozer = field.wait(Kind::Join);
    assert!(poll(&mut dozer, &dozing).is_pending());
    let mut refresh = field.wait(Kind::Next);
    assert!(poll(&mut refresh, &behind).is_pending());
    drop(leader);
    assert_eq!((dozing.count(), behind.count()), (1, 0), "the lead is the dozer's");
    field.manual.advance(Duration::from_secs(10));
    assert_eq!(behind.count(), 0, "the dozer has a lease to take it");
    field.manual.advance(Duration::from_secs(10));
    let Poll::Ready(Outcome::Lead(leader)) = poll(&mut refresh, &behind) else { panic!("it waits for the dozer") };
    assert!(matches!(poll(&mut dozer, &dozing), Poll::Ready(Outcome::StartOver)));
    assert!(leader.begin_store());
    leader.land(|| Arc::new(1_u32));
    assert_eq!(field.count(), 0);
}

#[test]
fn a_leader_at_work_is_never_overtaken() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    let mut waiting = field.wait(Kind::Join);
    leader.flight().set_polling(true, field.clock.now());
    for _ in 0..100 {
        field.manual.advance(Duration::from_secs(10));
        assert!(poll(&mut waiting, &wakes).is_pending());
    }
}

#[test]
fn calls_without_single_flight_are_alone_but_heed_writes() {
    let (field, wakes) = (Field::new(), Arc::default());
    let (Role::Lead(one), Role::Lead(two)) = (field.join(Kind::Alone), field.join(Kind::Alone)) else {
        panic!("each leads its own")
    };
    assert!(poll(&mut field.write(), &wakes).is_ready());
    assert!(!one.begin_store() && !two.begin_store());
    drop((one, two));
    assert_eq!(field.count(), 0);
}
