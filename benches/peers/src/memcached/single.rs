//! One request in flight: how long an answer takes, beside a bare socket that asks for the same, and the envelope alone.

use std::hint::black_box;
use std::sync::Arc;

use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use chorde_memcache::__bench::{Envelope, route};
use tokio::runtime::Runtime;

use super::subjects::{
    Bare, KEYS, Small, async_memcached, blocking, client, get_async_memcached, get_blocking, get_memcache_async,
    get_memcache_exp, memcache_async, memcache_exp, plain_keys, sealed_key,
};
use crate::measure::{Row, Wanted, current_thread, one_by_one, one_by_one_here, row, workers};

const CALLS: usize = 2000;

pub fn run(wanted: &Wanted, server: &MemcachedServer) {
    let mut rows = Vec::new();
    let mut bare = Bare::new(server);
    let keys: Vec<_> = (0..KEYS).map(sealed_key).collect();
    rows.push(row("bare blocking socket", move || {
        one_by_one_here(CALLS, |turn| bare.get_all(std::iter::once(keys[turn % KEYS].as_str())))
    }));
    rows.push(row("envelope: wire key, verify and decode", envelope()));
    for (kind, make) in [("current thread", current_thread as fn() -> Runtime), ("2 workers", || workers(2))] {
        ours(&mut rows, server, kind, make);
    }
    let client = client(server);
    rows.push(row("chorde, .wait()", move || {
        one_by_one_here(CALLS, |turn| {
            let value = client.get::<Small>(&((turn % KEYS) as u64)).wait();
            assert!(value.expect("an answer").is_some());
        })
    }));
    peers(&mut rows, server);
    let measured = wanted.table("gets, one in flight", &["p50 us", "p99 us", "CPU us/get"], super::ROUNDS, rows);
    let p50 = |name: &str| measured.iter().find(|(row, _)| row.starts_with(name)).map_or(f64::NAN, |(_, row)| row[0]);
    let floor = p50("bare") + p50("envelope");
    for name in ["chorde, current thread", "chorde, 2 workers", "chorde, .wait()"] {
        println!("{name} / (bare socket + envelope): {:.2}", p50(name) / floor);
    }
}

/// What a get does beside talking to the server, a hundred at a time: one is too short to be timed.
fn envelope() -> impl FnMut() -> Vec<f64> {
    let envelope = Envelope::new(Some(1), 1024);
    let sealed = envelope.seal(&Small::new(7));
    move || {
        let hundred = one_by_one_here(CALLS / 10, |turn| {
            for _ in 0..100 {
                black_box(route(black_box(&turn.to_le_bytes())));
                black_box(envelope.open::<Small>(black_box(&sealed)));
            }
        });
        hundred.into_iter().map(|micros| micros / 100.0).collect()
    }
}

fn ours(rows: &mut Vec<Row<'_>>, server: &MemcachedServer, kind: &str, make: fn() -> Runtime) {
    for place in ["a task", "block_on"] {
        let (client, runtime) = (client(server), make());
        rows.push(row(format!("chorde, {kind}, {place}"), move || {
            let client = client.clone();
            let calls = one_by_one(CALLS, async move |turn| {
                let value = client.get::<Small>(&((turn % KEYS) as u64)).await;
                assert!(value.expect("an answer").is_some());
            });
            runtime.block_on(async {
                if place == "a task" { tokio::spawn(calls).await.expect("a task") } else { calls.await }
            })
        }));
    }
}

fn peers(rows: &mut Vec<Row<'_>>, server: &MemcachedServer) {
    let (runtime, keys) = (current_thread(), plain_keys());
    let pool = async_memcached(&runtime, server, 1);
    rows.push(row("async-memcached, current thread", move || {
        let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
        let get = async move |turn: usize| get_async_memcached(&pool, 0, &keys[turn % KEYS]).await;
        runtime.block_on(async { tokio::spawn(one_by_one(CALLS, get)).await.expect("a task") })
    }));
    let (runtime, keys) = (current_thread(), plain_keys());
    let pool = memcache_async(&runtime, server, 1);
    rows.push(row("memcache-async, current thread", move || {
        let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
        let get = async move |turn: usize| get_memcache_async(&pool, 0, &keys[turn % KEYS]).await;
        runtime.block_on(async { tokio::spawn(one_by_one(CALLS, get)).await.expect("a task") })
    }));
    let (runtime, keys) = (current_thread(), plain_keys());
    let peer = memcache_exp(&runtime, server, 1);
    rows.push(row("memcache::exp, current thread", move || {
        let (peer, keys) = (peer.clone(), Arc::clone(&keys));
        let get = async move |turn: usize| get_memcache_exp(&peer, &keys[turn % KEYS]).await;
        runtime.block_on(async { tokio::spawn(one_by_one(CALLS, get)).await.expect("a task") })
    }));
    let (peer, keys) = (blocking(server, 1), plain_keys());
    rows.push(row("memcache, blocking", move || {
        one_by_one_here(CALLS, |turn| get_blocking(&peer, &keys[turn % KEYS]))
    }));
}
