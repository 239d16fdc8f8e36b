//! Namespaces: what is cleared is gone for all processes, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod real;

use std::time::Duration;

use chorde_core::{Cache as _, CacheExt as _, Client, Key, ManualClock, Namespace, NamespaceClient, Path, Wait as _};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedBuilder, MemcachedClient, Transport};
use real::{Pair, builder, claim, client, eventually, fill, get, key, pair, put, secs, servers};

on_both_transports! {
    a_clear_is_noticed_by_others_within_its_delay
    clears_at_the_same_time_both_count
    names_and_clients_are_kept_apart
    what_is_computed_over_a_clear_is_not_stored
    a_client_with_a_namespace_clears_nothing_else
}

fn inside(name: &str, key: &str) -> Key {
    Key::in_namespace(&Namespace::named(name), key).unwrap()
}

fn clear(client: &MemcachedClient, name: &str) {
    client.clear_namespace(Path::new(&[Namespace::named(name)])).wait().unwrap();
}

fn a_clear_is_noticed_by_others_within_its_delay(transport: Transport) {
    let (servers, clock) = (servers(2), ManualClock::new());
    let patient = |builder: MemcachedBuilder| builder.transport(transport).clock(clock.clone()).build().unwrap();
    let one = patient(builder(&servers).clear_delay(secs(10)));
    let other = patient(builder(&servers).clear_delay(secs(10)));
    let (old, kept) = (inside("cleared", "key"), inside("kept", "key"));
    put(&one, &old, "old");
    put(&one, &kept, "kept");
    for _ in 0..2 {
        assert_eq!((get(&other, &old), get(&other, &kept)), (Some("old".into()), Some("kept".into())));
        clear(&one, "cleared");
        assert_eq!(get(&one, &old), None, "here it is gone at once");
        // The other one may see it up to the end of the delay, and not for longer.
        clock.advance(secs(4));
        assert_eq!(get(&other, &old), Some("old".into()));
        clock.advance(secs(6));
        assert_eq!((get(&other, &old), get(&other, &kept)), (None, Some("kept".into())));
        // From then on they agree again.
        put(&other, &old, "old");
        assert_eq!(get(&one, &old), Some("old".into()));
    }
    // Behind the callers' backs it is noticed in half of the time.
    clear(&one, "cleared");
    clock.advance(secs(5));
    eventually("the clear is noticed", || get(&other, &old).is_none());
    // A process that comes later knows of it from the beginning.
    assert_eq!(get(&patient(builder(&servers)), &old), None);
}

fn clears_at_the_same_time_both_count(transport: Transport) {
    let (servers, clock) = (servers(2), ManualClock::new());
    let clients = [(); 4].map(|()| builder(&servers).transport(transport).clock(clock.clone()).build().unwrap());
    let key = inside("cleared", "key");
    for round in 0..10 {
        put(&clients[round % 4], &key, "old");
        std::thread::scope(|scope| {
            clients.each_ref().map(|client| scope.spawn(|| clear(client, "cleared"))).map(|it| it.join().unwrap())
        });
        assert!(clients.iter().all(|client| get(client, &key).is_none()), "round {round}");
        // All agree on the revision, at the latest when they ask again.
        clock.advance(secs(1));
        put(&clients[round % 3], &key, "new");
        assert!(clients.iter().all(|client| get(client, &key) == Some("new".into())), "round {round}");
    }
}

fn names_and_clients_are_kept_apart(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let shared = || builder_of(&server).transport(transport);
    let in_shop = shared().namespace("shop").build().unwrap();
    let (users, orders) = (NamespaceClient::new("users", &one).unwrap(), NamespaceClient::new("orders", &one).unwrap());
    let elsewhere = NamespaceClient::new("users", &other).unwrap();
    let nested = NamespaceClient::new("vip", &users).unwrap();
    let key = key("key");
    let clients: [(&str, &dyn Fn() -> Option<String>); 6] = [
        ("bare", &|| get(&one, &key)),
        ("shop", &|| get(&in_shop, &key)),
        ("users", &|| get(&users, &key)),
        ("orders", &|| get(&orders, &key)),
        ("vip", &|| get(&nested, &key)),
        ("users", &|| get(&elsewhere, &key)),
    ];
    put(&one, &key, "bare");
    put(&in_shop, &key, "shop");
    put(&users, &key, "users");
    put(&orders, &key, "orders");
    put(&nested, &key, "vip");
    clients.iter().for_each(|(name, get)| assert_eq!(get().as_deref(), Some(*name)));
    let seen = |expected: [bool; 5]| {
        eventually("it is so", || {
            clients[..5].iter().zip(expected).all(|((_, get), is_there)| get().is_some() == is_there)
        });
    };
    orders.clear().wait().unwrap();
    seen([true, true, true, false, true]);
    // What is inside goes as well.
    users.clear().wait().unwrap();
    seen([true, true, false, false, false]);
    eventually("the other client notices", || get(&elsewhere, &key).is_none());
    in_shop.clear().wait().unwrap();
    seen([true, false, false, false, false]);
    put(&orders, &key, "orders");
    one.clear().wait().unwrap();
    seen([false; 5]);
}

fn builder_of(server: &MemcachedServer) -> MemcachedBuilder {
    MemcachedClient::builder().servers([server.address()]).checksum_key("tests").deadline(secs(20))
}

fn what_is_computed_over_a_clear_is_not_stored(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let key = inside("cleared", "key");
    let token = claim(&one, &key).token();
    clear(&one, "cleared");
    assert!(!fill(&one, &key, token, "outdated"));
    assert_eq!(get(&one, &key), None);
    let token = claim(&one, &key).token();
    // Giving back what was claimed before does not free what was claimed since.
    Client::<String>::release(&one, &key, token);
    eventually("it is free", || claim(&one, &key).is_won());
    eventually("the other one sees it", || claim(&other, &key) == real::Said::AbsentElsewhere);
    drop(server);
}

fn a_client_with_a_namespace_clears_nothing_else(transport: Transport) {
    let servers = servers(2);
    let with = |name: &str| builder(&servers).transport(transport).namespace(name).build().unwrap();
    let (shop, same, blog, all) =
        (with("shop"), with("shop"), with("blog"), builder(&servers).transport(transport).build().unwrap());
    for number in 0..20 {
        let key = key(&format!("key {number}"));
        put(&shop, &key, "shop");
        put(&blog, &key, "blog");
        put(&all, &key, "all");
    }
    let count = |client: &MemcachedClient| {
        (0..20).filter(|number| get(client, &key(&format!("key {number}"))).is_some()).count()
    };
    assert_eq!([&shop, &same, &blog, &all].map(count), [20; 4]);
    shop.clear().wait().unwrap();
    assert_eq!([&shop, &blog, &all].map(count), [0, 20, 20]);
    eventually("its twin notices", || count(&same) == 0);
    put(&same, &key("key 1"), "shop");
    assert_eq!([&shop, &same].map(count), [1, 1]);
    // Without a namespace, everything goes.
    all.clear().wait().unwrap();
    assert_eq!([&shop, &same, &blog, &all].map(count), [0; 4]);
}

/// Returns which of two servers holds something.
fn holds(servers: &[MemcachedServer]) -> [bool; 2] {
    [0, 1].map(|number| real::items(&servers[number]) > 0)
}

#[test]
fn a_revision_survives_the_loss_of_a_server() {
    for lost in [0, 1] {
        let servers = servers(2);
        let quick = || {
            let pauses = Duration::from_millis(20)..=Duration::from_millis(50);
            builder(&servers).probe_pauses(pauses).clear_delay(Duration::from_millis(200)).build().unwrap()
        };
        let one = quick();
        // One on each server.
        let mut keys = (0..).map(|number| inside("cleared", &format!("key {number}")));
        while holds(&servers) != [true, true] {
            put(&one, &keys.next().unwrap(), "old");
        }
        clear(&one, "cleared");
        servers[lost].restart().unwrap();
        // Whoever has never heard of the clear learns of it from the other server.
        let fresh = quick();
        for number in 0..10 {
            assert_eq!(get(&fresh, &inside("cleared", &format!("key {number}"))), None, "server {lost}, key {number}");
        }
        // And puts it back, so that the other server may be lost as well.
        eventually("it is put back", || {
            _ = get(&fresh, &inside("cleared", "key"));
            holds(&servers) == [true, true]
        });
        servers[1 - lost].restart().unwrap();
        put(&one, &inside("cleared", "new"), "new");
        let key = inside("cleared", "new");
        eventually("all agree", || {
            put(&one, &key, "new");
            get(&fresh, &key).is_some() && get(&quick(), &key).is_some()
        });
    }
}

#[test]
fn a_clear_that_did_not_happen_is_an_error() {
    let servers = servers(1);
    let client = client(&servers);
    let key = inside("cleared", "key");
    put(&client, &key, "old");
    servers[0].kill();
    assert!(client.clear_namespace(Path::new(&[Namespace::named("cleared")])).wait().is_err());
}
