//! A hundred keys in one question.

use std::sync::Arc;

use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use memcache::exp::AsyncMemcache;

use super::subjects::{
    Bare, KEYS, Pool, Protocol, Small, async_memcached, blocking, client, memcache_async, memcache_exp, namespace,
    plain_keys, sealed_key,
};
use crate::measure::{Row, Wanted, current_thread, one_by_one, one_by_one_here, row};

const CALLS: usize = 300;
const BATCH: usize = 100;

/// Returns where the keys of a turn begin.
fn first(turn: usize) -> usize {
    turn * BATCH % KEYS
}

pub fn run(wanted: &Wanted, server: &MemcachedServer) {
    let mut rows = Vec::new();
    let mut bare = Bare::new(server);
    let keys: Vec<_> = (0..KEYS).map(sealed_key).collect();
    rows.push(row("bare blocking socket, 100 gets in one write", move || {
        one_by_one_here(CALLS, |turn| bare.get_all(keys[first(turn)..][..BATCH].iter().map(String::as_str)))
    }));
    ours(&mut rows, server);
    peers(&mut rows, server);
    let measured = wanted.table("100 keys in one question", &["p50 us", "p99 us", "CPU us"], super::ROUNDS, rows);
    let best = |ours: bool| {
        let of = measured.iter().filter(|(name, _)| name.starts_with("chorde") == ours && !name.starts_with("bare"));
        of.map(|(_, row)| row[0]).fold(f64::NAN, f64::min)
    };
    println!("chorde / best peer: {:.2}", best(true) / best(false));
}

fn ours(rows: &mut Vec<Row<'_>>, server: &MemcachedServer) {
    let (ours, runtime) = (client(server), current_thread());
    let keys: Arc<[u64]> = (0..KEYS as u64).collect();
    rows.push(row("chorde, current thread", move || {
        let (ours, keys) = (ours.clone(), Arc::clone(&keys));
        let calls = one_by_one(CALLS, async move |turn| {
            let values = ours.get_multi::<Small>(&keys[first(turn)..][..BATCH]).await.expect("an answer");
            assert!(values.len() == BATCH && values.iter().all(Option::is_some));
        });
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    }));
    let (ours, runtime, namespace) = (client(server), current_thread(), namespace());
    let keys = (0..KEYS as u64).map(|number| chorde::Key::in_namespace(&namespace, &number).expect("a key"));
    let keys: Arc<[chorde::Key]> = keys.collect();
    rows.push(row("chorde, current thread, in a namespace", move || {
        let (ours, keys) = (ours.clone(), Arc::clone(&keys));
        let calls = one_by_one(CALLS, async move |turn| {
            let values = ours.get_multi::<Small>(&keys[first(turn)..][..BATCH]).await.expect("an answer");
            assert!(values.len() == BATCH && values.iter().all(Option::is_some));
        });
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    }));
    let ours = client(server);
    let keys: Vec<u64> = (0..KEYS as u64).collect();
    rows.push(row("chorde, .wait()", move || {
        one_by_one_here(CALLS, |turn| {
            let values = ours.get_multi::<Small>(&keys[first(turn)..][..BATCH]).wait().expect("an answer");
            assert!(values.len() == BATCH && values.iter().all(Option::is_some));
        })
    }));
}

fn peers(rows: &mut Vec<Row<'_>>, server: &MemcachedServer) {
    let (runtime, keys) = (current_thread(), plain_keys());
    let pool = async_memcached(&runtime, server, 1);
    rows.push(row("async-memcached, current thread", move || {
        let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
        let calls =
            one_by_one(CALLS, async move |turn| get_async_memcached(&pool, &keys[first(turn)..][..BATCH]).await);
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    }));
    let (runtime, keys) = (current_thread(), plain_keys());
    let pool = memcache_async(&runtime, server, 1);
    rows.push(row("memcache-async, current thread", move || {
        let (pool, keys) = (Arc::clone(&pool), Arc::clone(&keys));
        let calls = one_by_one(CALLS, async move |turn| get_memcache_async(&pool, &keys[first(turn)..][..BATCH]).await);
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    }));
    let (runtime, keys) = (current_thread(), plain_keys());
    let peer = memcache_exp(&runtime, server, 1);
    rows.push(row("memcache::exp, current thread", move || {
        let (peer, keys) = (peer.clone(), Arc::clone(&keys));
        let calls = one_by_one(CALLS, async move |turn| get_memcache_exp(&peer, &keys[first(turn)..][..BATCH]).await);
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    }));
    let (peer, keys) = (blocking(server, 1), plain_keys());
    let keys: Vec<String> = keys.to_vec();
    rows.push(row("memcache, blocking", move || {
        one_by_one_here(CALLS, |turn| {
            let batch: Vec<&str> = keys[first(turn)..][..BATCH].iter().map(String::as_str).collect();
            let values = peer.gets::<Vec<u8>>(&batch).expect("an answer");
            assert_eq!(values.len(), BATCH);
        })
    }));
}

async fn get_async_memcached(pool: &Pool<async_memcached::Client>, keys: &[String]) {
    use async_memcached::AsciiProtocol;
    let values = pool[0].lock().await.get_multi(keys).await.expect("an answer");
    assert_eq!(values.len(), BATCH);
}

async fn get_memcache_async(pool: &Pool<Protocol>, keys: &[String]) {
    let values = pool[0].lock().await.get_multi(keys).await.expect("an answer");
    assert_eq!(values.len(), BATCH);
}

async fn get_memcache_exp(client: &AsyncMemcache, keys: &[String]) {
    let values = client.get_many::<Vec<u8>, _>(keys).await.expect("an answer");
    assert_eq!(values.len(), BATCH);
}
