//! Any sequence of operations agrees with two plain maps.

use std::collections::HashMap;
use std::time::Duration;

use chorde_core::{CacheExt, Entry, InprocClient, ManualClock, ReadOptions, TieredClient, Wait, WriteOptions};
use proptest::prelude::*;

/// Times are in milliseconds; the near tier gives half of a ttl.
type Tiers = TieredClient<InprocClient, InprocClient>;

#[derive(Clone, Debug)]
enum Op {
    Put { key: u8, ttl: u64, tiers: usize },
    PutMany { keys: Vec<u8>, ttl: u64 },
    FarPut { key: u8, ttl: u64 },
    FarDelete { key: u8 },
    Add { key: u8, ttl: u64 },
    Get { key: u8, least: u64, tiers: usize },
    GetMany { keys: Vec<u8>, least: u64 },
    Contains { key: u8, least: u64 },
    Renew { key: u8, ttl: u64 },
    Promote { key: u8 },
    Delete { key: u8 },
    Expire { key: u8 },
    Clear,
    Advance { by: u64 },
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..3_u8;
    let keys = || proptest::collection::vec(0..3_u8, 0..5);
    let time = || (1..8_u64).prop_map(|seconds| seconds * 1_000);
    let least = || prop_oneof![Just(0), (1..5_u64).prop_map(|seconds| seconds * 1_000)];
    prop_oneof![
        3 => (key(), time(), 0..4_usize).prop_map(|(key, ttl, tiers)| Op::Put { key, ttl, tiers }),
        1 => (keys(), time()).prop_map(|(keys, ttl)| Op::PutMany { keys, ttl }),
        3 => (key(), time()).prop_map(|(key, ttl)| Op::FarPut { key, ttl }),
        1 => key().prop_map(|key| Op::FarDelete { key }),
        2 => (key(), time()).prop_map(|(key, ttl)| Op::Add { key, ttl }),
        4 => (key(), least(), 0..4_usize).prop_map(|(key, least, tiers)| Op::Get { key, least, tiers }),
        2 => (keys(), least()).prop_map(|(keys, least)| Op::GetMany { keys, least }),
        1 => (key(), least()).prop_map(|(key, least)| Op::Contains { key, least }),
        2 => (key(), time()).prop_map(|(key, ttl)| Op::Renew { key, ttl }),
        1 => key().prop_map(|key| Op::Promote { key }),
        1 => key().prop_map(|key| Op::Delete { key }),
        1 => key().prop_map(|key| Op::Expire { key }),
        1 => Just(Op::Clear),
        5 => (1..4_u64).prop_map(|seconds| Op::Advance { by: seconds * 500 }),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Held {
    value: u32,
    expiry: u64,
}

#[derive(Default)]
struct Model {
    now: u64,
    near: HashMap<u8, Held>,
    far: HashMap<u8, Held>,
}

/// What a read shows: the value and the life left.
type Shown = Option<(u32, u64)>;

impl Model {
    fn shown(&self, held: Option<&Held>) -> Shown {
        held.map(|held| (held.value, held.expiry.saturating_sub(self.now)))
    }

    fn life(&self, held: Option<&Held>) -> u64 {
        self.shown(held).map_or(0, |(_, life)| life)
    }

    fn get(&mut self, key: u8, least: u64, tiers: usize) -> Shown {
        if tiers == 0 {
            return None;
        }
        let near = self.shown(self.near.get(&key)).filter(|(_, life)| *life >= least);
        if near.is_some_and(|(_, life)| life > 0) || tiers == 1 {
            return near;
        }
        let far = self.shown(self.far.get(&key)).filter(|(_, life)| *life >= least);
        match far {
            Some((value, life)) if life > 0 => {
                self.near.insert(key, Held { value, expiry: self.now + life / 2 });
                far
            }
            _ => near.or(far),
        }
    }

    fn put(&mut self, key: u8, value: u32, ttl: u64, tiers: usize) {
        if tiers > 0 {
            self.near.insert(key, Held { value, expiry: self.now + ttl / 2 });
        }
        if tiers > 1 {
            self.far.insert(key, Held { value, expiry: self.now + ttl });
        }
    }

    fn add(&mut self, key: u8, value: u32, ttl: u64) -> bool {
        let free = self.life(self.far.get(&key)) == 0;
        if free {
            self.put(key, value, ttl, 2);
        }
        free
    }

    fn is_valid(&self, key: u8) -> bool {
        self.life(self.near.get(&key)) > 0 || self.life(self.far.get(&key)) > 0
    }

    fn renew(&mut self, key: u8, ttl: u64) -> bool {
        let (valid, now) = (self.is_valid(key), self.now);
        for (tier, life) in [(&mut self.near, ttl / 2), (&mut self.far, ttl)] {
            if let Some(held) = tier.get_mut(&key).filter(|held| held.expiry > now) {
                held.expiry = held.expiry.max(now + life);
            }
        }
        valid
    }

    fn expire(&mut self, key: u8) -> bool {
        let (valid, now) = (self.is_valid(key), self.now);
        for tier in [&mut self.near, &mut self.far] {
            if let Some(held) = tier.get_mut(&key) {
                held.expiry = held.expiry.min(now);
            }
        }
        valid
    }

    fn delete(&mut self, key: u8) -> bool {
        let valid = self.is_valid(key);
        self.near.remove(&key);
        self.far.remove(&key);
        valid
    }
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn shown(entry: Option<Entry<u32>>) -> Shown {
    entry.map(|entry| (entry.value, u64::try_from(entry.remaining().as_millis()).unwrap()))
}

/// Does the operation on both and compares the answers; `value` is new each time.
fn step(tiers: &Tiers, clock: &ManualClock, model: &mut Model, op: Op, value: u32) {
    match op {
        Op::Put { key, ttl, tiers: n } => {
            tiers.put_with(&key, value, ms(ttl), WriteOptions::new().max_tiers(n)).wait().unwrap();
            model.put(key, value, ttl, n);
        }
        Op::PutMany { keys, ttl } => {
            let entries: Vec<(u8, u32)> = keys.iter().map(|key| (*key, value)).collect();
            tiers.put_multi(&entries, ms(ttl)).wait().unwrap();
            keys.iter().for_each(|key| model.put(*key, value, ttl, 2));
        }
        Op::FarPut { key, ttl } => {
            tiers.far().put(&key, value, ms(ttl)).wait().unwrap();
            model.far.insert(key, Held { value, expiry: model.now + ttl });
        }
        Op::FarDelete { key } => {
            tiers.far().delete(&key).wait().unwrap();
            model.far.remove(&key);
        }
        Op::Add { key, ttl } => {
            assert_eq!(tiers.add(&key, value, ms(ttl)).wait().unwrap(), model.add(key, value, ttl));
        }
        Op::Renew { key, ttl } => assert_eq!(tiers.renew(&key, ms(ttl)).wait().unwrap(), model.renew(key, ttl)),
        Op::Delete { key } => assert_eq!(tiers.delete(&key).wait().unwrap(), model.delete(key)),
        Op::Expire { key } => assert_eq!(tiers.expire(&key).wait().unwrap(), model.expire(key)),
        Op::Clear => {
            tiers.clear().wait().unwrap();
            (model.near, model.far) = Default::default();
        }
        Op::Advance { by } => {
            clock.advance(ms(by));
            model.now += by;
        }
        read => read_step(tiers, model, read),
    }
}

/// Does the same for what only reads, and promotes.
fn read_step(tiers: &Tiers, model: &mut Model, op: Op) {
    match op {
        Op::Get { key, least, tiers: n } => {
            let options = ReadOptions::new().min_ttl(ms(least)).max_tiers(n);
            assert_eq!(shown(tiers.get_ttl_with(&key, options).wait().unwrap()), model.get(key, least, n));
        }
        Op::GetMany { keys, least } => {
            let found = tiers.get_multi_with(&keys, ReadOptions::new().min_ttl(ms(least))).wait().unwrap();
            let valid = |shown: Shown| shown.filter(|(_, life)| *life > 0).map(|(value, _)| value);
            // A key that comes twice is read from the far tier twice, before its copy is there.
            let expected: HashMap<u8, Option<u32>> =
                keys.iter().rev().map(|key| (*key, valid(model.get(*key, least, 2)))).collect();
            assert_eq!(found, keys.iter().map(|key| expected[key]).collect::<Vec<_>>());
        }
        Op::Contains { key, least } => {
            let expected = [&model.near, &model.far].iter().any(|tier| model.life(tier.get(&key)) > least);
            assert_eq!(tiers.contains_for(&key, ms(least)).wait().unwrap(), expected);
        }
        Op::Promote { key } => {
            let expected = model.get(key, 0, 2).is_some_and(|(_, life)| life > 0);
            assert_eq!(tiers.promote::<u32>(&key).wait().unwrap(), expected);
        }
        write => unreachable!("{write:?} is done elsewhere"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tiers_agree_with_two_plain_maps(ops in proptest::collection::vec(op(), 1..60)) {
        let clock = ManualClock::new();
        let store = || InprocClient::builder().capacity(1_000).clock(clock.clone()).build().unwrap();
        let tiers = TieredClient::builder().ttl_fractions([0.5, 1.0]).build(store(), store()).unwrap();
        let mut model = Model::default();
        for (value, op) in (0..).zip(ops) {
            step(&tiers, &clock, &mut model, op, value);
            for key in 0..3 {
                prop_assert_eq!(shown(tiers.near().get_ttl(&key).wait().unwrap()), model.shown(model.near.get(&key)));
                prop_assert_eq!(shown(tiers.far().get_ttl(&key).wait().unwrap()), model.shown(model.far.get(&key)));
            }
        }
    }
}
