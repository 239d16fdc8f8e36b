//! Futures that run at once and without a bound: on the runtime of their caller, or on chorde's own threads.
//!
//! A few threads poll all futures that have no runtime. One that blocks inside of a poll, in chorde's own `wait`, makes
//! room for another thread to go on with the others.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_task::Runnable;
use tokio::runtime::Handle;

use super::permit::{AtWork, Counted, working};
use super::pool::{Pool, Shared, shared, submit, submit_or_wait};
use super::task::{Run, Task};
use super::threads::hand_to_thread;
use crate::error::Result;
use crate::sync::{Mutex, MutexGuard, lock};
use crate::user_code::{shielded, tell_seldom};

/// Runs a future to its end: on that runtime, which drops it if it ends first, or on chorde's own threads. Is never
/// refused.
pub(crate) fn carry_on(runtime: Option<Handle>, future: Run) {
    let shared = shared();
    let counted = Counted::new(shared, &mut shared.lock());
    let carried = Carried(Some((future, counted)));
    match runtime {
        Some(runtime) => drop(runtime.spawn(carried)),
        None => spawn(carried),
    }
}

/// A future that counts as background work up to its end.
struct Carried(Option<(Run, Counted)>);

impl Future for Carried {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((future, _)) = &mut self.0
            && future.as_mut().poll(cx).is_pending()
        {
            return Poll::Pending;
        }
        // Here and not by the executor, some of which abort the process if this panics.
        self.0 = None;
        Poll::Ready(())
    }
}

thread_local! {
    /// Whether this thread is one of a runtime's for blocking work, and at work for us; or at work on what such a
    /// thread waits for.
    static TAKES_FROM_RUNTIME: Cell<bool> = const { Cell::new(false) };
}

/// Runs a closure on a thread that it may block: one of the caller's runtime, which has hundreds of them, or one of
/// chorde's.
///
/// What is asked for by a closure on a thread of the runtime runs on chorde's: all those of the runtime may be waiting
/// for such work.
///
/// # Errors
///
/// [`ErrorKind::Overloaded`](crate::ErrorKind::Overloaded) when too much of this kind is queued for chorde's threads.
pub(crate) fn run_blocking(run: impl FnOnce() + Send + 'static) -> Result<()> {
    match place() {
        Place::Runtime(runtime) => {
            run_on(&runtime, run);
            Ok(())
        }
        Place::Own(is_nested) => submit(Task::awaited(move || taking_from_runtime(is_nested, run))),
    }
}

/// Does the same where it may wait: while too much is queued, wakes its caller once there is room, and keeps the closure.
pub(super) fn poll_blocking(run: &mut Option<Box<dyn FnOnce() + Send>>, waker: &Waker) -> Poll<()> {
    let Some(closure) = run.take() else { return Poll::Ready(()) };
    match place() {
        Place::Runtime(runtime) => run_on(&runtime, closure),
        Place::Own(is_nested) => {
            let slot = Arc::new(Mutex::new(Some(closure)));
            let shared = Arc::clone(&slot);
            let task = Task::awaited(move || {
                let closure = lock(&shared).take();
                taking_from_runtime(is_nested, || closure.into_iter().for_each(|run| run()));
            });
            if submit_or_wait(task, waker).is_pending() {
                *run = lock(&slot).take();
                return Poll::Pending;
            }
        }
    }
    Poll::Ready(())
}

/// Where a closure finds a thread.
enum Place {
    Runtime(Handle),
    /// On chorde's own; whether what is asked for by that runs there too.
    Own(bool),
}

fn place() -> Place {
    let is_nested = TAKES_FROM_RUNTIME.try_with(Cell::get).unwrap_or(false);
    match Handle::try_current() {
        Ok(runtime) if !is_nested => Place::Runtime(runtime),
        _ => Place::Own(is_nested),
    }
}

fn run_on(runtime: &Handle, run: impl FnOnce() + Send + 'static) {
    let shared = shared();
    let counted = Counted::new(shared, &mut shared.lock());
    let blocking = move || {
        let _counted = counted;
        taking_from_runtime(true, run);
    };
    drop(runtime.spawn_blocking(blocking));
}

fn taking_from_runtime(is_so: bool, run: impl FnOnce()) {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            let _ = TAKES_FROM_RUNTIME.try_with(|takes| takes.set(self.0));
        }
    }
    let _before = Before(TAKES_FROM_RUNTIME.try_with(|takes| takes.replace(is_so)).unwrap_or(false));
    run();
}

/// Futures without a runtime that are to be polled.
pub(super) struct Polls {
    ready: VecDeque<Runnable>,
    /// How many threads poll.
    polling: usize,
    /// How many threads may poll at once. More than there are processors, since a future may block in a poll although
    /// it should not.
    most: usize,
}

impl Default for Polls {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { ready: VecDeque::new(), polling: 0, most: (4 * processors).max(8) }
    }
}

impl Polls {
    /// Counts a thread again that has waited in a poll.
    pub(super) fn take_back(&mut self) {
        self.polling += 1;
    }

    /// Notes that there is no thread that polls.
    pub(super) fn none_polls(&mut self) {
        self.polling = 0;
    }

    /// Returns what is to be polled next by a thread that polls; if there is nothing, or enough others do, the thread
    /// ends.
    fn next(&mut self) -> Option<Runnable> {
        let next = if self.polling > self.most { None } else { self.ready.pop_front() };
        self.polling -= usize::from(next.is_none());
        next
    }
}

/// Runs a future on chorde's own threads.
pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    let shared = shared();
    let schedule = move |runnable| {
        let mut pool = shared.lock();
        pool.polls.ready.push_back(runnable);
        have_polled(shared, pool);
    };
    let (runnable, task) = async_task::spawn(future, schedule);
    task.detach();
    runnable.schedule();
}

/// Calls another thread to poll, if there is something to be polled and one more may.
fn have_polled(shared: &'static Shared, mut pool: MutexGuard<'static, Pool>) {
    if !pool.polls.ready.is_empty() && pool.polls.polling < pool.polls.most {
        pool.polls.polling += 1;
        drop(pool);
        hand_to_thread(shared, Box::new(move || poll_ready(shared)));
    }
}

/// Makes room for another thread while this one waits in a poll.
pub(super) fn lend(shared: &'static Shared) -> bool {
    let mut pool = shared.lock();
    pool.polls.polling -= 1;
    have_polled(shared, pool);
    true
}

/// Polls what is ready, until nothing is.
fn poll_ready(shared: &'static Shared) {
    let _at_work = working(AtWork::Poll);
    loop {
        let next = shared.lock().polls.next();
        let Some(runnable) = next else { return };
        if shielded(|| runnable.run()).is_none() {
            tell_seldom!(error, "a future in the background panicked outside of the user's function");
        }
    }
}
