//! The computation of an asynchronous function with arguments of its own: driven by the caller that began it as long as that
//! is there, and in the background from then on.
//!
//! The caller polls it in its own task, so that task-locals and spans are those of the caller. It moves to the background when
//! the caller's future is dropped, or when it asked to be polled, others wait for it, and its caller does not poll it. In
//! the background it runs on the runtime on which it was begun, for sockets and timers belong to that.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::runtime::Handle;

use super::background::carry_on;
use super::context::{self, within};
use super::runtime::Ended;
use crate::flight::{Flight, Leader, Movable};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::user_code::wake;

/// A future of a named type that owns all that it needs.
pub(crate) type Owned<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// A computation that its caller and the background share. All but the caller's last step is the same whatever is computed,
/// and is compiled once.
struct Computation<W: ?Sized = dyn Work> {
    flight: Arc<Flight>,
    /// Where it was begun.
    runtime: Option<Handle>,
    /// Whether it goes on when nobody is left who wants its value.
    detach: bool,
    /// What the caller had around it.
    context: Option<Box<dyn context::Context>>,
    state: Mutex<State>,
    work: W,
}

/// The future that computes, or what it came to. Each method is for the one who has changed the stage accordingly.
trait Work: Send + Sync {
    /// Polls the future, and keeps what it comes to. It is not polled again after a panic.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()>;
    /// Drops whichever there is.
    fn clear(&self);
}

struct Kept<R>(Mutex<Inner<R>>);

enum Inner<R> {
    Future(Owned<R>),
    Ended(Ended<R>),
    /// Being polled, handed out, or dropped.
    Nothing,
}

struct State {
    stage: Stage,
    /// Whether the background drives it.
    is_moved: bool,
    caller: Caller,
    /// Has the background look again, which found the computation being polled by its caller.
    background: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// To be polled.
    Idle,
    /// Being polled.
    Polled,
    Ended,
    /// Handed out, or given up.
    Over,
}

/// The caller that began it.
enum Caller {
    /// Drives it, or has not been polled since the background does.
    Here,
    /// Waits for the background.
    Waits(Waker),
    Gone,
}

/// What one step came to.
enum Stepped {
    /// It is idle again.
    Idle,
    /// Nobody is left who wants its value.
    GivenUp,
    Ended,
}

/// Computes for a flight, by a future that is made of its leader; `detach` says whether it goes on when nobody is left who
/// wants its value.
pub(crate) fn begin<R: Send + 'static>(
    leader: Leader,
    detach: bool,
    compute: impl FnOnce(Leader) -> Owned<R>,
) -> Driving<R> {
    let (flight, since) = (Arc::clone(leader.flight()), leader.since());
    Driving::of(flight, since, detach, compute(leader))
}

impl<R: Send> Kept<R> {
    fn replace(&self, inner: Inner<R>) -> Inner<R> {
        std::mem::replace(&mut lock(&self.0), inner)
    }
}

impl<R: Send> Work for Kept<R> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Inner::Future(mut future) = self.replace(Inner::Nothing) else {
            unreachable!("invariant: an idle computation has a future")
        };
        let ended = match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => {
                self.replace(Inner::Future(future));
                return Poll::Pending;
            }
            Ok(Poll::Ready(returned)) => Ok(returned),
            Err(panic) => Err(panic),
        };
        self.replace(Inner::Ended(ended));
        drop(future);
        Poll::Ready(())
    }

    fn clear(&self) {
        // Dropped when the lock is not held.
        let _inner = self.replace(Inner::Nothing);
    }
}

impl<W: ?Sized> Computation<W> {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Computation {
    /// Polls it for one who has taken it.
    fn step(&self, cx: &Context<'_>) -> Stepped {
        if self.flight.step(cx, |cx| self.work.poll(cx)).is_ready() {
            return Stepped::Ended;
        }
        let is_awaited = self.detach || self.flight.is_awaited();
        let mut state = self.lock();
        if !is_awaited && matches!(state.caller, Caller::Gone) {
            state.stage = Stage::Over;
            drop(state);
            self.work.clear();
            return Stepped::GivenUp;
        }
        state.stage = Stage::Idle;
        Stepped::Idle
    }

    /// Polls it for its caller; afterwards, what it came to is the caller's.
    fn drive(&self, cx: &Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.lock();
        if state.goes_from(Stage::Ended, Stage::Over) {
            return Poll::Ready(());
        }
        // Also where it has moved: nobody may drive the runtime that it has moved to.
        if !state.goes_from(Stage::Idle, Stage::Polled) {
            let before = std::mem::replace(&mut state.caller, Caller::Waits(waker));
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        drop(state);
        let stepped = self.step(cx);
        let mut state = self.lock();
        if let Stepped::Ended = stepped {
            state.stage = Stage::Over;
            let background = state.background.take();
            drop(state);
            background.into_iter().for_each(wake);
            return Poll::Ready(());
        }
        if state.is_moved {
            // Meanwhile the background has taken over, and may have found it being polled, or ended it since.
            state.caller = Caller::Waits(waker.clone());
            let is_over = state.stage == Stage::Ended;
            let background = state.background.take();
            drop(state);
            background.into_iter().for_each(wake);
            if is_over {
                wake(waker);
            }
        }
        Poll::Pending
    }

    /// Leaves it to the background, or gives it up.
    fn leave(self: Arc<Self>) {
        let mut state = self.lock();
        state.caller = Caller::Gone;
        let has_ended = state.goes_from(Stage::Ended, Stage::Over);
        drop(state);
        if has_ended {
            self.work.clear();
        }
        // Afterwards: the caller and the last waiter may leave at once; the later of the two sees that the other has left.
        let goes_on = self.detach || self.flight.is_awaited();
        let mut state = self.lock();
        let is_given_up = !goes_on && state.goes_from(Stage::Idle, Stage::Over);
        let is_idle = state.stage == Stage::Idle;
        let is_moved = state.is_moved;
        drop(state);
        if is_given_up {
            self.work.clear();
        }
        if !goes_on {
            // The background has nothing to wait for any more, if it drives it.
            self.flight.wake_driver();
        } else if is_idle && !is_moved {
            self.move_to_background();
        }
    }

    fn move_to_background(self: Arc<Self>) {
        let mut state = self.lock();
        if state.is_moved || matches!(state.stage, Stage::Ended | Stage::Over) {
            return;
        }
        state.is_moved = true;
        drop(state);
        self.flight.moved();
        let runtime = self.runtime.clone();
        carry_on(runtime, Box::pin(Carried(self)));
    }

    /// Gives it up if its caller is gone too.
    fn give_up(&self) {
        if self.detach {
            return;
        }
        let mut state = self.lock();
        if !matches!(state.caller, Caller::Gone) {
            return;
        }
        let is_given_up = state.goes_from(Stage::Idle, Stage::Over);
        drop(state);
        if is_given_up {
            self.work.clear();
        }
        // The background has nothing to wait for any more.
        self.flight.wake_driver();
    }
}

impl State {
    /// Goes from one stage to another, if it is there.
    fn goes_from(&mut self, from: Stage, to: Stage) -> bool {
        let is_there = self.stage == from;
        if is_there {
            self.stage = to;
        }
        is_there
    }
}

impl<W: Work + 'static> Movable for Computation<W> {
    fn move_on(self: Arc<Self>) {
        let computation: Arc<Computation> = self;
        computation.move_to_background();
    }

    fn nobody_waits(self: Arc<Self>) {
        let computation: &Computation = &*self;
        computation.give_up();
    }
}

/// The caller's side of a computation. Dropped, it leaves the computation to the background.
pub(crate) struct Driving<R: Send + 'static>(Arc<Computation<Kept<R>>>);

impl<R: Send + 'static> Driving<R> {
    fn of(flight: Arc<Flight>, since: u64, detach: bool, future: Owned<R>) -> Self {
        let runtime = Handle::try_current().ok();
        let state = State { stage: Stage::Idle, is_moved: false, caller: Caller::Here, background: None };
        let computation = Arc::new(Computation {
            flight,
            runtime: runtime.clone(),
            detach,
            context: context::capture(),
            state: Mutex::new(state),
            work: Kept(Mutex::new(Inner::Future(future))),
        });
        let movable = Arc::downgrade(&computation);
        computation.flight.computes_by_future(since, runtime, Some(movable));
        Self(computation)
    }
}

impl<R: Send + 'static> Future for Driving<R> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let computation: &Computation = &*self.0;
        ready!(computation.drive(cx));
        match self.0.work.replace(Inner::Nothing) {
            Inner::Ended(Ok(returned)) => Poll::Ready(returned),
            Inner::Ended(Err(panic)) => resume_unwind(panic),
            Inner::Future(_) | Inner::Nothing => unreachable!("invariant: not polled after its end"),
        }
    }
}

impl<R: Send + 'static> Drop for Driving<R> {
    fn drop(&mut self) {
        let computation: Arc<Computation> = self.0.clone();
        computation.leave();
    }
}

/// The background's side of a computation. Dropped before the end, as with its runtime, it leaves the computation to the
/// caller, if that is there, or gives it up: one of those who wait computes.
struct Carried(Arc<Computation>);

impl Future for Carried {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let computation = &self.0;
        let waker = cx.waker().clone();
        let mut state = computation.lock();
        // A caller that polls as well wakes it at the end of its step, and leaves the computation to it.
        let before = state.background.replace(waker);
        if !state.goes_from(Stage::Idle, Stage::Polled) {
            let is_over = state.stage != Stage::Polled;
            drop(state);
            drop(before);
            return if is_over { Poll::Ready(()) } else { Poll::Pending };
        }
        drop(state);
        drop(before);
        match within(computation.context.as_deref(), || computation.step(cx)) {
            Stepped::Idle => Poll::Pending,
            Stepped::GivenUp => Poll::Ready(()),
            Stepped::Ended => {
                let mut state = computation.lock();
                let caller = std::mem::replace(&mut state.caller, Caller::Here);
                let is_unheard = matches!(caller, Caller::Gone);
                if is_unheard {
                    state.caller = Caller::Gone;
                }
                state.stage = if is_unheard { Stage::Over } else { Stage::Ended };
                drop(state);
                if is_unheard {
                    computation.work.clear();
                }
                if let Caller::Waits(waker) = caller {
                    wake(waker);
                }
                Poll::Ready(())
            }
        }
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(state.stage, Stage::Ended | Stage::Over) {
            return;
        }
        state.is_moved = false;
        let (mut is_given_up, mut woken) = (false, None);
        match std::mem::replace(&mut state.caller, Caller::Here) {
            Caller::Here => {}
            Caller::Waits(waker) => woken = Some(waker),
            Caller::Gone => {
                state.caller = Caller::Gone;
                is_given_up = state.goes_from(Stage::Idle, Stage::Over);
            }
        }
        drop(state);
        if is_given_up {
            self.0.work.clear();
        }
        woken.into_iter().for_each(wake);
    }
}

impl<R: Send + 'static> std::fmt::Debug for Driving<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driving").field("flight", &self.0.flight).finish_non_exhaustive()
    }
}
