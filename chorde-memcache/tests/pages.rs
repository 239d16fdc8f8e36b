//! Values larger than an item: in pages, of which none is left over, and none is believed alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod real;

use std::sync::atomic::{AtomicBool, Ordering};

use chorde_core::{CacheExt as _, Claim, ClaimOptions, Client, ErrorKind, Token, Wait as _};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{MemcachedClient, Transport};
use real::{HOUR, Pair, builder, eventually, items, key, pair, secs, servers, wire_keys};

on_both_transports! {
    values_in_pages_are_written_over_and_removed
    pages_that_were_not_needed_are_removed
    a_value_of_which_a_page_is_missing_is_a_miss
    a_value_in_pages_is_renewed_as_a_whole
    small_items_hold_large_values
    what_is_read_while_it_is_written_over_is_one_or_the_other
}

const LARGE: usize = 3 << 20;

/// Returns bytes that do not compress.
fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..)).take(size).collect()
}

fn put(client: &MemcachedClient, key: &str, value: &[u8]) {
    client.put(&key, value.to_vec(), HOUR).wait().unwrap();
}

fn get(client: &MemcachedClient, key: &str) -> Option<Vec<u8>> {
    client.get(&key).wait().unwrap()
}

/// Waits until the server holds so many items: pages are removed behind the callers' backs.
fn await_items(server: &MemcachedServer, count: usize) {
    eventually(&format!("{count} items"), || items(server) == count);
}

fn values_in_pages_are_written_over_and_removed(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let (first, second) = (bytes(LARGE, 1), bytes(LARGE, 2));
    put(&one, "large", &first);
    assert!(get(&other, "large").is_some_and(|value| value == first));
    let pages = items(&server);
    assert!((3..=4).contains(&pages), "{pages}");
    put(&other, "large", &second);
    assert!(get(&one, "large").is_some_and(|value| value == second));
    await_items(&server, pages);
    put(&one, "large", b"small");
    assert_eq!(get(&other, "large"), Some(b"small".to_vec()));
    await_items(&server, 1);
    put(&one, "large", &first);
    assert!(other.delete(&"large").wait().unwrap());
    assert!(get(&one, "large").is_none());
    await_items(&server, 0);
    // What is stale is whole as well, and goes when it is computed.
    put(&one, "large", &first);
    assert!(other.expire(&"large").wait().unwrap());
    let stale = one.get_ttl::<Vec<u8>>(&"large").wait().unwrap().unwrap();
    assert!(stale.is_stale() && stale.value == first);
    put(&one, "large", b"small");
    await_items(&server, 1);
    assert_eq!((one.stats().damaged, other.stats().damaged), (0, 0));
}

fn claim(client: &MemcachedClient, key: &chorde_core::Key) -> Token {
    let options = ClaimOptions::<Vec<u8>>::new(HOUR).refresh_below(2 * HOUR);
    match client.claim(key, options).wait().unwrap() {
        Claim::Absent(token) | Claim::Due(_, token) => token,
        other => panic!("not won: {other:?}"),
    }
}

fn pages_that_were_not_needed_are_removed(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let (key, large) = (key("contended"), bytes(LARGE, 1));
    put(&one, "added", b"there");
    assert!(!other.add(&"added", large.clone(), HOUR).wait().unwrap());
    await_items(&server, 1);
    let token = claim(&one, &key);
    other.put(&key, b"written".to_vec(), HOUR).wait().unwrap();
    assert!(!one.fill(&key, token, large.clone(), HOUR).wait().unwrap());
    await_items(&server, 2);
    let token = claim(&one, &key);
    assert!(one.fill(&key, token, large.clone(), HOUR).wait().unwrap());
    assert!(other.get::<Vec<u8>>(&key).wait().unwrap().is_some_and(|value| value == large));
    // A refresh, of one large value by another.
    let token = claim(&other, &key);
    let pages = items(&server);
    assert!(other.fill(&key, token, bytes(LARGE, 2), HOUR).wait().unwrap());
    await_items(&server, if transport == Transport::Classic { pages - 1 } else { pages });
    assert!(other.delete(&key).wait().unwrap());
    await_items(&server, 1);
}

fn a_value_of_which_a_page_is_missing_is_a_miss(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let large = bytes(LARGE, 1);
    put(&one, "torn", b"small");
    let [head] = wire_keys(&server).try_into().unwrap();
    let a_page = || wire_keys(&server).into_iter().find(|key| *key != head).unwrap();
    put(&one, "torn", &large);
    let page = a_page();
    assert!(server.command(&format!("delete {page}")).unwrap().starts_with("DELETED"));
    assert!(get(&other, "torn").is_none() && other.get_multi::<Vec<u8>>(&["torn"]).wait().unwrap()[0].is_none());
    assert_eq!(other.stats().damaged, 2);
    // Whoever claims it computes it, and all is well.
    let key = chorde_core::AsKey::to_key(&"torn").unwrap();
    let token = claim(&other, &key);
    assert!(other.fill(&key, token, large.clone(), HOUR).wait().unwrap());
    assert!(get(&one, "torn").is_some_and(|value| value == large));
    // A page altered, by a value of the same length.
    let page = a_page();
    let forged = "x".repeat(1_000);
    assert!(server.command(&format!("set {page} 0 0 1000\r\n{forged}")).unwrap().starts_with("STORED"));
    assert!(get(&one, "torn").is_none());
}

fn a_value_in_pages_is_renewed_as_a_whole(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let large = bytes(LARGE, 1);
    one.put(&"renewed", large.clone(), secs(1)).wait().unwrap();
    // Where the first life is over already, there is nothing to renew.
    if other.renew(&"renewed", HOUR).wait().unwrap() {
        server.await_ticks(2).unwrap();
        assert!(get(&one, "renewed").is_some_and(|value| value == large));
        for page in wire_keys(&server) {
            let left = server.command(&format!("mg {page} t")).unwrap();
            let left: u64 = left.trim_end().strip_prefix("HD t").unwrap().parse().unwrap();
            assert!(left > 3_000, "{page}: {left}");
        }
    }
}

fn small_items_hold_large_values(transport: Transport) {
    // Servers with smaller ones are not to be relied upon: memcached 1.6.18 crashes.
    const SMALL: usize = 512 << 10;
    let server = MemcachedServer::builder().args(["-I", "512k"]).start().unwrap();
    let with = |size| {
        let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("tests");
        builder.deadline(secs(20)).transport(transport).item_size(size).build().unwrap()
    };
    for (item_size, sizes) in
        [(SMALL, [0, SMALL - 1_000, SMALL, 2_000_000]), (2 << 10, [1_000, 2_000, 10_000, 300_000])]
    {
        let small = with(item_size);
        for size in sizes {
            let value = bytes(size, size as u64);
            put(&small, "value", &value);
            assert!(get(&small, "value").is_some_and(|got| got == value), "{size} in items of {item_size}");
            // How a client that reads divides values does not matter.
            assert!(get(&with(1 << 20), "value").is_some_and(|got| got == value), "{size} in items of {item_size}");
        }
        let least = sizes[3] / item_size;
        eventually("no page is left over", || (least..=least + 10 + least / 4).contains(&items(&server)));
        assert!(small.delete(&"value").wait().unwrap());
        await_items(&server, 0);
    }
    // A client that takes the items for larger than they are is told so, and leaves nothing behind.
    let (small, large) = (with(SMALL), with(1 << 20));
    put(&small, "value", b"old");
    let error = large.put(&"value", bytes(800_000, 1), HOUR).wait().unwrap_err();
    assert_eq!((error.kind(), large.stats().too_large), (ErrorKind::Value, 1));
    assert!(get(&small, "value").is_none(), "what was to be replaced is not shown again");
    put(&small, "value", b"old");
    let error = large.put(&"value", bytes(LARGE, 1), HOUR).wait().unwrap_err();
    assert_eq!((error.kind(), large.stats().too_large), (ErrorKind::Value, 2));
    assert!(get(&small, "value").is_none(), "what was to be replaced is not shown again");
    // Who has claimed a value that has no room does not hold up others.
    for size in [800_000, LARGE] {
        let key = key("claimed");
        let token = claim(&large, &key);
        assert!(!large.fill(&key, token, bytes(size, 1), HOUR).wait().unwrap());
        let token = claim(&small, &key);
        Client::<Vec<u8>>::release(&small, &key, token);
        // It is given back behind the caller's back.
        await_items(&server, 0);
    }
}

fn what_is_read_while_it_is_written_over_is_one_or_the_other(transport: Transport) {
    let servers = servers(1);
    let clients = [(); 3].map(|()| builder(&servers).transport(transport).build().unwrap());
    let values = [bytes(LARGE, 1), bytes(LARGE, 2)];
    put(&clients[0], "changing", &values[0]);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in &clients[1..] {
            let (values, is_over) = (&values, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    // Torn twice, it is a miss.
                    let read = get(client, "changing");
                    assert!(read.is_none_or(|read| values.contains(&read)));
                }
            });
        }
        (0..12).for_each(|round| put(&clients[0], "changing", &values[round % 2]));
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(get(&clients[1], "changing").is_some_and(|value| value == values[1]));
    // Three of four pages each, and none of those before.
    eventually("no page is left over", || items(&servers[0]) <= 4);
}
