//! Runs of numbers of one kind, as the elements of a list often are: packed into words.
//!
//! A run is its length and then its numbers, as many to a word as have room, the first one lowest; from [`EXACT`] bytes on, 128
//! bits of [`LongHash`] instead. Whether its numbers come all at once or one by one must not make a difference: a list of
//! newtypes that serialise as numbers has the key of a list of numbers.

use super::EXACT;
use super::digester::Digester;
use super::long::{BLOCK_BYTES, LongHash, Pair, Streams};
use crate::events::Kind;

/// The numbers of one kind that came one by one and are not taken in yet.
#[derive(Default)]
pub(crate) struct Run {
    /// Of no meaning while the count is zero.
    kind: Option<Kind>,
    count: u64,
    /// The word that is being filled, and how many of its bits are.
    word: u64,
    bits: u32,
    /// The words before it.
    words: Option<Box<Streams>>,
}

impl Digester {
    /// Takes in one number of a list.
    #[inline]
    pub(super) fn continue_run(&mut self, run: &mut Run, kind: Kind, value: u64) {
        if run.kind != Some(kind) {
            self.finish_run(run);
            run.kind = Some(kind);
        }
        let width = kind.width();
        run.count += 1;
        run.word |= (value & u64::MAX >> (64 - width)) << run.bits;
        run.bits += width;
        if run.bits == 64 {
            self.push_word(run);
        }
    }

    fn push_word(&mut self, run: &mut Run) {
        let secret = self.secret();
        run.words.get_or_insert_with(|| Streams::take(secret, secret.long)).values.push(run.word);
        (run.word, run.bits) = (0, 0);
    }

    /// Takes in what is left of the numbers.
    pub(super) fn finish_run(&mut self, run: &mut Run) {
        let Some(kind) = run.kind.take() else { return };
        if run.bits > 0 {
            self.push_word(run);
        }
        if let Some(mut words) = run.words.take() {
            let is_short = run.count * u64::from(kind.width()) < 8 * EXACT as u64;
            if is_short {
                self.absorb_run(kind, run.count, words.values.words());
            } else {
                let hash = words.values.finish(run.count);
                self.absorb_run(kind, run.count, &[hash.low, hash.high]);
            }
            words.put_back();
        }
        run.count = 0;
    }

    /// Takes in numbers of one kind that come all at once.
    #[inline]
    pub(super) fn whole_run(&mut self, kind: Kind, values: impl Iterator<Item = u64>) {
        match kind.width() {
            8 => self.packed(kind, values.map(|value| value as u8)),
            16 => self.packed(kind, values.map(|value| value as u16)),
            32 => self.packed(kind, values.map(|value| value as u32)),
            _ => self.packed(kind, values),
        }
    }

    #[inline]
    fn packed<N: Packed>(&mut self, kind: Kind, mut numbers: impl Iterator<Item = N>) {
        let mut few = N::FEW;
        let count = fill(few.as_mut(), &mut numbers);
        if count == few.as_ref().len() {
            return self.packed_long(kind, &few, numbers);
        }
        if count > 0 {
            let mut words = [0; EXACT / 8];
            let filled = (count * size_of::<N>()).div_ceil(8);
            for (word, part) in words[..filled].iter_mut().zip(few.as_ref().chunks(8 / size_of::<N>())) {
                *word = N::word(part);
            }
            self.absorb_run(kind, count as u64, &words[..filled]);
        }
    }

    /// Does so with more than a few numbers, of which the first ones are there already.
    #[inline(never)]
    fn packed_long<N: Packed>(&mut self, kind: Kind, few: &N::Few, mut numbers: impl Iterator<Item = N>) {
        let mut hash = LongHash::new(self.secret(), self.secret().long);
        let (mut block, mut length, mut total) = (N::BLOCK, few.as_ref().len(), 0);
        block.as_mut()[..length].copy_from_slice(few.as_ref());
        loop {
            let block = block.as_mut();
            // A loop of its own, without a branch for each number: it becomes one of vectors.
            length += fill(&mut block[length..], &mut numbers);
            total += length as u64;
            if length == block.len() {
                hash.block(N::pairs(block), None);
                length = 0;
                continue;
            }
            if length > 0 {
                block[length..].fill(N::default());
                let filled_up = length.next_multiple_of(16 / size_of::<N>());
                hash.block(N::pairs(&block[..filled_up]), None);
            }
            break;
        }
        let hash = hash.finish(total);
        self.absorb_run(kind, total, &[hash.low, hash.high]);
    }
}

/// Moves numbers to their places, as many as there are of either; returns how many.
#[inline]
fn fill<N>(places: &mut [N], numbers: &mut impl Iterator<Item = N>) -> usize {
    let mut count = 0;
    for (place, number) in places.iter_mut().zip(numbers) {
        *place = number;
        count += 1;
    }
    count
}

/// A number as it is packed.
trait Packed: Copy + Default {
    /// As many as are taken in word by word.
    type Few: AsRef<[Self]> + AsMut<[Self]>;
    /// As many as are compressed at a time.
    type Block: AsMut<[Self]>;
    const FEW: Self::Few;
    const BLOCK: Self::Block;

    /// Packs up to as many as have room.
    fn word(numbers: &[Self]) -> u64;
    /// Packs all of them, which must be full pairs.
    fn pairs(numbers: &[Self]) -> impl Iterator<Item = Pair>;
}

macro_rules! packed {
    ($($number:ty: $bits:literal;)*) => {$(
        impl Packed for $number {
            type Few = [$number; EXACT / size_of::<$number>()];
            type Block = [$number; BLOCK_BYTES / size_of::<$number>()];
            const FEW: Self::Few = [0; EXACT / size_of::<$number>()];
            const BLOCK: Self::Block = [0; BLOCK_BYTES / size_of::<$number>()];

            #[inline]
            fn word(numbers: &[$number]) -> u64 {
                numbers.iter().zip(0_u32..).fold(0, |word, (number, at)| word | u64::from(*number) << ($bits * at))
            }

            #[inline]
            fn pairs(numbers: &[$number]) -> impl Iterator<Item = Pair> {
                let (pairs, _) = numbers.as_chunks::<{ 128 / $bits }>();
                pairs.iter().map(|pair| {
                    let (low, high) = pair.split_at(64 / $bits);
                    [Self::word(low), Self::word(high)]
                })
            }
        }
    )*};
}

packed! {
    u8: 8;
    u16: 16;
    u32: 32;
    u64: 64;
}
