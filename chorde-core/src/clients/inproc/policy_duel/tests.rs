//! Checks what every policy owes its shard, and that the ratio of hits stays where it was measured.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// Spreads the bits of a number: the finaliser of splitmix64.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Is a shard as far as a policy can tell.
struct Shard {
    policy: Duel,
    marks: Marks,
    capacity: u64,
    nodes: HashMap<u64, Node>,
    /// Key and weight by live node.
    live: BTreeMap<Node, (u64, u64)>,
    free: Vec<Node>,
    newest: Option<Node>,
}

impl Shard {
    fn new(capacity: u64) -> Self {
        Self {
            policy: Duel::new(capacity),
            marks: Marks::new(),
            capacity,
            nodes: HashMap::new(),
            live: BTreeMap::new(),
            free: Vec::new(),
            newest: None,
        }
    }

    fn weight(&self) -> u64 {
        self.live.values().map(|(_, weight)| weight).sum()
    }

    /// Returns whether `key` is held, and marks it.
    fn hit(&mut self, key: u64) -> bool {
        let Some(&node) = self.nodes.get(&key) else {
            return false;
        };
        self.marks.raise(node, self.policy.mark_limit());
        true
    }

    fn write(&mut self, key: u64, weight: u64) {
        if let Some(&node) = self.nodes.get(&key) {
            self.marks.raise(node, self.policy.mark_limit());
            self.policy.update(node, weight);
            self.live.insert(node, (key, weight));
        } else {
            let node = self.free.pop().unwrap_or(self.live.len() as Node);
            self.marks.set(node, 0);
            self.policy.insert(node, mixed(key), weight);
            self.nodes.insert(key, node);
            self.live.insert(node, (key, weight));
            self.newest = Some(node);
        }
    }

    /// Asks for a key of weight 1: a hit, or a write for which others leave.
    fn ask(&mut self, key: u64) {
        if !self.hit(key) {
            self.write(key, 1);
            while self.weight() > self.capacity && self.evict() {}
        }
    }

    fn forget(&mut self, node: Node) {
        let (key, _) = self.live.remove(&node).expect("a live node");
        self.nodes.remove(&key);
        self.free.push(node);
        if self.newest == Some(node) {
            self.newest = None;
        }
    }

    fn remove(&mut self, key: u64) {
        if let Some(&node) = self.nodes.get(&key) {
            self.policy.remove(node);
            self.forget(node);
        }
    }

    /// Evicts one and checks what is promised of it.
    fn evict(&mut self) -> bool {
        let Some(node) = self.policy.victim(&mut self.marks) else {
            assert!(self.live.is_empty(), "no victim among {} live nodes", self.live.len());
            return false;
        };
        assert!(self.live.contains_key(&node), "{node} is not live");
        assert!(self.live.len() == 1 || self.newest != Some(node), "{node} was inserted last");
        self.forget(node);
        self.check();
        true
    }

    /// Compares the policy's sums with the model's.
    fn check(&self) {
        assert_eq!(self.policy.queues.len() as usize, self.live.len());
        assert_eq!(self.policy.queues.weight(), self.weight());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Read(u64),
    Write(u64, u64),
    Remove(u64),
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || prop_oneof![0..10_u64, 0..60_u64];
    prop_oneof![
        5 => key().prop_map(Step::Read),
        5 => (key(), prop_oneof![3 => Just(1), 1 => 0..20_u64]).prop_map(|(key, weight)| Step::Write(key, weight)),
        1 => key().prop_map(Step::Remove),
        1 => Just(Step::Evict),
    ]
}

proptest! {
    #[test]
    fn victims_are_live_and_never_the_newest(capacity in 1..50_u64, steps in prop::collection::vec(step(), 1..250)) {
        let mut shard = Shard::new(capacity);
        for step in steps {
            match step {
                Step::Read(key) => {
                    shard.hit(key);
                }
                Step::Write(key, weight) => {
                    shard.write(key, weight);
                    while shard.weight() > shard.capacity && shard.evict() {}
                }
                Step::Remove(key) => shard.remove(key),
                Step::Evict => {
                    shard.evict();
                }
            }
            shard.check();
        }
        for _ in 0..shard.live.len() {
            prop_assert!(shard.evict(), "some node is never evicted");
        }
        prop_assert!(!shard.evict());
    }
}

proptest! {
    /// Whatever was held before, what is asked for again and again, and would fit, is held before long; so nobody is kept out
    /// by those of whom nothing is heard any more.
    #[test]
    fn no_working_set_that_fits_is_kept_out(
        capacity in 1..60_u64,
        part in 1..=100_u64,
        history in prop::collection::vec(step(), 0..400),
    ) {
        let mut shard = Shard::new(capacity);
        for step in history {
            match step {
                Step::Read(key) => drop(shard.hit(key)),
                Step::Write(key, _) => shard.ask(key),
                Step::Remove(key) => shard.remove(key),
                Step::Evict => drop(shard.evict()),
            }
        }
        let set = 1000..1000 + (capacity * part / 100).max(1);
        let misses = |shard: &mut Shard| {
            let absent = set.clone().filter(|key| !shard.hit(*key)).collect::<Vec<_>>();
            absent.iter().for_each(|key| shard.ask(*key));
            absent.len()
        };
        let rounds = (1..).find(|round| misses(&mut shard) == 0 || *round > ROUNDS);
        prop_assert!(rounds <= Some(ROUNDS), "{set:?} is not held after {ROUNDS} rounds");
    }
}

/// After how many rounds of asking for all of a working set it must be held: what is hot is forgotten after 32 turns of the hand,
/// each of as many misses as there are entries.
const ROUNDS: usize = 200;

#[test]
fn a_weight_beyond_all_bounds_does_no_harm() {
    let mut shard = Shard::new(u64::MAX);
    shard.policy.insert(0, 1, u64::MAX);
    shard.policy.insert(1, 2, u64::MAX);
    shard.policy.update(0, 1);
    assert_eq!(shard.policy.victim(&mut shard.marks), Some(0));
    assert_eq!(shard.policy.victim(&mut shard.marks), Some(1));
    assert_eq!(shard.policy.victim(&mut shard.marks), None);
}

#[test]
fn marks_on_everything_do_not_hold_up_an_eviction() {
    let mut shard = Shard::new(5000);
    for key in 0..5000 {
        shard.write(key, 1);
    }
    for key in 5000..5100 {
        for key in 0..key {
            shard.hit(key);
        }
        shard.write(key, 1);
        let node = shard.policy.victim(&mut shard.marks).expect("a victim");
        assert_ne!(shard.newest, Some(node));
        shard.forget(node);
    }
}

/// Draws numbers from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.0)
    }

    /// Draws a rank below `ranks` with a probability that falls about as 1/rank.
    fn zipf(&mut self, ranks: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (ranks as f64).powf(unit) as u64 - 1
    }
}

/// Returns percent of hits on a trace: of the policy's, and of exact LRU's.
fn ratios(capacity: usize, trace: &[u64]) -> (f64, f64) {
    let mut shard = Shard::new(capacity as u64);
    let mut hits = 0;
    for &key in trace {
        if shard.hit(key) {
            hits += 1;
        } else {
            shard.write(key, 1);
            if shard.live.len() > capacity {
                let node = shard.policy.victim(&mut shard.marks).expect("a victim");
                shard.forget(node);
            }
        }
    }
    let percent = 100.0 / trace.len() as f64;
    (f64::from(hits) * percent, f64::from(lru_hits(capacity, trace)) * percent)
}

/// Counts the hits of exact LRU, by time of use.
fn lru_hits(capacity: usize, trace: &[u64]) -> u32 {
    let (mut used, mut order) = (HashMap::new(), BTreeMap::new());
    let mut hits = 0;
    for (now, &key) in trace.iter().enumerate() {
        if let Some(before) = used.insert(key, now) {
            order.remove(&before);
            hits += 1;
        }
        order.insert(now, key);
        if order.len() > capacity {
            let (_, key) = order.pop_first().expect("more than none");
            used.remove(&key);
        }
    }
    hits
}

#[test]
fn a_loop_keeps_what_fits() {
    for (capacity, length) in [(3, 5), (10, 15), (50, 60), (100, 200), (400, 1000)] {
        let trace: Vec<u64> = (0..20_000).map(|i| i % length).collect();
        let (hits, lru) = ratios(capacity, &trace);
        let optimum = (capacity - 1) as f64 * 100.0 / (length - 1) as f64;
        assert_eq!(lru, 0.0);
        assert!(hits > optimum * 0.6, "{capacity} of {length}: {hits:.1}, optimum {optimum:.1}");
    }
}

#[test]
fn skewed_popularity_beats_lru() {
    for (capacity, lead) in [(10, 5.0), (100, 5.0), (1000, 3.0)] {
        let mut random = Random(1);
        let trace: Vec<u64> = (0..60_000).map(|_| random.zipf(20_000)).collect();
        let (hits, lru) = ratios(capacity, &trace);
        assert!(hits > lru + lead, "{capacity}: {hits:.1}, LRU {lru:.1}");
    }
}

#[test]
fn scans_pass_by() {
    let mut random = Random(2);
    let mut fresh = 1 << 32;
    let mut trace = Vec::new();
    for i in 0..60_000 {
        if i % 5000 < 2000 {
            fresh += 1;
            trace.push(fresh);
        } else {
            trace.push(random.zipf(20_000));
        }
    }
    let (hits, lru) = ratios(500, &trace);
    assert!(hits > lru + 4.0, "{hits:.1}, LRU {lru:.1}");
}

#[test]
fn recency_keeps_up_with_lru() {
    // Every key is used a few times within the last 300 and then never again.
    let mut random = Random(3);
    let trace: Vec<u64> = (0..60_000_u64).map(|i| i / 3 + 300 - random.next() % 300).collect();
    for capacity in [100, 250, 400] {
        let (hits, lru) = ratios(capacity, &trace);
        assert!(hits > lru - 4.0, "{capacity}: {hits:.1}, LRU {lru:.1}");
    }
}

#[test]
fn a_changed_workload_is_met_by_another_split() {
    let mut random = Random(4);
    let recent = |random: &mut Random, base: u64| -> Vec<u64> {
        (0..30_000_u64).map(|i| base + i / 2 + 60 - random.next() % 60).collect()
    };
    let mut trace = recent(&mut random, 1 << 20);
    trace.extend((0..50_000).map(|i| i % 1000));
    trace.extend(recent(&mut random, 1 << 30));
    let (hits, lru) = ratios(500, &trace);
    assert!(hits > lru + 15.0, "{hits:.1}, LRU {lru:.1}");
}

#[test]
fn the_share_stays_within_its_bounds() {
    let mut share = Share::new();
    for _ in 0..10_000 {
        share.grow();
    }
    assert_eq!((share.of(10_000), share.of(1), share.of(0)), (9699, 1, 1));
    for _ in 0..10_000 {
        share.shrink(1, 2);
    }
    assert_eq!((share.of(10_000), share.of(1)), (299, 1));
    assert_eq!(share.of(u64::MAX) / 1_000_000_000_000, 553_397);
}

#[test]
fn a_place_holds_what_was_put_in() {
    let hot = Place::hot(u16::MAX, u8::MAX);
    assert_eq!((hot.is_hot(), hot.is_demoted(), hot.heat(), hot.idle()), (true, false, u16::MAX, u8::MAX));
    let cold = Place::cold(u32::MAX);
    assert_eq!((cold.is_hot(), cold.is_demoted(), elapsed(cold.used(), 4)), (false, false, 5));
    let demoted = Place::demoted(17);
    assert_eq!((demoted.is_hot(), demoted.is_demoted(), elapsed(demoted.used(), 20)), (false, true, 3));
}

#[test]
fn ghosts_are_remembered_once_and_the_oldest_forgotten_first() {
    let mut ghosts = Ghosts::default();
    assert_eq!(ghosts.take(1), None);
    ghosts.reserve(4, 0);
    let slots = 8;
    for used in 0..2 * slots {
        ghosts.insert(used * 2 + 1, used, used);
    }
    assert_eq!(ghosts.take(1), None);
    assert_eq!(ghosts.take(4 * slots - 1), Some(2 * slots - 1));
    assert_eq!(ghosts.take(4 * slots - 1), None);
}
