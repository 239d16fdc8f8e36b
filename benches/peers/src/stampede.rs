//! Ten thousand tasks ask for one cold key.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chorde::InprocClient;

use crate::median;

const TASKS: usize = 10_000;
const ROUNDS: u64 = 9;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(1_000));
static COMPUTED: AtomicU64 = AtomicU64::new(0);

/// Computes for a while; returns when it ended, so that each caller can tell how long ago that was.
#[chorde::cached(client = CACHE, ttl = 3600)]
async fn cold(round: u64) -> Instant {
    tokio::time::sleep(Duration::from_millis(300)).await;
    COMPUTED.fetch_add(1, Ordering::Relaxed);
    let _ = round;
    Instant::now()
}

pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    let mut percentiles = Vec::new();
    for round in 0..ROUNDS {
        let waits = runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(async move { cold(round).await.elapsed() })).collect();
            let mut waits = Vec::with_capacity(TASKS);
            for task in tasks {
                waits.push(task.await.expect("a task"));
            }
            waits
        });
        let mut waits = waits;
        waits.sort();
        percentiles.push(waits[TASKS * 99 / 100].as_secs_f64() * 1e3);
    }
    println!("{TASKS} tasks on one cold key, {ROUNDS} rounds");
    println!("computations per round: {}", COMPUTED.load(Ordering::Relaxed) as f64 / ROUNDS as f64);
    println!("p99 task has the value {:.2} ms after the computation's end (median of rounds)", median(percentiles));
}
