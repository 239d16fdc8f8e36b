//! A value that threads change and wait for.

use std::io::{Error, ErrorKind, Result};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::PATIENCE;

/// A value under a lock; each change wakes those who wait for one.
#[derive(Debug, Default)]
pub(super) struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the value.
    pub(super) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the value.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits, however long, until `take` takes something from the value.
    pub(super) fn take<R>(&self, mut take: impl FnMut(&mut T) -> Option<R>) -> R {
        let mut value = self.lock();
        loop {
            if let Some(taken) = take(&mut value) {
                return taken;
            }
            value = self.changed.wait(value).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until `count` of the value is at least `wanted`; `what` is the name of what is counted.
    pub(super) fn reach(&self, wanted: u64, what: &str, count: impl Fn(&T) -> u64) -> Result<()> {
        let begun = Instant::now();
        let mut value = self.lock();
        loop {
            let have = count(&value);
            if have >= wanted {
                return Ok(());
            }
            let Some(left) = PATIENCE.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) else {
                let text = format!("waited {} s for {wanted} {what}, and there are {have}", PATIENCE.as_secs());
                return Err(Error::new(ErrorKind::TimedOut, text));
            };
            value = self.changed.wait_timeout(value, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
