//! What is stored comes back whole or not at all: keys and values of all kinds and sizes, by clients that are not set alike,
//! for as long as they were meant to live.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod real;

use std::collections::BTreeMap;
use std::time::Duration;

use chorde_core::{AsKey, CacheExt as _, Key, ReadOptions, Wait as _};
use chorde_memcache::{Compression, MemcachedClient, Transport};
use real::{HOUR, Pair, builder, claim_due, eventually, fill, items, key, pair, secs, servers, wire_keys};

on_both_transports! {
    keys_of_all_kinds_come_back
    what_another_key_has_signed_is_a_miss
    clients_with_other_compression_read_each_other
    lives_are_rounded_up_to_seconds
    only_what_lives_long_enough_is_read
    a_life_is_lengthened_and_never_shortened
}

fn keys_of_all_kinds_come_back(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let long = "long ".repeat(2_048);
    let text = |text: &str| Key::new(text).unwrap();
    let keys = [
        text(""),
        text(" "),
        text("with spaces\r\nand lines\0 and \u{7f}"),
        text("ключ \u{1f511}"),
        text(&long),
        text(&long[1..]),
        Key::new(&(1, "two", 3.0, 'f', Some([5_u8; 6]))).unwrap(),
        Key::new(&[0_u8; 0]).unwrap(),
        Key::new(&(0..=255).collect::<Vec<u8>>()).unwrap(),
        Key::new(&()).unwrap(),
        Key::new(&u128::MAX).unwrap(),
        Key::new(&BTreeMap::from([("a", 1), ("b", -1)])).unwrap(),
        (1, "as a user writes it").to_key().unwrap(),
    ];
    // Some of them are the same bytes to `chorde`: those are one key.
    let names: BTreeMap<Vec<u8>, String> =
        keys.iter().enumerate().map(|(number, key)| (key.bytes().to_vec(), format!("value {number}"))).collect();
    let value = |key: &Key| names[key.bytes()].clone();
    for key in &keys {
        one.put(key, value(key), HOUR).wait().unwrap();
    }
    let found: Vec<Option<String>> = other.get_multi(&keys).wait().unwrap();
    for (key, found) in keys.iter().zip(found) {
        assert_eq!(found, Some(value(key)));
        assert_eq!(real::get(&other, key), Some(value(key)));
    }
    assert_eq!(items(&server), names.len());
    let stored = wire_keys(&server);
    assert!(stored.iter().all(|key| key.len() <= 250 && key.bytes().all(|byte| byte.is_ascii_graphic())), "{stored:?}");
    assert!(keys.iter().all(|key| other.delete(key).wait().is_ok()));
    assert_eq!(items(&server), 0);
}

fn what_another_key_has_signed_is_a_miss(transport: Transport) {
    let servers = servers(1);
    let signing = |secret: &str| builder(&servers).transport(transport).checksum_key(secret);
    let (last_year, this_year) = (signing("last year").build().unwrap(), signing("this year").build().unwrap());
    let rotating = signing("this year").accept_key("last year").build().unwrap();
    let (old, new) = (key("old"), key("new"));
    real::put(&last_year, &old, "value");
    real::put(&rotating, &new, "value");
    let hits = |client: &MemcachedClient| [&old, &new].map(|key| real::get(client, key).is_some());
    assert_eq!([hits(&last_year), hits(&this_year), hits(&rotating)], [[true, false], [false, true], [true, true]]);
    let stats = this_year.stats();
    assert_eq!((stats.damaged, stats.hits, stats.misses), (1, 1, 1));
    // What cannot be read is computed anew, and then both read it.
    let token = claim_due(&this_year, &old).token();
    assert_eq!(claim_due(&rotating, &old), real::Said::DueElsewhere("value".into()));
    assert!(fill(&this_year, &old, token, "signed anew"));
    assert_eq!(real::get(&rotating, &old), Some("signed anew".into()));
}

fn clients_with_other_compression_read_each_other(transport: Transport) {
    let servers = servers(1);
    let with = |compression| builder(&servers).transport(transport).compression(compression).build().unwrap();
    let clients = [
        with(Compression::off()),
        with(Compression::default()),
        with(Compression::zstd().level(19).above(0)),
        with(Compression::zstd().level(-5).above(100)),
    ];
    for (number, writer) in clients.iter().enumerate() {
        for size in [0, 10, 5_000, 300_000] {
            let key = (number, size);
            let value = "compresses well ".repeat(size / 16 + 1);
            writer.put(&key, value.clone(), HOUR).wait().unwrap();
            for reader in &clients {
                assert_eq!(reader.get(&key).wait().unwrap(), Some(value.clone()), "{key:?}");
            }
        }
    }
    let used = |client: &MemcachedClient, key: &str| {
        let before = client.usage().wait().unwrap()[0];
        client.put(&key, "compresses well ".repeat(20_000), HOUR).wait().unwrap();
        client.usage().wait().unwrap()[0] - before
    };
    let (plain, packed) = (used(&clients[0], "plain"), used(&clients[1], "packed"));
    assert!(packed * 20 < plain, "{packed} of {plain}");
}

/// Returns the whole seconds that a value is said to have left right after it was stored for so long.
fn left_of(client: &MemcachedClient, ttl: Duration) -> u64 {
    client.put(&"rounded", 1, ttl).wait().unwrap();
    client.get_ttl::<i32>(&"rounded").wait().unwrap().unwrap().remaining().as_secs()
}

fn lives_are_rounded_up_to_seconds(transport: Transport) {
    let Pair { one, server, .. } = pair(transport);
    for (ttl, expected) in [(1, 1), (1_000, 1), (1_001, 2), (299_999, 300), (300_000, 300)] {
        // The server may tick in between.
        eventually("it has all of its life", || left_of(&one, Duration::from_millis(ttl)) == expected);
    }
    let month = 30 * 24 * 3_600;
    for ttl in [month - 31, month - 30, month - 29, month, month + 1, 12 * month] {
        let left = left_of(&one, secs(ttl));
        // With what it is kept for longer, more than a month is sent as a date, by a clock that is not the server's.
        let is_dated = ttl > month - 30;
        assert!((left <= ttl || is_dated) && left.abs_diff(ttl) < 120, "{ttl}: {left}");
        assert!(one.contains_for(&"rounded", secs(ttl - 120)).wait().unwrap());
    }
    // Beyond what a server understands, it lives for as long as can be said.
    assert!(left_of(&one, Duration::MAX) > month);
    one.put(&"short", 1, Duration::from_nanos(1)).wait().unwrap();
    // A second more, where the client reckons with the server's time.
    server.await_ticks(2).unwrap();
    assert_eq!(one.get::<i32>(&"short").wait().unwrap(), None);
    let stale = one.get_ttl::<i32>(&"short").wait().unwrap().unwrap();
    assert!(stale.is_stale() && stale.remaining().is_zero());
}

fn only_what_lives_long_enough_is_read(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    one.put_multi(&[("a", 1), ("b", 2)], secs(100)).wait().unwrap();
    one.put(&"c", 3, secs(1_000)).wait().unwrap();
    let keys = ["a", "b", "c"];
    let read = |least| other.get_multi_with::<i32>(&keys, ReadOptions::new().min_ttl(secs(least))).wait().unwrap();
    assert_eq!(read(10), [Some(1), Some(2), Some(3)]);
    assert_eq!(read(101), [None, None, Some(3)]);
    assert_eq!(read(2_000), [None; 3]);
    let get = |least| other.get_with::<i32>(&"a", ReadOptions::new().min_ttl(secs(least))).wait().unwrap();
    assert_eq!([get(10), get(101)], [Some(1), None]);
    let contains = |least| other.contains_for(&"c", secs(least)).wait().unwrap();
    assert_eq!([contains(100), contains(1_000), contains(1_001)], [true, false, false]);
}

fn a_life_is_lengthened_and_never_shortened(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let left = |key| other.get_ttl::<i32>(&key).wait().unwrap().unwrap().remaining();
    one.put(&"renewed", 1, secs(100)).wait().unwrap();
    assert!(other.renew(&"renewed", secs(50)).wait().unwrap() && left("renewed") > secs(50));
    assert!(other.renew(&"renewed", secs(1_000)).wait().unwrap() && left("renewed") > secs(800));
    assert!(one.renew(&"renewed", 24 * HOUR * 90).wait().unwrap() && left("renewed") > 24 * HOUR * 89);
    assert!(!one.renew(&"absent", HOUR).wait().unwrap());
    assert!(one.expire(&"renewed").wait().unwrap() && !one.renew(&"renewed", HOUR).wait().unwrap());
    assert!(left("renewed").is_zero() && !one.contains(&"renewed").wait().unwrap());
}
