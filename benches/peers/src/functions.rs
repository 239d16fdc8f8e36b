//! The functions that are called: each with a cache of its own, bounded, with ttl.

use std::sync::{Arc, LazyLock};

use chorde::InprocClient;

const CAPACITY: u64 = 20_000;

macro_rules! caches {
    ($($name:ident),*) => {
        $(static $name: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(CAPACITY));)*
    };
}

caches!(NUMBERS, AHEAD, WAITED, TEXTS);

#[chorde::cached(client = NUMBERS, ttl = 3600)]
pub fn ours(x: u64) -> u64 {
    x
}

#[chorde::cached(client = AHEAD, ttl = 3600, async_ttl = -600)]
pub fn ours_ahead(x: u64) -> u64 {
    x
}

#[chorde::cached(client = WAITED, ttl = 3600)]
pub async fn ours_async(x: u64) -> u64 {
    x
}

#[chorde::cached(client = TEXTS, ttl = 3600)]
pub fn ours_text(name: &str, number: u32) -> Arc<str> {
    format!("{name}{number}").into()
}

/// The crate `cached`, with the same bounds.
pub mod peer {
    use std::sync::Arc;

    use cached::macros::cached;

    #[cached(max_size = 20000, ttl_secs = 3600)]
    pub fn theirs(x: u64) -> u64 {
        x
    }

    #[cached(max_size = 20000, ttl_secs = 3600)]
    pub async fn theirs_async(x: u64) -> u64 {
        x
    }

    #[cached(max_size = 20000, ttl_secs = 3600, key = "(String, u32)", convert = "{ (name.to_owned(), number) }")]
    pub fn theirs_text(name: &str, number: u32) -> Arc<str> {
        format!("{name}{number}").into()
    }
}

/// quick_cache by hand, without ttl: the floor.
pub static BARE: LazyLock<quick_cache::sync::Cache<u64, u64>> =
    LazyLock::new(|| quick_cache::sync::Cache::new(CAPACITY as usize));
