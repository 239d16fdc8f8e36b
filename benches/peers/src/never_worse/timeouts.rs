//! Callers whose timeout is shorter than the work: whether the work is ever done.

use std::future::Future;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chorde::{InprocClient, cached};

use super::subjects::fleet;
use crate::measure::{Outcome, Wanted, figure, middle, print, workers};

const CALLERS: u32 = 30;
const EVERY: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_secs(1);
const WORK: Duration = Duration::from_millis(1500);

/// The computations of one function.
struct Work {
    started: AtomicU64,
    ended: AtomicU64,
}

impl Work {
    const fn new() -> Self {
        Self { started: AtomicU64::new(0), ended: AtomicU64::new(0) }
    }

    async fn compute(&self, key: u64) -> u64 {
        self.started.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(WORK).await;
        self.ended.fetch_add(1, Ordering::Relaxed);
        key
    }
}

static UNCACHED: Work = Work::new();
static NEAR: Work = Work::new();
static FAR: Work = Work::new();

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(1_000));

async fn uncached(key: u64) -> u64 {
    UNCACHED.compute(key).await
}

#[cached(client = CACHE, ttl = 3600)]
async fn near(key: u64) -> u64 {
    NEAR.compute(key).await
}

#[cached(client = fleet(), ttl = 3600)]
async fn far(key: u64) -> u64 {
    FAR.compute(key).await
}

/// Lets callers come one after the other, and describes what came of it.
async fn callers<F>(name: &str, work: &Work, call: fn(u64) -> F) -> Vec<String>
where
    F: Future<Output = u64> + Send + 'static,
{
    let mut tasks = Vec::new();
    for _ in 0..CALLERS {
        tasks.push(tokio::spawn(async move {
            let began = Instant::now();
            let value = tokio::time::timeout(TIMEOUT, call(1)).await;
            assert!(value.as_ref().is_ok_and(|value| *value == 1) || value.is_err(), "a wrong value");
            (value.is_ok(), began.elapsed().as_secs_f64() * 1e3)
        }));
        tokio::time::sleep(EVERY).await;
    }
    let (mut served, mut millis) = (0, Vec::new());
    for task in tasks {
        let (is_served, time) = task.await.expect("a task");
        served += u32::from(is_served);
        millis.push(time);
    }
    // Detached computations finish.
    tokio::time::sleep(WORK + TIMEOUT).await;
    let [started, ended] = [&work.started, &work.ended].map(|count| count.load(Ordering::Relaxed));
    let times = [middle(millis.clone(), 0.5), middle(millis, 0.99)].map(figure);
    let [p50, p99] = times;
    vec![name.to_owned(), CALLERS.to_string(), served.to_string(), started.to_string(), ended.to_string(), p50, p99]
}

pub fn run(wanted: &Wanted) -> Outcome {
    if !wanted.wants("called under timeouts") {
        return Ok(());
    }
    let titles =
        ["", "callers", "got a value", "computations started", "values computed", "p50 of a caller's time, ms", "p99"];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    rows.extend(workers(2).block_on(async {
        let (uncached, near, far) = tokio::join!(
            callers("uncached", &UNCACHED, uncached),
            callers("cached in process", &NEAR, near),
            callers("cached in memcached", &FAR, far)
        );
        [uncached, near, far]
    }));
    println!(
        "\nWork of {} ms, called under timeouts of {} ms by a caller every {} ms, all functions at the same time\n",
        WORK.as_millis(),
        TIMEOUT.as_millis(),
        EVERY.as_millis()
    );
    print(&rows);
    Ok(())
}
