//! What the cluster for tests does, seen through plain connections.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use chorde_elasticache::testing::{FakeCluster, Told};

/// Long enough for a machine that is busy elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

const COMMAND: &str = "config get cluster\r\n";
const KEY: &str = "get AmazonElastiCache:cluster\r\n";

struct Client(BufReader<TcpStream>);

impl Client {
    fn at(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Sends and reads one line.
    fn ask(&mut self, text: &str) -> String {
        self.send(text);
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// All up to the end of the connection.
    fn rest(&mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }
}

/// All that is answered to `question` over a connection of its own.
fn ask(address: &str, question: &str) -> String {
    let mut client = Client::at(address);
    client.send(&format!("{question}quit\r\n"));
    client.rest()
}

/// What the endpoint answers to the command.
fn told(cluster: &FakeCluster) -> String {
    ask(&cluster.endpoint(), COMMAND)
}

/// What a node answers for the key.
fn told_by(cluster: &FakeCluster, name: &str) -> String {
    ask(&cluster.server(name).unwrap().address(), KEY)
}

fn as_command(text: &str) -> String {
    format!("CONFIG cluster 0 {}\r\n{text}\r\nEND\r\n", text.len())
}

fn as_value(text: &str) -> String {
    format!("VALUE AmazonElastiCache:cluster 0 {}\r\n{text}\r\nEND\r\n", text.len())
}

fn port(name: &str) -> &str {
    name.rsplit(':').next().unwrap()
}

/// Waits for what comes about by itself.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn the_endpoint_answers_the_command() {
    let cluster = FakeCluster::start(2).unwrap();
    let nodes = cluster.nodes();
    let (one, two) = (port(&nodes[0]), port(&nodes[1]));
    assert_eq!(nodes, [format!("fake.0001.cache.test:{one}"), format!("fake.0002.cache.test:{two}")]);
    let text = format!("1\nfake.0001.cache.test|127.0.0.1|{one} fake.0002.cache.test|127.0.0.1|{two}\n");
    assert_eq!((cluster.version(), cluster.text()), (1, text.clone()));
    assert_eq!(told(&cluster), as_command(&text));

    let mut client = Client::at(&cluster.endpoint());
    assert!(client.ask("version\r\n").starts_with("VERSION 1."));
    assert_eq!([client.ask(KEY), client.ask("get a\r\n")], ["END\r\n", "END\r\n"]);
    assert_eq!([client.ask("mn\r\n"), client.ask("config get\r\n")], ["MN\r\n", "ERROR\r\n"]);
}

#[test]
fn an_old_endpoint_knows_the_key_only() {
    let cluster = FakeCluster::builder().nodes(1).legacy().start().unwrap();
    let answers = ask(&cluster.endpoint(), &[COMMAND, KEY].concat());
    assert_eq!(answers, format!("ERROR\r\n{}", as_value(&cluster.text())));
    cluster.say(Told::Version(9));
    assert!(ask(&cluster.endpoint(), KEY).contains("\r\n9\nfake.0001.cache.test|"));
    cluster.say(Told::Garbage(b"VALUE\r\n".to_vec()));
    assert_eq!(ask(&cluster.endpoint(), &[COMMAND, KEY].concat()), "ERROR\r\nVALUE\r\n");
}

#[test]
fn nodes_tell_by_the_key() {
    let cluster = FakeCluster::start(2).unwrap();
    for name in cluster.nodes() {
        assert_eq!(told_by(&cluster, &name), as_value(&cluster.text()));
        let server = cluster.server(&name).unwrap();
        assert_eq!(server.address(), format!("127.0.0.1:{}", port(&name)));
        assert_eq!(server.command(COMMAND.trim_end()).unwrap(), "ERROR\r\n");
    }
}

#[test]
fn each_change_raises_the_version_and_is_told_by_all() {
    let cluster = FakeCluster::start(1).unwrap();
    let seen = |version: u64, nodes: usize| {
        let text = cluster.text();
        assert_eq!((cluster.version(), cluster.nodes().len()), (version, nodes));
        assert!(text.starts_with(&format!("{version}\n")), "{text}");
        assert_eq!(told(&cluster), as_command(&text));
        for name in cluster.nodes() {
            assert_eq!(told_by(&cluster, &name), as_value(&text));
            assert!(text.contains(&format!("|{}", port(&name))), "{text}");
        }
    };
    seen(1, 1);
    let second = cluster.add().unwrap();
    seen(2, 2);
    assert_eq!(cluster.nodes()[1], second);
    cluster.replace(&second).unwrap();
    seen(3, 2);
    assert_eq!(cluster.nodes()[1], second);
    cluster.remove(&second).unwrap();
    seen(4, 1);
    assert!(cluster.server(&second).is_none());
    assert!(cluster.add().unwrap().starts_with("fake.0003.cache.test:"));
    seen(5, 2);
}

#[test]
fn a_replaced_node_keeps_its_name_and_place_and_is_empty() {
    let cluster = FakeCluster::start(2).unwrap();
    let names = cluster.nodes();
    let mut ips = Vec::new();
    for _ in 0..3 {
        let old = cluster.server(&names[0]).unwrap();
        ips.push(old.address().replace(&format!(":{}", port(&names[0])), ""));
        assert_eq!(old.command("set k 0 0 1\r\nx").unwrap(), "STORED\r\n");
        let pid = old.pid();
        cluster.replace(&names[0]).unwrap();
        let new = cluster.server(&names[0]).unwrap();
        assert_ne!(new.pid(), pid);
        assert_eq!(new.command("get k").unwrap(), "END\r\n");
        assert_eq!(cluster.nodes(), names);
        if cluster.ips_can_change() {
            assert_eq!(old.pid(), None);
            assert_eq!(TcpStream::connect(old.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        }
    }
    let expected = if cluster.ips_can_change() { ["127.0.0.1", "[::1]", "127.0.0.1"] } else { ["127.0.0.1"; 3] };
    assert_eq!(ips, expected);
    let ip = if cluster.ips_can_change() { "::1" } else { "127.0.0.1" };
    assert!(told(&cluster).contains(&format!("\r\n4\n{}|{ip}|{}", "fake.0001.cache.test", port(&names[0]))));
}

#[test]
fn without_ips_the_host_is_the_address_and_stays() {
    let cluster = FakeCluster::builder().nodes(1).without_ips().start().unwrap();
    let name = cluster.nodes().remove(0);
    assert!(!cluster.ips_can_change());
    let server = cluster.server(&name).unwrap();
    assert_eq!(server.address(), name);
    server.command("set k 0 0 1\r\nx").unwrap();
    cluster.replace(&name).unwrap();
    assert_eq!(cluster.server(&name).unwrap().command("get k").unwrap(), "END\r\n");
    let text = format!("2\n127.0.0.1||{}\n", port(&name));
    assert_eq!((told(&cluster), told_by(&cluster, &name)), (as_command(&text), as_value(&text)));
}

#[test]
fn a_removed_node_runs_and_tells_of_its_last_cluster_until_it_is_killed() {
    let cluster = FakeCluster::start(3).unwrap();
    let names = cluster.nodes();
    let before = cluster.text();
    let removed = cluster.remove(&names[1]).unwrap();
    assert_eq!(cluster.nodes(), [names[0].clone(), names[2].clone()]);
    assert_eq!(ask(&removed.address(), KEY), as_value(&before));
    let other = cluster.remove(&names[0]).unwrap();
    cluster.kill_removed();
    assert_eq!((removed.pid(), other.pid()), (None, None));
    assert!(cluster.server(&names[2]).unwrap().is_running());
}

#[test]
fn a_cluster_made_anew_has_other_nodes_and_begins_at_version_1() {
    let cluster = FakeCluster::start(2).unwrap();
    let (endpoint, names) = (cluster.endpoint(), cluster.nodes());
    let removed = cluster.remove(&names[0]).unwrap();
    let old = cluster.server(&names[1]).unwrap();
    cluster.recreate(3).unwrap();
    assert_eq!((removed.pid(), old.pid()), (None, None));
    assert_eq!((cluster.endpoint(), cluster.version()), (endpoint, 1));
    assert!(cluster.nodes()[0].starts_with("fake.0001.cache.test:"));
    assert!(cluster.nodes().iter().all(|name| !names.contains(name)));
    assert_eq!(told(&cluster), as_command(&cluster.text()));
    for name in cluster.nodes() {
        assert_eq!(told_by(&cluster, &name), as_value(&cluster.text()));
    }
}

#[test]
fn the_endpoint_says_what_it_is_told_to_say() {
    let cluster = FakeCluster::start(1).unwrap();
    let truth = told(&cluster);
    let said = |told_instead: Told| {
        cluster.say(told_instead);
        told(&cluster)
    };
    assert_eq!(said(Told::Garbage(b"%$?!\r\n".to_vec())), "%$?!\r\n");
    assert_eq!(said(Told::Text("2\na|b\n".into())), as_command("2\na|b\n"));
    assert_eq!(said(Told::Version(77)), as_command(&cluster.text().replacen("1\n", "77\n", 1)));
    assert_eq!(said(Told::Unknown), "ERROR\r\n");
    assert_eq!(said(Told::Nothing), "END\r\n");
    assert_eq!(cluster.version(), 1);
    cluster.say(Told::Cut);
    let mut client = Client::at(&cluster.endpoint());
    client.send(COMMAND);
    assert_eq!(client.rest(), truth[..truth.len() / 2]);
    assert_eq!(said(Told::Truth), truth);
}

#[test]
fn the_next_answers_come_before_what_holds() {
    let cluster = FakeCluster::start(1).unwrap();
    cluster.say(Told::Unknown);
    cluster.say_next([Told::Nothing, Told::Truth]);
    let answers = ask(&cluster.endpoint(), &COMMAND.repeat(3));
    assert_eq!(answers, format!("END\r\n{}ERROR\r\n", as_command(&cluster.text())));
}

#[test]
fn a_paused_endpoint_accepts_and_answers_later_what_holds_then() {
    let cluster = FakeCluster::start(1).unwrap();
    let mut before = Client::at(&cluster.endpoint());
    assert!(before.ask("version\r\n").starts_with("VERSION "));
    cluster.pause();
    let mut during = Client::at(&cluster.endpoint());
    before.send(&format!("{COMMAND}quit\r\n"));
    during.send(&format!("{COMMAND}quit\r\n"));
    cluster.await_polls(2).unwrap();
    during.0.get_ref().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert!(during.0.fill_buf().is_err(), "no answer while it is paused");
    during.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    cluster.add().unwrap();
    cluster.resume();
    let expected = as_command(&cluster.text());
    assert_eq!([before.rest(), during.rest()], [expected.clone(), expected]);
}

#[test]
fn a_paused_endpoint_lets_go_of_clients_that_give_up() {
    let cluster = FakeCluster::start(1).unwrap();
    cluster.pause();
    let mut client = Client::at(&cluster.endpoint());
    client.send(COMMAND);
    cluster.await_polls(1).unwrap();
    assert_eq!((cluster.connections(), cluster.open()), (1, 1));
    drop(client);
    eventually("no connection is open", || cluster.open() == 0);
}

#[test]
fn a_stopped_endpoint_refuses_and_comes_back_at_the_same_port() {
    let cluster = FakeCluster::start(1).unwrap();
    let endpoint = cluster.endpoint();
    let mut client = Client::at(&endpoint);
    client.send(COMMAND);
    let mut answer = vec![0; as_command(&cluster.text()).len()];
    client.0.read_exact(&mut answer).unwrap();
    cluster.stop_endpoint().unwrap();
    assert!(!matches!(client.0.read(&mut [0]), Ok(1)));
    assert_eq!(TcpStream::connect(&endpoint).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(cluster.open(), 0);
    cluster.add().unwrap();
    cluster.start_endpoint().unwrap();
    assert_eq!(ask(&endpoint, COMMAND), as_command(&cluster.text()));
    cluster.await_connections(2).unwrap();
    assert_eq!((cluster.polls(), cluster.connections()), (2, 2));
}

#[test]
fn a_node_is_stale_or_silent_until_it_is_told_the_truth() {
    let cluster = FakeCluster::start(2).unwrap();
    let names = cluster.nodes();
    let old = cluster.text();
    cluster.set_told_by(&names[0], &old).unwrap();
    cluster.forget_on(&names[1]).unwrap();
    cluster.forget_on(&names[1]).unwrap();
    let third = cluster.add().unwrap();
    assert_eq!([told_by(&cluster, &names[0]), told_by(&cluster, &names[1])], [as_value(&old), "END\r\n".into()]);
    assert_eq!(told_by(&cluster, &third), as_value(&cluster.text()));
    for name in &names {
        cluster.tell_truth_on(name).unwrap();
        assert_eq!(told_by(&cluster, name), as_value(&cluster.text()));
    }
    cluster.add().unwrap();
    assert_eq!(told_by(&cluster, &names[0]), as_value(&cluster.text()));
    cluster.forget_on(&names[1]).unwrap();
    cluster.replace(&names[1]).unwrap();
    assert_eq!(told_by(&cluster, &names[1]), as_value(&cluster.text()));
}

#[test]
fn silent_nodes_leave_the_telling_to_the_endpoint() {
    let cluster = FakeCluster::builder().nodes(1).silent_nodes().start().unwrap();
    let second = cluster.add().unwrap();
    cluster.replace(&second).unwrap();
    for name in cluster.nodes() {
        assert_eq!(told_by(&cluster, &name), "END\r\n");
    }
    assert_eq!(told(&cluster), as_command(&cluster.text()));
    cluster.tell_truth_on(&second).unwrap();
    assert_eq!(told_by(&cluster, &second), as_value(&cluster.text()));
}

#[test]
fn nodes_that_do_not_run_do_not_hear_of_changes() {
    let cluster = FakeCluster::start(3).unwrap();
    let names = cluster.nodes();
    let [paused, killed, _] = [0, 1, 2].map(|place| cluster.server(&names[place]).unwrap());
    let old = cluster.text();
    paused.pause().unwrap();
    killed.kill();
    cluster.add().unwrap();
    assert_eq!(told_by(&cluster, &names[2]), as_value(&cluster.text()));
    paused.resume().unwrap();
    killed.restart().unwrap();
    assert_eq!([told_by(&cluster, &names[0]), told_by(&cluster, &names[1])], [as_value(&old), "END\r\n".into()]);
    cluster.tell_truth_on(&names[1]).unwrap();
    assert_eq!(told_by(&cluster, &names[1]), as_value(&cluster.text()));
}

#[test]
fn both_forms_on_one_connection_are_one_poll() {
    let both = [COMMAND, KEY].concat();
    let legacy = FakeCluster::builder().nodes(1).legacy().start().unwrap();
    ask(&legacy.endpoint(), &both.repeat(2));
    assert_eq!(legacy.polls(), 2);
    ask(&legacy.endpoint(), KEY);
    ask(&legacy.endpoint(), COMMAND);
    assert_eq!(legacy.polls(), 4);

    let cluster = FakeCluster::start(1).unwrap();
    ask(&cluster.endpoint(), "version\r\nget k\r\nmn\r\n");
    assert_eq!((cluster.polls(), cluster.connections()), (0, 1));
    cluster.say_next([Told::Unknown]);
    assert_eq!(ask(&cluster.endpoint(), &both), "ERROR\r\nEND\r\n");
    assert_eq!(cluster.polls(), 1);
}

#[test]
fn names_that_are_not_there_and_clusters_without_nodes_are_errors() {
    assert_eq!(FakeCluster::start(0).unwrap_err().kind(), ErrorKind::InvalidInput);
    let cluster = FakeCluster::start(1).unwrap();
    let name = cluster.nodes().remove(0);
    assert_eq!(cluster.remove(&name).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(cluster.recreate(0).unwrap_err().kind(), ErrorKind::InvalidInput);
    let kinds = [
        cluster.remove("other:1").unwrap_err(),
        cluster.replace("other:1").unwrap_err(),
        cluster.forget_on("other:1").unwrap_err(),
        cluster.set_told_by("other:1", "").unwrap_err(),
        cluster.tell_truth_on("other:1").unwrap_err(),
    ]
    .map(|error| error.kind());
    assert_eq!(kinds, [ErrorKind::NotFound; 5]);
    assert_eq!((cluster.version(), cluster.nodes()), (1, vec![name]));
}

#[test]
fn arguments_reach_all_nodes() {
    let cluster = FakeCluster::builder().nodes(1).server_args(["-c", "33"]).start().unwrap();
    let second = cluster.add().unwrap();
    cluster.replace(&second).unwrap();
    for name in cluster.nodes() {
        let settings = cluster.server(&name).unwrap().command("stats settings").unwrap();
        assert!(settings.contains("STAT maxconns 33\r\n"), "{settings}");
    }
}

#[test]
fn threads_change_the_cluster_at_once() {
    let cluster = FakeCluster::start(1).unwrap();
    let first = cluster.nodes().remove(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| cluster.add().unwrap());
            scope.spawn(|| cluster.replace(&first).unwrap());
            scope.spawn(|| assert!(told(&cluster).starts_with("CONFIG cluster 0 ")));
        }
        scope.spawn(|| cluster.await_polls(2).unwrap());
    });
    assert_eq!((cluster.version(), cluster.nodes().len()), (5, 3));
    assert_eq!(told(&cluster), as_command(&cluster.text()));
}

/// Whether the system knows of a process.
fn lives(pid: u32) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    !output.stdout.is_empty()
}

#[test]
fn nothing_is_left_of_a_cluster_that_is_dropped() {
    let cluster = FakeCluster::start(3).unwrap();
    let names = cluster.nodes();
    cluster.replace(&names[2]).unwrap();
    let held: Vec<_> = names.iter().map(|name| cluster.server(name).unwrap()).collect();
    cluster.remove(&names[1]).unwrap();
    held[0].pause().unwrap();
    cluster.pause();
    let mut client = Client::at(&cluster.endpoint());
    client.send(COMMAND);
    cluster.await_polls(1).unwrap();
    let pids: Vec<u32> = held.iter().filter_map(|server| server.pid()).collect();
    let mut addresses: Vec<String> = held.iter().map(|server| server.address()).collect();
    addresses.push(cluster.endpoint());
    assert_eq!(pids.iter().filter(|pid| lives(**pid)).count(), 3);
    drop(cluster);
    assert!(!pids.into_iter().any(lives));
    assert!(!matches!(client.0.read(&mut [0]), Ok(1)));
    drop(client);
    for address in addresses {
        // Another test may have the port for as long as it runs.
        eventually("the port is free", || TcpListener::bind(&address).is_ok());
    }
}
