//! Removes expired entries while nobody asks for them.

use std::panic::catch_unwind;
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

/// The janitor looks at the clock again after this long, for systems that cannot wait for longer.
const LONGEST_REST: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

/// Starts a thread that every `period` removes the entries of all in-process clients which have been stale for longer
/// than `grace`.
///
/// A period that no clock can show, such as [`Duration::MAX`], never ends: nothing is removed until the janitor is dropped. With
/// a `grace` that long, nothing ever is.
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
                // An eviction policy that panics costs its client this turn, and no other; the panic hook has reported it.
                let _ = catch_unwind(|| purge_all(grace));
            }
        })
        .map_err(|error| Error::new(ErrorKind::Unavailable, "cannot start the janitor's thread").with_source(error))?;
    Ok(Janitor { stop, thread: Some(thread) })
}

impl Stop {
    /// Waits for one period; returns whether to go on.
    fn rest(&self, period: Duration) -> bool {
        // There is no end of a period which outlasts all clocks: then the janitor only waits to be stopped.
        let end = Instant::now().checked_add(period);
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped {
            let left = end.map_or(LONGEST_REST, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return true;
            }
            let rest = left.min(LONGEST_REST);
            stopped = self.changed.wait_timeout(stopped, rest).unwrap_or_else(PoisonError::into_inner).0;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_without_an_end_lasts_until_the_janitor_is_stopped() {
        for period in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 40)] {
            let stop = Arc::new(Stop::default());
            let resting = Arc::clone(&stop);
            let thread = std::thread::spawn(move || resting.rest(period));
            *stop.stopped.lock().unwrap() = true;
            stop.changed.notify_all();
            assert!(!thread.join().unwrap(), "it did not panic, and was stopped");
        }
    }

    #[test]
    fn the_longest_grace_keeps_everything_and_no_period_is_refused() {
        drop(start_janitor(Duration::MAX, Duration::MAX).unwrap());
        let client = crate::InprocClient::new(10);
        crate::Wait::wait(crate::CacheExt::put(&client, &1, 1, Duration::from_nanos(1))).unwrap();
        purge_all(Duration::MAX);
        assert_eq!(client.stats().entries, 1);
        assert_eq!(start_janitor(Duration::ZERO, Duration::ZERO).unwrap_err().kind(), ErrorKind::Config);
    }
}
