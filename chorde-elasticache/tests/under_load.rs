//! A cluster that changes while it is used: no error, no wrong value, no more keys moved than must move.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chorde_core::CacheExt;
use chorde_elasticache::ElastiCacheClient;
use chorde_elasticache::testing::FakeCluster;
use tokio::time::{MissedTickBehavior, interval};

const KEYS: u64 = 5_000;
const TASKS: u64 = 4;
/// Of each task in each hundredth of a second: 10,000 a second, where the machine can do that.
const BURST: u64 = 25;
const LIFE: Duration = Duration::from_secs(600);
const POLLS: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Default)]
struct Load {
    operations: AtomicU64,
    errors: AtomicU64,
    wrong: AtomicU64,
    is_over: AtomicBool,
}

impl Load {
    async fn run(self: Arc<Self>, client: ElastiCacheClient, task: u64) {
        let mut ticks = interval(Duration::from_millis(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut key = task;
        while !self.is_over.load(Relaxed) {
            ticks.tick().await;
            for _ in 0..BURST {
                key = (key + TASKS * 997) % KEYS;
                let mut outcome = client.get::<u64>(&key).await;
                if matches!(outcome, Ok(None)) {
                    outcome = client.put(&key, !key, LIFE).await.map(|()| None);
                    self.operations.fetch_add(1, Relaxed);
                }
                self.operations.fetch_add(1, Relaxed);
                match outcome {
                    Ok(found) => self.wrong.fetch_add(u64::from(found.is_some_and(|found| found != !key)), Relaxed),
                    Err(error) => {
                        eprintln!("{error}");
                        self.errors.fetch_add(1, Relaxed)
                    }
                };
            }
        }
    }
}

async fn places(client: &ElastiCacheClient) -> Vec<String> {
    let mut places = Vec::new();
    for key in 0..KEYS {
        places.push(client.server_for(&key).await.unwrap().expect("servers are in use"));
    }
    places
}

/// Waits for what the cluster and its clients bring about, in real time; fails if they do not.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until the nodes in use are those of this version; returns how many polls that took.
async fn used(client: &ElastiCacheClient, version: u64, polls: u64) -> u64 {
    until("the version is used", || client.discovery().version == Some(version)).await;
    client.discovery().polls - polls
}

/// Lets the load go on for so many operations.
async fn go_on(load: &Load, operations: u64) {
    let end = load.operations.load(Relaxed) + operations;
    until("the load goes on", || load.operations.load(Relaxed) >= end).await;
}

/// Changes the cluster; returns the share of keys that have another place afterwards, in percent, once all nodes are used and
/// so many have moved as should: a node that failed before it was replaced is asked again before it is used.
async fn changed(
    client: &ElastiCacheClient,
    cluster: &Arc<FakeCluster>,
    change: fn(&FakeCluster),
    is_so: fn(usize) -> bool,
) -> f64 {
    let before = places(client).await;
    let shared = Arc::clone(cluster);
    tokio::task::spawn_blocking(move || change(&shared)).await.unwrap();
    let polls = client.discovery().polls;
    let taken = used(client, cluster.version(), polls).await;
    assert!(taken <= 2, "used after {taken} polls: the one that was under way and another should do");
    let is_used = || {
        let servers = client.servers();
        servers.len() == cluster.nodes().len() && servers.iter().all(|server| server.in_use)
    };
    let begun = Instant::now();
    loop {
        // The client may change over while the keys are gone through: only what was so all the time tells where they are.
        let was_used = is_used();
        let now = places(client).await;
        let moved = before.iter().zip(&now).filter(|(before, now)| before != now).count();
        if was_used && is_used() && is_so(moved) {
            return 100.0 * moved as f64 / KEYS as f64;
        }
        assert!(begun.elapsed() < PATIENCE, "a node is never used, or {moved} of {KEYS} keys have moved");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn last(cluster: &FakeCluster) -> String {
    cluster.nodes().pop().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_become_four_and_three_again_and_one_is_replaced_without_an_error() {
    let cluster = Arc::new(FakeCluster::start(3).unwrap());
    let builder = ElastiCacheClient::builder().endpoint(cluster.endpoint()).checksum_key("tests").poll_interval(POLLS);
    let client = builder.deadline(Duration::from_secs(5)).build().unwrap();
    let load = Arc::new(Load::default());
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(Arc::clone(&load).run(client.clone(), task))).collect();
    used(&client, 1, 0).await;
    go_on(&load, 10_000).await;

    let added = changed(&client, &cluster, |cluster| drop(cluster.add().unwrap()), |moved| moved > 0).await;
    assert!(added > 10.0 && added <= 100.0 / 4.0 + 3.0, "{added} % of the keys moved to the fourth node");
    go_on(&load, 10_000).await;
    let removed =
        changed(&client, &cluster, |cluster| drop(cluster.remove(&last(cluster)).unwrap()), |moved| moved > 0).await;
    assert!((removed - added).abs() < 0.1, "{removed} % of the keys moved back, of {added} %");
    cluster.kill_removed();
    go_on(&load, 10_000).await;
    changed(&client, &cluster, |cluster| cluster.replace(&last(cluster)).unwrap(), |moved| moved == 0).await;

    go_on(&load, 10_000).await;
    load.is_over.store(true, Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let counts = [&load.operations, &load.errors, &load.wrong].map(|count| count.load(Relaxed));
    println!(
        "{} operations; moved: {added:.1} % for a fourth node, {removed:.1} % back; {:?}",
        counts[0],
        client.stats()
    );
    assert_eq!((counts[1], counts[2]), (0, 0), "errors and wrong values among {} operations", counts[0]);
}
