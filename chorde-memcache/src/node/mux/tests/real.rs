//! All commands and replies against memcached itself.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::*;
use crate::testing::MemcachedServer;

/// A memcached of its own for each test, at a unix socket.
struct Memcached(MemcachedServer);

impl Memcached {
    fn start(arguments: &[&str]) -> Self {
        Self(MemcachedServer::builder().unix().args(arguments).start().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.address().trim_start_matches("unix:").into()
    }

    fn connect(&self) -> Arc<Mux> {
        Mux::spawn(&Handle::current(), Address::Unix(self.path()).into(), Limits::default(), Clock::system())
    }
}

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

const KEY: &[u8] = b"key";

async fn said(mux: &Mux, command: Command<'_>) -> Reply {
    only(mux.ask(&[command], PATIENCE).unwrap().await)
}

async fn shown(mux: &Mux, command: Command<'_>) -> Item {
    match said(mux, command).await {
        Reply::Item(item) => item,
        other => panic!("{other:?}"),
    }
}

fn store(data: &'static [u8], life: u32, how: How) -> Command<'static> {
    Command::Store { key: KEY, data: Bytes::from_static(data), flags: 77, life: Life(life), how }
}

const CLAIM: Command<'static> = Command::Claim { key: KEY, lease: 30, refresh: 60 };

/// Asserts what is left. The server's clock may be a second behind where it was told an absolute time, and the test may
/// be slow. Returns the rest.
#[track_caller]
fn left(item: Item, life: u32) -> Item {
    let left = item.left.unwrap();
    assert!((life / 2 + 1..=life + 1).contains(&left), "{left} instead of {life}");
    Item { left: None, ..item }
}

#[tokio::test]
async fn what_is_stored_is_read_with_all_that_is_known_of_it() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    assert_eq!(said(&mux, Command::Get { key: KEY }).await, Reply::Missing);
    assert_eq!(said(&mux, Command::Head { key: KEY }).await, Reply::Missing);
    assert_eq!(said(&mux, Command::Touch { key: KEY, life: Life(9) }).await, Reply::Missing);
    assert_eq!(said(&mux, Command::Refresh { key: KEY, refresh: 1, lease: 1 }).await, Reply::Missing);
    assert_eq!(said(&mux, store(b"value", 100, How::Set)).await, Reply::Done);
    let head = left(shown(&mux, Command::Head { key: KEY }).await, 100);
    let expected = Item { size: 5, flags: 77, cas: head.cas, ..Item::default() };
    assert_eq!(head, expected);
    let got = left(shown(&mux, Command::Get { key: KEY }).await, 100);
    assert_eq!(got, Item { data: Bytes::from_static(b"value"), ..expected.clone() });
    let touched = left(shown(&mux, Command::Touch { key: KEY, life: Life(200) }).await, 200);
    assert_eq!(touched, expected);
    left(shown(&mux, Command::Touch { key: KEY, life: Life(40 * 86_400) }).await, 40 * 86_400);
    said(&mux, store(b"", 31 * 86_400, How::Set)).await;
    let empty = left(shown(&mux, Command::Get { key: KEY }).await, 31 * 86_400);
    assert_eq!((empty.size, empty.data), (0, Bytes::new()));
}

#[tokio::test]
async fn add_stores_once_and_cas_only_over_the_item_it_names() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    assert_eq!(said(&mux, store(b"1", 100, How::Cas(1))).await, Reply::Missing);
    assert_eq!(said(&mux, store(b"1", 100, How::Add)).await, Reply::Done);
    assert_eq!(said(&mux, store(b"2", 100, How::Add)).await, Reply::Exists);
    let cas = shown(&mux, Command::Head { key: KEY }).await.cas;
    assert_eq!(said(&mux, store(b"3", 100, How::Cas(cas + 1))).await, Reply::Exists);
    assert_eq!(said(&mux, store(b"4", 100, How::Cas(cas))).await, Reply::Done);
    assert_eq!(said(&mux, Command::Delete { key: KEY, cas: Some(cas) }).await, Reply::Exists);
    assert_eq!(said(&mux, Command::MarkStale { key: KEY, life: None, cas: Some(cas) }).await, Reply::Exists);
    let cas = shown(&mux, Command::Head { key: KEY }).await.cas;
    assert_eq!(said(&mux, Command::Delete { key: KEY, cas: Some(cas) }).await, Reply::Done);
    assert_eq!(said(&mux, Command::Delete { key: KEY, cas: None }).await, Reply::Missing);
    assert_eq!(said(&mux, Command::MarkStale { key: KEY, life: None, cas: None }).await, Reply::Missing);
}

#[tokio::test]
async fn one_wins_a_miss_and_stores_unless_the_stub_was_removed_meanwhile() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    let won = left(shown(&mux, CLAIM).await, 30);
    assert_eq!(won, Item { cas: won.cas, won: true, ..Item::default() });
    let held = left(shown(&mux, CLAIM).await, 30);
    assert_eq!(held, Item { cas: won.cas, held: true, ..Item::default() });
    assert_eq!(said(&mux, store(b"no", 100, How::Add)).await, Reply::Exists, "a stub is in the way");
    assert_eq!(said(&mux, store(b"value", 100, How::Cas(won.cas))).await, Reply::Done);
    let fresh = left(shown(&mux, CLAIM).await, 100);
    assert_eq!((fresh.won, fresh.held, &fresh.data[..]), (false, false, &b"value"[..]));

    assert_eq!(said(&mux, Command::Delete { key: KEY, cas: None }).await, Reply::Done);
    let won = shown(&mux, CLAIM).await;
    assert_eq!(said(&mux, Command::Delete { key: KEY, cas: Some(won.cas) }).await, Reply::Done);
    assert_eq!(said(&mux, store(b"late", 100, How::Cas(won.cas))).await, Reply::Missing);
    assert!(shown(&mux, CLAIM).await.won, "the next one wins at once");
}

#[tokio::test]
async fn one_wins_a_refresh_of_what_has_little_left() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    said(&mux, store(b"value", 50, How::Set)).await;
    let early = Command::Refresh { key: KEY, refresh: 10, lease: 30 };
    let due = Command::Refresh { key: KEY, refresh: 60, lease: 30 };
    assert!(!shown(&mux, early).await.won);
    let won = left(shown(&mux, due.clone()).await, 50);
    assert_eq!(won, Item { size: 5, flags: 77, cas: won.cas, won: true, ..Item::default() });
    let held = shown(&mux, due).await;
    assert!(held.held && !held.won);
    let claimed = shown(&mux, CLAIM).await;
    assert!(claimed.held && !claimed.won && claimed.data == b"value"[..]);
    assert_eq!(said(&mux, store(b"new", 100, How::Cas(won.cas))).await, Reply::Done);
    let fresh = shown(&mux, CLAIM).await;
    assert!(!fresh.held && !fresh.won && fresh.data == b"new"[..]);
    assert!(shown(&mux, Command::Claim { key: KEY, lease: 30, refresh: 0 }).await.data == b"new"[..]);
}

#[tokio::test]
async fn what_is_marked_as_stale_is_won_by_one_and_takes_back_an_earlier_win() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    said(&mux, store(b"value", 50, How::Set)).await;
    let first = shown(&mux, CLAIM).await;
    assert!(first.won);
    let mark = Command::MarkStale { key: KEY, life: Some(Life(20)), cas: Some(first.cas) };
    assert_eq!(said(&mux, mark.clone()).await, Reply::Done);
    assert_eq!(said(&mux, mark).await, Reply::Exists, "one repairs");
    let second = left(shown(&mux, CLAIM).await, 20);
    assert!(second.won && second.stale && !second.held && second.data == b"value"[..]);
    let third = shown(&mux, CLAIM).await;
    assert!(!third.won && third.stale && third.held);
    assert_eq!(said(&mux, store(b"late", 100, How::Cas(first.cas))).await, Reply::Exists);
    assert_eq!(said(&mux, store(b"new", 100, How::Cas(second.cas))).await, Reply::Done);
    assert_eq!(said(&mux, Command::MarkStale { key: KEY, life: None, cas: None }).await, Reply::Done);
    let stale = left(shown(&mux, CLAIM).await, 100);
    assert!(stale.won && stale.stale);
}

#[tokio::test]
async fn numbers_begin_where_told_count_up_and_stay_for_ever() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    let count = Command::Count { key: KEY, initial: 41 };
    assert_eq!(said(&mux, Command::Number { key: KEY }).await, Reply::Missing);
    assert_eq!(said(&mux, count.clone()).await, Reply::Number(41));
    assert_eq!(said(&mux, count.clone()).await, Reply::Number(42));
    assert_eq!(said(&mux, Command::Number { key: KEY }).await, Reply::Number(42));
    assert_eq!(shown(&mux, Command::Head { key: KEY }).await.left, None, "for ever");
    assert_eq!(said(&mux, Command::PutNumber { key: KEY, number: 7 }).await, Reply::Done);
    assert_eq!(said(&mux, Command::Number { key: KEY }).await, Reply::Number(7));
    let other = Command::PutNumber { key: b"other", number: u64::MAX };
    assert_eq!(said(&mux, other).await, Reply::Done);
    assert_eq!(shown(&mux, Command::Head { key: b"other" }).await.left, None, "for ever");
    assert_eq!(said(&mux, Command::Number { key: b"other" }).await, Reply::Number(u64::MAX));
    assert_eq!(said(&mux, Command::Count { key: b"other", initial: 1 }).await, Reply::Number(0));
    assert_eq!(said(&mux, Command::Number { key: b"other" }).await, Reply::Number(0), "padded with spaces");

    said(&mux, store(b"text", 100, How::Set)).await;
    assert_protocol(mux.ask(&[count], PATIENCE).unwrap().await, "non-numeric");
    assert_protocol(mux.ask(&[Command::Number { key: KEY }], PATIENCE).unwrap().await, "number");
    assert_eq!(shown(&mux, Command::Get { key: KEY }).await.data, b"text"[..], "the connection is as good as before");
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_the_connection_kept() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    said(&mux, store(b"old", 100, How::Set)).await;
    let large = Command::Store { key: KEY, data: vec![0; 2 << 20].into(), flags: 0, life: Life(100), how: How::Set };
    assert_eq!(said(&mux, large).await, Reply::TooLarge);
    assert_eq!(said(&mux, Command::Get { key: KEY }).await, Reply::Missing, "the old value is gone");
    let data = Bytes::from(vec![b'x'; 1_000_000]);
    let largest = Command::Store { key: KEY, data: data.clone(), flags: 0, life: Life(100), how: How::Set };
    assert_eq!(said(&mux, largest).await, Reply::Done);
    assert!(shown(&mux, Command::Get { key: KEY }).await.data == data);
}

#[tokio::test]
async fn a_server_without_memory_refuses_and_the_connection_is_kept() {
    let server = Memcached::start(&["-M", "-m", "2"]);
    let mux = server.connect();
    let keys: Vec<_> = (0..4000).map(|index| format!("key{index}")).collect();
    let commands: Vec<_> = keys.iter().map(|key| put(key, vec![0; 1000])).collect();
    let replies = mux.ask(&commands, PATIENCE).unwrap().await.unwrap();
    assert_eq!(replies.first(), Some(&Reply::Done));
    assert_eq!(replies.last(), Some(&Reply::TooLarge));
    assert!(matches!(said(&mux, get("key0")).await, Reply::Item(_)));
}

#[tokio::test]
async fn a_server_with_too_many_connections_is_known_as_such() {
    let server = Memcached::start(&["-c", "40"]);
    let mut crowd = Vec::new();
    // The server counts a connection only once a thread serves it, so each one is made to answer before the next.
    loop {
        let mut stream = UnixStream::connect(server.path()).unwrap();
        let mut answer = [0; 5];
        stream.write_all(b"version\r\n").ok();
        stream.read_exact(&mut answer).unwrap();
        if answer == *b"ERROR" {
            break;
        }
        crowd.push(stream);
    }
    let failure = ask(&server.connect(), "a").await.unwrap_err();
    assert_eq!(failure, Failure::TooManyConnections);
    drop(crowd);
}

#[tokio::test]
async fn a_batch_whose_replies_fill_all_buffers_comes_through() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    assert_eq!(said(&mux, put("k", vec![b'v'; 2000])).await, Reply::Done);
    let key = "k".to_owned();
    let commands = vec![get(&key); 30_000];
    let replies = mux.ask(&commands, PATIENCE).unwrap().await.unwrap();
    assert_eq!(replies.len(), 30_000);
    assert!(replies.iter().all(|reply| matches!(reply, Reply::Item(item) if item.data.len() == 2000)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_on_several_threads_get_their_own_values_while_others_go_away() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    let tasks: Vec<_> = (0..50)
        .map(|task| {
            let mux = Arc::clone(&mux);
            tokio::spawn(async move {
                for round in 0..100 {
                    let (key, data) = (format!("key{task}"), format!("{task}:{round}"));
                    assert_eq!(said(&mux, put(&key, data.clone())).await, Reply::Done);
                    drop(ask(&mux, &key));
                    let mut unfinished = ask(&mux, &key);
                    let waker = std::task::Waker::noop();
                    drop(Pin::new(&mut unfinished).poll(&mut Context::from_waker(waker)));
                    drop(unfinished);
                    assert_eq!(shown(&mux, get(&key)).await.data, data);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_is_killed_closes_the_connection() {
    let server = Memcached::start(&[]);
    let mux = server.connect();
    assert_eq!(said(&mux, get("a")).await, Reply::Missing);
    drop(server);
    closed(&mux).await;
    assert!(matches!(mux.ask(&[get("a")], PATIENCE), Err(Failure::Closed { unsent: true, .. })));
}
