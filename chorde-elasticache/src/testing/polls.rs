//! A count that threads wait for.

use std::io::{Error, ErrorKind, Result};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::PATIENCE;

/// How often the configuration was asked for.
#[derive(Debug, Default)]
pub(super) struct Polls {
    count: Mutex<u64>,
    raised: Condvar,
}

impl Polls {
    pub(super) fn raise(&self) {
        *self.lock() += 1;
        self.raised.notify_all();
    }

    pub(super) fn count(&self) -> u64 {
        *self.lock()
    }

    /// Waits for at least so many.
    pub(super) fn reach(&self, wanted: u64) -> Result<()> {
        let begun = Instant::now();
        let mut count = self.lock();
        while *count < wanted {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let text = format!("waited {} s for {wanted} polls, and there are {count}", PATIENCE.as_secs());
                return Err(Error::new(ErrorKind::TimedOut, text));
            }
            count = self.raised.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
