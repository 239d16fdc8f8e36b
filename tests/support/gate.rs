//! A gate that computations stop at, on threads and in tasks.

use std::future::poll_fn;
use std::sync::{Condvar, Mutex, PoisonError};
use std::task::{Poll, Waker};

use super::PATIENCE;

/// Holds up whoever passes until it is opened, and tells how many came.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// How many came to the gate so far.
    arrived: u64,
    /// How many may pass.
    permits: u64,
    wakers: Vec<Waker>,
}

impl Gate {
    pub const fn new() -> Self {
        let state = State { arrived: 0, permits: 0, wakers: Vec::new() };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrive(&self) {
        self.lock().arrived += 1;
        self.changed.notify_all();
    }

    /// Blocks the thread until it may pass.
    pub fn pass(&self) {
        self.arrive();
        let wait = self.changed.wait_timeout_while(self.lock(), PATIENCE, |state| state.permits == 0);
        let (mut state, timeout) = wait.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "nobody opened the gate");
        state.permits = state.permits.saturating_sub(1);
    }

    /// Waits until it may pass, in a task.
    pub async fn passed(&self) {
        self.arrive();
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.permits > 0 {
                state.permits -= 1;
                return Poll::Ready(());
            }
            state.wakers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until `count` have come to the gate since the beginning.
    pub fn await_arrivals(&self, count: u64) {
        let wait = self.changed.wait_timeout_while(self.lock(), PATIENCE, |state| state.arrived < count);
        let (state, _) = wait.unwrap_or_else(PoisonError::into_inner);
        assert!(state.arrived >= count, "only {} of {count} came to the gate", state.arrived);
    }

    /// Returns how many have come.
    pub fn arrivals(&self) -> u64 {
        self.lock().arrived
    }

    /// Lets `count` pass.
    pub fn admit(&self, count: u64) {
        let mut state = self.lock();
        state.permits = state.permits.saturating_add(count);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.changed.notify_all();
        for waker in wakers {
            waker.wake();
        }
    }

    /// Lets everybody pass from now on.
    pub fn open(&self) {
        self.admit(u64::MAX / 2);
    }
}
