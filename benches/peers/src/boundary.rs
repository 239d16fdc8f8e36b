//! What callers notice when a value comes to its end: sixty-four tasks ask for one key again and again, whose computation takes
//! 20 ms and whose value lives for half a second.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use cached::macros::cached;
use chorde::InprocClient;

use crate::measure::{Outcome, Wanted, middle, row};

const TASKS: usize = 64;
const SPAN: Duration = Duration::from_secs(3);
const ROUNDS: usize = 5;
const TTL: Duration = Duration::from_millis(500);

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(1_000));

async fn compute(key: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(20)).await;
    key
}

#[chorde::cached(client = CACHE, ttl = TTL, namespace = "plain")]
async fn ours(key: u64) -> u64 {
    compute(key).await
}

#[chorde::cached(client = CACHE, ttl = TTL, async_ttl = Duration::from_millis(200), namespace = "ahead")]
async fn ours_ahead(key: u64) -> u64 {
    compute(key).await
}

#[cached(max_size = 1000, ttl_millis = 500, sync_writes = "by_key")]
async fn theirs(key: u64) -> u64 {
    compute(key).await
}

static MOKA: LazyLock<moka::future::Cache<u64, u64>> =
    LazyLock::new(|| moka::future::Cache::builder().max_capacity(1_000).time_to_live(TTL).build());

async fn moka(key: u64) -> u64 {
    MOKA.get_with(key, compute(key)).await
}

/// Lets all tasks call for a while, with pauses; returns p50, p99, p99.9 and the longest call in microseconds.
async fn calls<F: Future<Output = u64> + Send + 'static>(call: fn(u64) -> F) -> Vec<f64> {
    call(1).await;
    let began = Instant::now();
    let task = move || async move {
        let mut waits = Vec::new();
        while began.elapsed() < SPAN {
            let asked = Instant::now();
            call(1).await;
            waits.push(asked.elapsed().as_secs_f64() * 1e6);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        waits
    };
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(task())).collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("a task"));
    }
    [0.5, 0.99, 0.999, 1.0].map(|part| middle(waits.clone(), part)).to_vec()
}

pub fn run(wanted: &Wanted) -> Outcome {
    let runtime = crate::measure::workers(2);
    let runtime = &runtime;
    let rows = vec![
        row("chorde, ttl and async_ttl", || runtime.block_on(calls(ours_ahead))),
        row("chorde, ttl alone", || runtime.block_on(calls(ours))),
        row("moka, get_with, ttl", || runtime.block_on(calls(moka))),
        row("cached, sync_writes by_key, ttl", || runtime.block_on(calls(theirs))),
    ];
    let title = "A call of a key that ends every half second and takes 20 ms to compute, µs";
    wanted.table(title, &["p50", "p99", "p99.9", "longest"], ROUNDS, rows);
    Ok(())
}
