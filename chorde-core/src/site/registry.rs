//! All cached functions of the process, and the names that they have in shared stores.

use std::any::TypeId;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::instance::Instance;
use super::live::Site;
use crate::digest::Digest;
use crate::namespace::Namespace;
use crate::stats::Stats;
use crate::sync::{Mutex, Table, global, lock};

global! {
    static SITES: Mutex<Vec<&'static Site>> = Mutex::default();
}

// Whose names are whose, as far as shared stores are concerned. As many as the program has functions and types, and no more.
global! {
    /// The call site that has a namespace.
    static SITE_NAMES: Table<String, Digest> = Table::default();
}
global! {
    /// The generic arguments that have a namespace.
    static TYPE_NAMES: Table<String, Box<[TypeId]>> = Table::default();
}
global! {
    /// A number for each list of generic arguments.
    static NUMBERS: Table<Box<[TypeId]>, u64> = Table::default();
}

pub(super) fn register(site: &'static Site) {
    lock(&SITES).push(site);
}

/// Gives the namespace's name to its call site; returns whether no other has it.
pub(super) fn claim_site(namespace: &Namespace) -> bool {
    let owner = namespace.digest();
    SITE_NAMES.change(namespace.name().to_owned(), || owner, |first| *first == owner)
}

/// Gives the name of an instance to its generic arguments; returns whether no others have it.
pub(super) fn claim_types(name: String, ids: &[TypeId]) -> bool {
    TYPE_NAMES.change(name, || ids.into(), |first| **first == *ids)
}

/// Returns a number that no other list of generic arguments has in this process.
pub(super) fn number_of(ids: &[TypeId]) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NUMBERS.change(ids.into(), || NEXT.fetch_add(1, Ordering::Relaxed), |number| *number)
}

/// Shows one cached function.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// Its path: its module, the type that it is a method of or whatever else is around it, and its name.
    pub name: String,
    /// The namespace of its keys; empty with `namespace = none`.
    pub namespace: String,
    /// Its ttl, if it is a literal.
    pub ttl: Option<Duration>,
    /// What it has counted, with whatever generic arguments.
    pub stats: Stats,
    /// How many computations are under way.
    pub in_flight: usize,
    /// How long the oldest of them has been, by its client's clock.
    pub oldest: Option<Duration>,
    /// One for each set of generic arguments that it has been used with, in the order of first use; those of the type belong
    /// to them for a method. One in all for a function that is not generic.
    pub instances: Vec<InstanceInfo>,
}

/// Shows a cached function with one set of generic arguments.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceInfo {
    /// The namespace of its keys: that of the function, and the generic arguments.
    pub namespace: String,
    /// What it has counted.
    pub stats: Stats,
}

/// Lists every cached function that has been used so far, in the order of first use.
///
/// # Examples
///
/// ```
/// for function in chorde_core::functions() {
///     println!("{}: {:.0} % hits", function.name, 100.0 * function.stats.hit_ratio());
///     for instance in &function.instances {
///         println!("  {}: {} computations", instance.namespace, instance.stats.computes);
///     }
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
    let shown = |instance: &Instance| InstanceInfo { namespace: instance.name(), stats: instance.counters.snapshot() };
    Some(FunctionInfo {
        name: description.path(),
        namespace: live.namespace.as_ref().map_or_else(String::new, |namespace| namespace.name().to_owned()),
        ttl: description.ttl(),
        stats: live.instances.stats(),
        in_flight,
        oldest,
        instances: live.instances.all().map(shown).collect(),
    })
}
