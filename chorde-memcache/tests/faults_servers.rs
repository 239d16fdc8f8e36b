//! The list of servers changes under those who use it, is late, or is nonsense.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chorde_core::{CacheExt, Clock, ErrorKind, Wait};
use chorde_memcache::testing::{Chaos, ChaosProxy, FakeServer, MemcachedServer};
use chorde_memcache::{
    Address, Following, MemcachedBuilder, MemcachedClient, Placement, Server, ServerSource, Servers,
};
use support::relay::Relay;
use support::told::{Told, at, named};
use support::{AMPLE, LONG, PATIENCE, bounded, client, eventually, healed, millis, works};

fn following(told: &Told) -> MemcachedBuilder {
    MemcachedClient::builder().source(told.clone()).checksum_key("tests").deadline(AMPLE)
}

fn by_name(name: &str, address: &str) -> Server {
    Server::new(name, Address::Tcp(address.parse().unwrap()))
}

#[test]
fn a_list_that_changes_under_load_loses_no_operation() {
    for placement in [Placement::Rendezvous, Placement::Ketama] {
        let servers: Vec<_> = (0..4).map(|_| MemcachedServer::start().unwrap()).collect();
        let all: Vec<_> = servers.iter().map(named).collect();
        let told = Told::of(all.clone());
        let client = following(&told).placement(placement).build().unwrap();
        let (is_over, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let worker = |thread: u64| {
            for step in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                let key = thread << 32 | (step % 100);
                client.put(&key, key, LONG).wait().unwrap();
                assert!(client.get::<u64>(&key).wait().unwrap().is_none_or(|got| got == key));
                let keys: Vec<u64> = (0..20).map(|other| thread << 32 | other).collect();
                for (key, got) in keys.iter().zip(client.get_multi::<u64>(&keys).wait().unwrap()) {
                    assert!(got.is_none_or(|got| got == *key));
                }
                client.delete(&key).wait().unwrap();
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let next = |more| {
            let goal = done.load(Ordering::Relaxed) + more;
            eventually("operations go on", || done.load(Ordering::Relaxed) >= goal);
        };
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || worker(thread));
            }
            for round in 0..40_usize {
                let kept = fastrand::usize(1..=4);
                told.tell(all.iter().cycle().skip(round).take(kept).cloned().collect());
                next(10);
            }
            is_over.store(true, Ordering::Relaxed);
        });
        let stats = client.stats();
        println!("{} rounds of operations over {} lists", done.into_inner(), stats.reloads);
        assert!(stats.reloads >= 20, "{stats:?}");
        assert_eq!((stats.failures, stats.timeouts, stats.outages, stats.lost_writes), (0, 0, 0, 0), "{stats:?}");
    }
}

#[test]
fn keys_of_the_servers_that_stay_are_found_when_others_come_and_go() {
    let servers: Vec<_> = (0..4).map(|_| MemcachedServer::start().unwrap()).collect();
    let all: Vec<_> = servers.iter().map(named).collect();
    let told = Told::of(all[..3].to_vec());
    let client = following(&told).build().unwrap();
    let keys: Vec<u64> = (0..400).collect();
    for key in &keys {
        client.put(key, *key, LONG).wait().unwrap();
    }
    let found = || client.get_multi::<u64>(&keys).wait().unwrap().into_iter().flatten().count();
    assert_eq!(found(), 400);
    let shares: Vec<usize> =
        servers.iter().map(|server| server.stats().unwrap()["curr_items"].parse().unwrap()).collect();
    told.tell(all[..2].to_vec());
    eventually("the third is gone", || client.stats().reloads == 1);
    assert_eq!(found(), 400 - shares[2]);
    told.tell(all.clone());
    eventually("two have come", || client.stats().reloads == 2);
    let found = found();
    println!("{found} of 400 found with a fourth server");
    assert!((200..400).contains(&found), "{found}");
}

#[test]
fn a_node_that_leaves_answers_what_it_was_asked() {
    let (relay, other) = (Relay::start(), MemcachedServer::start().unwrap());
    let told = Told::of(vec![by_name("one", &relay.address())]);
    let client = following(&told).build().unwrap();
    client.put(&1, 1, LONG).wait().unwrap();
    relay.fake.hold();
    let before = relay.fake.commands().len() as u64;
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..5).map(|_| scope.spawn(|| client.get::<i32>(&1).wait().unwrap())).collect();
        relay.fake.await_commands(before + 5).unwrap();
        told.tell(vec![at("two", &other)]);
        eventually("it has left", || client.stats().reloads == 1);
        // From now on the other one is asked.
        assert!(works(&client));
        relay.fake.release();
        for asked in asking {
            assert_eq!(asked.join().unwrap(), Some(1));
        }
    });
    eventually("its connections are closed", || relay.fake.open() == 0);
    assert_eq!((client.stats().failures, client.stats().outages), (0, 0));
}

#[test]
fn a_name_whose_address_changes_keeps_its_keys() {
    let (first, second) = (Relay::start(), MemcachedServer::start().unwrap());
    let stays = MemcachedServer::start().unwrap();
    let told = Told::of(vec![by_name("moves", &first.address()), at("stays", &stays)]);
    let client = following(&told).build().unwrap();
    let keys: Vec<u64> = (0..100).collect();
    for key in &keys {
        client.put(key, *key, LONG).wait().unwrap();
    }
    first.fake.hold();
    let before = first.fake.commands().len() as u64;
    let items: u64 = stays.stats().unwrap()["curr_items"].parse().unwrap();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| client.get_multi::<u64>(&keys).wait().unwrap());
        // A long question goes out in parts.
        first.fake.await_commands(before + 100 - items).unwrap();
        told.tell(vec![at("moves", &second), at("stays", &stays)]);
        eventually("it has moved", || client.stats().reloads == 1);
        first.fake.release();
        // What was under way ends where it was asked.
        assert!(asking.join().unwrap().iter().zip(&keys).all(|(got, key)| *got == Some(*key)));
    });
    let found = |client: &MemcachedClient| client.get_multi::<u64>(&keys).wait().unwrap().into_iter().flatten().count();
    let kept = found(&client);
    assert_eq!(kept.to_string(), stays.stats().unwrap()["curr_items"], "the new one is empty");
    for key in &keys {
        client.put(key, *key, LONG).wait().unwrap();
    }
    assert_eq!(found(&client), 100);
    assert_eq!(second.stats().unwrap()["curr_items"], (100 - kept).to_string());
    eventually("connections to the old address are closed", || first.fake.open() == 0);
}

#[test]
fn a_server_out_of_use_is_tried_at_once_where_it_has_moved_to() {
    for hangs in [true, false] {
        let (old, new) = (MemcachedServer::start().unwrap(), MemcachedServer::start().unwrap());
        let proxy = ChaosProxy::start(&old.address()).unwrap();
        let told = Told::of(vec![by_name("moves", &proxy.address())]);
        // Whoever waits for the next attempt waits too long.
        let builder = following(&told).deadline(millis(300)).tolerated_failures(0);
        let client = builder.probe_pauses(2 * PATIENCE..=2 * PATIENCE).build().unwrap();
        eventually("it works", || client.put(&1, 1, LONG).wait().is_ok());
        proxy.set(if hangs { Chaos::Blackhole } else { Chaos::Refuse }).unwrap();
        eventually("it is out of use", || {
            _ = client.get::<i32>(&1).wait();
            client.stats().outages == 1
        });
        told.tell(vec![at("moves", &new)]);
        healed("an address that has changed", || works(&client));
        assert_eq!(client.stats().recoveries, 1);
    }
}

#[test]
fn nothing_is_waited_for_long_while_there_is_no_list() {
    let server = MemcachedServer::start().unwrap();
    let told = Told::nothing();
    let client = following(&told).deadline(millis(500)).build().unwrap();
    let began = Instant::now();
    for key in 0..100_u64 {
        assert_eq!(client.get::<u64>(&key).wait().unwrap(), None);
        client.put(&key, key, LONG).wait().unwrap();
    }
    // One deadline for all of them together, not for each.
    println!("200 operations without a list took {} ms", began.elapsed().as_millis());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!((client.stats().unserved_reads, client.stats().lost_writes, client.stats().misses), (100, 100, 100));
    let strict = following(&told).deadline(millis(100)).strict().build().unwrap();
    assert_eq!(strict.get::<u64>(&1).wait().unwrap_err().kind(), ErrorKind::NoServers);
    told.tell(Vec::new());
    told.tell(vec![named(&server)]);
    healed("no list at first", || works(&client) && works(&strict));
}

#[test]
fn a_list_that_comes_late_is_waited_for_by_the_first() {
    let server = MemcachedServer::start().unwrap();
    let told = Told::nothing();
    let client = following(&told).build().unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| client.put(&1, 1, LONG).wait());
        told.tell(vec![named(&server)]);
        first.join().unwrap().unwrap();
    });
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), Some(1));
    assert_eq!(client.stats().reloads, 0);
}

#[test]
fn an_empty_list_and_doubles_are_not_followed() {
    let servers: Vec<_> = (0..2).map(|_| MemcachedServer::start().unwrap()).collect();
    let told = Told::of(vec![named(&servers[0])]);
    let client = following(&told).build().unwrap();
    client.put(&1, 1, LONG).wait().unwrap();
    told.tell(Vec::new());
    assert_eq!(client.get::<i32>(&1).wait().unwrap(), Some(1));
    let double = by_name(named(&servers[0]).name(), &servers[1].address());
    told.tell(vec![named(&servers[0]), double, named(&servers[1])]);
    eventually("the second is there", || client.stats().reloads == 1);
    assert!(works(&client));
    assert_eq!((client.stats().failures, client.stats().lost_writes), (0, 0));
}

/// Tells of its end.
struct Watched(Told, Arc<AtomicBool>);

struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl ServerSource for Watched {
    fn follow(self: Box<Self>, servers: Servers, clock: Clock) -> Following {
        let (following, end) = (Box::new(self.0).follow(servers, clock), OnDrop(self.1));
        Box::pin(async move {
            let _end = end;
            following.await;
        })
    }
}

#[test]
fn a_source_ends_with_its_client() {
    let server = MemcachedServer::start().unwrap();
    let (told, has_ended) = (Told::of(vec![named(&server)]), Arc::new(AtomicBool::new(false)));
    let source = Watched(told.clone(), Arc::clone(&has_ended));
    let client = MemcachedClient::builder().source(source).checksum_key("tests").deadline(AMPLE).build().unwrap();
    assert!(works(&client));
    assert!(!has_ended.load(Ordering::SeqCst));
    drop(client);
    eventually("the source has ended", || has_ended.load(Ordering::SeqCst));
}

/// Tells a list and ends, well or badly.
struct Brief(Vec<Server>, bool);

impl ServerSource for Brief {
    fn known(&self) -> Option<Vec<Server>> {
        Some(self.0.clone())
    }

    fn follow(self: Box<Self>, _: Servers, _: Clock) -> Following {
        Box::pin(async move { assert!(self.1, "the source fails on purpose") })
    }
}

#[test]
fn a_source_that_ends_or_panics_leaves_its_last_list() {
    let server = MemcachedServer::start().unwrap();
    for ends_well in [true, false] {
        let source = Brief(vec![named(&server)], ends_well);
        let client = MemcachedClient::builder().source(source).checksum_key("tests").deadline(AMPLE).build().unwrap();
        for _ in 0..3 {
            assert!(works(&client));
        }
    }
}

#[test]
fn names_are_looked_up_and_those_that_do_not_exist_cost_no_more_than_a_deadline() {
    let server = MemcachedServer::start().unwrap();
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    let by_host = client([format!("localhost:{port}")]);
    healed("a name at first", || works(&by_host));
    let nowhere = MemcachedClient::builder().servers(["no-such-host.invalid:11211"]).checksum_key("tests");
    let nowhere = nowhere.deadline(millis(200)).build().unwrap();
    let began = Instant::now();
    for key in 0..20_u64 {
        assert_eq!(nowhere.get::<u64>(&key).wait().unwrap(), None);
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!((nowhere.stats().unserved_reads, nowhere.stats().outages), (20, 0));
    // One of several that cannot be found holds up the others for a second at most.
    let mixed = client(["no-such-host.invalid:11211".to_owned(), server.address()]);
    healed("one name of two", || works(&mixed));
}

#[test]
fn a_server_that_left_is_not_asked_and_not_probed() {
    bounded(|| {
        let (gone, stays) = (FakeServer::canned("1.6.21", "x").unwrap(), MemcachedServer::start().unwrap());
        let told = Told::of(vec![by_name("gone", &gone.address()), at("stays", &stays)]);
        let client = following(&told).probe_pauses(millis(10)..=millis(10)).build().unwrap();
        gone.set_fault(chorde_memcache::testing::Fault::CloseAtOnce);
        eventually("it is out of use", || {
            (0..20_u64).for_each(|key| _ = client.get::<u64>(&key).wait());
            client.stats().outages == 1
        });
        eventually("it is probed", || gone.connections() >= 5);
        told.tell(vec![at("stays", &stays)]);
        eventually("it has left", || client.stats().reloads == 1);
        eventually("nobody comes any more", || {
            let before = gone.connections();
            // Which takes several of the pauses between two attempts.
            let began = Instant::now();
            while began.elapsed() < millis(100) {
                assert!(works(&client));
            }
            gone.connections() == before
        });
        assert!(works(&client));
    });
}
