//! The handle of a computation that goes on without its caller.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::engine::background::{carry_on, run_blocking};
use crate::engine::context::{self, carried, within};
use crate::engine::runtime::wait;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::user_code::{shielded, tell, wake};

/// Yields the result of a cached function, or of one of its companions, without blocking.
///
/// It may be awaited on any executor, waited for from plain code with [`wait`](crate::Wait::wait) or
/// [`wait_timeout`](Self::wait_timeout), or given a callback with [`on_done`](Self::on_done). The computation goes on
/// whether or not anybody waits; dropping this does not cancel it.
///
/// # Errors
///
/// [`ErrorKind::Cancelled`] when it was cancelled or its executor went away, [`ErrorKind::Panicked`] when the function
/// panicked. [`ErrorKind::Overloaded`] when too many are queued: only for plain functions outside of a `tokio` runtime, of
/// which each takes a thread.
///
/// # Cancel safety
///
/// May be polled, dropped and polled again through `&mut`; the result is handed out once.
///
/// # Examples
///
/// ```
/// use chorde_core::{CacheFuture, Wait};
///
/// let answer = CacheFuture::blocking(|| 6 * 7);
/// assert_eq!(answer.wait()?, 42);
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[must_use = "the computation goes on without it, but its result and its errors are lost"]
pub struct CacheFuture<R>(Repr<R>);

enum Repr<R> {
    /// Known from the start.
    Ready(Option<Result<R>>),
    /// To come.
    Pending(Arc<Shared<R>>),
}

/// What the future and the computation share.
struct Shared<R>(Mutex<State<R>>);

type Callback<R> = Box<dyn FnOnce(Result<R>) + Send>;

enum State<R> {
    /// Not begun; may still be cancelled.
    Waiting(Listener<R>),
    Running(Listener<R>),
    Done(Result<R>),
    /// The result was handed out.
    Taken,
}

/// Who is told of the end.
enum Listener<R> {
    Nobody,
    Waker(Waker),
    Callback(Callback<R>),
}

impl<R> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        lock(&self.0)
    }
}

impl<R> Unpin for CacheFuture<R> {}

impl<R: Send + 'static> CacheFuture<R> {
    /// Makes a future of a result that is known.
    pub fn ready(value: R) -> Self {
        Self(Repr::Ready(Some(Ok(value))))
    }

    /// Runs a closure in the background, on a thread that it may block: one of the caller's `tokio` runtime if there is one,
    /// else one of chorde's, for which it may have to queue ([`background::Limits`](crate::background::Limits)).
    pub fn blocking(run: impl FnOnce() -> R + Send + 'static) -> Self {
        let (promise, future) = Self::pair();
        let context = context::capture();
        let submitted = run_blocking(move || {
            if promise.begin() {
                promise.settle(caught(|| within(context.as_deref(), run)));
            }
        });
        match submitted {
            Ok(()) => future,
            Err(refused) => Self(Repr::Ready(Some(Err(refused)))),
        }
    }

    /// Runs a future in the background: on the `tokio` runtime of the caller if there is one, else on chorde's threads. It
    /// begins at once, however many there are.
    pub fn spawn(run: impl Future<Output = R> + Send + 'static) -> Self {
        let ((promise, future), run) = (Self::pair(), carried(run));
        let carried = async move {
            if promise.begin() {
                let run = crate::engine::runtime::catch(run).await;
                promise.settle(run.map_err(|_| panicked()));
            }
        };
        carry_on(Handle::try_current().ok(), Box::pin(carried));
        future
    }

    /// Takes the first step of a future at once and the rest, if there is any, in the background.
    ///
    /// For operations that are mostly ready at once, and whose steps never block.
    pub fn operation(run: impl Future<Output = R> + Send + 'static) -> Self {
        let mut run = Box::pin(run);
        match run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Self::ready(value),
            Poll::Pending => Self::spawn(run),
        }
    }

    fn pair() -> (Promise<R>, Self) {
        let shared = Arc::new(Shared(Mutex::new(State::Waiting(Listener::Nobody))));
        (Promise(Arc::clone(&shared)), Self(Repr::Pending(shared)))
    }

    /// Returns whether the result has come (and, perhaps, gone).
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Repr::Ready(_) => true,
            Repr::Pending(shared) => matches!(*shared.lock(), State::Done(_) | State::Taken),
        }
    }

    /// Keeps the computation from starting; returns whether that came in time. Once it has started it goes on.
    pub fn cancel(&self) -> bool {
        let Repr::Pending(shared) = &self.0 else { return false };
        let mut state = shared.lock();
        if !matches!(*state, State::Waiting(_)) {
            return false;
        }
        let listener = finish(&mut state, Err(cancelled()));
        drop(state);
        listener.tell();
        true
    }

    /// Calls `callback` with the result when it is there: at once, or on the thread that computes it. A panic of it is logged.
    pub fn on_done(self, callback: impl FnOnce(Result<R>) + Send + 'static) {
        let shared = match self.0 {
            Repr::Ready(result) => {
                return Told::Call(Box::new(callback), result.unwrap_or_else(|| Err(taken()))).tell();
            }
            Repr::Pending(shared) => shared,
        };
        let mut state = shared.lock();
        match &mut *state {
            State::Waiting(listener) | State::Running(listener) => {
                let before = std::mem::replace(listener, Listener::Callback(Box::new(callback)));
                drop(state);
                return drop(before);
            }
            State::Done(_) | State::Taken => {}
        }
        let result = take(&mut state);
        drop(state);
        Told::Call(Box::new(callback), result).tell();
    }

    /// Waits for the result from plain code, at most for `timeout`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] when the result is not there by then: it can be waited for again. Otherwise as for the type.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<R> {
        let late = Clock::system().sleep(timeout);
        wait(async {
            let mut late = pin!(late);
            std::future::poll_fn(|cx| {
                if let Poll::Ready(result) = Pin::new(&mut *self).poll(cx) {
                    return Poll::Ready(result);
                }
                let late = late.as_mut().poll(cx);
                late.map(|()| Err(Error::new(ErrorKind::Timeout, "the computation is not at its end yet")))
            })
            .await
        })
    }
}

impl<R> Future for CacheFuture<R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let shared = match &mut self.0 {
            Repr::Ready(result) => return Poll::Ready(result.take().unwrap_or_else(|| Err(taken()))),
            Repr::Pending(shared) => shared,
        };
        // A waker's code is the user's: it runs outside of the lock.
        let waker = cx.waker().clone();
        let mut state = shared.lock();
        match &mut *state {
            State::Waiting(listener) | State::Running(listener) => {
                let before = std::mem::replace(listener, Listener::Waker(waker));
                drop(state);
                drop(before);
                Poll::Pending
            }
            State::Done(_) | State::Taken => Poll::Ready(take(&mut state)),
        }
    }
}

/// Takes out the result of a state that has one.
fn take<R>(state: &mut State<R>) -> Result<R> {
    match std::mem::replace(state, State::Taken) {
        State::Done(result) => result,
        State::Waiting(_) | State::Running(_) | State::Taken => Err(taken()),
    }
}

/// Enters the result; returns what is left to do without the lock.
fn finish<R>(state: &mut State<R>, result: Result<R>) -> Told<R> {
    match std::mem::replace(state, State::Taken) {
        State::Waiting(listener) | State::Running(listener) => match listener {
            Listener::Callback(callback) => Told::Call(callback, result),
            Listener::Waker(waker) => {
                *state = State::Done(result);
                Told::Wake(waker)
            }
            Listener::Nobody => {
                *state = State::Done(result);
                Told::Nobody
            }
        },
        ended => {
            *state = ended;
            Told::Nobody
        }
    }
}

enum Told<R> {
    Nobody,
    Wake(Waker),
    Call(Callback<R>, Result<R>),
}

impl<R> Told<R> {
    fn tell(self) {
        match self {
            Self::Nobody => {}
            Self::Wake(waker) => wake(waker),
            Self::Call(callback, result) => {
                if shielded(|| callback(result)).is_none() {
                    tell!(error, "a callback of a future of a cached function panicked");
                }
            }
        }
    }
}

/// The computation's end of the future; dropped without a result, it cancels.
struct Promise<R>(Arc<Shared<R>>);

impl<R> Promise<R> {
    /// Marks the computation as begun; refuses if it was cancelled.
    fn begin(&self) -> bool {
        let mut state = self.0.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Waiting(listener) => {
                *state = State::Running(listener);
                true
            }
            ended => {
                *state = ended;
                false
            }
        }
    }

    fn settle(&self, result: Result<R>) {
        let mut state = self.0.lock();
        let told = finish(&mut state, result);
        drop(state);
        told.tell();
    }
}

impl<R> Drop for Promise<R> {
    fn drop(&mut self) {
        self.settle(Err(cancelled()));
    }
}

fn caught<R>(run: impl FnOnce() -> R) -> Result<R> {
    shielded(run).ok_or_else(panicked)
}

fn panicked() -> Error {
    Error::new(ErrorKind::Panicked, "the computation panicked")
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the computation was cancelled before its end")
}

fn taken() -> Error {
    Error::new(ErrorKind::Cancelled, "the result was handed out before")
}

impl<R> fmt::Debug for CacheFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.0 {
            Repr::Ready(_) => "ready",
            Repr::Pending(shared) => match *shared.lock() {
                State::Waiting(_) => "waiting",
                State::Running(_) => "running",
                State::Done(_) => "done",
                State::Taken => "taken",
            },
        };
        f.debug_tuple("CacheFuture").field(&state).finish()
    }
}
