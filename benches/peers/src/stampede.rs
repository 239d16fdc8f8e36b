//! Ten thousand tasks ask for one cold key: how late the last of them have the value.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use cached::macros::cached;
use chorde::InprocClient;
use tokio::sync::watch::{Receiver, Sender, channel};

use crate::measure::{Outcome, Wanted, ratio, row};

const TASKS: usize = 10_000;
const ROUNDS: usize = 9;

/// The most rounds that there can be, each with a key of its own.
const MOST: usize = 100;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(1_000));
static COMPUTED: AtomicU64 = AtomicU64::new(0);

/// Computes for a while; returns when it ended, so that each caller can tell how long ago that was.
async fn compute() -> Instant {
    tokio::time::sleep(Duration::from_millis(300)).await;
    COMPUTED.fetch_add(1, Ordering::Relaxed);
    Instant::now()
}

#[chorde::cached(client = CACHE, ttl = 3600)]
async fn ours(round: usize) -> Instant {
    let _ = round;
    compute().await
}

#[cached(max_size = 1000, ttl_secs = 3600, sync_writes = "by_key")]
async fn theirs(round: usize) -> Instant {
    let _ = round;
    compute().await
}

static MOKA: LazyLock<moka::future::Cache<usize, Instant>> = LazyLock::new(|| {
    moka::future::Cache::builder().max_capacity(1_000).time_to_live(Duration::from_secs(3600)).build()
});

async fn moka(round: usize) -> Instant {
    MOKA.get_with(round, compute()).await
}

/// One round of what is no cache at all: a leader, and those who wait for it.
#[derive(Default)]
struct Bare {
    begun: OnceLock<()>,
    landed: OnceLock<Instant>,
    wakers: Mutex<Vec<Waker>>,
}

static BARE: [LazyLock<Bare>; MOST] = [const { LazyLock::new(Bare::default) }; MOST];

/// The floor: a list of wakers behind a mutex.
async fn list(round: usize) -> Instant {
    let Bare { begun, landed, wakers } = &*BARE[round % MOST];
    if begun.set(()).is_ok() {
        let ended = compute().await;
        let _ = landed.set(ended);
        let woken = std::mem::take(&mut *wakers.lock().expect("no panic"));
        for waker in woken {
            waker.wake();
        }
        return ended;
    }
    poll_fn(|cx| {
        let mut wakers = wakers.lock().expect("no panic");
        if let Some(ended) = landed.get() {
            return Poll::Ready(*ended);
        }
        wakers.push(cx.waker().clone());
        Poll::Pending
    })
    .await
}

type Channel = (Sender<Option<Instant>>, Receiver<Option<Instant>>, OnceLock<()>);

static CHANNELS: [LazyLock<Channel>; MOST] = [const {
    LazyLock::new(|| {
        let (sender, receiver) = channel(None);
        (sender, receiver, OnceLock::new())
    })
}; MOST];

/// `tokio`'s channel of one value.
async fn watch(round: usize) -> Instant {
    let (sender, receiver, begun) = &*CHANNELS[round % MOST];
    if begun.set(()).is_ok() {
        let ended = compute().await;
        sender.send_replace(Some(ended));
        return ended;
    }
    let mut receiver = receiver.clone();
    let seen = receiver.wait_for(Option::is_some).await.expect("the sender is a static");
    seen.expect("that is what was waited for")
}

/// Spawns the tasks of one round and collects how long ago the computation had ended when each had the value.
async fn tasks<F: Future<Output = Instant> + Send + 'static>(call: impl Fn() -> F) -> Vec<Duration> {
    let spawn = |future: F| tokio::spawn(async move { future.await.elapsed() });
    let tasks: Vec<_> = (0..TASKS).map(|_| spawn(call())).collect();
    let mut waits = Vec::with_capacity(TASKS);
    for task in tasks {
        waits.push(task.await.expect("a task"));
    }
    waits.sort();
    waits
}

pub fn run(wanted: &Wanted) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    let runtime = &runtime;
    /// Makes a row of a function of the number of the round.
    macro_rules! subject {
        ($name:literal, $call:path) => {{
            let mut round = 0;
            row($name, move || {
                let before = COMPUTED.load(Ordering::Relaxed);
                let waits = runtime.block_on(tasks(|| $call(round)));
                round += 1;
                let computed = COMPUTED.load(Ordering::Relaxed) - before;
                vec![waits[TASKS * 99 / 100].as_secs_f64() * 1e3, computed as f64]
            })
        }};
    }
    let rows = vec![
        subject!("chorde", ours),
        subject!("a list of wakers by hand", list),
        subject!("tokio's watch", watch),
        subject!("moka, get_with", moka),
        subject!("cached, sync_writes by_key", theirs),
    ];
    let title =
        format!("{TASKS} tasks on one cold key: when the p99 task has the value, ms after the computation's end");
    let medians = wanted.table(&title, &["p99, ms", "computations"], ROUNDS, rows);
    println!();
    ratio(&medians, "chorde", "a list of wakers by hand", 0, "p99");
    ratio(&medians, "chorde", "moka, get_with", 0, "p99");
    Ok(())
}
