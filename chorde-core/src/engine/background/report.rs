//! How a job ended, for one who waits to be told.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, MutexGuard, lock};
use crate::user_code::wake;

/// Says how a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There was nothing to compute: the client holds a fresh value, or another call has computed one.
    Held,
    /// It computed, and the value was handed to the client.
    Computed,
    /// The function returned an error, which says this.
    Failed(String),
    /// The function panicked with this.
    Panicked(String),
    /// It was dropped before its end.
    Dropped,
}

#[derive(Default)]
struct State {
    ended: Option<Ended>,
    waker: Option<Waker>,
    is_unwanted: bool,
}

/// What the two ends share.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

/// The job's end; dropped without a word, it says so.
pub(crate) struct Reporter(Shared);

/// The end of the one who waits.
pub(crate) struct Reported(Shared);

/// Makes both ends.
pub(crate) fn report() -> (Reporter, Reported) {
    let shared = Shared::default();
    (Reporter(shared.clone()), Reported(shared))
}

impl Reporter {
    /// Says how the job ended. Only the first word counts.
    pub(crate) fn end(&self, ended: Ended) {
        let mut state = self.0.lock();
        state.ended.get_or_insert(ended);
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(wake);
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.end(Ended::Dropped);
    }
}

impl Reported {
    /// Returns what tells whether anybody still waits.
    pub(crate) fn wanted(&self) -> impl Fn() -> bool + Send + use<> {
        let shared = self.0.clone();
        move || !shared.lock().is_unwanted
    }
}

impl Future for Reported {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        // A waker's code is the user's: it runs outside of the lock.
        let waker = cx.waker().clone();
        let mut state = self.0.lock();
        if let Some(ended) = state.ended.clone() {
            return Poll::Ready(ended);
        }
        let before = state.waker.replace(waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Reported {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_unwanted = true;
        let waker = state.waker.take();
        drop(state);
        drop(waker);
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_dropped_says_so_and_the_first_word_counts() {
        let (reporter, reported) = report();
        assert!(reported.wanted()());
        drop(reporter);
        assert_eq!(crate::Wait::wait(reported), Ended::Dropped);
        let (reporter, reported) = report();
        reporter.end(Ended::Computed);
        reporter.end(Ended::Held);
        let wanted = reported.wanted();
        assert_eq!(crate::Wait::wait(reported), Ended::Computed);
        assert!(!wanted());
    }
}
