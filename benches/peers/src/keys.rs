//! The keys that all measurements ask for: zipf-like over 10,000, from a fixed seed.

/// How many different keys there are.
pub const KEYS: u64 = 10_000;

/// Draws `2^16` keys.
pub fn zipf() -> Vec<u64> {
    let mut state = 12_345_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let uniform = (state >> 11) as f64 / (1_u64 << 53) as f64;
        (KEYS as f64).powf(uniform) as u64
    };
    (0..1 << 16).map(|_| draw()).collect()
}
