//! Keys spread over several servers: which of them moves when a server goes, and operations on many keys or all servers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod real;

use std::collections::BTreeSet;

use chorde_core::{CacheExt as _, Clock, ErrorKind, Wait as _};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{
    Address, Following, MemcachedClient, Placement, Server, ServerSource, Servers, StaticServers, Transport,
};
use real::{HOUR, builder, claim, client, eventually, items, key, secs, servers};

on_both_transports! {
    of_all_who_add_a_key_one_does
    many_keys_are_written_and_read_on_all_servers
}

/// A source that tells what the test says.
struct Told(Servers);

impl ServerSource for Told {
    fn known(&self) -> Option<Vec<Server>> {
        self.0.current().map(|servers| servers.to_vec())
    }

    fn follow(self: Box<Self>, servers: Servers, _: Clock) -> Following {
        Box::pin(async move {
            let mut watch = self.0.watch();
            while let Some(list) = watch.changed().await {
                servers.set(list.to_vec());
            }
        })
    }
}

fn named(servers: &[MemcachedServer]) -> Vec<Server> {
    let address = |server: &MemcachedServer| Address::Tcp(server.address().parse().unwrap());
    // By names that do not depend on the ports of this run.
    servers
        .iter()
        .enumerate()
        .map(|(number, server)| Server::new(format!("cache-{number}:11211"), address(server)))
        .collect()
}

fn only_its_keys_move(placement: Placement) {
    const KEYS: u32 = 600;
    let servers = servers(3);
    let (told, all) = (Servers::new(), named(&servers));
    told.set(all.clone());
    let builder = MemcachedClient::builder().source(Told(told.clone())).checksum_key("tests").placement(placement);
    let client = builder.deadline(secs(20)).build().unwrap();
    let keys: Vec<u32> = (0..KEYS).collect();
    let found = || -> BTreeSet<u32> {
        let values = client.get_multi::<u32>(&keys).wait().unwrap();
        keys.iter().zip(values).filter(|(key, value)| *value == Some(**key)).map(|(key, _)| *key).collect()
    };
    client.put_multi(&keys.iter().map(|key| (*key, *key)).collect::<Vec<_>>(), HOUR).wait().unwrap();
    let held: Vec<usize> = servers.iter().map(items).collect();
    println!("{placement:?}: {held:?} of {KEYS} keys on the three servers");
    assert_eq!((found().len(), held.iter().sum::<usize>()), (KEYS as usize, KEYS as usize));
    assert!(held.iter().all(|held| (120..=290).contains(held)), "{held:?}");

    told.set(all[..2].to_vec());
    eventually("the list is followed", || client.stats().reloads == 1);
    let left = found();
    assert_eq!(left.len(), held[0] + held[1], "the keys of the two that stay are where they were");
    // With its server back in the list, each key is where it was, and the new place is not asked.
    client.put_multi(&keys.iter().map(|key| (*key, *key)).collect::<Vec<_>>(), HOUR).wait().unwrap();
    assert_eq!((found().len(), items(&servers[2])), (KEYS as usize, held[2]));
    told.set(all.iter().rev().cloned().collect());
    eventually("the list is followed", || client.stats().reloads == 2);
    assert_eq!(found().len(), KEYS as usize);
}

#[test]
fn when_a_server_goes_only_its_keys_move() {
    only_its_keys_move(Placement::default());
    only_its_keys_move(Placement::Ketama);
}

#[test]
fn without_a_server_reads_miss_and_writes_are_dropped() {
    let servers = servers(2);
    let (lenient, strict) = (client(&servers), builder(&servers).strict().build().unwrap());
    lenient.put(&1, 1, HOUR).wait().unwrap();
    servers.iter().for_each(MemcachedServer::kill);
    assert_eq!(lenient.get::<i32>(&1).wait().unwrap(), None);
    assert_eq!(lenient.get_multi::<i32>(&[1, 2]).wait().unwrap(), [None, None]);
    assert!(lenient.get_ttl::<i32>(&1).wait().unwrap().is_none() && !lenient.contains(&1).wait().unwrap());
    lenient.put(&1, 2, HOUR).wait().unwrap();
    lenient.put_multi(&[(1, 2), (2, 3)], HOUR).wait().unwrap();
    assert!(!lenient.add(&3, 3, HOUR).wait().unwrap() && !lenient.delete(&1).wait().unwrap());
    assert!(!lenient.expire(&1).wait().unwrap() && !lenient.renew(&1, HOUR).wait().unwrap());
    assert_eq!((lenient.usage().wait().unwrap(), lenient.capacity().wait().unwrap()), (vec![0], vec![0]));
    let stats = lenient.stats();
    assert!(stats.unserved_reads >= 4 && stats.lost_writes >= 4 && stats.outages == 2, "{stats:?}");

    let is_refused = |result: chorde_core::Result<()>| {
        let kind = result.unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::NoServers), "{kind:?}");
    };
    is_refused(strict.get::<i32>(&1).wait().map(drop));
    is_refused(strict.get_multi::<i32>(&[1, 2]).wait().map(drop));
    is_refused(strict.contains(&1).wait().map(drop));
    is_refused(strict.put(&1, 2, HOUR).wait());
    is_refused(strict.put_multi(&[(1, 2), (2, 3)], HOUR).wait());
    is_refused(strict.add(&1, 2, HOUR).wait().map(drop));
    is_refused(strict.delete(&1).wait().map(drop));
    is_refused(strict.expire(&1).wait().map(drop));
    is_refused(strict.renew(&1, HOUR).wait().map(drop));
    is_refused(strict.usage().wait().map(drop));
    is_refused(strict.clear().wait());
}

fn of_all_who_add_a_key_one_does(transport: Transport) {
    let servers = servers(1);
    let clients: Vec<_> = (0..5).map(|_| builder(&servers).transport(transport).build().unwrap()).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 0..6_u64 {
        // Absent, stale, and being computed.
        if round % 3 == 1 {
            clients[0].put(&round, 100, HOUR).wait().unwrap();
            assert!(clients[0].expire(&round).wait().unwrap());
        }
        let claimed = (round % 3 == 2).then(|| key(&format!("claimed {round}")));
        if let Some(key) = &claimed {
            assert!(claim(&clients[0], key).is_won());
        }
        let added = runtime.block_on(async {
            let add = |number: usize| {
                let (client, claimed) = (clients[number % 5].clone(), claimed.clone());
                tokio::spawn(async move {
                    match claimed {
                        Some(key) => client.add(&key, format!("value {number}"), HOUR).await,
                        None => client.add(&round, number, HOUR).await,
                    }
                })
            };
            let tasks: Vec<_> = (0..50).map(add).collect();
            let mut winners = Vec::new();
            for (number, task) in tasks.into_iter().enumerate() {
                if task.await.unwrap().unwrap() {
                    winners.push(number);
                }
            }
            winners
        });
        let [winner] = added[..] else { panic!("round {round}: {added:?} have added") };
        for client in &clients {
            match &claimed {
                Some(key) => assert_eq!(real::get(client, key), Some(format!("value {winner}"))),
                None => assert_eq!(client.get(&round).wait().unwrap(), Some(winner)),
            }
        }
    }
}

#[test]
fn capacity_and_usage_add_the_servers_up() {
    let sizes = [8, 16, 64];
    let servers = sizes
        .map(|megabytes| MemcachedServer::builder().args(["-m".to_owned(), format!("{megabytes}")]).start().unwrap());
    let client = client(&servers);
    assert_eq!(client.capacity().wait().unwrap(), [(8 + 16 + 64) << 20]);
    assert_eq!(client.usage().wait().unwrap(), [0]);
    let value = "x".repeat(1_000);
    client.put_multi(&(0..100).map(|key| (key, value.clone())).collect::<Vec<_>>(), HOUR).wait().unwrap();
    let used = client.usage().wait().unwrap()[0];
    assert!(used > 0 && used == servers.iter().map(|server| stat(server, "bytes")).sum::<u64>());
    servers[2].kill();
    // The first who asks it finds out.
    eventually("it is out of use", || client.capacity().wait().is_ok_and(|sum| sum == [(8 + 16) << 20]));
}

fn stat(server: &MemcachedServer, name: &str) -> u64 {
    server.stats().unwrap()[name].parse().unwrap()
}

fn many_keys_are_written_and_read_on_all_servers(transport: Transport) {
    let servers = servers(3);
    let [one, other] = [(); 2].map(|()| builder(&servers).transport(transport).build().unwrap());
    let entries: Vec<(u32, String)> = (0..300).map(|key| (key, format!("value {key}"))).collect();
    one.put_multi(&entries, HOUR).wait().unwrap();
    assert!(servers.iter().all(|server| items(server) > 50));
    // Keys that are there, that are not, and twice the same, in any order.
    let asked: Vec<u32> = (0..600).rev().chain([7, 7]).collect();
    let found = other.get_multi::<String>(&asked).wait().unwrap();
    for (key, found) in asked.iter().zip(&found) {
        assert_eq!(*found, (*key < 300).then(|| format!("value {key}")));
    }
    let stats = other.stats();
    assert_eq!((stats.hits, stats.misses), (302, 300));
    let entries = other.get_ttl_multi::<String>(&asked[..400]).wait().unwrap();
    assert_eq!(entries.iter().flatten().filter(|entry| !entry.is_stale()).count(), 100);
    assert_eq!(other.get_multi::<String>(&[0_u32; 0]).wait().unwrap(), Vec::<Option<String>>::new());
    other.put_multi(&Vec::<(u32, String)>::new(), HOUR).wait().unwrap();
    // Small and large ones, stale ones among them.
    let large = "large ".repeat(600_000);
    let mixed = [(1_000, "small".to_owned()), (1_001, large.clone()), (1_002, String::new())];
    one.put_multi(&mixed, HOUR).wait().unwrap();
    assert!(one.expire(&1_000).wait().unwrap());
    let found = other.get_multi::<String>(&[1_000, 1_001, 1_002]).wait().unwrap();
    assert!(found[0].is_none() && found[1].as_ref() == Some(&large) && found[2].as_deref() == Some(""));
    // All is gone at once, on all of them.
    other.clear().wait().unwrap();
    assert!(one.get_multi::<String>(&asked).wait().unwrap().iter().all(Option::is_none));
}

#[test]
fn a_multi_get_tells_what_the_servers_that_are_there_have() {
    let servers = servers(3);
    let [lenient, strict] = [builder(&servers), builder(&servers).strict()].map(|builder| builder.build().unwrap());
    let keys: Vec<u32> = (0..90).collect();
    lenient.put_multi(&keys.iter().map(|key| (*key, *key)).collect::<Vec<_>>(), HOUR).wait().unwrap();
    let held = items(&servers[1]);
    servers[1].kill();
    let count = || lenient.get_multi::<u32>(&keys).wait().unwrap().iter().flatten().count();
    assert_eq!(count(), 90 - held);
    assert_eq!(count(), 90 - held);
    // Once it is known to be out of use, others stand in for it, which is no failure.
    eventually("it is out of use", || strict.get_multi::<u32>(&keys).wait().is_ok());
    let missing: Vec<(u32, u32)> = keys.iter().map(|key| (*key, *key)).collect();
    lenient.put_multi(&missing, HOUR).wait().unwrap();
    assert_eq!(count(), 90);
}

#[test]
fn servers_may_be_named_in_all_ways() {
    let (tcp, unix) = (MemcachedServer::start().unwrap(), MemcachedServer::start_unix().unwrap());
    let port = tcp.address().rsplit(':').next().unwrap().to_owned();
    let endpoints = [format!("localhost:{port}"), unix.address()];
    let by_name =
        MemcachedClient::builder().servers(endpoints).checksum_key("tests").deadline(secs(20)).build().unwrap();
    let endpoints = vec![tcp.address().parse().unwrap(), unix.address().parse().unwrap()];
    let by_source = MemcachedClient::builder().source(StaticServers::new(endpoints).unwrap()).checksum_key("tests");
    let by_source = by_source.deadline(secs(20)).build().unwrap();
    for client in [by_name, by_source] {
        for key in 0..40 {
            client.put(&key, key, HOUR).wait().unwrap();
            assert_eq!(client.get(&key).wait().unwrap(), Some(key));
        }
        assert!(items(&tcp) > 0 && items(&unix) > 0);
    }
}

#[test]
fn a_server_of_three_times_the_weight_has_three_times_the_keys() {
    for placement in [Placement::Rendezvous, Placement::Ketama] {
        // Nobody listens there, and nobody has to.
        let builder = MemcachedClient::builder().server("127.0.0.1:1", 3).server("127.0.0.1:2", 1);
        let client = builder.placement(placement).checksum_key("tests").build().unwrap();
        let heavy = (0..4000_u32).filter(|key| client.server_for(key).wait().unwrap().unwrap() == "127.0.0.1:1");
        let share = heavy.count() as f64 / 4000.0;
        // A ring has its points where they fall.
        let tolerance = if placement == Placement::Ketama { 0.1 } else { 0.03 };
        assert!((share - 0.75).abs() < tolerance, "{placement:?}: {share}");
    }
}
