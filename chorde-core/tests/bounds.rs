//! What bounds the in-process store: weights, bytes, and what has no room.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::inproc::{ENTRY_OVERHEAD, Policy};
use chorde_core::{CacheExt, Claim, ClaimOptions, Client, ErrorKind, InprocClient, Key, Wait};

const TTL: Duration = Duration::from_secs(600);

#[test]
fn an_entry_weighs_at_least_one_whatever_a_weigher_says() {
    for policy in [Policy::adaptive(), Policy::lru(), Policy::lru_by_write()] {
        let builder = InprocClient::builder().capacity(100).policy(policy);
        let client = builder.weigher(|_, _: &String| 0).weigher(|_, value: &u64| *value as u32).build().unwrap();
        for key in 0..1000_u64 {
            client.put(&key, String::new(), TTL).wait().unwrap();
            client.put(&(key + 10_000), 0_u64, TTL).wait().unwrap();
        }
        assert_eq!((client.stats().entries, client.stats().usage), (100, 100));
    }
}

#[test]
fn a_capacity_in_bytes_counts_what_an_entry_takes_itself() {
    let capacity = 64 << 10;
    let builder = InprocClient::builder().capacity_bytes(capacity).weigher(|_, text: &String| text.capacity() as u32);
    let client = builder.build().unwrap();
    for key in 0..10_000_u64 {
        client.put(&key, String::new(), TTL).wait().unwrap();
    }
    let each = u64::from(ENTRY_OVERHEAD) + size_of::<String>() as u64;
    assert_eq!(client.stats().entries, capacity / each);
    client.clear().wait().unwrap();
    client.put(&1, "x".repeat(1000), TTL).wait().unwrap();
    assert_eq!(client.stats().usage, each + 1000);
    // Without a weigher, a value is what its type takes.
    client.put(&1, [0_u64; 4], TTL).wait().unwrap();
    assert_eq!(client.stats().usage, u64::from(ENTRY_OVERHEAD) + 32);
}

#[test]
fn what_is_too_heavy_is_not_added_and_says_so() {
    let client = InprocClient::builder().capacity(10).weigher(|_, value: &u32| *value).build().unwrap();
    let error = client.add(&1, 11_u32, TTL).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert_eq!((client.get::<u32>(&1).wait().unwrap(), client.stats().too_heavy), (None, 1));
    assert!(client.add(&1, 10_u32, TTL).wait().unwrap());
    assert!(!client.add(&1, 11_u32, TTL).wait().unwrap(), "a valid one is there");
    assert_eq!((client.get::<u32>(&1).wait().unwrap(), client.stats().too_heavy), (Some(10), 1));
}

#[test]
fn a_write_of_what_is_too_heavy_is_counted_and_removes_what_was_there() {
    let client = InprocClient::builder().capacity(10).weigher(|_, value: &u32| *value).build().unwrap();
    client.put(&1, 3_u32, TTL).wait().unwrap();
    client.put(&1, 11_u32, TTL).wait().unwrap();
    assert_eq!(client.get::<u32>(&1).wait().unwrap(), None);
    let stats = client.stats();
    assert_eq!((stats.usage, stats.entries, stats.too_heavy), (0, 0, 1));
}

#[test]
fn a_capacity_of_zero_holds_nothing_and_accepts_everything() {
    let built = InprocClient::builder().capacity(0).policy(Policy::lru()).shards(4).build().unwrap();
    let bytes = InprocClient::builder().capacity_bytes(0).weigher(|_, value: &u64| *value as u32).build().unwrap();
    for client in [InprocClient::new(0), built, bytes] {
        client.put(&1, 1_u64, TTL).wait().unwrap();
        assert_eq!(client.get::<u64>(&1).wait().unwrap(), None);
        assert!(client.add(&1, 1_u64, TTL).wait().unwrap() && client.add(&1, 1_u64, TTL).wait().unwrap());
        assert!(!client.contains(&1).wait().unwrap() && !client.delete(&1).wait().unwrap());
        assert!(!client.renew(&1, TTL).wait().unwrap() && !client.expire(&1).wait().unwrap());
        let key = Key::new(&1).unwrap();
        let claim = Client::<u64>::claim(&client, &key, ClaimOptions::new(TTL)).wait().unwrap();
        assert!(matches!(claim, Claim::Absent(_)));
        client.clear().wait().unwrap();
        let stats = client.stats();
        assert_eq!((stats.capacity, stats.usage, stats.entries, stats.evicted, stats.too_heavy), (0, 0, 0, 0, 0));
    }
}

#[test]
fn many_types_share_one_store_and_a_key_has_one_value() {
    macro_rules! sized {
        ($($size:literal)*) => {[$((
            |client: &InprocClient, key: u64| client.put(&key, [key; $size], TTL).wait().unwrap(),
            |client: &InprocClient, key: u64| client.get::<[u64; $size]>(&key).wait().unwrap().is_some_and(|held| held == [key; $size]),
        )),*]};
    }
    type Put = fn(&InprocClient, u64);
    type Has = fn(&InprocClient, u64) -> bool;
    let types: [(Put, Has); 12] = sized!(1 2 3 4 5 6 7 8 9 10 11 12);
    for policy in [Policy::adaptive(), Policy::lru(), Policy::lru_by_write()] {
        let client = InprocClient::builder().capacity(50).policy(policy).build().unwrap();
        let mut held = std::collections::BTreeMap::new();
        for turn in 0..600_u64 {
            // Any of the types for any of more keys than there is room for, some of them shared and not plain.
            let (key, of) = (turn * 7919 % 61, (turn * 31 % 13) as usize);
            match types.get(of) {
                Some((put, _)) => put(&client, key),
                None => client.put(&key, vec![key], TTL).wait().unwrap(),
            }
            held.insert(key, of);
            if turn % 17 == 0 {
                assert!(client.delete(&key).wait().unwrap());
                held.remove(&key);
            }
            for (number, (_, has)) in types.iter().enumerate() {
                assert!(!has(&client, key) || held.get(&key) == Some(&number), "a key has one value");
            }
        }
        let shown = |key: u64| {
            let vec = client.get::<Vec<u64>>(&key).wait().unwrap().is_some_and(|value| value == [key]);
            types.iter().filter(|(_, has)| has(&client, key)).count() + usize::from(vec)
        };
        let entries: usize = (0..61)
            .map(|key| {
                let shown = shown(key);
                assert_eq!(usize::from(client.contains(&key).wait().unwrap()), shown);
                shown
            })
            .sum();
        let stats = client.stats();
        assert_eq!((stats.entries, stats.usage), (entries as u64, entries as u64));
        assert!(entries <= 50 && entries > 40);
        client.clear().wait().unwrap();
        assert_eq!(client.stats().entries, 0);
    }
}

#[test]
fn a_value_that_could_be_of_any_type_is_of_its_own() {
    type Anything = Arc<dyn Any + Send + Sync>;
    let client = InprocClient::new(10);
    client.put(&1, Arc::new(vec![5_u64]) as Anything, TTL).wait().unwrap();
    let read = client.get::<Anything>(&1).wait().unwrap().unwrap();
    assert_eq!(read.downcast_ref::<Vec<u64>>(), Some(&vec![5]));
    assert_eq!(client.get::<Vec<u64>>(&1).wait().unwrap(), None);
    client.put(&1, vec![7_u64], TTL).wait().unwrap();
    assert!(client.get::<Anything>(&1).wait().unwrap().is_none());
    assert_eq!(client.get::<Vec<u64>>(&1).wait().unwrap(), Some(vec![7]));
    assert_eq!(client.stats().entries, 1);
}
