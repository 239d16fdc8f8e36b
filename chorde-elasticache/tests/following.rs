//! The nodes of a cluster are found and followed, and nothing that cannot be believed changes them.

mod support;

use chorde_core::{CacheExt, Wait};
use chorde_elasticache::EndpointKind;
use chorde_elasticache::testing::{FakeCluster, Told};
use support::{KEYS, LONG, Rig};

/// Counts the keys that have another place than before.
fn moved(before: &[String], now: &[String]) -> u64 {
    before.iter().zip(now).filter(|(before, now)| before != now).count() as u64
}

#[test]
fn the_first_call_waits_for_the_nodes_and_uses_them_all() {
    let rig = Rig::new(3);
    assert_eq!(rig.client.get::<u64>(&0).wait().unwrap(), None);
    rig.follows();
    rig.put_all();
    assert_eq!(rig.held(), KEYS);
    for name in rig.cluster.nodes() {
        let items: u64 = rig.cluster.server(&name).unwrap().stats().unwrap()["curr_items"].parse().unwrap();
        assert!(items > KEYS / 6, "{name} has {items} items");
    }
    let known = rig.client.discovery();
    assert_eq!((known.kind, known.version, known.applied), (EndpointKind::Configuration, Some(1), 1));
    assert_eq!((known.failed_polls, known.malformed, known.doubted), (0, 0, 0));
}

#[test]
fn nothing_that_cannot_be_believed_changes_the_nodes() {
    let cluster = FakeCluster::builder().nodes(3).silent_nodes();
    let rig = Rig::of(cluster, |builder| builder);
    rig.knows_the_cluster();
    // As if it had been changed twice.
    rig.cluster.say(Told::Version(3));
    rig.poll(1);
    rig.put_all();
    let (nodes, places) = (rig.names(), rig.places());
    let lies = [
        Told::Unknown,
        Told::Nothing,
        Told::Cut,
        Told::Garbage(b"\r\n\r\nEND\r\n".to_vec()),
        Told::Garbage(vec![0xff; 5000]),
        Told::Garbage(b"CONFIG cluster 0 99999999999\r\n".to_vec()),
        Told::Garbage(b"SERVER_ERROR out of memory\r\n".to_vec()),
        Told::Text("4\n\n".into()),
        Told::Text("5\na|10.0.0.1|11211 b|10.0.0.2\n".into()),
        Told::Text("six\na|10.0.0.1|11211\n".into()),
        Told::Text("7\na|10.0.0.1|0\n".into()),
    ];
    for lie in lies {
        rig.cluster.say(lie.clone());
        let failed = rig.client.discovery().failed_polls;
        let known = rig.poll(1);
        assert!(known.failed_polls > failed, "{lie:?} is taken for an answer");
        assert_eq!((known.version, known.applied), (Some(3), 2), "{lie:?}");
        assert_eq!((rig.names(), rig.places(), rig.held()), (nodes.clone(), places.clone(), KEYS), "{lie:?}");
    }
    assert!(rig.client.discovery().malformed > 0);

    // An older version, said once or twice, is no more than a doubt.
    rig.cluster.say_next([Told::Version(2), Told::Version(1)]);
    rig.cluster.say(Told::Version(3));
    let known = rig.poll(3);
    assert_eq!((known.version, known.applied), (Some(3), 2));
    assert_eq!((rig.names(), rig.held()), (nodes, KEYS));
}

#[test]
fn a_node_that_is_added_takes_its_share_and_no_other_key_moves() {
    let rig = Rig::settled(3);
    rig.put_all();
    // So many that their spread is small beside the bounds.
    let before = rig.places_of(10 * KEYS);
    let added = rig.cluster.add().unwrap();
    let known = rig.poll(1);
    rig.follows();
    assert_eq!(known.version, Some(2));
    let now = rig.places_of(10 * KEYS);
    let share = moved(&before, &now) as f64 / now.len() as f64;
    assert!((0.22..0.28).contains(&share), "{share} of the keys moved");
    let elsewhere = before.iter().zip(&now).filter(|(before, now)| before != now && **now != added);
    assert_eq!(elsewhere.count(), 0, "keys moved between the old nodes");
    let stored = KEYS as usize;
    assert_eq!(rig.held(), KEYS - moved(&before[..stored], &now[..stored]), "what has not moved is there");
    rig.put_all();
    assert_eq!(rig.held(), KEYS);
}

#[test]
fn a_node_that_is_removed_gives_its_keys_to_the_others_and_ends_its_connections() {
    let rig = Rig::settled(4);
    rig.put_all();
    let before = rig.places();
    let name = rig.cluster.nodes()[1].clone();
    let server = rig.cluster.remove(&name).unwrap();
    // It may be the one that is asked first, and it has not heard that it is out.
    rig.poll(2);
    rig.follows();
    let now = rig.places();
    assert!(!now.contains(&name));
    let others = before.iter().zip(&now).filter(|(before, now)| before != now && **before != name);
    assert_eq!(others.count(), 0, "keys of the other nodes moved");
    assert_eq!(rig.held(), before.iter().filter(|place| **place != name).count() as u64);
    // The one that asks is the only one left.
    let connections = || server.stats().unwrap()["curr_connections"].parse::<u64>().unwrap();
    let idle = FakeCluster::start(1).unwrap();
    let none = idle.server(&idle.nodes()[0]).unwrap().stats().unwrap()["curr_connections"].parse::<u64>().unwrap();
    support::passing(&rig.clock, "its connections end", || connections() <= none);
    assert_eq!(rig.client.stats().failures, 0);
}

#[test]
fn a_node_that_is_replaced_keeps_the_places_of_its_keys() {
    let rig = Rig::settled(3);
    rig.put_all();
    let before = rig.places();
    let name = rig.cluster.nodes()[2].clone();
    let address = |rig: &Rig| rig.client.servers().into_iter().find(|server| server.name == name).unwrap().address;
    let old = address(&rig);
    rig.cluster.replace(&name).unwrap();
    rig.poll(1);
    rig.follows();
    assert_eq!(rig.client.discovery().version, Some(2));
    assert_eq!(rig.cluster.ips_can_change(), address(&rig) != old);
    // Where the address stays, the connection to the old one has to be found out first.
    support::passing(&rig.clock, "it is in use", || {
        rig.put_all();
        // While it is out of use, others have its keys.
        rig.places() == before && rig.held() == KEYS
    });
    let items: u64 = rig.cluster.server(&name).unwrap().stats().unwrap()["curr_items"].parse().unwrap();
    assert!(items > KEYS / 6, "the new one holds {items} items");
}

#[test]
fn a_cluster_that_is_made_anew_is_believed_once_it_has_said_so_three_times() {
    let rig = Rig::settled(3);
    rig.cluster.add().unwrap();
    rig.poll(1);
    rig.put_all();
    rig.cluster.recreate(2).unwrap();
    rig.until("the new cluster is known", |known| known.version == Some(1));
    rig.follows();
    assert!(rig.client.discovery().doubted >= 2);
    rig.put_all();
    assert_eq!(rig.held(), KEYS);
}

#[test]
fn the_nodes_tell_of_changes_while_the_endpoint_is_down() {
    let rig = Rig::settled(2);
    rig.cluster.stop_endpoint().unwrap();
    rig.cluster.add().unwrap();
    let known = rig.poll(1);
    rig.follows();
    assert_eq!(known.version, Some(2));
    // One that has not heard of the next change does not hold it up.
    let nodes = rig.cluster.nodes();
    rig.cluster.add().unwrap();
    for name in &nodes[1..] {
        rig.cluster.set_told_by(name, "1\nother.cache.test|127.0.0.1|1\n").unwrap();
    }
    rig.until("the change is heard of", |known| known.version == Some(3));
    rig.follows();
    assert!(rig.client.discovery().doubted > 0 || rig.client.discovery().failed_polls == 0);
}

#[test]
fn the_endpoint_is_asked_where_the_nodes_have_forgotten() {
    let rig = Rig::settled(2);
    // A client without a namespace that clears empties the servers.
    rig.client.clear().wait().unwrap();
    rig.cluster.add().unwrap();
    for name in rig.cluster.nodes() {
        rig.cluster.forget_on(&name).unwrap();
    }
    let known = rig.poll(1);
    rig.follows();
    assert_eq!((known.version, known.failed_polls), (Some(2), 0));
}

#[test]
fn all_nodes_are_asked_in_turn() {
    let rig = Rig::settled(3);
    let asked = || -> Vec<u64> {
        let gets = |name: &String| rig.cluster.server(name).unwrap().stats().unwrap()["cmd_get"].parse().unwrap();
        rig.cluster.nodes().iter().map(gets).collect()
    };
    let (before, polls) = (asked(), rig.cluster.polls());
    rig.poll(9);
    let more: Vec<_> = asked().iter().zip(before).map(|(now, before)| now - before).collect();
    assert!(more.iter().all(|&more| more >= 2), "{more:?}");
    assert_eq!(rig.cluster.polls(), polls, "the endpoint is not asked while they answer");
}

#[test]
fn both_forms_of_the_question_are_known() {
    let rig = Rig::of(FakeCluster::builder().nodes(2).legacy().silent_nodes(), |builder| builder);
    rig.knows_the_cluster();
    rig.cluster.add().unwrap();
    let known = rig.poll(1);
    rig.follows();
    assert_eq!(known.version, Some(2));
}

#[test]
fn names_share_one_cluster_without_seeing_one_another() {
    let rig = Rig::settled(2);
    let named = |namespace: &str| {
        support::client_of(&rig.cluster.endpoint(), &rig.clock, |builder| builder.namespace(namespace))
    };
    let (a, b) = (named("a"), named("b"));
    for (client, value) in [(&a, 1_u64), (&b, 2), (&rig.client, 3)] {
        client.put("key", value, LONG).wait().unwrap();
    }
    let seen = || [&a, &b, &rig.client].map(|client| client.get::<u64>("key").wait().unwrap());
    assert_eq!(seen(), [Some(1), Some(2), Some(3)]);
    a.clear().wait().unwrap();
    assert_eq!(seen(), [None, Some(2), Some(3)]);
}
