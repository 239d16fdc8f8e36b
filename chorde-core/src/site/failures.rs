//! Decides whether waiting for a computation pays: not where others have just waited in vain.
//!
//! Who waits for a computation that fails without a shareable error has to compute after all, and takes twice as long as
//! without a cache. Only such waits count: errors for which nobody waited, as of requests for what does not exist, say nothing
//! about the next key. After three in a row for one key, nobody waits for that key; after three in a row for different keys, as
//! while an origin is down, nobody waits for any key of the function. A success ends either.

use crate::digest::Digest;
use crate::sync::{AtomicU32, AtomicU64, OnceLock, Ordering};

/// After how many futile waits in a row nobody waits any more.
const FUTILE: u32 = 3;
/// For how many keys futile waits are counted; keys that share a slot displace each other.
const SLOTS: usize = 64;
/// The bits of a slot that hold the count; the others hold bits of the key's digest.
const COUNT: u64 = 0b11;

#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Futile waits in a row, each for another key than the one before.
    in_a_row: AtomicU32,
    /// The key of the last one.
    last: AtomicU64,
    /// Allocated at the first failure.
    keys: OnceLock<Box<[AtomicU64]>>,
}

impl Failures {
    /// Notes that callers waited for a computation of this key that failed without a shareable error.
    ///
    /// Concurrent notes may displace each other: the counts are an estimate, and waiting longer than needed does no harm.
    #[cold]
    pub(crate) fn waited_in_vain(&self, key: Digest) {
        if self.last.swap(tag(key), Ordering::Relaxed) != tag(key) {
            self.in_a_row.fetch_add(1, Ordering::Relaxed);
        }
        let keys = self.keys.get_or_init(|| (0..SLOTS).map(|_| AtomicU64::new(0)).collect());
        let slot = &keys[place(key)];
        let known = slot.load(Ordering::Relaxed);
        let count = if known & !COUNT == tag(key) { known & COUNT } else { 0 };
        slot.store(tag(key) | (count + 1).min(u64::from(FUTILE)), Ordering::Relaxed);
    }

    /// Notes that a computation of this key succeeded.
    pub(crate) fn succeeded(&self, key: Digest) {
        let Some(keys) = self.keys.get() else { return };
        if self.in_a_row.load(Ordering::Relaxed) > 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
            self.last.store(0, Ordering::Relaxed);
        }
        let slot = &keys[place(key)];
        if slot.load(Ordering::Relaxed) & !COUNT == tag(key) {
            slot.store(0, Ordering::Relaxed);
        }
    }

    /// Returns whether a call of this key should compute at once rather than wait.
    pub(crate) fn is_waiting_futile(&self, key: Digest) -> bool {
        let Some(keys) = self.keys.get() else { return false };
        self.in_a_row.load(Ordering::Relaxed) >= FUTILE
            || keys[place(key)].load(Ordering::Relaxed) == tag(key) | u64::from(FUTILE)
    }
}

/// The bits of a key's digest that stand in its slot.
fn tag(key: Digest) -> u64 {
    key.high() & !COUNT
}

fn place(key: Digest) -> usize {
    key.low() as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that share no slot.
    fn key(number: usize) -> Digest {
        let mut texts = (0..100_000).map(|text| Digest::of_text(&format!("{text}")));
        texts.find(|key| place(*key) == number).expect("one in 64 has this slot")
    }

    #[test]
    fn a_key_that_failed_three_waits_is_not_waited_for_and_others_are() {
        let failures = Failures::default();
        for waits in 1..=4 {
            failures.waited_in_vain(key(1));
            assert_eq!((failures.is_waiting_futile(key(1)), failures.is_waiting_futile(key(2))), (waits >= 3, false));
        }
        failures.succeeded(key(2));
        assert!(failures.is_waiting_futile(key(1)));
        failures.succeeded(key(1));
        assert!(!failures.is_waiting_futile(key(1)));
    }

    #[test]
    fn three_keys_in_a_row_stop_the_waits_for_all_until_one_succeeds() {
        let failures = Failures::default();
        [1, 2, 2, 2].into_iter().for_each(|number| failures.waited_in_vain(key(number)));
        assert!(!failures.is_waiting_futile(key(9)));
        failures.waited_in_vain(key(3));
        assert!(failures.is_waiting_futile(key(9)));
        failures.succeeded(key(9));
        assert_eq!([9, 1, 2].map(|number| failures.is_waiting_futile(key(number))), [false, false, true]);
    }
}
