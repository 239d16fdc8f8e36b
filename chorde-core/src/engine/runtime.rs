//! How a future is run: to its end on this thread, or step by step with what it panics with caught.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use tokio::runtime::Handle;

use super::background::without_place;
use crate::flight::active;
use crate::flight::{Flight, Leader};
use crate::sync::block_on;

thread_local! {
    /// How many calls of [`wait`] this thread is in.
    static WAITS: Cell<u32> = const { Cell::new(0) };
}

/// Returns whether what runs on this thread is waited for by [`Wait::wait`], which blocks the thread.
///
/// A client that leaves work to an executor must not choose the one that the thread belongs to: it may stand still until
/// the wait is over.
///
/// # Examples
///
/// ```
/// use chorde_core::{Wait, is_waiting};
///
/// assert!(!is_waiting());
/// assert!(async { is_waiting() }.wait());
/// ```
#[must_use]
pub fn is_waiting() -> bool {
    WAITS.try_with(Cell::get).is_ok_and(|waits| waits > 0)
}

/// Counts one wait of this thread, up to its end or panic.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        let _ = WAITS.try_with(|waits| waits.set(waits.get() + 1));
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = WAITS.try_with(|waits| waits.set(waits.get() - 1));
    }
}

/// Runs a future to its end on this thread, blocking it where the future waits.
pub fn wait<F: Future>(future: F) -> F::Output {
    let _waiting = Waiting::begin();
    let mut future = pin!(future);
    // Whatever needs no waiting, such as all that a client in this process does, ends here.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    let mut output = None;
    block(&mut |cx| future.as_mut().poll(cx).map(|ready| output = Some(ready)));
    output.expect("invariant: it is blocked on until it is ready")
}

/// Blocks this thread on the steps of a future; compiled once, for it is part of every function's miss.
fn block(step: &mut dyn FnMut(&mut Context<'_>) -> Poll<()>) {
    active::idle(|| without_place(|| block_on(poll_fn(step))));
}

/// Runs futures from plain code.
pub trait Wait: Future + Sized {
    /// Runs the future to its end on this thread and returns its output.
    ///
    /// Blocks the thread while the future waits; not for use inside of an asynchronous function. The operations of all
    /// of chorde's clients can be waited for anywhere; other futures that need a runtime, such as those of `tokio`'s
    /// sockets, must be waited for inside of its context.
    ///
    /// # Examples
    ///
    /// ```
    /// use chorde_core::Wait;
    ///
    /// assert_eq!(async { 7 }.wait(), 7);
    /// ```
    fn wait(self) -> Self::Output {
        wait(self)
    }
}

impl<F: Future> Wait for F {}

/// What a user's function ended with.
pub(crate) type Ended<R> = thread::Result<R>;

/// A flight that is computed in its leader's own future.
pub(crate) struct InPlace(Arc<Flight>);

/// Notes that a leader computes in its own future.
pub(crate) fn lead_in_place(leader: &Leader) -> InPlace {
    leader.flight().computes_by_future(leader.since(), Handle::try_current().ok(), None);
    InPlace(Arc::clone(leader.flight()))
}

impl InPlace {
    /// Runs that future.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    pub(crate) fn run<F: Future>(self, run: F) -> impl Future<Output = F::Output> {
        async move {
            let mut run = pin!(run);
            poll_fn(|cx| self.0.step(cx, |cx| run.as_mut().poll(cx))).await
        }
    }
}

/// Runs a future, catching its panic.
pub(crate) async fn catch<F: Future>(run: F) -> Ended<F::Output> {
    let mut run = pin!(run);
    poll_fn(|cx| {
        // The future is not used again after a panic, and what it shares with others is theirs to protect.
        match catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(cx))) {
            Ok(step) => step.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}
