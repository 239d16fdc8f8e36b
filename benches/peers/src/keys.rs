//! The keys that are asked for, from fixed seeds.

use fastrand::Rng;

/// How many different keys functions are called with.
pub const SMALL: u64 = 10_000;

/// Draws `2^16` keys below `keys`, the n-th of them about as often as 1/n.
pub fn zipf(keys: u64) -> Vec<u64> {
    let mut rng = Rng::with_seed(12_345);
    (0..1 << 16).map(|_| (keys as f64).powf(rng.f64()) as u64).collect()
}
