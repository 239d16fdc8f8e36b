//! Compares the wheel with a sorted map.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A tick, the most by which anything may come out late.
const TICK: u64 = 1 << TICK_BITS;
const MILLISECOND: u64 = 1_000_000;
const YEAR: u64 = 365 * 24 * 3600 * 1_000_000_000;

impl Expiry {
    /// Returns the tick in which `node` expires, if it is scheduled.
    fn due(&self, node: Node) -> Option<u64> {
        let is_known = (node as usize) < self.timers.len();
        is_known.then(|| self.timers.about(node).timer.tick()).filter(|&tick| tick != NEVER)
    }

    /// Checks that every node lies in the chain that it names, and no later than it is due.
    fn check(&self) {
        let mut chained = BTreeMap::new();
        for (place, chain) in self.chains.iter().enumerate() {
            let first = chain.oldest();
            assert!(
                place == 0 || first.is_some() == (self.occupied[(place - 1) / SLOTS] >> ((place - 1) % SLOTS) & 1 != 0)
            );
            for node in std::iter::successors(first, |&node| self.timers.newer(node)) {
                chained.insert(node, place as u16);
            }
        }
        for node in 0..self.timers.len() as Node {
            let Timed { timer, .. } = self.timers.about(node);
            assert_eq!(timer.place(), chained.get(&node).copied().unwrap_or(NOWHERE));
            assert!(timer.tick() == NEVER || timer.place() <= self.place_of(timer.tick()), "{node} lies too late");
        }
    }
}

/// Is the index as one would write it without a care for speed.
#[derive(Default)]
struct Model {
    expires: BTreeMap<Node, u64>,
}

impl Model {
    fn before(&self, time: u64) -> BTreeSet<Node> {
        self.expires.iter().filter(|(_, expires)| **expires <= time).map(|(node, _)| *node).collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Schedule(Node, u64),
    Cancel(Node),
    Advance(u64),
    Drain,
    PopOne,
}

/// Spans of time of every size, from nothing to centuries.
fn span() -> impl Strategy<Value = u64> {
    (0..63_u32, any::<u64>()).prop_map(|(bits, noise)| noise & ((1 << bits) - 1))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40_u32, span()).prop_map(|(node, ahead)| Step::Schedule(node, ahead)),
        1 => (0..50_u32).prop_map(Step::Cancel),
        2 => span().prop_map(|by| Step::Advance(by >> 4)),
        1 => (0..3 * TICK).prop_map(Step::Advance),
        2 => Just(Step::Drain),
        2 => Just(Step::PopOne),
    ]
}

/// Pops one and checks it against the model; returns whether there was one.
fn pop(wheel: &mut Expiry, model: &mut Model, now: u64) -> bool {
    match wheel.pop_expired(now) {
        Some(node) => {
            let expires = model.expires.remove(&node).expect("a scheduled node");
            assert!(expires <= now, "{node} popped {} too early", expires - now);
            assert_eq!(wheel.due(node), None);
            true
        }
        None => {
            let late = now.checked_sub(TICK).map(|time| model.before(time)).unwrap_or_default();
            assert!(late.is_empty(), "{late:?} expired more than a tick before {now}");
            false
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_sorted_map(start in span(), steps in prop::collection::vec(step(), 1..200)) {
        let (mut wheel, mut model, mut now) = (Expiry::<()>::new(), Model::default(), start);
        for step in steps {
            match step {
                Step::Schedule(node, ahead) => {
                    let expires = now.saturating_add(ahead);
                    wheel.schedule(node, expires);
                    model.expires.insert(node, expires);
                    if expires >> TICK_BITS == NEVER {
                        model.expires.remove(&node);
                    }
                    prop_assert_eq!(wheel.due(node), model.expires.get(&node).map(|&expires| expires >> TICK_BITS));
                }
                Step::Cancel(node) => {
                    wheel.cancel(node);
                    model.expires.remove(&node);
                    prop_assert_eq!(wheel.due(node), None);
                }
                Step::Advance(by) => now = now.saturating_add(by),
                Step::Drain => while pop(&mut wheel, &mut model, now) {},
                Step::PopOne => {
                    pop(&mut wheel, &mut model, now);
                }
            }
            wheel.check();
        }
        // Everything that was scheduled comes out in the end, but for what shares the very last tick of all.
        while pop(&mut wheel, &mut model, u64::MAX) {}
        prop_assert!(model.expires.values().all(|&expires| expires > u64::MAX - TICK));
    }

    #[test]
    fn a_clock_that_runs_backwards_pops_nothing_early(
        steps in prop::collection::vec((0..20_u32, span(), span()), 1..200),
    ) {
        let (mut wheel, mut ends) = (Expiry::<()>::new(), BTreeMap::new());
        for (node, expires, now) in steps {
            wheel.schedule(node, expires);
            ends.insert(node, expires);
            if let Some(node) = wheel.pop_expired(now) {
                prop_assert!(ends[&node] <= now);
            }
            wheel.check();
        }
    }
}

#[test]
fn a_jump_of_a_century_finds_everything() {
    let mut wheel = Expiry::<()>::new();
    for node in 0..1000 {
        wheel.schedule(node, u64::from(node) * (YEAR / 10) + MILLISECOND);
    }
    let mut popped: Vec<_> = std::iter::from_fn(|| wheel.pop_expired(100 * YEAR)).collect();
    popped.sort_unstable();
    assert_eq!(popped, (0..1000).collect::<Vec<_>>());
    assert_eq!(wheel.pop_expired(u64::MAX), None);
}

#[test]
fn nodes_a_tick_apart_come_out_in_turn() {
    let mut wheel = Expiry::<()>::new();
    let base = 5 * YEAR;
    for node in 0..500 {
        wheel.schedule(node, base + u64::from(node) * TICK);
    }
    for node in 0..500 {
        let expires = base + u64::from(node) * TICK;
        assert_eq!(wheel.pop_expired(expires - 1), None);
        assert_eq!(wheel.pop_expired(expires + TICK), Some(node));
    }
}

#[test]
fn rescheduling_moves_a_node() {
    let mut wheel = Expiry::<()>::new();
    wheel.schedule(7, MILLISECOND);
    wheel.schedule(7, YEAR);
    assert_eq!(wheel.pop_expired(YEAR / 2), None);
    wheel.schedule(7, YEAR / 4);
    assert_eq!(wheel.pop_expired(YEAR / 2), Some(7));
    assert_eq!(wheel.pop_expired(u64::MAX), None);
}

#[test]
fn never_is_not_scheduled() {
    let mut wheel = Expiry::<()>::new();
    wheel.schedule(3, u64::MAX);
    wheel.schedule(4, 10 * YEAR);
    wheel.schedule(4, u64::MAX);
    wheel.cancel(9);
    assert_eq!((wheel.due(3), wheel.due(4)), (None, None));
    assert_eq!(wheel.pop_expired(u64::MAX), None);
}

#[test]
fn a_node_that_serves_again_waits_where_it_is() {
    let mut wheel = Expiry::<()>::new();
    wheel.schedule(1, YEAR);
    let place = wheel.timers.about(1).timer.place();
    for turn in 1..1000 {
        wheel.cancel(1);
        assert_eq!(wheel.pop_expired(turn * MILLISECOND), None);
        wheel.schedule(1, YEAR + turn * MILLISECOND);
        assert_eq!(wheel.timers.about(1).timer.place(), place);
    }
    assert_eq!(wheel.pop_expired(YEAR + 998 * MILLISECOND), None);
    assert_eq!(wheel.pop_expired(YEAR + 1000 * MILLISECOND), Some(1));
}
