//! Time, weight, types and capacity together, under each policy: never a wrong value, never above the capacity, nothing
//! leaves without need, and what has expired leaves first.

use std::collections::BTreeMap;

use chorde_core::inproc::Policy;
use chorde_core::{CacheExt, Entry, ErrorKind, InprocClient, ManualClock, Wait};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{agree, secs};

const KEYS: u8 = 12;

/// All times are whole seconds, but that lives end between two of them, so that nothing hangs on an instant.
#[derive(Clone, Debug)]
enum Op {
    Put { key: u8, ttl: u64, weight: u32 },
    PutText { key: u8, ttl: u64 },
    Add { key: u8, ttl: u64, weight: u32 },
    Renew { key: u8, ttl: u64 },
    Expire { key: u8 },
    Delete { key: u8 },
    Purge { grace: u64 },
    Advance { by: u64 },
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS;
    let ttl = || 1..20_u64;
    let weight = || prop_oneof![3 => Just(1_u32), 1 => 0..6_u32, 1 => 0..40_u32];
    prop_oneof![
        8 => (key(), ttl(), weight()).prop_map(|(key, ttl, weight)| Op::Put { key, ttl, weight }),
        2 => (key(), ttl()).prop_map(|(key, ttl)| Op::PutText { key, ttl }),
        3 => (key(), ttl(), weight()).prop_map(|(key, ttl, weight)| Op::Add { key, ttl, weight }),
        2 => (key(), ttl()).prop_map(|(key, ttl)| Op::Renew { key, ttl }),
        1 => key().prop_map(|key| Op::Expire { key }),
        1 => key().prop_map(|key| Op::Delete { key }),
        1 => (0..10_u64).prop_map(|grace| Op::Purge { grace }),
        4 => (1..8_u64).prop_map(|by| Op::Advance { by }),
        1 => Just(Op::Clear),
    ]
}

type Number = (u32, u32);

/// Values are told apart by their number, whatever their type.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    number: u32,
    is_text: bool,
    weight: u64,
    /// In half seconds.
    end: u64,
    /// When it was written, in operations.
    written: u32,
}

struct Model {
    client: InprocClient,
    clock: ManualClock,
    /// In half seconds.
    now: u64,
    capacity: u64,
    held: BTreeMap<u8, Held>,
    /// Whether those that leave do so in the order in which they were written.
    is_exact: bool,
}

impl Model {
    fn is_valid(&self, key: u8) -> bool {
        self.held.get(&key).is_some_and(|held| held.end > self.now)
    }

    /// Does one operation, and takes out of the model what has left the client for it.
    fn step(&mut self, op: &Op, number: u32) {
        let client = self.client.clone();
        match *op {
            Op::Put { key, ttl, weight } => {
                client.put(&key, (number, weight), life(ttl)).wait().unwrap();
                self.write(
                    key,
                    Held { number, is_text: false, weight: weight.into(), end: self.end(ttl), written: number },
                );
            }
            Op::PutText { key, ttl } => {
                // Long ones are held in another way than short ones.
                let width = if number.is_multiple_of(2) { 1 } else { 3000 };
                client.put(&key, format!("{number:width$}"), life(ttl)).wait().unwrap();
                self.write(key, Held { number, is_text: true, weight: 1, end: self.end(ttl), written: number });
            }
            Op::Add { key, ttl, weight } => {
                let free = !self.is_valid(key);
                let added = client.add(&key, (number, weight), life(ttl)).wait();
                if free && u64::from(weight) > self.capacity {
                    assert_eq!(added.unwrap_err().kind(), ErrorKind::Value);
                } else {
                    assert_eq!(added.unwrap(), free);
                }
                if free {
                    let held =
                        Held { number, is_text: false, weight: weight.into(), end: self.end(ttl), written: number };
                    self.write(key, held);
                }
            }
            Op::Renew { key, ttl } => {
                let (valid, end) = (self.is_valid(key), self.end(ttl));
                assert_eq!(client.renew(&key, life(ttl)).wait().unwrap(), valid);
                self.held.entry(key).and_modify(|held| held.end = if valid { held.end.max(end) } else { held.end });
            }
            Op::Expire { key } => {
                let (valid, now) = (self.is_valid(key), self.now);
                assert_eq!(client.expire(&key).wait().unwrap(), valid);
                self.held.entry(key).and_modify(|held| held.end = held.end.min(now));
                // So that there is no doubt that it has.
                self.advance(1);
            }
            Op::Delete { key } => {
                assert_eq!(client.delete(&key).wait().unwrap(), self.is_valid(key));
                self.held.remove(&key);
            }
            Op::Purge { grace } => {
                // And a quarter of a second, at which nothing ends.
                client.purge(secs(grace) + secs(1) / 4).wait().unwrap();
                let now = self.now;
                self.held.retain(|_, held| 2 * held.end + 4 * grace + 1 > 2 * now);
            }
            Op::Advance { by } => self.advance(by),
            Op::Clear => {
                client.clear().wait().unwrap();
                self.held.clear();
            }
        }
    }

    fn advance(&mut self, seconds: u64) {
        self.clock.advance(secs(seconds));
        self.now += 2 * seconds;
    }

    fn end(&self, ttl: u64) -> u64 {
        self.now + 2 * ttl + 1
    }

    /// Notes a write, and judges who left for it.
    fn write(&mut self, key: u8, mut held: Held) {
        held.weight = held.weight.max(1);
        if held.weight > self.capacity {
            self.held.remove(&key);
            return;
        }
        self.held.insert(key, held);
        let gone: Vec<(u8, Held)> = self
            .held
            .iter()
            .filter(|(key, _)| self.shown(**key).is_none())
            .map(|(key, held)| (*key, held.clone()))
            .collect();
        for (gone, _) in &gone {
            self.held.remove(gone);
        }
        let weight: u64 = self.held.values().map(|held| held.weight).sum();
        assert!(weight <= self.capacity, "{weight} of {}", self.capacity);
        let (valid, expired): (Vec<_>, Vec<_>) =
            gone.iter().map(|(_, held)| held).partition(|held| held.end > self.now);
        if self.is_exact {
            assert!(self.held.contains_key(&key), "what was just written is there");
            self.judge(weight, valid, &expired);
        } else {
            let before = weight + gone.iter().map(|(_, held)| held.weight).sum::<u64>();
            assert!(gone.is_empty() || before > self.capacity, "{gone:?} left without need");
        }
    }

    /// With one shard: nobody valid leaves before all that has expired has, and of the valid the oldest; none too many.
    fn judge(&self, weight: u64, mut valid: Vec<&Held>, expired: &[&Held]) {
        valid.sort_by_key(|held| held.written);
        let stale = self.held.values().filter(|held| held.end <= self.now).count();
        assert!(valid.is_empty() || stale == 0, "{valid:?} left before what had expired");
        let newest_gone = valid.last().map(|held| held.written);
        let oldest_left = self.held.values().filter(|held| held.end > self.now).map(|held| held.written).min();
        assert!(newest_gone < oldest_left || newest_gone.is_none(), "{valid:?} left before an older one");
        // One less, and it would have been too much still.
        let last = valid.last().map(|held| held.weight).or(expired.iter().map(|held| held.weight).max());
        assert!(last.is_none_or(|last| weight + last > self.capacity), "{valid:?} {expired:?} left without need");
    }

    /// Returns what the client shows of a key: the number, whether it is a text, and what is left in half seconds.
    fn shown(&self, key: u8) -> Option<(u32, bool, u64)> {
        let left = |remaining: std::time::Duration| (remaining.as_millis() / 500) as u64;
        let number: Option<Entry<Number>> = self.client.get_ttl(&key).wait().unwrap();
        let text: Option<Entry<String>> = self.client.get_ttl(&key).wait().unwrap();
        assert!(number.is_none() || text.is_none(), "two types under one key");
        let number = number.map(|entry| (entry.value.0, false, left(entry.remaining())));
        number.or(text.map(|entry| (entry.value.trim().parse().unwrap(), true, left(entry.remaining()))))
    }

    /// Compares all that is held.
    fn check(&self) {
        for key in 0..KEYS {
            let held = self.held.get(&key);
            let expected = held.map(|held| (held.number, held.is_text, held.end.saturating_sub(self.now)));
            assert_eq!(self.shown(key), expected, "key {key}");
            assert_eq!(self.client.contains(&key).wait().unwrap(), self.is_valid(key));
        }
        let stats = self.client.stats();
        let weight: u64 = self.held.values().map(|held| held.weight).sum();
        assert_eq!((stats.usage, stats.entries), (weight, self.held.len() as u64));
        assert!(stats.usage <= self.capacity);
    }
}

/// A life that ends half a second after a whole one.
fn life(ttl: u64) -> std::time::Duration {
    secs(ttl) + secs(1) / 2
}

fn run(policy: Policy, shards: usize, capacity: u64, ops: &[Op]) {
    let (clock, is_exact) = (ManualClock::new(), shards == 1 && format!("{policy:?}").contains("lru"));
    let builder = InprocClient::builder().capacity(capacity).policy(policy).shards(shards).clock(clock.clone());
    let client = builder.weigher(|_, value: &Number| value.1).build().unwrap();
    let mut model = Model { client, clock, now: 0, capacity, held: BTreeMap::new(), is_exact };
    for (number, op) in (0..).zip(ops) {
        model.step(op, number);
        model.check();
    }
}

#[test]
fn the_default_policy_never_shows_a_wrong_value_nor_exceeds_its_capacity() {
    agree("the default policy", &(1..40_u64, 1..5_usize, vec(op(), 1..120)), |(capacity, shards, ops)| {
        run(Policy::default(), shards, capacity, &ops);
    });
}

#[test]
fn what_has_expired_leaves_first_and_then_the_oldest() {
    agree("the order of leaving", &(1..40_u64, vec(op(), 1..120)), |(capacity, ops)| {
        run(Policy::lru_by_write(), 1, capacity, &ops);
    });
}
