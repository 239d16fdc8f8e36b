//! Remembers keys that were evicted, and when each was last used.

use super::seat::elapsed;

/// Keys that share a bucket; a full bucket forgets the one used longest ago.
const WAYS: usize = 8;

/// Is a table of fingerprints of about as many keys as there are live entries, 8 bytes each.
///
/// Two keys may share a fingerprint (one lookup in some thousands at a million entries): then a newcomer is taken for
/// an old acquaintance, which costs a little of the hit ratio and nothing else.
#[derive(Debug, Default)]
pub(super) struct Ghosts {
    /// Buckets of `WAYS` slots, end to end.
    slots: Vec<Ghost>,
}

/// Is one evicted key.
#[derive(Debug, Clone, Copy, Default)]
struct Ghost {
    /// What is left of the key's hash; zero for an empty slot.
    fingerprint: u32,
    /// The policy's clock when the key was last used.
    used: u32,
}

/// Reduces a hash to a fingerprint. The multiplication lets every bit of the hash count even if its highest ones chose
/// the shard and so are the same for all keys here.
pub(super) fn fingerprint(hash: u64) -> u32 {
    (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32 | 1
}

impl Ghosts {
    /// Makes room for about `count` keys, in steps of a half more so that growing is O(1) amortised.
    pub(super) fn reserve(&mut self, count: usize, now: u32) {
        if count <= self.slots.len() {
            return;
        }
        let buckets = (count + count / 2).div_ceil(WAYS);
        let old = std::mem::replace(&mut self.slots, vec![Ghost::default(); buckets * WAYS]);
        for ghost in old.into_iter().filter(|ghost| ghost.fingerprint != 0) {
            self.insert(ghost.fingerprint, ghost.used, now);
        }
    }

    /// Remembers a key last used at `used`; `now` is the clock's present time.
    pub(super) fn insert(&mut self, fingerprint: u32, used: u32, now: u32) {
        let slot = self.bucket(fingerprint).iter_mut().max_by_key(|ghost| match ghost.fingerprint {
            0 => u64::MAX,
            _ => u64::from(elapsed(ghost.used, now)),
        });
        if let Some(slot) = slot {
            *slot = Ghost { fingerprint, used };
        }
    }

    /// Forgets a key and returns when it was last used, if it was remembered.
    pub(super) fn take(&mut self, fingerprint: u32) -> Option<u32> {
        let ghost = self.bucket(fingerprint).iter_mut().find(|ghost| ghost.fingerprint == fingerprint)?;
        ghost.fingerprint = 0;
        Some(ghost.used)
    }

    /// Returns the slots where a fingerprint may be.
    fn bucket(&mut self, fingerprint: u32) -> &mut [Ghost] {
        let buckets = (self.slots.len() / WAYS) as u64;
        let start = ((u64::from(fingerprint) * buckets) >> 32) as usize * WAYS;
        let end = (start + WAYS).min(self.slots.len());
        &mut self.slots[start..end]
    }
}
