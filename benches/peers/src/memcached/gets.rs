//! Many callers at once: how many gets a second, and what one costs this process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chorde::memcache::MemcachedClient;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use tokio::runtime::Runtime;

use super::subjects::{
    Bare, KEYS, Small, async_memcached, blocking, client, get_async_memcached, get_blocking, get_memcache_async,
    get_memcache_exp, memcache_async, memcache_exp, namespace, plain_key, plain_keys, sealed_key,
};
use crate::measure::{Load, Row, Wanted, current_thread, load, row, threads, workers};

pub const MANY: Load = Load { tasks: 64, span: Duration::from_millis(300) };

/// Gives each task keys of its own: calls of a function for one key at the same time would share one answer.
pub fn number(task: usize, turn: usize) -> usize {
    let own = KEYS / MANY.tasks;
    task * own + turn % own
}

pub fn run(wanted: &Wanted, server: &MemcachedServer) {
    let mut rows = Vec::new();
    for (kind, make) in [("current thread", current_thread as fn() -> Runtime), ("2 workers", || workers(2))] {
        ours(&mut rows, server, kind, make);
        for connections in [1, 2, 4] {
            peers(&mut rows, server, &format!("{connections} conn., {kind}"), connections, make);
        }
    }
    for connections in [1, 2, 4] {
        plain(&mut rows, server, connections);
    }
    let mut bare = Bare::new(server);
    let batch: Vec<_> = (0..MANY.tasks).map(sealed_key).collect();
    rows.push(row("bare socket, 64 gets in one write", move || {
        let socket = Mutex::new(&mut bare);
        let once = |_, _| socket.lock().expect("no panic").get_all(batch.iter().map(String::as_str));
        let measured = threads(Load { tasks: 1, ..MANY }, once);
        let count = batch.len() as f64;
        vec![measured[0] * count, measured[1] / count]
    }));
    let measured = wanted.table("gets, 64 at once", &["+thousand/s", "CPU us/get"], super::ROUNDS, rows);
    for kind in ["current thread", "2 workers"] {
        compare(&measured, kind);
    }
}

/// Says how many times the best peer over one connection ours is.
fn compare(measured: &[(String, Vec<f64>)], kind: &str) {
    let is_peer = |name: &str| !name.starts_with("chorde") && name.contains("1 conn.") && name.contains(kind);
    let best = |of: &dyn Fn(&str) -> bool| {
        let rates = measured.iter().filter(|(name, _)| of(name)).map(|(_, row)| row[0]);
        rates.fold(f64::NAN, f64::max)
    };
    let ours = best(&|name| name.starts_with("chorde") && name.contains(kind) && !name.contains("in a"));
    println!("chorde / best peer over one connection, {kind}: {:.1}", ours / best(&is_peer));
}

fn ours(rows: &mut Vec<Row<'_>>, server: &MemcachedServer, kind: &str, make: fn() -> Runtime) {
    let (ours, runtime) = (client(server), make());
    rows.push(row(format!("chorde, 1 conn., {kind}"), move || {
        let ours = ours.clone();
        load(&runtime, MANY, move |task, turn| get(ours.clone(), number(task, turn) as u64))
    }));
    let (ours, runtime, namespace) = (client(server), make(), namespace());
    rows.push(row(format!("chorde, 1 conn., {kind}, in a namespace"), move || {
        let (ours, namespace) = (ours.clone(), namespace.clone());
        load(&runtime, MANY, move |task, turn| {
            let key = chorde::Key::in_namespace(&namespace, &(number(task, turn) as u64)).expect("a key");
            get(ours.clone(), key)
        })
    }));
}

async fn get(client: MemcachedClient, key: impl chorde::AsKey) {
    assert!(client.get::<Small>(&key).await.expect("an answer").is_some());
}

fn peers(rows: &mut Vec<Row<'_>>, server: &MemcachedServer, kind: &str, connections: usize, make: fn() -> Runtime) {
    let (runtime, keys) = (make(), plain_keys());
    let pool = async_memcached(&runtime, server, connections);
    rows.push(row(format!("async-memcached, {kind}"), move || {
        let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
        load(&runtime, MANY, move |task, turn| {
            let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
            async move { get_async_memcached(&pool, task, &keys[number(task, turn)]).await }
        })
    }));
    let (runtime, keys) = (make(), plain_keys());
    let pool = memcache_async(&runtime, server, connections);
    rows.push(row(format!("memcache-async, {kind}"), move || {
        let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
        load(&runtime, MANY, move |task, turn| {
            let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
            async move { get_memcache_async(&pool, task, &keys[number(task, turn)]).await }
        })
    }));
    let (runtime, keys) = (make(), plain_keys());
    let peer = memcache_exp(&runtime, server, connections);
    rows.push(row(format!("memcache::exp, {kind}"), move || {
        let (peer, keys) = (peer.clone(), Arc::clone(&keys));
        load(&runtime, MANY, move |task, turn| {
            let (peer, keys) = (peer.clone(), Arc::clone(&keys));
            async move { get_memcache_exp(&peer, &keys[number(task, turn)]).await }
        })
    }));
}

/// The blocking peer: as many threads as connections, which is the best for it, and 64 that share them.
fn plain(rows: &mut Vec<Row<'_>>, server: &MemcachedServer, connections: u32) {
    for tasks in [connections as usize, MANY.tasks] {
        let peer = blocking(server, connections);
        rows.push(row(format!("memcache, {connections} conn., {tasks} threads"), move || {
            threads(Load { tasks, ..MANY }, |task, turn| get_blocking(&peer, &plain_key(number(task, turn))))
        }));
    }
}
