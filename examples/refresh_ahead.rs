//! What callers wait at the end of a value's life: with a plain ttl, and with refresh-ahead.
//!
//! `cargo run --release --example refresh_ahead [SECONDS]`

use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use chorde::InprocClient;
use chorde::prelude::*;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

/// How long a computation takes.
const COMPUTE: Duration = Duration::from_millis(30);
/// How often a caller comes.
const PERIOD: Duration = Duration::from_millis(1);

#[cached(client = CACHE, ttl = "300ms")]
fn plain() -> u64 {
    sleep(COMPUTE);
    42
}

/// Due at the age of 200 ms: then a caller is served at once, and the next value is computed behind its back.
#[cached(client = CACHE, ttl = "300ms", async_ttl = "-200ms")]
fn ahead() -> u64 {
    sleep(COMPUTE);
    42
}

/// Measures callers who come at fixed times, whether or not the one before has been served: a caller kept from asking by
/// a slow one counts with the time from when it would have asked.
fn measure(call: fn() -> u64, span: Duration) -> Vec<Duration> {
    call();
    let start = Instant::now();
    let calls = span.div_duration_f64(PERIOD) as u32;
    let one = |number| {
        let planned = start + PERIOD * number;
        sleep(planned.saturating_duration_since(Instant::now()));
        let is_late = planned.elapsed() > PERIOD;
        let asked = if is_late { planned } else { Instant::now() };
        call();
        asked.elapsed()
    };
    (0..calls).map(one).collect()
}

fn report(name: &str, waits: &[Duration]) {
    let mut sorted = waits.to_vec();
    sorted.sort_unstable();
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    print!("{name:<12}");
    for wait in [at(0.5), at(0.99), at(1.0)] {
        print!("{:>11}", format!("{wait:.1?}"));
    }
    // One bar for each 60th of the time: the longest wait in it.
    let bar = |slot: &[Duration]| {
        let longest = slot.iter().max().map_or(0.0, |longest| longest.div_duration_f64(COMPUTE));
        ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(longest * 7.99).min(7.0) as usize]
    };
    println!("   {}", waits.chunks(waits.len().div_ceil(60)).map(bar).collect::<String>());
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(2.0);
    let span = Duration::from_secs_f64(f64::clamp(seconds, 0.1, 60.0));
    println!("a computation of {COMPUTE:?}, a ttl of 300 ms, a caller each {PERIOD:?} for {span:?}\n");
    println!("{:<12}{:>11}{:>11}{:>11}   longest wait over time", "callers wait", "p50", "p99", "max");
    report("plain ttl", &measure(plain, span));
    report("async_ttl", &measure(ahead, span));
    let (plain, ahead) = (plain::stats().misses - 1, ahead::stats().misses - 1);
    println!("\ncallers who met a stale value: {plain} with a plain ttl, {ahead} with async_ttl");
}
