//! The flights' transitions, one by one; `tests/flights.rs` has them in all orders.

#[path = "tests/patience.rs"]
mod patience;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::client_id::ClientId;
use crate::clock::{Clock, ManualClock};
use crate::digest::Digest;
use crate::flight::active::Scope;
use crate::flight::store::unless_overtaken;
use crate::flight::{FlightKey, Flights, Kind, Landed, Leader, Movable, Outcome, Role};

const LEASE: Duration = Duration::from_secs(10);
/// What a computation that asks to be polled waits for its caller.
const GRACE: Duration = Duration::from_millis(20);

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

/// A computation that counts what it is told.
#[derive(Default)]
struct Told {
    moves: AtomicUsize,
    deserted: AtomicUsize,
}

impl Movable for Told {
    fn move_on(self: Arc<Self>) {
        self.moves.fetch_add(1, Ordering::SeqCst);
    }

    fn nobody_waits(self: Arc<Self>) {
        self.deserted.fetch_add(1, Ordering::SeqCst);
    }
}

impl Told {
    fn moves(&self) -> usize {
        self.moves.load(Ordering::SeqCst)
    }
}

fn poll<F: Future + Unpin>(future: &mut F, wakes: &Arc<Wakes>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(wakes));
    pin!(future).poll(&mut Context::from_waker(&waker))
}

/// Polls a leader's computation once, which asks to be polled again if `asks` says so.
fn step(leader: &Leader, asks: bool) {
    let wakes: Arc<Wakes> = Arc::default();
    let waker = Waker::from(wakes);
    let step = leader.flight().step(&Context::from_waker(&waker), |cx| {
        if asks {
            cx.waker().wake_by_ref();
        }
        Poll::<()>::Pending
    });
    assert!(step.is_pending());
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
        let key = (ClientId::next(), Digest::of_text("key"));
        Self { flights: Arc::default(), key, clock: manual.clone().into(), manual }
    }

    /// Another key of the same function.
    fn beside(&self) -> Self {
        let key = (self.key.0, Digest::of_text("another key"));
        Self { flights: Arc::clone(&self.flights), key, manual: self.manual.clone(), clock: self.clock.clone() }
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

    /// Leads by a thread, from now on.
    fn lead_by_thread(&self) -> Leader {
        let mut leader = self.lead();
        leader.began_at(self.clock.now());
        leader.computes_here();
        leader
    }

    /// Leads by a future in its caller's.
    fn lead_in_place(&self) -> Leader {
        let leader = self.lead();
        leader.flight().computes_by_future(leader.since(), None, None);
        leader
    }

    /// Leads by a computation that can move.
    fn lead_owned(&self) -> (Leader, Arc<Told>) {
        let (leader, told) = (self.lead(), Arc::<Told>::default());
        let weak: Weak<Told> = Arc::downgrade(&told);
        leader.flight().computes_by_future(leader.since(), None, Some(weak));
        (leader, told)
    }

    fn wait(&self, kind: Kind) -> impl Future<Output = Outcome> + Unpin + use<> {
        self.wait_for(kind, LEASE)
    }

    fn wait_for(&self, kind: Kind, lease: Duration) -> impl Future<Output = Outcome> + Unpin + use<> {
        match self.join(kind) {
            Role::Wait(waiter) => {
                self.flights.watch(&waiter, lease);
                waiter.wait()
            }
            Role::Lead(_) | Role::Recurse => panic!("expected to wait"),
        }
    }

    /// A write to the key, up to the point where it writes.
    fn write(&self) -> impl Future<Output = ()> + Unpin {
        Box::pin(self.flights.write(self.key).1.within(&self.clock, LEASE))
    }

    /// A clear, likewise.
    fn clear(&self) -> impl Future<Output = ()> + Unpin {
        Box::pin(self.flights.supersede_all(self.key.0).within(&self.clock, LEASE))
    }

    fn count(&self) -> usize {
        self.flights.summary().0
    }
}

fn computed(value: u32) -> Landed {
    Landed::Value(Arc::new(value), None)
}

fn value(outcome: Poll<Outcome>) -> u32 {
    match outcome {
        Poll::Ready(Outcome::Landed(landing)) => match landing.landed() {
            Some(Landed::Value(cargo, None)) => *cargo.downcast_ref().unwrap(),
            other => panic!("expected a value that was computed, not {other:?}"),
        },
        other => panic!("expected a landing, not {other:?}"),
    }
}

#[test]
fn those_who_wait_get_what_the_leader_brings() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &wakes).is_pending());
    leader.land(|| computed(7));
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
    leader.land(|| computed(8));
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
    running.land(|| computed(1));
    let Poll::Ready(Outcome::Lead(next)) = poll(&mut one, &wakes) else { panic!("the queued flight begins") };
    assert!(poll(&mut two, &wakes).is_pending());
    next.land(|| computed(2));
    assert_eq!((value(poll(&mut two, &wakes)), field.count()), (2, 0));
}

#[test]
fn a_queue_that_everybody_left_is_gone_with_the_flight_before_it() {
    let (field, wakes) = (Field::new(), Arc::default());
    let running = field.lead();
    let mut next = field.wait(Kind::Next);
    assert!(poll(&mut next, &wakes).is_pending());
    drop(next);
    running.land(|| computed(1));
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
    older.land(|| computed(1));
    newer.land(|| computed(2));
    assert_eq!((value(poll(&mut waiting, &wakes)), field.count()), (1, 0));
}

#[test]
fn an_explicit_write_waits_for_a_store_in_progress() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    assert!(leader.begin_store());
    let mut write = field.clear();
    assert!(poll(&mut write, &wakes).is_pending());
    leader.land(|| computed(1));
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
    leader.land(|| computed(1));
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
    let mut store = Box::pin(unless_overtaken(&leader, never));
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
    let mut store = Box::pin(unless_overtaken(&leader, async {
        field.manual.advance(LEASE * 2);
        let others = || (poll(&mut write, &wakes).is_pending(), poll(&mut waiting, &reader).is_pending());
        let of_others = std::thread::scope(|scope| scope.spawn(others).join());
        assert_eq!(of_others.unwrap(), (true, true), "what this step does is done before the write, or not at all");
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
    let store = unless_overtaken(&leader, async { field.write().await });
    assert!(poll(&mut Box::pin(store), &wakes).is_ready() && leader.is_overtaken());
}

#[test]
fn a_leader_that_is_not_polled_is_overtaken() {
    let (field, wakes) = (Field::new(), Arc::default());
    let stuck = field.lead();
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &wakes).is_pending());
    field.manual.advance(Duration::from_secs(9));
    stuck.flight().seen(field.clock.now());
    field.manual.advance(Duration::from_secs(9));
    assert_eq!(wakes.count(), 0, "it was polled nine seconds ago");
    field.manual.advance(Duration::from_secs(1));
    assert!(matches!(poll(&mut waiting, &wakes), Poll::Ready(Outcome::StartOver)));
    let next = field.lead();
    assert!(!stuck.begin_store() && next.begin_store());
    stuck.land(|| computed(1));
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
    leader.land(|| computed(1));
    assert_eq!(field.count(), 0);
}

#[test]
fn a_leader_at_work_is_never_overtaken() {
    let (field, wakes) = (Field::new(), Arc::<Wakes>::default());
    let leader = field.lead_in_place();
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &wakes).is_pending());
    let waker = Waker::noop();
    let step = leader.flight().step(&Context::from_waker(waker), |_| {
        for _ in 0..100 {
            field.manual.advance(LEASE);
        }
        Poll::<()>::Pending
    });
    assert!(step.is_pending() && wakes.count() == 0);
    assert!(poll(&mut waiting, &wakes).is_pending() && !leader.is_overtaken());
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

#[test]
fn those_who_wait_share_an_error() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    assert!(poll(&mut one, &wakes).is_pending() && poll(&mut two, &wakes).is_pending());
    leader.land(|| Landed::Error(Arc::new("no")));
    for waiting in [&mut one, &mut two] {
        let Poll::Ready(Outcome::Landed(landing)) = poll(waiting, &wakes) else { panic!("it has landed") };
        assert!(matches!(landing.landed(), Some(Landed::Error(error)) if error.is::<&str>()));
    }
    assert_eq!(field.count(), 0);
}

#[test]
fn all_who_wait_for_a_failure_compute_at_once() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    let mut refresh = field.wait(Kind::Next);
    for waiting in [&mut one, &mut two] {
        assert!(poll(waiting, &wakes).is_pending());
    }
    assert!(poll(&mut refresh, &wakes).is_pending());
    leader.fail();
    assert_eq!(wakes.count(), 3);
    for waiting in [&mut one, &mut two] {
        assert!(matches!(poll(waiting, &wakes), Poll::Ready(Outcome::Failed)));
    }
    let Poll::Ready(Outcome::Lead(next)) = poll(&mut refresh, &wakes) else {
        panic!("it failed before it was asked for")
    };
    drop(next);
    assert_eq!(field.count(), 0);
}

#[test]
fn a_write_waits_no_longer_for_a_store_that_failed() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    assert!(leader.begin_store());
    let mut write = field.write();
    assert!(poll(&mut write, &wakes).is_pending());
    leader.fail();
    assert_eq!((wakes.count(), poll(&mut write, &wakes).is_ready(), field.count()), (1, true, 0));
}

#[test]
fn a_computation_is_told_when_the_last_who_waited_has_left() {
    let field = Field::new();
    let (_leader, told) = field.lead_owned();
    let (one, two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    drop(one);
    assert_eq!(told.deserted.load(Ordering::SeqCst), 0);
    drop(two);
    assert_eq!(told.deserted.load(Ordering::SeqCst), 1);
}

#[test]
fn of_two_computations_that_wait_for_each_other_one_computes() {
    let (one, wakes) = (Field::new(), Arc::default());
    let two = one.beside();
    let (first, second) = (one.lead_in_place(), two.lead_in_place());
    let mut for_second = two.wait(Kind::Join);
    let mut for_first = one.wait(Kind::Join);
    let scope = Scope::enter(first.flight());
    assert!(poll(&mut for_second, &wakes).is_pending());
    drop(scope);
    let scope = Scope::enter(second.flight());
    assert!(matches!(poll(&mut for_first, &wakes), Poll::Ready(Outcome::Failed)));
    drop(scope);
    second.land(|| computed(2));
    assert_eq!(value(poll(&mut for_second, &wakes)), 2);
}

#[test]
fn a_computation_that_waits_for_its_own_key_in_another_task_is_a_circle() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead_in_place();
    let mut waiting = field.wait(Kind::Join);
    let scope = Scope::enter(leader.flight());
    assert!(matches!(field.join(Kind::Join), Role::Recurse));
    assert!(matches!(poll(&mut waiting, &wakes), Poll::Ready(Outcome::Failed)));
    drop(scope);
}

#[test]
fn a_wake_reaches_whoever_polled_last() {
    let (field, first, second) = (Field::new(), Arc::<Wakes>::default(), Arc::<Wakes>::default());
    let leader = field.lead_in_place();
    let mut inner = None;
    for wakes in [&first, &second] {
        let waker = Waker::from(Arc::clone(wakes));
        let mut polled: Pin<Box<dyn Future<Output = ()>>> = Box::pin(poll_fn(|cx| {
            inner = Some(cx.waker().clone());
            Poll::Pending
        }));
        assert!(leader.flight().step(&Context::from_waker(&waker), |cx| polled.as_mut().poll(cx)).is_pending());
    }
    inner.unwrap().wake();
    assert_eq!((first.count(), second.count()), (0, 1));
}

/// A waker of an executor that is gone.
struct Broken;

impl Wake for Broken {
    fn wake(self: Arc<Self>) {
        panic!("nobody is there any more");
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_being_woken() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    let broken = Waker::from(Arc::new(Broken));
    assert!(pin!(&mut one).poll(&mut Context::from_waker(&broken)).is_pending());
    assert!(poll(&mut two, &wakes).is_pending());
    leader.land(|| Landed::Value(Arc::new(7_u32), None));
    assert_eq!((wakes.count(), field.count()), (1, 0));
    assert_eq!(value(poll(&mut two, &wakes)), 7);
}
