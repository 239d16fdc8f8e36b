//! A keyed 128-bit digest of any serialisable value, made without writing the value out.
//!
//! In-process clients tell keys apart by their digest alone, so two things matter: that it costs next to nothing on
//! the hit path, and that nobody can make two keys collide. Both come from multilinear hashing with secret random
//! coefficients, drawn anew in each process: the sum of word times coefficient modulo 2^128, of which the upper half
//! is kept, twice with independent coefficients.
//!
//! # What goes in
//!
//! The events that serde tells of a value (`events.rs`) become two streams of 64-bit words.
//!
//! * **Values.** A number is one word, or two if it has 128 bits. A text is its length and its bytes, eight to a word; of
//!   one longer than [`EXACT`] bytes, the length and 128 bits of `SipHash`. A name is one word, a hash: see below. A map
//!   is the number of its entries and the sum of what became of each, three words.
//! * **Shape.** Each event is its kind, of five bits, twelve to a word under a bit that is set and says how many there
//!   are. For a type whose shape is always the same, the compiler makes a constant of that: one multiplication. The word
//!   of the most usual key, one number of 64 bits, is exchanged with the word 1, which needs not even that.
//!
//! Values have coefficients by position, words of the shape have others, the last of them one of its own.
//!
//! **The streams determine the events.** The last word of the shape is always there, and the full ones before it are never
//! zero, so that their number is known; each says how many kinds it holds. Read from the front, a kind says how many
//! words of the values belong to it; for texts, the first of these words says how many follow. So two values with the
//! same words, missing ones taken for zero, have the same kinds and the same words for each: they are told alike.
//!
//! # What is claimed
//!
//! For any two values that serde tells differently, chosen without knowing the secrets:
//!
//! * Of up to [`WORDS`] words, and a shape of up to [`SHAPES`] full words: one digest with a probability of 2^-128 (Lemire
//!   and Kaser, "Strongly universal string hashing is fast", The Computer Journal 57(11), 2014, theorem 3.1, once for each
//!   half). Not counted: what is below.
//! * Longer texts, what has no coefficient left, the names of namespaces, and lists of them go through SipHash-1-3 with 128
//!   bits of output, each under secret keys of its own (Aumasson and Bernstein, 2012). That it is a pseudorandom function
//!   is believed, not proven; if so, each of them adds 2^-128.
//! * The entries of a map are digested one by one; each digest goes through `SipHash`, and these are added up modulo
//!   2^128 (Clarke, Devadas, van Dijk, Gassend and Suh, "Incremental multiset hash functions", ASIACRYPT 2003). For two
//!   maps of m and n entries, the digests of entries add (m + n)^2 / 2 times 2^-128, the sums 2^-128.
//! * The names of structs, fields and variants are constants of the program, so that no secret can be in their hash of 64
//!   bits: two lists of names collide by chance with 2^-64, and somebody who writes the program could choose them so.
//!   Variants of one enum never do, up to 2^16 of them.
//! * A digest made of other digests ([`Digest::within`], [`Digest::revised`]) has coefficients of its own, so one such step
//!   adds 2^-128. Of several steps, as for namespaces within namespaces, the inner results depend on the coefficients that
//!   the outer steps use: that is outside of the theorem, and no bound is claimed. It is not known how to exploit that
//!   without seeing digests or coefficients, neither of which leaves the process.
//!
//! A digest never leaves the process: shared stores use a key's bytes.

mod digester;
mod names;
mod secret;

use std::hash::Hasher;

pub(crate) use digester::{Digester, Sums};
use secret::{SECRET, sip};

/// How many words of values have coefficients of their own; longer keys pay for `SipHash` from there on.
const WORDS: usize = 32;

/// How many full words of the shape have coefficients of their own.
const SHAPES: usize = 16;

/// How many bytes a text may have that goes in word by word.
const EXACT: usize = 128;

/// Stands for a key inside one process: 128 bits that only this process could have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest {
    // Two fields, not an array, so that a digest travels in registers.
    low: u64,
    high: u64,
}

impl Digest {
    /// Returns 64 of the bits, the same for equal keys.
    #[inline]
    #[must_use]
    pub fn low(self) -> u64 {
        self.low
    }

    /// Returns the other 64 bits, independent of [`low`](Self::low).
    #[inline]
    #[must_use]
    pub fn high(self) -> u64 {
        self.high
    }

    /// Derives the digest of `self` seen inside of `outer`.
    #[must_use]
    pub(crate) fn within(self, outer: Self) -> Self {
        let words = [outer.low, outer.high, self.low, self.high];
        Sums::new().with(&SECRET.within, words).digest()
    }

    /// Derives another digest from this one and a number.
    #[must_use]
    pub(crate) fn revised(self, revision: u64) -> Self {
        Sums::new().with(&SECRET.revised, [self.low, self.high, revision]).digest()
    }

    /// Makes the digest of a text.
    #[must_use]
    pub(crate) fn of_text(text: &str) -> Self {
        sip(SECRET.names, text.as_bytes())
    }
}

/// Hashes keys that are or hold a [`Digest`], which is drawn from all numbers by a secret of this process: nothing is left
/// to be done for a hash table.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
/// use std::hash::BuildHasherDefault;
/// use chorde_core::{Digest, DigestHasher, Key};
///
/// let mut known: HashMap<Digest, u32, BuildHasherDefault<DigestHasher>> = HashMap::default();
/// known.insert(Key::new("a")?.digest(), 1);
/// assert_eq!(known.get(&Key::new("a")?.digest()), Some(&1));
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(8) ^ number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
