//! Futures taken step by step, and dropped in between.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use super::PATIENCE;

struct Bell {
    rang: AtomicBool,
    thread: Thread,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Polls a future up to `steps` times, each time that it asks for it, and drops it; returns what it came to, if it did.
pub fn dropped_after<F: Future>(steps: usize, future: F) -> Option<F::Output> {
    let bell = Arc::new(Bell { rang: AtomicBool::new(true), thread: thread::current() });
    let waker = Arc::clone(&bell).into();
    let mut future = pin!(future);
    for _ in 0..steps {
        while !bell.rang.swap(false, Ordering::SeqCst) {
            thread::park_timeout(PATIENCE);
        }
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
    }
    None
}
