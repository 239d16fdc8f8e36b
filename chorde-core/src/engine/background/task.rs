//! A piece of background work, before it has a place.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::executor::poll_blocking;
use super::report::{Ended, Reported};
use crate::clock::{Clock, nanos};
use crate::engine::context::{self, carried, within};
use crate::engine::runtime::catch;
use crate::sync::{AtomicU64, Ordering};
use crate::user_code::told_by_panic;

/// A future that is run for what it does.
pub(crate) type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something to do.
pub(crate) struct Task {
    pub(super) work: Work,
    pub(super) kind: Kind,
    /// The runtime in whose context the task was made.
    pub(super) runtime: Option<Handle>,
    /// Whose work it is, and how long it may keep its place from others.
    pub(super) terms: Option<Terms>,
}

pub(super) enum Work {
    Blocking(Box<dyn FnOnce() + Send>),
    Future(Run),
}

/// Which places and which queue a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A refresh of a plain function.
    Blocking,
    /// A refresh of an asynchronous function.
    Async,
    /// A future of a plain function.
    Awaited,
}

impl Task {
    pub(crate) fn blocking(run: impl FnOnce() + Send + 'static) -> Self {
        let context = context::capture();
        Self::new(Work::Blocking(Box::new(move || within(context.as_deref(), run))), Kind::Blocking)
    }

    pub(crate) fn future(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::new(Work::Future(Box::pin(carried(future))), Kind::Async)
    }

    /// A closure whose end somebody waits for.
    pub(crate) fn awaited(run: impl FnOnce() + Send + 'static) -> Self {
        Self::new(Work::Blocking(Box::new(run)), Kind::Awaited)
    }

    /// Makes it a future, of the work alone.
    pub(super) fn into_future(self) -> Run {
        match self.work {
            Work::Future(future) => future,
            Work::Blocking(run) => Box::pin(async move { run() }),
        }
    }

    /// Makes it a future that ends as the work reports: one that is polled by whoever waits, or takes a thread and waits until
    /// there is one. Dropped, it does not begin.
    pub(crate) fn awaited_by(self, reported: Reported) -> Pin<Box<dyn Future<Output = Ended> + Send>> {
        match self.work {
            Work::Future(run) => Box::pin(async move {
                match catch(run).await {
                    Ok(()) => reported.await,
                    Err(panic) => Ended::Panicked(told_by_panic(&*panic)),
                }
            }),
            Work::Blocking(run) => {
                let is_wanted = reported.wanted();
                let run = move || {
                    if is_wanted() {
                        run();
                    }
                };
                let mut run: Option<Box<dyn FnOnce() + Send>> = Some(Box::new(run));
                Box::pin(async move {
                    poll_fn(|cx| poll_blocking(&mut run, cx.waker())).await;
                    reported.await
                })
            }
        }
    }

    fn new(work: Work, kind: Kind) -> Self {
        Self { work, kind, runtime: Handle::try_current().ok(), terms: None }
    }

    /// Makes it the work of a function.
    pub(crate) fn on(self, terms: Terms) -> Self {
        Self { terms: Some(terms), ..self }
    }

    pub(super) fn function(&self) -> Option<usize> {
        self.terms.as_ref().map(|terms| terms.function)
    }
}

/// Says whose work a task is, and how long it may keep its place from others.
#[derive(Debug)]
pub(crate) struct Terms {
    /// Identifies the function.
    pub(crate) function: usize,
    pub(crate) clock: Clock,
    pub(crate) lease: Duration,
    /// When the task loses what it holds, by its clock; zero until it has a place.
    pub(crate) until: Arc<AtomicU64>,
}

impl Terms {
    /// Notes that the task has a place from now on; returns up to when, by its clock.
    pub(super) fn begin(&self) -> u64 {
        let until = self.clock.now().saturating_add(nanos(self.lease)).max(1);
        self.until.store(until, Ordering::SeqCst);
        until
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("kind", &self.kind).finish_non_exhaustive()
    }
}
