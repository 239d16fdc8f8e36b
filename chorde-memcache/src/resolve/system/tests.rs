//! hickory itself against a name server on the loopback interface.

use std::collections::BTreeSet;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::thread::JoinHandle;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME};
use hickory_resolver::proto::rr::{RData, Record};

use super::*;

/// Longer than any machine is slow.
const FOR_EVER: Patience = Patience { question: Duration::from_secs(600), lookup: Duration::from_secs(600) };

/// One line of a zone: name, ttl, data.
type Line = (&'static str, u32, RData);

fn v4(last: u8) -> RData {
    RData::A(A::new(10, 0, 0, last))
}

fn v6(last: u16) -> RData {
    RData::AAAA(AAAA(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last)))
}

fn cname(target: &str) -> RData {
    RData::CNAME(CNAME(Name::from_ascii(target).unwrap()))
}

/// A name server that knows a few lines; names that start with `broken` make it fail. It tells of no more than the name it
/// is asked for, so that who asks must follow a CNAME.
struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Vec<Line>>>,
    /// Ends with what was asked, each question once: hickory repeats those that are answered late.
    thread: Option<JoinHandle<BTreeSet<String>>>,
}

impl NameServer {
    fn start(zone: Vec<Line>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let zone = Arc::new(Mutex::new(zone));
        let known = Arc::clone(&zone);
        let thread = std::thread::spawn(move || {
            let mut asked = BTreeSet::new();
            let mut buffer = [0; 4096];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                if length == 0 {
                    return asked;
                }
                let question = Message::from_vec(&buffer[..length]).unwrap();
                asked.insert(format!("{} {}", question.queries[0].query_type(), question.queries[0].name()));
                socket.send_to(&reply(&question, &known.lock().unwrap()).to_vec().unwrap(), from).unwrap();
            }
        });
        Self { address, zone, thread: Some(thread) }
    }

    /// Ends the server and returns what it was asked.
    fn stop(mut self) -> Vec<String> {
        self.halt().into_iter().collect()
    }

    fn halt(&mut self) -> BTreeSet<String> {
        let Some(thread) = self.thread.take() else { return BTreeSet::new() };
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], self.address).unwrap();
        thread.join().unwrap()
    }

    fn lookup(&self, hosts: &'static str) -> SystemResolver {
        let mut connection = ConnectionConfig::udp();
        connection.port = self.address.port();
        let server = NameServerConfig::new(self.address.ip(), true, vec![connection]);
        let config = ResolverConfig::from_name_servers(vec![server]);
        let mut options = ResolverOpts::default();
        options.timeout = FOR_EVER.question;
        SystemResolver {
            hosts: Arc::new(move || read_hosts(hosts)),
            servers: Arc::new(move || Ok((config.clone(), options.clone()))),
            patience: FOR_EVER,
        }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.halt();
    }
}

fn reply(question: &Message, zone: &[Line]) -> Message {
    let query = question.queries[0].clone();
    let name = query.name().to_ascii();
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    let of_name: Vec<_> = zone.iter().filter(|(owner, ..)| *owner == name).collect();
    let fits = |data: &RData| matches!(data, RData::CNAME(_)) || data.record_type() == query.query_type();
    for (_, ttl, data) in of_name.iter().filter(|(.., data)| fits(data)) {
        reply.add_answer(Record::from_rdata(query.name().clone(), *ttl, data.clone()));
    }
    reply.metadata.response_code = match name {
        name if name.starts_with("broken") => ResponseCode::ServFail,
        _ if of_name.is_empty() => ResponseCode::NXDomain,
        _ => ResponseCode::NoError,
    };
    reply.add_query(query);
    reply
}

fn read_hosts(text: &str) -> io::Result<Hosts> {
    let mut hosts = Hosts::default();
    hosts.read_hosts_conf(text.as_bytes())?;
    Ok(hosts)
}

fn seconds(answer: &Addresses) -> u64 {
    answer.ttl.as_secs()
}

fn sorted(answer: &Addresses) -> Vec<String> {
    let mut addresses: Vec<_> = answer.addresses.iter().map(ToString::to_string).collect();
    addresses.sort();
    addresses
}

#[tokio::test]
async fn all_ipv4_addresses_of_a_name_are_found_and_ipv6_is_not_asked_for() {
    let server = NameServer::start(vec![("cache.", 7, v4(2)), ("cache.", 7, v4(1)), ("cache.", 7, v6(1))]);
    let answer = server.lookup("").look_up("cache").await.unwrap();
    assert_eq!((sorted(&answer), seconds(&answer)), (vec!["10.0.0.1".into(), "10.0.0.2".into()], 7));
    assert_eq!(server.stop(), ["A cache."]);
}

#[tokio::test]
async fn a_cname_is_followed_and_the_shortest_ttl_counts() {
    let zone = vec![("cache.internal.", 3, cname("node.internal.")), ("node.internal.", 60, v4(1))];
    let server = NameServer::start(zone);
    let answer = server.lookup("").look_up("cache.internal").await.unwrap();
    assert_eq!((sorted(&answer), seconds(&answer)), (vec!["10.0.0.1".into()], 3));
    assert_eq!(server.stop(), ["A cache.internal.", "A node.internal."]);
}

#[tokio::test]
async fn ipv6_is_used_where_there_is_no_ipv4() {
    let server = NameServer::start(vec![("cache.", 9, v6(1)), ("cache.", 9, v6(2))]);
    let answer = server.lookup("").look_up("cache").await.unwrap();
    assert_eq!((sorted(&answer), seconds(&answer)), (vec!["fd00::1".into(), "fd00::2".into()], 9));
}

#[tokio::test]
async fn a_name_server_that_fails_is_not_taken_for_one_without_ipv4() {
    let server = NameServer::start(vec![("broken.", 9, v6(1))]);
    assert!(server.lookup("").look_up("broken").await.is_err());
    assert!(server.stop().iter().all(|asked| asked.starts_with("A ")));
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_a_failure() {
    let server = NameServer::start(vec![]);
    assert!(server.lookup("").look_up("nowhere.internal").await.is_err());
}

#[tokio::test]
async fn the_hosts_file_comes_first() {
    let server = NameServer::start(vec![("cache.internal.", 9, v4(1)), ("six.internal.", 9, v4(1))]);
    let lookup = server.lookup("10.1.1.1 Cache.internal other\n10.1.1.2 cache.internal # both\nfd00::9 six.internal\n");
    assert_eq!(sorted(&lookup.look_up("cache.internal").await.unwrap()), ["10.1.1.1", "10.1.1.2"]);
    assert_eq!(sorted(&lookup.look_up("six.internal").await.unwrap()), ["fd00::9"]);
    assert_eq!(server.stop(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_remembered_from_one_look_up_to_the_next() {
    let server = NameServer::start(vec![("cache.", 3600, v4(1))]);
    let lookup = server.lookup("");
    lookup.look_up("cache").await.unwrap();
    *server.zone.lock().unwrap() = vec![("cache.", 3600, v4(2))];
    assert_eq!(sorted(&lookup.look_up("cache").await.unwrap()), ["10.0.0.2"]);
    server.zone.lock().unwrap().clear();
    assert!(lookup.look_up("cache").await.is_err());
}

#[tokio::test]
async fn without_name_servers_a_look_up_fails_and_the_hosts_file_still_counts() {
    let lookup = SystemResolver {
        hosts: Arc::new(|| read_hosts("10.1.1.1 cache")),
        servers: Arc::new(|| Err(io::Error::other("no such file").into())),
        patience: FOR_EVER,
    };
    assert_eq!(sorted(&lookup.look_up("cache").await.unwrap()), ["10.1.1.1"]);
    let why = lookup.look_up("elsewhere").await.unwrap_err();
    assert!(why.to_string().contains("no such file"), "{why}");
}

#[tokio::test]
async fn the_machine_itself_is_known_without_any_file() {
    let lookup = SystemResolver {
        hosts: Arc::new(|| Err(io::Error::other("no such file"))),
        servers: Arc::new(|| Err(io::Error::other("no such file").into())),
        patience: FOR_EVER,
    };
    assert_eq!(sorted(&lookup.look_up("localhost").await.unwrap()), ["127.0.0.1"]);
}
