//! What runs, what is queued, and who has a place.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::task::{Poll, Waker};

use super::executor::Polls;
use super::limits::Limits;
use super::line::{Function, Line};
use super::permit::{AtWork, Counted, Permit, working};
use super::refresh::{Refresh, Rest};
use super::stats::Tally;
use super::task::{Kind, Task, Work};
use super::threads::{Threads, hand_to_thread};
use crate::clock::{Alarm, Clock};
use crate::error::{Error, ErrorKind, Result};
use crate::process::PerProcess;
use crate::sync::{Condvar, Mutex, MutexGuard, global, lock};
use crate::user_code::wake;

/// How many times as many asynchronous refreshes as run at once may outlast their leases before the oldest is dropped.
const OUTLASTING: usize = 4;

/// The state of all background work of a process, and the call of its own threads.
pub(super) struct Shared {
    pub(super) pool: Mutex<Pool>,
    pub(super) ready: Condvar,
}

global! {
    static SHARED: PerProcess<Shared> = PerProcess::new(Shared::new());
}

/// Returns the state of this process.
pub(super) fn shared() -> &'static Shared {
    SHARED.get(Shared::new)
}

pub(super) fn locked() -> MutexGuard<'static, Pool> {
    shared().lock()
}

impl Shared {
    fn new() -> Self {
        Self { pool: Mutex::new(Pool::new(Limits::default())), ready: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }

    /// Returns whether this is the state of the present process; that of a parent must not be touched: its lock may be
    /// held by a thread that is not here.
    pub(super) fn is_current(&'static self) -> bool {
        std::ptr::eq(self, shared())
    }
}

pub(super) struct Pool {
    pub(super) limits: Limits,
    pub(super) lines: [Line<Queued>; 3],
    pub(super) tallies: [Tally; 3],
    /// By kind, whether all tasks with a place are watched.
    are_watched: [bool; 3],
    /// Tasks that have begun and are not over.
    begun: HashMap<u64, Begun>,
    /// The number of the task that began last.
    last: u64,
    /// Asynchronous refreshes that have lost their places, the oldest first.
    outlasted: VecDeque<u64>,
    /// How many refreshes of plain functions have lost their places.
    outlasted_blocking: usize,
    /// Tasks that have lent their places while they wait.
    lending: usize,
    /// All work that was taken on and is not over.
    pub(super) taken_on: usize,
    /// Those who wait for the end of all work, with their numbers.
    pub(super) drains: Vec<(u64, Waker)>,
    /// The number of the last one.
    last_drain: u64,
    /// Those who wait for room in the queue of awaited work.
    room: Vec<Waker>,
    pub(super) threads: Threads,
    pub(super) polls: Polls,
}

/// A task in the queue.
pub(super) struct Queued {
    task: Task,
    counted: Counted,
    /// Since when, by the system's clock.
    pub(super) since: u64,
}

/// A task that has begun.
pub(super) struct Begun {
    kind: Kind,
    function: Function,
    hold: Hold,
    /// By which clock, and up to when, the place is its own.
    until: Option<(Clock, u64)>,
    /// Whether an alarm watches it, or is about to.
    is_watched: bool,
    /// That alarm.
    alarm: Option<Alarm>,
    /// What runs, where it can be dropped from outside.
    refresh: Option<Refresh>,
}

/// Whether a task has its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Has,
    /// It waits for other work, and takes a place again afterwards.
    Lends,
    /// It took longer than its lease.
    Lost,
}

impl Pool {
    fn new(limits: Limits) -> Self {
        let mut pool = Self {
            limits,
            lines: std::array::from_fn(|_| Line::new(0, 0)),
            tallies: Default::default(),
            are_watched: [false; 3],
            begun: HashMap::new(),
            last: 0,
            outlasted: VecDeque::new(),
            outlasted_blocking: 0,
            lending: 0,
            taken_on: 0,
            drains: Vec::new(),
            last_drain: 0,
            room: Vec::new(),
            threads: Threads::default(),
            polls: Polls::default(),
        };
        pool.set_limits(limits);
        pool
    }

    /// Numbers one who waits for the end of all work.
    pub(super) fn next_drain(&mut self) -> u64 {
        self.last_drain += 1;
        self.last_drain
    }

    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        for kind in [Kind::Blocking, Kind::Async, Kind::Awaited] {
            let places = if kind == Kind::Async { limits.async_concurrency } else { limits.concurrency };
            self.line(kind).set_bounds(places, limits.queue);
        }
    }

    fn line(&mut self, kind: Kind) -> &mut Line<Queued> {
        &mut self.lines[kind as usize]
    }

    /// Returns how many tasks go on without a place.
    pub(super) fn waiting(&self) -> usize {
        self.lending + self.outlasted.len() + self.outlasted_blocking
    }

    /// Takes out those who wait for room, if there is some.
    fn take_waiting(&mut self) -> Vec<Waker> {
        if self.line(Kind::Awaited).has_room() { std::mem::take(&mut self.room) } else { Vec::new() }
    }

    /// Lets the next queued task begin, if there is one that may.
    fn next(&mut self, shared: &'static Shared) -> Option<Start> {
        let kinds = [Kind::Awaited, Kind::Blocking, Kind::Async];
        let (kind, (function, queued)) = kinds.into_iter().find_map(|kind| Some((kind, self.line(kind).next()?)))?;
        let Queued { task, counted, since } = queued;
        self.tallies[kind as usize].began(Clock::system().now().saturating_sub(since));
        self.last += 1;
        let permit = Permit { shared, number: self.last };
        let Task { work, runtime, terms, .. } = task;
        let until = terms.as_ref().map(|terms| (terms.clock.clone(), terms.begin()));
        let (start, refresh) = match work {
            Work::Blocking(run) => (Start::Blocking(Blocking { run, runtime, permit, counted }), None),
            Work::Future(future) => {
                let refresh = Refresh::new(future, counted);
                (Start::Async(refresh.clone(), runtime, permit), Some(refresh))
            }
        };
        let begun = Begun { kind, function, hold: Hold::Has, until, is_watched: false, alarm: None, refresh };
        self.begun.insert(self.last, begun);
        self.are_watched[kind as usize] = false;
        Some(start)
    }

    /// Returns the tasks whose leases are to be watched from now on, since others may need their places.
    fn unwatched(&mut self) -> Vec<(u64, Clock, u64)> {
        let mut found = Vec::new();
        for kind in [Kind::Blocking, Kind::Async] {
            if self.are_watched[kind as usize] || !self.line(kind).is_crowded() {
                continue;
            }
            self.are_watched[kind as usize] = true;
            let is_unwatched = |begun: &Begun| begun.kind == kind && begun.hold == Hold::Has && !begun.is_watched;
            for (number, begun) in self.begun.iter_mut().filter(|(_, begun)| is_unwatched(begun)) {
                begun.is_watched = true;
                found.extend(begun.until.clone().map(|(clock, until)| (*number, clock, until)));
            }
        }
        found
    }

    /// Takes the place from a task whose lease is over, if it has one; returns what will not go on, to be dropped
    /// without the lock.
    fn outlast(&mut self, number: u64) -> Option<Vec<Rest>> {
        let (begun, limits) = (self.begun.get_mut(&number)?, self.limits);
        let is_kept = begun.kind == Kind::Blocking && self.outlasted_blocking >= limits.concurrency;
        if begun.hold != Hold::Has || is_kept {
            return None;
        }
        begun.hold = Hold::Lost;
        let (kind, function, refresh) = (begun.kind, begun.function, begun.refresh.clone());
        self.line(kind).release(function);
        let Some(refresh) = refresh else {
            self.outlasted_blocking += 1;
            return Some(Vec::new());
        };
        // Nothing of it has happened yet, and nobody may ever drive it.
        let mut dropped: Vec<Rest> = refresh.take_untouched().into_iter().collect();
        if dropped.is_empty() {
            self.outlasted.push_back(number);
        }
        if self.outlasted.len() > limits.async_concurrency.saturating_mul(OUTLASTING) {
            dropped.extend(self.take_oldest());
        }
        Some(dropped)
    }

    /// Takes out what is left of the oldest of those that outlasted their leases, apart from any that is being polled.
    fn take_oldest(&mut self) -> Option<Rest> {
        let rest = |number: &u64| self.begun.get(number)?.refresh.as_ref()?.take();
        let (at, oldest) = self.outlasted.iter().enumerate().find_map(|(at, number)| Some((at, rest(number)?)))?;
        self.outlasted.remove(at);
        Some(oldest)
    }

    /// Forgets a task that is over.
    pub(super) fn end(&mut self, number: u64) -> Option<Begun> {
        let begun = self.begun.remove(&number)?;
        match (begun.hold, begun.kind) {
            (Hold::Has, kind) => self.line(kind).release(begun.function),
            (Hold::Lends, _) => self.lending -= 1,
            (Hold::Lost, Kind::Blocking) => {
                self.outlasted_blocking -= 1;
                // Another one may lose its place now.
                self.begun.values_mut().for_each(|begun| begun.is_watched = false);
                self.are_watched[Kind::Blocking as usize] = false;
            }
            (Hold::Lost, _) => self.outlasted.retain(|other| *other != number),
        }
        Some(begun)
    }

    /// Lends the place of a task that waits; returns whether it had one.
    pub(super) fn lend(&mut self, number: u64) -> bool {
        let Some(begun) = self.begun.get_mut(&number).filter(|begun| begun.hold == Hold::Has) else { return false };
        begun.hold = Hold::Lends;
        let (kind, function) = (begun.kind, begun.function);
        self.lending += 1;
        self.line(kind).release(function);
        true
    }

    /// Seats a task whose wait is over.
    pub(super) fn take_back(&mut self, number: u64) {
        let Some(begun) = self.begun.get_mut(&number) else { return };
        begun.hold = Hold::Has;
        begun.is_watched = false;
        let (kind, function) = (begun.kind, begun.function);
        self.lending -= 1;
        self.are_watched[kind as usize] = false;
        self.line(kind).seat(function);
    }
}

/// Takes on a task, or drops it and reports [`ErrorKind::Overloaded`] when the queue is full. Never blocks.
pub(crate) fn submit(task: Task) -> Result<()> {
    if take_on(task, None) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Overloaded,
        "the queue of background computations is full; raise it by `chorde::background::set_limits`",
    ))
}

/// Takes on a task, or drops it and wakes the caller once there is room.
pub(super) fn submit_or_wait(task: Task, waker: &Waker) -> Poll<()> {
    if take_on(task, Some(waker.clone())) { Poll::Ready(()) } else { Poll::Pending }
}

/// Returns whether the task was taken on; if not, `waiting` is woken once there is room for another.
fn take_on(task: Task, waiting: Option<Waker>) -> bool {
    let shared = shared();
    let (kind, function) = (task.kind, task.function());
    let mut pool = shared.lock();
    let counted = Counted::new(shared, &mut pool);
    let queued = Queued { task, counted, since: Clock::system().now() };
    let pushed = pool.line(kind).push(function, queued);
    let start = pool.next(shared);
    match (&pushed, waiting) {
        (Err(_), Some(waiting)) => pool.room.push(waiting),
        (Err(_), None) => pool.tallies[kind as usize].refused += 1,
        (Ok(()), _) => {}
    }
    drop(pool);
    start.into_iter().for_each(Start::run);
    start_queued();
    pushed.is_ok()
}

thread_local! {
    /// Whether this thread starts tasks already: one that is dropped at its start, by a runtime that is gone, lets the
    /// next one in, and that must not happen inside of the first.
    static IS_STARTING: Cell<bool> = const { Cell::new(false) };
}

/// Starts queued tasks while there is room, and sees to it that there will be.
pub(super) fn start_queued() {
    struct Started;
    impl Drop for Started {
        fn drop(&mut self) {
            let _ = IS_STARTING.try_with(|starting| starting.set(false));
        }
    }
    if IS_STARTING.try_with(|starting| starting.replace(true)).unwrap_or(false) {
        return;
    }
    let _started = Started;
    let shared = shared();
    loop {
        let mut pool = shared.lock();
        let start = pool.next(shared);
        let unwatched = if start.is_none() { pool.unwatched() } else { Vec::new() };
        let waiting = pool.take_waiting();
        drop(pool);
        waiting.into_iter().for_each(wake);
        match start {
            Some(start) => start.run(),
            None => {
                return unwatched.into_iter().for_each(|(number, clock, until)| watch(shared, number, &clock, until));
            }
        }
    }
}

/// Has the place of a task released when its lease ends.
fn watch(shared: &'static Shared, number: u64, clock: &Clock, until: u64) {
    let release = move || {
        if shared.is_current() {
            let Some(dropped) = shared.lock().outlast(number) else { return };
            // An alarm must not block, as what users drop may.
            let drop_and_start = move || {
                drop(dropped);
                start_queued();
            };
            hand_to_thread(shared, Box::new(drop_and_start));
        }
    };
    let alarm = clock.alarm(until, Box::new(release));
    // It may be over by now; and an alarm is dropped without the lock.
    let other = match shared.lock().begun.get_mut(&number) {
        Some(begun) => alarm.keep_in(&mut begun.alarm),
        None => Some(alarm),
    };
    drop(other);
}

/// A task that has a place and is to be started.
enum Start {
    Blocking(Blocking),
    Async(Refresh, Option<tokio::runtime::Handle>, Permit),
}

impl Start {
    fn run(self) {
        match self {
            Self::Blocking(task) => {
                let shared = task.permit.shared;
                hand_to_thread(shared, Box::new(move || task.run()));
            }
            Self::Async(refresh, runtime, permit) => refresh.start(runtime, permit),
        }
    }
}

/// A closure at work. Whatever happens to it, the fields are dropped in this order.
struct Blocking {
    run: Box<dyn FnOnce() + Send>,
    runtime: Option<tokio::runtime::Handle>,
    permit: Permit,
    counted: Counted,
}

impl Blocking {
    fn run(self) {
        let Self { run, runtime, permit, counted } = self;
        // Before a panic goes on, those who wait for the end of all work are told.
        let (_counted, permit) = (counted, permit);
        let _at_work = working(AtWork::Task(permit.number));
        let _context = runtime.as_ref().map(tokio::runtime::Handle::enter);
        run();
    }
}
