//! One hit, many times: for a profiler.
use std::sync::LazyLock;
use chorde::prelude::*;
use chorde::InprocClient;
static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(20_000));
#[cached(client = CACHE, ttl = 3600)]
fn ours(x: u64) -> u64 { x }
fn main() {
    for k in 0..10_000 { ours(k); }
    let mut s = 0;
    for i in 0..100_000_000u64 { s += ours(std::hint::black_box(i % 10_000)); }
    println!("{s}");
}
