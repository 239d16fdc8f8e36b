//! What an entry weighs: resident memory before and after a million of them.

use std::time::Duration;

use chorde::InprocClient;
use chorde::prelude::*;

const ENTRIES: u64 = 1_000_000;

/// Returns the resident memory of this process in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0
}

fn per_entry(fill: impl FnOnce()) -> f64 {
    let before = resident();
    fill();
    (resident() - before) / ENTRIES as f64
}

pub fn run() {
    let client = InprocClient::new(ENTRIES);
    let ours = per_entry(|| {
        for key in 0..ENTRIES {
            client.put(&key, key, Duration::from_secs(3600)).wait().expect("an in-process put");
        }
    });
    let bare = quick_cache::sync::Cache::new(ENTRIES as usize);
    let theirs = per_entry(|| {
        for key in 0..ENTRIES {
            bare.insert(key, key);
        }
    });
    println!("bytes per entry, u64 -> u64, one million (resident memory)");
    println!("{:34}{ours:7.0}", "chorde, with ttl");
    println!("{:34}{theirs:7.0}", "quick_cache, no ttl");
    let stats = client.stats();
    println!("held: {} of {ENTRIES} and {}", stats.entries, bare.len());
}
