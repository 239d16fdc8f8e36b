//! A keyed 128-bit digest of any serialisable value, made without writing the value out.
//!
//! In-process clients tell keys apart by their digest alone, so two things matter: that it costs next to nothing on
//! the hit path, and that nobody can make two keys collide. Both come from multilinear hashing with secret random
//! coefficients, drawn anew in each process: the sum of word times coefficient modulo 2^128, of which the upper half
//! is kept, twice with independent coefficients.
//!
//! # What goes in
//!
//! The events that serde reports for a value (`events.rs`) become two streams of 64-bit words.
//!
//! * **Values.** A number is one word, or two if it has 128 bits. Numbers of one kind that follow one another in a list or a long
//!   array, a *run*, are their count and then the numbers, as many to a word as have room (`digest/runs.rs`). A text is its
//!   length and its bytes, eight to a word. A text or run of [`EXACT`] bytes or more is its length or count and 128 bits of a hash
//!   (`digest/long.rs`). A name without fields is one word, a hash. A map is the number of its entries and the sum of what
//!   became of each, three words, at its end.
//! * **Shape.** Each event is its kind, of five bits, twelve to a word, and so is each run; a long array begins with `Tuple` and
//!   `Skipped`, which nothing else does: below them is nothing, above them a mark that says
//!   how many there are, and whether a full word came before. A struct, or a variant with fields, has words of its own, from
//!   its beginning to its end. Its last one, mixed with a hash of its names, goes in when it ends; then its own kind is added
//!   to the word of what is around it. The last word of the outermost level comes last.
//!
//! For a type with one shape all this is constant, and the compiler knows it. The last word of the most usual key, one
//! number of 64 bits, is exchanged with the word 1, whose multiplication costs nothing.
//!
//! Words of values have coefficients by position, those of the shape have others, the last of them one of its own.
//!
//! # The streams determine the events
//!
//! Take two values with the same words, where missing ones count as zero. No word of the shape is zero, so there are as many
//! of them. Read them from the last one backwards, kind by kind: at the kind of a struct the word before is the struct's last
//! one; at the mark of a word after a full one, the word before is that full one; where neither is left, the level ends.
//! So each level is found, with all its kinds. Now read forwards: each kind says how many words of the values are its own,
//! a text or a run by the first of them. A number is a run if and only if it lies directly in a list or a long array, which the kinds
//! around it tell. So both values have the same events, if hashes of names are taken for names, and those of long texts and runs
//! for these.
//!
//! # What is claimed
//!
//! For any two values that serde tells differently, chosen without knowing the secrets, the probability of one digest:
//!
//! * 2^-128, for up to [`WORDS`] words of values and [`SHAPES`] words of the shape before the last (Lemire and Kaser,
//!   "Strongly universal string hashing is fast", The Computer Journal 57(11), 2014, theorem 3.1, once for each half).
//!   What is below adds to that.
//! * Longer texts and runs, and the words of either stream that have no coefficient left, are hashed in blocks of 1 KiB. NH
//!   compresses each block to 256 bits, in two passes whose keys are shifted by one pair (Black, Halevi, Krawczyk, Krovetz and
//!   Rogaway, "UMAC: Fast and Secure Message Authentication", CRYPTO 1999, section 4: with words of 64 bits, two strings of one
//!   length collide with 2^-64 in each pass, and the passes are as good as independent, 2^-128). The results and the length
//!   go through SipHash-1-3 with 128 bits of output (Aumasson and Bernstein, 2012). Of two that differ, either the lengths differ or
//!   the number of blocks is the same and some block differs: NH adds 2^-128, whatever the length. That `SipHash` is a pseudorandom
//!   function is believed, not proven; if so, it adds another 2^-128. So each text or run adds 2^-127, and each stream.
//! * The names of namespaces, and lists of them, go through `SipHash` alone, under keys of their own: each of them adds 2^-128.
//! * The entries of a map are digested one by one; each digest goes through `SipHash`, and these are added up modulo
//!   2^128 (Clarke, Devadas, van Dijk, Gassend and Suh, "Incremental multiset hash functions", ASIACRYPT 2003). For two
//!   maps of m and n entries, the digests of entries add (m + n)^2 / 2 times 2^-128, the sums 2^-128, if `SipHash` is what
//!   it is believed to be.
//! * Names of structs, fields and variants are constants of the program, so that no secret can be in their hash, of 64 bits.
//!   Two lists of names, each with a shape, have one word with 2^-64, once for all runs of a program; somebody who writes
//!   the program could choose them so. Of one list of names, different shapes are different words. A variant without fields
//!   leaves 16 bits to its index and 48 to its names.
//! * A digest made of other digests ([`Digest::within`], [`Digest::revised`]) has coefficients of its own, so one such step
//!   adds 2^-128. Of several steps of one kind, as for namespaces within namespaces, the inner results depend on the
//!   coefficients that the outer ones use: the theorem says nothing of that, and no bound is claimed. It is not known how to
//!   exploit it without seeing digests or coefficients, neither of which leaves the process.
//!
//! A digest never leaves the process: shared stores use a key's bytes.

mod digester;
mod long;
mod names;
mod runs;
mod secret;

use std::hash::Hasher;

pub(crate) use digester::{Digester, Sums};
use secret::{SECRET, sip};

/// How many words of values have coefficients of their own; those of longer keys are hashed by blocks from there on.
const WORDS: usize = 32;

/// How many words of the shape, beside the last, have coefficients of their own.
const SHAPES: usize = 16;

/// From how many bytes on texts and runs are hashed as a whole, in place of word by word.
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

    /// Derives another digest from this one and one that is independent of it, such as [`of_text`](Self::of_text).
    #[inline]
    #[must_use]
    pub(crate) fn mixed_with(self, other: Self) -> Self {
        Self { low: self.low ^ other.low, high: self.high ^ other.high }
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
