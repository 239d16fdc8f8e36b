//! The flights under random schedules: compiled once more against the primitives of the model checker shuttle, which runs
//! every pair of things that can happen to one key in thousands of random interleavings. In half of them, time runs: an
//! alarm may ring at any moment after it was set, so that every lease is too short for somebody.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    missing_docs,
    reason = "modules of the crate, seen from a smaller one"
)]

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use shuttle::future::{block_on, yield_now};
use shuttle::rand::Rng;
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

#[macro_use]
#[path = "schedules/local.rs"]
mod local;

mod client {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ClientId(pub u64);
}

mod clock {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use shuttle::sync::{Condvar, Mutex};
    use shuttle::thread;

    type Ring = Box<dyn FnOnce() + Send>;

    #[derive(Default)]
    struct Time {
        now: u64,
        alarms: Vec<(u64, Ring)>,
        is_over: bool,
    }

    /// A clock that jumps to the next alarm, while somebody runs it.
    #[derive(Clone)]
    pub struct Clock(Arc<(Mutex<Time>, Condvar)>);

    impl Clock {
        pub fn new() -> Self {
            Self(Arc::new((Mutex::default(), Condvar::new())))
        }

        pub fn now(&self) -> u64 {
            self.0.0.lock().unwrap().now
        }

        pub fn alarm(&self, at: u64, ring: Ring) {
            self.0.0.lock().unwrap().alarms.push((at, ring));
            self.0.1.notify_all();
        }

        /// Lets time run until it is [`stop`](Self::stop)ped.
        pub fn run(&self) {
            let (time, changed) = &*self.0;
            let mut now = time.lock().unwrap();
            while !now.is_over {
                let Some(at) = now.alarms.iter().map(|(at, _)| *at).min() else {
                    now = changed.wait(now).unwrap();
                    continue;
                };
                now.now = at.max(now.now);
                let due = now.now;
                let alarms = std::mem::take(&mut now.alarms);
                let (ringing, later): (Vec<_>, Vec<_>) = alarms.into_iter().partition(|(at, _)| *at <= due);
                now.alarms = later;
                drop(now);
                ringing.into_iter().for_each(|(_, ring)| ring());
                thread::yield_now();
                now = time.lock().unwrap();
            }
        }

        pub fn stop(&self) {
            self.0.0.lock().unwrap().is_over = true;
            self.0.1.notify_all();
        }

        pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
            let (clock, until) = (self.clone(), self.now() + nanos(duration));
            let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
            let rung = Arc::clone(&waker);
            let ring = move || rung.lock().unwrap().take().into_iter().for_each(Waker::wake);
            self.alarm(until, Box::new(ring));
            std::future::poll_fn(move |cx: &mut Context<'_>| {
                *waker.lock().unwrap() = Some(cx.waker().clone());
                if clock.now() >= until { Poll::Ready(()) } else { Poll::Pending }
            })
        }
    }

    pub fn nanos(duration: Duration) -> u64 {
        duration.as_nanos() as u64
    }
}

mod digest {
    pub use std::hash::DefaultHasher as DigestHasher;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Digest(pub u64);

    impl Digest {
        pub fn low(self) -> u64 {
            self.0
        }
    }
}

mod sync {
    pub use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub use shuttle::sync::{Mutex, MutexGuard};

    pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The checker has none: set is what its own flag says, and between the two others may come.
    pub struct OnceLock<T> {
        is_set: AtomicBool,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub fn new() -> Self {
            Self { is_set: AtomicBool::new(false), value: std::sync::OnceLock::new() }
        }

        pub fn get(&self) -> Option<&T> {
            if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        pub fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            self.is_set.store(true, Ordering::Release);
            Ok(())
        }
    }
}

#[path = "../src/flight/mod.rs"]
mod flight;

use clock::Clock;
use flight::store::unless_overtaken;
use flight::{Flights, Kind, Leader, Outcome, Role};

const KEY: flight::FlightKey = (client::ClientId(1), digest::Digest(1));
const LEASE: Duration = Duration::from_nanos(10);
/// Schedules for each set of acts and each scheduler; more with the environment variable `CHORDE_SCHEDULES`.
const ITERATIONS: usize = 100;
/// How many times the scheduler by priorities changes its mind: bugs that need no more are found with a known probability.
const DEPTH: usize = 3;

/// What is stored: by whom it was begun, told by a stamp that grows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stored {
    Nothing,
    Computed { begun: u64 },
    Written { begun: u64 },
}

type Waiting = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One key of one client, and all that happens to it.
struct World {
    flights: Arc<Flights>,
    clock: Clock,
    store: Mutex<Stored>,
    stamp: AtomicU64,
    /// When the latest write that is complete had begun.
    latest_write: Mutex<u64>,
    /// When the latest computation that was stored in time had begun.
    latest_stored: Mutex<u64>,
    /// Leaders, and those who wait, that are alive and not polled until all others have gone home.
    stalled: Mutex<Vec<Computed>>,
    dozing: Mutex<Vec<Waiting>>,
    /// Whether nothing happens that keeps those who wait from a value of the flight that they joined.
    is_calm: bool,
}

/// A computation at its end.
struct Computed {
    leader: Leader,
    begun: u64,
    /// Whether it has asked to store, and may.
    is_storing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Call,
    Refresh,
    Alone,
    /// A call that is dropped before it has computed.
    Abort,
    /// A call that is dropped while it stores.
    AbortStore,
    /// A refresh that has computed and is not polled any more.
    Stall,
    /// A call that is not polled any more while it stores.
    StallStore,
    Put,
    Clear,
    /// One who waits and loses patience.
    Leave,
    /// One who waits and is not polled any more.
    Doze,
}

const ACTS: [Act; 11] = [
    Act::Call,
    Act::Refresh,
    Act::Alone,
    Act::Abort,
    Act::AbortStore,
    Act::Stall,
    Act::StallStore,
    Act::Put,
    Act::Clear,
    Act::Leave,
    Act::Doze,
];

impl Act {
    /// Whether others wait for it for ever, unless time runs.
    fn stalls(self) -> bool {
        matches!(self, Self::Stall | Self::StallStore | Self::Doze)
    }

    /// Whether it may drop a lead.
    fn aborts(self) -> bool {
        matches!(self, Self::Abort | Self::AbortStore | Self::Leave | Self::Doze)
    }
}

impl World {
    fn new(is_calm: bool) -> Arc<Self> {
        Arc::new(Self {
            flights: Arc::default(),
            clock: Clock::new(),
            store: Mutex::new(Stored::Nothing),
            stamp: AtomicU64::new(1),
            latest_write: Mutex::new(0),
            latest_stored: Mutex::new(0),
            stalled: Mutex::default(),
            dozing: Mutex::default(),
            is_calm,
        })
    }

    fn stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::SeqCst)
    }

    fn join(&self, kind: Kind) -> Role {
        self.flights.join(KEY, kind, &self.clock)
    }

    fn act(&self, act: Act) {
        match act {
            Act::Call => {
                let written = *self.latest_write.lock().unwrap();
                let begun = block_on(self.call(Kind::Join));
                assert!(begun > written, "a call got a value from before a write that was complete when it came");
            }
            Act::Refresh => {
                let asked = self.stamp();
                let begun = block_on(self.call(Kind::Next));
                assert!(begun > asked, "a refresh gives a value that was begun after it was asked for");
            }
            Act::Alone => drop(block_on(self.call(Kind::Alone))),
            Act::Abort => {
                if let Role::Lead(leader) = self.join(Kind::Join) {
                    thread::yield_now();
                    drop(leader);
                }
            }
            Act::AbortStore => {
                if let Role::Lead(leader) = self.join(Kind::Join) {
                    let computed = self.compute(leader, true);
                    self.abort(Box::pin(self.settle(computed)));
                }
            }
            Act::Stall => self.stall(Kind::Next, false),
            Act::StallStore => self.stall(Kind::Join, true),
            Act::Leave => {
                let waiting = self.wait_a_little();
                thread::yield_now();
                drop(waiting);
            }
            Act::Doze => {
                let waiting = self.wait_a_little();
                self.dozing.lock().unwrap().extend(waiting);
            }
            Act::Put => self.write(|| self.flights.supersede(&KEY).within(&self.clock, LEASE), true),
            Act::Clear => self.write(|| self.flights.supersede_all(KEY.0).within(&self.clock, LEASE), false),
        }
    }

    fn write<W: Future<Output = ()>>(&self, supersede: impl FnOnce() -> W, puts: bool) {
        let begun = self.stamp();
        block_on(supersede());
        *self.store.lock().unwrap() = if puts { Stored::Written { begun } } else { Stored::Nothing };
        let mut latest = self.latest_write.lock().unwrap();
        *latest = latest.max(begun);
    }

    /// Waits for one poll.
    fn wait_a_little(&self) -> Option<Waiting> {
        let Role::Wait(waiter) = self.join(Kind::Join) else { return None };
        let mut waiting: Waiting = Box::pin(waiter.wait());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let step = waiting.as_mut().poll(&mut context);
        step.is_pending().then_some(waiting)
    }

    fn stall(&self, kind: Kind, begins_to_store: bool) {
        if let Ok(leader) = block_on(self.lead(kind)) {
            let computed = self.compute(leader, begins_to_store);
            self.stalled.lock().unwrap().push(computed);
        }
    }

    /// Gets a value as the engine does; returns when its computation was begun.
    async fn call(&self, kind: Kind) -> u64 {
        match self.lead(kind).await {
            Err(begun) => begun,
            Ok(leader) => {
                let computed = self.compute(leader, true);
                let begun = computed.begun;
                self.settle(computed).await;
                begun
            }
        }
    }

    /// Waits for its turn to compute, or for what another has computed.
    async fn lead(&self, kind: Kind) -> Result<Leader, u64> {
        loop {
            match self.join(kind) {
                Role::Lead(leader) => return Ok(leader),
                Role::Recurse => unreachable!("nothing recurses here"),
                Role::Wait(waiter) => {
                    self.flights.watch(&waiter, &self.clock, LEASE);
                    match waiter.wait().await {
                        Outcome::Lead(leader) => return Ok(leader),
                        Outcome::Landed(landing) => return Err(*landing.cargo().unwrap()),
                        Outcome::StartOver => assert!(!self.is_calm, "one who waited got nothing"),
                    }
                }
            }
        }
    }

    fn compute(&self, leader: Leader, begins_to_store: bool) -> Computed {
        let begun = self.stamp();
        leader.flight().set_polling(true, self.clock.now());
        thread::yield_now();
        leader.flight().set_polling(false, self.clock.now());
        let was_overtaken = leader.is_overtaken();
        let is_storing = begins_to_store && leader.begin_store();
        assert!(!(was_overtaken && is_storing), "one who was overtaken may store");
        Computed { leader, begun, is_storing }
    }

    /// Stores in two steps, if it may, and lands.
    async fn settle(&self, Computed { leader, begun, is_storing }: Computed) {
        if is_storing {
            let store = async {
                yield_now().await;
                *self.store.lock().unwrap() = Stored::Computed { begun };
                yield_now().await;
            };
            unless_overtaken(&leader, &self.clock, store).await;
            if leader.is_overtaken() {
                *self.store.lock().unwrap() = Stored::Nothing;
            } else {
                let mut latest = self.latest_stored.lock().unwrap();
                *latest = latest.max(begun);
            }
        }
        leader.land(|| Arc::new(begun));
    }

    /// Polls a store up to three times, which is all its steps, and drops it, with or without its effect.
    fn abort(&self, mut store: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..shuttle::rand::thread_rng().gen_range(0..=3) {
            if store.as_mut().poll(&mut context).is_ready() {
                return;
            }
            thread::yield_now();
        }
    }

    /// Polls again, or drops, those who were not polled for so long.
    fn resume(&self) {
        drop(std::mem::take(&mut *self.dozing.lock().unwrap()));
        for mut computed in std::mem::take(&mut *self.stalled.lock().unwrap()) {
            computed.is_storing = computed.is_storing || computed.leader.begin_store();
            block_on(self.settle(computed));
        }
    }

    /// What must hold when everybody has gone home.
    fn check(&self, acts: &[Act]) {
        assert_eq!(self.flights.summary().0, 0, "no flight is left");
        let written = *self.latest_write.lock().unwrap();
        let stored = *self.latest_stored.lock().unwrap();
        if let Stored::Computed { begun } = *self.store.lock().unwrap() {
            assert!(begun > written, "a computation undid a later write");
            // Those who compute alone store whenever they are ready.
            assert!(begun >= stored || acts.contains(&Act::Alone), "a computation undid a later one");
        }
    }
}

fn play(acts: &[Act], time_runs: bool) {
    let world = World::new(!time_runs && !acts.iter().any(|act| act.aborts()));
    let spawn = |act| {
        let world = Arc::clone(&world);
        thread::spawn(move || world.act(act))
    };
    let threads: Vec<_> = acts.iter().copied().map(spawn).collect();
    let clock = world.clock.clone();
    let time = time_runs.then(|| thread::spawn(move || clock.run()));
    for thread in threads {
        thread.join().unwrap();
    }
    world.resume();
    world.clock.stop();
    if let Some(time) = time {
        time.join().unwrap();
    }
    world.check(acts);
}

/// Runs the acts in many orders, by two schedulers: one throws dice at each step, one seldom changes its mind.
fn explore(acts: &[Act]) {
    let iterations = std::env::var("CHORDE_SCHEDULES").map_or(ITERATIONS, |count| count.parse().unwrap());
    for time_runs in [false, true] {
        if time_runs || !acts.iter().any(|act| act.stalls()) {
            let acts = acts.to_vec();
            let run = move || play(&acts, time_runs);
            shuttle::check_random(run.clone(), iterations);
            shuttle::check_pct(run, iterations, DEPTH);
        }
    }
}

#[test]
fn every_pair_of_acts_besides_a_call() {
    for (at, one) in ACTS.into_iter().enumerate() {
        for other in &ACTS[at..] {
            explore(&[Act::Call, one, *other]);
        }
    }
}

#[test]
fn refreshes_share_the_next_computation_under_any_interference() {
    for act in ACTS {
        explore(&[Act::Refresh, Act::Refresh, Act::Call, act]);
    }
}

#[test]
fn aborts_and_leaves_strand_nobody() {
    explore(&[Act::Abort, Act::Abort, Act::Leave, Act::Leave, Act::Call]);
    explore(&[Act::Abort, Act::Leave, Act::Refresh, Act::Call, Act::Put]);
}

#[test]
fn whoever_is_not_polled_holds_nobody_up() {
    explore(&[Act::Stall, Act::Call, Act::Refresh, Act::Put]);
    explore(&[Act::StallStore, Act::Call, Act::Put, Act::Clear]);
    explore(&[Act::Stall, Act::StallStore, Act::AbortStore, Act::Leave, Act::Call]);
    explore(&[Act::Doze, Act::Doze, Act::Abort, Act::Refresh, Act::Call]);
    explore(&[Act::Call, Act::Stall, Act::Refresh, Act::Refresh]);
}
