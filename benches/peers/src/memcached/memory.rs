//! What stays in memory: for a connection that is idle, and for callers that wait.

use std::time::Duration;

use chorde::memcache::MemcachedClient;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use tokio::task::JoinSet;

use super::subjects::Small;
use crate::measure::{Wanted, current_thread};
use crate::memory::resident;

const CLIENTS: usize = 400;
const CALLERS: usize = 10_000;
const MIB: f64 = 1_048_576.0;

fn client(server: &MemcachedServer) -> MemcachedClient {
    let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("a secret of the fleet");
    builder.deadline(Duration::from_secs(60)).build().expect("a client")
}

async fn get(client: MemcachedClient, key: u64) {
    assert!(client.get::<Small>(&key).await.expect("an answer").is_some());
}

pub fn run(_: &Wanted, server: &MemcachedServer) {
    let runtime = current_thread();
    let one = client(server);
    runtime.block_on(async { tokio::spawn(get(one.clone(), 1)).await.expect("a task") });
    idle(&runtime, server);
    let before = resident();
    runtime.block_on(waiting(server, &one));
    let after = resident();
    println!("afterwards, what the allocator keeps:           {:7.1} MiB", (after - before) / MIB);
}

/// Makes many clients, each with a connection that was used.
fn idle(runtime: &tokio::runtime::Runtime, server: &MemcachedServer) {
    let clients: Vec<_> = (0..CLIENTS).map(|_| client(server)).collect();
    let before = resident();
    runtime.block_on(async {
        for client in &clients {
            tokio::spawn(get(client.clone(), 1)).await.expect("a task");
        }
    });
    println!(
        "an idle connection that was used, of {CLIENTS}:       {:7.1} KiB",
        (resident() - before) / 1024.0 / CLIENTS as f64
    );
}

/// Lets many tasks ask a server that does not answer.
async fn waiting(server: &MemcachedServer, client: &MemcachedClient) {
    server.pause().expect("a server");
    let before = resident();
    let mut tasks = JoinSet::new();
    for _ in 0..CALLERS {
        tasks.spawn(std::future::pending::<()>());
    }
    tokio::task::yield_now().await;
    let idle = resident() - before;
    tasks.shutdown().await;
    let before = resident();
    for key in 0..CALLERS as u64 {
        let client = client.clone();
        tasks.spawn(async move { get(client, key % 1000).await });
    }
    // Each task runs once before this one is polled again.
    tokio::task::yield_now().await;
    let waiting = resident() - before;
    server.resume().expect("a server");
    while let Some(task) = tasks.join_next().await {
        task.expect("a task");
    }
    println!("{CALLERS} waiting callers, their tasks included:      {:7.1} MiB", waiting / MIB);
    println!("{CALLERS} tasks that do nothing:                      {:7.1} MiB", idle / MIB);
}
