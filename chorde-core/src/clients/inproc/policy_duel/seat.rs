//! What the policy knows of one live entry, in 12 bytes.

/// Describes one live entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seat {
    /// What is left of its key's hash.
    pub(super) fingerprint: u32,
    /// Its weight, held below 2^32.
    pub(super) weight: u32,
    /// Its queue, and what that queue must know.
    pub(super) place: Place,
}

/// Packs the queue an entry is in with what is known of it there: when hot, its heat (bits 8 to 23) and idle rounds
/// (bits 0 to 7); when cold, the clock at its last use (bits 0 to 29) and whether it was demoted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place(u32);

/// Tells hot from cold.
const HOT: u32 = 1 << 31;
/// Tells a demoted entry from a newcomer.
const DEMOTED: u32 = 1 << 30;
/// Keeps what the clock's readings have room for.
const CLOCK: u32 = DEMOTED - 1;

/// Returns the ticks from one reading of the clock to a later one, which may have been cut to 30 bits.
pub(super) fn elapsed(from: u32, to: u32) -> u32 {
    to.wrapping_sub(from) & CLOCK
}

impl Place {
    /// Is a place in the hot queue.
    pub(super) fn hot(heat: u16, idle: u8) -> Self {
        Self(HOT | u32::from(heat) << 8 | u32::from(idle))
    }

    /// Is a newcomer's place in the cold queue.
    pub(super) fn cold(used: u32) -> Self {
        Self(used & CLOCK)
    }

    /// Is the place in the cold queue of an entry that was hot.
    pub(super) fn demoted(used: u32) -> Self {
        Self(DEMOTED | used & CLOCK)
    }

    /// Returns whether this is in the hot queue.
    pub(super) fn is_hot(self) -> bool {
        self.0 & HOT != 0
    }

    /// Returns whether this is in the cold queue, after a time in the hot one.
    pub(super) fn is_demoted(self) -> bool {
        self.0 & (HOT | DEMOTED) == DEMOTED
    }

    /// Returns the decaying average of marked rounds of a hot entry.
    pub(super) fn heat(self) -> u16 {
        (self.0 >> 8 & 0xffff) as u16
    }

    /// Returns for how many rounds a hot entry has gone without a mark.
    pub(super) fn idle(self) -> u8 {
        (self.0 & 0xff) as u8
    }

    /// Returns the clock at the last use of a cold entry.
    pub(super) fn used(self) -> u32 {
        self.0 & CLOCK
    }
}
