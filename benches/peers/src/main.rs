//! bench
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;
use chorde::prelude::*;
use chorde::InprocClient;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(20_000));
static CACHE2: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(20_000));
static CACHE3: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(20_000));
static CACHE4: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(20_000));

#[cached(client = CACHE, ttl = 3600)]
fn ours(x: u64) -> u64 { x }

#[cached(client = CACHE2, ttl = 3600, async_ttl = -600)]
fn ours_ahead(x: u64) -> u64 { x }

#[cached(client = CACHE3, ttl = 3600)]
async fn ours_async(x: u64) -> u64 { x }

#[cached(client = CACHE4, ttl = 3600)]
fn ours_str(a: &str, b: u32) -> std::sync::Arc<str> { format!("{a}{b}").into() }

mod theirs {
    use cached::macros::cached;
    #[cached(max_size = 20000, ttl_secs = 3600)]
    pub fn theirs(x: u64) -> u64 { x }
}

static QC: LazyLock<quick_cache::sync::Cache<u64, u64>> = LazyLock::new(|| quick_cache::sync::Cache::new(20_000));

fn main() {
    let keys: Vec<u64> = { let mut s = 12345u64; (0..65536).map(|_| { s ^= s << 13; s ^= s >> 7; s ^= s << 17; let u = (s >> 11) as f64 / ((1u64 << 53) as f64); (10000f64.powf(u)) as u64 }).collect() };
    let names: Vec<String> = (0..10001).map(|i| format!("user-{i}")).collect();
    for &k in &keys { ours(k); ours_ahead(k); theirs::theirs(k); QC.insert(k, k); ours_async(k).wait(); ours_str(&names[k as usize], 3); }
    let n = 2_000_000usize;
    let time = |f: &mut dyn FnMut(u64) -> u64| { let t = Instant::now(); let mut s = 0u64; for i in 0..n { s = s.wrapping_add(f(keys[i & 65535])); } black_box(s); t.elapsed().as_secs_f64() * 1e9 / n as f64 };
    type F<'a> = Box<dyn FnMut(&dyn Fn(&mut dyn FnMut(u64)->u64)->f64) -> f64 + 'a>;
    let mut all: Vec<(&str, F<'_>, Vec<f64>)> = vec![
        ("ours u64", Box::new(|t| t(&mut |k| ours(black_box(k)))), vec![]),
        ("ours ahead", Box::new(|t| t(&mut |k| ours_ahead(black_box(k)))), vec![]),
        ("ours async wait", Box::new(|t| t(&mut |k| ours_async(black_box(k)).wait())), vec![]),
        ("ours str", Box::new(|t| t(&mut |k| ours_str(black_box(&names[k as usize]), 3).len() as u64)), vec![]),
        ("cached", Box::new(|t| t(&mut |k| theirs::theirs(black_box(k)))), vec![]),
        ("quick_cache", Box::new(|t| t(&mut |k| QC.get(&black_box(k)).unwrap_or(0))), vec![]),
    ];
    for _ in 0..9 { for (_, f, r) in &mut all { let x = f(&time); r.push(x); } }
    for (n, _, r) in &mut all { r.sort_by(f64::total_cmp); println!("{n:20} {:.1}", r[r.len() / 2]); }
    let two = |name: &str, f: &(dyn Fn(u64) -> u64 + Sync)| {
        let run = |threads: u64| { let bar = std::sync::Barrier::new(threads as usize); let mut r = vec![]; std::thread::scope(|s| { let hs: Vec<_> = (0..threads).map(|t| { let (bar, keys) = (&bar, &keys); s.spawn(move || { bar.wait(); let t0 = Instant::now(); let mut x = 0u64; for i in 0..3_000_000usize { x ^= f((keys[i & 65535] & !1) | t); } black_box(x); t0.elapsed().as_secs_f64() * 1e9 / 3e6 }) }).collect(); for h in hs { r.push(h.join().unwrap()); } }); r.iter().sum::<f64>() / threads as f64 };
        let mut v = vec![]; for _ in 0..5 { let a = run(1); let b = run(2); v.push((2.0 * a / b, a, b)); } v.sort_by(|a, b| a.0.total_cmp(&b.0)); println!("{name:20} {:?}", v);
    };
    two("ours", &|k| ours(k)); two("cached", &|k| theirs::theirs(k)); two("quick_cache", &|k| QC.get(&k).unwrap_or(0));
}
