//! A function with one set of generic arguments that it is used with.

use std::any::TypeId;
use std::future::Future;
use std::ops::Deref;
use std::time::Duration;

use serde::Serialize;

use super::callbacks::{OnPromote, OnValue};
use super::description::{Naming, strip_closure};
use super::failures::Failures;
use super::live::Live;
use super::registry;
use super::repeats::Repeats;
use crate::client::covered;
use crate::clock::Clock;
use crate::digest::{Digest, Digester, Sums};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Probe};
use crate::log_limit::LogLimit;
use crate::namespace::{Namespace, Path};
use crate::policy::CallPolicy;
use crate::stats::Counters;
use crate::sync::{AtomicBool, OnceLock, Ordering};
use crate::user_code::tell;

/// A generic argument: one type, or whatever is generic around a closure.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// Tells types apart in this process, as their names do not.
    pub(super) id: TypeId,
    /// Tells types apart in shared stores.
    name: &'static str,
    /// Whether it is the type of a closure in the function's body.
    is_scope: bool,
}

impl Tag {
    /// Makes the tag of a type. Lifetimes are not told apart.
    #[inline]
    #[must_use]
    pub fn of<T: ?Sized>() -> Self {
        Self { id: typeid::of::<T>(), name: std::any::type_name::<T>(), is_scope: false }
    }

    /// Makes the tag of what is generic around a closure.
    #[inline]
    pub fn of_scope<F>(_: &F) -> Self {
        Self { is_scope: true, ..Self::of::<F>() }
    }

    /// Returns the name; `None` if it says nothing since nothing around the closure is generic.
    fn name(self, live: &Live) -> Option<&'static str> {
        let name = if self.is_scope { strip_closure(self.name) } else { self.name };
        (!self.is_scope || name != live.description.scope()).then_some(name)
    }
}

/// A function with its generic arguments.
pub(crate) struct Instance {
    live: &'static Live,
    pub(super) tag: Box<[Tag]>,
    pub(crate) counters: Counters,
    repeats: Repeats,
    pub(crate) failures: Failures,
    /// Keeps an outage from filling the log: what fails, and how.
    pub(crate) log_limit: LogLimit<(&'static str, Option<ErrorKind>)>,
    /// The function's namespace, and inside of it that of the generic arguments.
    path: Box<[Namespace]>,
    /// Has taken in the path.
    sums: Sums,
    /// Whether no other call site or instance of this process has the names in shared stores; asked when that matters.
    may_share: OnceLock<bool>,
    /// Whether it was logged that the refresh point never applies.
    has_warned: AtomicBool,
    pub(super) next: OnceLock<Box<Instance>>,
}

impl Instance {
    pub(super) fn new(tag: &[Tag], live: &'static Live, bins: Option<(usize, Duration)>) -> Self {
        let mut path = Vec::new();
        if let Some(namespace) = &live.namespace {
            path.push(namespace.clone());
            path.extend(namespace_of(tag, live));
        }
        let counters = Counters::default();
        if let Some((bins, up_to)) = bins {
            counters.set_timing_bins(bins, up_to);
        }
        let sums = Digester::sums_of(path.iter().map(Namespace::digest));
        let (tag, path) = (tag.into(), path.into());
        Self {
            live,
            tag,
            counters,
            repeats: Repeats::default(),
            failures: Failures::default(),
            log_limit: LogLimit::new(),
            path,
            sums,
            may_share: OnceLock::new(),
            has_warned: AtomicBool::new(false),
            next: OnceLock::new(),
        }
    }

    #[inline]
    pub(super) fn has(&self, tag: &[Tag]) -> bool {
        self.tag.len() == tag.len() && self.tag.iter().zip(tag).all(|(one, other)| one.id == other.id)
    }

    /// Returns the namespace of the function with all its instances; `None` if it has none.
    pub(crate) fn of_function(&self) -> Option<Path<'_>> {
        self.path.first().map(|namespace| Path::new(std::slice::from_ref(namespace)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn probe<K: Serialize + ?Sized>(&self, key: &K) -> Result<Probe<'_>> {
        Probe::new(self.sums, Path::new(&self.path), key)
    }

    /// Makes a key of which only the digest counts.
    pub(crate) fn key_without_bytes<K: Serialize + ?Sized>(&self, key: &K) -> Result<Key> {
        Ok(Key::without_bytes(self.probe(key)?.digest, &self.path))
    }

    pub(crate) fn key<K: Serialize + ?Sized>(&self, key: &K) -> Result<Key> {
        Key::in_path(&self.path, key)
    }

    /// Makes the key of what was probed for.
    pub(crate) fn key_of<K: Serialize + ?Sized>(&self, digest: Digest, key: &K) -> Result<Key> {
        Key::of_digest(digest, &self.path, key)
    }

    /// Returns the namespaces as one text.
    pub(crate) fn name(&self) -> String {
        self.path.iter().map(Namespace::name).collect()
    }

    /// Returns whether the keys may go to stores that others share: whether their names are nobody else's.
    #[inline]
    pub(crate) fn may_share(&self) -> bool {
        self.may_share.get().copied().unwrap_or_else(|| self.claim_names())
    }

    #[cold]
    fn claim_names(&self) -> bool {
        let clash = self.clash();
        let may_share = clash.is_none();
        // Afterwards and outside: a logger may call the function.
        if self.may_share.set(may_share).is_ok()
            && let Some(clash) = clash
        {
            tell!(error, "{}: {clash}", self.live.description.path());
        }
        may_share
    }

    /// Claims the names; returns why they are another's.
    fn clash(&self) -> Option<String> {
        let (function, rest) = self.path.split_first()?;
        let ids: Vec<TypeId> = self.tag.iter().map(|tag| tag.id).collect();
        if self.live.description.naming == Naming::Automatic && !registry::claim_site(function) {
            return Some(format!(
                "another cached function has the namespace `{}`: calls through a shared cache compute without it; give one of \
                 them `namespace = \"..\"`",
                function.name()
            ));
        }
        let is_alone = rest.is_empty() || registry::claim_types(self.name(), &ids);
        (!is_alone).then(|| {
            format!(
                "different types have the namespace `{}`: calls through a shared cache with one of them compute without it; \
                 rename one of the types, or give each a function with its own `namespace = \"..\"`",
                self.name()
            )
        })
    }

    /// Says why there are no keys for shared stores.
    #[cold]
    pub(crate) fn refused(&self) -> Error {
        let context = format!(
            "the namespace `{}` is used twice in this process, so that entries in a shared cache could be mixed up: give one of \
             the functions `namespace = \"..\"`",
            self.name()
        );
        Error::new(ErrorKind::Config, context)
    }

    /// Counts and logs an operation of the client that failed; `now` is the client's time.
    #[cold]
    pub(crate) fn failed(&self, operation: &'static str, error: &Error, now: u64) {
        self.counters.client_errors.increment();
        if let Some(more) = self.log_limit.admit((operation, Some(error.kind())), now) {
            tell!(warn, "{}: the cache failed to {operation}: {error}{more}", self.live.description.name);
        }
    }

    /// Counts the failures that the client covers while it carries out an operation: those of a tier.
    pub(crate) async fn counted<T>(&self, operation: impl Future<Output = T>) -> T {
        covered::counted(operation, |failures| self.counters.client_errors.add(failures)).await
    }

    /// Notes a miss of this key.
    #[inline]
    pub(crate) fn missed(&self, key: &Key) {
        let counters = &self.counters;
        if self.repeats.missed(counters.misses.get(), || counters.hits.sum(), key) {
            tell!(
                warn,
                "{}: its keys never hit although its arguments repeat: a set or map among them that is serialised as a list has \
                 another key in each order; take a `BTreeSet` or `BTreeMap`, or say what the key is by `key = ..`",
                self.live.description.path()
            );
        }
    }

    /// Logs, once, that a refresh point computed at run time lies beyond the ttl.
    #[cold]
    pub(crate) fn warn_of_refresh_point(&self, policy: &CallPolicy) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tell!(
                warn,
                "{}: its `async_ttl` lies beyond its `ttl` of {:?}: nothing is refreshed ahead; choose one between the two",
                self.live.description.path(),
                policy.ttl()
            );
        }
    }

    fn count_panics(&self, panics: usize) {
        if panics == 0 {
            return;
        }
        self.counters.panics.add(panics as u64);
        if let Some(more) = self.log_limit.admit(("call back", None), Clock::system().now()) {
            tell!(error, "{}: a callback panicked{more}", self.live.description.name);
        }
    }

    /// Calls the callbacks for computed values.
    pub(crate) fn computed<V: 'static, O: 'static>(&self, value: &V, args: &O) {
        self.count_panics(self.live.on_value.each(|hear: &OnValue<V, O>| hear(value, args)));
    }

    /// Calls the callbacks for promotions.
    pub(crate) fn promoted<V: 'static>(&self, key: &Key, value: &V, remaining: Duration) {
        self.count_panics(self.live.on_promote.each(|hear: &OnPromote<V>| hear(key, value, remaining)));
    }
}

impl Deref for Instance {
    type Target = Live;

    fn deref(&self) -> &Live {
        self.live
    }
}

/// Makes the namespace of generic arguments: unequal for different types, whatever they are called; `None` where nothing is
/// generic.
fn namespace_of(tag: &[Tag], live: &Live) -> Option<Namespace> {
    let names: Vec<&str> = tag.iter().filter_map(|tag| tag.name(live)).collect();
    if names.is_empty() {
        return None;
    }
    let ids: Vec<TypeId> = tag.iter().map(|tag| tag.id).collect();
    Some(Namespace::numbered(format!("<{}>", names.join(", ")), registry::number_of(&ids)))
}
