//! Belady's optimum: what is evicted is that whose next use is the furthest away.

use std::collections::{BTreeSet, HashMap};

pub fn hits(keys: &[u64], capacity: usize) -> usize {
    let mut next_use = vec![usize::MAX; keys.len()];
    let mut seen = HashMap::new();
    for (at, key) in keys.iter().enumerate().rev() {
        next_use[at] = seen.insert(key, at).unwrap_or(usize::MAX);
    }
    // What is held, by its next use; keys that never come again differ by themselves.
    let mut held: BTreeSet<(usize, u64)> = BTreeSet::new();
    let mut hits = 0;
    for (at, key) in keys.iter().enumerate() {
        let was_held = held.remove(&(at, *key));
        hits += usize::from(was_held);
        held.insert((next_use[at], *key));
        if held.len() > capacity {
            // It may be the one that has just come: not everything need be inserted.
            held.pop_last();
        }
    }
    hits
}
