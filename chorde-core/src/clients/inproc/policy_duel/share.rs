//! Splits the budget between the two queues, and moves the split.

/// Is the whole budget, in the units of a share.
const WHOLE: i64 = 1 << 20;
/// What newcomers always keep, or else nothing could ever be learned about them.
const LEAST: i64 = WHOLE * 3 / 100;
/// What newcomers may have at most, or else no hit of the protected would be seen.
const MOST: i64 = WHOLE * 97 / 100;
/// How far the tally runs on past either end: luck must first be paid back before the split moves away from there.
const SLACK: i64 = WHOLE / 10;
/// How far one hit won or lost moves the split.
const STEP: i64 = WHOLE / 256;

/// Is the part of the budget that newcomers may fill.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// The share before it is held between `LEAST` and `MOST`.
    tally: i64,
}

impl Share {
    /// Returns the share to start from: almost all for the protected, as nothing speaks for recency yet.
    pub(super) fn new() -> Self {
        Self { tally: LEAST }
    }

    /// Notes a miss that plain LRU would have hit. It weighs a quarter more than a hit that LRU would have missed, since
    /// some are not noticed: their ghosts were forgotten.
    pub(super) fn grow(&mut self) {
        self.move_by(STEP * 5 / 4);
    }

    /// Notes a hit that plain LRU would have missed, or the part `of` in `out_of` of one.
    pub(super) fn shrink(&mut self, of: u32, out_of: u32) {
        self.move_by(-(STEP * i64::from(of) / i64::from(out_of.max(1))));
    }

    /// Returns the newcomers' part of `weight`; at least 1.
    pub(super) fn of(self, weight: u64) -> u64 {
        let share = self.tally.clamp(LEAST, MOST).unsigned_abs();
        let part = u128::from(weight) * u128::from(share) / u128::from(WHOLE.unsigned_abs());
        u64::try_from(part).unwrap_or(u64::MAX).max(1)
    }

    /// Moves the tally, within the slack.
    fn move_by(&mut self, by: i64) {
        self.tally = (self.tally + by).clamp(LEAST - SLACK, MOST + SLACK);
    }
}
