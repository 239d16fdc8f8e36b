//! What the proxy does to connections, seen through plain ones.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chorde_memcache::testing::{Chaos, ChaosProxy, Direction, FakeServer, MemcachedServer};

/// Long enough for a machine that is busy elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a canned server answers to `mg k v`.
const REPLY: &str = "VA 5\r\nhello\r\n";

fn canned() -> (FakeServer, ChaosProxy) {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    (server, proxy)
}

fn connect(proxy: &ChaosProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn send(stream: &mut TcpStream) {
    stream.write_all(b"mg k v\r\n").unwrap();
}

fn read(stream: &mut TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn works(stream: &mut TcpStream) {
    send(stream);
    assert_eq!(read(stream, REPLY.len()), REPLY);
}

/// Sees that nothing comes; a proof only in so far as it would come soon.
fn quiet(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let error = stream.read_exact(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
}

#[test]
fn what_is_said_passes_and_is_counted() {
    let (server, proxy) = canned();
    let (mut one, mut two) = (connect(&proxy), connect(&proxy));
    works(&mut one);
    works(&mut two);
    works(&mut two);
    proxy.await_bytes(Direction::ToClient, 39).unwrap();
    assert_eq!((proxy.connections(), proxy.open(), server.connections()), (2, 2, 2));
    assert_eq!([Direction::ToServer, Direction::ToClient].map(|way| proxy.bytes(way)), [24, 39]);
}

#[test]
fn it_stands_before_a_unix_socket_as_well() {
    let server = MemcachedServer::start_unix().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    let mut stream = connect(&proxy);
    // More than fits into any buffer on the way.
    let value = "x".repeat(1_000_000);
    stream.write_all(format!("set k 0 0 {}\r\n{value}\r\nget k\r\n", value.len()).as_bytes()).unwrap();
    assert_eq!(read(&mut stream, 8), "STORED\r\n");
    assert_eq!(read(&mut stream, 19 + value.len()), format!("VALUE k 0 1000000\r\n{value}"));
}

#[test]
fn the_end_of_a_connection_is_forwarded() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    let mut stream = connect(&proxy);
    stream.write_all(b"mn\r\nquit\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "MN\r\n");
}

#[test]
fn a_delay_is_waited_for_on_each_way_and_once_for_all() {
    let (_server, proxy) = canned();
    let mut stream = connect(&proxy);
    works(&mut stream);
    let delay = Duration::from_millis(30);
    proxy.set(Chaos::Delay(delay)).unwrap();
    let begun = Instant::now();
    works(&mut stream);
    assert!(begun.elapsed() >= delay * 2);
    proxy.set(Chaos::Pass).unwrap();
    works(&mut stream);
}

#[test]
fn bytes_that_are_delayed_for_hours_come_when_the_delay_ends() {
    let (_server, proxy) = canned();
    let mut stream = connect(&proxy);
    proxy.set(Chaos::Delay(Duration::from_secs(7200))).unwrap();
    send(&mut stream);
    quiet(&mut stream);
    proxy.set(Chaos::Pass).unwrap();
    assert_eq!(read(&mut stream, REPLY.len()), REPLY);
}

#[test]
fn a_reply_is_cut_after_so_many_bytes() {
    let (server, proxy) = canned();
    let mut existing = connect(&proxy);
    works(&mut existing);
    proxy.set(Chaos::Cut(Direction::ToClient, 8)).unwrap();
    for stream in [&mut existing, &mut connect(&proxy)] {
        send(stream);
        assert_eq!(read(stream, 8), "VA 5\r\nhe");
        assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    }
    assert_eq!(server.commands().len(), 3);
}

#[test]
fn a_request_is_cut_before_it_reaches_the_server() {
    let (server, proxy) = canned();
    proxy.set(Chaos::Cut(Direction::ToServer, 4)).unwrap();
    let mut stream = connect(&proxy);
    send(&mut stream);
    assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    proxy.await_bytes(Direction::ToServer, 4).unwrap();
    assert_eq!(server.commands(), [""; 0]);
}

#[test]
fn a_truncated_connection_stays_open() {
    let (server, proxy) = canned();
    proxy.set(Chaos::Truncate(Direction::ToClient, 8)).unwrap();
    let mut stream = connect(&proxy);
    send(&mut stream);
    assert_eq!(read(&mut stream, 8), "VA 5\r\nhe");
    send(&mut stream);
    server.await_commands(2).unwrap();
    quiet(&mut stream);
    assert_eq!(proxy.open(), 1);
}

#[test]
fn a_black_hole_takes_everything_and_gives_it_back_at_its_end() {
    let (server, proxy) = canned();
    let mut existing = connect(&proxy);
    works(&mut existing);
    proxy.set(Chaos::Blackhole).unwrap();
    let mut new = connect(&proxy);
    send(&mut existing);
    send(&mut new);
    proxy.await_connections(2).unwrap();
    quiet(&mut existing);
    quiet(&mut new);
    assert_eq!((server.connections(), server.commands().len()), (1, 1));
    proxy.set(Chaos::Pass).unwrap();
    assert_eq!([read(&mut existing, REPLY.len()), read(&mut new, REPLY.len())], [REPLY, REPLY]);
}

#[test]
fn a_reply_on_its_way_is_swallowed_as_well() {
    let (server, proxy) = canned();
    let mut stream = connect(&proxy);
    server.hold();
    send(&mut stream);
    server.await_commands(1).unwrap();
    proxy.set(Chaos::Blackhole).unwrap();
    server.release();
    quiet(&mut stream);
    proxy.set(Chaos::Pass).unwrap();
    assert_eq!(read(&mut stream, REPLY.len()), REPLY);
}

#[test]
fn connections_are_reset() {
    let (_server, proxy) = canned();
    let mut existing = connect(&proxy);
    works(&mut existing);
    proxy.set(Chaos::Reset).unwrap();
    assert_eq!(proxy.open(), 0);
    assert_eq!(existing.read_exact(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let new = TcpStream::connect(proxy.address()).and_then(|mut stream| stream.read_exact(&mut [0]));
    assert_eq!(new.unwrap_err().kind(), ErrorKind::ConnectionReset);
    proxy.set(Chaos::Pass).unwrap();
    works(&mut connect(&proxy));
}

#[test]
fn connections_are_refused_and_the_port_comes_back() {
    let (_server, proxy) = canned();
    for _ in 0..5 {
        let mut existing = connect(&proxy);
        works(&mut existing);
        proxy.set(Chaos::Refuse).unwrap();
        assert!(!matches!(existing.read(&mut [0]), Ok(1)));
        assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        proxy.set(Chaos::Pass).unwrap();
        works(&mut connect(&proxy));
    }
}

/// A process that starts has a copy of all sockets for a moment.
#[test]
fn connections_are_refused_while_processes_start() {
    let (_server, proxy) = canned();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..100 {
                        assert!(std::process::Command::new("true").status().unwrap().success());
                    }
                })
            })
            .collect();
        while !starts.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            proxy.set(Chaos::Refuse).unwrap();
            assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
            proxy.set(Chaos::Pass).unwrap();
            works(&mut connect(&proxy));
        }
    });
}

#[test]
fn new_connections_can_fare_otherwise() {
    let (_server, proxy) = canned();
    let mut existing = connect(&proxy);
    works(&mut existing);
    proxy.set_for_new(Chaos::Blackhole).unwrap();
    let mut new = connect(&proxy);
    send(&mut new);
    works(&mut existing);
    quiet(&mut new);
    proxy.set_for_new(Chaos::Refuse).unwrap();
    assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    works(&mut existing);
    proxy.set_for_new(Chaos::Pass).unwrap();
    proxy.set_for_existing(Chaos::Reset).unwrap();
    assert_eq!(existing.read_exact(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    works(&mut connect(&proxy));
}

#[test]
fn a_target_that_is_down_closes_connections_until_it_is_up() {
    let server = MemcachedServer::start().unwrap();
    let proxy = ChaosProxy::start(&server.address()).unwrap();
    server.kill();
    assert!(!matches!(connect(&proxy).read(&mut [0]), Ok(1)));
    server.restart().unwrap();
    let mut stream = connect(&proxy);
    stream.write_all(b"mn\r\n").unwrap();
    assert_eq!(read(&mut stream, 4), "MN\r\n");
}

#[test]
fn a_proxy_that_is_dropped_ends_its_connections() {
    let (server, proxy) = canned();
    let mut stream = connect(&proxy);
    works(&mut stream);
    let address = proxy.address();
    drop(proxy);
    assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn it_can_be_used_and_dropped_within_a_runtime() {
    let (server, proxy) = canned();
    works(&mut connect(&proxy));
    proxy.set(Chaos::Reset).unwrap();
    drop((server, proxy));
}

#[test]
fn a_target_that_is_no_address_is_an_error() {
    assert!(ChaosProxy::start("nonsense").is_err());
}
