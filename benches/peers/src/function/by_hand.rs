//! Caches asked by hand, in the cheapest way that each of them has.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use quick_cache::Equivalent;

use super::{CAPACITY, Query};

const TTL: Duration = Duration::from_secs(3600);

type Moka<K, V> = LazyLock<moka::sync::Cache<K, V>>;
type Quick<K, V> = LazyLock<quick_cache::sync::Cache<K, V>>;

pub static MOKA: Moka<u64, u64> =
    LazyLock::new(|| moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build());
pub static MOKA_FUTURE: LazyLock<moka::future::Cache<u64, u64>> =
    LazyLock::new(|| moka::future::Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build());
static MOKA_TEXT: Moka<(String, u32), Arc<str>> =
    LazyLock::new(|| moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build());
static MOKA_QUERY: Moka<Query, Arc<str>> =
    LazyLock::new(|| moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build());
static MINI_MOKA: LazyLock<mini_moka::sync::Cache<u64, u64>> =
    LazyLock::new(|| mini_moka::sync::Cache::builder().max_capacity(CAPACITY).time_to_live(TTL).build());
static FOYER: LazyLock<foyer_memory::Cache<u64, u64>> =
    LazyLock::new(|| foyer_memory::CacheBuilder::new(CAPACITY as usize).build());
static QUICK: Quick<u64, u64> = LazyLock::new(|| quick_cache::sync::Cache::new(CAPACITY as usize));
static QUICK_TEXT: Quick<OwnedText, Arc<str>> = LazyLock::new(|| quick_cache::sync::Cache::new(CAPACITY as usize));
static QUICK_QUERY: Quick<Query, Arc<str>> = LazyLock::new(|| quick_cache::sync::Cache::new(CAPACITY as usize));

pub fn mini_moka(key: u64) -> u64 {
    MINI_MOKA.get(&key).unwrap_or_else(|| {
        MINI_MOKA.insert(key, key);
        key
    })
}

pub fn foyer(key: u64) -> u64 {
    FOYER.get(&key).map_or_else(|| *FOYER.insert(key, key), |entry| *entry)
}

pub fn quick_cache(key: u64) -> u64 {
    QUICK.get(&key).unwrap_or_else(|| {
        QUICK.insert(key, key);
        key
    })
}

pub fn moka_text(name: &str, number: u32) -> Arc<str> {
    MOKA_TEXT.get_with((name.to_owned(), number), || format!("{name}{number}").into())
}

pub fn moka_query(query: &Query) -> Arc<str> {
    MOKA_QUERY.get_with_by_ref(query, || format!("{query:?}").into())
}

pub fn quick_cache_text(name: &str, number: u32) -> Arc<str> {
    QUICK_TEXT.get(&Text(name, number)).unwrap_or_else(|| {
        let value: Arc<str> = format!("{name}{number}").into();
        QUICK_TEXT.insert(OwnedText(name.to_owned(), number), Arc::clone(&value));
        value
    })
}

pub fn quick_cache_query(query: &Query) -> Arc<str> {
    QUICK_QUERY.get(query).unwrap_or_else(|| {
        let value: Arc<str> = format!("{query:?}").into();
        QUICK_QUERY.insert(query.clone(), Arc::clone(&value));
        value
    })
}

/// A key as it is stored, and as it is looked up without a copy.
#[derive(PartialEq, Eq)]
struct OwnedText(String, u32);

struct Text<'a>(&'a str, u32);

impl Hash for OwnedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Text(&self.0, self.1).hash(state);
    }
}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, self.1).hash(state);
    }
}

impl Equivalent<OwnedText> for Text<'_> {
    fn equivalent(&self, key: &OwnedText) -> bool {
        self.1 == key.1 && self.0 == key.0
    }
}
