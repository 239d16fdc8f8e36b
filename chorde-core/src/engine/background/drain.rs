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
    Drain { timeout: clock.sleep(timeout) }
}

/// Completes when no background work is left; made by [`drain`].
#[must_use = "futures do nothing unless awaited; call `.wait()` from plain code"]
#[derive(Debug)]
pub struct Drain {
    timeout: Sleep,
}

impl Future for Drain {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        {
            let mut pool = locked();
            if pool.taken_on == 0 {
                return Poll::Ready(Ok(()));
            }
            if !pool.drains.iter().any(|waker| waker.will_wake(cx.waker())) {
                pool.drains.push(cx.waker().clone());
            }
        }
        Pin::new(&mut self.timeout)
            .poll(cx)
            .map(|()| Err(Error::new(ErrorKind::Timeout, "background computations are still under way")))
    }
}
