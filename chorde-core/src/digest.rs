//! A keyed 128-bit digest of any serialisable value, made without writing the value out.
//!
//! In-process clients tell keys apart by their digest alone, so two things matter: that it costs next to nothing on
//! the hit path, and that nobody can make two keys collide. Both come from multilinear hashing with secret random
//! coefficients, drawn anew in each process: the sum of word times coefficient modulo 2^128, of which the upper half
//! is kept, twice with independent coefficients. For any two different keys of up to [`WORDS`] words, chosen without
//! knowing the coefficients, both halves collide with a probability of 2^-128 (Lemire and Kaser, "Strongly universal
//! string hashing is fast", The Computer Journal 57(11), 2014, theorem 3.1). Words beyond that go through SipHash-1-3
//! with 128 bits of output under secret keys (Aumasson and Bernstein, 2012).
//!
//! A digest never leaves the process: shared stores use a key's bytes.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use serde::ser::{self, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// How many 64-bit words have coefficients of their own; longer keys pay for `SipHash` from there on.
const WORDS: usize = 32;

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
        let mut digester = Digester::new();
        digester.absorb_digest(outer);
        digester.absorb_digest(self);
        digester.finish()
    }

    /// Derives another digest from this one and a number.
    #[must_use]
    pub(crate) fn revised(self, revision: u64) -> Self {
        let mut digester = Digester::new();
        digester.absorb_digest(self);
        digester.absorb(revision);
        digester.finish()
    }

    /// Makes the digest of a text.
    #[must_use]
    pub(crate) fn of_text(text: &str) -> Self {
        let mut digester = Digester::new();
        digester.absorb_bytes(text.as_bytes());
        digester.finish()
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

/// The coefficients of one word: one for each half of the digest.
#[derive(Clone, Copy)]
struct Coefficients {
    low: u128,
    high: u128,
}

/// The secrets of this process.
struct Secret {
    /// Coefficients by position; the last two take what `SipHash` made of a long key, the one before ends the key.
    words: [Coefficients; WORDS + 3],
    /// Keys for what does not fit.
    sip: (u64, u64),
}

/// Drawn from the operating system's randomness, by way of the standard library's `RandomState`.
static SECRET: LazyLock<Secret> = LazyLock::new(|| {
    let state = RandomState::new();
    let mut counter = 0_u64;
    let mut draw = || {
        counter += 1;
        let mut hasher = state.build_hasher();
        hasher.write_u64(counter);
        hasher.finish()
    };
    let mut wide = || u128::from(draw()) << 64 | u128::from(draw());
    let words = std::array::from_fn(|_| Coefficients { low: wide(), high: wide() });
    Secret { words, sip: (draw(), draw()) }
});

/// Takes in a key word by word.
pub(crate) struct Digester {
    sums: Sums,
    /// Takes the words for which there is no coefficient.
    overflow: Option<Box<SipHasher13>>,
}

/// What a digester has taken in of short keys; cheap to copy, so that the part for a namespace is done once.
#[derive(Clone, Copy)]
pub(crate) struct Sums {
    /// The process' coefficients, found once.
    secret: &'static Secret,
    /// How many words have been taken in.
    taken: usize,
    low: u128,
    high: u128,
}

impl Sums {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add(&mut self, position: usize, word: u64) {
        let coefficients = &self.secret.words[position];
        self.low = self.low.wrapping_add(coefficients.low.wrapping_mul(u128::from(word)));
        self.high = self.high.wrapping_add(coefficients.high.wrapping_mul(u128::from(word)));
    }
}

impl From<Sums> for Digester {
    #[inline]
    fn from(sums: Sums) -> Self {
        Self { sums, overflow: None }
    }
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digester").field("taken", &self.sums.taken).finish_non_exhaustive()
    }
}

impl Digester {
    /// Starts an empty digest.
    pub(crate) fn new() -> Self {
        Sums { secret: &SECRET, taken: 0, low: 0, high: 0 }.into()
    }

    /// Starts where a digest of those namespaces stands.
    pub(crate) fn sums_of(namespaces: impl IntoIterator<Item = Digest>) -> Sums {
        let mut digester = Self::new();
        for namespace in namespaces {
            digester.absorb_digest(namespace);
        }
        digester.sums
    }

    /// Takes in one word.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn absorb(&mut self, word: u64) {
        if self.sums.taken < WORDS {
            self.sums.add(self.sums.taken, word);
            self.sums.taken += 1;
        } else {
            // By value, so that no reference keeps the digester out of registers.
            self.overflow = absorb_overflow(self.overflow.take(), self.sums.secret, word);
        }
    }

    /// Takes in another digest.
    pub(crate) fn absorb_digest(&mut self, digest: Digest) {
        self.absorb(digest.low);
        self.absorb(digest.high);
    }

    /// Takes in the length and the bytes, eight at a time.
    #[inline]
    fn absorb_bytes(&mut self, bytes: &[u8]) {
        self.absorb(bytes.len() as u64);
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            self.absorb(u64::from_le_bytes(*word));
        }
        if !tail.is_empty() {
            self.absorb(short_word(tail));
        }
    }

    /// Returns the digest of all that was taken in.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn finish(mut self) -> Digest {
        if let Some(overflow) = &self.overflow {
            let (first, second) = finish_overflow(overflow);
            self.sums.add(WORDS + 1, first);
            self.sums.add(WORDS + 2, second);
        }
        // One more word, of value 1, keeps a key apart from the same key followed by zeros.
        let Coefficients { low, high } = self.sums.secret.words[self.sums.taken];
        let (low, high) = (self.sums.low.wrapping_add(low), self.sums.high.wrapping_add(high));
        Digest { low: (low >> 64) as u64, high: (high >> 64) as u64 }
    }
}

#[cold]
fn absorb_overflow(overflow: Option<Box<SipHasher13>>, secret: &Secret, word: u64) -> Option<Box<SipHasher13>> {
    let (first, second) = secret.sip;
    let mut overflow = overflow.unwrap_or_else(|| Box::new(SipHasher13::new_with_keys(first, second)));
    overflow.write_u64(word);
    Some(overflow)
}

#[cold]
fn finish_overflow(overflow: &SipHasher13) -> (u64, u64) {
    let rest = overflow.finish128();
    (rest.h1, rest.h2)
}

/// Packs one to seven bytes into a word; different bytes of one length give different words.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
    } else {
        bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }
}

/// Says why a value has no digest.
#[derive(Debug)]
pub(crate) struct Undigestible(String);

impl std::fmt::Display for Undigestible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Undigestible {}

impl ser::Error for Undigestible {
    #[cold]
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Takes in numbers as words.
macro_rules! words {
    ($($method:ident: $type:ty),*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Undigestible> {
            self.absorb(value as u64);
            Ok(())
        }
    )*};
}

impl ser::Serializer for &mut Digester {
    type Ok = ();
    type Error = Undigestible;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    words!(serialize_bool: bool, serialize_char: char);
    words!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    words!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_i128(self, value: i128) -> Result<(), Undigestible> {
        self.serialize_u128(value.cast_unsigned())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Undigestible> {
        self.absorb(value as u64);
        self.absorb((value >> 64) as u64);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Undigestible> {
        self.serialize_u32(value.to_bits())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Undigestible> {
        self.serialize_u64(value.to_bits())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Undigestible> {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Undigestible> {
        self.absorb_bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Undigestible> {
        self.serialize_u8(0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Undigestible> {
        self.absorb(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Undigestible> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Undigestible> {
        Ok(())
    }

    fn serialize_unit_variant(self, _name: &'static str, index: u32, _: &'static str) -> Result<(), Undigestible> {
        self.serialize_u32(index)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Undigestible> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<(), Undigestible> {
        self.absorb(u64::from(index));
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Undigestible> {
        self.absorb(len.ok_or_else(unknown_length)? as u64);
        Ok(self)
    }

    #[inline]
    fn serialize_tuple(self, _len: usize) -> Result<Self, Undigestible> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Self, Undigestible> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self, Undigestible> {
        self.absorb(u64::from(index));
        Ok(self)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self, Undigestible> {
        self.serialize_seq(len)
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Self, Undigestible> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self, Undigestible> {
        self.serialize_tuple_variant(name, index, variant, len)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cold]
fn unknown_length() -> Undigestible {
    Undigestible("a sequence or map in the key does not know its length".to_owned())
}

/// Takes in the elements of a compound value one after the other.
macro_rules! elements {
    ($($trait:ident: $method:ident;)*) => {$(
        impl ser::$trait for &mut Digester {
            type Ok = ();
            type Error = Undigestible;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Undigestible> {
                value.serialize(&mut **self)
            }

            #[inline]
            fn end(self) -> Result<(), Undigestible> {
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

/// Takes in the fields of a compound value, not their names.
macro_rules! fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for &mut Digester {
            type Ok = ();
            type Error = Undigestible;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Undigestible> {
                value.serialize(&mut **self)
            }

            #[inline]
            fn end(self) -> Result<(), Undigestible> {
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for &mut Digester {
    type Ok = ();
    type Error = Undigestible;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Undigestible> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Undigestible> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Undigestible> {
        Ok(())
    }
}
