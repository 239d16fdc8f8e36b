//! All cached functions of the process.

use std::time::Duration;

use super::instance::function_name;
use super::live::Site;
use crate::stats::Stats;
use crate::sync::{Mutex, global, lock};

global! {
    static SITES: Mutex<Vec<&'static Site>> = Mutex::default();
}

pub(super) fn register(site: &'static Site) {
    lock(&SITES).push(site);
}

/// Shows one cached function.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// Its name, with its module.
    pub name: String,
    /// The namespace of its keys; empty with `namespace = none`. Generic functions add their arguments to it.
    pub namespace: String,
    /// Its ttl, if it is a literal.
    pub ttl: Option<Duration>,
    /// What it has counted.
    pub stats: Stats,
    /// How many computations are under way.
    pub in_flight: usize,
    /// How long the oldest of them has been, by its client's clock.
    pub oldest: Option<Duration>,
}

/// Lists every cached function that has been used so far, in the order of first use.
///
/// # Examples
///
/// ```
/// for function in chorde_core::functions() {
///     println!("{}: {:.0} % hits", function.name, 100.0 * function.stats.hit_ratio());
/// }
/// ```
#[must_use]
pub fn functions() -> Vec<FunctionInfo> {
    let sites = lock(&SITES).clone();
    sites.into_iter().filter_map(info).collect()
}

fn info(site: &'static Site) -> Option<FunctionInfo> {
    let live = site.live_if_used()?;
    let description = live.description;
    let (in_flight, oldest) = live.flights.summary();
    Some(FunctionInfo {
        name: format!("{}::{}", description.module, description.name),
        namespace: function_name(description).unwrap_or_default(),
        ttl: description.ttl(),
        stats: live.counters.snapshot(),
        in_flight,
        oldest,
    })
}
