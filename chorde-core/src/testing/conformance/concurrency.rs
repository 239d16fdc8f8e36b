//! Many threads on one client.

use std::sync::Barrier;
use std::thread;

use super::Sample;
use super::bench::{Bench, HOUR, Rule};
use crate::client::{CacheExt, Client};
use crate::error::Result;
use crate::key::Key;

pub(super) fn rules<C: Client<V>, V: Sample>() -> Vec<Rule<C>> {
    vec![
        ("exactly one of many adds wins where nothing is", add_absent::<C, V>),
        ("exactly one of many adds wins over a stale entry", add_stale::<C, V>),
        ("threads that write different keys do not disturb each other", different_keys::<C, V>),
        ("a key read while it is written shows one of its values", one_of_its_values::<C, V>),
    ]
}

const THREADS: u64 = 8;
const ROUNDS: u64 = 20;

/// Does something on several threads at once, in the tokio runtime around the suite if there is one.
fn at_once<T: Send>(work: impl Fn(u64) -> Result<T> + Sync) -> Vec<Result<T>> {
    let (barrier, runtime) = (Barrier::new(THREADS as usize), tokio::runtime::Handle::try_current().ok());
    thread::scope(|scope| {
        let start = |number| {
            let (work, barrier, runtime) = (&work, &barrier, runtime.clone());
            scope.spawn(move || {
                let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
                barrier.wait();
                work(number)
            })
        };
        let started: Vec<_> = (0..THREADS).map(start).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        started.into_iter().map(join).collect()
    })
}

fn add_absent<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    for round in 0..ROUNDS {
        one_add_wins::<C, V>(bench, &bench.key(round));
    }
}

fn add_stale<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    for round in 0..ROUNDS {
        let key = bench.key(round);
        bench.put(&key, V::sample(1_000));
        bench.done(bench.client.expire(&key));
        one_add_wins::<C, V>(bench, &key);
    }
}

fn one_add_wins<C: Client<V>, V: Sample>(bench: &Bench<'_, C>, key: &Key) {
    let client = &bench.client;
    let added = at_once(|number| crate::sync::block_on(client.add(key, V::sample(number), HOUR)));
    let added: Vec<bool> = added.into_iter().map(|added| bench.done(async { added })).collect();
    bench.same(&added.iter().filter(|added| **added).count(), &1, "how many of the adds say that they stored");
    let winner = added.iter().position(|added| *added).unwrap_or_default();
    bench.hits(key, &V::sample(winner as u64), "after the adds");
}

fn different_keys<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let client = &bench.client;
    let work = |number: u64| {
        let key = Key::new(&("thread", number))?;
        for round in 0..ROUNDS {
            let value = V::sample(number * ROUNDS + round);
            crate::sync::block_on(client.put(&key, value.clone(), HOUR))?;
            if crate::sync::block_on(client.get::<V>(&key))? != Some(value) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    for kept in at_once(work) {
        bench.holds(bench.done(async { kept }), "each thread reads what it wrote");
    }
}

fn one_of_its_values<C: Client<V>, V: Sample>(bench: &Bench<'_, C>) {
    let (client, key) = (&bench.client, bench.key("contended"));
    bench.put(&key, V::sample(0));
    let work = |number: u64| {
        for _ in 0..ROUNDS {
            crate::sync::block_on(client.put(&key, V::sample(number), HOUR))?;
            match crate::sync::block_on(client.get::<V>(&key))? {
                Some(value) if (0..THREADS).any(|number| value == V::sample(number)) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    };
    for kept in at_once(work) {
        bench.holds(bench.done(async { kept }), "every read shows a value that was put");
    }
}
