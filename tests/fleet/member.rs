//! One process of the fleet: does what the test says over a connection, and tells of each computation that it begins.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chorde::prelude::*;
use chorde::{InprocClient, MemcachedClient, TieredClient};

/// Names the address of the server, in the environment of a member.
pub(crate) const SERVER: &str = "CHORDE_FLEET_SERVER";

/// Names where the test listens to its members.
pub(crate) const TEST: &str = "CHORDE_FLEET_TEST";

/// How long a process may hold others back, in seconds.
pub(crate) const LEASE: u64 = 3;

/// The age in seconds from which values are refreshed.
pub(crate) const PERIOD: u64 = 2;

static CLIENT: LazyLock<MemcachedClient> = LazyLock::new(|| {
    let server = std::env::var(SERVER).unwrap();
    let builder = MemcachedClient::builder().servers([server]).checksum_key("a fleet of tests");
    let pauses = Duration::from_millis(20)..=Duration::from_millis(100);
    builder.deadline(Duration::from_secs(5)).probe_pauses(pauses).build().unwrap()
});

static TIERS: LazyLock<TieredClient<InprocClient, &MemcachedClient>> =
    LazyLock::new(|| TieredClient::new(InprocClient::new(1000), &*CLIENT));

/// The test at the other end.
static OUTPUT: OnceLock<Mutex<TcpStream>> = OnceLock::new();

fn tell(line: &str) {
    let mut output = OUTPUT.get().unwrap().lock().unwrap();
    // In one piece, for the process may be killed in between.
    output.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Tells that a computation begins, and returns a value that no other computation returns.
fn begin(name: &str, id: u64) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    tell(&format!("begun {name} {id} {now}"));
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Computes for some time.
async fn slow(name: &str, id: u64, millis: u64) -> String {
    let value = begin(name, id);
    tokio::time::sleep(Duration::from_millis(millis)).await;
    value
}

fn slow_sync(name: &str, id: u64, millis: u64) -> String {
    let value = begin(name, id);
    std::thread::sleep(Duration::from_millis(millis));
    value
}

#[cached(client = CLIENT, ttl = 60, lease = 3)]
async fn cold(id: u64, millis: u64) -> String {
    slow("cold", id, millis).await
}

#[cached(client = CLIENT, ttl = 60, lease = 3)]
fn cold_sync(id: u64, millis: u64) -> String {
    slow_sync("cold_sync", id, millis)
}

#[cached(client = TIERS, ttl = 60, lease = 3)]
async fn cold_tiered(id: u64, millis: u64) -> String {
    slow("cold_tiered", id, millis).await
}

#[cached(client = CLIENT, ttl = 60, async_ttl = -2, lease = 3)]
async fn ahead(id: u64, millis: u64) -> String {
    slow("ahead", id, millis).await
}

#[cached(client = CLIENT, ttl = 60, async_ttl = -2, lease = 3)]
fn ahead_sync(id: u64, millis: u64) -> String {
    slow_sync("ahead_sync", id, millis)
}

#[cached(client = TIERS, ttl = 60, async_ttl = -2, lease = 3)]
async fn ahead_tiered(id: u64, millis: u64) -> String {
    slow("ahead_tiered", id, millis).await
}

async fn call(name: &str, id: u64, millis: u64) -> String {
    match name {
        "cold" => cold(id, millis).await,
        "cold_sync" => tokio::task::spawn_blocking(move || cold_sync(id, millis)).await.unwrap(),
        "cold_tiered" => cold_tiered(id, millis).await,
        "ahead" => ahead(id, millis).await,
        "ahead_sync" => tokio::task::spawn_blocking(move || ahead_sync(id, millis)).await.unwrap(),
        "ahead_tiered" => ahead_tiered(id, millis).await,
        other => panic!("no function {other}"),
    }
}

async fn invalidate(name: &str, id: u64, millis: u64) {
    match name {
        "cold" => cold::invalidate(id, millis).await.unwrap(),
        "cold_sync" => tokio::task::spawn_blocking(move || cold_sync::invalidate(id, millis)).await.unwrap().unwrap(),
        other => panic!("{other} is not invalidated"),
    }
}

async fn clear(name: &str) {
    match name {
        "cold" => cold::clear().await.unwrap(),
        "cold_tiered" => cold_tiered::clear().await.unwrap(),
        other => panic!("{other} is not cleared"),
    }
}

/// Calls in many tasks for some time; answers how many calls there were, how many microseconds the longest took, and which
/// values were seen.
async fn load(name: String, id: u64, millis: u64, (tasks, time): (u64, u64)) -> String {
    let end = Instant::now() + Duration::from_millis(time);
    let work = move |name: String| async move {
        let (mut calls, mut longest, mut seen) = (0_u64, 0, BTreeSet::new());
        loop {
            let start = Instant::now();
            seen.insert(call(&name, id, millis).await);
            (calls, longest) = (calls + 1, longest.max(start.elapsed().as_micros()));
            if Instant::now() >= end {
                return (calls, longest, seen);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let tasks: Vec<_> = (0..tasks).map(|_| tokio::spawn(work(name.clone()))).collect();
    let (mut calls, mut longest, mut seen) = (0, 0, BTreeSet::new());
    for task in tasks {
        let (more, most, values) = task.await.unwrap();
        (calls, longest) = (calls + more, longest.max(most));
        seen.extend(values);
    }
    format!("{calls} {longest} {}", seen.into_iter().collect::<Vec<_>>().join(","))
}

async fn answer(words: Vec<String>) {
    let number = |place: usize| words[place].parse::<u64>().unwrap();
    let answer = match &*words[1] {
        "load" => load(words[2].clone(), number(3), number(4), (number(5), number(6))).await,
        "invalidate" => {
            invalidate(&words[2], number(3), number(4)).await;
            String::new()
        }
        "clear" => {
            clear(&words[2]).await;
            String::new()
        }
        other => panic!("no command {other}"),
    };
    tell(&format!("done {} {answer}", words[0]));
}

/// Does what the test says, up to its end.
pub(crate) fn run(test: &str) {
    let stream = TcpStream::connect(test).unwrap();
    OUTPUT.get_or_init(|| Mutex::new(stream.try_clone().unwrap()));
    tell(&format!("ready {}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        runtime.spawn(answer(line.split(' ').map(str::to_owned).collect()));
    }
    std::process::exit(0);
}
