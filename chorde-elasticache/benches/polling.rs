//! What polling the cluster costs those who use it: the latency of reads through a client that polls 600 times as often as
//! by default, beside two that do not poll, in rounds by turns. The two that are equal show the noise.
//!
//! `cargo bench -p chorde-elasticache --features testing --bench polling -- [ROUNDS]`

use std::error::Error;
use std::time::{Duration, Instant};

use chorde_core::CacheExt;
use chorde_elasticache::ElastiCacheClient;
use chorde_elasticache::testing::FakeCluster;

const KEYS: u64 = 1_000;
const TASKS: u64 = 16;
/// Reads of each task in a round.
const READS: u64 = 4_000;
const LIFE: Duration = Duration::from_secs(3600);

/// One way to poll, and what was measured with it.
struct Subject {
    name: &'static str,
    client: ElastiCacheClient,
    /// Of each round, in microseconds: the median, and what 99 % of the reads stay below.
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Subject {
    fn new(name: &'static str, cluster: &FakeCluster, interval: Duration) -> Result<Self, chorde_core::Error> {
        let builder = ElastiCacheClient::builder().endpoint(cluster.endpoint()).checksum_key("bench");
        let client = builder.poll_interval(interval).build()?;
        Ok(Self { name, client, p50: Vec::new(), p99: Vec::new() })
    }

    async fn round(&mut self) -> Result<(), Box<dyn Error>> {
        let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(reads(self.client.clone(), task))).collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await??);
        }
        all.sort_unstable();
        let at = |part: usize| all[all.len() * part / 100].as_secs_f64() * 1e6;
        self.p50.push(at(50));
        self.p99.push(at(99));
        Ok(())
    }
}

async fn reads(client: ElastiCacheClient, task: u64) -> Result<Vec<Duration>, chorde_core::Error> {
    let mut times = Vec::new();
    for read in 0..READS {
        let key = (task * 61 + read * 7) % KEYS;
        let start = Instant::now();
        let found = client.get::<u64>(&key).await?;
        times.push(start.elapsed());
        assert_eq!(found, Some(key), "a value is not there");
    }
    Ok(times)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(15);
    let cluster = FakeCluster::start(2)?;
    let mut subjects = [
        Subject::new("no polls", &cluster, LIFE)?,
        Subject::new("no polls, again", &cluster, LIFE)?,
        Subject::new("a poll every 100 ms", &cluster, Duration::from_millis(100))?,
    ];
    for key in 0..KEYS {
        subjects[0].client.put(&key, key, LIFE).await?;
    }
    for round in 0..=rounds {
        for turn in 0..subjects.len() {
            let subject = &mut subjects[(round + turn) % 3];
            subject.round().await?;
        }
        if round == 0 {
            // The first fills caches and makes connections.
            subjects.iter_mut().for_each(|subject| (subject.p50, subject.p99) = (Vec::new(), Vec::new()));
        }
    }
    println!("medians of {rounds} rounds of {} reads by {TASKS} tasks, 2 nodes\n", TASKS * READS);
    println!("{:<22} {:>9} {:>9} {:>12}", "", "p50, us", "p99, us", "p99, ratio");
    let base = median(&subjects[0].p99);
    for Subject { name, client, p50, p99 } in &subjects {
        let ratio = median(&p99.iter().zip(&subjects[0].p99).map(|(one, other)| one / other).collect::<Vec<_>>());
        println!(
            "{name:<22} {:>9.1} {:>9.1} {ratio:>12.3}   polls: {}",
            median(p50),
            median(p99),
            client.discovery().polls
        );
    }
    let worst = |p99: &[f64]| p99.iter().map(|p99| (p99 / base - 1.0).abs()).fold(0.0, f64::max);
    println!("\na single round of two equal clients is off by up to {:.0} %", 100.0 * worst(&subjects[1].p99));
    Ok(())
}
