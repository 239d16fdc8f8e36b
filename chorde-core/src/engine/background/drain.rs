//! Waiting for the end of all background work.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::pool::locked;
use crate::clock::{Clock, Sleep};
use crate::error::{Error, ErrorKind, Result};

/// Waits for the end of all background work, at most for `timeout`: of what is queued, of what runs, and of what goes
/// on although its caller has gone.
///
/// # Errors
///
/// [`ErrorKind::Timeout`] when there is still work after `timeout`; it goes on.
///
/// # Cancel safety
///
/// May be dropped at any time; the work goes on.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{Wait, drain};
///
/// drain(Duration::from_secs(5)).wait()?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub fn drain(timeout: Duration) -> Drain {
    drain_by(&Clock::system(), timeout)
}

/// Does so by another clock.
pub(crate) fn drain_by(clock: &Clock, timeout: Duration) -> Drain {
    Drain { timeout: clock.sleep(timeout), number: None }
}

/// Completes when no background work is left; made by [`drain`].
#[must_use = "futures do nothing unless awaited; call `.wait()` from plain code"]
#[derive(Debug)]
pub struct Drain {
    timeout: Sleep,
    /// Once it waits.
    number: Option<u64>,
}

impl Future for Drain {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let waker = cx.waker().clone();
        let before = {
            let mut pool = locked();
            if pool.taken_on == 0 {
                return Poll::Ready(Ok(()));
            }
            let number = *self.number.get_or_insert_with(|| pool.next_drain());
            match pool.drains.iter_mut().find(|(other, _)| *other == number) {
                Some((_, before)) => Some(std::mem::replace(before, waker)),
                None => {
                    pool.drains.push((number, waker));
                    None
                }
            }
        };
        // A waker's drop is foreign code: it runs outside of the lock.
        drop(before);
        Pin::new(&mut self.timeout)
            .poll(cx)
            .map(|()| Err(Error::new(ErrorKind::Timeout, "background computations are still under way")))
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut pool = locked();
        let place = pool.drains.iter().position(|(other, _)| *other == number);
        let gone = place.map(|place| pool.drains.swap_remove(place));
        drop(pool);
        drop(gone);
    }
}
