//! Compares a shard with a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::policy_lru::Lru;
use super::*;

/// By how much an entry may be late to be seen as expired.
const LATE: u64 = 2 << 16;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u64, u32),
    PutText(u8, u64),
    SetEnd(u8, u64),
    Remove(u8),
    Evict,
    Purge,
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..12_u8;
    let span = || 0..20_000_000_u64;
    prop_oneof![
        6 => (key(), span(), prop_oneof![3 => Just(1), 1 => 0..5_u32]).prop_map(|(key, life, weight)| Step::Put(key, life, weight)),
        2 => (key(), span()).prop_map(|(key, life)| Step::PutText(key, life)),
        1 => (key(), span()).prop_map(|(key, life)| Step::SetEnd(key, life)),
        1 => key().prop_map(Step::Remove),
        2 => Just(Step::Evict),
        1 => Just(Step::Purge),
        3 => (0..5_000_000_u64).prop_map(Step::Advance),
    ]
}

/// Is what a shard should hold.
struct Model {
    shard: Shard,
    /// End and weight by key, and whether the value is a text.
    live: BTreeMap<u8, (u64, u32, bool)>,
    now: u64,
    /// Stands in each value; as many clones are about as there are values.
    token: Arc<()>,
    expired: u64,
}

/// A value of the second type.
#[derive(Clone)]
struct Text(#[expect(dead_code, reason = "counted by its drop")] Arc<()>);

fn digest(key: u8) -> Digest {
    Digest::of_text(&key.to_string())
}

impl Model {
    fn new() -> Self {
        let shard = Shard::new(Box::new(Lru::new(false)));
        Self { shard, live: BTreeMap::new(), now: 1 << 40, token: Arc::new(()), expired: 0 }
    }

    /// Takes one step; what it takes out is dropped at its end.
    fn step(&mut self, step: &Step) {
        let mut first = None::<Arc<()>>;
        let mut trash = Trash::new(&mut first);
        let now = self.now;
        match *step {
            Step::Put(key, life, weight) => {
                self.shard.put(digest(key), self.token.clone(), Times::new(now, life, 0), weight, &mut trash);
                self.live.insert(key, (now + life, weight, false));
            }
            Step::PutText(key, life) => {
                self.shard.put(digest(key), Text(self.token.clone()), Times::new(now, life, 0), 1, &mut trash);
                self.live.insert(key, (now + life, 1, true));
            }
            Step::SetEnd(key, life) => {
                self.shard.set_times(digest(key), Times::new(now, life, 0));
                self.live.entry(key).and_modify(|entry| entry.0 = now + life);
            }
            Step::Remove(key) => {
                self.shard.remove(digest(key), &mut trash);
                self.live.remove(&key);
            }
            Step::Evict => {
                let has_evicted = self.shard.evict(now, &mut trash);
                assert_eq!(has_evicted, !self.live.is_empty());
                self.note_departures(1);
            }
            Step::Purge => {
                self.shard.purge(now, &mut trash);
                self.note_departures(usize::MAX);
                assert!(self.live.values().all(|entry| entry.0 + LATE > now), "an expired entry stayed");
            }
            Step::Advance(by) => self.now += by,
        }
    }

    /// Drops from the model what the shard no longer has, and checks that it was right to leave.
    fn note_departures(&mut self, most: usize) {
        let has_late = self.live.values().any(|entry| entry.0 + LATE <= self.now);
        let gone: Vec<u8> = self.live.keys().copied().filter(|&key| self.shard.entry(digest(key)).is_none()).collect();
        assert!(gone.len() <= most);
        let expired = self.shard.departures().expired - self.expired;
        self.expired += expired;
        for key in &gone {
            let (end, ..) = self.live.remove(key).expect("a live entry");
            assert!(expired == 0 || end <= self.now, "a valid entry counted as expired");
            assert!(!has_late || end <= self.now, "a valid entry left before one that had expired");
        }
    }

    fn check(&self) {
        assert_eq!(self.shard.len(), self.live.len());
        assert_eq!(self.shard.weight(), self.live.values().map(|entry| u64::from(entry.1)).sum::<u64>());
        assert_eq!(Arc::strong_count(&self.token), self.live.len() + 1, "each value is held or dropped, once");
        for (&key, &(end, ..)) in &self.live {
            let held = self.shard.entry(digest(key)).map(|(_, times)| times.expires);
            assert_eq!(held, Some(end));
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_map(steps in prop::collection::vec(step(), 1..200)) {
        let mut model = Model::new();
        for step in &steps {
            model.step(step);
            model.check();
        }
    }
}

#[test]
fn a_value_written_again_lives_as_long_as_the_new_one() {
    let mut model = Model::new();
    model.step(&Step::Put(1, 1_000_000, 1));
    model.step(&Step::Put(2, 50_000_000, 1));
    model.step(&Step::Put(1, 9_000_000, 1));
    model.step(&Step::Advance(5_000_000));
    model.step(&Step::Purge);
    assert_eq!(model.shard.len(), 2);
    model.step(&Step::Advance(5_000_000));
    model.step(&Step::Evict);
    model.check();
    assert_eq!((model.shard.len(), model.shard.departures().expired), (1, 1));
}
