//! Whatever the endpoint is, and whether it is there when a client is made: the client is made, and heals by itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use chorde_core::{CacheExt, ManualClock, Wait};
use chorde_elasticache::testing::{FakeCluster, Told};
use chorde_elasticache::{ElastiCacheClient, EndpointKind};
use chorde_memcache::testing::MemcachedServer;
use support::names::Names;
use support::{KEYS, LONG, Rig, client_of, passing};

fn port(address: &str) -> &str {
    address.rsplit(':').next().unwrap()
}

/// Asks for a key while nothing is known: waits up to the deadline, by a clock that the test moves.
fn is_missed(client: &ElastiCacheClient, clock: &ManualClock) -> bool {
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| client.get::<u64>(&0).wait().unwrap());
        passing(clock, "the deadline", || asking.is_finished());
        asking.join().unwrap().is_none()
    })
}

#[test]
fn an_endpoint_that_is_down_at_the_start_means_misses_until_it_is_up() {
    let (cluster, clock) = (FakeCluster::start(2).unwrap(), ManualClock::new());
    cluster.stop_endpoint().unwrap();
    let short = std::time::Duration::from_millis(500);
    let client = client_of(&cluster.endpoint(), &clock, |builder| builder.deadline(short));
    assert!(is_missed(&client, &clock));
    passing(&clock, "some polls fail", || client.discovery().failed_polls >= 3);
    client.put(&0_u64, 1_u64, LONG).wait().unwrap();
    assert_eq!(client.get::<u64>(&0).wait().unwrap(), None);
    assert!(client.servers().is_empty() && client.stats().unserved_reads >= 2 && client.stats().lost_writes == 1);
    assert_eq!(client.discovery().kind, EndpointKind::Auto);

    cluster.start_endpoint().unwrap();
    passing(&clock, "the nodes are found", || client.servers().len() == 2);
    assert_eq!(client.discovery().version, Some(1));
}

#[test]
fn an_endpoint_that_says_nothing_holds_up_nobody() {
    let (cluster, clock) = (FakeCluster::start(2).unwrap(), ManualClock::new());
    cluster.pause();
    let short = std::time::Duration::from_millis(500);
    let client = client_of(&cluster.endpoint(), &clock, |builder| builder.deadline(short));
    assert!(is_missed(&client, &clock));
    assert_eq!(client.get::<u64>(&0).wait().unwrap(), None, "at once: the clock stands still");
    passing(&clock, "a poll fails", || client.discovery().failed_polls >= 1);
    cluster.resume();
    passing(&clock, "the nodes are found", || client.servers().len() == 2);
}

#[test]
fn the_fallback_list_serves_until_the_cluster_is_heard_of_and_then_no_key_moves() {
    let (cluster, clock, names) =
        (FakeCluster::builder().nodes(3).silent_nodes().start().unwrap(), ManualClock::new(), Names::default());
    cluster.stop_endpoint().unwrap();
    for node in cluster.nodes() {
        names.answers(node.split(':').next().unwrap(), &["127.0.0.1"]);
    }
    let client =
        client_of(&cluster.endpoint(), &clock, |builder| builder.fallback(cluster.nodes()).resolver(names.clone()));
    passing(&clock, "the fallback list is used", || client.servers().len() == 3);
    let rig = Rig { client, cluster, clock };
    rig.put_all();
    let places = rig.places();
    assert_eq!((rig.held(), rig.client.discovery().on_fallback, rig.client.discovery().version), (KEYS, true, None));

    rig.cluster.start_endpoint().unwrap();
    rig.until("the cluster is heard of", |known| known.version == Some(1));
    assert_eq!((rig.places(), rig.held(), rig.client.discovery().on_fallback), (places, KEYS, false));
}

#[test]
fn a_node_of_the_fallback_list_tells_of_the_others_though_the_endpoint_never_does() {
    let (cluster, clock, names) = (FakeCluster::start(3).unwrap(), ManualClock::new(), Names::default());
    cluster.stop_endpoint().unwrap();
    let one = cluster.nodes()[1].clone();
    names.answers(one.split(':').next().unwrap(), &["127.0.0.1"]);
    let client = client_of(&cluster.endpoint(), &clock, |builder| builder.fallback([&one]).resolver(names.clone()));
    passing(&clock, "all nodes are known", || client.servers().len() == 3);
    assert_eq!((client.discovery().version, client.discovery().on_fallback), (Some(1), false));
}

#[test]
fn a_memcached_that_knows_of_no_cluster_is_used_by_itself() {
    let (server, clock) = (MemcachedServer::start().unwrap(), ManualClock::new());
    let client = client_of(&server.address(), &clock, |builder| builder);
    client.put("key", 1_u64, LONG).wait().unwrap();
    assert_eq!(client.get::<u64>("key").wait().unwrap(), Some(1));
    let names: Vec<_> = client.servers().into_iter().map(|server| server.name).collect();
    assert_eq!((names, client.discovery().kind), (vec![server.address()], EndpointKind::Node));
    assert_eq!(client.discovery().failed_polls, 0);
}

#[test]
fn a_node_of_a_cluster_leads_to_the_others() {
    let (cluster, clock, names) = (FakeCluster::start(3).unwrap(), ManualClock::new(), Names::default());
    let node = cluster.nodes()[0].clone();
    names.answers(node.split(':').next().unwrap(), &["127.0.0.1"]);
    let client = client_of(&node, &clock, |builder| builder.resolver(names.clone()));
    client.put("key", 1_u64, LONG).wait().unwrap();
    assert_eq!((client.servers().len(), client.discovery().kind), (3, EndpointKind::Configuration));
    // Unless it is said to be all there is.
    let alone = client_of(&node, &clock, |builder| builder.resolver(names.clone()).endpoint_kind(EndpointKind::Node));
    assert_eq!(alone.get::<u64>("absent").wait().unwrap(), None);
    assert_eq!((alone.servers().len(), alone.discovery().polls), (1, 0));
}

#[test]
fn what_is_said_to_be_a_configuration_endpoint_is_never_taken_for_a_node() {
    let (cluster, clock) = (FakeCluster::start(2).unwrap(), ManualClock::new());
    cluster.say(Told::Unknown);
    let kind = EndpointKind::Configuration;
    let client = client_of(&cluster.endpoint(), &clock, |builder| builder.endpoint_kind(kind));
    passing(&clock, "two polls fail", || client.discovery().failed_polls >= 2);
    assert!(client.servers().is_empty());
    cluster.say(Told::Truth);
    passing(&clock, "the nodes are found", || client.servers().len() == 2);
    assert_eq!(client.discovery().kind, kind);
}

#[test]
fn the_endpoint_is_looked_up_for_each_poll_and_its_last_address_stays_while_that_fails() {
    let (cluster, clock, names) =
        (FakeCluster::builder().nodes(2).silent_nodes().start().unwrap(), ManualClock::new(), Names::default());
    let endpoint = format!("my-cluster.test:{}", port(&cluster.endpoint()));
    names.fails("my-cluster.test");
    let client = client_of(&endpoint, &clock, |builder| builder.resolver(names.clone()));
    passing(&clock, "some polls fail", || client.discovery().failed_polls >= 2);
    names.answers("my-cluster.test", &["127.0.0.1"]);
    passing(&clock, "the nodes are found", || client.servers().len() == 2);
    let rig = Rig { client, cluster, clock };
    for lost in [true, false] {
        if lost {
            names.fails("my-cluster.test");
        } else {
            names.answers("my-cluster.test", &[]);
        }
        let (asked, version) = (names.asked("my-cluster.test"), rig.cluster.version());
        rig.cluster.add().unwrap();
        rig.until("the change is heard of", |known| known.version == Some(version + 1));
        assert!(names.asked("my-cluster.test") > asked);
        rig.follows();
    }
}

#[test]
fn nodes_without_an_address_are_looked_up_and_followed() {
    let names = Names::default();
    let cluster = FakeCluster::builder().nodes(2).silent_nodes();
    let rig = Rig::of(cluster, |builder| builder.resolver(names.clone()));
    rig.knows_the_cluster();
    let nodes = rig.cluster.nodes();
    let told: Vec<_> =
        ["a", "b"].iter().zip(&nodes).map(|(host, node)| format!("{host}.test||{}", port(node))).collect();
    let renamed = ["a", "b"].iter().zip(&nodes).map(|(host, node)| format!("{host}.test:{}", port(node))).collect();
    // Without the address of one, the other is used.
    names.answers("a.test", &["127.0.0.1"]);
    rig.cluster.say(Told::Text(format!("2\n{}\n", told.join(" "))));
    rig.poll(1);
    passing(&rig.clock, "one node is used", || rig.names().len() == 1);
    names.answers("b.test", &["127.0.0.1"]);
    passing(&rig.clock, "both are used", || rig.names() == renamed);
    rig.put_all();
    names.fails("a.test");
    names.answers("b.test", &[]);
    rig.poll(2);
    assert_eq!((rig.names(), rig.held()), (renamed, KEYS), "the last known addresses stay");
}

#[test]
fn settings_that_cannot_work_are_named_with_the_mend() {
    let builder = || ElastiCacheClient::builder().checksum_key("tests");
    let wrong = |builder: chorde_elasticache::ElastiCacheBuilder| builder.build().unwrap_err().to_string();
    for (error, parts) in [
        (wrong(builder()), ["no `endpoint`", "configuration endpoint"]),
        (wrong(builder().endpoint("http://a.cfg.use1.cache.amazonaws.com:11211")), ["endpoint: ", "write host:port"]),
        (wrong(builder().endpoint("a").fallback(["b:x"])), ["fallback: ", "no number"]),
        (wrong(builder().endpoint("a").poll_interval(std::time::Duration::ZERO)), ["poll_interval", "60 s"]),
        (wrong(ElastiCacheClient::builder().endpoint("a")), ["checksum_key", "secret"]),
        (wrong(builder().endpoint("a").max_waiting(0)), ["max_waiting", "thousands"]),
    ] {
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}
