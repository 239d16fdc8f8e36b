//! One cache for all processes: a function over memcached, seen from two clients as two processes would, and what becomes
//! of it when memcached dies and comes back.
//!
//! `cargo run --release --features memcache --example memcached -- [HOST:PORT ...]`; without servers it starts one of its
//! own.

use std::error::Error;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use chorde::{MemcachedClient, memcache::MemcachedStats};

static CLIENT: OnceLock<MemcachedClient> = OnceLock::new();

fn client() -> &'static MemcachedClient {
    CLIENT.get().expect("invariant: main makes it first")
}

/// Takes 200 ms; is computed once for all processes that use the servers.
#[cached(client = client(), ttl = 60, async_ttl = -20)]
async fn report(day: u32) -> String {
    tokio::time::sleep(Duration::from_millis(200)).await;
    format!("the report of day {day}")
}

/// Calls the function, and says how long that took.
async fn show(what: &str, day: u32) {
    let start = Instant::now();
    let report = report(day).await;
    println!("{what:<44} {:>9.1?}  {report}", start.elapsed());
}

fn connect(servers: &[String]) -> Result<MemcachedClient, chorde::Error> {
    MemcachedClient::builder().servers(servers).checksum_key("only for this example").build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut servers: Vec<String> = std::env::args().skip(1).collect();
    let own = if servers.is_empty() { Some(MemcachedServer::start()?) } else { None };
    servers.extend(own.iter().map(MemcachedServer::address));
    println!("memcached at {}\n", servers.join(", "));
    CLIENT.get_or_init(|| connect(&servers).expect("the servers are written as host:port"));

    show("a cold key: computed", 1).await;
    show("again: from memcached", 1).await;
    report::put(2, "written by hand".into()).await?;
    show("what was put", 2).await;

    // Whoever has the same servers and the same key finds the same values.
    let other = connect(&servers)?;
    other.put(&"greeting", "hello".to_owned(), Duration::from_secs(60)).await?;
    println!("{:<44} {:?}", "from another client", client().get::<String>(&"greeting").await?);
    println!("{:<44} {:?}", "several at once", client().get_multi::<String>(&["greeting", "absent"]).await?);

    if let Some(server) = own {
        dies_and_comes_back(&server).await?;
    }
    let MemcachedStats { hits, misses, stores, outages, recoveries, unserved_reads, .. } = client().stats();
    println!("\n{hits} hits, {misses} misses, {stores} stores, {unserved_reads} reads without a server");
    println!(
        "{outages} outages, {recoveries} recoveries; client errors of the function: {}",
        report::stats().client_errors
    );
    Ok(())
}

/// The function goes on without memcached, and uses it again by itself.
async fn dies_and_comes_back(server: &MemcachedServer) -> Result<(), Box<dyn Error>> {
    server.kill();
    show("memcached was killed: computed", 1).await;
    show("still dead: computed again", 1).await;
    server.restart()?;
    let start = Instant::now();
    while client().stats().recoveries == 0 && start.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{:<44} {:>9.1?}", "restarted: in use again after", start.elapsed());
    show("empty after its restart: computed", 1).await;
    show("again: from memcached", 1).await;
    Ok(())
}
