//! A refresh of an asynchronous function that has begun: run by an executor, and droppable from outside, for that
//! executor may never go on.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, TryLockError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

use super::executor;
use super::permit::{Counted, Permit};
use super::task::Run;
use crate::sync::{Mutex, MutexGuard, lock};
use crate::user_code::wake;

/// What is left to do, and who runs it.
#[derive(Clone)]
pub(super) struct Refresh(Arc<Shared>);

struct Shared {
    /// The lock is held while it is polled.
    rest: Mutex<Option<Rest>>,
    /// Has the executor look, which then finds that nothing is left.
    executor: Mutex<Option<Waker>>,
}

/// A future that is not at its end. The fields are dropped in this order.
pub(super) struct Rest {
    future: Run,
    counted: Counted,
    /// Whether it was ever polled.
    is_touched: bool,
}

impl Refresh {
    pub(super) fn new(future: Run, counted: Counted) -> Self {
        let rest = Mutex::new(Some(Rest { future, counted, is_touched: false }));
        Self(Arc::new(Shared { rest, executor: Mutex::new(None) }))
    }

    /// Runs it under a permit. A runtime that has ended drops it.
    pub(super) fn start(self, runtime: Option<Handle>, permit: Permit) {
        let running = Running { refresh: self, permit: Some(permit) };
        match runtime {
            Some(runtime) => drop(runtime.spawn(running)),
            None => executor::spawn(running),
        }
    }

    /// Takes out what is left, unless it is being polled.
    pub(super) fn take(&self) -> Option<Rest> {
        let rest = self.unpolled()?.take()?;
        self.end_task();
        Some(rest)
    }

    /// Takes out what was never polled.
    pub(super) fn take_untouched(&self) -> Option<Rest> {
        let rest = self.unpolled()?.take_if(|rest| !rest.is_touched)?;
        self.end_task();
        Some(rest)
    }

    /// Lets the task end that has nothing to run any more.
    fn end_task(&self) {
        let executor = lock(&self.0.executor).take();
        executor.into_iter().for_each(wake);
    }

    fn unpolled(&self) -> Option<MutexGuard<'_, Option<Rest>>> {
        match self.0.rest.try_lock() {
            Ok(rest) => Some(rest),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// A refresh on its executor.
struct Running {
    refresh: Refresh,
    permit: Option<Permit>,
}

impl Running {
    /// Lets the next one in, and then those who wait for the end of all work.
    fn end(&mut self, rest: Option<Rest>) {
        let (future, counted) = rest.map(|rest| (rest.future, rest.counted)).unzip();
        drop(future);
        self.permit = None;
        drop(counted);
    }
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let refresh = self.refresh.clone();
        let waker = cx.waker().clone();
        let before = lock(&refresh.0.executor).replace(waker);
        drop(before);
        let mut held = lock(&refresh.0.rest);
        if let Some(rest) = &mut *held {
            rest.is_touched = true;
            if rest.future.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        let rest = held.take();
        drop(held);
        self.end(rest);
        Poll::Ready(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.permit.is_some() {
            let rest = lock(&self.refresh.0.rest).take();
            self.end(rest);
        }
    }
}
