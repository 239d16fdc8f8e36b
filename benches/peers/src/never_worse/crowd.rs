//! Crowds: callers of one key that start at one moment.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

/// How many callers each key has, how many keys are called side by side, and how often.
#[derive(Clone, Copy)]
pub struct Crowd {
    pub callers: usize,
    pub keys: u64,
    pub rounds: usize,
}

/// Tasks that have no outcome after this time give up, and count with it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a call came to: its value, or what it panicked with.
pub type Caught<R> = Result<R, Box<dyn Any + Send>>;

/// Says whether this may be the outcome of a call of this key.
pub type Check<R> = fn(&Caught<R>, u64) -> bool;

/// Returns the first of so many keys that were never called.
fn cold(keys: u64) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(keys, Ordering::Relaxed)
}

/// Lets tasks call cold keys all at once; returns how long each waited for the outcome, in milliseconds.
pub fn tasks<R, F>(runtime: &Runtime, crowd: Crowd, call: fn(u64) -> F, check: Check<R>) -> Vec<f64>
where
    R: Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let first = cold(crowd.keys);
    let barrier = Arc::new(tokio::sync::Barrier::new(crowd.callers * crowd.keys as usize));
    let task = |key| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            let began = Instant::now();
            let Ok(outcome) = tokio::time::timeout(PATIENCE, caught(call(key))).await else {
                return PATIENCE.as_secs_f64() * 1e3;
            };
            let millis = began.elapsed().as_secs_f64() * 1e3;
            assert!(check(&outcome, key), "the outcome of key {key} is not the function's");
            millis
        }
    };
    runtime.block_on(async {
        let keys = (first..first + crowd.keys).flat_map(|key| std::iter::repeat_n(key, crowd.callers));
        let tasks: Vec<_> = keys.map(|key| tokio::spawn(task(key))).collect();
        let mut millis = Vec::with_capacity(tasks.len());
        for task in tasks {
            millis.push(task.await.expect("a task"));
        }
        millis
    })
}

/// Runs a future; a panic in it is an outcome too.
async fn caught<R>(future: impl Future<Output = R>) -> Caught<R> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// The same with a thread for each caller. None of them gives up.
pub fn threads<R>(crowd: Crowd, call: fn(u64) -> R, check: Check<R>) -> Vec<f64> {
    let first = cold(crowd.keys);
    let barrier = Barrier::new(crowd.callers * crowd.keys as usize);
    let run = |key| {
        barrier.wait();
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| call(key)));
        let millis = began.elapsed().as_secs_f64() * 1e3;
        assert!(check(&outcome, key), "the outcome of key {key} is not the function's");
        millis
    };
    let run = &run;
    std::thread::scope(|scope| {
        let keys = (first..first + crowd.keys).flat_map(|key| std::iter::repeat_n(key, crowd.callers));
        let threads: Vec<_> = keys.map(|key| scope.spawn(move || run(key))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}
