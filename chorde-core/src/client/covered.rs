//! Counts the failures that a client covers: those of a tier, where another one has the answer.
//!
//! Who covers a failure [notes](failed) it; who [counts](counted) an operation sees how many were noted while it was polled. The
//! number is the thread's, so that no trait of clients has to carry it: each poll of an operation ends on the thread on which
//! it began.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;

thread_local! {
    static COVERED: Cell<i64> = const { Cell::new(0) };
}

fn change(by: i64) {
    // On a thread that ends, nothing is counted any more.
    let _ = COVERED.try_with(|covered| covered.set(covered.get().wrapping_add(by)));
}

/// Notes a failure that the caller of the operation will not see.
pub(crate) fn failed() {
    change(1);
}

/// Takes a failure back that was noted, since the caller of the operation sees it.
pub(crate) fn shown() {
    change(-1);
}

/// Tells `count` how many failures an operation has covered, when it ends or is dropped.
pub(crate) async fn counted<T>(operation: impl Future<Output = T>, count: impl Fn(u64)) -> T {
    let mut operation = pin!(operation);
    let mut tally = Tally { covered: 0, count };
    poll_fn(|cx| {
        let before = COVERED.try_with(Cell::get).unwrap_or(0);
        let poll = operation.as_mut().poll(cx);
        // Taken away, so that an operation around this one does not count them as well.
        let covered = COVERED.try_with(|covered| covered.replace(before)).unwrap_or(before);
        tally.covered += covered.wrapping_sub(before);
        poll
    })
    .await
}

struct Tally<C: Fn(u64)> {
    covered: i64,
    count: C,
}

impl<C: Fn(u64)> Drop for Tally<C> {
    fn drop(&mut self) {
        if let Ok(covered @ 1..) = u64::try_from(self.covered) {
            (self.count)(covered);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::runtime::Wait;
    use std::task::{Context, Waker};

    /// Fails twice and shows one of the failures after it has waited.
    async fn operation() {
        failed();
        let mut is_second = false;
        poll_fn(|_| {
            if std::mem::replace(&mut is_second, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        failed();
        shown();
    }

    #[test]
    fn an_operation_counts_its_own_failures_on_whatever_threads_it_is_polled() {
        let total = std::sync::atomic::AtomicU64::new(0);
        let count = |covered| _ = total.fetch_add(covered, std::sync::atomic::Ordering::Relaxed);
        let mut polled = Box::pin(counted(operation(), count));
        assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        std::thread::scope(|scope| _ = scope.spawn(|| polled.wait()));
        assert_eq!(total.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[test]
    fn what_one_operation_counts_the_one_around_it_does_not() {
        let (inner, outer) = (Cell::new(0), Cell::new(0));
        let around = async {
            failed();
            let mut polled = pin!(counted(async { failed() }, |covered| inner.set(covered)));
            assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        };
        let mut polled = Box::pin(counted(around, |covered| outer.set(covered)));
        assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        drop(polled);
        assert_eq!((inner.get(), outer.get()), (1, 1));
    }

    #[test]
    fn an_operation_that_is_dropped_has_counted() {
        let total = Cell::new(0);
        let mut polled = Box::pin(counted(operation(), |covered| total.set(covered)));
        assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(polled);
        assert_eq!(total.get(), 1);
    }
}
