//! Hits of chorde's own store by kind of value, policy, number of types, and room.

use std::hint::black_box;
use std::sync::Arc;

use chorde::inproc::Policy;
use chorde::{CacheExt, InprocClient, Value, Wait};

use super::subjects::TTL;
use crate::measure::{Row, Wanted, nanos, row};

const ENTRIES: u64 = 1000;
const CALLS: usize = 200_000;
const ROUNDS: usize = 7;

/// A struct of the user's that owns nothing, and one that owns something.
#[derive(Clone, Copy)]
struct Pair(#[expect(dead_code)] u64, #[expect(dead_code)] u64);
#[derive(Clone)]
struct User(#[expect(dead_code)] String, #[expect(dead_code)] u64);

/// Fills a store and reads it: all keys in turn, then one key from all threads.
fn hits<'a, V: Value>(name: &str, client: InprocClient, make: fn(u64) -> V) -> Row<'a> {
    (0..ENTRIES).for_each(|key| client.put(&key, make(key), TTL).wait().expect("a valid key"));
    row(name, move || {
        let get = |key: u64| u64::from(black_box(client.get::<V>(&key).wait().expect("a valid key")).is_some());
        let all = |turn: usize| get(turn as u64 % ENTRIES);
        vec![nanos(1, CALLS, &all), nanos(2, CALLS, &all), nanos(2, CALLS, &|_| get(7))]
    })
}

fn store(capacity: u64, policy: Policy) -> InprocClient {
    InprocClient::builder().capacity(capacity).policy(policy).build().expect("a capacity")
}

fn roomy() -> InprocClient {
    store(2 * ENTRIES, Policy::default())
}

/// A store that holds an entry of each of so many types already.
fn of_types(types: usize) -> InprocClient {
    let client = roomy();
    macro_rules! put {
        ($($tens:literal)*) => { put!(@ $($tens, 0 1 2 3 4 5 6 7 8 9);*) };
        (@ $($tens:literal, $($unit:literal)*);*) => {$($(
            if $tens + $unit < types {
                client.put(&(1_000_000_u64 + $tens + $unit), [7_u64; $tens + $unit + 2], TTL).wait().expect("a valid key");
            }
        )*)*};
    }
    put!(0 10 20 30 40 50 60 70 80 90);
    client
}

pub fn run(wanted: &Wanted) {
    let text = |key: u64| format!("{key:032}");
    let kinds = |policy: fn() -> Policy, of: &str| {
        let store = || store(2 * ENTRIES, policy());
        vec![
            hits(&format!("u64{of}"), store(), |key| key),
            hits(&format!("Arc<str>{of}"), store(), |key| Arc::<str>::from(format!("{key:032}"))),
            hits(&format!("String of 32{of}"), store(), text),
            hits(&format!("String of 4000{of}"), store(), |key| format!("{key:04000}")),
            hits(&format!("Copy struct{of}"), store(), |key| Pair(key, key)),
            hits(&format!("struct with a String{of}"), store(), |key| User(format!("{key:032}"), key)),
        ]
    };
    let mut rows = kinds(Policy::adaptive, "");
    rows.extend(kinds(Policy::lru, ", lru"));
    let inline = InprocClient::builder().capacity(2 * ENTRIES).inline::<Pair>().build().expect("a capacity");
    rows.push(hits("Copy struct, inline", inline, |key| Pair(key, key)));
    rows.extend([9, 99].map(|others| hits(&format!("u64 beside {others} types"), of_types(others), |key| key)));
    rows.extend([10, 10_000].map(|more| {
        let room = store(more * ENTRIES, Policy::default());
        hits(&format!("u64, room for {more} times as many"), room, |key| key)
    }));
    let title = format!("Hits of {ENTRIES} entries by kind, ns");
    wanted.table(&title, &["1 thread", "2 threads", "one key, 2 threads"], ROUNDS, rows);
}
