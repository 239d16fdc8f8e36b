//! A fleet under load while its servers are stopped, killed, restarted and flushed. Prints what that costs.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chorde::MemcachedClient;
use chorde::memcache::MemcachedStats;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use support::{eventually, millis, secs};

/// How many members the fleet has, each with a client of its own, and how many tasks call in each of them.
const MEMBERS: usize = 3;
const TASKS: usize = 8;
const KEYS: u64 = 60;

/// How long a phase lasts.
const PHASE: Duration = millis(700);

static SERVERS: LazyLock<[MemcachedServer; 2]> =
    LazyLock::new(|| [MemcachedServer::start().unwrap(), MemcachedServer::start().unwrap()]);

/// Clients as users have them: with the default deadline of 500 ms, and one second between attempts.
static CLIENTS: LazyLock<[MemcachedClient; MEMBERS]> = LazyLock::new(|| {
    std::array::from_fn(|_| {
        let servers = SERVERS.iter().map(MemcachedServer::address);
        MemcachedClient::builder().servers(servers).checksum_key("tests").build().unwrap()
    })
});

/// How often each key was computed in the present phase.
static RUNS: [AtomicU64; KEYS as usize] = [const { AtomicU64::new(0) }; KEYS as usize];

#[cached(client = CLIENTS[_member], key = item, ttl = 600, lease = secs(5))]
async fn price(_member: usize, item: u64) -> u64 {
    RUNS[item as usize].fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(millis(5)).await;
    item * 7919 + 1
}

/// What the callers of the present phase have seen.
static TIMES: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

async fn call_on_and_on(member: usize, phases_left: &'static AtomicUsize) {
    while phases_left.load(Ordering::Relaxed) > 0 {
        let item = fastrand::u64(..KEYS);
        let began = Instant::now();
        assert_eq!(price(member, item).await, item * 7919 + 1);
        let took = began.elapsed();
        TIMES.lock().unwrap_or_else(PoisonError::into_inner).push(took);
        tokio::time::sleep(millis(1)).await;
    }
}

fn total(of: impl Fn(&MemcachedStats) -> u64) -> u64 {
    CLIENTS.iter().map(|client| of(&client.stats())).sum()
}

/// Lets a phase pass, and prints what was seen in it; returns how many keys were computed more than once in the fleet.
fn phase(name: &str) -> usize {
    let calls = || TIMES.lock().unwrap_or_else(PoisonError::into_inner).len();
    let began = Instant::now();
    // On a machine that is busy elsewhere, for as long as it takes.
    eventually("calls go on", || began.elapsed() >= PHASE && calls() >= 500);
    let mut times = std::mem::take(&mut *TIMES.lock().unwrap_or_else(PoisonError::into_inner));
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 1000].as_secs_f64() * 1000.0;
    let runs: Vec<u64> = RUNS.iter().map(|runs| runs.swap(0, Ordering::Relaxed)).collect();
    let again = runs.iter().filter(|runs| **runs > 1).count();
    println!(
        "{name:<22} {:>6} calls   p50 {:>6.2} ms   p99 {:>7.2} ms   max {:>7.2} ms   computed {:>4}, {again} keys again",
        times.len(),
        at(500),
        at(990),
        at(1000),
        runs.iter().sum::<u64>(),
    );
    again
}

/// Waits until all members use all servers again, and prints how long that took.
fn all_back() {
    let began = Instant::now();
    eventually("all members use all servers", || {
        CLIENTS.iter().all(|client| {
            let stats = client.stats();
            stats.recoveries == stats.outages
        })
    });
    let runs: u64 = RUNS.iter().map(|runs| runs.swap(0, Ordering::Relaxed)).sum();
    println!("{:<22} after {} ms, computed {runs}", "  full use again", began.elapsed().as_millis());
}

#[test]
fn a_fleet_serves_on_whatever_happens_to_its_servers() {
    static PHASES_LEFT: AtomicUsize = AtomicUsize::new(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let began = Instant::now();
    let callers = (0..MEMBERS * TASKS).map(|task| runtime.spawn(call_on_and_on(task % MEMBERS, &PHASES_LEFT)));
    let callers: Vec<_> = callers.collect();

    let failed = || total(|stats| stats.failures + stats.timeouts);
    let mut computed_again = phase("cold start");
    computed_again += phase("warm");
    let nothing_failed = failed() == 0;

    SERVERS[0].pause().unwrap();
    phase("one stopped");
    phase("  later");
    SERVERS[0].resume().unwrap();
    all_back();
    phase("  continued");

    SERVERS[0].kill();
    phase("one killed");
    SERVERS[0].restart().unwrap();
    all_back();
    phase("  restarted");

    let before = failed();
    for server in SERVERS.iter() {
        server.flush().unwrap();
    }
    let again = phase("flushed");
    let flush_was_clean = failed() == before;

    for server in SERVERS.iter() {
        server.restart().unwrap();
    }
    phase("all restarted");
    all_back();
    phase("  later");

    for server in SERVERS.iter() {
        server.kill();
    }
    phase("all killed");
    for server in SERVERS.iter() {
        server.restart().unwrap();
    }
    all_back();
    phase("  restarted");

    PHASES_LEFT.store(0, Ordering::Relaxed);
    for caller in callers {
        // A wrong value is a panic of the task that saw it.
        runtime.block_on(caller).unwrap();
    }
    let stats = price::stats();
    println!(
        "{} calls in {:.1} s, {} computed; {} failures, {} timeouts, {} outages, {} replays",
        stats.hits + stats.misses + stats.due_hits,
        began.elapsed().as_secs_f64(),
        stats.computes,
        total(|stats| stats.failures),
        total(|stats| stats.timeouts),
        total(|stats| stats.outages),
        total(|stats| stats.replays),
    );
    assert_eq!((stats.compute_errors, stats.panics), (0, 0));
    // One computation for each key of the fleet, unless a busy machine let an operation be late.
    if nothing_failed {
        assert_eq!(computed_again, 0);
    }
    // A key may be computed by one who asked just before it was flushed, and by one who asked after.
    if flush_was_clean {
        assert!(again <= 3, "{again} keys were computed again");
    }
    assert!(total(|stats| stats.outages) >= 2 * MEMBERS as u64);
}
