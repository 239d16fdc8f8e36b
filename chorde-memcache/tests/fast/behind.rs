//! `write_behind`.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use chorde_core::{Claim, ClaimOptions, Token};

use super::*;

/// Makes a client whose writes wait until something asks for more than a read.
fn waiting(server: &MemcachedServer) -> MemcachedClient {
    builder(server.address()).write_behind(WriteBehind::new().pause(LONG)).build().unwrap()
}

fn flush(client: &MemcachedClient) {
    client.flush().wait().unwrap();
}

#[test]
fn a_queued_value_is_readable_at_once_in_every_way() {
    let server = MemcachedServer::start_unix().unwrap();
    let (client, other) = (waiting(&server), plain(&server));
    put(&client, "one", 1);
    client.put_multi(&[("two", 2_u32), ("three", 3)], LONG).wait().unwrap();
    put(&other, "stored", 4);
    assert_eq!(get(&client, "one"), Some(1));
    let names = ["three", "absent", "stored", "one"];
    assert_eq!(client.get_multi::<u32>(&names).wait().unwrap(), [Some(3), None, Some(4), Some(1)]);
    assert!(client.contains("two").wait().unwrap());
    assert!(!client.contains_for("two", 2 * LONG).wait().unwrap());
    assert_eq!(get(&other, "one"), None, "nothing was written yet");
    flush(&client);
    assert_eq!(other.get_multi::<u32>(&["one", "two", "three"]).wait().unwrap(), [Some(1), Some(2), Some(3)]);
}

#[test]
fn values_are_written_by_themselves() {
    let server = FakeServer::canned("1.6.18", "x").unwrap();
    let client = builder(server.address()).write_behind(WriteBehind::new()).build().unwrap();
    for round in 1..=3 {
        put(&client, "k", 1);
        // The task has ended in between, or not.
        await_lines(&server, "ms ", round);
    }
}

#[test]
fn a_later_value_takes_the_place_of_a_queued_one() {
    let server = MemcachedServer::start_unix().unwrap();
    let client = waiting(&server);
    for value in 0..100 {
        put(&client, "k", value);
        assert_eq!(get(&client, "k"), Some(value));
    }
    flush(&client);
    assert_eq!(count(&server, "cmd_set"), 1);
    assert_eq!(get(&plain(&server), "k"), Some(99));
    let stats = client.stats();
    assert_eq!((stats.queued_writes, stats.coalesced_writes, stats.stores), (100, 99, 1));
}

#[test]
fn many_values_are_written() {
    let server = MemcachedServer::start_unix().unwrap();
    let client = builder(server.address()).write_behind(WriteBehind::new()).build().unwrap();
    let entries: Vec<(u32, u32)> = (0..5000).map(|number| (number, number)).collect();
    client.put_multi(&entries, LONG).wait().unwrap();
    // Several times what is written at a time, in bytes.
    let large = vec![7_u8; 300_000];
    for number in 0..60_u8 {
        client.put(&("large", number), large.clone(), LONG).wait().unwrap();
    }
    flush(&client);
    let keys: Vec<u32> = (0..5000).collect();
    let expected: Vec<Option<u32>> = keys.iter().copied().map(Some).collect();
    assert_eq!(plain(&server).get_multi::<u32>(&keys).wait().unwrap(), expected);
    for number in 0..60_u8 {
        assert!(plain(&server).get::<Vec<u8>>(&("large", number)).wait().unwrap() == Some(large.clone()));
    }
    assert_eq!(client.stats().lost_writes, 0);
}

#[test]
fn writes_of_one_key_never_overlap() {
    let server = FakeServer::canned("1.6.18", "x").unwrap();
    let pause = Duration::from_millis(1);
    let client = builder(server.address()).write_behind(WriteBehind::new().pause(pause)).build().unwrap();
    server.hold();
    put(&client, "one", 1);
    await_lines(&server, "ms ", 1);
    put(&client, "one", 2);
    assert_eq!(get(&client, "one"), Some(2));
    // What is queued behind it goes ahead, which shows that the second one could have gone, too.
    put(&client, "other", 3);
    await_lines(&server, "ms ", 2);
    let stores = || -> Vec<String> {
        let lines = server.commands();
        let stores = lines.iter().filter(|line| line.starts_with("ms "));
        stores.map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
    };
    let before = stores();
    assert_ne!(before[0], before[1], "another key");
    server.release();
    flush(&client);
    assert_eq!(stores()[2..], before[..1], "the second value follows the first");
}

#[test]
fn the_last_of_many_values_stays() {
    let server = MemcachedServer::start_unix().unwrap();
    let pause = Duration::from_micros(10);
    let client = builder(server.address()).write_behind(WriteBehind::new().pause(pause)).build().unwrap();
    thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let client = &client;
            scope.spawn(move || {
                for value in 0..3000 {
                    put(client, name, value);
                    if value % 500 == 0 {
                        assert!(client.renew(name, LONG).wait().unwrap());
                    }
                    assert_eq!(get(client, name), Some(value));
                }
            });
        }
    });
    flush(&client);
    assert_eq!(plain(&server).get_multi::<u32>(&["a", "b", "c"]).wait().unwrap(), [Some(2999); 3]);
}

#[test]
fn a_full_queue_is_written_through() {
    let server = MemcachedServer::start_unix().unwrap();
    let options = WriteBehind::new().pause(LONG).most(2);
    let client = builder(server.address()).write_behind(options).build().unwrap();
    let other = plain(&server);
    put(&client, "one", 1);
    client.put_multi(&[("two", 2_u32), ("three", 3), ("one", 4)], LONG).wait().unwrap();
    put(&client, "four", 4);
    let names = ["one", "two", "three", "four"];
    assert_eq!(client.get_multi::<u32>(&names).wait().unwrap(), [Some(4), Some(2), Some(3), Some(4)]);
    assert_eq!(other.get_multi::<u32>(&names).wait().unwrap(), [None, None, Some(3), Some(4)]);
    let stats = client.stats();
    assert_eq!((stats.queued_writes, stats.coalesced_writes, stats.written_through), (3, 1, 2));
}

#[test]
fn a_value_too_large_for_the_queue_replaces_a_queued_one() {
    let server = MemcachedServer::start_unix().unwrap();
    let options = WriteBehind::new().pause(LONG).most_bytes(4096);
    let client = builder(server.address()).write_behind(options).build().unwrap();
    let random = |bytes| (0..bytes).map(|_| fastrand::u8(..)).collect::<Vec<u8>>();
    let (small, large) = (random(100), random(10_000));
    client.put("k", small, LONG).wait().unwrap();
    client.put("k", large.clone(), LONG).wait().unwrap();
    for client in [&client, &plain(&server)] {
        assert!(client.get::<Vec<u8>>("k").wait().unwrap().as_ref() == Some(&large));
    }
    flush(&client);
    assert!(client.get::<Vec<u8>>("k").wait().unwrap() == Some(large), "the smaller one was taken back");
}

#[test]
fn a_delete_takes_a_queued_value_back() {
    let server = MemcachedServer::start_unix().unwrap();
    let client = waiting(&server);
    put(&client, "k", 1);
    assert!(client.delete("k").wait().unwrap());
    assert_eq!(get(&client, "k"), None);
    assert!(!client.delete("k").wait().unwrap());
    flush(&client);
    assert_eq!((get(&client, "k"), count(&server, "cmd_set")), (None, 0));
}

#[test]
fn a_delete_waits_for_a_write_under_way() {
    let server = FakeServer::canned("1.6.18", "x").unwrap();
    let pause = Duration::from_millis(1);
    let client = builder(server.address()).write_behind(WriteBehind::new().pause(pause)).build().unwrap();
    server.hold();
    put(&client, "k", 1);
    await_lines(&server, "ms ", 1);
    let key = key("k");
    let mut deleting = pin!(client.delete_entry(&key));
    for _ in 0..10 {
        assert!(deleting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    // Had it been sent, it would have come before this.
    let reader = thread::spawn({
        let client = client.clone();
        move || client.contains("other").wait()
    });
    await_lines(&server, "mg ", 2);
    assert!(!server.commands().iter().any(|line| line.starts_with("md ")));
    server.release();
    deleting.wait().unwrap();
    reader.join().unwrap().unwrap();
    await_lines(&server, "md ", 1);
}

#[test]
fn what_else_is_done_with_a_key_comes_after_its_queued_value() {
    let server = MemcachedServer::start_unix().unwrap();
    let (client, other) = (waiting(&server), plain(&server));
    for name in ["expired", "renewed", "added", "claimed", "filled"] {
        client.put(name, 1_u32, 100 * SECOND).wait().unwrap();
    }
    assert!(client.expire("expired").wait().unwrap());
    let stale = other.get_ttl::<u32>("expired").wait().unwrap().unwrap();
    assert!(stale.is_stale() && stale.value == 1);
    assert!(client.renew("renewed", LONG).wait().unwrap());
    assert!(other.contains_for("renewed", LONG / 2).wait().unwrap());
    assert!(!client.add("added", 2_u32, LONG).wait().unwrap());
    assert_eq!(get(&other, "added"), Some(1));
    let claim = client.claim(&key("claimed"), ClaimOptions::<u32>::new(LONG)).wait().unwrap();
    assert!(matches!(claim, Claim::Fresh(entry) if entry.value == 1));
    assert!(client.fill(&key("filled"), Token::default(), 2_u32, LONG).wait().unwrap());
    for client in [&client, &other] {
        assert_eq!(get(client, "filled"), Some(2));
    }
    flush(&client);
    assert_eq!((get(&other, "filled"), client.stats().queued_writes), (Some(2), 5));
}

#[test]
fn a_clear_forgets_what_is_queued() {
    let server = MemcachedServer::start_unix().unwrap();
    let options = WriteBehind::new().pause(LONG);
    let inside = builder(server.address()).namespace("inside").write_behind(options).build().unwrap();
    for client in [waiting(&server), inside] {
        put(&client, "before", 1);
        client.clear().wait().unwrap();
        put(&client, "after", 2);
        for _ in 0..2 {
            assert_eq!((get(&client, "before"), get(&client, "after")), (None, Some(2)));
            flush(&client);
        }
        assert_eq!(client.stats().lost_writes, 0);
    }
}

#[test]
fn a_life_counts_from_the_put() {
    let (server, clock) = (MemcachedServer::start_unix().unwrap(), ManualClock::new());
    let options = WriteBehind::new().pause(LONG);
    let client = builder(server.address()).write_behind(options).clock(clock.clone()).build().unwrap();
    let other = plain(&server);
    put(&other, "over", 0);
    client.put("long", 1_u32, 100 * SECOND).wait().unwrap();
    client.put("over", 1_u32, 10 * SECOND).wait().unwrap();
    clock.advance(60 * SECOND);
    let queued = client.get_ttl::<u32>("long").wait().unwrap().unwrap();
    assert_eq!((queued.remaining(), queued.is_stale()), (40 * SECOND, false));
    assert!(client.get_ttl::<u32>("over").wait().unwrap().unwrap().is_stale());
    assert_eq!((get(&client, "over"), client.contains("over").wait().unwrap()), (None, false));
    flush(&client);
    let stored = other.get_ttl::<u32>("long").wait().unwrap().unwrap();
    assert!(stored.remaining() <= 40 * SECOND && stored.remaining() > 20 * SECOND, "{stored:?}");
    assert!(stored.age().unwrap() >= 59 * SECOND, "{stored:?}");
    assert_eq!(get(&other, "over"), None, "what was there before is gone all the same");
    assert!(other.get_ttl::<u32>("over").wait().unwrap().is_some_and(|entry| entry.value == 1));
}

#[test]
fn what_cannot_be_written_is_counted_and_told_once() {
    let server = MemcachedServer::start().unwrap();
    let client = waiting(&server);
    server.kill();
    for number in 0..20 {
        put(&client, &number.to_string(), number);
    }
    assert_eq!(get(&client, "7"), Some(7));
    let error = client.flush().wait().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoServers | ErrorKind::Unavailable), "{error:?}");
    assert!(error.to_string().contains("20 queued writes"), "{error}");
    assert_eq!(client.stats().lost_writes, 20);
    flush(&client);
    put(&client, "again", 1);
    assert!(client.flush().wait().unwrap_err().to_string().contains("1 queued writes"));
}

#[test]
fn a_server_that_hangs_holds_nobody_up_for_ever() {
    let server = MemcachedServer::start().unwrap();
    let builder = builder(server.address()).deadline(SECOND / 2).write_behind(WriteBehind::new());
    let client = builder.build().unwrap();
    put(&client, "warm", 1);
    flush(&client);
    server.pause().unwrap();
    for number in 0..1000 {
        put(&client, &number.to_string(), number);
    }
    client.flush().wait().unwrap_err();
    assert_eq!(client.stats().lost_writes, 1000);
    server.resume().unwrap();
}

#[test]
fn what_is_queued_outlives_the_client() {
    let server = FakeServer::canned("1.6.18", "x").unwrap();
    let client = builder(server.address()).write_behind(WriteBehind::new().pause(LONG)).build().unwrap();
    for name in ["one", "two", "three"] {
        put(&client, name, 1);
    }
    drop(client);
    await_lines(&server, "ms ", 3);
}

#[test]
fn a_flush_that_is_given_up_loses_nothing() {
    let server = MemcachedServer::start().unwrap();
    let client = waiting(&server);
    put(&client, "k", 1);
    _ = pin!(client.flush()).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    flush(&client);
    assert_eq!(get(&plain(&server), "k"), Some(1));
    server.kill();
    put(&client, "k", 2);
    let first = pin!(client.flush()).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let told = if let Poll::Ready(told) = first { told } else { client.flush().wait() };
    told.unwrap_err();
}

#[test]
fn a_value_that_cannot_be_sealed_is_an_error_at_once() {
    let server = MemcachedServer::start_unix().unwrap();
    let builder = builder(server.address()).max_value_size(100).write_behind(WriteBehind::new().pause(LONG));
    let client = builder.build().unwrap();
    let entries = [("small", vec![1_u8]), ("large", vec![1; 1000])];
    assert_eq!(client.put_multi(&entries, LONG).wait().unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(client.stats().queued_writes, 0);
}

#[test]
fn it_works_inside_of_a_runtime_and_across_its_end() {
    let server = MemcachedServer::start_unix().unwrap();
    let client = waiting(&server);
    for value in 1..=2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            client.put("k", value, LONG).await.unwrap();
            assert_eq!(client.get::<u32>("k").await.unwrap(), Some(value));
        });
        drop(runtime);
        assert_eq!(get(&client, "k"), Some(value));
    }
    flush(&client);
    assert_eq!(get(&plain(&server), "k"), Some(2));
}
