//! What lies on a server is not what was stored: altered, cut, somebody else's, another key's, torn. It is a miss.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::time::Duration;

use chorde_core::{CacheExt, Claim, ClaimOptions, Client, Key, ManualClock, Wait};
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{Compression, MemcachedClient};
use support::raw::{Item, Raw};
use support::{LONG, PATIENCE, builder, client, eventually};

fn text(length: usize) -> String {
    (0..length).map(|_| fastrand::alphanumeric()).collect()
}

/// A server with one value on it.
struct Stored {
    _server: MemcachedServer,
    raw: Raw,
    client: MemcachedClient,
    item: Item,
    value: String,
}

impl Stored {
    fn new(value: String, compression: Compression) -> Self {
        let server = MemcachedServer::start().unwrap();
        let client = builder([server.address()]).compression(compression).build().unwrap();
        client.put(&1, value.clone(), LONG).wait().unwrap();
        let mut raw = Raw::of(&server);
        let item = raw.only();
        Self { _server: server, raw, client, item, value }
    }

    /// Reads with these bytes in place of what was stored; returns whether that is a value.
    fn is_read(&mut self, data: Vec<u8>) -> bool {
        self.raw.set(&Item { data, ..self.item.clone() });
        let got = self.client.get::<String>(&1).wait().unwrap();
        assert!(got.as_ref().is_none_or(|got| *got == self.value), "{got:?}");
        got.is_some()
    }

    /// How many values were found to be damaged, and how many foreign.
    fn noted(&self) -> (u64, u64) {
        let stats = self.client.stats();
        assert_eq!((stats.failures, stats.timeouts, stats.outages), (0, 0, 0), "{stats:?}");
        (stats.damaged, stats.foreign)
    }
}

#[test]
fn a_value_altered_at_any_byte_is_a_miss() {
    for (value, compression) in [(text(40), Compression::off()), ("compress me ".repeat(200), Compression::default())] {
        let mut stored = Stored::new(value, compression);
        let data = stored.item.data.clone();
        for place in 0..data.len() {
            let mut altered = data.clone();
            altered[place] ^= 1 << (place % 8);
            assert!(!stored.is_read(altered), "byte {place}");
        }
        let (damaged, foreign) = stored.noted();
        assert_eq!(damaged + foreign, data.len() as u64);
        assert!(foreign >= 3 && damaged > foreign, "{damaged} damaged, {foreign} foreign");
        assert!(stored.is_read(data));
    }
}

#[test]
fn a_value_cut_or_lengthened_anywhere_is_a_miss() {
    let mut stored = Stored::new(text(40), Compression::off());
    let data = stored.item.data.clone();
    // Of length zero it would be a stub, which is no value either.
    for length in 0..data.len() {
        assert!(!stored.is_read(data[..length].to_vec()), "the first {length} bytes");
        assert!(length == 0 || !stored.is_read(data[data.len() - length..].to_vec()), "the last {length} bytes");
    }
    for more in [&b"x"[..], &[0; 100], &data] {
        assert!(!stored.is_read([&data[..], more].concat()));
    }
    assert!(stored.is_read(data));
    assert!(stored.noted().0 > 0);
}

#[test]
fn what_others_store_is_foreign() {
    let mut stored = Stored::new(text(40), Compression::off());
    let others: [&[u8]; 7] =
        [b"x", b"12345", b"{\"json\": true}", &[0; 64], &[0xff; 300], b"VALUE a 0 2\r\nhi\r\nEND", &[0xc4]];
    for other in others {
        assert!(!stored.is_read(other.to_vec()));
    }
    assert_eq!(stored.noted(), (0, others.len() as u64));
    // A later version of the format.
    let mut later = stored.item.data.clone();
    later[2] = 2;
    assert!(!stored.is_read(later));
    assert_eq!(stored.noted(), (0, others.len() as u64 + 1));
}

#[test]
fn random_bytes_are_a_miss() {
    let mut stored = Stored::new(text(40), Compression::default());
    for _ in 0..500 {
        let mut noise: Vec<u8> = (0..fastrand::usize(1..200)).map(|_| fastrand::u8(..)).collect();
        if fastrand::bool() {
            // With a plausible beginning it is looked at more closely.
            let front = &stored.item.data[..fastrand::usize(1..20)];
            noise.splice(0..0, front.iter().copied());
        }
        assert!(!stored.is_read(noise));
    }
}

#[test]
fn client_flags_of_somebody_else_are_no_pages() {
    let mut stored = Stored::new(text(40), Compression::off());
    for flags in [1, 4095, u32::MAX, 1 << 31] {
        stored.item.flags = flags;
        // The header says what it is, and it is signed.
        assert!(stored.is_read(stored.item.data.clone()));
    }
    // Storing over it removes the pages that the flags tell of; there are none.
    stored.client.put(&1, stored.value.clone(), LONG).wait().unwrap();
    assert_eq!(stored.client.get::<String>(&1).wait().unwrap().as_ref(), Some(&stored.value));
}

#[test]
fn the_value_of_another_key_is_a_miss() {
    let server = MemcachedServer::start().unwrap();
    let client = client([server.address()]);
    let mut raw = Raw::of(&server);
    client.put(&1, "one".to_owned(), LONG).wait().unwrap();
    let one = raw.only();
    client.put(&2, "two".to_owned(), LONG).wait().unwrap();
    let second = raw.keys().into_iter().find(|key| *key != one.key).unwrap();
    let two = raw.get(&second).unwrap();
    // As when two keys had the same name on the server: a collision.
    raw.set(&Item { key: one.key.clone(), ..two.clone() });
    raw.set(&Item { key: two.key.clone(), ..one.clone() });
    assert_eq!(client.get_multi::<String>(&[1, 2]).wait().unwrap(), [None, None]);
    assert_eq!(client.get::<String>(&1).wait().unwrap(), None);
    assert_eq!((client.stats().damaged, client.stats().misses), (3, 3));
    client.put(&1, "again".to_owned(), LONG).wait().unwrap();
    assert_eq!(client.get::<String>(&1).wait().unwrap().as_deref(), Some("again"));
}

#[test]
fn values_signed_with_another_key_are_a_miss_unless_it_is_accepted() {
    let server = MemcachedServer::start().unwrap();
    let with = |key: &str| MemcachedClient::builder().servers([server.address()]).checksum_key(key);
    let with = |key: &str| with(key).deadline(PATIENCE);
    let (old, new) = (with("old").build().unwrap(), with("new").build().unwrap());
    old.put(&1, 1, LONG).wait().unwrap();
    assert_eq!(new.get::<i32>(&1).wait().unwrap(), None);
    assert_eq!((new.stats().damaged, new.stats().hits), (1, 0));
    let both = with("new").accept_key("old").build().unwrap();
    assert_eq!(both.get::<i32>(&1).wait().unwrap(), Some(1));
    both.put(&1, 2, LONG).wait().unwrap();
    assert_eq!((new.get::<i32>(&1).wait().unwrap(), old.get::<i32>(&1).wait().unwrap()), (Some(2), None));
}

#[test]
fn a_value_of_another_type_is_a_miss() {
    let server = MemcachedServer::start().unwrap();
    let client = client([server.address()]);
    client.put(&1, 7_u64, LONG).wait().unwrap();
    assert_eq!(client.get::<i64>(&1).wait().unwrap(), None);
    assert_eq!(client.get::<String>(&1).wait().unwrap(), None);
    assert_eq!(client.get::<u64>(&1).wait().unwrap(), Some(7));
    assert_eq!((client.stats().damaged, client.stats().hits), (2, 1));
}

/// Two clients of a server whose items are small, so that a value has pages; the value; its head.
struct Paged {
    _server: MemcachedServer,
    raw: Raw,
    client: MemcachedClient,
    value: String,
    head: Item,
    /// The pages behind the head.
    tail: Vec<Item>,
}

impl Paged {
    fn new() -> Self {
        let server = MemcachedServer::start().unwrap();
        let builder = builder([server.address()]).item_size(4096).compression(Compression::off());
        let (client, value) = (builder.build().unwrap(), text(15_000));
        client.put(&1, value.clone(), LONG).wait().unwrap();
        let mut raw = Raw::of(&server);
        let items: Vec<_> = raw.keys().iter().map(|key| raw.get(key).unwrap()).collect();
        let (heads, tail): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.flags != 0);
        assert_eq!((heads.len(), tail.len()), (1, 3));
        let head = heads.into_iter().next().unwrap();
        Self { _server: server, raw, client, value, head, tail }
    }

    fn read(&self) -> Option<String> {
        let got = self.client.get::<String>(&1).wait().unwrap();
        assert!(got.as_ref().is_none_or(|got| *got == self.value));
        got
    }
}

#[test]
fn torn_pages_are_a_miss() {
    let mut paged = Paged::new();
    for place in 0..3 {
        let page = paged.tail[place].clone();
        paged.raw.delete(&page.key);
        assert_eq!(paged.read(), None, "without page {place}");
        let other = paged.tail[(place + 1) % 3].data.clone();
        paged.raw.set(&Item { data: other, ..page.clone() });
        assert_eq!(paged.read(), None, "with another page");
        for wrong in [&page.data[1..], &[&page.data[..], b"x"].concat(), b"x"] {
            paged.raw.set(&Item { data: wrong.to_vec(), ..page.clone() });
            assert_eq!(paged.read(), None, "with a page of another length");
        }
        paged.raw.set(&page);
        assert!(paged.read().is_some());
    }
    assert_eq!(paged.client.stats().damaged, 15);
    // The head alone, as after an eviction of all else, and one that promises more pages than there are.
    let mut head = paged.head.clone();
    head.data[16..20].copy_from_slice(&((1 << 12) | 4095_u32).to_le_bytes());
    paged.raw.set(&head);
    assert_eq!(paged.read(), None);
    assert_eq!((paged.client.stats().failures, paged.client.stats().outages), (0, 0));
    paged.client.put(&1, paged.value.clone(), LONG).wait().unwrap();
    assert!(paged.read().is_some());
}

#[test]
fn a_torn_value_is_computed_anew_by_one() {
    let mut paged = Paged::new();
    let (key, options) = (Key::new(&1).unwrap(), ClaimOptions::<String>::new(LONG));
    let page = paged.tail[1].key.clone();
    paged.raw.delete(&page);
    let Claim::Absent(token) = paged.client.claim(&key, options).wait().unwrap() else { panic!("not won") };
    assert!(matches!(paged.client.claim(&key, options).wait().unwrap(), Claim::AbsentElsewhere));
    assert!(paged.client.fill(&key, token, paged.value.clone(), LONG).wait().unwrap());
    assert!(matches!(paged.client.claim(&key, options).wait().unwrap(), Claim::Fresh(_)));
    assert!(paged.read().is_some());
}

#[test]
fn a_damaged_value_is_computed_anew_by_one() {
    let mut stored = Stored::new(text(40), Compression::off());
    let (key, options) = (Key::new(&1).unwrap(), ClaimOptions::<String>::new(LONG));
    let mut data = stored.item.data.clone();
    data[20] ^= 1;
    stored.raw.set(&Item { data, ..stored.item.clone() });
    let Claim::Absent(token) = stored.client.claim(&key, options).wait().unwrap() else { panic!("not won") };
    assert!(matches!(stored.client.claim(&key, options).wait().unwrap(), Claim::AbsentElsewhere));
    assert!(stored.client.fill(&key, token, stored.value.clone(), LONG).wait().unwrap());
    assert_eq!(stored.client.get::<String>(&1).wait().unwrap().as_ref(), Some(&stored.value));
}

#[test]
fn values_of_several_pages_written_at_once_are_never_mixed() {
    let server = MemcachedServer::start().unwrap();
    let make = || builder([server.address()]).item_size(2048).compression(Compression::off()).build().unwrap();
    let clients = [make(), make()];
    let values: Vec<String> = (0..4).map(|_| text(9000)).collect();
    clients[0].put(&1, values[0].clone(), LONG).wait().unwrap();
    let mut seen = 0;
    std::thread::scope(|scope| {
        for (index, value) in values.iter().enumerate() {
            let client = &clients[index % 2];
            scope.spawn(move || {
                for _ in 0..100 {
                    client.put(&1, value.clone(), LONG).wait().unwrap();
                }
            });
        }
        for _ in 0..300 {
            if let Some(got) = clients[1].get::<String>(&1).wait().unwrap() {
                assert!(values.contains(&got));
                seen += 1;
            }
        }
    });
    println!("{seen} of 300 reads found a whole value while four wrote");
    assert!(clients[0].get::<String>(&1).wait().unwrap().is_some());
    // Of those that were overwritten in the instant before they were looked at, some pages stay up to their end.
    let (mut raw, mut left) = (Raw::of(&server), 0);
    eventually("old pages are removed", || {
        left = raw.keys().len();
        left < 400
    });
    println!("{left} items are left of 400 values of 5 items each");
}

#[test]
fn clocks_of_clients_do_not_matter() {
    let server = MemcachedServer::start().unwrap();
    let ahead = ManualClock::new();
    let client_by = |clock: &ManualClock| {
        MemcachedClient::builder()
            .servers([server.address()])
            .checksum_key("tests")
            .clock(clock.clone())
            .build()
            .unwrap()
    };
    let (one, two) = (client_by(&ahead), client_by(&ManualClock::new()));
    ahead.advance(Duration::from_secs(100 * 24 * 3600));
    one.put(&1, 1, LONG).wait().unwrap();
    let entry = two.get_ttl::<i32>(&1).wait().unwrap().unwrap();
    assert!(!entry.is_stale() && entry.remaining() <= LONG && entry.remaining() > LONG / 2, "{entry:?}");
    ahead.advance(2 * LONG);
    assert_eq!(one.get::<i32>(&1).wait().unwrap(), Some(1));
}

#[test]
fn lengths_beyond_the_limit_are_not_believed() {
    let server = MemcachedServer::start().unwrap();
    let writer = builder([server.address()]).compression(Compression::off()).build().unwrap();
    let reader = builder([server.address()]).max_value_size(1000).build().unwrap();
    writer.put(&1, text(5000), LONG).wait().unwrap();
    assert_eq!(reader.get::<String>(&1).wait().unwrap(), None);
    writer.put(&1, text(500), LONG).wait().unwrap();
    assert!(reader.get::<String>(&1).wait().unwrap().is_some());
    // One that is small only as long as it is compressed.
    let writer = client([server.address()]);
    writer.put(&1, "0".repeat(1 << 20), LONG).wait().unwrap();
    assert_eq!(reader.get::<String>(&1).wait().unwrap(), None);
    assert_eq!(reader.stats().damaged, 2);
    assert!(reader.put(&1, text(5000), LONG).wait().is_err());
}
