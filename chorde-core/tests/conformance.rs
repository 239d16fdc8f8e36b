//! Every client of this crate keeps the rules, and so does one that implements nothing but what it must.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chorde_core::inproc::Policy;
use chorde_core::testing::conformance::{Sample, Suite};
use chorde_core::{
    Cache, CacheExt, Client, Clock, DynClient, Entry, Identity, InprocClient, Key, ManualClock, NamespaceClient, Path,
    ReadOptions, Result, TieredClient, Value, Wait, WriteOptions,
};

fn check_all<C: Client<String> + Client<u64> + Client<Vec<u8>>>(clock: &ManualClock, make: impl Fn() -> C) {
    let suite = Suite::new(make).advance(|by| clock.advance(by));
    suite.check::<String>();
    suite.check::<u64>();
    suite.check::<Vec<u8>>();
    suite.check_types();
}

fn inproc(clock: &ManualClock) -> InprocClient {
    InprocClient::builder().capacity(10_000).clock(clock.clone()).build().unwrap()
}

fn lru(clock: &ManualClock) -> InprocClient {
    InprocClient::builder().capacity(10_000).clock(clock.clone()).policy(Policy::lru()).build().unwrap()
}

#[test]
fn the_inproc_client_conforms() {
    let clock = ManualClock::new();
    check_all(&clock, || inproc(&clock));
}

#[test]
fn the_inproc_client_with_exact_lru_conforms() {
    let clock = ManualClock::new();
    check_all(&clock, || lru(&clock));
}

/// A type of which the in-process store knows nothing.
#[derive(Clone, Debug, PartialEq)]
struct Mine(u64);

impl Sample for Mine {
    fn sample(number: u64) -> Self {
        Self(number)
    }
}

#[test]
fn the_inproc_client_conforms_for_types_of_the_user() {
    let clock = ManualClock::new();
    Suite::new(|| inproc(&clock)).advance(|by| clock.advance(by)).check::<Mine>();
    Suite::new(|| lru(&clock)).advance(|by| clock.advance(by)).check::<Mine>();
}

#[test]
fn the_inproc_client_on_system_time_conforms() {
    let suite = Suite::new(|| InprocClient::new(10_000)).resolution(Duration::from_millis(1));
    suite.check::<String>();
    suite.check_types();
}

#[test]
fn a_shared_client_conforms() {
    let clock = ManualClock::new();
    check_all(&clock, || Arc::new(inproc(&clock)));
}

#[test]
fn a_lazily_made_client_conforms() {
    let clock = ManualClock::new();
    let make = || {
        let clock = clock.clone();
        LazyLock::new(move || inproc(&clock))
    };
    check_all(&clock, make);
}

#[test]
fn the_tiered_client_conforms() {
    let clock = ManualClock::new();
    check_all(&clock, || TieredClient::new(lru(&clock), inproc(&clock)));
}

#[test]
fn the_tiered_client_with_short_near_lives_conforms() {
    let clock = ManualClock::new();
    let builder = TieredClient::builder().ttl_fractions([0.1, 1.0]);
    check_all(&clock, || builder.build(inproc(&clock), inproc(&clock)).unwrap());
}

#[test]
fn three_tiers_conform() {
    let clock = ManualClock::new();
    let three = || TieredClient::new(inproc(&clock), TieredClient::new(inproc(&clock), inproc(&clock)));
    check_all(&clock, three);
    let nested_near = || TieredClient::new(TieredClient::new(inproc(&clock), inproc(&clock)), inproc(&clock));
    check_all(&clock, nested_near);
}

#[test]
fn the_namespace_client_conforms() {
    let clock = ManualClock::new();
    check_all(&clock, || NamespaceClient::new("one", inproc(&clock)).unwrap());
    check_all(&clock, || {
        NamespaceClient::new("outer", NamespaceClient::new("inner", inproc(&clock)).unwrap()).unwrap()
    });
}

#[test]
fn a_namespace_of_tiers_and_tiers_of_namespaces_conform() {
    let clock = ManualClock::new();
    let tiers = || TieredClient::new(inproc(&clock), inproc(&clock));
    check_all(&clock, || NamespaceClient::new("over tiers", tiers()).unwrap());
    let part = |name| NamespaceClient::new(name, inproc(&clock)).unwrap();
    check_all(&clock, || TieredClient::new(part("near"), part("far")));
}

#[test]
fn the_boxed_client_conforms() {
    fn check<V: Sample>() {
        let clock = ManualClock::new();
        let make = || DynClient::<V>::new(TieredClient::new(inproc(&clock), inproc(&clock)));
        Suite::new(make).advance(|by| clock.advance(by)).check::<V>();
    }
    check::<String>();
    check::<u64>();
    check::<Vec<u8>>();
}

#[test]
fn what_stands_in_front_of_a_client_in_process_knows_at_once_what_is_absent() {
    fn check(client: &(impl Client<u64> + CacheExt)) {
        let keys = ["absent", "there"].map(|name| Key::new(name).unwrap());
        client.put(&keys[1], 1, Duration::from_secs(60)).wait().unwrap();
        assert_eq!(keys.map(|key| client.is_absent(&key.probe())), [true, false]);
    }
    let clock = ManualClock::new();
    check(&inproc(&clock));
    check(&Arc::new(inproc(&clock)));
    check(&LazyLock::new(|| InprocClient::new(10)));
    check(&NamespaceClient::new("one", inproc(&clock)).unwrap());
    check(&DynClient::new(inproc(&clock)));
}

#[test]
fn a_client_with_the_required_methods_alone_conforms() {
    let clock = ManualClock::new();
    check_all(&clock, || Shelf::new(clock.clone()));
    check_all(&clock, || TieredClient::new(inproc(&clock), Shelf::new(clock.clone())));
    check_all(&clock, || TieredClient::new(Shelf::new(clock.clone()), inproc(&clock)));
}

#[test]
#[should_panic(expected = "conformance: renew never revives an expired entry: broken: renew says no")]
fn a_client_that_breaks_a_rule_is_told_which() {
    let clock = ManualClock::new();
    let make = || Shelf { renew_revives: true, ..Shelf::new(clock.clone()) };
    Suite::new(make).check::<String>();
}

/// The least that a client can be: a map behind a lock.
struct Shelf {
    identity: Identity,
    items: Mutex<HashMap<Key, Item>>,
    /// A mistake that the suite is to find.
    renew_revives: bool,
}

struct Item {
    value: Box<dyn Any + Send>,
    expiry: u64,
}

impl Shelf {
    fn new(clock: ManualClock) -> Self {
        let identity = Identity::with_clock(Clock::from(clock));
        Self { identity, items: Mutex::default(), renew_revives: false }
    }

    fn now(&self) -> u64 {
        self.identity.clock().now()
    }

    fn after(&self, ttl: Duration) -> u64 {
        self.now().saturating_add(u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX))
    }

    fn items(&self) -> MutexGuard<'_, HashMap<Key, Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_valid(&self, item: Option<&Item>) -> bool {
        item.is_some_and(|item| item.expiry > self.now())
    }
}

impl Cache for Shelf {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        Ok(self.is_valid(self.items().remove(key).as_ref()))
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        let mut items = self.items();
        let was_valid = self.is_valid(items.get(key));
        if let Some(item) = items.get_mut(key).filter(|_| was_valid) {
            item.expiry = self.now();
        }
        Ok(was_valid)
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        let mut items = self.items();
        let renewed = items.get_mut(key).filter(|item| item.expiry > self.now() || self.renew_revives);
        Ok(renewed.map(|item| item.expiry = item.expiry.max(self.after(ttl))).is_some())
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        Ok(self.items().get(key).is_some_and(|item| item.expiry > self.after(min_ttl)))
    }

    async fn clear_all(&self) -> Result<()> {
        self.items().clear();
        Ok(())
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        let is_inside = |key: &Key| path.iter().eq(key.namespaces().iter().take(path.iter().count()));
        self.items().retain(|key, _| !is_inside(key));
        self.identity.revise(path);
        Ok(())
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        let grace = u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX);
        self.items().retain(|_, item| item.expiry.saturating_add(grace) >= self.now());
        Ok(())
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        Ok(vec![u64::MAX])
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        Ok(vec![self.items().len() as u64])
    }
}

impl<V: Value> Client<V> for Shelf {
    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        let items = self.items();
        let shown = items.get(key).and_then(|item| {
            let remaining = Duration::from_nanos(item.expiry.saturating_sub(self.now()));
            Some(Entry::new(item.value.downcast_ref::<V>()?.clone(), remaining))
        });
        Ok(shown.filter(|entry| entry.remaining() >= options.least_ttl()))
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, _: WriteOptions) -> Result<()> {
        let item = Item { value: Box::new(value), expiry: self.after(ttl) };
        self.items().insert(key.clone(), item);
        Ok(())
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        let mut items = self.items();
        if self.is_valid(items.get(key)) {
            return Ok(false);
        }
        items.insert(key.clone(), Item { value: Box::new(value), expiry: self.after(ttl) });
        Ok(true)
    }
}
