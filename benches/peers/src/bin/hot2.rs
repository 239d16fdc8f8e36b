//! One hit, many times: for a profiler.
use std::sync::LazyLock;
use std::hint::black_box;
use std::time::*;
use chorde::prelude::*;
use chorde::{InprocClient, Client, Key, Clock, ReadOptions, Lookup};
static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(20_000));
#[cached(client = CACHE, ttl = 3600)]
fn ours(x: u64) -> u64 { x }
fn main() {
    let keys: Vec<u64> = { let mut s = 12345u64; (0..65536).map(|_| { s ^= s << 13; s ^= s >> 7; s ^= s << 17; let u = (s >> 11) as f64 / ((1u64 << 53) as f64); (10000f64.powf(u)) as u64 }).collect() };
    for &k in &keys { ours(k); if std::env::args().len() > 2 { CACHE.put(&k, k, Duration::from_secs(3000)).wait().unwrap(); }}
    let ks: Vec<Key> = (0..10_000u64).map(|k| Key::new(&k).unwrap()).collect();
    let n = 5_000_000;
    let c = Clock::system();
    let client: &InprocClient = &CACHE;
    let bench = |name: &str, f: &dyn Fn(u64) -> u64| { let mut best = f64::MAX; for _ in 0..5 { let t = Instant::now(); let mut s = 0; for i in 0..n { s += f(keys[i & 65535]); } black_box(s); best = best.min(t.elapsed().as_secs_f64() * 1e9 / n as f64); } println!("{name:20} {best:.1}"); };
    bench("nothing", &|k| black_box(k));
    bench("clock", &|k| black_box(k) + c.now());
    bench("look by key", &|k| match Client::<u64>::look(client, &ks[k as usize].probe(), ReadOptions::new()) { Some(Lookup::Held(e)) => e.value, _ => 0 });
    bench("get", &|k| client.get(&k).wait().unwrap().unwrap_or(0));
    bench("ours", &|k| ours(black_box(k)));
    if std::env::args().len() > 1 { for _ in 0..20 { bench("ours", &|k| ours(black_box(k))); } }
}
