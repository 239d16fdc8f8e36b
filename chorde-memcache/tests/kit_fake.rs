//! What the fake server does, seen through a plain connection.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chorde_memcache::testing::{FakeServer, Fault, MemcachedServer};

/// Long enough for a machine that is busy elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

struct Client(BufReader<TcpStream>);

impl Client {
    fn of(server: &FakeServer) -> Self {
        Self::at(&server.address())
    }

    fn at(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn read(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn ask(&mut self, text: &str) -> String {
        self.send(text);
        self.line()
    }

    /// All up to the end of the connection.
    fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        bytes
    }
}

/// What comes for `request` with a fault, up to `length` bytes.
fn faulty(version: &str, fault: Fault, request: &str, length: usize) -> String {
    let server = FakeServer::canned(version, "hello").unwrap();
    server.set_fault(fault);
    let mut client = Client::of(&server);
    assert_eq!(client.ask("version\r\n"), format!("VERSION {version}\r\n"));
    client.send(request);
    client.read(length)
}

#[test]
fn a_canned_server_answers_what_it_is_asked() {
    let server = FakeServer::canned("1.6.21", "hello").unwrap();
    let mut client = Client::of(&server);
    assert_eq!(client.ask("version\r\n"), "VERSION 1.6.21\r\n");
    client.send("mg key v f c t s k O12\r\n");
    assert_eq!(client.line() + &client.line(), "VA 5 f0 c1 t3600 s5 kkey O12\r\nhello\r\n");
    assert_eq!(client.ask("ms key 2 T9 c O13\r\nhi\r\n"), "HD c1 O13\r\n");
    assert_eq!(client.ask("ma key v O14\r\n") + &client.line(), "VA 1 O14\r\n1\r\n");
    client.send("get a\r\n");
    assert_eq!(client.read(25), "VALUE a 0 5\r\nhello\r\nEND\r\n");
    assert_eq!(client.ask("mn\r\n"), "MN\r\n");
}

#[test]
fn faults_are_what_they_are_called() {
    let meta = |fault, length| faulty("1.6.18", fault, "mg k v O7\r\n", length);
    assert_eq!(meta(Fault::Garbage, 18), "%$?! 17 of these\r\n");
    assert_eq!(meta(Fault::NegativeLength, 10), "VA -1 O7\r\n");
    assert_eq!(meta(Fault::HugeLength, 28), "VA 18446744073709551615 O7\r\n");
    assert_eq!(meta(Fault::ShortValue, 13), "VA 5 O7\r\nhe\r\n");
    assert_eq!(meta(Fault::BadTerminator, 16), "VA 5 O7\r\nhello??");
    assert_eq!(meta(Fault::OtherRequest, 17), "VA 5 O97\r\nhello\r\n");
    assert_eq!(meta(Fault::EndlessLine, 1 << 16), "x".repeat(1 << 16));

    let classic = |fault, length| faulty("1.5.0", fault, "get k\r\n", length);
    assert_eq!(classic(Fault::NegativeLength, 14), "VALUE k 0 -1\r\n");
    assert_eq!(classic(Fault::HugeLength, 32), "VALUE k 0 18446744073709551615\r\n");
    assert_eq!(classic(Fault::ShortValue, 22), "VALUE k 0 5\r\nhe\r\nEND\r\n");
    assert_eq!(classic(Fault::BadTerminator, 25), "VALUE k 0 5\r\nhello??END\r\n");
    assert_eq!(classic(Fault::OtherRequest, 26), "VALUE k9 0 5\r\nhello\r\nEND\r\n");
}

#[test]
fn a_server_without_memory_swallows_the_data() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.set_fault(Fault::OutOfMemory);
    let mut client = Client::of(&server);
    assert_eq!(client.ask("ms k 5 T9 O1\r\nhello\r\n"), "SERVER_ERROR out of memory storing object\r\n");
    assert_eq!(client.ask("set k 0 0 2\r\nhi\r\n"), "SERVER_ERROR out of memory storing object\r\n");
    assert_eq!(client.ask("mg k O2\r\n"), "HD O2\r\n");
    server.set_fault(None);
    assert_eq!(client.ask("ms k 5 T9 O3\r\nhello\r\n"), "HD O3\r\n");
}

#[test]
fn replies_change_places() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.set_fault(Fault::OutOfOrder);
    let mut client = Client::of(&server);
    client.send("md a O1\r\nmd b O2\r\nmd c O3\r\n");
    assert_eq!(client.read(14), "HD O2\r\nHD O1\r\n");
    server.await_commands(3).unwrap();
    server.set_fault(None);
    assert_eq!(client.ask("md d O4\r\n"), "HD O3\r\n");
    assert_eq!(client.line(), "HD O4\r\n");
}

#[test]
fn a_silent_server_answers_nothing_but_its_version() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.set_fault(Fault::Silence);
    let mut client = Client::of(&server);
    client.send("mg k v\r\nmn\r\nversion\r\n");
    assert_eq!(client.line(), "VERSION 1.6.18\r\n");
    server.set_fault(Fault::DeadSilence);
    client.send("version\r\nmn\r\n");
    server.await_commands(5).unwrap();
    // All have arrived, and none is answered by the time that the server goes.
    drop(server);
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_reply_is_cut() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.set_fault(Fault::Cut(8));
    let mut client = Client::of(&server);
    client.send("mg k v\r\n");
    assert_eq!(client.rest(), b"VA 5\r\nhe");
    server.set_fault(Fault::Cut(0));
    let mut client = Client::of(&server);
    client.send("mg k v\r\n");
    assert_eq!(client.rest(), b"");
}

#[test]
fn a_connection_is_reset() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.set_fault(Fault::Reset);
    let mut client = Client::of(&server);
    client.send("mg k v\r\n");
    assert_eq!(client.0.read_exact(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn connections_are_closed_on_arrival() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.set_fault(Fault::CloseAtOnce);
    assert_eq!(Client::of(&server).rest(), b"");
    server.set_fault(Fault::TooManyConnections);
    assert_eq!(Client::of(&server).rest(), b"ERROR Too many open connections\r\n");
    server.set_fault(None);
    assert_eq!(Client::of(&server).ask("mn\r\n"), "MN\r\n");
    assert_eq!(server.connections(), 3);
}

#[test]
fn servers_of_other_protocols_answer_in_theirs() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.set_fault(Fault::TlsAlert);
    let mut client = Client::of(&server);
    client.send("version\r\n");
    assert_eq!(client.rest(), [21, 3, 3, 0, 2, 2, 40]);
    server.set_fault(Fault::Http);
    let mut client = Client::of(&server);
    client.send("version\r\n");
    assert!(client.rest().starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
}

#[test]
fn replies_are_held_and_let_go() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    let mut client = Client::of(&server);
    server.hold();
    client.send("version\r\nmd a O1\r\nmd b O2\r\nmd c O3\r\n");
    assert_eq!(client.line(), "VERSION 1.6.18\r\n");
    server.await_commands(4).unwrap();
    assert_eq!(server.commands()[1..], ["md a O1", "md b O2", "md c O3"]);
    server.let_go(1);
    assert_eq!(client.line(), "HD O1\r\n");
    client.0.get_ref().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert!(client.0.fill_buf().is_err(), "the second reply is held");
    client.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    server.release();
    assert_eq!(client.read(14), "HD O2\r\nHD O3\r\n");
}

#[test]
fn a_held_reply_waits_for_a_client_that_has_closed_its_side() {
    let server = FakeServer::canned("1.6.18", "hello").unwrap();
    server.hold();
    let mut client = Client::of(&server);
    client.send("md a O1\r\n");
    server.await_commands(1).unwrap();
    client.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    client.0.get_ref().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert!(client.0.fill_buf().is_err(), "the reply is held");
    client.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    server.release();
    assert_eq!(client.rest(), b"HD O1\r\n");
}

#[test]
fn a_script_can_give_up_clients_that_close_while_it_holds_replies() {
    let server = FakeServer::start(|peer| {
        loop {
            peer.request()?;
            peer.gate_or_end()?;
            peer.send("MN\r\n")?;
        }
    })
    .unwrap();
    server.hold();
    let (mut gone, mut there) = (Client::of(&server), Client::of(&server));
    gone.send("mn\r\n");
    there.send("mn\r\n");
    server.await_commands(2).unwrap();
    drop(gone);
    let begun = std::time::Instant::now();
    while server.open() > 1 {
        assert!(begun.elapsed() < PATIENCE, "the connection stays open");
        std::thread::yield_now();
    }
    server.let_go(1);
    assert_eq!(there.line(), "MN\r\n");
}

#[test]
fn a_server_that_is_dropped_ends_what_it_holds() {
    let server = FakeServer::old().unwrap();
    server.hold();
    let mut client = Client::of(&server);
    client.send("get a\r\n");
    server.await_commands(1).unwrap();
    assert_eq!((server.open(), server.connections()), (1, 1));
    let address = server.address();
    drop(server);
    assert_eq!(client.rest(), b"");
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_script_knows_which_connection_it_serves() {
    let server = FakeServer::start(|peer| {
        if peer.number() == 0 {
            peer.request()?;
            peer.reset();
            return Ok(());
        }
        let request = peer.request()?;
        peer.gate()?;
        peer.send(request.data().unwrap_or_default())?;
        peer.ignore()
    })
    .unwrap();
    let mut first = Client::of(&server);
    first.send("get k\r\n");
    assert_eq!(first.0.read_exact(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    server.await_connections(1).unwrap();
    let mut second = Client::of(&server);
    second.send("ms k 6 T0\r\nhello\n\r\nget k\r\n");
    assert_eq!(second.line(), "hello\n");
    server.await_commands(3).unwrap();
    server.await_connections(2).unwrap();
}

#[test]
#[should_panic(expected = "the script is not content")]
fn a_script_that_panics_fails_the_test() {
    let server = FakeServer::start(|peer| {
        let request = peer.request()?;
        assert_eq!(request.line(), "get k", "the script is not content");
        Ok(())
    })
    .unwrap();
    let mut client = Client::of(&server);
    client.send("get other\r\n");
    assert_eq!(client.rest(), b"");
}

#[test]
fn an_old_server_knows_no_meta_commands() {
    let server = FakeServer::old().unwrap();
    let mut client = Client::of(&server);
    assert_eq!(client.ask("version\r\n"), "VERSION 1.4.15\r\n");
    for command in ["mg k v\r\n", "md k\r\n", "mn\r\n", "gat 5 k\r\n"] {
        assert_eq!(client.ask(command), "ERROR\r\n", "{command}");
    }
    client.send("ms k 5\r\nhello\r\nget k\r\n");
    assert_eq!([client.line(), client.line(), client.line()], ["ERROR\r\n", "ERROR\r\n", "END\r\n"]);
}

#[test]
fn items_of_an_old_server_expire_by_its_own_time() {
    let server = FakeServer::old().unwrap();
    let mut client = Client::of(&server);
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2000;
    for (key, expiry) in [("hour", 3600), ("point", unix), ("never", 0)] {
        assert_eq!(client.ask(&format!("set {key} 0 {expiry} 1\r\nx\r\n")), "STORED\r\n");
    }
    let found = |client: &mut Client| {
        client.send("get hour point never\r\n");
        std::iter::from_fn(|| Some(client.line()).filter(|line| line != "END\r\n"))
            .filter(|line| line != "x\r\n")
            .count()
    };
    server.advance(Duration::from_secs(1900));
    assert_eq!(found(&mut client), 3);
    server.advance(Duration::from_secs(200));
    assert_eq!(found(&mut client), 2);
    assert_eq!(client.ask("touch hour 7200\r\n"), "TOUCHED\r\n");
    server.advance(Duration::from_secs(7100));
    assert_eq!(found(&mut client), 2);
    assert_eq!(client.ask("flush_all 60\r\n"), "OK\r\n");
    assert_eq!(client.ask("touch hour 7200\r\n"), "TOUCHED\r\n");
    server.advance(Duration::from_secs(60));
    assert_eq!(found(&mut client), 0);
    assert_eq!(client.ask("incr never 1\r\n"), "NOT_FOUND\r\n");
}

#[test]
fn the_faults_of_an_old_server_are_those_of_its_protocol() {
    let server = FakeServer::old().unwrap();
    let mut client = Client::of(&server);
    client.send("set k 0 0 5\r\nhello\r\n");
    assert_eq!(client.line(), "STORED\r\n");
    server.set_fault(Fault::OtherRequest);
    assert_eq!(client.ask("get k\r\n"), "VALUE k9 0 5\r\n");
    server.set_fault(None);
    assert_eq!(client.read(12), "hello\r\nEND\r\n");
}

/// A command out of a small world, in which keys meet.
fn command(dice: &mut fastrand::Rng) -> String {
    let key = ["a", "b", "c"][dice.usize(..3)];
    let data = ["", "7", "41", "hello", "18446744073709551615", "12 "][dice.usize(..6)];
    let quiet = if dice.u8(..5) == 0 { " noreply" } else { "" };
    let expiry = [0, 1000, -1][dice.usize(..3)];
    let (length, flags) = (data.len(), dice.u16(..));
    let store = |name: &str, cas: &str| format!("{name} {key} {flags} {expiry} {length}{cas}{quiet}\r\n{data}\r\n");
    match dice.u8(..17) {
        0..=2 => store("set", ""),
        3 => store("add", ""),
        4 => store("replace", ""),
        5 => store("append", ""),
        6 => store("prepend", ""),
        7 | 8 => store("cas", &format!(" {}", dice.u8(1..30))),
        9 => format!("delete {key}{quiet}\r\n"),
        10 => format!("incr {key} {}{quiet}\r\n", dice.u32(..)),
        11 => format!("decr {key} {}{quiet}\r\n", dice.u8(..40)),
        12 => format!("touch {key} {expiry}{quiet}\r\n"),
        13 => ["flush_all\r\n", "get\r\n", "nonsense\r\n", "set a\r\n", "incr a\r\n", "incr a x\r\n"][dice.usize(..6)]
            .to_owned(),
        14 => format!("get {key} c a\r\n"),
        _ => format!("gets {key} b\r\n"),
    }
}

#[test]
fn an_old_server_answers_as_a_real_one() {
    for seed in 0..40 {
        // Without the threads of newer versions, which hold on to items for a moment: how wide a number is depends on it.
        let real = MemcachedServer::builder().args(["-o", "no_modern", "-t", "1"]).start().unwrap();
        let old = FakeServer::old().unwrap();
        let mut dice = fastrand::Rng::with_seed(seed);
        let (mut left, mut right) = (Client::at(&real.address()), Client::of(&old));
        for turn in 0..120 {
            // The reply to a second command shows where that to the first one ends.
            let text = command(&mut dice) + "gets a b c\r\n";
            left.send(&text);
            right.send(&text);
            let (expected, found) = (whole(&mut left, &text), whole(&mut right, &text));
            assert_eq!(found, expected, "seed {seed}, turn {turn}: {text}");
        }
    }
}

/// The lines of all replies: that of the last command ends with END, as do those of other reads.
fn whole(client: &mut Client, text: &str) -> Vec<String> {
    let mut ends = if text.starts_with("get ") || text.starts_with("gets ") { 2 } else { 1 };
    let mut lines = Vec::new();
    while ends > 0 {
        let line = client.line();
        assert!(!line.is_empty(), "the connection ended after {lines:?}");
        ends -= usize::from(line == "END\r\n");
        lines.push(line);
    }
    lines
}
