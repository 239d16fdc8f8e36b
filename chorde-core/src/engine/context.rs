//! What goes along with work into the background: spans and task-locals, which belong to the task or thread of a caller.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::OnceLock;

use crate::user_code::{shielded, tell};

/// Surrounds each step of work in the background with what its caller had around it.
///
/// # Examples
///
/// A task-local of `tokio` that goes along:
///
/// ```
/// use chorde_core::background::{Context, set_context};
///
/// tokio::task_local! {
///     static REQUEST: u64;
/// }
///
/// struct Request(u64);
///
/// impl Context for Request {
///     fn run(&self, step: &mut dyn FnMut()) {
///         REQUEST.sync_scope(self.0, step);
///     }
/// }
///
/// set_context(|| REQUEST.try_with(|request| Box::new(Request(*request)) as Box<dyn Context>).ok());
/// ```
///
/// A span of `tracing`: keep `tracing::Span::current()`, and let `run` be `self.0.in_scope(step)`.
pub trait Context: Send + Sync {
    /// Runs one step: once, on this thread.
    fn run(&self, step: &mut dyn FnMut());
}

/// Captures the context of a caller, if it has one.
pub type Capture = fn() -> Option<Box<dyn Context>>;

/// Lives beyond one run of a model checker.
static CAPTURE: OnceLock<Capture> = OnceLock::new();

/// Has `capture` called by each call that begins work which may go on in the background: a refresh, a
/// [`CacheFuture`](crate::CacheFuture), the computation of an asynchronous function. The latter runs in the task of its caller
/// as long as that is there, and within the captured context from then on.
///
/// Returns whether it was the first: the choice holds for the whole process, and a program makes it once, at its start.
pub fn set_context(capture: Capture) -> bool {
    CAPTURE.set(capture).is_ok()
}

/// Captures the context of this caller.
pub(crate) fn capture() -> Option<Box<dyn Context>> {
    shielded(|| CAPTURE.get().and_then(|capture| capture())).unwrap_or_else(|| {
        tell!(error, "the capture of a context panicked: the background goes on without it");
        None
    })
}

/// Runs something within a context; that is run whatever becomes of the context.
pub(crate) fn within<R>(context: Option<&dyn Context>, run: impl FnOnce() -> R) -> R {
    let Some(context) = context else { return run() };
    let (mut run, mut result) = (Some(run), None);
    let surrounded = shielded(|| {
        context.run(&mut || result = run.take().map(|run| catch_unwind(AssertUnwindSafe(run))));
    });
    if surrounded.is_none() {
        tell!(error, "the context of a computation in the background panicked");
    }
    match result {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        // A context that does not run it is passed over.
        None => run.map(|run| run()).expect("invariant: it was run, or is now"),
    }
}

/// Runs each step of a future within the context of this caller.
pub(crate) fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
    let context = capture();
    async move {
        let mut future = pin!(future);
        poll_fn(|cx| within(context.as_deref(), || future.as_mut().poll(cx))).await
    }
}

impl fmt::Debug for dyn Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}
