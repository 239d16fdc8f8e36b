//! What the bytes of a fuzzer say, taken from the front (feature `testing`). At their end all numbers are zero.

/// The bytes that are left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub(crate) fn is_set(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Takes a number below `end`, of at most 256.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// Takes a number of up to 64 bits; one byte says how long it is, so that small ones are as near as large ones.
    pub(crate) fn number(&mut self) -> u64 {
        let len = self.below(9);
        self.take(len).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The same of 32 bits.
    pub(crate) fn number32(&mut self) -> u32 {
        self.number() as u32
    }

    /// Takes bytes of which the first says how many there are.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.take(len)
    }

    /// The same, where they are not UTF-8 with another character in place of what is wrong.
    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Returns how bytes are cut into pieces: byte by byte, in ragged pieces, and in two at a few places. Which follows no rule but
/// is always the same for the same bytes.
pub(crate) fn cuts(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let mut state =
        bytes.iter().fold(bytes.len() as u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(MULTIPLIER));
    let mut next = move || {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(1);
        (state >> 33) as usize
    };
    let mut ragged = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + next() % 16).min(rest.len()));
        ragged.push(piece);
        rest = after;
    }
    let halves = (0..4).map(move |_| {
        let (before, after) = bytes.split_at(next() % (bytes.len() + 1));
        vec![before, after]
    });
    [bytes.chunks(1).collect(), ragged].into_iter().chain(halves)
}

/// Knuth's for the 64-bit linear congruential generator (The Art of Computer Programming, volume 2, 3.3.4).
const MULTIPLIER: u64 = 6_364_136_223_846_793_005;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_taken_from_the_front_and_end_in_zeroes() {
        let mut input = Input::new(b"\x02\x01\x00\x03abc\x05xy");
        assert_eq!((input.number(), input.text(), input.bytes()), (256, "abc".to_owned(), &b"xy"[..]));
        assert_eq!((input.byte(), input.number(), input.is_empty()), (0, 0, true));
    }

    #[test]
    fn pieces_are_all_of_it_and_differ() {
        let bytes: Vec<u8> = (0..=255).collect();
        let all: Vec<_> = cuts(&bytes).collect();
        assert!(all.iter().all(|pieces| pieces.concat() == bytes));
        assert_eq!((all.len(), all[0].len(), all[2].len()), (6, 256, 2));
        assert!((17..256).contains(&all[1].len()));
        assert!(all[3..].iter().any(|pieces| pieces[0].len() != all[2][0].len()));
        assert!(cuts(&[]).all(|pieces| pieces.concat().is_empty()));
    }
}
