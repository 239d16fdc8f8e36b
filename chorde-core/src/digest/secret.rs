//! The secrets of this process.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::long::{PAIRS, Pair};
use super::{Digest, SHAPES, WORDS};

/// The coefficients of one word: one for each half of the digest.
#[derive(Clone, Copy)]
pub(super) struct Coefficients {
    pub(super) low: u128,
    pub(super) high: u128,
}

/// The key of a `SipHash`.
pub(super) type SipKey = (u64, u64);

/// Coefficients and keys, each for one use alone.
// What a short key needs lies on as few cache lines as can be.
#[repr(align(64))]
pub(super) struct Secret {
    /// For the last word of a shape.
    pub(super) shape: Coefficients,
    /// For words of values, by position.
    pub(super) words: [Coefficients; WORDS],
    /// For the words of a shape before the last.
    pub(super) shapes: [Coefficients; SHAPES],
    /// For the hashes of the words that have no coefficient: those of values, those of the shape.
    pub(super) rest: [Coefficients; 4],
    /// For the digest of the namespaces.
    pub(super) path: [Coefficients; 2],
    /// For a digest within another.
    pub(super) within: [Coefficients; 4],
    /// For a digest at a revision.
    pub(super) revised: [Coefficients; 3],
    /// Keys the hash of words without a coefficient.
    pub(super) overflow: SipKey,
    /// Keys the hash of long texts and runs.
    pub(super) long: SipKey,
    /// Keys the hash of names of namespaces.
    pub(super) names: SipKey,
    /// Keys the hash of several namespaces.
    pub(super) paths: SipKey,
    /// Keys the hash of a map's entries.
    pub(super) entries: SipKey,
    /// Keys the compression of blocks.
    pub(super) pairs: [Pair; PAIRS],
}

/// Drawn from the operating system's randomness, by way of the standard library's `RandomState`.
pub(super) static SECRET: LazyLock<Secret> = LazyLock::new(|| {
    let state = RandomState::new();
    let mut counter = 0_u64;
    let mut draw = || {
        counter += 1;
        let mut hasher = state.build_hasher();
        hasher.write_u64(counter);
        hasher.finish()
    };
    let [overflow, long, names, paths, entries] = std::array::from_fn(|_| (draw(), draw()));
    let pairs = std::array::from_fn(|_| [draw(), draw()]);
    let mut wide = || u128::from(draw()) << 64 | u128::from(draw());
    let mut next = || Coefficients { low: wide(), high: wide() };
    Secret {
        shape: next(),
        words: std::array::from_fn(|_| next()),
        shapes: std::array::from_fn(|_| next()),
        rest: std::array::from_fn(|_| next()),
        path: std::array::from_fn(|_| next()),
        within: std::array::from_fn(|_| next()),
        revised: std::array::from_fn(|_| next()),
        overflow,
        long,
        names,
        paths,
        entries,
        pairs,
    }
});

/// Starts a `SipHash`.
pub(super) fn sip_with(key: SipKey) -> SipHasher13 {
    SipHasher13::new_with_keys(key.0, key.1)
}

/// Hashes bytes, all of them at once.
#[cold]
pub(super) fn sip(key: SipKey, bytes: &[u8]) -> Digest {
    let hash = sip_with(key).hash(bytes);
    Digest { low: hash.h1, high: hash.h2 }
}

/// Hashes a digest.
pub(super) fn sip_digest(key: SipKey, digest: Digest) -> Digest {
    let mut hasher = sip_with(key);
    hasher.write_u64(digest.low);
    hasher.write_u64(digest.high);
    let hash = hasher.finish128();
    Digest { low: hash.h1, high: hash.h2 }
}
