//! Notices operations on one key that overlap in time, so that none of them leaves an old value in the near tier.
//!
//! A promotion reads the far tier and then writes the near one; a write does the far tier and then the near one. Were
//! they to interleave, the near tier could end up with a value that is older than the far tier's, for as long as a
//! whole near life. A lock per key would have to be held while waiting for the far tier. Instead each operation looks
//! before and after whether another one on the same key ran meanwhile, as in a sequence lock, and if so drops the near
//! copy.
//!
//! Keys share [`STRIPES`] counters by their digest. Two keys that meet in one only lose a near copy now and then.

use smallvec::SmallVec;

use crate::key::Key;
use crate::sync::{AtomicU64, Ordering};

/// Enough that fifty writes at once meet by chance in one of twenty cases; 8 KiB for each tiered client.
const STRIPES: usize = 1024;

/// The slot behind the stripes, for writes that concern all keys.
const ALL: usize = STRIPES;

/// A slot counts the writes begun in its upper half, and those that run now in its lower half.
const BEGIN: u64 = (1 << 32) + 1;
const END: u64 = 1;
const RUNNING: u64 = (1 << 32) - 1;

/// Counts the writes to the keys of one family of handles.
#[derive(Debug)]
pub(super) struct Overlaps(Box<[AtomicU64]>);

impl Overlaps {
    pub(super) fn new() -> Self {
        Self((0..=STRIPES).map(|_| AtomicU64::new(0)).collect())
    }

    /// Notes the state before a read whose result may be promoted.
    pub(super) fn watch(&self, key: &Key) -> Watch {
        let stripe = stripe(key);
        Watch { stripe, before: self.load(stripe), all_before: self.load(ALL) }
    }

    /// Returns whether no write to the key has run since before the watch began.
    pub(super) fn undisturbed(&self, watch: &Watch) -> bool {
        idle(watch.before)
            && idle(watch.all_before)
            && self.load(watch.stripe) == watch.before
            && self.load(ALL) == watch.all_before
    }

    /// Announces a write to these keys, which ends when the guard is dropped.
    pub(super) fn write<'k>(&self, keys: impl IntoIterator<Item = &'k Key>) -> Writing<'_> {
        let mut slots: SmallVec<[usize; 1]> = keys.into_iter().map(stripe).collect();
        // One entry for each slot, so that the keys of one write never disturb each other.
        slots.sort_unstable();
        slots.dedup();
        self.begin(slots)
    }

    /// Announces a write that may concern any key.
    pub(super) fn write_all(&self) -> Writing<'_> {
        self.begin(std::iter::once(ALL))
    }

    fn begin(&self, slots: impl IntoIterator<Item = usize>) -> Writing<'_> {
        let begun = slots.into_iter().map(|slot| (slot, self.0[slot].fetch_add(BEGIN, Ordering::SeqCst))).collect();
        Writing { overlaps: self, begun, all_before: self.load(ALL) }
    }

    fn load(&self, slot: usize) -> u64 {
        self.0[slot].load(Ordering::SeqCst)
    }
}

/// What the counters showed before a read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    stripe: usize,
    before: u64,
    all_before: u64,
}

/// A write under way; dropping it ends it, wherever the operation stopped.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    overlaps: &'a Overlaps,
    /// The slots, ascending, and what they showed before.
    begun: SmallVec<[(usize, u64); 1]>,
    all_before: u64,
}

impl Writing<'_> {
    /// Returns whether another write to this key, one of those announced, ran at any time since this one began.
    pub(super) fn overlapped(&self, key: &Key) -> bool {
        let slot = stripe(key);
        let Ok(at) = self.begun.binary_search_by_key(&slot, |(slot, _)| *slot) else {
            return true;
        };
        let before = self.begun[at].1;
        let alone = idle(before) && self.overlaps.load(slot) == before.wrapping_add(BEGIN);
        let none_of_all = idle(self.all_before) && self.overlaps.load(ALL) == self.all_before;
        !(alone && none_of_all)
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        for (slot, _) in &self.begun {
            self.overlaps.0[*slot].fetch_sub(END, Ordering::SeqCst);
        }
    }
}

fn stripe(key: &Key) -> usize {
    // The high half, for stores pick their shards by the low one.
    (key.digest().high() % STRIPES as u64) as usize
}

fn idle(state: u64) -> bool {
    state & RUNNING == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Key {
        Key::new(&number).unwrap()
    }

    #[test]
    fn a_watch_is_disturbed_by_a_write_before_during_and_after() {
        let (overlaps, key) = (Overlaps::new(), key(1));
        let watch = overlaps.watch(&key);
        assert!(overlaps.undisturbed(&watch));
        let writing = overlaps.write([&key]);
        assert!(!overlaps.undisturbed(&watch), "a write has begun");
        let late = overlaps.watch(&key);
        assert!(!overlaps.undisturbed(&late), "a write was under way");
        drop(writing);
        assert!(!overlaps.undisturbed(&watch), "a write came and went");
        assert!(!overlaps.undisturbed(&late), "a write ended meanwhile");
        assert!(overlaps.undisturbed(&overlaps.watch(&key)));
    }

    #[test]
    fn writes_notice_each_other_whichever_came_first() {
        let (overlaps, key) = (Overlaps::new(), key(1));
        let first = overlaps.write([&key]);
        assert!(!first.overlapped(&key));
        let second = overlaps.write([&key]);
        assert!(first.overlapped(&key) && second.overlapped(&key));
        drop(first);
        assert!(second.overlapped(&key), "the first one ran at the same time");
        drop(second);
        assert!(!overlaps.write([&key]).overlapped(&key));
    }

    #[test]
    fn the_keys_of_one_write_do_not_disturb_each_other() {
        let overlaps = Overlaps::new();
        let keys: Vec<Key> = (0..5_000).map(key).collect();
        let writing = overlaps.write(&keys);
        assert!(keys.iter().all(|key| !writing.overlapped(key)));
    }

    #[test]
    fn a_write_to_all_keys_disturbs_each() {
        let (overlaps, key) = (Overlaps::new(), key(1));
        let (watch, writing) = (overlaps.watch(&key), overlaps.write([&key]));
        drop(overlaps.write_all());
        assert!(writing.overlapped(&key));
        drop(writing);
        assert!(!overlaps.undisturbed(&watch));
        let all = overlaps.write_all();
        assert!(overlaps.write([&key]).overlapped(&key));
        drop(all);
        assert!(!overlaps.write([&key]).overlapped(&key));
    }
}
