//! The stores, each behind the two operations that are measured.

use std::hash::Hash;
use std::time::{Duration, Instant};

use chorde::{AsKey, CacheExt, InprocClient, Wait};

use super::Bytes;

pub const TTL: Duration = Duration::from_secs(3600);

/// A store of values of 100 bytes.
pub trait Store<K>: Sync {
    fn get(&self, key: &K) -> Option<Bytes>;
    fn insert(&self, key: &K, value: &Bytes);
}

/// Bundles two closures to a store.
struct Of<G, I>(G, I);

impl<K, G: Fn(&K) -> Option<Bytes> + Sync, I: Fn(&K, Bytes) + Sync> Store<K> for Of<G, I> {
    #[inline]
    fn get(&self, key: &K) -> Option<Bytes> {
        (self.0)(key)
    }

    #[inline]
    fn insert(&self, key: &K, value: &Bytes) {
        (self.1)(key, Bytes::clone(value));
    }
}

/// What all of them ask of a key.
pub trait Named: AsKey + Clone + Eq + Hash + Send + Sync + 'static {}
impl<K: AsKey + Clone + Eq + Hash + Send + Sync + 'static> Named for K {}

pub fn chorde<K: Named>(most: u64) -> impl Store<K> {
    let client = InprocClient::new(most);
    let same = client.clone();
    let get = move |key: &K| client.get::<Bytes>(key).wait().expect("a valid key");
    Of(get, move |key: &K, value| same.put(key, value, TTL).wait().expect("a valid key"))
}

pub fn moka<K: Named>(most: u64, has_ttl: bool) -> impl Store<K> {
    let builder = moka::sync::Cache::<K, Bytes>::builder().max_capacity(most);
    let cache = if has_ttl { builder.time_to_live(TTL) } else { builder }.build();
    let same = cache.clone();
    Of(move |key: &K| cache.get(key), move |key: &K, value| same.insert(key.clone(), value))
}

pub fn mini_moka<K: Named>(most: u64, has_ttl: bool) -> impl Store<K> {
    let builder = mini_moka::sync::Cache::<K, Bytes>::builder().max_capacity(most);
    let cache = if has_ttl { builder.time_to_live(TTL) } else { builder }.build();
    let same = cache.clone();
    Of(move |key: &K| cache.get(key), move |key: &K, value| same.insert(key.clone(), value))
}

pub fn foyer<K: Named>(most: u64) -> impl Store<K> {
    let builder = foyer_memory::CacheBuilder::new(most as usize);
    let cache: foyer_memory::Cache<K, Bytes> =
        builder.with_eviction_config(foyer_memory::S3FifoConfig::default()).build();
    let same = cache.clone();
    let get = move |key: &K| cache.get(key).map(|entry| Bytes::clone(entry.value()));
    Of(get, move |key: &K, value| drop(same.insert(key.clone(), value)))
}

pub fn cached_store<K: Named>(most: u64) -> impl Store<K> {
    let cache = cached::ShardedLruTtlCache::<K, Bytes>::new(most as usize, TTL);
    let same = cache.clone();
    Of(move |key: &K| cache.get(key), move |key: &K, value| drop(same.set(key.clone(), value)))
}

pub fn quick_cache<K: Named>(most: u64) -> impl Store<K> {
    let cache = std::sync::Arc::new(quick_cache::sync::Cache::<K, Bytes>::new(most as usize));
    let same = cache.clone();
    Of(move |key: &K| cache.get(key), move |key: &K, value| same.insert(key.clone(), value))
}

/// With the time of its end beside each value, as one adds it who needs a ttl.
pub fn quick_cache_ttl<K: Named>(most: u64) -> impl Store<K> {
    let cache = std::sync::Arc::new(quick_cache::sync::Cache::<K, (Instant, Bytes)>::new(most as usize));
    let same = cache.clone();
    let get = move |key: &K| cache.get(key).and_then(|(end, value)| (Instant::now() < end).then_some(value));
    Of(get, move |key: &K, value| same.insert(key.clone(), (Instant::now() + TTL, value)))
}
