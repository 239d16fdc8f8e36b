//! Weighted rendezvous hashing. PURE.
//!
//! For each key every server draws a lot, a pseudo-random number made from its name and the key alone; the best lot wins
//! (Thaler and Ravishankar, "A name-based mapping scheme for rendezvous", 1996). With weights, a lot `u` in (0, 1) counts
//! as `-ln(u) / weight`, and the lowest wins (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005, the
//! logarithmic method): such numbers are exponentially distributed, and the lowest of several is that of a server with a
//! probability in proportion to its weight.
//!
//! Names and keys are hashed by SipHash-1-3 (Aumasson and Bernstein, 2012) under a fixed key and joined by the finisher of
//! `SplitMix64` (Steele, Lea and Flood, 2014; its constants are Stafford's variant 13).

use siphasher::sip::SipHasher13;

use crate::ring::by_name;
use crate::server::Server;

/// Keys the hash of names and of wire keys; part of the format, since another key places every value anew.
const PLACEMENT: &[u8; 16] = b"chorde placement";

/// The servers as rendezvous hashing sees them.
#[derive(Debug)]
pub(crate) struct Rendezvous {
    /// Sorted by name, so that equal lots, should they ever occur, are settled alike everywhere.
    nodes: Box<[Node]>,
    /// All weights are equal, so that the lots can be compared as they are.
    even: bool,
}

#[derive(Debug)]
struct Node {
    /// The hash of the name.
    seed: u64,
    weight: f64,
    /// The place in the list that the ring was made of.
    index: usize,
}

impl Rendezvous {
    pub(crate) fn new(servers: &[Server]) -> Self {
        let node = |index: usize| {
            let server = &servers[index];
            Node { seed: hash(server.name().as_bytes()), weight: f64::from(server.share()), index }
        };
        let nodes = by_name(servers).into_iter().map(node).collect();
        let even = servers.windows(2).all(|pair| pair[0].share() == pair[1].share());
        Self { nodes, even }
    }

    pub(crate) fn order(&self, key: &[u8]) -> Order<'_> {
        Order { ring: self, hash: hash(key), last: None }
    }

    /// Finds the best node by `standing` among those beyond `last`: (standing, position), the higher standing first, then
    /// the lower position.
    fn best_after(&self, last: Option<(u64, usize)>, standing: impl Fn(&Node) -> u64) -> Option<(u64, usize)> {
        let mut best: Option<(u64, usize)> = None;
        for (position, node) in self.nodes.iter().enumerate() {
            let standing = standing(node);
            let beyond = last.is_none_or(|(before, at)| standing < before || standing == before && position > at);
            if beyond && best.is_none_or(|(highest, _)| standing > highest) {
                best = Some((standing, position));
            }
        }
        best
    }
}

/// Yields the servers by falling standing: one pass over all of them for each, without memory of its own.
#[derive(Clone, Debug)]
pub(crate) struct Order<'a> {
    ring: &'a Rendezvous,
    /// The hash of the key.
    hash: u64,
    /// Standing and position of the server that was yielded last.
    last: Option<(u64, usize)>,
}

impl Iterator for Order<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (ring, hash) = (self.ring, self.hash);
        let best = if ring.even {
            ring.best_after(self.last, |node| lot(node.seed, hash))
        } else {
            // The bits of positive floating-point numbers are in the order of the numbers; inverted, the lowest is first.
            ring.best_after(self.last, |node| !cost(lot(node.seed, hash), node.weight).to_bits())
        };
        let (standing, position) = best?;
        self.last = Some((standing, position));
        Some(ring.nodes[position].index)
    }
}

fn hash(bytes: &[u8]) -> u64 {
    SipHasher13::new_with_key(PLACEMENT).hash(bytes)
}

/// Returns what a server drew for a key: uniformly distributed, high is good.
#[inline]
fn lot(seed: u64, hash: u64) -> u64 {
    let mut lot = seed ^ hash;
    lot = (lot ^ lot >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    lot = (lot ^ lot >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    lot ^ lot >> 31
}

/// Returns what a lot counts for a server of that weight: positive, low is good.
#[inline]
fn cost(lot: u64, weight: f64) -> f64 {
    // The middle of one of 2^52 equal parts of (0, 1): neither end is reached, and each is exact.
    let unit = ((lot >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    -ln(unit) / weight
}

/// Returns the natural logarithm of a number in (0, 1) by arithmetic that IEEE 754 defines to the last bit.
///
/// That of the standard library is the platform's, whose last bit may differ between machines, and so might the winner.
#[inline]
fn ln(number: f64) -> f64 {
    const FRACTION: u64 = (1 << 52) - 1;
    let bits = number.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut mantissa = f64::from_bits(bits & FRACTION | 1023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln(m) = 2 artanh((m - 1) / (m + 1)), whose series is done after eleven terms for m between sqrt(1/2) and sqrt(2).
    let base = (mantissa - 1.0) / (mantissa + 1.0);
    let square = base * base;
    let series = (0..11).rev().fold(0.0, |sum, term| sum * square + 1.0 / f64::from(2 * term + 1));
    2.0 * base * series + f64::from(exponent) * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_logarithm_is_as_good_as_the_platforms(lot in any::<u64>()) {
            let unit = ((lot >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
            let exact = unit.ln();
            prop_assert!((ln(unit) - exact).abs() <= exact.abs() * 1e-14, "{unit}: {} {exact}", ln(unit));
        }

        #[test]
        fn a_better_lot_never_costs_more(one in any::<u64>(), other in any::<u64>()) {
            let (low, high) = (one.min(other), one.max(other));
            prop_assert!(cost(high, 3.0) <= cost(low, 3.0) * (1.0 + 1e-14));
            prop_assert!(cost(low, 3.0) > 0.0);
        }
    }

    #[test]
    fn the_logarithm_is_pinned_to_the_last_bit() {
        let lots = [0, 1 << 12, 0x8000_0000_0000_0000, 0x1234_5678_9abc_def0, u64::MAX];
        let bits = lots.map(|lot| cost(lot, 1.0).to_bits());
        assert_eq!(bits, GOLDEN_COSTS, "{bits:#x?}");
    }

    /// Made by the same arithmetic in Python.
    const GOLDEN_COSTS: [u64; 5] = [
        0x4042_5e4f_7b27_37fa,
        0x4041_d1b0_2751_cfe1,
        0x3fe6_2e42_fefa_39ed,
        0x4005_25e9_73a0_5652,
        0x3ca0_0000_0000_0000,
    ];
}
