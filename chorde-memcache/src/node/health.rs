//! What answers and failures say of a server, as its callers see them: whether it is in use, and what it has missed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::breaker::severity;
use super::{Node, lock, prober};
use crate::command::{Command, Failure};

impl Node {
    /// Notes that the server answered.
    pub(super) fn answered(&self) {
        if self.is_troubled.load(Ordering::Relaxed) {
            self.is_troubled.store(false, Ordering::Relaxed);
            lock(&self.breaker).succeeded();
        }
    }

    /// Returns whether an operation on the server has run into its deadline after this time.
    pub(crate) fn timed_out_after(&self, time: u64) -> bool {
        self.timed_out_at.load(Ordering::Relaxed) > time
    }

    /// Notes that the server did not answer.
    pub(crate) fn failed(self: &Arc<Self>, failure: &Failure, is_news: bool, commands: &[Command<'_>]) {
        match failure {
            Failure::Overloaded => return self.counters.refused.one(),
            Failure::Timeout => {
                self.counters.timeouts.one();
                self.timed_out_at.store(self.clock.now(), Ordering::Relaxed);
            }
            _ => self.counters.failures.one(),
        }
        self.note_owed(commands, None, may_come_late(failure));
        self.is_troubled.store(true, Ordering::Relaxed);
        let mut breaker = lock(&self.breaker);
        if is_news && breaker.failed(severity(failure), self.clock.now(), fastrand::u64(..)) {
            self.in_use.store(false, Ordering::Release);
            drop(breaker);
            self.counters.outages.one();
            log::warn!("chorde: memcached {} is out of use: {failure}", self.name);
            prober::start(self);
        } else {
            drop(breaker);
            self.pay_if_in_use();
        }
    }
}

/// Returns whether commands that failed so may be carried out later: they were sent, and nobody knows what became of them.
fn may_come_late(failure: &Failure) -> bool {
    matches!(failure, Failure::Timeout | Failure::Closed { unsent: false, .. } | Failure::Protocol(_))
}
