//! The alarm of the oldest deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use chorde_core::{Clock, Sleep};

use super::queue::NEVER;

/// Keeps one alarm armed at or before the earliest deadline. It is not moved when that deadline is met: under load it
/// rings a few times a second, instead of being set for each request.
#[derive(Debug)]
pub(super) struct Timer {
    clock: Clock,
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    at: u64,
    /// Kept, for the alarm is its.
    _sleep: Sleep,
    waker: Waker,
}

impl Timer {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, armed: None }
    }

    /// Returns the time at which the alarm rings.
    pub(super) fn at(&self) -> u64 {
        self.armed.as_ref().map_or(NEVER, |armed| armed.at)
    }

    /// Returns the time if the alarm rang: deadlines are to be looked at, and the alarm is off.
    pub(super) fn rang(&mut self) -> Option<u64> {
        let at = self.armed.as_ref()?.at;
        let now = self.clock.now();
        if now < at {
            return None;
        }
        self.armed = None;
        Some(now)
    }

    /// Sees to it that the task is woken when `earliest` has come; returns whether it has.
    pub(super) fn arm(&mut self, earliest: u64, cx: &mut Context<'_>) -> bool {
        match &self.armed {
            _ if earliest == NEVER => return false,
            Some(armed) if armed.at <= earliest && armed.waker.will_wake(cx.waker()) => return false,
            _ => {}
        }
        let left = earliest.saturating_sub(self.clock.now());
        let mut sleep = self.clock.sleep(Duration::from_nanos(left));
        let over = Pin::new(&mut sleep).poll(cx).is_ready();
        self.armed = Some(Armed { at: earliest, _sleep: sleep, waker: cx.waker().clone() });
        // The clock may have moved between its reading and the beginning of the sleep.
        over || self.clock.now() >= earliest
    }
}
