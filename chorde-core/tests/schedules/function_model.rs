//! A cached function on one key, as the code of `#[cached]` would use the engine, and all that may happen to it.

use std::any::Any;
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::future::{block_on, yield_now};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::engine::runtime::wait;
use crate::function::{At, Looked, no_behind, no_echo};
use crate::history::History;
use crate::processes::DELAY;
use crate::promises::{Promised, What};
use crate::site::{Description, Plain, Site};
use crate::sync::lock;
use crate::{CallPolicy, Client, ManualClock};

const KEY: u64 = 7;
const LEASE: Duration = Duration::from_nanos(10);
const TTL: Duration = Duration::from_secs(3600);
/// About as many times as a call that computes gives way.
const LATEST: u32 = 60;
/// Steps of a computation that lets another process clear, and this one hear of it.
const LONG_COMPUTATION: u32 = LATEST;
/// Looks in a row.
const PEEKS: u32 = 5;
/// More steps than an operation has.
const STEPS: u32 = 9;

shuttle::lazy_static! {
    static ref SITE: Site =
        Site::new(Description::new("function", "schedules", std::any::type_name::<Act>, "fn(u64)->u64", 0));
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    /// A call of a plain function.
    Call,
    /// A call of an asynchronous function.
    Await,
    Put,
    Invalidate,
    Expire,
    Clear,
    Refresh,
    /// A call or refresh that is dropped at any of its steps.
    Drop,
    /// An explicit write that is dropped at any of its steps.
    DropWrite,
    /// A call whose function panics.
    Panic,
    /// A call or refresh that is not polled any more after any of its steps, until all others are done.
    Stall,
    /// Looks that ask the client whatever goes on, so that it hears of clears meanwhile.
    Peek,
    /// A clear, and a call, by another process.
    ClearElsewhere,
    CallElsewhere,
}

impl Act {
    /// All that may happen in one process, but for a look.
    pub(crate) const ALL: [Self; 11] = [
        Self::Call,
        Self::Await,
        Self::Put,
        Self::Invalidate,
        Self::Expire,
        Self::Clear,
        Self::Refresh,
        Self::Drop,
        Self::DropWrite,
        Self::Panic,
        Self::Stall,
    ];

    /// Whether it writes explicitly.
    pub(crate) fn writes(self) -> bool {
        let elsewhere = matches!(self, Self::ClearElsewhere);
        elsewhere || matches!(self, Self::Put | Self::Invalidate | Self::Expire | Self::Clear | Self::DropWrite)
    }

    /// How many computations there may be on its account, beside the one for all who call.
    fn most_computations(self) -> u64 {
        match self {
            Self::Call | Self::Await | Self::Peek => 0,
            // A refresh that is dropped has computed, and whoever takes its turn computes.
            Self::Drop => 2,
            _ => 1,
        }
    }

    /// Whether others wait for it for ever, unless time runs.
    pub(crate) fn stalls(self) -> bool {
        self == Self::Stall
    }
}

/// What a user's function panics with. It does so without the hook, which would print each schedule.
struct Boom;

type Step<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The function, with its client.
pub(crate) struct Function<C> {
    client: C,
    /// The one that another process has, if there is one.
    elsewhere: Option<C>,
    policy: CallPolicy,
    clock: ManualClock,
    /// Whether what a write has changed is changed for all when it returns.
    at_once: bool,
    history: History,
    /// How many computations run, how many did at most, and how many began.
    running: AtomicU64,
    most: AtomicU64,
    begun: AtomicU64,
    stalled: shuttle::sync::Mutex<Vec<Step<()>>>,
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
            client,
            elsewhere,
            policy: CallPolicy::new(TTL).no_spread().lease(LEASE),
            clock,
            at_once,
            history: History::default(),
            running: AtomicU64::new(0),
            most: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            stalled: shuttle::sync::Mutex::default(),
            is_over: false.into(),
        }
    }

    fn at(&self) -> At<'_, &C, Plain<u64>> {
        self.through(&self.client)
    }

    fn at_elsewhere(&self) -> At<'_, &C, Plain<u64>> {
        self.through(self.elsewhere.as_ref().expect("invariant: there is another process where it acts"))
    }

    fn through<'a>(&'a self, client: &'a C) -> At<'a, &'a C, Plain<u64>> {
        At::new(&SITE, &[], client, Plain::new(), &self.policy)
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

    /// What the user wrote as a plain function.
    fn compute(&self, panics: bool) -> u64 {
        let (value, _running) = self.begin();
        (0..self.steps_of_computation()).for_each(|_| thread::yield_now());
        if panics { resume_unwind(Box::new(Boom)) } else { value }
    }

    /// What the user wrote as an asynchronous one.
    async fn compute_async(&self, panics: bool) -> u64 {
        let (value, _running) = self.begin();
        for _ in 0..self.steps_of_computation() {
            yield_now().await;
        }
        if panics { resume_unwind(Box::new(Boom)) } else { value }
    }

    fn call(&self, panics: bool) -> u64 {
        self.call_at(self.at(), panics)
    }

    fn call_at(&self, at: At<'_, &C, Plain<u64>>, panics: bool) -> u64 {
        match at.look(&KEY) {
            Looked::Hit(value) => value,
            Looked::Slow(slow) => {
                wait(at.finish(slow, (), |()| ready(self.compute(panics)), no_behind(), no_echo::<()>()))
            }
        }
    }

    async fn call_async(&self, panics: bool) -> u64 {
        let at = self.at();
        match at.look(&KEY) {
            Looked::Hit(value) => value,
            Looked::Slow(slow) => {
                at.finish(slow, (), |()| self.compute_async(panics), no_behind(), no_echo::<()>()).await
            }
        }
    }

    async fn refresh(&self) -> u64 {
        let at = self.at();
        at.refresh(at.prepare(&KEY), (), |()| self.compute_async(false), no_echo::<()>()).await
    }

    fn read(&self, call: impl FnOnce() -> u64) {
        let start = self.history.stamp();
        let value = call();
        self.history.returned(What::Read(value), start);
    }

    async fn write(&self, act: Act, value: u64) {
        let at = self.at();
        let key = at.prepare(&KEY);
        match act {
            Act::Put => at.put(key, value).await,
            Act::Invalidate => at.invalidate(key).await,
            Act::Expire => at.expire(key).await,
            _ => at.clear().await,
        }
        .expect("invariant: this client never fails");
    }

    /// Whether the value of a write may be read.
    fn written(act: Act, value: u64) -> Option<u64> {
        (act == Act::Put).then_some(value)
    }

    fn act(self: &Arc<Self>, act: Act) {
        match act {
            Act::Call => self.read(|| self.call(false)),
            Act::Await => self.read(|| block_on(self.call_async(false))),
            Act::Put | Act::Invalidate | Act::Expire | Act::Clear => {
                let start = self.history.stamp();
                wait(self.write(act, start));
                self.history.returned(What::Write(Self::written(act, start)), start);
            }
            Act::Peek => (0..PEEKS).for_each(|_| _ = self.peek()),
            Act::ClearElsewhere => self.clear_elsewhere(),
            Act::CallElsewhere => self.read(|| self.call_at(self.at_elsewhere(), false)),
            Act::Refresh => wait(self.read_or_refresh(true)),
            Act::Drop => drop(steps(self.begun_by_chance())),
            Act::DropWrite => self.drop_write(),
            Act::Panic => self.panic(),
            Act::Stall => {
                let rest = steps(self.begun_by_chance());
                lock(&self.stalled).extend(rest);
            }
        }
    }

    async fn read_or_refresh(&self, refreshes: bool) {
        let start = self.history.stamp();
        let what =
            if refreshes { What::Refresh(self.refresh().await) } else { What::Read(self.call_async(false).await) };
        self.history.returned(what, start);
    }

    fn begun_by_chance(self: &Arc<Self>) -> Step<()> {
        let (this, refreshes) = (Arc::clone(self), thread_rng().gen_ratio(1, 3));
        Box::pin(async move { this.read_or_refresh(refreshes).await })
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
            self.read(|| self.call(false));
        }
        self.clear_elsewhere();
        self.clock.advance(DELAY);
        self.most.store(0, Ordering::SeqCst);
        self.begun.store(0, Ordering::SeqCst);
    }

    /// Whoever calls a function that panics gets the panic, or what another has computed.
    fn panic(&self) {
        let start = self.history.stamp();
        let is_async = thread_rng().gen_ratio(1, 2);
        let call = || if is_async { block_on(self.call_async(true)) } else { self.call(true) };
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(value) => self.history.returned(What::Read(value), start),
            Err(panic) if panic.is::<Boom>() => {}
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Lets time run, a lease at a time, until all is over.
    fn run_time(&self) {
        while !self.is_over.load(Ordering::SeqCst) {
            self.clock.advance(LEASE);
            thread::yield_now();
        }
    }

    /// Polls on, or drops, what was not polled for so long.
    fn resume(&self) {
        for stalled in std::mem::take(&mut *lock(&self.stalled)) {
            if thread_rng().gen_ratio(1, 2) {
                block_on(stalled);
            }
        }
    }

    /// What must hold when everybody has gone home.
    fn check(&self, acts: &[Act], time_runs: bool) {
        assert_eq!(SITE.instance(&[]).flights.summary().0, 0, "no flight is left");
        // By now, whoever shares the store has heard of all clears.
        self.clock.advance(DELAY);
        let quiet = self.history.stamp();
        let is_held = self.peek();
        let writes = acts.iter().any(|act| act.writes());
        let is_calm = !time_runs && !writes;
        if is_calm && acts.iter().any(|act| matches!(act, Act::Call | Act::Await | Act::Refresh)) {
            assert!(is_held, "what was computed is held");
        }
        if is_calm {
            assert!(self.most.load(Ordering::SeqCst) <= 1, "two computed at the same time");
            let more: u64 = acts.iter().map(|act| act.most_computations()).sum();
            assert!(self.begun.load(Ordering::SeqCst) <= 1 + more, "more was computed than had to be");
        }
        self.read(|| self.call(false));
        self.history.check(quiet, Promised { always: self.at_once && !time_runs, monotone: is_calm });
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
pub(crate) fn play<C: Client<u64> + 'static>(function: &Arc<Function<C>>, acts: &[Act], time_runs: bool) {
    let spawn = |act| {
        let function = Arc::clone(function);
        thread::spawn(move || {
            come_late();
            function.act(act);
        })
    };
    let threads: Vec<_> = acts.iter().copied().map(spawn).collect();
    let timed = Arc::clone(function);
    let time = time_runs.then(|| thread::spawn(move || timed.run_time()));
    for thread in threads {
        thread.join().expect("invariant: what panics fails the schedule");
    }
    function.resume();
    function.is_over.store(true, Ordering::SeqCst);
    if let Some(time) = time {
        time.join().expect("invariant: what panics fails the schedule");
    }
    function.check(acts, time_runs);
    // Alarms that nobody waits for any more hold the clock that holds them.
    function.clock.advance(TTL * 24);
}
