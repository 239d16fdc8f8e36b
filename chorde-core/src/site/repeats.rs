//! Notices a function that never hits although its arguments repeat: a set or a map inside of them that serde shows as a list,
//! in another order each time, is another key each time.
//!
//! Misses cost nothing for it but a look at their number. After a thousand of them without any hit, and each time that their
//! number has doubled, the next ones are sampled: keys that consist of the same bytes in another order are taken for repetitions.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::digest::Digest;
use crate::events::Kind;
use crate::key::Key;
use crate::sync::{Mutex, lock};

/// How many misses without a hit are suspicious.
const SUSPICIOUS: u64 = 1024;
/// How many of the misses after that begin to sample: more than one, as no single number is sure to be seen.
const BEGIN: u64 = 16;
/// How many keys are sampled.
const SAMPLE: usize = 128;
/// How many of them must repeat others.
const ENOUGH: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Repeats {
    is_sampling: AtomicBool,
    sampled: Mutex<Sampled>,
}

/// What was seen of keys (PURE).
#[derive(Debug, Default)]
struct Sampled {
    keys: Vec<(u64, Digest)>,
    repeated: usize,
    was_told: bool,
}

impl Repeats {
    /// Notes one more miss; returns whether to log the warning.
    #[inline]
    pub(crate) fn missed(&self, misses: u64, hits: impl Fn() -> u64, key: &Key) -> bool {
        let begins = misses >= SUSPICIOUS && misses - (1 << misses.ilog2()) < BEGIN;
        (begins || self.is_sampling.load(Ordering::Relaxed)) && self.look(hits, key)
    }

    #[cold]
    fn look(&self, hits: impl Fn() -> u64, key: &Key) -> bool {
        let mut sampled = lock(&self.sampled);
        let goes_on = !sampled.was_told && hits() == 0 && sampled.keys.len() < SAMPLE;
        let tells = goes_on && has_list(key.bytes()) && sampled.take(loose(key.bytes()), key.digest());
        if !goes_on || tells {
            *sampled = Sampled { was_told: sampled.was_told || tells, ..Sampled::default() };
        }
        self.is_sampling.store(goes_on && !tells, Ordering::Relaxed);
        tells
    }
}

impl Sampled {
    /// Takes in one key; returns whether enough of them repeat.
    fn take(&mut self, loose: u64, digest: Digest) -> bool {
        self.repeated += usize::from(self.keys.iter().any(|(other, known)| *other == loose && *known != digest));
        self.keys.push((loose, digest));
        self.repeated >= ENOUGH
    }
}

/// Returns whether there may be a list among the arguments: the mark of one is a byte that texts in ASCII do not have.
fn has_list(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte >> 3 == Kind::Seq as u8)
}

/// Makes the same number of the same bytes in whatever order.
fn loose(bytes: &[u8]) -> u64 {
    let spread = |byte: u8| (u64::from(byte) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::from(byte) % 61);
    bytes.iter().fold(bytes.len() as u64, |sum, byte| sum.wrapping_add(spread(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_after(misses: u64, hits: u64, key: impl Fn(u64) -> Vec<u32>) -> Option<u64> {
        let repeats = Repeats::default();
        let is_told = |miss: &u64| {
            let key = Key::new(&key(*miss)).expect("a list of numbers");
            repeats.missed(*miss, || hits, &key)
        };
        let told: Vec<u64> = (0..misses).filter(is_told).collect();
        assert!(told.len() <= 1, "once is enough");
        told.first().copied()
    }

    fn shuffled(miss: u64) -> Vec<u32> {
        let mut list: Vec<u32> = (0..10).collect();
        list.rotate_left(miss as usize % 10);
        list.swap(0, miss as usize % 7);
        list
    }

    #[test]
    fn texts_of_the_same_letters_are_no_repetition() {
        let repeats = Repeats::default();
        for miss in 1..100_000_u64 {
            let key = Key::new(&format!("user-{miss}")).expect("a text");
            assert!(!repeats.missed(miss, || 0, &key), "{miss}");
        }
    }

    #[test]
    fn lists_in_another_order_each_time_are_noticed_once() {
        assert!(told_after(10_000, 0, shuffled).is_some_and(|miss| miss < SUSPICIOUS + SAMPLE as u64));
    }

    #[test]
    fn other_arguments_each_time_are_not() {
        assert_eq!(told_after(10_000, 0, |miss| vec![miss as u32; 3]), None);
    }

    #[test]
    fn nor_is_a_function_that_hits() {
        assert_eq!(told_after(10_000, 1, shuffled), None);
    }
}
