//! A refresh on its way to the background.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::report::Reporter;
use super::task::Task;
use crate::client::Token;
use crate::engine::Mode;
use crate::flight::Leader;
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

    /// Makes it the future of a computation, where it is one.
    pub(crate) fn into_future(self, ticket: Ticket) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.into_task(ticket).into_future()
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
    /// The call for which it computes.
    pub(crate) call: Option<CallFlight>,
    /// Where one who waits is told how the job ended.
    pub(crate) report: Option<Reporter>,
    /// Whether a computation that is under way is waited for: somebody wants the result.
    pub(crate) waits_for_others: bool,
}

impl Ticket {
    /// Makes the ticket of a call that leads a flight.
    pub(crate) fn of_call(key: Key, refresh: RefreshPoint, leader: Leader, mode: Mode) -> Self {
        let call = Some(CallFlight { leader, mode, slot: None });
        Self { call, ..Self::of_key(key, refresh) }
    }

    /// Makes the ticket of a job that one waits for who warms many keys.
    pub(crate) fn of_warming(key: Key, refresh: RefreshPoint, report: Reporter) -> Self {
        Self { report: Some(report), waits_for_others: true, ..Self::of_key(key, refresh) }
    }

    /// Makes the ticket of a job that holds nothing.
    fn of_key(key: Key, refresh: RefreshPoint) -> Self {
        Self {
            key,
            is_forced: false,
            refresh,
            claim: None,
            hold: Box::new(()),
            call: None,
            report: None,
            waits_for_others: false,
        }
    }

    /// Makes the ticket of a refresh, which keeps others from sending the same.
    pub(crate) fn of_refresh(
        key: Key,
        refresh: RefreshPoint,
        is_forced: bool,
        claim: Option<Taken>,
        hold: impl Any + Send + Sync,
    ) -> Self {
        Self { is_forced, claim, hold: Box::new(hold), waits_for_others: is_forced, ..Self::of_key(key, refresh) }
    }

    /// Has the result of the call left in a place of its type.
    pub(crate) fn leave_result_in(&mut self, slot: Arc<dyn Any + Send + Sync>) {
        if let Some(call) = &mut self.call {
            call.slot = Some(slot);
        }
    }

    /// Returns what is to be held as long as the job runs: forced jobs let go of the key as they start, so that from there on
    /// others line up for the next flight. All others keep the key until they end.
    pub(crate) fn keep_hold(&mut self) -> Option<Box<dyn Any + Send + Sync>> {
        let hold = std::mem::replace(&mut self.hold, Box::new(()));
        (!self.is_forced).then_some(hold)
    }
}

/// What a call brings that has its computation done by a job.
#[derive(Debug)]
pub(crate) struct CallFlight {
    pub(crate) leader: Leader,
    pub(crate) mode: Mode,
    /// Where its result is to be left, if the job does not return it.
    pub(crate) slot: Option<Arc<dyn Any + Send + Sync>>,
}

/// A claim that was taken before the job was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) token: Token,
    /// When its lease ends, by the client's clock.
    pub(crate) until: u64,
}
