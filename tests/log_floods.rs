//! What fails again and again is logged once a second for each function and kind of failure.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use chorde::prelude::*;
use chorde::testing::{ChaosClient, Faults};
use chorde::{InprocClient, ManualClock, TieredClient};
use support::{secs, timed};

/// Keeps what is logged.
struct Log(Mutex<Vec<String>>);

static LOG: Log = Log(Mutex::new(Vec::new()));

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().expect("nobody panics here").push(format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}

/// Returns the lines with this word that were logged meanwhile.
fn logged(word: &str, act: impl FnOnce()) -> Vec<String> {
    act();
    let mut lines = LOG.0.lock().unwrap();
    let (about, others) = std::mem::take(&mut *lines).into_iter().partition(|line| line.contains(word));
    *lines = others;
    about
}

static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
static DOWN: LazyLock<ChaosClient<InprocClient>> = LazyLock::new(|| ChaosClient::new(timed(100, &CLOCK), 1));
static TIERS: LazyLock<TieredClient<InprocClient, ChaosClient<InprocClient>>> =
    LazyLock::new(|| TieredClient::new(timed(10_000, &CLOCK), DOWN.clone()));

#[cached(client = DOWN, ttl = 600)]
fn over_outage(key: u32) -> u32 {
    key
}

#[cached(client = DOWN, ttl = 600)]
fn beside_it(key: u32) -> u32 {
    key
}

#[cached(client = TIERS, ttl = 600)]
fn over_tiers(key: u32) -> u32 {
    key
}

#[derive(serde::Serialize)]
struct Refuses(#[serde(serialize_with = "refuse")] u8);

fn refuse<S: serde::Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("no"))
}

#[cached(client = DOWN, ttl = 600, key = Refuses(0))]
fn without_key(x: u32) -> u32 {
    x
}

#[cached(client = DOWN, ttl = 600)]
fn calls_back(key: u32) -> u32 {
    key
}

/// In one test, since a process has one log and the clock is shared.
#[test]
fn a_flood_of_failures_is_a_line_a_second_that_counts_the_others() {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    DOWN.set(Faults::none().errors(1.0));
    let calls = |function: fn(u32) -> u32| (0..1000).for_each(|key| assert_eq!(function(key), key));

    let first = logged("over_outage", || calls(over_outage));
    let about = |lines: &[String], word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!((first.len(), about(&first, "claim"), about(&first, "store")), (2, 1, 1), "{first:?}");
    assert!(first.iter().all(|line| line.starts_with("WARN") && !line.contains("more")), "{first:?}");

    assert_eq!(logged("beside_it", || calls(beside_it)).len(), 2, "another function has lines of its own");

    CLOCK.advance(secs(1) - Duration::from_nanos(1));
    assert_eq!(logged("over_outage", || calls(over_outage)), [""; 0]);
    CLOCK.advance(Duration::from_nanos(1));
    let second = logged("over_outage", || calls(over_outage));
    assert_eq!(second.len(), 2, "{second:?}");
    assert!(second.iter().all(|line| line.ends_with(" … and 1,999 more in the last second")), "{second:?}");

    let tier = logged("tier", || calls(over_tiers));
    assert_eq!(tier.len(), 1, "{tier:?}");
    assert_eq!(over_tiers::stats().client_errors, TIERS.stats().far_errors);

    let keys = logged("without_key", || calls(without_key));
    assert_eq!(keys.len(), 1, "{keys:?}");

    calls_back::on_value(|_, _| panic!("a callback"));
    let callbacks = logged("calls_back: a callback", || calls(calls_back));
    // By the system's clock, of which a second may pass.
    assert!(!callbacks.is_empty() && callbacks.len() < 100, "{}", callbacks.len());
    assert_eq!(calls_back::stats().panics, 1000);
}
