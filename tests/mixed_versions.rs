//! A fleet in which half of the processes store in a later version of the format: each half computes for itself what the
//! other has stored, nobody sees a wrong value or an error, and nothing is stored or removed without a computation.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::sync::LazyLock;

use chorde::MemcachedClient;
use chorde::memcache::Compression;
use chorde::memcache::testing::{FakeServer, MemcachedServer, Request};
use chorde::prelude::*;
use support::{Count, bounded, millis, secs};
use tokio::runtime::{Builder, Runtime};

/// Where the version stands in an item, behind its two bytes of a mark.
const VERSION: usize = 2;

/// A version of which today's code knows nothing.
const UNKNOWN: u8 = 255;

/// Stands between a server and a client of a later version: what that stores has version 2 on the server, and is shown to
/// it as it was stored; what is of version 1 there, it does not know.
fn later(server: &MemcachedServer) -> FakeServer {
    let address = server.address();
    let script = move |peer: &mut chorde::memcache::testing::Peer<'_>| {
        let mut real = BufReader::new(TcpStream::connect(&address)?);
        real.get_ref().set_nodelay(true)?;
        loop {
            let request = peer.request()?;
            peer.send(ask(&mut real, &request)?)?;
        }
    };
    FakeServer::start(script).unwrap()
}

fn ask(real: &mut BufReader<TcpStream>, request: &Request) -> Result<Vec<u8>> {
    let mut bytes = format!("{}\r\n", request.line()).into_bytes();
    if let Some(data) = request.data() {
        let mut data = data.to_vec();
        reversion(&mut data, |_| 2);
        bytes.extend([&data[..], b"\r\n"].concat());
    }
    real.get_mut().write_all(&bytes)?;
    let mut reply = Vec::new();
    if real.read_until(b'\n', &mut reply)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let line = String::from_utf8_lossy(&reply).into_owned();
    if let Some(length) = line.strip_prefix("VA ") {
        let length: usize = length.split_whitespace().next().unwrap().parse().map_err(Error::other)?;
        let mut data = vec![0; length + 2];
        real.read_exact(&mut data)?;
        reversion(&mut data, |version| if version == 2 { 1 } else { UNKNOWN });
        reply.extend(data);
    }
    Ok(reply)
}

/// Changes the version of an item of ours.
fn reversion(data: &mut [u8], version: impl Fn(u8) -> u8) {
    if data.starts_with(b"\xc4\x0d") && data.len() > VERSION {
        data[VERSION] = version(data[VERSION]);
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

static SERVER: LazyLock<MemcachedServer> = LazyLock::new(|| MemcachedServer::start().unwrap());
static FRONT: LazyLock<FakeServer> = LazyLock::new(|| later(&SERVER));
static EARLIER: LazyLock<MemcachedClient> = LazyLock::new(|| client(SERVER.address()));
static LATER: LazyLock<MemcachedClient> = LazyLock::new(|| client(FRONT.address()));

fn client(server: String) -> MemcachedClient {
    let builder = MemcachedClient::builder().servers([server]).checksum_key("tests").deadline(secs(20));
    let builder = builder.probe_pauses(millis(20)..=millis(200)).item_size(2048).compression(Compression::off());
    builder.build().unwrap()
}

static BY_EARLIER: Count = Count::new();
static BY_LATER: Count = Count::new();

/// The same function in two programs: a number for small keys, several pages for large ones.
fn text(x: u64) -> String {
    if x < 100 { x.to_string() } else { x.to_string().repeat(3000) }
}

#[cached(client = EARLIER, ttl = 600, namespace = "mixed")]
async fn earlier(x: u64) -> String {
    BY_EARLIER.up();
    text(x)
}

#[cached(client = LATER, ttl = 600, namespace = "mixed")]
async fn later_one(x: u64) -> String {
    BY_LATER.up();
    text(x)
}

fn runs() -> (u64, u64) {
    (BY_EARLIER.get(), BY_LATER.get())
}

/// How often the server has stored and removed an item, and how many it holds.
fn changes() -> (u64, u64, u64) {
    let stats = SERVER.stats().unwrap();
    let number = |name: &str| stats[name].parse::<u64>().unwrap();
    (number("cmd_set"), number("delete_hits"), number("curr_items"))
}

/// All in one: the counts are those of the server and of the functions.
#[test]
fn versions_miss_each_other_and_compute_for_themselves() {
    bounded(|| {
        runtime().block_on(async {
            each_reads_its_own().await;
            looking_changes_nothing().await;
            pages_do_not_pile_up().await;
        });
        many_at_once();
        let (one, other) = (EARLIER.stats(), LATER.stats());
        for stats in [&one, &other] {
            assert_eq!((stats.damaged, stats.failures, stats.timeouts, stats.outages), (0, 0, 0, 0), "{stats:?}");
        }
        assert!(one.foreign > 0 && other.foreign > 0);
        let (earlier, later) = runs();
        println!(
            "mixed versions: {} and {} values of the other version missed, {earlier} and {later} computations",
            one.foreign, other.foreign
        );
    });
}

async fn each_reads_its_own() {
    for round in 1..=20 {
        for _ in 0..3 {
            assert_eq!(earlier(1).await, text(1));
        }
        assert_eq!(runs(), (round, round - 1), "one computation, and then its own value");
        for _ in 0..3 {
            assert_eq!(later_one(1).await, text(1));
        }
        assert_eq!(runs(), (round, round));
    }
    assert_eq!(changes(), (40, 0, 1), "as many stored as computed, nothing removed");
    // What one has put, the other computes.
    earlier::put(1, "put".into()).await.unwrap();
    assert_eq!((earlier(1).await, later_one(1).await), ("put".to_owned(), text(1)));
    assert_eq!(runs(), (20, 21));
    earlier::invalidate(1).await.unwrap();
    assert_eq!((later_one::peek(1).await, changes().2), (None, 0), "what is removed is removed for both");
}

async fn looking_changes_nothing() {
    assert_eq!(later_one(2).await, text(2));
    let before = (changes(), runs());
    for _ in 0..50 {
        assert_eq!(earlier::peek(2).await, None);
        assert!(earlier::get_ttl(2).await.is_none());
        assert_eq!(EARLIER.get_multi::<String>(&[2, 3]).await.unwrap(), [None, None]);
        assert_eq!(later_one::peek(2).await, Some(text(2)));
    }
    assert_eq!((changes(), runs()), before);
    later_one::invalidate(2).await.unwrap();
}

async fn pages_do_not_pile_up() {
    assert_eq!((earlier(100).await, changes().2 > 3), (text(100), true));
    let items = changes().2;
    for _ in 0..10 {
        assert_eq!((later_one(100).await, earlier(100).await), (text(100), text(100)));
    }
    // Pages are removed behind the callers' backs.
    support::eventually("the pages of the other version are removed", || changes().2 == items);
    earlier::invalidate(100).await.unwrap();
    support::eventually("and the last ones", || changes().2 == 0);
}

fn many_at_once() {
    let (before, stored) = (runs(), changes().0);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                runtime().block_on(async {
                    for call in 0..150 {
                        let key = 10 + (call + thread) % 5;
                        let got = if thread % 2 == 0 { earlier(key).await } else { later_one(key).await };
                        assert_eq!(got, text(key));
                    }
                });
            });
        }
    });
    let computed = runs().0 - before.0 + runs().1 - before.1;
    let stored = changes().0 - stored;
    assert!(stored <= computed, "{stored} stored, {computed} computed");
    assert!(computed <= 600, "no more computations than calls");
}
