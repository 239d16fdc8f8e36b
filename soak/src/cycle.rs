//! How time is divided (PURE): storm, recovery, calm, rest.

use super::functions::LONGEST;
use super::judge::RECOVERY;
use super::time::SECOND;

/// The shortest calm.
const CALM: u64 = 4 * SECOND;

/// How long servers have to come back, and what was stored in the storm to end.
const SETTLE: u64 = LONGEST + RECOVERY;

/// Where the parts of a cycle begin, in nanoseconds from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// The end of the storm.
    pub(crate) storm: u64,
    /// The begin of the calm.
    pub(crate) calm: u64,
    /// The end of the calm, and the begin of the rest, which takes as long as it takes.
    pub(crate) end: u64,
}

impl Cycle {
    /// Divides a time: a seventh is calm, no less than it takes to see something. What is too short has no storm.
    pub(crate) fn of(length: u64) -> Self {
        let calm = (length / 7).max(CALM).min(length);
        let storm = length - calm - SETTLE.min(length - calm);
        Self { storm, calm: length - calm, end: length }
    }

    /// Divides the whole run into cycles, the last of which may be shorter.
    pub(crate) fn all(total: u64, length: u64) -> Vec<(u64, Self)> {
        let count = (total / length.max(SECOND)).max(1);
        let length = total / count;
        (0..count).map(|number| (number * length, Self::of(length))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cycle_has_a_storm_a_recovery_and_a_calm() {
        let minute = Cycle::of(70 * SECOND);
        assert_eq!(minute, Cycle { storm: 60 * SECOND - SETTLE, calm: 60 * SECOND, end: 70 * SECOND });
        let short = Cycle::of(18 * SECOND);
        assert_eq!(short, Cycle { storm: 14 * SECOND - SETTLE, calm: 14 * SECOND, end: 18 * SECOND });
        assert_eq!(Cycle::of(3 * SECOND), Cycle { storm: 0, calm: 0, end: 3 * SECOND });
    }

    #[test]
    fn cycles_fill_the_whole_time() {
        let all = Cycle::all(200 * SECOND, 60 * SECOND);
        assert_eq!(all.len(), 3);
        assert!(all.windows(2).all(|pair| pair[0].0 + pair[0].1.end == pair[1].0));
        assert_eq!(Cycle::all(9 * SECOND, 60 * SECOND), [(0, Cycle::of(9 * SECOND))]);
    }
}
