//! Servers are killed, stopped, restarted, flushed, cut off: nothing wrong is read, and all is well soon after.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::time::{Duration, Instant};

use chorde_core::{CacheExt, Claim, ClaimOptions, Client, ErrorKind, Key, ManualClock, Wait};
use chorde_memcache::testing::{Chaos, ChaosProxy, Direction, MemcachedServer};
use chorde_memcache::{MemcachedClient, Transport};
use support::{
    AMPLE, LONG, PATIENCE, addresses, builder, client, default_builder, eventually, get, healed, key_on, millis, put,
    servers, until_out_of_use, works,
};

#[test]
fn a_killed_server_is_missed_and_used_again_when_it_is_back() {
    for transport in [Transport::Auto, Transport::Classic] {
        let server = MemcachedServer::start().unwrap();
        let client = default_builder([server.address()]).deadline(AMPLE).transport(transport).build().unwrap();
        put(&client, 1, "one");
        server.kill();
        // At most the first operation learns of it the hard way: a write on a connection that has ended.
        _ = client.put(&1_u64, "two".to_owned(), LONG).wait();
        assert_eq!(client.get::<String>(&1_u64).wait().unwrap(), None);
        client.put(&1_u64, "three".to_owned(), LONG).wait().unwrap();
        assert!(!client.delete(&1_u64).wait().unwrap());
        assert_eq!(client.get_multi::<String>(&[1_u64, 2]).wait().unwrap(), [None, None]);
        let stats = client.stats();
        assert_eq!((stats.outages, stats.recoveries, stats.timeouts), (1, 0, 0), "{stats:?}");
        assert!(stats.unserved_reads >= 2 && stats.lost_writes >= 2, "{stats:?}");
        server.restart().unwrap();
        healed("killed and restarted", || works(&client));
        assert_eq!(client.stats().recoveries, 1);
        assert_eq!(get(&client, 1), None);
    }
}

#[test]
fn a_stopped_server_costs_deadlines_only_until_it_is_out_of_use() {
    let server = MemcachedServer::start().unwrap();
    let client = default_builder([server.address()]).build().unwrap();
    eventually("it works", || client.put(&1_u64, "one".to_owned(), LONG).wait().is_ok());
    server.pause().unwrap();
    let mut slowest = Duration::ZERO;
    eventually("the server is out of use", || {
        let began = Instant::now();
        let got = client.get::<String>(&1_u64).wait();
        slowest = slowest.max(began.elapsed());
        assert!(got.as_ref().map_or_else(|error| error.kind() == ErrorKind::Unavailable, Option::is_none), "{got:?}");
        client.stats().outages == 1
    });
    println!("stopped: the slowest operation took {} ms", slowest.as_millis());
    let before = client.stats();
    // The first waits for an answer, the second for a connection; nobody else waits for anything.
    assert!(before.timeouts + before.failures <= 3, "{before:?}");
    for key in 0..1000 {
        assert_eq!(client.get::<String>(&key).wait().unwrap(), None);
    }
    let after = client.stats();
    assert_eq!((after.timeouts, after.failures), (before.timeouts, before.failures));
    assert_eq!(after.unserved_reads, before.unserved_reads + 1000);
    server.resume().unwrap();
    healed("stopped and continued", || get(&client, 1).as_deref() == Some("one"));
    assert_eq!(client.stats().recoveries, 1);
}

#[test]
fn strict_clients_say_that_no_server_is_in_use() {
    let server = MemcachedServer::start().unwrap();
    let client = builder([server.address()]).strict().build().unwrap();
    put(&client, 1, "one");
    server.kill();
    _ = client.put(&1_u64, "two".to_owned(), LONG).wait();
    let kinds = [
        client.get::<String>(&1_u64).wait().unwrap_err().kind(),
        client.put(&1_u64, "three".to_owned(), LONG).wait().unwrap_err().kind(),
        client.delete(&1_u64).wait().unwrap_err().kind(),
        client.get_multi::<String>(&[1_u64, 2]).wait().unwrap_err().kind(),
        client.usage().wait().unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::NoServers; 5]);
    server.restart().unwrap();
    healed("killed under a strict client", || works(&client));
}

#[test]
fn the_next_server_takes_over_and_gives_back() {
    let servers = servers(2);
    let client = client(addresses(&servers));
    let key = key_on(&servers, 0, &client);
    put(&client, key, "first");
    servers[0].kill();
    until_out_of_use(&client, key, 1);
    put(&client, key, "second");
    assert_eq!(get(&client, key).as_deref(), Some("second"));
    let entry = client.get_ttl::<String>(&key).wait().unwrap().unwrap();
    assert!(entry.remaining() <= Duration::from_secs(60), "{entry:?}");
    assert!(client.stats().failovers >= 2, "{:?}", client.stats());
    servers[0].restart().unwrap();
    healed("one of two killed", || client.stats().recoveries == 1);
    eventually("its own server has it again", || {
        put(&client, key, "third");
        servers[0].stats().unwrap()["curr_items"] == "1"
    });
    assert_eq!(get(&client, key).as_deref(), Some("third"));
}

/// What is done to a key while its server is away.
fn while_stopped(change: impl Fn(&MemcachedClient, u64)) -> (MemcachedClient, Option<String>) {
    let servers = servers(2);
    let client = builder(addresses(&servers)).deadline(millis(300)).build().unwrap();
    let mut key = 0;
    eventually("a key of the first server", || {
        key += 1;
        client.put(&key, "old".to_owned(), LONG).wait().is_ok() && servers[0].stats().unwrap()["curr_items"] == "1"
    });
    servers[0].pause().unwrap();
    until_out_of_use(&client, key, 1);
    change(&client, key);
    servers[0].resume().unwrap();
    healed("stopped with old data", || client.stats().recoveries == 1);
    let mut seen = None;
    eventually("it is read", || client.get::<String>(&key).wait().map(|got| seen = got).is_ok());
    (client, seen)
}

#[test]
fn a_server_that_comes_back_has_forgotten_what_changed_meanwhile() {
    let (client, seen) = while_stopped(|client, key| {
        eventually("it is removed", || client.delete(&key).wait().is_ok());
    });
    assert_eq!(seen, None);
    assert!(client.stats().replays >= 1, "{:?}", client.stats());
    let (_, seen) = while_stopped(|client, key| {
        eventually("it is stored", || client.put(&key, "new".to_owned(), LONG).wait().is_ok());
    });
    assert_ne!(seen.as_deref(), Some("old"));
    let (_, seen) = while_stopped(|client, key| {
        eventually("it is marked as stale", || client.expire(&key).wait().is_ok());
        _ = client.add(&key, "new".to_owned(), LONG).wait();
    });
    assert_ne!(seen.as_deref(), Some("old"));
    // Nothing happened to it: it is still there.
    assert_eq!(while_stopped(|_, _| ()).1.as_deref(), Some("old"));
}

#[test]
fn what_was_stored_elsewhere_is_not_found_in_the_next_outage() {
    let servers = servers(2);
    let client = client(addresses(&servers));
    let key = key_on(&servers, 0, &client);
    for round in 0..3_u64 {
        servers[0].kill();
        until_out_of_use(&client, key, round + 1);
        assert_eq!(get(&client, key), None, "round {round}");
        put(&client, key, "stored elsewhere");
        servers[0].restart().unwrap();
        eventually("it is back", || client.stats().recoveries == round + 1);
        eventually("what it missed is made up for", || get(&client, key).is_none());
        put(&client, key, "stored at home");
        assert_eq!(get(&client, key).as_deref(), Some("stored at home"));
    }
}

#[test]
fn what_two_servers_missed_is_made_up_for_on_both() {
    let servers = servers(3);
    let client = builder(addresses(&servers)).deadline(millis(300)).build().unwrap();
    let outages = |count| {
        eventually("out of use", || {
            (0..100).for_each(|key| _ = client.contains(&key).wait());
            client.stats().outages == count
        });
    };
    let write = |value: &str| {
        for key in 0..100 {
            eventually("it is stored", || client.put(&key, value.to_owned(), LONG).wait().is_ok());
        }
    };
    write("1");
    servers[0].pause().unwrap();
    outages(1);
    write("2");
    servers[1].pause().unwrap();
    outages(2);
    write("3");
    servers[1].resume().unwrap();
    healed("the second of three", || client.stats().recoveries == 1);
    let check = || {
        for key in 0..100_u64 {
            let seen = client.get::<String>(&key).wait().unwrap_or_default();
            assert!(seen.as_deref().is_none_or(|seen| seen == "3"), "{key}: {seen:?}");
        }
    };
    check();
    servers[0].resume().unwrap();
    healed("the first of three", || client.stats().recoveries == 2);
    check();
}

#[test]
fn a_removal_that_failed_is_made_up_for_while_the_server_stays_in_use() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    let client = builder([proxy.address()]).deadline(millis(300)).tolerated_failures(1000).build().unwrap();
    eventually("it is stored", || client.put(&1_u64, "old".to_owned(), LONG).wait().is_ok());
    proxy.set(Chaos::Truncate(Direction::ToServer, 0)).unwrap();
    assert_eq!(client.delete(&1_u64).wait().unwrap_err().kind(), ErrorKind::Unavailable);
    // The first attempt to make up for it fails as well.
    eventually("it was tried again", || proxy.connections() >= 2);
    eventually("in vain", || client.stats().outages > 0 || proxy.open() == 0);
    proxy.set(Chaos::Pass).unwrap();
    eventually("it can be asked", || client.get::<String>(&2_u64).wait().is_ok());
    assert_eq!(client.get::<String>(&1_u64).wait().unwrap_or_default(), None);
    healed("a removal that failed", || server.stats().unwrap()["curr_items"] == "0");
    assert_eq!(client.get::<String>(&1_u64).wait().unwrap_or_default(), None);
}

#[test]
fn what_was_given_up_does_not_arrive_later() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    let client = builder([proxy.address()]).deadline(millis(300)).tolerated_failures(0).build().unwrap();
    eventually("it is stored", || client.put(&1_u64, "first".to_owned(), LONG).wait().is_ok());
    proxy.set(Chaos::Blackhole).unwrap();
    assert!(client.put(&1_u64, "late".to_owned(), LONG).wait().is_err());
    // New connections find the way, the old one is stuck a little longer.
    proxy.set_for_new(Chaos::Pass).unwrap();
    healed("a connection that is stuck", || works(&client));
    eventually("it is stored", || client.put(&1_u64, "last".to_owned(), LONG).wait().is_ok());
    let before = server.stats().unwrap()["cmd_set"].clone();
    proxy.set(Chaos::Pass).unwrap();
    // Whatever was stuck arrives before what is said now.
    eventually("it works", || works(&client));
    assert_eq!(get(&client, 1).as_deref(), Some("last"), "{before} sets before");
}

#[test]
fn a_server_that_is_slow_to_connect_does_not_hurt_the_next() {
    let servers = servers(2);
    let proxy = ChaosProxy::start(&servers[0].address()).unwrap();
    let (clock, deadline) = (ManualClock::new(), 400);
    let builder = builder([proxy.address(), servers[1].address()]).deadline(millis(deadline)).tolerated_failures(0);
    let client = builder.clock(clock.clone()).build().unwrap();
    let keys: Vec<u64> = (0..200).collect();
    let is_of_next = |key: &&u64| client.server_for(*key).wait().unwrap() == Some(servers[1].address());
    let of_next = keys.iter().find(is_of_next).unwrap();
    proxy.set(Chaos::Blackhole).unwrap();
    std::thread::scope(|scope| {
        // The next server answers in the order of asking: so time passes only as fast as it answers, on any machine.
        let pass = || {
            assert_eq!(client.get::<String>(of_next).wait().unwrap(), None);
            clock.advance(millis(deadline / 100));
        };
        // Spread over more than the time that it takes to give up.
        let ask = |key| {
            pass();
            let client = &client;
            scope.spawn(move || _ = client.get::<String>(key).wait())
        };
        let asking: Vec<_> = keys.iter().map(ask).collect();
        eventually("all give up", || {
            pass();
            asking.iter().all(std::thread::ScopedJoinHandle::is_finished)
        });
    });
    let stats = client.stats();
    assert_eq!(stats.outages, 1, "only the first server is at fault: {stats:?}");
    for key in &keys {
        assert_eq!(client.get::<String>(key).wait().unwrap(), None);
    }
    proxy.set(Chaos::Pass).unwrap();
    healed("slow to connect", || {
        clock.advance(millis(10));
        client.stats().recoveries == 1
    });
}

#[test]
fn one_lost_connection_is_no_outage() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    let client = client([proxy.address()]);
    assert!(works(&client));
    let before = client.stats();
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let client = &client;
            scope.spawn(move || {
                for step in 0..200 {
                    client.put(&(thread << 32 | step), step, LONG).wait().unwrap();
                }
            });
        }
        proxy.await_bytes(Direction::ToServer, proxy.bytes(Direction::ToServer) + 20_000).unwrap();
        proxy.set_for_existing(Chaos::Cut(Direction::ToClient, 1)).unwrap();
    });
    let stats = client.stats();
    assert_eq!((stats.outages, stats.failures), (0, 0), "{stats:?}");
    assert!(stats.resent > before.resent, "{stats:?}");
    healed("one lost connection", || works(&client));
}

#[test]
fn connections_that_the_server_closed_while_idle_are_noticed() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    for transport in [Transport::Meta, Transport::Classic] {
        let client = builder([proxy.address()]).transport(transport).build().unwrap();
        put(&client, 1, "one");
        for _ in 0..3 {
            // Both close what exists; then the server can be reached again.
            proxy.set(Chaos::Refuse).unwrap();
            proxy.set(Chaos::Pass).unwrap();
            assert_eq!(get(&client, 1).as_deref(), Some("one"));
            put(&client, 1, "one");
        }
        assert_eq!((client.stats().failures, client.stats().outages), (0, 0), "{transport:?}");
    }
}

#[test]
fn a_reply_cut_anywhere_is_no_value() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    let client = client([proxy.address()]);
    let value = "a value that takes a few bytes more than a header".to_owned();
    client.put(&1_u64, value.clone(), LONG).wait().unwrap();
    for cut in (0..140).step_by(7) {
        proxy.set(Chaos::Cut(Direction::ToClient, cut)).unwrap();
        let got = client.get::<String>(&1_u64).wait();
        assert!(got.as_ref().ok().and_then(Option::as_ref).is_none_or(|got| *got == value), "{cut}: {got:?}");
        proxy.set(Chaos::Pass).unwrap();
        eventually("it is read again", || {
            client.get::<String>(&1_u64).wait().is_ok_and(|got| got.as_ref() == Some(&value))
        });
    }
    assert!(client.stats().failures > 0);
}

#[test]
fn half_open_connections_end_at_the_deadline() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    let client = default_builder([proxy.address()]).build().unwrap();
    eventually("it is stored", || client.put(&1_u64, "one".to_owned(), LONG).wait().is_ok());
    proxy.set(Chaos::Blackhole).unwrap();
    until_out_of_use(&client, 1, 1);
    assert_eq!(client.get::<String>(&1_u64).wait().unwrap(), None);
    proxy.set(Chaos::Pass).unwrap();
    healed("half-open", || get(&client, 1).as_deref() == Some("one"));
}

#[test]
fn a_flapping_server_never_shows_what_is_older() {
    let servers = servers(2);
    let proxy = ChaosProxy::start(&servers[0].address()).unwrap();
    let client = builder([proxy.address(), servers[1].address()]).build().unwrap();
    let (mut newest, mut seen) = ([0_u64; 20], 0);
    for round in 1..=60_u64 {
        let chaos = if round % 2 == 0 { Chaos::Pass } else { Chaos::Refuse };
        proxy.set(chaos).unwrap();
        for key in 0..20 {
            if client.put(&key, round, LONG).wait().is_ok() {
                newest[key] = round;
            }
            let got = client.get::<u64>(&key).wait().unwrap_or_default();
            // One that failed may have been carried out, or not.
            assert!(got.is_none_or(|got| got >= newest[key]), "{key} in round {round}: {got:?} after {newest:?}");
            seen += u64::from(got.is_some());
        }
        if round % 3 == 0 {
            let recoveries = client.stats().recoveries;
            proxy.set(Chaos::Pass).unwrap();
            let outages = client.stats().outages;
            eventually("it is back", || client.stats().recoveries > recoveries || client.stats().recoveries == outages);
        }
    }
    let stats = client.stats();
    println!("flapping: {seen} values seen, {} outages, {} replays", stats.outages, stats.replays);
    assert!(stats.outages >= 5 && seen > 600, "{stats:?}");
}

#[test]
fn a_flushed_server_is_empty_and_that_is_all() {
    let server = MemcachedServer::start().unwrap();
    let client = client([server.address()]);
    put(&client, 1, "one");
    server.flush().unwrap();
    assert_eq!(client.get::<String>(&1_u64).wait().unwrap(), None);
    assert!(works(&client));
    assert_eq!((client.stats().failures, client.stats().outages), (0, 0));
}

#[test]
fn a_thousand_callers_on_a_cold_start_make_one_connection() {
    let server = MemcachedServer::start().unwrap();
    let client = client([server.address()]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let claims = runtime.block_on(async {
        let callers = (0..1000).map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let options = ClaimOptions::<String>::new(PATIENCE);
                client.claim(&Key::new(&1_u64).unwrap(), options).await.unwrap()
            })
        });
        let callers: Vec<_> = callers.collect();
        let mut won = 0;
        for caller in callers {
            won += u64::from(matches!(caller.await.unwrap(), Claim::Absent(_)));
        }
        won
    });
    let stats = client.stats();
    assert_eq!((claims, stats.claims_won, stats.claims_held, stats.connections), (1, 1, 999, 1), "{stats:?}");
}

#[test]
fn a_thousand_callers_of_a_server_that_is_down_are_answered_at_once() {
    let server = MemcachedServer::start().unwrap();
    let address = server.address();
    server.kill();
    let client = client([address]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let callers = (0..1000_u64).map(|key| {
            let client = client.clone();
            tokio::spawn(async move { client.get::<String>(&key).await.unwrap() })
        });
        let callers: Vec<_> = callers.collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), None);
        }
    });
    let stats = client.stats();
    assert_eq!((stats.unserved_reads, stats.misses, stats.outages), (1000, 1000, 1), "{stats:?}");
    assert!(stats.connections <= 3, "one dial at a time: {stats:?}");
}
