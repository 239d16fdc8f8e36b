//! A cached function on one key, as the code of `#[cached]` uses the engine, and all that may happen to it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::future::{block_on, yield_now};
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;

use crate::acts::{Act, Time};
use crate::engine::runtime::wait;
use crate::function::{At, Looked, no_behind, no_echo};
use crate::history::History;
use crate::owned::{self, Way};
use crate::pool::drained;
use crate::processes::DELAY;
use crate::promises::{Promised, What};
use crate::site::{Description, Fallible, Sharing, Site};
use crate::sync::lock;
use crate::{Cache, CacheExt, CallPolicy, Client, Key, ManualClock};

pub(crate) const KEY: u64 = 7;
/// So long that it does not end where time passes by graces.
pub(crate) const LEASE: Duration = Duration::from_secs(1_000_000);
/// As long as a computation waits for its caller, while others wait for it.
const GRACE: Duration = Duration::from_millis(20);
const TTL: Duration = Duration::from_secs(1_000_000_000);
/// About as many times as a call that computes gives way.
const LATEST: u32 = 60;
/// Steps of a computation that lets another process clear, and this one hear of it.
const LONG_COMPUTATION: u32 = LATEST;
/// Looks in a row.
const PEEKS: u32 = 5;
/// More steps than an operation has.
const STEPS: u32 = 9;

pub(crate) const POLICY: CallPolicy = CallPolicy::new(TTL).no_spread().lease(LEASE);

shuttle::lazy_static! {
    pub(crate) static ref SITE: Site =
        Site::new(Description::new("function", "schedules", std::any::type_name::<Act>, "fn(u64)->u64", 0));
}

/// What a user's function panics with. It does so without the hook, which would print each schedule.
struct Boom;

/// The error of a user's function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure;

pub(crate) type Returned = Result<u64, Failure>;
pub(crate) type Maps = Fallible<Returned>;
pub(crate) type Step<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// How a computation ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ends {
    Value,
    Error,
    Panic,
}

/// Opens when all have gone home who were not to wait.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn wait(&self) {
        drop(self.1.wait_while(lock(&self.0), |is_open| !*is_open));
    }

    fn open(&self) {
        *lock(&self.0) = true;
        self.1.notify_all();
    }
}

/// The function, with its client.
pub(crate) struct Function<C> {
    pub(crate) client: Arc<C>,
    /// The one that another process has, if there is one.
    elsewhere: Option<C>,
    /// Whether those who wait can have its errors.
    shares: bool,
    clock: ManualClock,
    /// Whether what a write has changed is changed for all when it returns.
    at_once: bool,
    history: History,
    /// How many computations run, how many did at most, and how many began.
    running: AtomicU64,
    most: AtomicU64,
    begun: AtomicU64,
    stalled: Mutex<Vec<Step<()>>>,
    gate: Gate,
    is_over: shuttle::sync::atomic::AtomicBool,
}

/// A computation, up to its end or its being dropped.
struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<C: Client<u64> + 'static> Function<C> {
    pub(crate) fn new(client: C, clock: ManualClock) -> Arc<Self> {
        Arc::new(Self::made(client, None, clock, true))
    }

    /// Makes one whose client may show the value before a write as long as anything runs that overlapped with it.
    pub(crate) fn tiered(client: C, clock: ManualClock) -> Arc<Self> {
        Arc::new(Self::made(client, None, clock, false))
    }

    /// Makes one that another process has as well, which clears it either meanwhile, or only before all else.
    pub(crate) fn beside(client: C, elsewhere: C, clock: ManualClock, only_before: bool) -> Arc<Self> {
        Arc::new(Self::made(client, Some(elsewhere), clock, only_before))
    }

    fn made(client: C, elsewhere: Option<C>, clock: ManualClock, at_once: bool) -> Self {
        Self {
            client: Arc::new(client),
            elsewhere,
            shares: thread_rng().gen_ratio(1, 2),
            clock,
            at_once,
            history: History::default(),
            running: AtomicU64::new(0),
            most: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            stalled: Mutex::default(),
            gate: Gate::default(),
            is_over: false.into(),
        }
    }

    pub(crate) fn maps(&self) -> Maps {
        Fallible::new(if self.shares { Sharing::by(|error| *error) } else { Sharing::none() })
    }

    fn at(&self) -> At<'_, &C, Maps> {
        self.through(&self.client)
    }

    fn at_elsewhere(&self) -> At<'_, &C, Maps> {
        self.through(self.elsewhere.as_ref().expect("invariant: there is another process where it acts"))
    }

    fn through<'a>(&'a self, client: &'a C) -> At<'a, &'a C, Maps> {
        At::new(&SITE, &[], client, self.maps(), &POLICY)
    }

    fn begin(&self) -> (u64, Running<'_>) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
        (self.history.stamp(), Running(&self.running))
    }

    /// Says how many steps a computation has. Where another process clears meanwhile, it takes long enough for that, and for
    /// this process to hear of it.
    fn steps_of_computation(&self) -> u32 {
        if self.elsewhere.is_some() { thread_rng().gen_range(1..=LONG_COMPUTATION) } else { 1 }
    }

    /// What the user wrote as a plain function, which does something in the midst.
    fn compute(&self, ends: Ends, midst: impl FnOnce()) -> Returned {
        let (value, _running) = self.begin();
        (0..self.steps_of_computation()).for_each(|_| thread::yield_now());
        midst();
        end(value, ends)
    }

    /// What the user wrote as an asynchronous one.
    pub(crate) async fn compute_async(&self, ends: Ends) -> Returned {
        let (value, _running) = self.begin();
        for _ in 0..self.steps_of_computation() {
            yield_now().await;
        }
        end(value, ends)
    }

    fn call(&self, ends: Ends) -> Returned {
        self.call_at(self.at(), ends, || ())
    }

    fn call_at(&self, at: At<'_, &C, Maps>, ends: Ends, midst: impl FnOnce()) -> Returned {
        match at.look(&KEY) {
            Looked::Hit(value) => value,
            Looked::Slow(slow) => at.finish_now(slow, (), |()| self.compute(ends, midst), no_behind(), no_echo::<()>()),
        }
    }

    /// Computes in its caller's future.
    async fn call_in_place(&self, ends: Ends) -> Returned {
        let at = self.at();
        match at.look(&KEY) {
            Looked::Hit(value) => value,
            Looked::Slow(slow) => {
                at.finish(slow, (), |()| self.compute_async(ends), no_behind(), no_echo::<()>()).await
            }
        }
    }

    async fn refresh_in_place(&self) -> Returned {
        let at = self.at();
        at.refresh(at.prepare(&KEY), (), |()| self.compute_async(Ends::Value), no_echo::<()>()).await
    }

    fn refresh_now(&self) -> Returned {
        let at = self.at();
        at.refresh_now(at.prepare(&KEY), (), |()| self.compute(Ends::Value, || ()), no_echo::<()>())
    }

    /// Notes what came of a call; only a value says something.
    fn read(&self, call: impl FnOnce() -> Returned) {
        let start = self.history.stamp();
        if let Ok(value) = call() {
            self.history.returned(What::Read(value), start);
        }
    }

    async fn read_async(&self, call: impl Future<Output = Returned>, what: fn(u64) -> What) {
        let start = self.history.stamp();
        if let Ok(value) = call.await {
            self.history.returned(what(value), start);
        }
    }

    /// Writes by a companion, or directly to the client.
    async fn write(&self, act: Act, value: u64) {
        let at = self.at();
        if thread_rng().gen_ratio(1, 2) {
            return self.write_directly(act, at.callkey(&KEY).expect("invariant: a key of a word"), value).await;
        }
        let key = at.prepare(&KEY);
        match act {
            Act::Put => at.put(key, value).await,
            Act::Invalidate => at.invalidate(key).await,
            Act::Expire => at.expire(key).await,
            _ => at.clear().await,
        }
        .expect("invariant: this client never fails");
    }

    async fn write_directly(&self, act: Act, key: Key, value: u64) {
        let client = &*self.client;
        match act {
            Act::Put => client.put(&key, value, POLICY.ttl()).await,
            Act::Invalidate => client.delete(&key).await.map(drop),
            Act::Expire => client.expire(&key).await.map(drop),
            _ => client.clear().await,
        }
        .expect("invariant: this client never fails");
    }

    /// Whether the value of a write may be read.
    fn written(act: Act, value: u64) -> Option<u64> {
        (act == Act::Put).then_some(value)
    }

    fn act(self: &Arc<Self>, act: Act) {
        match act {
            Act::Call => self.read(|| self.call(Ends::Value)),
            Act::Await => block_on(self.read_async(self.call_in_place(Ends::Value), What::Read)),
            Act::Own => block_on(self.owned(Way::by_chance(), false)),
            Act::Put | Act::Invalidate | Act::Expire | Act::Clear => {
                let start = self.history.stamp();
                wait(self.write(act, start));
                self.history.returned(What::Write(Self::written(act, start)), start);
            }
            Act::Peek => (0..PEEKS).for_each(|_| _ = self.peek()),
            Act::ClearElsewhere => self.clear_elsewhere(),
            Act::CallElsewhere => self.read(|| self.call_at(self.at_elsewhere(), Ends::Value, || ())),
            Act::Refresh => self.refresh(),
            Act::Drop => drop(steps(self.in_place_by_chance())),
            Act::OwnDrop => drop(steps(self.owned_by_chance(Way::by_chance()))),
            Act::OwnLeave => drop(steps(self.owned_by_chance(Way::Undetached))),
            Act::DropWrite => self.drop_write(),
            Act::Panic => self.panic(),
            Act::Fail => self.fail(),
            Act::Stall => self.stall(self.in_place_by_chance()),
            Act::OwnStall => self.stall_leader(),
            Act::Block => self.read(|| self.call_at(self.at(), Ends::Value, || self.gate.wait())),
        }
    }

    fn refresh(self: &Arc<Self>) {
        match thread_rng().gen_range(0..3) {
            0 => {
                let start = self.history.stamp();
                if let Ok(value) = self.refresh_now() {
                    self.history.returned(What::Refresh(value), start);
                }
            }
            1 => wait(self.read_async(self.refresh_in_place(), What::Refresh)),
            _ => wait(self.owned(Way::Described, true)),
        }
    }

    /// A call or refresh whose computation is its own.
    fn owned(self: &Arc<Self>, way: Way, refreshes: bool) -> Step<()> {
        let this = Arc::clone(self);
        if refreshes {
            Box::pin(async move { this.read_async(owned::refresh(&this, way), What::Refresh).await })
        } else {
            self.owned_call(way, Arc::default())
        }
    }

    fn owned_call(self: &Arc<Self>, way: Way, has_begun: Arc<AtomicBool>) -> Step<()> {
        let this = Arc::clone(self);
        Box::pin(async move {
            this.read_async(owned::call(&this, Ends::Value, way, has_begun), What::Read).await;
        })
    }

    fn owned_by_chance(self: &Arc<Self>, way: Way) -> Step<()> {
        self.owned(way, way != Way::ByJob && thread_rng().gen_ratio(1, 3))
    }

    fn in_place_by_chance(self: &Arc<Self>) -> Step<()> {
        let (this, refreshes) = (Arc::clone(self), thread_rng().gen_ratio(1, 3));
        Box::pin(async move {
            if refreshes {
                this.read_async(this.refresh_in_place(), What::Refresh).await;
            } else {
                this.read_async(this.call_in_place(Ends::Value), What::Read).await;
            }
        })
    }

    fn stall(&self, call: Step<()>) {
        let rest = steps(call);
        lock(&self.stalled).extend(rest);
    }

    /// Does the same with a call that leads: one who waits and is not polled may hold up others for a lease.
    fn stall_leader(self: &Arc<Self>) {
        let has_begun = Arc::<AtomicBool>::default();
        let rest = steps(self.owned_call(Way::by_chance(), Arc::clone(&has_begun)));
        if has_begun.load(Ordering::SeqCst) {
            lock(&self.stalled).extend(rest);
        }
    }

    fn drop_write(self: &Arc<Self>) {
        let act = [Act::Put, Act::Invalidate, Act::Expire, Act::Clear][thread_rng().gen_range(0..4)];
        let (this, start) = (Arc::clone(self), self.history.stamp());
        drop(steps(Box::pin(async move { this.write(act, start).await })));
        self.history.dropped(Self::written(act, start), start);
    }

    /// Returns whether anything is held.
    fn peek(&self) -> bool {
        let (at, start) = (self.at(), self.history.stamp());
        let held = block_on(at.peek(at.prepare(&KEY)));
        if let Some(value) = held {
            self.history.returned(What::Read(value), start);
        }
        held.is_some()
    }

    fn clear_elsewhere(&self) {
        let start = self.history.stamp();
        wait(self.at_elsewhere().clear()).expect("invariant: this client never fails");
        self.history.returned(What::Write(None), start);
    }

    /// Has the other process clear, and time go by until that must be noticed. This process has never used the function, or
    /// holds a value of it.
    pub(crate) fn clear_before(&self) {
        if thread_rng().gen_ratio(1, 2) {
            self.read(|| self.call(Ends::Value));
        }
        self.clear_elsewhere();
        self.clock.advance(DELAY);
        self.most.store(0, Ordering::SeqCst);
        self.begun.store(0, Ordering::SeqCst);
    }

    /// Whoever calls a function that panics gets the panic, or what another has computed.
    fn panic(self: &Arc<Self>) {
        let start = self.history.stamp();
        match catch_unwind(AssertUnwindSafe(|| self.call_by_chance(Ends::Panic))) {
            Ok(returned) => self.note(returned, start),
            Err(panic) if panic.is::<Boom>() => {}
            Err(panic) => resume_unwind(panic),
        }
    }

    fn fail(self: &Arc<Self>) {
        let start = self.history.stamp();
        let returned = self.call_by_chance(Ends::Error);
        self.note(returned, start);
    }

    /// Calls one way or another; a call may be dropped at any step.
    fn call_by_chance(self: &Arc<Self>, ends: Ends) -> Returned {
        let this = Arc::clone(self);
        let owned = async move { owned::call(&this, ends, Way::by_chance(), Arc::default()).await };
        match thread_rng().gen_range(0..4) {
            0 => self.call(ends),
            1 => block_on(self.call_in_place(ends)),
            2 => block_on(owned),
            _ => {
                drop(steps(Box::pin(async move { _ = owned.await })));
                Err(Failure)
            }
        }
    }

    fn note(&self, returned: Returned, start: u64) {
        if let Ok(value) = returned {
            self.history.returned(What::Read(value), start);
        }
    }

    /// Lets time go by, until all is over.
    fn let_time_go_by(&self, time: Time) {
        while !self.is_over.load(Ordering::SeqCst) {
            // Seldom, so that an alarm is mostly set before its time has come.
            if thread_rng().gen_ratio(1, 8) {
                let is_lease = time == Time::Runs && thread_rng().gen_ratio(2, 3);
                self.clock.advance(if is_lease { LEASE } else { GRACE });
            }
            thread::yield_now();
        }
    }

    /// Polls on, or drops, what was not polled for so long.
    fn resume(&self) {
        let stalled = std::mem::take(&mut *lock(&self.stalled));
        for stalled in stalled {
            if thread_rng().gen_ratio(1, 2) {
                block_on(stalled);
            }
        }
    }

    /// What must hold when everybody has gone home.
    fn check(&self, acts: &[Act], time: Time) {
        assert_eq!(SITE.instance(&[]).flights.summary().0, 0, "no flight is left");
        assert_eq!(self.running.load(Ordering::SeqCst), 0, "no computation is left");
        // By now, whoever shares the store has heard of all clears.
        self.clock.advance(DELAY);
        let quiet = self.history.stamp();
        let is_held = self.peek();
        let any = |is: fn(Act) -> bool| acts.iter().any(|act| is(*act));
        let is_calm = time != Time::Runs && !any(Act::writes);
        if is_calm && any(Act::brings) && !(self.shares && acts.contains(&Act::Fail)) {
            assert!(is_held, "what was computed is held");
        }
        if is_calm {
            self.check_counts(acts);
        }
        self.read(|| self.call(Ends::Value));
        let is_monotone = is_calm && !self.leaves_alone(acts);
        self.history.check(quiet, Promised { always: self.at_once && time != Time::Runs, monotone: is_monotone });
    }

    /// Whether those who wait may be left alone, each with a computation of its own.
    fn leaves_alone(&self, acts: &[Act]) -> bool {
        acts.contains(&Act::Panic) || (!self.shares && acts.contains(&Act::Fail))
    }

    /// Checks how much was computed, where nothing interfered.
    fn check_counts(&self, acts: &[Act]) {
        let more: u64 = acts.iter().map(|act| act.most_computations()).sum();
        let mut most_begun = 1 + more;
        if self.leaves_alone(acts) {
            most_begun = acts.len() as u64 + more;
        } else {
            assert!(self.most.load(Ordering::SeqCst) <= 1, "two computed at the same time");
        }
        assert!(self.begun.load(Ordering::SeqCst) <= most_begun, "more was computed than had to be");
    }
}

fn end(value: u64, ends: Ends) -> Returned {
    match ends {
        Ends::Value => Ok(value),
        Ends::Error => Err(Failure),
        Ends::Panic => resume_unwind(Box::new(Boom)),
    }
}

/// Comes at any step of the others: a write is short, and would be over before anybody stores.
fn come_late() {
    if thread_rng().gen_ratio(2, 3) {
        (0..thread_rng().gen_range(0..=LATEST)).for_each(|_| thread::yield_now());
    }
}

/// Takes up to so many steps; returns the future unless it has ended.
fn steps<T>(mut future: Step<T>) -> Option<Step<T>> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..thread_rng().gen_range(1..=STEPS) {
        if future.as_mut().poll(&mut context).is_ready() {
            return None;
        }
        thread::yield_now();
    }
    Some(future)
}

/// Does all of these at the same time.
pub(crate) fn play<C: Client<u64> + 'static>(function: &Arc<Function<C>>, acts: &[Act], time: Time) {
    owned::play(Some(function));
    let spawn = |act| {
        let function = Arc::clone(function);
        let run = move || {
            come_late();
            function.act(act);
        };
        (act == Act::Block, thread::spawn(run))
    };
    let threads: Vec<_> = acts.iter().copied().map(spawn).collect();
    let timed = Arc::clone(function);
    let clock = (time != Time::StandsStill).then(|| thread::spawn(move || timed.let_time_go_by(time)));
    let (blocked, free): (Vec<_>, Vec<_>) = threads.into_iter().partition(|(is_blocked, _)| *is_blocked);
    let joined = |(_, thread): (bool, thread::JoinHandle<()>)| {
        thread.join().expect("invariant: what panics fails the schedule");
    };
    free.into_iter().for_each(joined);
    function.gate.open();
    blocked.into_iter().for_each(joined);
    function.resume();
    drained();
    function.is_over.store(true, Ordering::SeqCst);
    if let Some(clock) = clock {
        clock.join().expect("invariant: what panics fails the schedule");
    }
    // An alarm may have moved a computation at the last moment.
    drained();
    function.check(acts, time);
    owned::play::<C>(None);
    // Alarms that nobody waits for any more hold the clock that holds them.
    function.clock.advance(TTL * 4);
}
