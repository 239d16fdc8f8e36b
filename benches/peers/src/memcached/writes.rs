//! Writing: many small values, and large ones both ways.

use std::sync::Arc;

use async_memcached::AsciiProtocol;
use chorde::memcache::MemcachedClient;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use tokio::runtime::Runtime;

use super::gets::{MANY, number};
use super::subjects::{
    PLAIN, Small, TTL, async_memcached, blocking, client, hour, memcache_async, memcache_exp, plain_keys,
};
use crate::measure::{Row, Wanted, current_thread, load, one_by_one, one_by_one_here, row, workers};

const MIB: usize = 1 << 20;
const CALLS: usize = 30;

pub fn puts(wanted: &Wanted, server: &MemcachedServer) {
    let mut rows = Vec::new();
    for (kind, make) in [("current thread", current_thread as fn() -> Runtime), ("2 workers", || workers(2))] {
        let (client, runtime) = (client(server), make());
        rows.push(row(format!("chorde, 1 conn., {kind}"), move || {
            let client = client.clone();
            load(&runtime, MANY, move |task, turn| {
                let (client, key) = (client.clone(), number(task, turn) as u64);
                async move { client.put(&key, Small::new(key), TTL).await.expect("a put") }
            })
        }));
        for connections in [1, 4] {
            peers(&mut rows, server, &format!("{connections} conn., {kind}"), connections, make);
        }
    }
    wanted.table("puts, 64 at once", &["+thousand/s", "CPU us/put"], super::ROUNDS, rows);
}

fn peers(rows: &mut Vec<Row<'_>>, server: &MemcachedServer, kind: &str, connections: usize, make: fn() -> Runtime) {
    let (runtime, keys) = (make(), plain_keys());
    let pool = async_memcached(&runtime, server, connections);
    rows.push(row(format!("async-memcached, {kind}"), move || {
        let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
        load(&runtime, MANY, move |task, turn| {
            let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
            async move {
                let mut client = pool[task % pool.len()].lock().await;
                client.set(&keys[number(task, turn)], PLAIN, Some(3600), None).await.expect("a set");
            }
        })
    }));
    let (runtime, keys) = (make(), plain_keys());
    let peer = memcache_exp(&runtime, server, connections);
    rows.push(row(format!("memcache::exp, {kind}"), move || {
        let (peer, keys) = (peer.clone(), Arc::clone(&keys));
        load(&runtime, MANY, move |task, turn| {
            let (peer, keys) = (peer.clone(), Arc::clone(&keys));
            async move { peer.set(&keys[number(task, turn)], PLAIN, hour()).await.expect("a set") }
        })
    }));
}

/// Rows of text such as programs keep, which zstd makes four to five times smaller.
fn text() -> String {
    let mut random = fastrand::Rng::with_seed(7);
    let words: Vec<String> = (0..2000).map(|_| (0..random.usize(2..9)).map(|_| random.lowercase()).collect()).collect();
    let mut text = String::with_capacity(MIB + 200);
    while text.len() < MIB {
        let word = |random: &mut fastrand::Rng| words[(random.f64().powi(3) * 2000.0) as usize].as_str();
        let (name, price, tag) = (word(&mut random), random.f64() * 1000.0, word(&mut random));
        text +=
            &format!("{{\"id\":{},\"name\":\"{name}\",\"price\":{price:.2},\"tags\":[\"{tag}\"]}},", random.u16(..));
    }
    text.truncate(MIB);
    text
}

fn noise() -> String {
    let mut random = fastrand::Rng::with_seed(7);
    (0..MIB).map(|_| random.alphanumeric()).collect()
}

pub fn large(wanted: &Wanted, server: &MemcachedServer) {
    let mut rows = Vec::new();
    for (kind, value) in [("text", text()), ("noise", noise())] {
        ours(&mut rows, server, kind, &value);
        theirs(&mut rows, server, kind, &value);
    }
    let measured =
        wanted.table("a value of 1 MiB, one at a time", &["p50 us", "p99 us", "CPU us"], super::ROUNDS, rows);
    for (name, row) in measured {
        println!("{name:50}{:>8.0} MB/s", MIB as f64 / row[0]);
    }
}

fn ours(rows: &mut Vec<Row<'_>>, server: &MemcachedServer, kind: &'static str, value: &str) {
    let value = value.to_owned();
    let (client, runtime) = (client(server), current_thread());
    rows.push(row(format!("chorde, put, {kind}"), {
        let (value, client) = (value.clone(), client.clone());
        move || {
            let mut values = vec![value.clone(); CALLS];
            let client = client.clone();
            let calls = one_by_one(CALLS, async move |_| put(&client, kind, values.pop().expect("enough")).await);
            runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
        }
    }));
    let runtime = current_thread();
    rows.push(row(format!("chorde, get, {kind}"), move || {
        let (client, expected) = (client.clone(), value.len());
        let calls = one_by_one(CALLS, async move |_| {
            let value = client.get::<String>(kind).await.expect("an answer");
            assert_eq!(value.map(|value| value.len()), Some(expected));
        });
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    }));
}

async fn put(client: &MemcachedClient, kind: &str, value: String) {
    client.put(kind, value, TTL).await.expect("a put");
}

fn theirs(rows: &mut Vec<Row<'_>>, server: &MemcachedServer, kind: &'static str, value: &str) {
    let (peer, value) = (blocking(server, 1), value.to_owned());
    rows.push(row(format!("memcache, set, {kind}, as it is"), {
        let (peer, value) = (peer.clone(), value.clone());
        move || one_by_one_here(CALLS, |_| peer.set(kind, value.as_str(), 3600).expect("a set"))
    }));
    rows.push(row(format!("memcache, get, {kind}, as it is"), {
        move || one_by_one_here(CALLS, |_| assert!(peer.get::<String>(kind).expect("an answer").is_some()))
    }));
    let runtime = current_thread();
    let pool = memcache_async(&runtime, server, 1);
    rows.push(row(format!("memcache-async, get, {kind}, as it is"), move || {
        let pool = Arc::clone(&pool);
        let calls = one_by_one(CALLS, async move |_| {
            assert_eq!(pool[0].lock().await.get(kind).await.expect("a value").len(), MIB);
        });
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    }));
    let (runtime, value) = (current_thread(), value);
    let pool = async_memcached(&runtime, server, 1);
    rows.push(row(format!("async-memcached, set, {kind}, as it is"), {
        let (pool, value) = (Arc::clone(&pool), Arc::<str>::from(value));
        move || {
            let (pool, value) = (Arc::clone(&pool), Arc::clone(&value));
            let calls = one_by_one(CALLS, async move |_| {
                let mut client = pool[0].lock().await;
                client.set(kind, value.as_bytes(), Some(3600), None).await.expect("a set");
            });
            runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
        }
    }));
}
