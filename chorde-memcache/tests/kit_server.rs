//! What the real memcached under a test's control does, seen through a plain connection.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use chorde_memcache::testing::MemcachedServer;

/// Long enough for a machine that is busy elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

fn connect(server: &MemcachedServer) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn read(stream: &mut impl Read, length: usize) -> String {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// What the system says of a process: `T` is stopped, none is gone.
fn state(pid: u32) -> Option<String> {
    let output = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    (!state.is_empty()).then_some(state)
}

#[test]
fn it_answers_as_soon_as_it_is_there() {
    let server = MemcachedServer::start().unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"set k 0 0 2\r\nhi\r\nget k\r\n").unwrap();
    assert_eq!(read(&mut stream, 30), "STORED\r\nVALUE k 0 2\r\nhi\r\nEND\r\n");
    assert!(server.version().unwrap().starts_with(|first: char| first.is_ascii_digit()));
    let stats = server.stats().unwrap();
    assert_eq!(stats.get("pid"), server.pid().map(|pid| pid.to_string()).as_ref());
    assert_eq!(stats.get("curr_items").map(String::as_str), Some("1"));
}

#[test]
fn it_listens_on_a_socket_and_takes_its_folder_away() {
    let server = MemcachedServer::start_unix().unwrap();
    let path = server.address().strip_prefix("unix:").unwrap().to_owned();
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"version\r\n").unwrap();
    assert_eq!(read(&mut stream, 8), "VERSION ");
    server.restart().unwrap();
    assert!(server.command("version").unwrap().starts_with("VERSION "));
    drop(server);
    assert!(!Path::new(&path).parent().unwrap().exists());
}

#[test]
fn a_paused_server_answers_when_it_goes_on() {
    let server = MemcachedServer::start().unwrap();
    let mut before = connect(&server);
    server.pause().unwrap();
    let mut during = connect(&server);
    for stream in [&mut before, &mut during] {
        stream.write_all(b"mn\r\n").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let error = stream.read_exact(&mut [0]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    server.pause().unwrap();
    server.resume().unwrap();
    assert_eq!([read(&mut before, 4), read(&mut during, 4)], ["MN\r\n", "MN\r\n"]);
}

#[test]
fn a_killed_server_is_gone_and_comes_back_empty() {
    let server = MemcachedServer::start().unwrap();
    let (address, pid) = (server.address(), server.pid().unwrap());
    assert_eq!(server.command("set k 0 0 1\r\nx").unwrap(), "STORED\r\n");
    let mut stream = connect(&server);
    server.kill();
    server.kill();
    assert!(!matches!(stream.read(&mut [0]), Ok(1)));
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!((server.pid(), state(pid)), (None, None));
    assert_eq!(server.pause().unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(server.command("version").unwrap_err().kind(), ErrorKind::ConnectionRefused);

    server.restart().unwrap();
    assert_eq!(server.address(), address);
    assert_eq!(connect(&server).peer_addr().unwrap().to_string(), address);
    assert_eq!(server.command("get k").unwrap(), "END\r\n");
    assert_ne!(server.pid(), Some(pid));
}

#[test]
fn a_running_server_is_restarted_as_well() {
    let server = MemcachedServer::start().unwrap();
    for _ in 0..3 {
        let mut stream = connect(&server);
        stream.write_all(b"set k 0 0 1\r\nx\r\n").unwrap();
        assert_eq!(read(&mut stream, 8), "STORED\r\n");
        server.restart().unwrap();
        assert_eq!(server.command("get k").unwrap(), "END\r\n");
    }
}

#[test]
fn a_paused_server_ends_with_its_owner() {
    let server = MemcachedServer::start().unwrap();
    let pid = server.pid().unwrap();
    server.pause().unwrap();
    assert!(state(pid).unwrap().starts_with('T'));
    drop(server);
    assert_eq!(state(pid), None);
}

#[test]
fn it_says_whether_it_runs() {
    let server = MemcachedServer::start().unwrap();
    assert!(server.is_running());
    server.pause().unwrap();
    assert!(!server.is_running());
    server.resume().unwrap();
    assert!(server.is_running());
    server.kill();
    assert!(!server.is_running());
    server.restart().unwrap();
    assert!(server.is_running());
}

#[test]
fn it_listens_where_it_is_told_and_waits_for_that() {
    let first = MemcachedServer::start().unwrap();
    let address = first.address();
    let second = std::thread::scope(|scope| {
        let start = scope.spawn(|| MemcachedServer::builder().at(address.parse().unwrap()).start().unwrap());
        assert_eq!(first.command("mn").unwrap(), "MN\r\n");
        first.kill();
        start.join().unwrap()
    });
    assert_eq!(second.address(), address);
    assert_eq!(second.command("mn").unwrap(), "MN\r\n");
    let error = MemcachedServer::builder().at("127.0.0.1:0".parse().unwrap()).start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn it_listens_at_the_other_loopback_address() {
    let first = MemcachedServer::start().unwrap();
    let address = first.address().replace("127.0.0.1", "[::1]");
    let start = MemcachedServer::builder().at(address.parse().unwrap()).start();
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        assert!(start.is_err(), "the machine has no such address");
        return;
    }
    let second = start.unwrap();
    assert_eq!(second.address(), address);
    assert_eq!([first.command("mn").unwrap(), second.command("mn").unwrap()], ["MN\r\n", "MN\r\n"]);
}

#[test]
fn a_server_that_ended_by_itself_is_an_error_and_can_be_restarted() {
    let server = MemcachedServer::start().unwrap();
    let kill = format!("kill -KILL {}", server.pid().unwrap());
    assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
    let error = server.pause().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
    assert!(!server.is_running());
    server.restart().unwrap();
    assert_eq!(server.command("mn").unwrap(), "MN\r\n");
}

#[test]
fn flush_forgets_everything() {
    let server = MemcachedServer::start().unwrap();
    server.command("set k 0 0 1\r\nx").unwrap();
    server.flush().unwrap();
    assert_eq!(server.command("get k").unwrap(), "END\r\n");
}

#[test]
fn arguments_reach_the_program() {
    let server =
        MemcachedServer::builder().args(["-I", "2m", "-m", "64"]).args(["-c", "32", "-t", "1"]).start().unwrap();
    let settings = server.command("stats settings").unwrap();
    for line in ["item_size_max 2097152", "maxbytes 67108864", "maxconns 32", "num_threads 1"] {
        assert!(settings.contains(&format!("STAT {line}\r\n")), "{line}: {settings}");
    }
}

#[test]
fn a_missing_program_is_told_with_the_mend() {
    let error = MemcachedServer::builder().program("/nowhere/memcached").start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for mend in ["./test", "apt-get install memcached", "brew install memcached", "CHORDE_MEMCACHED"] {
        assert!(error.to_string().contains(mend), "{error}");
    }
}

#[test]
fn what_the_program_complains_of_is_told() {
    let error = MemcachedServer::builder().args(["-I", "1"]).start().unwrap_err();
    assert!(error.to_string().contains("Item max size"), "{error}");
}

#[test]
fn many_servers_start_at_once() {
    let servers: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| MemcachedServer::start().unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let mut addresses: Vec<_> = servers.iter().map(MemcachedServer::address).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 8);
}

/// Run by the test below in a process of its own.
#[test]
fn a_process_that_aborts_leaves_no_server() {
    const ROLE: &str = "CHORDE_KIT_ABORTS";
    if std::env::var_os(ROLE).is_some() {
        let (paused, unix) = (MemcachedServer::start().unwrap(), MemcachedServer::start_unix().unwrap());
        paused.pause().unwrap();
        println!("servers: {} {} {}", paused.pid().unwrap(), unix.pid().unwrap(), unix.address());
        std::process::abort();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_process_that_aborts_leaves_no_server", "--nocapture"]).env(ROLE, "1");
    let output = command.stderr(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.split("servers: ").nth(1).expect("the process told its servers").lines().next().unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let folder = Path::new(words[2].strip_prefix("unix:").unwrap()).parent().unwrap();
    let begun = std::time::Instant::now();
    // Gone, or a zombie that waits for a parent which adopts it.
    let gone = |pid: &str| state(pid.parse().unwrap()).is_none_or(|state| state.starts_with('Z'));
    while !(gone(words[0]) && gone(words[1]) && !folder.exists()) {
        assert!(begun.elapsed() < PATIENCE, "servers outlive their test: {line}");
        std::thread::yield_now();
    }
}
