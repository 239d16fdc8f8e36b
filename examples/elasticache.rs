//! A cluster that changes under load: nodes are added, removed and replaced while four tasks read and write 10,000 times a
//! second. Prints for each second the nodes in use, what was done, what failed, which share of the keys moved, and the hit
//! ratio.
//!
//! `cargo run --release --features elasticache --example elasticache`: with a cluster of its own, made of memcached processes
//! and an endpoint that tells of them. With the endpoint of a real one (`-- HOST:PORT [SECONDS]`) it follows that.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use chorde::ElastiCacheClient;
use chorde::elasticache::testing::FakeCluster;
use chorde::prelude::*;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How many keys there are.
const KEYS: u64 = 10_000;

const TASKS: u64 = 4;

/// Operations of each task in each hundredth of a second: 10,000 a second altogether.
const BURST: u64 = 25;

const LIFE: Duration = Duration::from_secs(600);

/// Polls of this cluster are a second apart; a minute is the default, and enough.
const POLLS: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Load {
    operations: AtomicU64,
    hits: AtomicU64,
    reads: AtomicU64,
    errors: AtomicU64,
    wrong: AtomicU64,
    is_over: AtomicBool,
}

/// What is stored under a key, so that a value of another one is noticed.
fn value_of(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Load {
    /// Reads keys, and stores those that are missing, at a steady pace.
    async fn run(self: Arc<Self>, client: ElastiCacheClient, task: u64) {
        let mut ticks = interval(Duration::from_millis(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut key = task;
        while !self.is_over.load(Relaxed) {
            ticks.tick().await;
            for _ in 0..BURST {
                // Each task has keys of its own, in an order without pattern.
                key = (key + TASKS * 7919) % KEYS;
                self.read_or_store(&client, key).await;
            }
        }
    }

    async fn read_or_store(&self, client: &ElastiCacheClient, key: u64) {
        self.operations.fetch_add(1, Relaxed);
        self.reads.fetch_add(1, Relaxed);
        match client.get::<u64>(&key).await {
            Ok(Some(found)) => {
                self.hits.fetch_add(1, Relaxed);
                self.wrong.fetch_add(u64::from(found != value_of(key)), Relaxed);
            }
            Ok(None) => {
                self.operations.fetch_add(1, Relaxed);
                let stored = client.put(&key, value_of(key), LIFE).await;
                self.errors.fetch_add(u64::from(stored.is_err()), Relaxed);
            }
            Err(_) => {
                self.errors.fetch_add(1, Relaxed);
            }
        }
    }
}

/// Asks which server has each key.
async fn places(client: &ElastiCacheClient) -> Result<Vec<Option<String>>, chorde::Error> {
    let mut places = Vec::new();
    for key in 0..KEYS {
        places.push(client.server_for(&key).await?);
    }
    Ok(places)
}

/// Prints a line for each second.
async fn watch(
    client: &ElastiCacheClient,
    load: &Load,
    seconds: u64,
    cluster: Option<&FakeCluster>,
) -> Result<(), Box<dyn Error>> {
    println!("second  version  nodes  operations/s  errors  wrong  keys moved  hit ratio");
    let mut before = places(client).await?;
    for second in 1..=seconds {
        let event = match cluster {
            Some(cluster) => tokio::task::block_in_place(|| change(cluster, second))?,
            None => None,
        };
        if let Some(event) = event {
            println!("        {event}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = places(client).await?;
        let moved = before.iter().zip(&now).filter(|(before, now)| before != now).count();
        before = now;
        let (hits, reads) = (load.hits.swap(0, Relaxed), load.reads.swap(0, Relaxed));
        println!(
            "{second:>6}  {:>7}  {:>5}  {:>12}  {:>6}  {:>5}  {:>8.1} %  {:>7.1} %",
            client.discovery().version.map_or_else(|| "-".into(), |version| version.to_string()),
            client.servers().len(),
            load.operations.swap(0, Relaxed),
            load.errors.load(Relaxed),
            load.wrong.load(Relaxed),
            100.0 * moved as f64 / KEYS as f64,
            100.0 * hits as f64 / reads.max(1) as f64,
        );
    }
    Ok(())
}

/// What happens to the cluster in which second.
fn change(cluster: &FakeCluster, second: u64) -> std::io::Result<Option<String>> {
    let last = || cluster.nodes().pop().unwrap_or_default();
    Ok(match second {
        3 => Some(format!("{} is added", cluster.add()?)),
        6 => {
            let name = last();
            cluster.remove(&name)?;
            Some(format!("{name} is removed"))
        }
        9 => {
            let name = last();
            cluster.replace(&name)?;
            Some(format!("{name} is replaced: the same name, another address, empty"))
        }
        _ => None,
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let given = arguments.next();
    let seconds = arguments.next().map_or(Ok(12), |seconds| seconds.parse())?;
    let cluster = if given.is_none() { Some(FakeCluster::start(3)?) } else { None };
    let Some(endpoint) = given.or_else(|| cluster.as_ref().map(FakeCluster::endpoint)) else { return Ok(()) };
    let builder = ElastiCacheClient::builder().endpoint(&endpoint).checksum_key("only for this example");
    let client = builder.poll_interval(POLLS).build()?;

    // The first call waits for the nodes; whoever does not want to wait need not.
    let start = Instant::now();
    client.get::<u64>(&0_u64).await?;
    println!("{} nodes found by {endpoint} within {:.1?}\n", client.servers().len(), start.elapsed());

    let load = Arc::new(Load::default());
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(Arc::clone(&load).run(client.clone(), task))).collect();
    watch(&client, &load, seconds, cluster.as_ref()).await?;
    load.is_over.store(true, Relaxed);
    for task in tasks {
        task.await?;
    }
    let (errors, wrong) = (load.errors.load(Relaxed), load.wrong.load(Relaxed));
    println!("\n{errors} errors, {wrong} wrong values; {:?}", client.discovery());
    Ok(())
}
