//! The caches whose hits are counted.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chorde::InprocClient;
use chorde::inproc::Policy;
use chorde::prelude::*;

/// One access: whether the key is there. If not, it is inserted.
pub type Access = Box<dyn FnMut(u64) -> bool>;

type Make = fn(usize) -> Access;

/// The place of exact LRU among them.
pub const LRU: usize = 3;

pub const ALL: [(&str, Make); 9] = [
    ("chorde", |capacity| chorde(InprocClient::builder().capacity(capacity as u64).shards(1).build())),
    ("chorde, default shards", |capacity| chorde(InprocClient::builder().capacity(capacity as u64).build())),
    ("chorde, `Policy::lru`", |capacity| {
        chorde(InprocClient::builder().capacity(capacity as u64).policy(Policy::lru()).build())
    }),
    ("exact LRU", lru),
    ("quick_cache", quick_cache),
    ("moka", moka),
    ("mini-moka", mini_moka),
    ("foyer s3fifo", |capacity| foyer(capacity, foyer_memory::S3FifoConfig::default().into())),
    ("foyer lfu", |capacity| foyer(capacity, foyer_memory::LfuConfig::default().into())),
];

pub fn hits(mut access: Access, keys: &[u64]) -> usize {
    keys.iter().filter(|key| access(**key)).count()
}

fn chorde(client: Result<InprocClient, chorde::Error>) -> Access {
    let client = client.expect("the capacity is above zero");
    Box::new(move |key| {
        let is_hit = client.get::<()>(&key).wait().expect("a valid key").is_some();
        if !is_hit {
            client.put(&key, (), Duration::from_secs(3600)).wait().expect("a valid key");
        }
        is_hit
    })
}

/// The reference, without anything shared with the others.
fn lru(capacity: usize) -> Access {
    let (mut last_use, mut by_use) = (HashMap::new(), BTreeMap::new());
    let mut now = 0_u64;
    Box::new(move |key| {
        now += 1;
        let before = last_use.insert(key, now);
        by_use.insert(now, key);
        if let Some(before) = before {
            by_use.remove(&before);
        } else if last_use.len() > capacity
            && let Some((_, oldest)) = by_use.pop_first()
        {
            last_use.remove(&oldest);
        }
        before.is_some()
    })
}

fn quick_cache(capacity: usize) -> Access {
    let mut cache = quick_cache::unsync::Cache::new(capacity);
    Box::new(move |key| {
        let is_hit = cache.get(&key).is_some();
        if !is_hit {
            cache.insert(key, ());
        }
        is_hit
    })
}

fn moka(capacity: usize) -> Access {
    let cache = moka::sync::Cache::new(capacity as u64);
    Box::new(move |key| {
        let is_hit = cache.get(&key).is_some();
        if !is_hit {
            cache.insert(key, ());
        }
        cache.run_pending_tasks();
        is_hit
    })
}

fn mini_moka(capacity: usize) -> Access {
    use mini_moka::sync::ConcurrentCacheExt;
    let cache = mini_moka::sync::Cache::new(capacity as u64);
    Box::new(move |key| {
        let is_hit = cache.get(&key).is_some();
        if !is_hit {
            cache.insert(key, ());
        }
        cache.sync();
        is_hit
    })
}

fn foyer(capacity: usize, eviction: foyer_memory::EvictionConfig) -> Access {
    let cache = foyer_memory::CacheBuilder::new(capacity).with_shards(1).with_eviction_config(eviction).build();
    Box::new(move |key| {
        let is_hit = foyer_memory::Cache::<u64, ()>::get(&cache, &key).is_some();
        if !is_hit {
            cache.insert(key, ());
        }
        is_hit
    })
}
