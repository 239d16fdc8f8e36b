//! The functions, cached by chorde: each with a client of its own, bounded, with ttl and stats.

use std::sync::{Arc, LazyLock};

use chorde::{InprocClient, cached};

use super::{CAPACITY, Query};

macro_rules! clients {
    ($($name:ident),*) => {
        $(static $name: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(CAPACITY));)*
    };
}

clients!(NUMBERS, AHEAD, WAITED, WAITED_AHEAD, TEXTS, QUERIES);

#[cached(client = NUMBERS, ttl = 3600)]
pub fn number(x: u64) -> u64 {
    x
}

#[cached(client = AHEAD, ttl = 3600, async_ttl = -600)]
pub fn number_ahead(x: u64) -> u64 {
    x
}

#[cached(client = WAITED, ttl = 3600)]
pub async fn number_async(x: u64) -> u64 {
    x
}

#[cached(client = WAITED_AHEAD, ttl = 3600, async_ttl = -600)]
pub async fn number_ahead_async(x: u64) -> u64 {
    x
}

#[cached(client = TEXTS, ttl = 3600)]
pub fn text(name: &str, number: u32) -> Arc<str> {
    format!("{name}{number}").into()
}

#[cached(client = QUERIES, ttl = 3600)]
pub fn query(query: &Query) -> Arc<str> {
    format!("{query:?}").into()
}
