//! A refresh on its way to the background.

use std::any::Any;
use std::fmt;
use std::future::Future;

use super::task::Task;
use crate::client::Token;
use crate::key::Key;
use crate::policy::RefreshPoint;

/// Recomputes one key; made by the code of `#[cached]`, with arguments that it owns.
pub struct Job(Box<dyn FnOnce(Ticket) -> Task + Send>);

impl Job {
    /// Makes a job of a closure that blocks its thread.
    pub fn blocking(run: impl FnOnce(Ticket) + Send + 'static) -> Self {
        Self(Box::new(move |ticket| Task::blocking(move || run(ticket))))
    }

    /// Makes a job of a future.
    pub fn future<F: Future<Output = ()> + Send + 'static>(run: impl FnOnce(Ticket) -> F + Send + 'static) -> Self {
        Self(Box::new(move |ticket| Task::future(async move { run(ticket).await })))
    }

    pub(crate) fn into_task(self, ticket: Ticket) -> Task {
        (self.0)(ticket)
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

/// Accompanies a job: why it runs, and what it holds until it ends.
#[derive(Debug)]
pub struct Ticket {
    /// What it computes.
    pub(crate) key: Key,
    /// Compute even if what is stored is fresh.
    pub(crate) is_forced: bool,
    /// From when on the entry was due for the call that sent the job.
    pub(crate) refresh: RefreshPoint,
    /// The claim under which it computes, if it was taken already.
    pub(crate) claim: Option<Taken>,
    /// Keeps others from sending the same job; released when dropped.
    pub(crate) hold: Box<dyn Any + Send + Sync>,
}

/// A claim that was taken before the job was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) token: Token,
    /// When its lease ends, by the client's clock.
    pub(crate) until: u64,
}
