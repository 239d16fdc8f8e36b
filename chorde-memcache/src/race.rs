//! Time as the client's clock tells it: waiting no longer than for some time, by the client's clock, on any executor.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use chorde_core::Clock;

/// Returns a duration in nanoseconds, or 584 years if it is longer than that.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Waits for a future, for no longer than `most`.
///
/// # Cancel safety
///
/// Drops the future when dropped, and when the time is over.
pub(crate) async fn within<F: Future>(clock: &Clock, most: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut timeout = clock.sleep(most);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        Pin::new(&mut timeout).poll(cx).map(|()| None)
    })
    .await
}

/// Lets others run that are ready, on any executor.
///
/// # Cancel safety
///
/// May be dropped at any time.
pub(crate) async fn give_way() {
    let mut has_given = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_given, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use chorde_core::{ManualClock, Wait};

    #[test]
    fn what_never_ends_is_waited_for_no_longer_than_asked() {
        let manual = ManualClock::new();
        let clock = Clock::from(manual.clone());
        let waiting = std::thread::spawn({
            let clock = clock.clone();
            move || within(&clock, Duration::from_secs(1), std::future::pending::<()>()).wait()
        });
        while !waiting.is_finished() {
            manual.advance(Duration::from_millis(500));
            std::thread::yield_now();
        }
        assert_eq!(waiting.join().unwrap(), None);
        assert_eq!(within(&clock, Duration::ZERO, std::future::ready(7)).wait(), Some(7));
    }
}
