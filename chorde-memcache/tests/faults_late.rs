//! Changes that come too late, or when nobody is there: nothing older is read afterwards.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::time::Duration;

use chorde_core::{CacheExt, Claim, ClaimOptions, Client, Key, ManualClock, Token, Wait};
use chorde_memcache::testing::{Chaos, ChaosProxy, MemcachedServer};
use chorde_memcache::{MemcachedClient, Transport};
use support::relay::Relay;
use support::{LONG, addresses, builder, eventually, get, healed, key_on, millis, put, servers, until_out_of_use};

#[test]
fn a_change_that_finds_its_server_gone_is_made_up_for() {
    type Change = fn(&MemcachedClient, u64);
    let changes: [(&str, Change); 3] = [
        ("expire", |client, key| assert!(!client.expire(&key).wait().unwrap())),
        ("delete", |client, key| assert!(!client.delete(&key).wait().unwrap())),
        ("put", |client, key| put(client, key, "new")),
    ];
    for (others, (how, change)) in (0..2).flat_map(|others| changes.map(|change| (others, change))) {
        let servers = servers(1 + others);
        let proxy = ChaosProxy::start(&servers[0].address()).unwrap();
        let addresses = std::iter::once(proxy.address()).chain(addresses(&servers[1..]));
        let client = builder(addresses).tolerated_failures(0).build().unwrap();
        let key = key_on(&servers, 0, &client);
        put(&client, key, "old");
        // The client learns of it by the change itself, which the next server answers, or none.
        proxy.set(Chaos::Refuse).unwrap();
        change(&client, key);
        assert_eq!(client.stats().outages, 1, "{how}");
        proxy.set(Chaos::Pass).unwrap();
        healed("gone for one change", || client.stats().recoveries == 1);
        assert_ne!(get(&client, key).as_deref(), Some("old"), "{how} with {others} others");
    }
}

#[test]
fn what_is_stored_elsewhere_only_after_the_way_back_is_not_found_in_the_next_outage_either() {
    let servers = servers(2);
    let proxies: Vec<_> = servers.iter().map(|server| ChaosProxy::start(&server.address()).unwrap()).collect();
    let client = builder(proxies.iter().map(ChaosProxy::address)).build().unwrap();
    let key = key_on(&servers, 0, &client);
    proxies[0].set(Chaos::Refuse).unwrap();
    until_out_of_use(&client, key, 1);
    // What is asked from a task takes another connection, which does not get through yet.
    proxies[1].set_for_new(Chaos::Blackhole).unwrap();
    let before = proxies[1].connections();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let late = {
        let client = client.clone();
        runtime.spawn(async move { client.put(&key, "late".to_owned(), LONG).await })
    };
    eventually("it is on its way", || proxies[1].connections() > before);
    proxies[0].set(Chaos::Pass).unwrap();
    eventually("the first is back", || client.stats().recoveries == 1);
    assert!(client.stats().replays >= 1, "{:?}", client.stats());
    proxies[1].set(Chaos::Pass).unwrap();
    runtime.block_on(late).unwrap().unwrap();
    eventually("it is stored at home", || {
        put(&client, key, "home");
        servers[0].stats().unwrap()["curr_items"] == "1"
    });
    proxies[0].set(Chaos::Refuse).unwrap();
    until_out_of_use(&client, key, 2);
    assert_ne!(get(&client, key).as_deref(), Some("late"));
}

#[test]
fn what_a_server_that_hung_carries_out_late_is_removed_after_that() {
    let (relay, clock) = (Relay::start(), ManualClock::new());
    let client = builder([relay.address()]).deadline(millis(400)).tolerated_failures(1000);
    let client = client.clock(clock.clone()).build().unwrap();
    put(&client, 1, "first");
    let asked = |command: &str| relay.fake.commands().iter().filter(|line| line.starts_with(command)).count();
    let late = relay.late("ms ");
    std::thread::scope(|scope| {
        let client = &client;
        let late = scope.spawn(|| client.put(&1_u64, "late".to_owned(), LONG).wait());
        eventually("it has arrived", || asked("ms ") == 2);
        eventually("it is given up", || {
            clock.advance(millis(100));
            late.is_finished()
        });
        assert!(late.join().unwrap().is_err());
    });
    std::thread::scope(|scope| {
        let client = &client;
        // It may have to wait for longer than it has time.
        let removed = scope.spawn(|| while client.delete(&1_u64).wait().is_err() {});
        eventually("it is to be removed", || asked("md ") > 0);
        // Another thread of the server was faster.
        late.send(()).unwrap();
        eventually("it is stored", || relay.real.stats().unwrap()["cmd_set"] == "2");
        eventually("it is removed", || {
            clock.advance(millis(10));
            removed.is_finished()
        });
    });
    assert_eq!(get(&client, 1), None);
    assert_eq!(relay.real.stats().unwrap()["curr_items"], "0");
}

#[test]
fn a_claim_that_a_server_grants_when_its_asker_has_given_up_is_taken_back() {
    let server = MemcachedServer::start().unwrap();
    let client = builder([server.address()]).deadline(millis(300)).build().unwrap();
    eventually("it works", || client.put(&1_u64, "one".to_owned(), LONG).wait().is_ok());
    let claim = |number: u64| {
        let options = ClaimOptions::<String>::new(Duration::from_secs(300));
        client.claim(&Key::new(&number).unwrap(), options).wait()
    };
    server.pause().unwrap();
    assert!(claim(2).is_err());
    until_out_of_use(&client, 3, 1);
    server.resume().unwrap();
    healed("stopped with a claim", || client.stats().recoveries == 1);
    let mut answer = None;
    eventually("it is claimed", || claim(2).map(|claim| answer = Some(claim)).is_ok());
    assert!(matches!(answer, Some(Claim::Absent(token)) if token != Token::default()), "{answer:?}");
}

#[test]
fn a_server_comes_back_however_much_it_missed_and_however_little_may_wait() {
    for transport in [Transport::Meta, Transport::Classic] {
        let server = MemcachedServer::start().unwrap();
        let proxy = ChaosProxy::start(&server.address()).unwrap();
        let client = builder([proxy.address()]).transport(transport).max_waiting(8).build().unwrap();
        let all = 0..2000_u64;
        all.clone().for_each(|key| put(&client, key, "old"));
        proxy.set(Chaos::Refuse).unwrap();
        all.clone().for_each(|key| _ = client.delete(&key).wait());
        proxy.set(Chaos::Pass).unwrap();
        healed("much was missed", || client.stats().recoveries == 1);
        assert!(all.into_iter().all(|key| get(&client, key).is_none()), "{transport:?}");
    }
}
