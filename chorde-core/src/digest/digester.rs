//! Takes in the events of a key.

use std::fmt;
use std::hash::Hasher as _;
use std::slice;

use siphasher::sip128::Hasher128 as _;

use super::long::{self, Stream, Streams};
use super::names;
use super::runs::Run;
use super::secret::{Coefficients, SECRET, Secret, sip_digest, sip_with};
use super::{Digest, EXACT};
use crate::events::{Kind, Listener, Name};

/// How many bits a kind has.
const KIND: u32 = 5;

/// A word of the shape without kinds: the bit above them arrives at the top when the word is full, which costs no comparison.
const EMPTY: u64 = 1 << (63 - 12 * KIND);

/// Begins the word after a full one.
const CONTINUED: u64 = EMPTY | EMPTY >> 1;

/// The shape of a key of one number, as a function of one argument has it.
const USUAL: u64 = pushed(pushed(pushed(EMPTY, Kind::Tuple), Kind::U64), Kind::End);

/// Adds a kind to a word that is not full.
const fn pushed(shape: u64, kind: Kind) -> u64 {
    shape << KIND | kind as u64
}

/// What has been added up; with the namespaces alone it is the start of all keys in them, made once.
#[derive(Clone, Copy)]
pub(crate) struct Sums {
    /// The process' secrets, found once.
    secret: &'static Secret,
    low: u128,
    high: u128,
}

impl Sums {
    pub(super) fn new() -> Self {
        Self { secret: &SECRET, low: 0, high: 0 }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add(&mut self, coefficients: &Coefficients, word: u64) {
        self.low = self.low.wrapping_add(coefficients.low.wrapping_mul(u128::from(word)));
        self.high = self.high.wrapping_add(coefficients.high.wrapping_mul(u128::from(word)));
    }

    /// Adds words under coefficients.
    pub(super) fn with<const N: usize>(mut self, coefficients: &[Coefficients; N], words: [u64; N]) -> Self {
        for (coefficients, word) in coefficients.iter().zip(words) {
            self.add(coefficients, word);
        }
        self
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn digest(self) -> Digest {
        Digest { low: (self.low >> 64) as u64, high: (self.high >> 64) as u64 }
    }
}

/// Takes in a key event by event.
pub(crate) struct Digester {
    sums: Sums,
    /// The coefficients of the words to come.
    next: slice::Iter<'static, Coefficients>,
    /// The kinds of the latest events in the innermost compound value with a name, the last of them lowest.
    shape: u64,
    /// The coefficients of the words of the shape to come.
    shapes: slice::Iter<'static, Coefficients>,
    /// Takes the words for which there is no coefficient.
    overflow: Overflow,
}

impl From<Sums> for Digester {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn from(sums: Sums) -> Self {
        let (words, shapes) = (sums.secret.words.iter(), sums.secret.shapes.iter());
        Self { sums, next: words, shape: EMPTY, shapes, overflow: None }
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester").field("left", &self.next.len()).finish_non_exhaustive()
    }
}

/// Takes the words for which there is no coefficient.
type Overflow = Option<Box<Streams>>;

impl Digester {
    /// Starts where a digest of those namespaces stands.
    pub(crate) fn sums_of(namespaces: impl IntoIterator<Item = Digest>) -> Sums {
        let mut namespaces = namespaces.into_iter();
        let (sums, Some(first)) = (Sums::new(), namespaces.next()) else { return Sums::new() };
        let path = match namespaces.next() {
            None => first,
            Some(second) => path_digest(first, second, namespaces),
        };
        sums.with(&sums.secret.path, [path.low, path.high])
    }

    /// Takes in one word of a value.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn absorb(&mut self, word: u64) {
        match self.next.next() {
            Some(coefficients) => self.sums.add(coefficients, word),
            None => self.overflow(|streams| &mut streams.values, word),
        }
    }

    /// Takes in one kind of the shape, and what the kind's value is.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn push(&mut self, kind: Kind, value: impl FnOnce(&mut Self)) {
        let mut shape = pushed(self.shape, kind);
        if shape.cast_signed() < 0 {
            (self.sums, self.shapes, self.overflow) =
                absorb_full(self.sums, self.shapes.clone(), self.overflow.take(), shape);
            shape = CONTINUED;
        }
        value(self);
        // Last, so that the optimiser knows it when the next event comes, whatever became of the value.
        self.shape = shape;
    }

    /// Takes in one word of the shape.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn absorb_shape(&mut self, word: u64) {
        match self.shapes.next() {
            Some(coefficients) => self.sums.add(coefficients, word),
            None => self.overflow(|streams| &mut streams.shape, word),
        }
    }

    /// Takes in a word for which there is no coefficient.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn overflow(&mut self, stream: fn(&mut Streams) -> &mut Stream, word: u64) {
        // By value, so that no reference keeps the digester out of registers.
        let overflow = absorb_overflow(self.overflow.take(), self.sums.secret, stream, word);
        // None is left, of which nothing need be dropped: no code for that is in the way of the optimiser.
        std::mem::forget(std::mem::replace(&mut self.overflow, overflow));
    }

    /// Takes in the length and the bytes, eight at a time.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn absorb_bytes(&mut self, bytes: &[u8]) {
        self.absorb(bytes.len() as u64);
        if bytes.len() >= EXACT {
            let hash = long::of_bytes(self.sums.secret, bytes);
            self.absorb(hash.low);
            self.absorb(hash.high);
            return;
        }
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            self.absorb(u64::from_le_bytes(*word));
        }
        if !tail.is_empty() {
            self.absorb(short_word(tail));
        }
    }

    /// Takes in a run of numbers as words.
    #[inline]
    pub(super) fn absorb_run(&mut self, kind: Kind, count: u64, words: &[u64]) {
        self.push(kind, |digester| {
            digester.absorb(count);
            words.iter().for_each(|word| digester.absorb(*word));
        });
    }

    pub(super) fn secret(&self) -> &'static Secret {
        self.sums.secret
    }

    /// Returns the digest of all that was taken in.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn finish(mut self) -> Digest {
        if let Some(overflow) = self.overflow {
            self.sums = self.sums.with(&self.sums.secret.rest, finish_overflow(overflow));
        }
        self.sums.add(&self.sums.secret.shape, self.shape ^ USUAL ^ 1);
        self.sums.digest()
    }
}

#[cold]
fn path_digest(first: Digest, second: Digest, rest: impl Iterator<Item = Digest>) -> Digest {
    let mut hasher = sip_with(SECRET.paths);
    for Digest { low, high } in [first, second].into_iter().chain(rest) {
        hasher.write_u64(low);
        hasher.write_u64(high);
    }
    let hash = hasher.finish128();
    Digest { low: hash.h1, high: hash.h2 }
}

#[cold]
fn absorb_overflow(
    overflow: Overflow,
    secret: &'static Secret,
    stream: fn(&mut Streams) -> &mut Stream,
    word: u64,
) -> Overflow {
    let mut overflow = overflow.unwrap_or_else(|| Streams::take(secret, secret.overflow));
    stream(&mut overflow).push(word);
    Some(overflow)
}

#[cold]
fn absorb_full(
    mut sums: Sums,
    mut shapes: slice::Iter<'static, Coefficients>,
    overflow: Overflow,
    shape: u64,
) -> (Sums, slice::Iter<'static, Coefficients>, Overflow) {
    let overflow = match shapes.next() {
        Some(coefficients) => {
            sums.add(coefficients, shape);
            overflow
        }
        None => absorb_overflow(overflow, sums.secret, |streams| &mut streams.shape, shape),
    };
    (sums, shapes, overflow)
}

#[cold]
fn finish_overflow(mut overflow: Box<Streams>) -> [u64; 4] {
    let (values, shape) = (overflow.values.finish_words(), overflow.shape.finish_words());
    overflow.put_back();
    [values.low, values.high, shape.low, shape.high]
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

/// What is known of a compound value with a name.
pub(crate) struct Names {
    kind: Kind,
    /// Of all its names.
    hash: u64,
    /// The kinds around it.
    outer: u64,
}

/// Adds up the entries of one map.
pub(crate) struct Entries {
    /// Takes in the present entry.
    entry: Digester,
    count: u64,
    sum: u128,
}

impl Listener for Digester {
    type Names = Names;
    type Map = Entries;
    type Run = Run;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mark(&mut self, kind: Kind) {
        self.push(kind, |_| {});
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn number(&mut self, kind: Kind, value: u64) {
        self.push(kind, |digester| digester.absorb(value));
    }

    fn wide(&mut self, kind: Kind, value: u128) {
        self.push(kind, |digester| {
            digester.absorb(value as u64);
            digester.absorb((value >> 64) as u64);
        });
    }

    #[inline]
    fn bytes(&mut self, kind: Kind, bytes: &[u8]) {
        self.push(kind, |digester| digester.absorb_bytes(bytes));
    }

    fn open_array(&mut self) {
        self.mark(Kind::Tuple);
        // Nothing else begins so.
        self.mark(Kind::Skipped);
    }

    #[inline]
    fn continue_run(&mut self, run: &mut Run, kind: Kind, value: u64) {
        Digester::continue_run(self, run, kind, value);
    }

    #[inline]
    fn end_run(&mut self, run: &mut Run) {
        self.finish_run(run);
    }

    #[inline]
    fn whole_run(&mut self, kind: Kind, values: impl Iterator<Item = u64>) {
        Digester::whole_run(self, kind, values);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn name(&mut self, kind: Kind, name: Name) {
        self.push(kind, |digester| digester.absorb(names::word(name)));
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn open(&mut self, kind: Kind, name: Name) -> Names {
        let outer = std::mem::replace(&mut self.shape, EMPTY);
        Names { kind, hash: names::hash(name), outer }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn field(&mut self, names: &mut Names, field: &'static str) {
        names.hash = names::with(names.hash, field);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn skipped(&mut self, names: &mut Names, field: &'static str) {
        self.field(names, field);
        self.mark(Kind::Skipped);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn close(&mut self, names: Names) {
        // Of equal names, different shapes are different words. None is zero.
        self.absorb_shape((names.hash ^ self.shape).max(1));
        self.shape = names.outer;
        self.mark(names.kind);
    }

    fn open_map(&mut self) -> Entries {
        Entries { entry: Sums::new().into(), count: 0, sum: 0 }
    }

    fn entry(map: &mut Entries) -> &mut Self {
        &mut map.entry
    }

    fn close_entry(map: &mut Entries) {
        let entry = std::mem::replace(&mut map.entry, Sums::new().into());
        let secret = entry.sums.secret;
        let hash = sip_digest(secret.entries, entry.finish());
        map.count += 1;
        map.sum = map.sum.wrapping_add(u128::from(hash.low) << 64 | u128::from(hash.high));
    }

    fn close_map(&mut self, map: Entries) {
        self.push(Kind::Map, |digester| {
            for word in [map.count, map.sum as u64, (map.sum >> 64) as u64] {
                digester.absorb(word);
            }
        });
    }
}
