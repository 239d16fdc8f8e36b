//! A cached function behind three tiers: promotion, fractions of the ttl, and a far tier that goes away.
//!
//! `cargo run --release --example tiers`

mod flaky;

use std::sync::LazyLock;
use std::time::Duration;

use chorde::inproc::InprocBuilder;
use chorde::prelude::*;
use chorde::{Entry, Error, InprocClient, ManualClock, TieredClient};
use flaky::Flaky;

/// Time that moves when it is told to, so that five minutes take none.
static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);

type Tiers = TieredClient<InprocClient, TieredClient<InprocClient, Flaky>>;

/// A small tier, a larger one, and one that stands for a shared store on the network.
static TIERS: LazyLock<Tiers> = LazyLock::new(|| {
    let tier = |capacity| InprocBuilder::default().capacity(capacity).clock(CLOCK.clone()).build();
    let build = || {
        let outer =
            TieredClient::builder().ttl_fractions([0.5, 1.0]).build(tier(1_000)?, Flaky::new(tier(100_000)?))?;
        TieredClient::builder().ttl_fractions([0.2, 1.0]).build(tier(10)?, outer)
    };
    build().expect("invariant: capacities and fractions are above 0")
});

#[cached(client = TIERS, ttl = 300, ttl_spread = none)]
fn price(item: u32) -> u32 {
    println!("  (computing the price of {item})");
    item * 3
}

/// Shows the life that each tier has left for a price, the nearest first.
fn show(what: &str, item: u32) -> Result<(), Error> {
    let key = price::callkey(item)?;
    let (near, far) = (TIERS.near(), TIERS.far());
    let lives = [near.get_ttl(&key).wait(), far.near().get_ttl(&key).wait(), far.far().get_ttl(&key).wait()];
    let life = |entry: Result<Option<Entry<u32>>, Error>| match entry {
        Ok(Some(entry)) if entry.is_stale() => "stale".into(),
        Ok(Some(entry)) => format!("{:?}", entry.remaining()),
        Ok(None) => "-".into(),
        Err(_) => "down".to_owned(),
    };
    let [near, middle, far] = lives.map(life);
    println!("{what:<48}{near:>8}{middle:>8}{far:>8}");
    Ok(())
}

fn main() -> Result<(), Error> {
    println!("{:<48}{:>8}{:>8}{:>8}", "life left of the price of 7", "near", "middle", "far");
    price(7);
    show("computed: each tier keeps its fraction of 300 s", 7)?;

    CLOCK.advance(Duration::from_secs(100));
    show("after 100 s", 7)?;
    price(7);
    show("asked for again: promoted, at most the rest", 7)?;

    TIERS.far().far().set_down(true);
    show("the far tier goes down", 7)?;
    println!("  7 costs {}, served by the near tiers", price(7));
    println!("  8 costs {}, kept by the near tiers", price(8));
    println!("  8 costs {}, without computing it again", price(8));
    show("as seen from 8", 8)?;
    let (stats, errors) = (price::stats(), TIERS.far().stats().far_errors);
    println!(
        "\n{} computed, {} hits, {errors} failures of the far tier, none seen by a caller",
        stats.computes, stats.hits
    );

    TIERS.far().far().set_down(false);
    println!("{} promotions to the near tier", TIERS.stats().promotions);
    Ok(())
}
