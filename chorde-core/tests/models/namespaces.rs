//! Namespaces over one client, beside one another and nested: as many maps.

use std::collections::HashMap;

use chorde_core::{CacheExt, InprocClient, ManualClock, NamespaceClient, TieredClient, Wait};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{agree, secs};

/// Who is asked: the client itself, a namespace, another handle of it, another namespace, one inside of the first.
#[derive(Clone, Copy, Debug)]
enum Who {
    Raw,
    One,
    OneAgain,
    Other,
    Inner,
}

const ALL: [Who; 5] = [Who::Raw, Who::One, Who::OneAgain, Who::Other, Who::Inner];

impl Who {
    /// The path of names.
    fn path(self) -> &'static str {
        match self {
            Self::Raw => "/",
            Self::One | Self::OneAgain => "/one/",
            Self::Other => "/other/",
            Self::Inner => "/one/other/",
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Put { key: u8, ttl: u64 },
    Add { key: u8, ttl: u64 },
    Renew { key: u8, ttl: u64 },
    Delete { key: u8 },
    Expire { key: u8 },
    GetMany { keys: Vec<u8> },
    Clear,
    Advance { by: u64 },
}

fn op() -> impl Strategy<Value = (Who, Op)> {
    let key = || 0..3_u8;
    let ttl = || 2..20_u64;
    let op = prop_oneof![
        6 => (key(), ttl()).prop_map(|(key, ttl)| Op::Put { key, ttl }),
        2 => (key(), ttl()).prop_map(|(key, ttl)| Op::Add { key, ttl }),
        1 => (key(), ttl()).prop_map(|(key, ttl)| Op::Renew { key, ttl }),
        1 => key().prop_map(|key| Op::Delete { key }),
        1 => key().prop_map(|key| Op::Expire { key }),
        1 => vec(key(), 0..4).prop_map(|keys| Op::GetMany { keys }),
        1 => Just(Op::Clear),
        2 => (1..3_u64).prop_map(|by| Op::Advance { by }),
    ];
    (proptest::sample::select(&ALL[..]), op)
}

/// By path and key: the value and its end.
#[derive(Default)]
struct Model {
    now: u64,
    held: HashMap<(&'static str, u8), (u32, u64)>,
}

impl Model {
    /// The value and what is left of its life.
    fn shown(&self, who: Who, key: u8) -> Option<(u32, u64)> {
        self.held.get(&(who.path(), key)).map(|(value, end)| (*value, end.saturating_sub(self.now)))
    }

    fn valid(&self, who: Who, key: u8) -> Option<u32> {
        self.shown(who, key).filter(|(_, left)| *left > 0).map(|(value, _)| value)
    }

    fn put(&mut self, who: Who, key: u8, value: u32, ttl: u64) {
        self.held.insert((who.path(), key), (value, self.now + ttl));
    }
}

fn step<C: CacheExt + chorde_core::Client<u32>>(client: &C, who: Who, model: &mut Model, op: &Op, value: u32) {
    match op {
        Op::Put { key, ttl } => {
            client.put(key, value, secs(*ttl)).wait().unwrap();
            model.put(who, *key, value, *ttl);
        }
        Op::Add { key, ttl } => {
            let free = model.valid(who, *key).is_none();
            assert_eq!(client.add(key, value, secs(*ttl)).wait().unwrap(), free);
            if free {
                model.put(who, *key, value, *ttl);
            }
        }
        Op::Renew { key, ttl } => {
            let valid = model.valid(who, *key).is_some();
            assert_eq!(client.renew(key, secs(*ttl)).wait().unwrap(), valid);
            let end = model.now + ttl;
            let held = model.held.get_mut(&(who.path(), *key)).filter(|_| valid);
            held.into_iter().for_each(|held| held.1 = held.1.max(end));
        }
        Op::Delete { key } => {
            assert_eq!(client.delete(key).wait().unwrap(), model.valid(who, *key).is_some());
            model.held.remove(&(who.path(), *key));
        }
        Op::Expire { key } => {
            assert_eq!(client.expire(key).wait().unwrap(), model.valid(who, *key).is_some());
            let now = model.now;
            model.held.entry((who.path(), *key)).and_modify(|held| held.1 = held.1.min(now));
        }
        Op::GetMany { keys } => {
            let expected: Vec<_> = keys.iter().map(|key| model.valid(who, *key)).collect();
            assert_eq!(client.get_multi::<u32>(keys).wait().unwrap(), expected);
        }
        Op::Clear => {
            client.clear().wait().unwrap();
            model.held.retain(|(path, _), _| !path.starts_with(who.path()));
        }
        Op::Advance { .. } => {}
    }
}

fn check<C: CacheExt + chorde_core::Client<u32>>(client: &C, who: Who, model: &Model) {
    for key in 0..3 {
        let shown = client.get_ttl::<u32>(&key).wait().unwrap();
        let shown = shown.map(|entry| (entry.value, entry.remaining().as_secs()));
        assert_eq!(shown, model.shown(who, key), "{who:?} {key}");
        assert_eq!(client.contains(&key).wait().unwrap(), model.valid(who, key).is_some());
    }
}

fn run<C>(raw: &C, clock: &ManualClock, ops: &[(Who, Op)])
where
    C: Clone + CacheExt + chorde_core::Client<u32>,
{
    let within = |name: &str| NamespaceClient::new(name, raw.clone()).unwrap();
    let (one, again, other) = (within("one"), within("one"), within("other"));
    let inner = NamespaceClient::new("other", one.clone()).unwrap();
    let mut model = Model::default();
    for (value, (who, op)) in (0..).zip(ops) {
        if let Op::Advance { by } = op {
            clock.advance(secs(*by));
            model.now += by;
        }
        match who {
            Who::Raw => step(raw, *who, &mut model, op, value),
            Who::One => step(&one, *who, &mut model, op, value),
            Who::OneAgain => step(&again, *who, &mut model, op, value),
            Who::Other => step(&other, *who, &mut model, op, value),
            Who::Inner => step(&inner, *who, &mut model, op, value),
        }
        check(raw, Who::Raw, &model);
        check(&one, Who::One, &model);
        check(&again, Who::OneAgain, &model);
        check(&other, Who::Other, &model);
        check(&inner, Who::Inner, &model);
    }
}

#[test]
fn namespaces_agree_with_as_many_maps() {
    agree("namespaces", &vec(op(), 1..60), |ops| {
        let clock = ManualClock::new();
        let client = InprocClient::builder().capacity(1000).clock(clock.clone()).build().unwrap();
        run(&client, &clock, &ops);
    });
}

#[test]
fn namespaces_over_tiers_agree_with_as_many_maps() {
    agree("namespaces over tiers", &vec(op(), 1..60), |ops| {
        let clock = ManualClock::new();
        let store = || InprocClient::builder().capacity(1000).clock(clock.clone()).build().unwrap();
        let tiers = std::sync::Arc::new(TieredClient::new(store(), store()));
        run(&tiers, &clock, &ops);
    });
}
