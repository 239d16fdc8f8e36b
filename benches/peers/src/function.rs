//! What a hit of a function costs: `#[cached]` beside the macros of `cached`, and beside caches that are asked by hand.

mod by_hand;
mod ours;
mod theirs;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chorde::Wait;
use serde::Serialize;

use crate::keys;
use crate::measure::{Outcome, Row, Wanted, nanos, ratio, row};
use crate::plot;

/// Entries that a cache may hold; all keys are present.
const CAPACITY: u64 = 20_000;
const CALLS: usize = 500_000;
const ROUNDS: usize = 9;

/// A key with more than one field, one of them on the heap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Query {
    user: u64,
    page: u32,
    country: String,
}

/// Polls a future where it was made, as `.await` does. Those that wait for a lock of tokio's are waited for.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => future.wait(),
    }
}

/// Makes a row of a call that is given an element of `keys` at a time.
fn hit<'a, K: Sync>(name: &str, keys: &'a [K], call: impl Fn(&K) -> u64 + Sync + 'a) -> Row<'a> {
    // So that all keys are present, and what is made lazily is.
    keys.iter().for_each(|key| _ = call(key));
    let call = move |turn: usize| call(&keys[turn & (keys.len() - 1)]);
    row(name, move || [1, 2].map(|threads| nanos(threads, CALLS, &call)).to_vec())
}

fn numbers(keys: &[u64]) -> Vec<Row<'_>> {
    vec![
        hit("chorde", keys, |&key| ours::number(key)),
        hit("chorde, async_ttl", keys, |&key| ours::number_ahead(key)),
        hit("cached, max_size and ttl", keys, |&key| theirs::number(key)),
        hit("concurrent_cached, max_size and ttl", keys, |&key| theirs::number_concurrent(key)),
        hit("moka, get_with, ttl", keys, |&key| by_hand::MOKA.get_with(key, || key)),
        hit("mini-moka, get, ttl", keys, |&key| by_hand::mini_moka(key)),
        hit("foyer, get, no ttl", keys, |&key| by_hand::foyer(key)),
        hit("quick_cache, get, no ttl", keys, |&key| by_hand::quick_cache(key)),
    ]
}

fn numbers_async<'a>(keys: &'a [u64], runtime: &tokio::runtime::Runtime) -> Vec<Row<'a>> {
    // A first call that computes may wait; so it is made where it can.
    runtime.block_on(async {
        for &key in keys {
            _ = (ours::number_async(key).await, ours::number_ahead_async(key).await);
            _ = (theirs::number_async(key).await, theirs::number_concurrent_async(key).await);
            _ = by_hand::MOKA_FUTURE.get_with(key, async { key }).await;
        }
    });
    vec![
        hit("chorde", keys, |&key| ready(ours::number_async(key))),
        hit("chorde, async_ttl", keys, |&key| ready(ours::number_ahead_async(key))),
        hit("cached, max_size and ttl", keys, |&key| ready(theirs::number_async(key))),
        hit("concurrent_cached, max_size and ttl", keys, |&key| ready(theirs::number_concurrent_async(key))),
        hit("moka, get_with, ttl", keys, |&key| ready(by_hand::MOKA_FUTURE.get_with(key, async { key }))),
    ]
}

fn texts<'a>(keys: &'a [(String, u32)]) -> Vec<Row<'a>> {
    vec![
        hit("chorde", keys, |(name, number)| ours::text(name, *number).len() as u64),
        hit("cached, max_size and ttl", keys, |(name, number)| theirs::text(name, *number).len() as u64),
        hit("concurrent_cached, max_size and ttl", keys, |(name, number)| {
            theirs::text_concurrent(name, *number).len() as u64
        }),
        hit("moka, get_with, ttl", keys, |(name, number)| by_hand::moka_text(name, *number).len() as u64),
        hit("quick_cache, get, no ttl", keys, |(name, number)| by_hand::quick_cache_text(name, *number).len() as u64),
    ]
}

fn queries(keys: &[Query]) -> Vec<Row<'_>> {
    vec![
        hit("chorde", keys, |query| ours::query(query).len() as u64),
        hit("cached, max_size and ttl", keys, |query| theirs::query(query).len() as u64),
        hit("concurrent_cached, max_size and ttl", keys, |query| theirs::query_concurrent(query).len() as u64),
        hit("moka, get_with, ttl", keys, |query| by_hand::moka_query(query).len() as u64),
        hit("quick_cache, get, no ttl", keys, |query| by_hand::quick_cache_query(query).len() as u64),
    ]
}

pub fn run(wanted: &Wanted) -> Outcome {
    let runtime = crate::measure::current_thread();
    let keys = keys::zipf(keys::SMALL);
    let text: Vec<_> = keys.iter().map(|key| (format!("user-{key}"), 3)).collect();
    let query = |&key: &u64| Query { user: key, page: (key % 7) as u32, country: "Liechtenstein".to_owned() };
    let query: Vec<_> = keys.iter().map(query).collect();
    let kinds = [
        ("u64 -> u64", numbers(&keys)),
        ("async, u64 -> u64", numbers_async(&keys, &runtime)),
        ("(&str, u32) -> Arc<str>", texts(&text)),
        ("&Query { u64, u32, String } -> Arc<str>", queries(&query)),
    ];
    for (kind, rows) in kinds {
        let title = format!("A function's hit, {kind}, ns");
        let medians = wanted.table(&title, &["1 thread", "2 threads"], ROUNDS, rows);
        let best = |index| {
            let rivals = medians.iter().filter(|(name, _)| !name.starts_with("chorde") && !name.contains("no ttl"));
            rivals.map(|(_, measured)| measured[index]).fold(f64::INFINITY, f64::min)
        };
        let ours = medians.iter().find(|(name, _)| name == "chorde").map(|(_, measured)| measured);
        if let Some(ours) = ours {
            println!("chorde / best with bound and ttl: {:.2}, {:.2}", ours[0] / best(0), ours[1] / best(1));
        }
        if kind == "u64 -> u64" && !medians.is_empty() {
            let plotted = wanted.plots.join("function_hit.svg");
            plot::bars(&plotted, "A hit of a function u64 -> u64, ns", &["1 thread", "2 threads"], &medians)?;
            println!("plotted: {}", plotted.display());
        }
        for thread in [0, 1] {
            let name = ["1 thread", "2 threads"][thread];
            ratio(&medians, "chorde", "quick_cache, get, no ttl", thread, name);
        }
    }
    Ok(())
}
