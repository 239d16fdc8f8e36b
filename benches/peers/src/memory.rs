//! What an entry weighs: the resident memory of a process before and after a million of them, a process for each store.

use std::process::Command;
use std::time::Duration;

use chorde::InprocClient;
use chorde::prelude::*;

use crate::measure::{Outcome, Wanted, figure, middle, print};

const ENTRIES: u64 = 1_000_000;
const TTL: Duration = Duration::from_secs(3600);
const ROUNDS: usize = 3;

/// Tells a process which store it is to fill.
const CHILD: &str = "CHORDE_BENCH_FILLS";

/// Fills a store, calls back while it is full, and tells how many entries it holds.
type Fill = fn(&dyn Fn()) -> u64;

const STORES: [(&str, Fill); 8] = [
    ("chorde, ttl", chorde),
    ("cached ShardedLruTtl, ttl", cached),
    ("foyer s3fifo, no ttl", foyer),
    ("mini-moka, ttl", mini_moka),
    ("moka, ttl", moka_ttl),
    ("moka, no ttl", moka),
    ("quick_cache and an Instant, ttl", quick_cache_ttl),
    ("quick_cache, no ttl", quick_cache),
];

/// Returns the resident memory of this process in bytes.
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0
}

/// Fills the store that this process was started for, if it was.
pub fn is_child() -> bool {
    let Ok(name) = std::env::var(CHILD) else { return false };
    if let Some((_, fill)) = STORES.iter().find(|(store, _)| *store == name) {
        let before = resident();
        let held = fill(&|| println!("{}", resident() - before));
        println!("{held}");
    }
    true
}

pub fn run(wanted: &Wanted) -> Outcome {
    println!("\nBytes of resident memory for each of {ENTRIES} entries u64 -> u64\n");
    let mut rows = vec![vec![String::new(), "bytes".to_owned(), "of them held".to_owned()]];
    for (name, _) in STORES.iter().filter(|(name, _)| wanted.wants(name)) {
        let rounds = wanted.rounds.unwrap_or(ROUNDS);
        let (bytes, held): (Vec<f64>, Vec<f64>) = (0..rounds).filter_map(|_| weigh(name)).unzip();
        let held = middle(held, 0.5);
        rows.push(vec![(*name).to_owned(), figure(middle(bytes, 0.5) / held), held.to_string()]);
    }
    print(&rows);
    Ok(())
}

fn weigh(name: &str) -> Option<(f64, f64)> {
    let output = Command::new(std::env::current_exe().ok()?).env(CHILD, name).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines().map(str::parse);
    Some((lines.next()?.ok()?, lines.next()?.ok()?))
}

fn chorde(full: &dyn Fn()) -> u64 {
    let client = InprocClient::new(ENTRIES);
    (0..ENTRIES).for_each(|key| client.put(&key, key, TTL).wait().expect("a valid key"));
    full();
    client.stats().entries
}

fn moka_of(cache: &moka::sync::Cache<u64, u64>, full: &dyn Fn()) -> u64 {
    (0..ENTRIES).for_each(|key| cache.insert(key, key));
    cache.run_pending_tasks();
    full();
    cache.entry_count()
}

fn moka(full: &dyn Fn()) -> u64 {
    moka_of(&moka::sync::Cache::new(ENTRIES), full)
}

fn moka_ttl(full: &dyn Fn()) -> u64 {
    moka_of(&moka::sync::Cache::builder().max_capacity(ENTRIES).time_to_live(TTL).build(), full)
}

fn mini_moka(full: &dyn Fn()) -> u64 {
    use mini_moka::sync::ConcurrentCacheExt;
    let cache = mini_moka::sync::Cache::builder().max_capacity(ENTRIES).time_to_live(TTL).build();
    (0..ENTRIES).for_each(|key| cache.insert(key, key));
    cache.sync();
    full();
    cache.entry_count()
}

fn foyer(full: &dyn Fn()) -> u64 {
    let builder = foyer_memory::CacheBuilder::new(ENTRIES as usize);
    let cache: foyer_memory::Cache<u64, u64> =
        builder.with_eviction_config(foyer_memory::S3FifoConfig::default()).build();
    (0..ENTRIES).for_each(|key| drop(cache.insert(key, key)));
    full();
    cache.usage() as u64
}

fn cached(full: &dyn Fn()) -> u64 {
    let cache = cached::ShardedLruTtlCache::<u64, u64>::new(ENTRIES as usize, TTL);
    (0..ENTRIES).for_each(|key| _ = cache.set(key, key));
    full();
    cache.len() as u64
}

fn quick_cache(full: &dyn Fn()) -> u64 {
    let cache = quick_cache::sync::Cache::<u64, u64>::new(ENTRIES as usize);
    (0..ENTRIES).for_each(|key| cache.insert(key, key));
    full();
    cache.len() as u64
}

fn quick_cache_ttl(full: &dyn Fn()) -> u64 {
    let cache = quick_cache::sync::Cache::<u64, (std::time::Instant, u64)>::new(ENTRIES as usize);
    (0..ENTRIES).for_each(|key| cache.insert(key, (std::time::Instant::now() + TTL, key)));
    full();
    cache.len() as u64
}
