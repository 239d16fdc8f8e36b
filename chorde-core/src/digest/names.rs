//! The names of structs, variants and fields as words. Names are known when the program is compiled, and so are their
//! hashes: all functions here are inlined and folded into constants.

use crate::events::Name;

/// Returns the word that stands for a name alone. The lower bits of a variant's make room for its index, so that those of
/// one enum differ for certain, up to 2^16 of them.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn word(name: Name) -> u64 {
    match name.variant {
        None => hash(name),
        Some((index, _)) => hash(name) & !0xffff | u64::from(index) & 0xffff,
    }
}

/// Begins the hash of a name and those of the fields to come.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn hash(name: Name) -> u64 {
    match name.variant {
        None => with(0, name.of),
        Some((index, variant)) => mixed(with(with(1, name.of), variant) ^ u64::from(index)),
    }
}

/// Adds a name to a hash: each step is a bijection of the hash so far, so that what differs early stays different if the
/// rest is the same.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn with(hash: u64, name: &str) -> u64 {
    let (words, tail) = name.as_bytes().as_chunks::<8>();
    let mut hash = mixed(hash ^ name.len() as u64);
    for word in words {
        hash = mixed(hash ^ u64::from_le_bytes(*word));
    }
    let mut last = 0;
    for byte in tail {
        last = last << 8 | u64::from(*byte);
    }
    mixed(hash ^ last)
}

/// Mixes 64 bits, as `SplitMix64` does (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[cfg_attr(not(debug_assertions), inline(always))]
fn mixed(hash: u64) -> u64 {
    let hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}
