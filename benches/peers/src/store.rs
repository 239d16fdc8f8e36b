//! What a store costs that is used directly.

mod kinds;
pub mod subjects;

use std::sync::Arc;

use fastrand::Rng;
use subjects::{Named, Store};

use crate::keys;
use crate::measure::{Outcome, Row, Wanted, nanos, ratio, row};

const ENTRIES: u64 = 50_000;
const CALLS: usize = 200_000;
const ROUNDS: usize = 7;

/// A value of 100 bytes.
pub type Bytes = Arc<[u8; 100]>;

/// Measures a kind of store by one kind of keys: hits, reads with a tenth of writes, and writes each of which evicts an entry.
fn row_of<'a, K: Sync + 'a, S: Store<K> + 'a>(name: &str, make: fn(u64) -> S, keys: &'a Keys<K>) -> Row<'a> {
    let Keys { all, drawn, many, values } = keys;
    // One with room for all, so that what is measured are hits, and one that is full.
    let (roomy, full) = (make(2 * ENTRIES), make(ENTRIES));
    all.iter().zip(values).for_each(|(key, value)| roomy.insert(key, value));
    many.iter().zip(values.iter().cycle()).for_each(|(key, value)| full.insert(key, value));
    assert!(drawn.iter().all(|key| roomy.get(key).is_some()), "{name} has room for all");
    row(name, move || {
        let get = |turn: usize| u64::from(roomy.get(&drawn[turn & (drawn.len() - 1)]).is_some());
        let mix = |turn: usize| {
            if !turn.is_multiple_of(10) {
                return get(turn);
            }
            roomy.insert(&drawn[turn & (drawn.len() - 1)], &values[turn % values.len()]);
            0
        };
        // All keys in turn, many times as many as there is room for.
        let put = |turn: usize| {
            full.insert(&many[turn % many.len()], &values[turn % values.len()]);
            0
        };
        let mut measured: Vec<f64> = [1, 2].map(|threads| nanos(threads, CALLS, &get)).to_vec();
        measured.extend([1, 2].map(|threads| nanos(threads, CALLS, &mix)));
        measured.extend([1, 2].map(|threads| nanos(threads, CALLS, &put)));
        measured
    })
}

/// The keys of a measurement.
struct Keys<K> {
    /// Those that are present.
    all: Vec<K>,
    /// `2^16` of them, drawn like zipf.
    drawn: Vec<K>,
    /// So many that no capacity holds them.
    many: Vec<K>,
    /// As many as `all`, each on its own: clones of one would fight for its count.
    values: Vec<Bytes>,
}

impl<K> Keys<K> {
    fn new(key: impl Fn(u64) -> K) -> Self {
        let mut shuffled: Vec<u64> = (0..ENTRIES).collect();
        Rng::with_seed(1).shuffle(&mut shuffled);
        Self {
            all: (0..ENTRIES).map(&key).collect(),
            drawn: keys::zipf(ENTRIES)
                .into_iter()
                .map(|drawn| key(shuffled[drawn as usize % shuffled.len()]))
                .collect(),
            many: (0..4 * ENTRIES).map(|number| key(number + 1_000_000)).collect(),
            values: (0..ENTRIES).map(|_| Arc::new([7; 100])).collect(),
        }
    }
}

const COLUMNS: [&str; 6] =
    ["hit, 1 thread", "2 threads", "90/10 mix, 1 thread", "2 threads", "insert with eviction, 1 thread", "2 threads"];

/// A row for each store.
fn all<K: Named>(keys: &Keys<K>) -> Vec<Row<'_>> {
    vec![
        row_of("chorde, ttl", subjects::chorde, keys),
        row_of("moka, ttl", |most| subjects::moka(most, true), keys),
        row_of("moka, no ttl", |most| subjects::moka(most, false), keys),
        row_of("mini-moka, ttl", |most| subjects::mini_moka(most, true), keys),
        row_of("mini-moka, no ttl", |most| subjects::mini_moka(most, false), keys),
        row_of("foyer s3fifo, no ttl", subjects::foyer, keys),
        row_of("cached ShardedLruTtl, ttl", subjects::cached_store, keys),
        row_of("quick_cache and an Instant, ttl", subjects::quick_cache_ttl, keys),
        row_of("quick_cache, no ttl", subjects::quick_cache, keys),
    ]
}

pub fn run(wanted: &Wanted) -> Outcome {
    let numbers = Keys::new(|number| number);
    let texts = Keys::new(|number| format!("user:{number:012}"));
    for (kind, rows) in [("u64", all(&numbers)), ("String", all(&texts))] {
        let title = format!("A store of {ENTRIES} values of 100 bytes, {kind} keys, ns");
        let medians = wanted.table(&title, &COLUMNS, ROUNDS, rows);
        println!();
        for (column, what) in COLUMNS.iter().enumerate() {
            ratio(&medians, "chorde, ttl", "quick_cache, no ttl", column, what);
        }
    }
    kinds::run(wanted);
    Ok(())
}
