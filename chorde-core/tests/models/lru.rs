//! The exact policies, hit by hit: what is held is what a list in the order of use would hold.

use std::sync::{Mutex, mpsc};

use chorde_core::inproc::Policy;
use chorde_core::{CacheExt, Client, ErrorKind, InprocClient, Key, Lookup, ReadOptions, Wait};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{agree, secs};

const KEYS: u8 = 10;

#[derive(Clone, Debug)]
enum Op {
    Put(u8, u32),
    PutMany(Vec<u8>, u32),
    Add(u8, u32),
    Get(u8),
    GetMany(Vec<u8>),
    Look(u8),
    GetText(u8),
    Contains(u8),
    Renew(u8),
    Delete(u8),
    Purge,
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS;
    let weight = || prop_oneof![4 => Just(1_u32), 2 => 0..5_u32, 1 => 0..30_u32];
    prop_oneof![
        6 => (key(), weight()).prop_map(|(key, weight)| Op::Put(key, weight)),
        1 => (vec(key(), 0..4), weight()).prop_map(|(keys, weight)| Op::PutMany(keys, weight)),
        2 => (key(), weight()).prop_map(|(key, weight)| Op::Add(key, weight)),
        6 => key().prop_map(Op::Get),
        1 => vec(key(), 0..4).prop_map(Op::GetMany),
        2 => key().prop_map(Op::Look),
        1 => key().prop_map(Op::GetText),
        2 => key().prop_map(Op::Contains),
        1 => key().prop_map(Op::Renew),
        1 => key().prop_map(Op::Delete),
        1 => Just(Op::Purge),
        1 => Just(Op::Clear),
    ]
}

/// A value, and what it weighs.
type Value = (u32, u32);

/// What is held, the longest unused first.
struct Model {
    order: Vec<(u8, Value)>,
    capacity: u64,
    /// Whether a read counts as a use.
    touches: bool,
}

impl Model {
    fn place(&self, key: u8) -> Option<usize> {
        self.order.iter().position(|(held, _)| *held == key)
    }

    fn remove(&mut self, key: u8) -> bool {
        self.place(key).map(|place| self.order.remove(place)).is_some()
    }

    fn put(&mut self, key: u8, value: Value) {
        self.remove(key);
        if u64::from(value.1) <= self.capacity {
            self.order.push((key, value));
        }
        while self.weight() > self.capacity {
            self.order.remove(0);
        }
    }

    fn get(&mut self, key: u8) -> Option<Value> {
        let place = self.place(key)?;
        let held = self.order[place];
        if self.touches {
            self.order.remove(place);
            self.order.push(held);
        }
        Some(held.1)
    }

    fn weight(&self) -> u64 {
        self.order.iter().map(|(_, (_, weight))| u64::from(*weight).max(1)).sum()
    }
}

/// Does the operation on both and compares the answers; `number` is new each time.
fn step(client: &InprocClient, model: &mut Model, op: &Op, number: u32) {
    match op {
        Op::Put(key, weight) => {
            client.put(key, (number, *weight), secs(600)).wait().unwrap();
            model.put(*key, (number, *weight));
        }
        Op::PutMany(keys, weight) => {
            let entries: Vec<_> = keys.iter().map(|key| (*key, (number, *weight))).collect();
            client.put_multi(&entries, secs(600)).wait().unwrap();
            keys.iter().for_each(|key| model.put(*key, (number, *weight)));
        }
        Op::Add(key, weight) => {
            let free = model.place(*key).is_none();
            let added = client.add(key, (number, *weight), secs(600)).wait();
            if free && u64::from(*weight) > model.capacity {
                assert_eq!(added.unwrap_err().kind(), ErrorKind::Value);
            } else {
                assert_eq!(added.unwrap(), free);
            }
            if free {
                model.put(*key, (number, *weight));
            }
        }
        Op::Get(key) => assert_eq!(client.get::<Value>(key).wait().unwrap(), model.get(*key)),
        Op::GetMany(keys) => {
            let expected: Vec<_> = keys.iter().map(|key| model.get(*key)).collect();
            assert_eq!(client.get_multi::<Value>(keys).wait().unwrap(), expected);
        }
        Op::Look(key) => {
            let key_made = Key::new(key).unwrap();
            let found = client.look(&key_made.probe(), ReadOptions::<Value>::new());
            let value = match found {
                Some(Lookup::Held(entry)) => Some(entry.value),
                _ => None,
            };
            assert_eq!(value, model.get(*key));
        }
        // Of another type there is nothing, and nothing is touched.
        Op::GetText(key) => assert_eq!(client.get::<String>(key).wait().unwrap(), None),
        Op::Contains(key) => assert_eq!(client.contains(key).wait().unwrap(), model.place(*key).is_some()),
        Op::Renew(key) => assert_eq!(client.renew(key, secs(60)).wait().unwrap(), model.place(*key).is_some()),
        Op::Delete(key) => assert_eq!(client.delete(key).wait().unwrap(), model.remove(*key)),
        Op::Purge => client.purge(secs(0)).wait().unwrap(),
        Op::Clear => {
            client.clear().wait().unwrap();
            model.order.clear();
        }
    }
}

/// Compares what is held, without a use of it.
fn check(client: &InprocClient, model: &Model) {
    for key in 0..KEYS {
        assert_eq!(client.contains(&key).wait().unwrap(), model.place(key).is_some(), "{key} {:?}", model.order);
    }
    let stats = client.stats();
    assert_eq!((stats.usage, stats.entries), (model.weight(), model.order.len() as u64));
}

#[test]
fn exact_lru_holds_what_a_list_in_the_order_of_use_would_hold() {
    agree("exact LRU", &(1..25_u64, any::<bool>(), vec(op(), 1..150)), |(capacity, touches, ops)| {
        let policy = if touches { Policy::lru() } else { Policy::lru_by_write() };
        let builder = InprocClient::builder().capacity(capacity).policy(policy);
        let client = builder.weigher(|_, value: &Value| value.1).build().unwrap();
        let mut model = Model { order: Vec::new(), capacity, touches };
        for (number, op) in (0..).zip(&ops) {
            step(&client, &mut model, op, number);
            check(&client, &model);
        }
    });
}

#[test]
fn the_order_of_use_holds_over_threads() {
    type Step<'a> = Box<dyn FnOnce() + Send + 'a>;
    agree("exact LRU over threads", &(1..12_u64, vec((op(), 0..3_usize), 1..150)), |(capacity, ops)| {
        let client = InprocClient::builder().capacity(capacity).policy(Policy::lru());
        let client = client.weigher(|_, value: &Value| value.1).build().unwrap();
        let model = Mutex::new(Model { order: Vec::new(), capacity, touches: true });
        std::thread::scope(|scope| {
            // Each keeps notes of its own; one step at a time is done, by any of them.
            let workers: Vec<_> = (0..3)
                .map(|_| {
                    let (ask, asked) = mpsc::channel::<Step<'_>>();
                    let (done, wait) = mpsc::channel();
                    scope.spawn(move || asked.into_iter().for_each(|step| (step(), done.send(()).unwrap()).1));
                    (ask, wait)
                })
                .collect();
            for (number, (op, worker)) in (0..).zip(&ops) {
                let (client, model) = (&client, &model);
                let (ask, wait) = &workers[*worker];
                ask.send(Box::new(move || step(client, &mut model.lock().unwrap(), op, number))).unwrap();
                wait.recv().unwrap();
                check(client, &model.lock().unwrap());
            }
        });
    });
}
