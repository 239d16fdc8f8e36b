//! Hashes what is too long for coefficients of its own: texts, runs of numbers, and the words that come last.
//!
//! The words are taken in blocks of [`BLOCK`]. Each block is compressed to 256 bits by NH, with 64-bit words and two passes that
//! share their key but for a shift (Black, Halevi, Krawczyk, Krovetz and Rogaway, "UMAC: Fast and Secure Message
//! Authentication", CRYPTO 1999): two blocks of one length that differ come out equal with 2^-128, whatever they are. What
//! comes out of the blocks, and the length of the whole, goes through `SipHash`. NH is a multiplication for each pair of words
//! and pass, three times as fast as `SipHash` alone; `SipHash` makes the bound independent of the number of blocks.

use std::cell::RefCell;
use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::Digest;
use super::secret::{Secret, SipKey, sip_with};

/// How many words are compressed at a time.
pub(super) const BLOCK: usize = 128;

/// How many bytes these are.
pub(super) const BLOCK_BYTES: usize = 8 * BLOCK;

/// How many pairs of secret words NH needs: one for each pair of a block, and one for the shift.
pub(super) const PAIRS: usize = BLOCK / 2 + 1;

/// Two words, which NH multiplies.
pub(super) type Pair = [u64; 2];

/// Takes in blocks one after the other.
#[derive(Clone)]
pub(super) struct LongHash {
    secret: &'static Secret,
    sip: SipHasher13,
}

impl LongHash {
    pub(super) fn new(secret: &'static Secret, key: SipKey) -> Self {
        Self { secret, sip: sip_with(key) }
    }

    /// Takes in one block: its full pairs, and what is left of it, filled up with zeros. All blocks but the last one must be full.
    #[inline]
    pub(super) fn block(&mut self, pairs: impl Iterator<Item = Pair>, rest: Option<Pair>) {
        let keys = &self.secret.pairs;
        let (mut one, mut other, mut count) = (0_u128, 0_u128, 0);
        for ((pair, key), shifted) in pairs.zip(&keys[..BLOCK / 2]).zip(&keys[1..]) {
            one = one.wrapping_add(product(pair, key));
            other = other.wrapping_add(product(pair, shifted));
            count += 1;
        }
        if let Some(rest) = rest {
            one = one.wrapping_add(product(rest, &keys[count]));
            other = other.wrapping_add(product(rest, &keys[count + 1]));
        }
        for word in [one as u64, (one >> 64) as u64, other as u64, (other >> 64) as u64] {
            self.sip.write_u64(word);
        }
    }

    /// Returns the hash. The length must tell how many words there were, and how much of the last one counts.
    pub(super) fn finish(mut self, length: u64) -> Digest {
        self.sip.write_u64(length);
        let hash = self.sip.finish128();
        Digest { low: hash.h1, high: hash.h2 }
    }
}

fn product([x, y]: Pair, [k, l]: &Pair) -> u128 {
    u128::from(x.wrapping_add(*k)) * u128::from(y.wrapping_add(*l))
}

/// Hashes bytes that lie there as a whole.
#[inline(never)]
pub(super) fn of_bytes(secret: &'static Secret, bytes: &[u8]) -> Digest {
    let mut hash = LongHash::new(secret, secret.long);
    for block in bytes.chunks(BLOCK_BYTES) {
        let (pairs, rest) = block.as_chunks();
        let mut tail = [0; 16];
        tail[..rest.len()].copy_from_slice(rest);
        hash.block(pairs.iter().map(pair), (!rest.is_empty()).then(|| pair(&tail)));
    }
    hash.finish(bytes.len() as u64)
}

/// Reads 16 bytes as a pair of words.
#[inline]
pub(super) fn pair(bytes: &[u8; 16]) -> Pair {
    let number = u128::from_le_bytes(*bytes);
    [number as u64, (number >> 64) as u64]
}

/// Collects the words of one stream, which come one by one.
pub(super) struct Stream {
    hash: LongHash,
    /// The block that is being filled.
    block: [u64; BLOCK],
    filled: usize,
    /// How many words the blocks before it had.
    before: u64,
}

impl Stream {
    fn new(secret: &'static Secret, key: SipKey) -> Self {
        Self { hash: LongHash::new(secret, key), block: [0; BLOCK], filled: 0, before: 0 }
    }

    fn restart(&mut self, secret: &'static Secret, key: SipKey) {
        (self.hash, self.filled, self.before) = (LongHash::new(secret, key), 0, 0);
    }

    #[inline]
    pub(super) fn push(&mut self, word: u64) {
        self.block[self.filled] = word;
        self.filled += 1;
        if self.filled == BLOCK {
            self.flush();
        }
    }

    /// Returns the words, of which there is less than a block.
    pub(super) fn words(&self) -> &[u64] {
        &self.block[..self.filled]
    }

    #[cold]
    fn flush(&mut self) {
        let (pairs, rest) = self.block[..self.filled].as_chunks();
        self.hash.block(pairs.iter().copied(), rest.first().map(|word| [*word, 0]));
        self.before += self.filled as u64;
        self.filled = 0;
    }

    /// Returns the hash of all words; the length must tell how many there were.
    pub(super) fn finish(&mut self, length: u64) -> Digest {
        if self.filled > 0 {
            self.flush();
        }
        self.hash.clone().finish(length)
    }

    /// Returns the hash of all words.
    pub(super) fn finish_words(&mut self) -> Digest {
        self.finish(self.before + self.filled as u64)
    }
}

/// What the words of a key go to that have no coefficient of their own.
pub(super) struct Streams {
    pub(super) values: Stream,
    pub(super) shape: Stream,
}

/// How many a thread keeps for its next keys.
const SPARE: usize = 4;

thread_local! {
    static SPARES: RefCell<[Option<Box<Streams>>; SPARE]> = const { RefCell::new([const { None }; SPARE]) };
}

impl Streams {
    /// Takes a pair of this thread, so that a long key allocates nothing but the first time.
    pub(super) fn take(secret: &'static Secret, key: SipKey) -> Box<Self> {
        let spare =
            |spares: &RefCell<[Option<_>; SPARE]>| spares.try_borrow_mut().ok()?.iter_mut().find_map(Option::take);
        match SPARES.try_with(spare).ok().flatten() {
            Some(mut spare) => {
                spare.values.restart(secret, key);
                spare.shape.restart(secret, key);
                spare
            }
            None => Box::new(Self { values: Stream::new(secret, key), shape: Stream::new(secret, key) }),
        }
    }

    /// Puts the pair back.
    pub(super) fn put_back(self: Box<Self>) {
        let _ = SPARES.try_with(|spares| {
            if let Ok(mut spares) = spares.try_borrow_mut()
                && let Some(place) = spares.iter_mut().find(|place| place.is_none())
            {
                *place = Some(self);
            }
        });
    }
}
