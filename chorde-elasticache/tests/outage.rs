//! An hour without the endpoint, without its name, with nonsense, with older versions, and a hundred changes in a row: the
//! last known nodes are used, and nothing is left behind. One test alone, since it counts what the whole process holds.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use chorde_core::ManualClock;
use chorde_elasticache::testing::{FakeCluster, Told};
use chorde_memcache::testing::alive_tasks;
use support::names::Names;
use support::{KEYS, Rig, client_of, passing};

/// Polls in an hour, where they are as far apart as they may be.
const HOUR: u64 = 55;

const HOST: &str = "my-cluster.test";

/// Returns how many tasks chorde's own thread has, and how many sockets the process.
fn held() -> (usize, usize) {
    let links =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    (alive_tasks(), links.filter(|link| link.to_string_lossy().starts_with("socket:")).count())
}

fn rig(names: &Names) -> Rig {
    let (cluster, clock) = (FakeCluster::builder().nodes(4).silent_nodes().start().unwrap(), ManualClock::new());
    let endpoint = cluster.endpoint().replace("127.0.0.1", HOST);
    names.answers(HOST, &["127.0.0.1"]);
    let client = client_of(&endpoint, &clock, |builder| builder.resolver(names.clone()));
    let rig = Rig { client, cluster, clock };
    rig.knows_the_cluster();
    // So that there are older versions.
    rig.cluster.add().unwrap();
    rig.poll(1);
    rig
}

/// Checks that the cluster is used as it was, with no more than it took before.
fn is_unchanged(rig: &Rig, what: &str, before: (usize, usize)) {
    rig.follows();
    assert_eq!(rig.held(), KEYS, "{what}");
    passing(&rig.clock, "what was used for polls is given back", || rig.cluster.open() == 0 && held() == before);
}

/// The text of a configuration of some of the nodes.
fn text(rig: &Rig, version: u64, is_in: impl Fn(usize) -> bool) -> String {
    let (_, list) =
        rig.cluster.text().split_once('\n').map(|(version, list)| (version.to_owned(), list.to_owned())).unwrap();
    let nodes: Vec<_> =
        list.split_whitespace().enumerate().filter(|(place, _)| is_in(*place)).map(|(_, node)| node).collect();
    format!("{version}\n{}\n", nodes.join(" "))
}

#[test]
fn whatever_becomes_of_the_endpoint_the_last_known_nodes_are_used_and_nothing_is_left_behind() {
    let names = Names::default();
    let rig = rig(&names);
    rig.put_all();
    passing(&rig.clock, "the poll is over", || rig.cluster.open() == 0);
    let before = held();

    rig.cluster.stop_endpoint().unwrap();
    let failed = rig.client.discovery().failed_polls;
    assert_eq!(rig.poll(HOUR).failed_polls, failed + HOUR);
    let (tasks, sockets) = before;
    // The endpoint's own socket is gone.
    is_unchanged(&rig, "an hour without the endpoint", (tasks, sockets - 1));
    rig.cluster.start_endpoint().unwrap();

    names.fails(HOST);
    rig.poll(HOUR);
    is_unchanged(&rig, "an hour without its name", before);
    names.answers(HOST, &["127.0.0.1"]);

    rig.cluster.pause();
    rig.poll(3);
    rig.cluster.resume();
    is_unchanged(&rig, "no answers", before);

    let malformed = rig.client.discovery().malformed;
    for lie in [Told::Garbage(vec![b'x'; 4096]), Told::Cut, Told::Text("\n".into()), Told::Unknown, Told::Nothing] {
        rig.cluster.say(lie);
        rig.poll(HOUR / 5);
    }
    assert!(rig.client.discovery().malformed > malformed);
    is_unchanged(&rig, "an hour of nonsense", before);

    rig.cluster.say(Told::Truth);
    for _ in 0..HOUR / 3 {
        rig.cluster.say_next([Told::Version(0), Told::Version(1)]);
        rig.poll(3);
    }
    assert_eq!((rig.client.discovery().version, rig.client.discovery().applied), (Some(2), 2));
    is_unchanged(&rig, "an hour of older versions", before);

    for change in 1..=100_u64 {
        let first = (change % 5) as usize;
        let lie = text(&rig, 2 + change, |place| place != first && (change % 7 > 0 || place != (first + 1) % 5));
        let count = lie.split('|').count() / 2;
        rig.cluster.say(Told::Text(lie));
        let known = rig.poll(1);
        assert_eq!(known.version, Some(2 + change));
        passing(&rig.clock, "the change is in use", || rig.client.servers().len() == count);
        assert!(rig.held() <= KEYS);
        rig.put_all();
        assert_eq!(rig.held(), KEYS);
    }
    rig.cluster.say(Told::Text(text(&rig, 200, |_| true)));
    rig.poll(1);
    rig.put_all();
    is_unchanged(&rig, "a hundred changes", before);

    drop(rig.client);
    let clock = rig.clock;
    passing(&clock, "the client leaves nothing", || rig.cluster.open() == 0 && alive_tasks() == 0);
}
