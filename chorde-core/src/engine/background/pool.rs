//! The queue, its bounds, and its threads.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::{Clock, Sleep};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::{Condvar, Mutex, MutexGuard, block_on, global, lock, thread};

/// Threads without work go away after this long.
const IDLE: Duration = Duration::from_secs(10);

/// Something to do.
pub(crate) struct Task {
    work: Work,
    /// The runtime in whose context the task was made.
    runtime: Option<Handle>,
}

enum Work {
    Blocking(Box<dyn FnOnce() + Send>),
    Future(Pin<Box<dyn Future<Output = ()> + Send>>),
}

impl Task {
    pub(crate) fn blocking(run: impl FnOnce() + Send + 'static) -> Self {
        Self { work: Work::Blocking(Box::new(run)), runtime: Handle::try_current().ok() }
    }

    pub(crate) fn future(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { work: Work::Future(Box::pin(future)), runtime: Handle::try_current().ok() }
    }
}

impl Task {
    pub(crate) fn into_future(self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self.work {
            Work::Future(future) => future,
            Work::Blocking(run) => Box::pin(async move { run() }),
        }
    }
}

pub(crate) fn carry_on(runtime: Option<Handle>, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    match runtime {
        Some(runtime) => drop(runtime.spawn(future)),
        None => drop(std::thread::spawn(move || block_on(future))),
    }
}

/// Bounds background work.
///
/// # Examples
///
/// ```
/// use chorde_core::background::{Limits, limits, set_limits};
///
/// set_limits(Limits { concurrency: 4, ..limits() });
/// assert_eq!(limits().concurrency, 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many computations may run at once; at least 1. By default four for each processor, and at least 8.
    pub concurrency: usize,
    /// How many more may wait for their turn before new ones are refused. By default 1024.
    pub queue: usize,
}

/// The state of all background work of the process.
struct Pool {
    limits: Limits,
    /// Waits for a free place among the running.
    queue: VecDeque<Task>,
    running: usize,
    /// Tasks that wait for others and have given up their places for the time being.
    waiting: usize,
    /// Waits for one of chorde's own threads.
    ready: VecDeque<(Task, Place)>,
    idle_threads: usize,
    /// Who waits for the end of all work.
    drains: Vec<Waker>,
}

/// The pool, and the call of its own threads to what is ready.
struct Shared {
    pool: Mutex<Pool>,
    ready: Condvar,
}

global! {
    static SHARED: Shared = Shared { pool: Mutex::new(Pool::new()), ready: Condvar::new() };
}

fn locked() -> MutexGuard<'static, Pool> {
    lock(&SHARED.pool)
}

impl Pool {
    fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            limits: Limits { concurrency: (4 * processors).max(8), queue: 1024 },
            queue: VecDeque::new(),
            running: 0,
            waiting: 0,
            ready: VecDeque::new(),
            idle_threads: 0,
            drains: Vec::new(),
        }
    }

    /// Returns whether no place is free, neither for what runs nor in the queue. What is queued may take the free places
    /// first: whoever submits starts it only later.
    fn is_full(&self) -> bool {
        let Limits { concurrency, queue } = self.limits;
        self.running.min(concurrency) + self.queue.len() >= concurrency.saturating_add(queue)
    }

    fn is_empty(&self) -> bool {
        self.running + self.waiting == 0 && self.queue.is_empty()
    }
}

/// Returns how background work is bounded.
#[must_use]
pub fn limits() -> Limits {
    locked().limits
}

/// Bounds background work anew; what is queued or running stays.
pub fn set_limits(limits: Limits) {
    locked().limits = Limits { concurrency: limits.concurrency.max(1), ..limits };
    start_queued();
}

/// Takes on a task, or drops it and reports [`ErrorKind::Overloaded`] when the queue is full. Never blocks.
pub(crate) fn submit(task: Task) -> Result<()> {
    let mut pool = locked();
    if pool.is_full() {
        drop(pool);
        drop(task);
        return Err(Error::new(
            ErrorKind::Overloaded,
            "the queue of background computations is full; raise it by `chorde::background::set_limits`",
        ));
    }
    pool.queue.push_back(task);
    drop(pool);
    start_queued();
    Ok(())
}

/// Starts queued tasks while there is room.
fn start_queued() {
    loop {
        let mut pool = locked();
        if pool.running >= pool.limits.concurrency {
            return;
        }
        let Some(task) = pool.queue.pop_front() else { return };
        pool.running += 1;
        drop(pool);
        start(task, Place(()));
    }
}

fn start(task: Task, place: Place) {
    match task {
        // If the runtime is shutting down it drops the future, and the place with it.
        Task { work: Work::Future(future), runtime: Some(runtime) } => {
            runtime.spawn(async move {
                let _place = place;
                future.await;
            });
        }
        task => hand_to_thread(task, place),
    }
}

fn hand_to_thread(task: Task, place: Place) {
    let mut pool = locked();
    pool.ready.push_back((task, place));
    if pool.idle_threads >= pool.ready.len() {
        SHARED.ready.notify_one();
        return;
    }
    drop(pool);
    let started = thread::Builder::new().name("chorde-background".into()).spawn(work);
    if let Err(error) = started {
        log::error!("chorde cannot start a background thread: {error}");
        // Dropping the task cancels whoever waits for it; a thread that is still there may have taken it already.
        let unserved = locked().ready.pop_back();
        drop(unserved);
    }
}

/// Works off what is ready until there has been nothing for a while.
fn work() {
    while let Some((task, place)) = next_ready() {
        let ended = catch_unwind(AssertUnwindSafe(|| run(task)));
        HAS_PLACE.set(false);
        if ended.is_err() {
            log::error!("a background computation of chorde panicked outside of the user's function");
        }
        drop(place);
    }
}

thread_local! {
    /// Whether this thread is at work on a task that has a place.
    static HAS_PLACE: Cell<bool> = const { Cell::new(false) };
}

fn run(task: Task) {
    HAS_PLACE.set(true);
    let _context = task.runtime.as_ref().map(Handle::enter);
    match task.work {
        Work::Blocking(run) => run(),
        Work::Future(future) => block_on(future),
    }
}

/// Runs `wait`, which blocks this thread. If the thread is at work on a background task, another task gets its place: the
/// one that it waits for may be in the queue.
pub(crate) fn without_place<R>(wait: impl FnOnce() -> R) -> R {
    struct TakeBack;
    impl Drop for TakeBack {
        fn drop(&mut self) {
            HAS_PLACE.set(true);
            let mut pool = locked();
            pool.waiting -= 1;
            pool.running += 1;
        }
    }
    if !HAS_PLACE.replace(false) {
        return wait();
    }
    {
        let mut pool = locked();
        pool.running -= 1;
        pool.waiting += 1;
    }
    let _take_back = TakeBack;
    start_queued();
    wait()
}

fn next_ready() -> Option<(Task, Place)> {
    let mut pool = locked();
    loop {
        if let Some(next) = pool.ready.pop_front() {
            return Some(next);
        }
        pool.idle_threads += 1;
        let (guard, timeout) = SHARED.ready.wait_timeout(pool, IDLE).unwrap_or_else(PoisonError::into_inner);
        pool = guard;
        pool.idle_threads -= 1;
        if timeout.timed_out() && pool.ready.is_empty() {
            return None;
        }
    }
}

/// A place among the running tasks; dropped, it lets the next one in.
struct Place(());

impl Drop for Place {
    fn drop(&mut self) {
        let mut pool = locked();
        pool.running -= 1;
        let drains = if pool.is_empty() { std::mem::take(&mut pool.drains) } else { Vec::new() };
        drop(pool);
        for drain in drains {
            drain.wake();
        }
        start_queued();
    }
}

/// Waits for the end of all background work, at most for `timeout`.
///
/// # Errors
///
/// [`ErrorKind::Timeout`] when there is still work after `timeout`; it goes on.
///
/// # Cancel safety
///
/// May be dropped at any time; the work goes on.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{Wait, drain};
///
/// drain(Duration::from_secs(5)).wait()?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub fn drain(timeout: Duration) -> Drain {
    drain_by(&Clock::system(), timeout)
}

/// Does so by another clock.
pub(crate) fn drain_by(clock: &Clock, timeout: Duration) -> Drain {
    Drain { timeout: clock.sleep(timeout) }
}

/// Completes when no background work is left; made by [`drain`].
#[must_use = "futures do nothing unless awaited; call `.wait()` from plain code"]
#[derive(Debug)]
pub struct Drain {
    timeout: Sleep,
}

impl Future for Drain {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        {
            let mut pool = locked();
            if pool.is_empty() {
                return Poll::Ready(Ok(()));
            }
            pool.drains.push(cx.waker().clone());
        }
        Pin::new(&mut self.timeout)
            .poll(cx)
            .map(|()| Err(Error::new(ErrorKind::Timeout, "background computations are still under way")))
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.work {
            Work::Blocking(_) => "Task::blocking",
            Work::Future(_) => "Task::future",
        })
    }
}
