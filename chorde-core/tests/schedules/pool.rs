//! The queue of background work, and the futures that go through it.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::thread;

use crate::engine::background::drain::drain_by;
use crate::engine::background::{Limits, Task, Terms, carry_on, set_limits, submit};
use crate::engine::runtime::wait;
use crate::explore::{Scene, explore};
use crate::{CacheFuture, Clock, ErrorKind, ManualClock};

const LIMITS: Limits = Limits { concurrency: 2, async_concurrency: 2, queue: 2, stack_size: 0 };
const SUBMITTERS: usize = 3;
const TASKS: usize = 3;

/// What became of the tasks. By the standard library's primitives: to count changes no schedule.
#[derive(Default)]
struct Counts {
    /// By kind: those that block, and asynchronous ones.
    running: [AtomicI64; 2],
    /// Tasks that were taken on and are not over, by kind.
    taken_on: [AtomicI64; 2],
    ran: AtomicU64,
    dropped: AtomicU64,
}

/// One task's share in the counts.
struct Counted {
    counts: Arc<Counts>,
    kind: usize,
    has_run: bool,
}

impl Counted {
    fn new(counts: &Arc<Counts>, kind: usize) -> Self {
        Self { counts: Arc::clone(counts), kind, has_run: false }
    }

    fn run(mut self, panics: bool) {
        let running = self.counts.running[self.kind].fetch_add(1, Ordering::SeqCst) + 1;
        assert!(running <= LIMITS.concurrency as i64, "more run than may run at once");
        thread::yield_now();
        self.counts.running[self.kind].fetch_sub(1, Ordering::SeqCst);
        self.counts.ran.fetch_add(1, Ordering::SeqCst);
        self.counts.taken_on[self.kind].fetch_sub(1, Ordering::SeqCst);
        self.has_run = true;
        if panics {
            // Without the hook, which would print each schedule.
            resume_unwind(Box::new("a task of no good"));
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.has_run {
            self.counts.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        Scene::new("pool: no more run or wait than may, and none is lost", || explore(bounded)),
        Scene::new("pool: a task that waits for another lends its place", || explore(lends)),
        Scene::new("pool: raised limits start what is queued", || explore(raised)),
        Scene::new("pool: a future ends with its result or is cancelled", || explore(cancelled)),
        Scene::new("pool: what has no bound runs to its end, woken from anywhere", || explore(carried)),
        Scene::new("pool: a future that blocks in a poll lets the others go on", || explore(blocks_in_polls)),
        Scene::new("pool: places lost by a lease are taken by others, and none is lost for good", || {
            explore(outlasted);
        }),
        Scene::new("pool: a drain ends with the last of many generations", || explore(generations)),
    ]
}

/// Waits for the end of all background work.
pub(crate) fn drained() {
    let clock = Clock::from(ManualClock::new());
    block_on(drain_by(&clock, Duration::from_secs(1))).expect("invariant: time stands still");
}

/// Two tasks that wait for each other's arrival show that two places are free.
fn no_place_is_lost() {
    let arrivals = Arc::new((shuttle::sync::Mutex::new(0), shuttle::sync::Condvar::new()));
    for _ in 0..LIMITS.concurrency {
        let arrivals = Arc::clone(&arrivals);
        let meet = move || {
            let mut arrived = arrivals.0.lock().unwrap();
            *arrived += 1;
            arrivals.1.notify_all();
            drop(arrivals.1.wait_while(arrived, |arrived| *arrived < LIMITS.concurrency).unwrap());
        };
        submit(Task::blocking(meet)).expect("invariant: there is room for it");
    }
    drained();
    let arrivals = Arc::new(Gate::default());
    for _ in 0..LIMITS.async_concurrency {
        let arrivals = Arc::clone(&arrivals);
        let meet = async move {
            arrivals.arrive();
            arrivals.wait_for(LIMITS.async_concurrency).await;
        };
        submit(Task::future(meet)).expect("invariant: there is room for it");
    }
    drained();
}

/// Lets futures wait for one another.
#[derive(Default)]
struct Gate(shuttle::sync::Mutex<(usize, Vec<Waker>)>);

impl Gate {
    fn arrive(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 += 1;
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn wait_for(&self, count: usize) {
        poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.0 >= count {
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// All of them meet, which takes as many at once.
fn carried() {
    const ALL: usize = 5;
    set_limits(Limits { concurrency: 1, async_concurrency: 1, queue: 0, ..LIMITS });
    let (gate, ended) = (Arc::new(Gate::default()), Arc::new(AtomicU64::new(0)));
    let begin = |gate: &Arc<Gate>| {
        let (gate, ended) = (Arc::clone(gate), Arc::clone(&ended));
        let meet = async move {
            gate.arrive();
            shuttle::future::yield_now().await;
            gate.wait_for(ALL).await;
            ended.fetch_add(1, Ordering::SeqCst);
        };
        carry_on(None, Box::pin(meet));
    };
    let other = Arc::clone(&gate);
    let last = thread::spawn(move || other.arrive());
    (1..ALL).for_each(|_| begin(&gate));
    drained();
    assert_eq!(ended.load(Ordering::SeqCst), ALL as u64 - 1, "a drain ended before the work");
    last.join().unwrap();
}

/// More of them than threads poll at once, each waiting for the next.
fn blocks_in_polls() {
    const DEEP: u64 = 12;
    fn nested(level: u64) -> CacheFuture<u64> {
        CacheFuture::spawn(async move { if level == 0 { 0 } else { wait(nested(level - 1)).unwrap() + 1 } })
    }
    assert_eq!(wait(nested(DEEP)).unwrap(), DEEP);
    drained();
}

fn outlasted() {
    const LEASE: Duration = Duration::from_secs(1);
    set_limits(LIMITS);
    let (manual, gate, ran) = (ManualClock::new(), Arc::new(Gate::default()), Arc::new(AtomicU64::new(0)));
    let terms = |function, lease| {
        let until = Arc::new(crate::sync::AtomicU64::new(0));
        Terms { function, clock: Clock::from(manual.clone()), lease, until }
    };
    let hangs = || {
        let (gate, ran) = (Arc::clone(&gate), Arc::clone(&ran));
        Task::future(async move {
            gate.wait_for(1).await;
            ran.fetch_add(1, Ordering::SeqCst);
        })
    };
    let hanging = (0..4).filter(|_| submit(hangs().on(terms(1, LEASE))).is_ok()).count();
    assert_eq!(hanging, 2, "one runs, and one may be queued");
    let clock = manual.clone();
    let advancing = thread::spawn(move || (0..4).for_each(|_| clock.advance(2 * LEASE)));
    let (first, healthy) = (Arc::clone(&ran), Arc::new(Gate::default()));
    for function in [2, 3] {
        let healthy = Arc::clone(&healthy);
        let work = Task::future(async move { healthy.arrive() });
        submit(work.on(terms(function, 100 * LEASE))).expect("invariant: there is room for newcomers");
    }
    // They end although those of the first do not.
    block_on(healthy.wait_for(2));
    assert_eq!(first.load(Ordering::SeqCst), 0);
    advancing.join().unwrap();
    gate.arrive();
    drained();
    // What was never polled within its lease may have been dropped.
    assert!(ran.load(Ordering::SeqCst) <= 2);
    no_place_is_lost();
}

fn bounded() {
    set_limits(LIMITS);
    let counts = Arc::new(Counts::default());
    let submitting = |number: usize| {
        let counts = Arc::clone(&counts);
        thread::spawn(move || (0..TASKS).filter(|task| submit_one(&counts, number, *task)).count())
    };
    let threads: Vec<_> = (0..SUBMITTERS).map(submitting).collect();
    let drain = thread::spawn(drained);
    let accepted: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    drain.join().unwrap();
    drained();
    assert_eq!(counts.ran.load(Ordering::SeqCst), accepted as u64, "what was taken on has run");
    assert_eq!(counts.dropped.load(Ordering::SeqCst), (SUBMITTERS * TASKS - accepted) as u64);
    for count in counts.running.iter().chain(&counts.taken_on) {
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }
    // All of the asynchronous ones, of which there are fewer than may run and be queued.
    assert!(accepted >= LIMITS.concurrency + LIMITS.queue + TASKS, "one was refused while there was room");
    no_place_is_lost();
}

/// Submits a task of one kind or another; returns whether it was taken on.
fn submit_one(counts: &Arc<Counts>, number: usize, task: usize) -> bool {
    let kind = usize::from(number == 1);
    let counted = Counted::new(counts, kind);
    let panics = (number, task) == (0, 1);
    let work = if number == 1 {
        Task::future(async move {
            shuttle::future::yield_now().await;
            counted.run(panics);
        })
    } else {
        Task::blocking(move || counted.run(panics))
    };
    let submitted = submit(work);
    if let Err(refused) = submitted {
        assert_eq!(refused.kind(), ErrorKind::Overloaded);
        return false;
    }
    let taken_on = counts.taken_on[kind].fetch_add(1, Ordering::SeqCst) + 1;
    assert!(taken_on <= (LIMITS.concurrency + LIMITS.queue) as i64, "more wait than may wait");
    true
}

fn lends() {
    set_limits(Limits { concurrency: 1, queue: 8, ..LIMITS });
    let nested = || CacheFuture::blocking(|| wait(CacheFuture::blocking(|| 7)).unwrap() + 1);
    let outer: Vec<_> = (0..2).map(|_| thread::spawn(move || wait(nested()).unwrap())).collect();
    for thread in outer {
        assert_eq!(thread.join().unwrap(), 8);
    }
    drained();
}

fn raised() {
    set_limits(Limits { concurrency: 1, queue: 8, ..LIMITS });
    let raising = thread::spawn(|| set_limits(LIMITS));
    // Each waits for the other, so that one place is not enough.
    no_place_is_lost();
    raising.join().unwrap();
}

fn cancelled() {
    set_limits(Limits { concurrency: 1, queue: 8, ..LIMITS });
    let counts = Arc::new(Counts::default());
    let future = |counts: &Arc<Counts>| {
        let counted = Counted::new(counts, 0);
        CacheFuture::blocking(move || counted.run(false))
    };
    let (first, second) = (future(&counts), future(&counts));
    let told = Arc::new(AtomicU64::new(0));
    let hears = Arc::clone(&told);
    future(&counts).on_done(move |result| {
        result.expect("invariant: nobody cancels it");
        hears.fetch_add(1, Ordering::SeqCst);
    });
    let cancelling = thread::spawn(move || (second.cancel(), wait(second)));
    wait(first).expect("invariant: nobody cancels it");
    let (in_time, ended) = cancelling.join().unwrap();
    assert_eq!(ended.as_ref().err().map(crate::Error::kind), in_time.then_some(ErrorKind::Cancelled));
    drained();
    assert_eq!(told.load(Ordering::SeqCst), 1, "the callback is called once");
    assert_eq!(counts.ran.load(Ordering::SeqCst), 3 - u64::from(in_time));
}

/// Each task submits the next, which the drain has to wait for as well.
fn generations() {
    fn beget(left: u64, counts: Arc<Counts>) {
        counts.ran.fetch_add(1, Ordering::SeqCst);
        if left > 0 {
            submit(Task::blocking(move || beget(left - 1, counts))).expect("invariant: there is room for it");
        }
    }
    set_limits(LIMITS);
    let counts = Arc::new(Counts::default());
    let first = Arc::clone(&counts);
    submit(Task::blocking(move || beget(3, first))).expect("invariant: there is room for it");
    let other = thread::spawn(drained);
    drained();
    assert_eq!(counts.ran.load(Ordering::SeqCst), 4, "a drain ended before the work");
    other.join().unwrap();
}
