//! What stands before the data of each item, since the classic commands tell nothing else of it: until when it lives
//! and what was stored beside it. Pure.
//!
//! | bytes | |
//! |---|---|
//! | 4 | the end of its life in unix seconds of the **server's** clock, highest byte first; the top bit marks it as stale |
//! | 4 | the client flags, highest byte first; of a stub, which has no data, a random tag of its winner |
//!
//! The first byte is a digit for no time since 2001: such an item is never read as a number.

use crate::command::Life;
use crate::life::{LAST, RELATIVE};

/// How many bytes stand before the data.
pub(super) const PREFIX: usize = 8;

/// An absolute time long past: an item stored with it is gone at once.
pub(super) const PAST: u32 = RELATIVE + 1;

/// The bit of the end that marks an item as stale.
const STALE: u32 = 1 << 31;

/// How long past its end a prefix is still believed: servers drop such items, so it is the error of clocks.
const SLACK: u32 = 24 * 60 * 60;

/// What the prefix of an item says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    /// Unix seconds.
    pub(super) end: u32,
    pub(super) stale: bool,
    /// The client flags; a stub's tag.
    pub(super) flags: u32,
}

impl Prefix {
    /// Makes that of an item which begins to live at `now`.
    pub(super) fn new(life: Life, flags: u32, now: u32) -> Self {
        Self { end: end(life, now), stale: false, flags }
    }

    /// Reads that of an item; `None` for what nobody stored with one.
    pub(super) fn read(item: &[u8], now: u32) -> Option<Self> {
        let (end, rest) = item.split_first_chunk::<4>()?;
        let (flags, _) = rest.split_first_chunk::<4>()?;
        let end = u32::from_be_bytes(*end);
        let prefix = Self { end: end & !STALE, stale: end & STALE != 0, flags: u32::from_be_bytes(*flags) };
        (prefix.end.saturating_add(SLACK) >= now).then_some(prefix)
    }

    pub(super) fn bytes(self) -> [u8; PREFIX] {
        let end = if self.stale { self.end | STALE } else { self.end };
        let mut bytes = [0; PREFIX];
        bytes[..4].copy_from_slice(&end.to_be_bytes());
        bytes[4..].copy_from_slice(&self.flags.to_be_bytes());
        bytes
    }

    /// Returns how many seconds are left.
    pub(super) fn left(self, now: u32) -> u32 {
        self.end.saturating_sub(now)
    }

    /// Returns how a storing command says the end.
    pub(super) fn exptime(self, now: u32) -> u32 {
        match self.left(now) {
            left @ 0..=RELATIVE => left.max(1),
            _ => self.end,
        }
    }
}

/// Returns when a life ends that begins at `now`: in at least one second, and no later than a server understands.
fn end(life: Life, now: u32) -> u32 {
    now.saturating_add(life.0.max(1)).min(LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u32 = 1_795_580_244;

    #[test]
    fn a_prefix_reads_as_it_was_written() {
        for stale in [false, true] {
            let prefix = Prefix { stale, ..Prefix::new(Life(77), 0xfedc_ba98, NOW) };
            assert_eq!(Prefix::read(&prefix.bytes(), NOW), Some(prefix));
            assert_eq!((prefix.left(NOW), prefix.left(NOW + 70), prefix.left(NOW + 99)), (77, 7, 0));
        }
    }

    #[test]
    fn lives_of_up_to_thirty_days_are_relative_and_longer_ones_are_absolute() {
        for (life, exptime) in [(0, 1), (1, 1), (RELATIVE, RELATIVE), (RELATIVE + 1, NOW + RELATIVE + 1)] {
            assert_eq!(Prefix::new(Life(life), 0, NOW).exptime(NOW), exptime);
        }
        assert_eq!(Prefix::new(Life(u32::MAX), 0, NOW).exptime(NOW), LAST);
        assert_eq!(Prefix::new(Life(5), 0, NOW).exptime(NOW + 9), 1);
    }

    #[test]
    fn what_has_no_prefix_is_not_read_as_if_it_had() {
        for item in [&b""[..], b"1234567", b"12345678", b"99999999999", b"\0\0\0\0\0\0\0\0"] {
            assert_eq!(Prefix::read(item, NOW), None);
        }
    }

    #[test]
    fn no_prefix_begins_with_a_digit() {
        for end in [978_307_200, NOW, LAST, LAST | STALE, 978_307_200 | STALE] {
            assert!(!end.to_be_bytes()[0].is_ascii_digit(), "{end}");
        }
    }
}
