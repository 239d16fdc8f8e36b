//! The same functions, cached by the crate `cached` within the same bounds: behind one lock, and sharded.

use std::sync::Arc;

use cached::macros::{cached, concurrent_cached};

use super::Query;

#[cached(max_size = 20000, ttl_secs = 3600)]
pub fn number(x: u64) -> u64 {
    x
}

#[concurrent_cached(max_size = 20000, ttl_secs = 3600)]
pub fn number_concurrent(x: u64) -> u64 {
    x
}

#[cached(max_size = 20000, ttl_secs = 3600)]
pub async fn number_async(x: u64) -> u64 {
    x
}

#[concurrent_cached(max_size = 20000, ttl_secs = 3600)]
pub async fn number_concurrent_async(x: u64) -> u64 {
    x
}

#[cached(max_size = 20000, ttl_secs = 3600, key = "(String, u32)", convert = "{ (name.to_owned(), number) }")]
pub fn text(name: &str, number: u32) -> Arc<str> {
    format!("{name}{number}").into()
}

#[concurrent_cached(
    max_size = 20000,
    ttl_secs = 3600,
    key = "(String, u32)",
    convert = "{ (name.to_owned(), number) }"
)]
pub fn text_concurrent(name: &str, number: u32) -> Arc<str> {
    format!("{name}{number}").into()
}

#[cached(max_size = 20000, ttl_secs = 3600, key = "Query", convert = "{ query.clone() }")]
pub fn query(query: &Query) -> Arc<str> {
    format!("{query:?}").into()
}

#[concurrent_cached(max_size = 20000, ttl_secs = 3600, key = "Query", convert = "{ query.clone() }")]
pub fn query_concurrent(query: &Query) -> Arc<str> {
    format!("{query:?}").into()
}
