//! Decides whether waiting for a computation pays: not where others have just waited for nothing.
//!
//! Who waits for a computation that fails without a shareable error has to compute after all, and takes twice as long as
//! without a cache. Only such waits count: errors for which nobody waited, as of requests for what does not exist, say nothing
//! about the next key. After three for one key, nobody waits for that key; after three for different keys without a success in
//! between, as while an origin is down, nobody waits for any key of the function. A success ends either, and so does a lease
//! without such a wait: what failed then may work now, and is not to be overrun.

use crate::digest::Digest;
use crate::sync::{AtomicU32, AtomicU64, OnceLock, Ordering};

/// After how many futile waits nobody waits any more.
const FUTILE: u32 = 3;
/// For how many keys futile waits are counted; keys that share a slot displace each other.
const SLOTS: usize = 64;
/// The bits of a slot that hold the count; the others hold bits of the key's digest.
const COUNT: u64 = 0b11;

#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// For how many keys there were futile waits since the last success.
    keys: AtomicU32,
    /// When the last of them was.
    last: AtomicU64,
    /// When a computation last succeeded after one.
    success: AtomicU64,
    /// Allocated at the first.
    slots: OnceLock<Box<[Slot]>>,
}

/// The futile waits of one key.
#[derive(Debug, Default)]
struct Slot {
    known: AtomicU64,
    /// When the last one was.
    last: AtomicU64,
}

impl Failures {
    /// Notes that at that time callers waited for a computation of this key that failed without a shareable error.
    ///
    /// Concurrent notes may displace each other: the counts are an estimate, and waiting longer than needed does no harm.
    #[cold]
    pub(crate) fn waited_for_nothing(&self, key: Digest, now: u64) {
        let slots = self.slots.get_or_init(|| (0..SLOTS).map(|_| Slot::default()).collect());
        let slot = &slots[place(key)];
        let known = slot.known.load(Ordering::Relaxed);
        let before = slot.last.swap(now, Ordering::Relaxed);
        let count = if known & !COUNT == tag(key) { known & COUNT } else { 0 };
        if count == 0 || before < self.success.load(Ordering::Relaxed) {
            self.keys.fetch_add(1, Ordering::Relaxed);
        }
        self.last.store(now, Ordering::Relaxed);
        slot.known.store(tag(key) | (count + 1).min(u64::from(FUTILE)), Ordering::Relaxed);
    }

    /// Notes that a computation of this key succeeded at that time.
    pub(crate) fn succeeded(&self, key: Digest, now: u64) {
        let Some(slots) = self.slots.get() else { return };
        if self.keys.load(Ordering::Relaxed) > 0 {
            self.keys.store(0, Ordering::Relaxed);
            self.success.store(now, Ordering::Relaxed);
        }
        let slot = &slots[place(key)];
        if slot.known.load(Ordering::Relaxed) & !COUNT == tag(key) {
            slot.known.store(0, Ordering::Relaxed);
        }
    }

    /// Returns whether a call of this key should compute at once rather than wait. A lease is as long as the memory lasts.
    pub(crate) fn is_waiting_futile(&self, key: Digest, now: impl FnOnce() -> u64, lease: u64) -> bool {
        let Some(slots) = self.slots.get() else { return false };
        let slot = &slots[place(key)];
        let last = if slot.known.load(Ordering::Relaxed) == tag(key) | u64::from(FUTILE) {
            &slot.last
        } else if self.keys.load(Ordering::Relaxed) >= FUTILE {
            &self.last
        } else {
            return false;
        };
        now().saturating_sub(last.load(Ordering::Relaxed)) < lease
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

    const LEASE: u64 = 10;

    /// Keys that share no slot.
    fn key(number: usize) -> Digest {
        let mut texts = (0..100_000).map(|text| Digest::of_text(&format!("{text}")));
        texts.find(|key| place(*key) == number).expect("one in 64 has this slot")
    }

    fn are_futile(failures: &Failures, now: u64, keys: impl IntoIterator<Item = usize>) -> Vec<bool> {
        keys.into_iter().map(|number| failures.is_waiting_futile(key(number), || now, LEASE)).collect()
    }

    #[test]
    fn a_key_that_failed_three_waits_is_not_waited_for_and_others_are() {
        let failures = Failures::default();
        for waits in 1..=4 {
            failures.waited_for_nothing(key(1), 100);
            assert_eq!(are_futile(&failures, 100, [1, 2]), [waits >= 3, false]);
        }
        failures.succeeded(key(2), 100);
        assert_eq!(are_futile(&failures, 100, [1]), [true]);
        failures.succeeded(key(1), 100);
        assert_eq!(are_futile(&failures, 100, [1]), [false]);
    }

    #[test]
    fn three_keys_without_a_success_stop_the_waits_for_all() {
        let failures = Failures::default();
        for number in [1, 2, 1, 2, 2] {
            failures.waited_for_nothing(key(number), 100);
        }
        assert_eq!(are_futile(&failures, 100, [9, 2]), [false, true], "two keys are not many");
        failures.waited_for_nothing(key(3), 101);
        assert_eq!(are_futile(&failures, 101, [9]), [true]);
        failures.succeeded(key(9), 102);
        assert_eq!(are_futile(&failures, 102, [9, 1, 2]), [false, false, true]);
        for number in [1, 2, 3] {
            failures.waited_for_nothing(key(number), 103);
        }
        assert_eq!(are_futile(&failures, 103, [9]), [true], "the same keys count again after a success");
    }

    #[test]
    fn after_a_lease_one_is_waited_for_again() {
        let failures = Failures::default();
        for number in [1, 1, 1, 2, 3] {
            failures.waited_for_nothing(key(number), 100);
        }
        assert_eq!(are_futile(&failures, 100 + LEASE - 1, [1, 9]), [true, true]);
        assert_eq!(are_futile(&failures, 100 + LEASE, [1, 9]), [false, false]);
        failures.waited_for_nothing(key(1), 200);
        assert_eq!(are_futile(&failures, 201, [1]), [true], "one more wait for nothing is enough");
    }
}
