//! Real servers, clients of them, and waiting for what the servers do.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use chorde_core::{Claim, ClaimOptions, Client, Key, Token, Wait as _};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedBuilder, MemcachedClient, Transport};

/// Long enough not to end while a test runs.
pub const HOUR: Duration = Duration::from_secs(3_600);

/// How long anything is waited for before it counts as broken; never waited for by a test that succeeds.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn servers(count: usize) -> Vec<MemcachedServer> {
    (0..count).map(|_| MemcachedServer::start().unwrap()).collect()
}

/// Begins a client that has the time of a busy machine.
pub fn builder(servers: &[MemcachedServer]) -> MemcachedBuilder {
    let servers = servers.iter().map(MemcachedServer::address);
    MemcachedClient::builder().servers(servers).checksum_key("tests").deadline(secs(20))
}

pub fn client(servers: &[MemcachedServer]) -> MemcachedClient {
    builder(servers).build().unwrap()
}

/// A server and two clients of it, as two processes would have them.
pub struct Pair {
    pub server: MemcachedServer,
    pub one: MemcachedClient,
    pub other: MemcachedClient,
}

pub fn pair(transport: Transport) -> Pair {
    let servers = servers(1);
    let [one, other] = [(); 2].map(|()| builder(&servers).transport(transport).build().unwrap());
    Pair { server: { servers }.remove(0), one, other }
}

/// Returns how many items the server holds, pages and stubs included.
pub fn items(server: &MemcachedServer) -> usize {
    server.stats().unwrap()["curr_items"].parse().unwrap()
}

/// Returns the wire keys of all that the server holds.
pub fn wire_keys(server: &MemcachedServer) -> Vec<String> {
    let mut keys = Vec::new();
    // The server passes over what it moves just then.
    eventually("the keys are told", || {
        keys = told_keys(server);
        keys.len() == items(server)
    });
    keys
}

fn told_keys(server: &MemcachedServer) -> Vec<String> {
    // Another thread of the server answers, which a `quit` would cut off.
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"lru_crawler metadump all\r\n").unwrap();
    // One that is busy with it for another says so, and is asked again.
    let is_over = |line: &str| line.trim_end() == "END" || line.starts_with("BUSY ");
    let lines = BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| !is_over(line));
    lines.filter_map(|line| Some(unescaped(line.strip_prefix("key=")?.split(' ').next()?))).collect()
}

/// Undoes percent-encoding.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push(char::from(u8::from_str_radix(&part[..2], 16).unwrap()));
        plain.push_str(&part[2..]);
    }
    plain
}

/// Waits for what others bring about; fails if they do not.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn key(key: &str) -> Key {
    Key::new(key).unwrap()
}

/// What a claim for a text says, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Fresh(String),
    Due(String, Token),
    DueElsewhere(String),
    Absent(Token),
    AbsentElsewhere,
}

impl Said {
    /// Returns the token of a claim that was won.
    #[track_caller]
    pub fn token(self) -> Token {
        match self {
            Self::Due(_, token) | Self::Absent(token) => token,
            other => panic!("not won: {other:?}"),
        }
    }

    pub fn is_won(&self) -> bool {
        matches!(self, Self::Due(..) | Self::Absent(_))
    }
}

/// Claims a key for a lease of an hour; what is valid is not due.
pub fn claim(client: &impl Client<String>, key: &Key) -> Said {
    claim_with(client, key, ClaimOptions::new(HOUR))
}

/// Claims a key for a lease of an hour; what is valid is due.
pub fn claim_due(client: &impl Client<String>, key: &Key) -> Said {
    claim_with(client, key, ClaimOptions::new(HOUR).refresh_below(100_000 * HOUR))
}

pub fn claim_with(client: &impl Client<String>, key: &Key, options: ClaimOptions<'_, String>) -> Said {
    match client.claim(key, options).wait().unwrap() {
        Claim::Fresh(entry) => Said::Fresh(entry.value),
        Claim::Due(entry, token) => Said::Due(entry.value, token),
        Claim::DueElsewhere(entry) => Said::DueElsewhere(entry.value),
        Claim::Absent(token) => Said::Absent(token),
        Claim::AbsentElsewhere => Said::AbsentElsewhere,
    }
}

/// Stores what a claim was taken for, for an hour.
pub fn fill(client: &impl Client<String>, key: &Key, token: Token, value: &str) -> bool {
    client.fill(key, token, value.to_owned(), HOUR).wait().unwrap()
}

pub fn get(client: &impl Client<String>, key: &Key) -> Option<String> {
    use chorde_core::CacheExt as _;
    client.get(key).wait().unwrap()
}

pub fn put(client: &impl Client<String>, key: &Key, value: &str) {
    use chorde_core::CacheExt as _;
    client.put(key, value.to_owned(), HOUR).wait().unwrap();
}

/// Declares each of these functions as a test of both transports.
#[macro_export]
macro_rules! on_both_transports {
    ($($name:ident)*) => {
        mod meta {
            $(#[test] fn $name() { super::$name(chorde_memcache::Transport::Meta); })*
        }
        mod classic {
            $(#[test] fn $name() { super::$name(chorde_memcache::Transport::Classic); })*
        }
    };
}
