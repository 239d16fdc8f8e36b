//! Every command, answered by a real memcached.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use chorde_core::Clock;

use super::server::Server;
use super::*;
use crate::node::classic::Limits;
use crate::server::Address;

/// Says something to a server as it is, and returns what it answers up to `end`.
fn raw(server: &Server, say: &[u8], end: &[u8]) -> String {
    let mut stream = UnixStream::connect(server.socket()).unwrap();
    stream.write_all(say).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(end) {
        let mut chunk = [0; 4096];
        let got = stream.read(&mut chunk).unwrap();
        assert!(got > 0);
        answer.extend_from_slice(&chunk[..got]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Returns the number that names the state of an item.
async fn cas(classic: &Classic, key: &[u8]) -> u64 {
    item(classic, Command::Head { key }).await.cas
}

#[tokio::test]
async fn what_is_stored_is_read_as_it_was_with_all_that_is_known_of_it() {
    let server = Server::start(&[]);
    let classic = server.client();
    assert_eq!(ask(&classic, get(b"k")).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, Command::Head { key: b"k" }).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, store(b"k", b"data\r\nEND\r\n", How::Set)).await, Ok(Reply::Done));
    let got = item(&classic, get(b"k")).await;
    assert_eq!((&got.data[..], got.size, got.flags), (&b"data\r\nEND\r\n"[..], 11, 7));
    assert!(got.left.is_some_and(|left| (90..=101).contains(&left)), "{:?}", got.left);
    assert!(!got.won && !got.held && !got.stale && got.cas > 0);
    let head = item(&classic, Command::Head { key: b"k" }).await;
    assert!(head.left.is_some());
    assert_eq!(head, Item { data: Bytes::new(), left: head.left, ..got });
}

#[tokio::test]
async fn the_server_forgets_an_item_at_the_end_that_the_prefix_tells() {
    let server = Server::start(&[]);
    let classic = server.client();
    for life in [Life(100), Life(30 * 86400), Life(30 * 86400 + 1), Life(400 * 86400)] {
        let command = Command::Store { key: b"k", data: Bytes::from_static(b"x"), flags: 0, life, how: How::Set };
        assert_eq!(ask(&classic, command).await, Ok(Reply::Done));
        let left = item(&classic, get(b"k")).await.left.unwrap();
        assert!(left.abs_diff(life.0) <= 60, "{left}");
        let meta = raw(&server, b"mg k t\r\n", b"\r\n");
        let theirs: u32 = meta.trim().strip_prefix("HD t").unwrap().parse().unwrap();
        assert!(theirs.abs_diff(left) <= 60, "{theirs} {left}");
    }
    let forever =
        Command::Store { key: b"k", data: Bytes::from_static(b"x"), flags: 0, life: Life(u32::MAX), how: How::Set };
    assert_eq!(ask(&classic, forever).await, Ok(Reply::Done));
    assert_eq!(item(&classic, get(b"k")).await.size, 1);
}

#[tokio::test]
async fn add_stores_only_where_nothing_is() {
    let server = Server::start(&[]);
    let classic = server.client();
    assert_eq!(ask(&classic, store(b"k", b"one", How::Add)).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, store(b"k", b"two", How::Add)).await, Ok(Reply::Exists));
    assert_eq!(item(&classic, get(b"k")).await.data, "one");
    assert!(item(&classic, claim(b"stub")).await.won);
    assert_eq!(ask(&classic, store(b"stub", b"x", How::Add)).await, Ok(Reply::Exists));
}

#[tokio::test]
async fn cas_stores_only_over_the_state_that_it_names() {
    let server = Server::start(&[]);
    let classic = server.client();
    assert_eq!(ask(&classic, store(b"k", b"none", How::Cas(1))).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, store(b"k", b"one", How::Set)).await, Ok(Reply::Done));
    let first = cas(&classic, b"k").await;
    assert_eq!(ask(&classic, store(b"k", b"two", How::Cas(first))).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, store(b"k", b"three", How::Cas(first))).await, Ok(Reply::Exists));
    assert_eq!(item(&classic, get(b"k")).await.data, "two");
}

#[tokio::test]
async fn what_the_server_has_no_room_for_is_told_and_what_it_was_to_replace_is_gone() {
    let server = Server::start(&[]);
    let classic = server.client();
    let large = |how| Command::Store { key: b"k", data: vec![b'x'; 1_100_000].into(), flags: 0, life: Life(100), how };
    assert_eq!(ask(&classic, large(How::Add)).await, Ok(Reply::TooLarge));
    for _ in 0..2 {
        assert_eq!(ask(&classic, store(b"k", b"old", How::Set)).await, Ok(Reply::Done));
        assert_eq!(ask(&classic, large(How::Set)).await, Ok(Reply::TooLarge));
        assert_eq!(ask(&classic, get(b"k")).await, Ok(Reply::Missing));
    }
    assert_eq!(ask(&classic, store(b"k", b"old", How::Set)).await, Ok(Reply::Done));
    let old = cas(&classic, b"k").await;
    assert_eq!(ask(&classic, large(How::Cas(old + 1))).await, Ok(Reply::TooLarge));
    assert_eq!(item(&classic, get(b"k")).await.data, "old");
    assert_eq!(ask(&classic, large(How::Cas(old))).await, Ok(Reply::TooLarge));
    assert_eq!(ask(&classic, get(b"k")).await, Ok(Reply::Missing));
    assert_eq!(classic.pool.idle.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_too_large_for_us_is_not_stored_at_all() {
    let server = Server::start(&[]);
    let limits = Limits { largest: 1000, ..Limits::default() };
    let classic = Classic::new(Address::Unix(server.socket()).into(), Clock::system(), limits);
    let sized = |size, how| Command::Store { key: b"k", data: vec![b'x'; size].into(), flags: 0, life: Life(100), how };
    assert_eq!(ask(&classic, sized(992, How::Set)).await, Ok(Reply::Done));
    assert_eq!(item(&classic, get(b"k")).await.size, 992);
    for how in [How::Add, How::Cas(1), How::Set] {
        assert_eq!(ask(&classic, sized(993, how)).await, Ok(Reply::TooLarge));
    }
    assert_eq!(ask(&classic, get(b"k")).await, Ok(Reply::Missing));
}

#[tokio::test]
async fn touch_sets_what_is_left_and_answers_the_number_that_holds() {
    let server = Server::start(&[]);
    let classic = server.client();
    let touch = Command::Touch { key: b"k", life: Life(5000) };
    assert_eq!(ask(&classic, touch.clone()).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, store(b"k", b"data", How::Set)).await, Ok(Reply::Done));
    let touched = item(&classic, touch).await;
    assert_eq!((touched.size, touched.flags, touched.data.len()), (4, 7, 0));
    assert!(touched.left.is_some_and(|left| left > 4900));
    assert_eq!(ask(&classic, store(b"k", b"next", How::Cas(touched.cas))).await, Ok(Reply::Done));
    assert_eq!(item(&classic, get(b"k")).await.data, "next");
}

#[tokio::test]
async fn delete_removes_and_tells_whether_there_was_anything() {
    let server = Server::start(&[]);
    let classic = server.client();
    let delete = |cas| Command::Delete { key: b"k", cas };
    assert_eq!(ask(&classic, delete(None)).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, delete(Some(3))).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, store(b"k", b"data", How::Set)).await, Ok(Reply::Done));
    let held = cas(&classic, b"k").await;
    assert_eq!(ask(&classic, delete(Some(held + 1))).await, Ok(Reply::Exists));
    assert_eq!(item(&classic, get(b"k")).await.data, "data");
    assert_eq!(ask(&classic, delete(Some(held))).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, get(b"k")).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, store(b"k", b"data", How::Add)).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, delete(None)).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, delete(None)).await, Ok(Reply::Missing));
    assert_eq!(ask(&classic, Command::PutNumber { key: b"k", number: 7 }).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, delete(None)).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, Command::Number { key: b"k" }).await, Ok(Reply::Missing));
}

#[tokio::test]
async fn numbers_are_counted_from_their_first_value_and_added_once() {
    let server = Server::start(&[]);
    let classic = server.client();
    let count = Command::Count { key: b"n", initial: 1000 };
    let number = Command::Number { key: b"n" };
    assert_eq!(ask(&classic, number.clone()).await, Ok(Reply::Missing));
    for expected in 1000..1003 {
        assert_eq!(ask(&classic, count.clone()).await, Ok(Reply::Number(expected)));
        assert_eq!(ask(&classic, number.clone()).await, Ok(Reply::Number(expected)));
    }
    for (put, there) in [(5, 1002), (2000, 2000)] {
        assert_eq!(ask(&classic, Command::PutNumber { key: b"n", number: put }).await, Ok(Reply::Done));
        assert_eq!(ask(&classic, number.clone()).await, Ok(Reply::Number(there)));
    }
    assert_eq!(ask(&classic, Command::PutNumber { key: b"m", number: u64::MAX }).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, Command::Number { key: b"m" }).await, Ok(Reply::Number(u64::MAX)));
    assert_eq!(ask(&classic, store(b"k", b"data", How::Set)).await, Ok(Reply::Done));
    for command in [Command::Number { key: b"k" }, Command::Count { key: b"k", initial: 0 }] {
        assert!(matches!(ask(&classic, command).await, Err(Failure::Protocol(_))));
    }
    assert_eq!(item(&classic, get(b"k")).await.data, "data");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counting_at_once_counts_each() {
    let server = Server::start(&[]);
    let classic = std::sync::Arc::new(server.client());
    let counts: Vec<_> = (0..50)
        .map(|_| {
            let classic = classic.clone();
            tokio::spawn(async move { ask(&classic, Command::Count { key: b"n", initial: 1 }).await })
        })
        .collect();
    let mut numbers = Vec::new();
    for count in counts {
        match count.await.unwrap() {
            Ok(Reply::Number(number)) => numbers.push(number),
            other => panic!("{other:?}"),
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_others_stored_is_given_as_it_is_and_never_ends() {
    let server = Server::start(&[]);
    let classic = server.client();
    raw(&server, b"set long 3 0 12\r\n0123456789ab\r\nset short 0 0 3\r\nabc\r\n", b"STORED\r\nSTORED\r\n");
    for (key, data) in [(&b"long"[..], "0123456789ab"), (b"short", "abc")] {
        let found = item(&classic, claim(key)).await;
        let expected = Item { data: data.into(), size: data.len() as u32, cas: found.cas, ..Item::default() };
        assert_eq!(found, expected);
    }
    assert_eq!(ask(&classic, Command::MarkStale { key: b"short", life: None, cas: None }).await, Ok(Reply::Done));
    assert_eq!(ask(&classic, get(b"short")).await, Ok(Reply::Missing));
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order() {
    let server = Server::start(&[]);
    let classic = server.client();
    let batch = [
        store(b"a", b"1", How::Set),
        store(b"b", b"2", How::Add),
        get(b"b"),
        get(b"none"),
        Command::Delete { key: b"a", cas: None },
        get(b"a"),
        store(b"b", b"3", How::Add),
    ];
    let replies = classic.ask(&Handle::current(), &batch, PATIENCE).unwrap().await.unwrap();
    assert!(matches!(&replies[2], Reply::Item(item) if item.data == "2"));
    let others: Vec<_> = replies.iter().filter(|reply| !matches!(reply, Reply::Item(_))).collect();
    let expected = [Reply::Done, Reply::Done, Reply::Missing, Reply::Done, Reply::Missing, Reply::Exists];
    assert_eq!(others, expected.iter().collect::<Vec<_>>());
    assert!(classic.ask(&Handle::current(), &[], PATIENCE).unwrap().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_large_item_goes_both_ways_whole() {
    let server = Server::start(&["-I", "4m"]);
    let classic = server.client();
    let data: Bytes = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let command = Command::Store { key: b"k", data: data.clone(), flags: 1, life: Life(100), how: How::Set };
    assert_eq!(ask(&classic, command).await, Ok(Reply::Done));
    assert!(item(&classic, get(b"k")).await.data == data);
}

#[test]
fn a_caller_needs_no_runtime() {
    let server = Server::start(&[]);
    let home = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let classic = server.client();
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let commands = [store(b"k", b"data", How::Set), get(b"k")];
    let mut asking = std::pin::pin!(classic.ask(home.handle(), &commands, PATIENCE).unwrap());
    let replies = loop {
        match asking.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(replies) => break replies.unwrap(),
            std::task::Poll::Pending => std::thread::park(),
        }
    };
    assert!(matches!(&replies[1], Reply::Item(item) if item.data == "data"));
}
