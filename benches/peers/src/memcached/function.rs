//! A cached function whose client is the servers: what a hit costs beside the client's own get.

use std::sync::{LazyLock, OnceLock};

use chorde::memcache::MemcachedClient;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use tokio::runtime::Runtime;

use super::gets::{MANY, number};
use super::subjects::{KEYS, Small, client, namespace};
use crate::measure::{Row, Wanted, current_thread, load, one_by_one, row, workers};

static MADE: OnceLock<MemcachedClient> = OnceLock::new();
static CLIENT: LazyLock<MemcachedClient> = LazyLock::new(|| MADE.get().expect("made before").clone());

#[cached(client = CLIENT, ttl = 3600)]
async fn function(id: u64) -> Small {
    Small::new(id)
}

pub fn run(wanted: &Wanted, server: &MemcachedServer) {
    MADE.get_or_init(|| client(server));
    current_thread().block_on(async {
        for id in 0..KEYS as u64 {
            function(id).await;
        }
    });
    let mut rows = Vec::new();
    for (kind, make) in [("current thread", current_thread as fn() -> Runtime), ("2 workers", || workers(2))] {
        many(&mut rows, kind, make);
    }
    let measured = wanted.table("a function's hit, 64 at once", &["+thousand/s", "CPU us/call"], super::ROUNDS, rows);
    for pair in measured.chunks_exact(2) {
        println!("{} / {}: {:.2} of the CPU", pair[1].0, pair[0].0, pair[1].1[1] / pair[0].1[1]);
    }
    single(wanted);
}

fn many(rows: &mut Vec<Row<'_>>, kind: &str, make: fn() -> Runtime) {
    let (runtime, namespace) = (make(), namespace());
    rows.push(row(format!("client.get, {kind}"), move || {
        let namespace = namespace.clone();
        load(&runtime, MANY, move |task, turn| {
            let key = chorde::Key::in_namespace(&namespace, &(number(task, turn) as u64)).expect("a key");
            async move { assert!(CLIENT.get::<Small>(&key).await.expect("an answer").is_some()) }
        })
    }));
    let runtime = make();
    rows.push(row(format!("function, {kind}"), move || {
        load(&runtime, MANY, |task, turn| async move {
            function(number(task, turn) as u64).await;
        })
    }));
}

fn single(wanted: &Wanted) {
    let (runtime, namespace) = (current_thread(), namespace());
    let get = row("client.get", move || {
        let namespace = namespace.clone();
        let calls = one_by_one(2000, async move |turn| {
            let key = chorde::Key::in_namespace(&namespace, &((turn % KEYS) as u64)).expect("a key");
            assert!(CLIENT.get::<Small>(&key).await.expect("an answer").is_some());
        });
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    });
    let runtime = current_thread();
    let call = row("function", move || {
        let calls = one_by_one(2000, async |turn| drop(function((turn % KEYS) as u64).await));
        runtime.block_on(async { tokio::spawn(calls).await.expect("a task") })
    });
    wanted.table(
        "a function's hit, one in flight",
        &["p50 us", "p99 us", "CPU us/call"],
        super::ROUNDS,
        vec![get, call],
    );
}
