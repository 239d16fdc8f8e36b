//! Many users of one client, each with keys of their own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Mutex;
use std::time::Duration;

use chorde_core::{
    Cache, CacheExt, Client, ErrorKind, InprocClient, Key, Lookup, ManualClock, Namespace, NamespaceClient,
    ReadOptions, TieredClient, Wait,
};

const MINUTE: Duration = Duration::from_secs(60);

fn named<C: Cache>(name: &str, client: C) -> NamespaceClient<C> {
    NamespaceClient::new(name, client).unwrap()
}

fn get(client: &impl Client<i32>) -> Option<i32> {
    client.get(&1).wait().unwrap()
}

#[test]
fn namespaces_and_the_client_itself_are_isolated_on_one_key() {
    let raw = InprocClient::new(100);
    let (a, b) = (named("a", &raw), named("b", &raw));
    raw.put(&1, 0, MINUTE).wait().unwrap();
    a.put(&1, 1, MINUTE).wait().unwrap();
    b.put(&1, 2, MINUTE).wait().unwrap();
    assert_eq!((get(&raw), get(&a), get(&b)), (Some(0), Some(1), Some(2)));
    a.clear().wait().unwrap();
    assert_eq!((get(&raw), get(&a), get(&b)), (Some(0), None, Some(2)));
    b.delete(&1).wait().unwrap();
    assert_eq!((get(&raw), get(&a), get(&b)), (Some(0), None, None));
    raw.clear().wait().unwrap();
    assert_eq!(get(&raw), None);
}

#[test]
fn clearing_a_nested_namespace_leaves_the_outer_one_and_not_the_reverse() {
    let raw = InprocClient::new(100);
    let outer = named("outer", &raw);
    let (inner, other) = (named("inner", &outer), named("inner", &raw));
    let fill = || {
        outer.put(&1, 1, MINUTE).wait().unwrap();
        inner.put(&1, 2, MINUTE).wait().unwrap();
        other.put(&1, 3, MINUTE).wait().unwrap();
    };
    fill();
    inner.clear().wait().unwrap();
    assert_eq!((get(&outer), get(&inner), get(&other)), (Some(1), None, Some(3)));
    fill();
    outer.clear().wait().unwrap();
    assert_eq!((get(&outer), get(&inner), get(&other)), (None, None, Some(3)));
}

#[test]
fn a_clear_is_seen_by_every_handle_at_once() {
    let raw = InprocClient::new(100);
    let handles = [named("a", raw.clone()), named("a", raw.clone()), named("a", raw)];
    for clearing in &handles {
        handles[0].put(&1, 1, MINUTE).wait().unwrap();
        assert!(handles.iter().all(|handle| get(handle) == Some(1)));
        clearing.clear().wait().unwrap();
        assert!(handles.iter().all(|handle| get(handle).is_none()));
    }
}

#[test]
fn a_clear_through_one_near_tier_is_seen_behind_another() {
    let far = InprocClient::new(100);
    let tiers = || TieredClient::new(InprocClient::new(100), far.clone());
    let [here, there] = [named("a", tiers()), named("a", tiers())];
    let beside = named("b", there.inner().clone());
    beside.put(&1, 2, MINUTE).wait().unwrap();
    for round in 0..3 {
        here.put(&1, round, MINUTE).wait().unwrap();
        assert_eq!((get(&here), get(&there)), (Some(round), Some(round)), "both near tiers have a copy");
        here.clear().wait().unwrap();
        assert_eq!((get(&here), get(&there)), (None, None));
        assert_eq!(get(&beside), Some(2), "the other namespace keeps its copy");
    }
}

#[test]
fn what_is_put_after_a_clear_hits_at_once_in_the_near_tier() {
    let tiers = TieredClient::new(InprocClient::new(100), InprocClient::new(100));
    let a = named("a", tiers);
    a.clear().wait().unwrap();
    a.put(&1, 1, MINUTE).wait().unwrap();
    let said: Option<Lookup<i32>> = a.look(&Key::new(&1).unwrap().probe(), ReadOptions::new().max_tiers(1));
    assert_eq!(said.and_then(Lookup::into_entry).map(|entry| entry.value), Some(1));
}

#[test]
fn concurrent_clears_never_land_on_one_revision() {
    let a = named("a", InprocClient::new(100));
    let revision = || a.revision(&Key::new(&1).unwrap().probe()).number;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| a.clear().wait().unwrap()));
        }
    });
    assert_eq!(revision(), 800);
}

#[test]
fn promotions_are_heard_with_the_users_key() {
    let tiers = TieredClient::new(InprocClient::new(100), InprocClient::new(100));
    let users = named("outer", named("users", &tiers));
    let heard = Mutex::new(Vec::new());
    let hear = |key: &Key, value: &i32, _: Duration| heard.lock().unwrap().push((key.clone(), *value));
    let options = ReadOptions::new().on_promote(&hear);
    for _ in 0..2 {
        users.put_multi(&[(1, 10), (2, 20), (3, 30)], MINUTE).wait().unwrap();
        tiers.near().clear().wait().unwrap();
        users.get_with(&1, options).wait().unwrap();
        users.get_multi_with(&[3, 1, 2], options).wait().unwrap();
        let expected = [(1, 10), (3, 30), (2, 20)].map(|(key, value)| (Key::new(&key).unwrap(), value));
        assert_eq!(std::mem::take(&mut *heard.lock().unwrap()), expected);
        users.clear().wait().unwrap();
    }
}

#[test]
fn equal_names_over_one_client_are_one_client_and_others_are_not() {
    let (raw, other) = (InprocClient::new(100), InprocClient::new(100));
    let id = |client: &NamespaceClient<InprocClient>| client.identity().id();
    let a = named("a", raw.clone());
    assert_eq!(id(&a), id(&named("a", raw.clone())));
    assert_eq!(id(&a), id(&a.clone()));
    assert_ne!(id(&a), id(&named("b", raw.clone())));
    assert_ne!(id(&a), id(&named("a", other)));
    assert_ne!(a.identity().id(), raw.identity().id());
    let nested = named("a", a.clone());
    assert_ne!(nested.identity().id(), id(&a));
}

#[test]
fn the_identity_of_a_name_without_handles_is_forgotten() {
    let raw = InprocClient::new(100);
    let first = named("gone", &raw).identity().id();
    for number in 0..1_000 {
        drop(named(&format!("gone {number}"), &raw));
    }
    assert_ne!(named("gone", &raw).identity().id(), first);
}

#[test]
fn a_namespace_keeps_its_clients_time_size_and_tiers() {
    let clock = ManualClock::new();
    let raw = InprocClient::builder().capacity(100).clock(clock.clone()).build().unwrap();
    let a = named("a", TieredClient::new(raw.clone(), InprocClient::new(50)));
    assert_eq!(a.identity().clock().now(), raw.identity().clock().now());
    assert_eq!(a.tiers(), 2);
    assert_eq!(a.capacity().wait().unwrap(), [100, 50]);
    a.put(&1, 1, MINUTE).wait().unwrap();
    assert_eq!(a.usage().wait().unwrap(), [1, 1]);
    clock.advance(2 * MINUTE);
    a.purge(Duration::ZERO).wait().unwrap();
    assert_eq!(raw.usage().wait().unwrap(), [0]);
    assert_eq!(a.namespace(), &Namespace::named("a"));
}

#[test]
fn a_name_that_cannot_work_is_refused() {
    for (name, mend) in [("", "give it a name"), ("\0x", "without it")] {
        let error = NamespaceClient::new(name, InprocClient::new(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("namespace") && error.to_string().contains(mend), "{error}");
    }
}
