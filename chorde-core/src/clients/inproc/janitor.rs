//! Removes expired entries while nobody asks for them.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::registry::purge_all;
use crate::error::{Error, ErrorKind, Result};

/// Runs a janitor until dropped.
#[derive(Debug)]
#[must_use = "the janitor stops when this is dropped; call `detach` to let it run until the process ends"]
pub struct Janitor {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

/// Starts a thread that every `period` removes the entries of all in-process clients which have been stale for longer
/// than `grace`.
///
/// Without a janitor, expired entries go when their room is needed: memory is bounded all the same.
///
/// # Errors
///
/// [`ErrorKind::Config`] for a period of zero, [`ErrorKind::Unavailable`] when the system gives no thread.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let janitor = chorde_core::inproc::start_janitor(Duration::from_secs(60), Duration::from_secs(3600))?;
/// janitor.detach();
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub fn start_janitor(period: Duration, grace: Duration) -> Result<Janitor> {
    if period.is_zero() {
        return Err(Error::new(ErrorKind::Config, "janitor with `period` 0: give it at least a millisecond to rest"));
    }
    let stop = Arc::new(Stop::default());
    let seen = Arc::clone(&stop);
    let thread = std::thread::Builder::new()
        .name("chorde-janitor".into())
        .spawn(move || {
            while seen.rest(period) {
                purge_all(grace);
            }
        })
        .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot start the janitor's thread").with_source(error))?;
    Ok(Janitor { stop, thread: Some(thread) })
}

impl Stop {
    /// Waits for one period; returns whether to go on.
    fn rest(&self, period: Duration) -> bool {
        let end = Instant::now() + period;
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            stopped = self.changed.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

impl Janitor {
    /// Lets the janitor run until the process ends.
    pub fn detach(mut self) {
        self.thread = None;
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            *self.stop.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.stop.changed.notify_all();
            // A janitor that panicked has nothing left to stop.
            let _ = thread.join();
        }
    }
}
