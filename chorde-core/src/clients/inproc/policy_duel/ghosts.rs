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
    /// Each a line of the cache.
    buckets: Vec<Bucket>,
}

/// Is the keys whose fingerprints lead here.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket([Ghost; WAYS]);

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
        if count > self.buckets.len() * WAYS {
            self.grow(count, now);
        }
    }

    #[cold]
    fn grow(&mut self, count: usize, now: u32) {
        let buckets = (count + count / 2).div_ceil(WAYS);
        let old = std::mem::replace(&mut self.buckets, vec![Bucket::default(); buckets]);
        for ghost in old.iter().flat_map(|bucket| &bucket.0).filter(|ghost| ghost.fingerprint != 0) {
            self.insert(ghost.fingerprint, ghost.used, now);
        }
    }

    /// Remembers a key last used at `used`; `now` is the clock's present time.
    pub(super) fn insert(&mut self, fingerprint: u32, used: u32, now: u32) {
        let Some(bucket) = self.bucket(fingerprint) else { return };
        // Empty slots are the oldest of all; of equals the last is taken.
        let (mut oldest, mut place) = (0, 0);
        for (index, ghost) in bucket.iter().enumerate() {
            let age = if ghost.fingerprint == 0 { u32::MAX } else { elapsed(ghost.used, now) };
            if age >= oldest {
                (oldest, place) = (age, index);
            }
        }
        bucket[place] = Ghost { fingerprint, used };
    }

    /// Forgets a key and returns when it was last used, if it was remembered.
    pub(super) fn take(&mut self, fingerprint: u32) -> Option<u32> {
        let ghost = self.bucket(fingerprint)?.iter_mut().find(|ghost| ghost.fingerprint == fingerprint)?;
        ghost.fingerprint = 0;
        Some(ghost.used)
    }

    /// Returns the slots where a fingerprint may be.
    fn bucket(&mut self, fingerprint: u32) -> Option<&mut [Ghost; WAYS]> {
        let bucket = (u64::from(fingerprint) * self.buckets.len() as u64) >> 32;
        self.buckets.get_mut(bucket as usize).map(|bucket| &mut bucket.0)
    }
}
