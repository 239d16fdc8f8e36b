//! Futures polled by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often it is woken.
#[derive(Debug, Default)]
pub struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future in hand: moves on only when stepped.
pub struct Hand<F: Future> {
    future: Pin<Box<F>>,
    bell: Arc<Bell>,
}

impl<F: Future> Hand<F> {
    pub fn new(future: F) -> Self {
        Self { future: Box::pin(future), bell: Arc::default() }
    }

    /// Takes a future in hand and steps once, which must not be enough.
    pub fn begun(future: F) -> Self {
        let mut hand = Self::new(future);
        assert!(hand.step().is_pending(), "the future waits for nothing");
        hand
    }

    /// Polls once.
    pub fn step(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Polls once, which must be enough.
    pub fn end(mut self) -> F::Output {
        match self.step() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("the future is not at its end"),
        }
    }

    /// Polls until the end, as long as it is woken.
    pub fn run(&mut self) -> Option<F::Output> {
        loop {
            let rung = self.rung();
            if let Poll::Ready(output) = self.step() {
                return Some(output);
            }
            if self.rung() == rung {
                return None;
            }
        }
    }

    /// Blocks until the future completes.
    pub fn awaited(self) -> F::Output {
        use chorde::Wait as _;
        self.future.wait()
    }

    /// Returns how often the future has asked to be polled.
    pub fn rung(&self) -> usize {
        self.bell.0.load(Ordering::SeqCst)
    }
}

/// Polls a future once, without a wakeup.
pub fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Is pending once: a place at which a task can be dropped.
pub async fn pause() {
    let mut was_here = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut was_here, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
