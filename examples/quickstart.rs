//! A tour of one cached function and its companions.
//!
//! `cargo run --release --example quickstart`

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chorde::InprocClient;
use chorde::prelude::*;

/// Holds up to 10,000 results, of any cached functions.
static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10_000));

/// Takes its time over a number that comes out differently each time.
#[cached(client = CACHE, ttl = 300, async_ttl = -60)]
fn expensive(x: u64) -> f64 {
    std::thread::sleep(Duration::from_millis(100));
    x as f64 * fastrand::f64()
}

/// Prints a call, what it returned, and how long it took.
macro_rules! show {
    ($call:expr, $note:literal) => {{
        let start = Instant::now();
        let returned = $call;
        let took = format!("{:.1?}", start.elapsed());
        println!("{:<44}{:<12}{took:>8}   {}", stringify!($call), format!("{returned:.3?}"), $note);
    }};
}

fn main() -> Result<(), chorde::Error> {
    println!("calls");
    show!(expensive(1), "computes");
    show!(expensive(1), "the same value");

    println!("\ncompanions");
    show!(expensive::peek(1), "only looks");
    show!(expensive::peek(2), "never computes");
    show!(expensive::lazy(2), "absent: has it computed in the background");
    chorde::drain(Duration::from_secs(5)).wait()?;
    show!(expensive::lazy(2), "now it is there");
    show!(expensive::put(1, 5.0)?, "stores a value");
    show!(expensive(1), "that value");
    show!(expensive::refresh(1), "computes now, stores, returns");

    println!("\nwithout blocking");
    show!(smol::block_on(expensive::future(3))?, "awaited: by smol, tokio, any executor");
    show!(expensive::future(3).wait()?, "waited for by plain code");
    show!(expensive::future_lazy(4).wait()?, "looks, and computes behind");

    println!("\nlife");
    let entry = expensive::get_ttl(3).expect("stored a moment ago");
    println!("expensive::get_ttl(3): {:.0?} left, {:.0?} old", entry.remaining(), entry.age().unwrap_or_default());
    show!(expensive::expire(3)?, "marks as stale, keeps");
    let is_stale = expensive::get_ttl(3).is_some_and(|entry| entry.is_stale());
    println!("expensive::get_ttl(3) still shows it, is_stale(): {is_stale}");
    show!(expensive::peek(3), "but never serves it");
    show!(expensive::invalidate(1)?, "removes");
    show!(expensive::clear()?, "forgets all of this function");

    println!("\na stampede: eight threads, one absent key");
    chorde::drain(Duration::from_secs(5)).wait()?;
    expensive::reset_stats();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| expensive(7));
        }
    });
    let stats = expensive::stats();
    println!(
        "{} misses, {} computed, {} coalesced, in {:.0?}",
        stats.misses,
        stats.computes,
        stats.coalesced,
        start.elapsed()
    );
    Ok(())
}
