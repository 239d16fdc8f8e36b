//! The computation of an asynchronous function with arguments of its own: driven by the caller that began it as long as that
//! is there, and in the background from then on.
//!
//! The caller polls it in its own task, so that task-locals and spans are those of the caller. It moves to the background when
//! the caller's future is dropped, or when it asked to be polled, others wait for it, and its caller does not poll it. In
//! the background it runs on the runtime on which it was begun, for sockets and timers belong to that.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

use super::background::carry_on;
use super::context::{self, within};
use super::runtime::Ended;
use crate::flight::{Flight, Leader, Movable};
use crate::sync::{Mutex, MutexGuard, lock};

/// A future of a named type that owns all that it needs.
pub(crate) type Owned<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// A computation that its caller and the background share.
struct Computation<R> {
    flight: Arc<Flight>,
    /// Where it was begun.
    runtime: Option<Handle>,
    /// Whether it goes on when nobody is left who wants its value.
    detach: bool,
    /// What the caller had around it.
    context: Option<Box<dyn context::Context>>,
    state: Mutex<State<R>>,
}

struct State<R> {
    stage: Stage<R>,
    /// Whether the background drives it.
    is_moved: bool,
    caller: Caller,
    /// Has the background look again, which found the computation being polled by its caller.
    background: Option<Waker>,
}

enum Stage<R> {
    /// To be polled.
    Idle(Owned<R>),
    /// Taken out while it is polled.
    Polled,
    Ended(Ended<R>),
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
enum Stepped<R> {
    /// It is idle again.
    Idle,
    /// Nobody is left who wants its value.
    GivenUp,
    Ended(Ended<R>),
}

/// Computes for a flight, by a future that is made of its leader; `detach` says whether it goes on when nobody is left who
/// wants its value.
pub(crate) fn begin<R: Send + 'static>(
    leader: Leader,
    detach: bool,
    compute: impl FnOnce(Leader) -> Owned<R>,
) -> Driving<R> {
    let runtime = Handle::try_current().ok();
    let flight = Arc::clone(leader.flight());
    let computation = Arc::new_cyclic(|this: &Weak<Computation<R>>| {
        let this: Weak<Computation<R>> = Weak::clone(this);
        leader.computes_by_future(runtime.clone(), Some(this));
        let state =
            State { stage: Stage::Idle(compute(leader)), is_moved: false, caller: Caller::Here, background: None };
        Computation { flight, runtime, detach, context: context::capture(), state: Mutex::new(state) }
    });
    Driving(computation)
}

impl<R: Send + 'static> Computation<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        lock(&self.state)
    }

    /// Polls the future that was taken out of the state.
    fn step(&self, mut future: Owned<R>, cx: &Context<'_>) -> Stepped<R> {
        let step = self.flight.step(cx, |cx| {
            // It is not polled again after a panic.
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                Ok(step) => step.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        if let Poll::Ready(ended) = step {
            drop(future);
            return Stepped::Ended(ended);
        }
        let is_awaited = self.detach || self.flight.is_awaited();
        let mut state = self.lock();
        if !is_awaited && matches!(state.caller, Caller::Gone) {
            state.stage = Stage::Over;
            drop(state);
            drop(future);
            return Stepped::GivenUp;
        }
        state.stage = Stage::Idle(future);
        Stepped::Idle
    }
}

impl<R> State<R> {
    /// Takes the future out, to poll it.
    fn take_idle(&mut self) -> Option<Owned<R>> {
        match std::mem::replace(&mut self.stage, Stage::Polled) {
            Stage::Idle(future) => Some(future),
            other => {
                self.stage = other;
                None
            }
        }
    }

    fn take_ended(&mut self) -> Option<Ended<R>> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Ended(ended) => Some(ended),
            other => {
                self.stage = other;
                None
            }
        }
    }

    /// Takes the future out, to drop it where no lock is held.
    fn give_up(&mut self) -> Option<Owned<R>> {
        let future = self.take_idle();
        if future.is_some() {
            self.stage = Stage::Over;
        }
        future
    }
}

impl<R: Send + 'static> Movable for Computation<R> {
    fn move_on(self: Arc<Self>) {
        let mut state = self.lock();
        if state.is_moved || matches!(state.stage, Stage::Ended(_) | Stage::Over) {
            return;
        }
        state.is_moved = true;
        drop(state);
        self.flight.moved();
        let runtime = self.runtime.clone();
        carry_on(runtime, Box::pin(Carried(self)));
    }

    fn nobody_waits(self: Arc<Self>) {
        if self.detach {
            return;
        }
        let mut state = self.lock();
        if !matches!(state.caller, Caller::Gone) {
            return;
        }
        let future = state.give_up();
        drop(state);
        drop(future);
        // The background has nothing to wait for any more.
        self.flight.wake_driver();
    }
}

/// The caller's side of a computation. Dropped, it leaves the computation to the background.
pub(crate) struct Driving<R: Send + 'static>(Arc<Computation<R>>);

impl<R: Send + 'static> Future for Driving<R> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let computation = &self.0;
        let waker = cx.waker().clone();
        let mut state = computation.lock();
        if let Some(ended) = state.take_ended() {
            drop(state);
            return Poll::Ready(ended.unwrap_or_else(|panic| resume_unwind(panic)));
        }
        // Also where it has moved: nobody may drive the runtime that it has moved to.
        let Some(future) = state.take_idle() else {
            let before = std::mem::replace(&mut state.caller, Caller::Waits(waker));
            drop(state);
            drop(before);
            return Poll::Pending;
        };
        drop(state);
        match computation.step(future, cx) {
            Stepped::Ended(ended) => {
                let mut state = computation.lock();
                state.stage = Stage::Over;
                let background = state.background.take();
                drop(state);
                background.into_iter().for_each(Waker::wake);
                Poll::Ready(ended.unwrap_or_else(|panic| resume_unwind(panic)))
            }
            Stepped::Idle | Stepped::GivenUp => {
                let mut state = computation.lock();
                if state.is_moved {
                    // Meanwhile the background has taken over, and may have found it being polled, or ended it since.
                    state.caller = Caller::Waits(waker.clone());
                    let is_over = matches!(state.stage, Stage::Ended(_));
                    let background = state.background.take();
                    drop(state);
                    background.into_iter().for_each(Waker::wake);
                    if is_over {
                        waker.wake();
                    }
                }
                Poll::Pending
            }
        }
    }
}

impl<R: Send + 'static> Drop for Driving<R> {
    fn drop(&mut self) {
        let computation = &self.0;
        let mut state = computation.lock();
        state.caller = Caller::Gone;
        let ended = state.take_ended();
        drop(state);
        drop(ended);
        // Afterwards: the caller and the last waiter may leave at once; the later of the two sees that the other has left.
        let goes_on = computation.detach || computation.flight.is_awaited();
        let mut state = computation.lock();
        let given_up = if goes_on { None } else { state.give_up() };
        let is_idle = matches!(state.stage, Stage::Idle(_));
        let is_moved = state.is_moved;
        drop(state);
        drop(given_up);
        if !goes_on {
            // The background has nothing to wait for any more, if it drives it.
            computation.flight.wake_driver();
        } else if is_idle && !is_moved {
            Arc::clone(computation).move_on();
        }
    }
}

/// The background's side of a computation. Dropped before the end, as with its runtime, it leaves the computation to the
/// caller, if that is there, or gives it up: one of those who wait computes.
struct Carried<R: Send + 'static>(Arc<Computation<R>>);

impl<R: Send + 'static> Future for Carried<R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let computation = &self.0;
        let waker = cx.waker().clone();
        let mut state = computation.lock();
        // A caller that polls as well wakes it at the end of its step, and leaves the computation to it.
        let before = state.background.replace(waker);
        let Some(future) = state.take_idle() else {
            let is_over = !matches!(state.stage, Stage::Polled);
            drop(state);
            drop(before);
            return if is_over { Poll::Ready(()) } else { Poll::Pending };
        };
        drop(state);
        drop(before);
        match within(computation.context.as_deref(), || computation.step(future, cx)) {
            Stepped::Idle => Poll::Pending,
            Stepped::GivenUp => Poll::Ready(()),
            Stepped::Ended(ended) => {
                let mut state = computation.lock();
                let caller = std::mem::replace(&mut state.caller, Caller::Here);
                let unheard = if matches!(caller, Caller::Gone) {
                    (state.caller, state.stage) = (Caller::Gone, Stage::Over);
                    Some(ended)
                } else {
                    state.stage = Stage::Ended(ended);
                    None
                };
                drop(state);
                drop(unheard);
                if let Caller::Waits(waker) = caller {
                    waker.wake();
                }
                Poll::Ready(())
            }
        }
    }
}

impl<R: Send + 'static> Drop for Carried<R> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(state.stage, Stage::Ended(_) | Stage::Over) {
            return;
        }
        state.is_moved = false;
        let (mut given_up, mut woken) = (None, None);
        match std::mem::replace(&mut state.caller, Caller::Here) {
            Caller::Here => {}
            Caller::Waits(waker) => woken = Some(waker),
            Caller::Gone => {
                state.caller = Caller::Gone;
                given_up = state.give_up();
            }
        }
        drop(state);
        drop(given_up);
        if let Some(waker) = woken {
            waker.wake();
        }
    }
}

impl<R: Send + 'static> std::fmt::Debug for Driving<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driving").field("flight", &self.0.flight).finish_non_exhaustive()
    }
}
