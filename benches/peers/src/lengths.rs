//! What a hit costs by the length of its key: hashing, and comparing where a cache keeps its keys.

use std::hash::Hash;
use std::sync::LazyLock;
use std::time::Duration;

use chorde::{InprocClient, cached};
use serde::Serialize;

use crate::measure::{Medians, Outcome, Row, Wanted, nanos, row};

/// The lengths in bytes.
const LENGTHS: [usize; 6] = [16, 64, 256, 1 << 10, 4 << 10, 64 << 10];
/// How many different keys of each length there are.
const KEYS: usize = 16;
const CAPACITY: u64 = 1000;
/// How many bytes of keys are hashed in one measurement, and how many calls that is at most.
const BYTES: usize = 16 << 20;
const CALLS: usize = 100_000;
const ROUNDS: usize = 9;

/// A key whose length is in its fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Request {
    user: u64,
    body: Vec<u8>,
    title: (String, u32),
}

static STORE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10 * CAPACITY));

#[cached(client = STORE, ttl = 3600)]
fn bytes(key: &[u8]) -> u64 {
    key.len() as u64
}

#[cached(client = STORE, ttl = 3600)]
fn byte_vec(key: &Vec<u8>) -> u64 {
    key.len() as u64
}

#[cached(client = STORE, ttl = 3600)]
fn text(key: &str) -> u64 {
    key.len() as u64
}

#[cached(client = STORE, ttl = 3600)]
fn string(key: &String) -> u64 {
    key.len() as u64
}

#[cached(client = STORE, ttl = 3600)]
fn words(key: &Vec<u64>) -> u64 {
    key.len() as u64
}

#[cached(client = STORE, ttl = 3600)]
fn halves(key: &[u32]) -> u64 {
    key.len() as u64
}

#[cached(client = STORE, ttl = 3600)]
fn request(key: &Request) -> u64 {
    key.user
}

#[cached(client = STORE, ttl = 3600)]
fn array(key: [u8; 32]) -> u64 {
    u64::from(key[0])
}

/// Keys of each length, all different.
fn keys<K>(make: impl Fn(Vec<u8>) -> K) -> Vec<Vec<K>> {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut key = |length: usize| make((0..length).map(|_| rng.u8(..)).collect());
    LENGTHS.iter().map(|length| (0..KEYS).map(|_| key(*length)).collect()).collect()
}

/// Makes a row with a column for each length.
fn hits<'a, K: Sync>(name: &str, keys: &'a [Vec<K>], call: impl Fn(&K) -> u64 + Sync + 'a) -> Row<'a> {
    // So that all keys are present.
    keys.iter().flatten().for_each(|key| _ = call(key));
    row(name, move || {
        let lengths = keys.iter().zip(LENGTHS);
        lengths.map(|(keys, length)| nanos(1, (BYTES / length).min(CALLS), &|turn| call(&keys[turn % KEYS]))).collect()
    })
}

fn compared<K>(wanted: &Wanted, kind: &str, keys: &[Vec<K>], chorde: impl Fn(&K) -> u64 + Sync) -> Medians
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
{
    let ttl = Duration::from_secs(3600);
    let moka = moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_live(ttl).build();
    let quick = quick_cache::sync::Cache::new(CAPACITY as usize);
    let rows = vec![
        hits("chorde", keys, chorde),
        hits("moka, get, ttl", keys, |key| {
            moka.get(key).unwrap_or_else(|| {
                moka.insert(key.clone(), 1);
                1
            })
        }),
        hits("quick_cache, get, no ttl", keys, |key| {
            quick.get(key).unwrap_or_else(|| {
                quick.insert(key.clone(), 1);
                1
            })
        }),
    ];
    let columns = LENGTHS.map(|length| length.to_string());
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let medians = wanted.table(&format!("A hit by the length of its key in bytes, {kind}, ns"), &columns, ROUNDS, rows);
    if let [(_, ours), (_, moka), ..] = &*medians {
        let ratios: Vec<String> = ours.iter().zip(moka).map(|(ours, moka)| format!("{:.2}", ours / moka)).collect();
        println!("chorde / moka: {}", ratios.join(", "));
    }
    medians
}

/// Makes numbers of that many bytes each out of bytes.
fn numbers<N, const BYTES: usize>(bytes: &[u8], make: impl Fn([u8; BYTES]) -> N) -> Vec<N> {
    bytes.as_chunks().0.iter().map(|number| make(*number)).collect()
}

pub fn run(wanted: &Wanted) -> Outcome {
    let owned = keys(|bytes| bytes);
    compared(wanted, "&[u8]", &owned, |key| bytes(key));
    compared(wanted, "&Vec<u8>", &owned, byte_vec);
    let texts = keys(|bytes| bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect::<String>());
    compared(wanted, "&str", &texts, |key| text(key));
    compared(wanted, "&String", &texts, string);
    compared(wanted, "&Vec<u64>", &keys(|bytes| numbers(&bytes, u64::from_le_bytes)), words);
    compared(wanted, "&[u32]", &keys(|bytes| numbers(&bytes, u32::from_le_bytes)), |key| halves(key));
    let requests = keys(|bytes| Request { user: bytes.len() as u64, body: bytes, title: ("title".to_owned(), 1) });
    compared(wanted, "&Request { u64, Vec<u8>, (String, u32) }", &requests, request);
    let arrays = keys(|bytes| std::array::from_fn::<u8, 32, _>(|at| bytes[at % bytes.len()]));
    compared(wanted, "[u8; 32], whatever the column", &arrays, |key| array(*key));
    Ok(())
}
