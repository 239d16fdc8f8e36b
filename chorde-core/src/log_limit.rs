//! How often the log is told of what happens again and again: an outage fails each operation, and a log with a line for each of
//! them hides what else happens.

use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

/// How long one line stands for all of its kind, in nanoseconds.
const QUIET: u64 = 1_000_000_000;

/// How many kinds are told apart; of more, the ones that were logged first are forgotten.
const KINDS: usize = 64;

/// Lets one line of each kind through in a second, which tells how many were held back since the one before.
///
/// What is held back at the end of a flood is told by the next line of its kind, however much later.
///
/// # Concurrency
///
/// A short lock: for what fails, not for what is on the way of a hit.
///
/// # Examples
///
/// ```
/// use chorde_core::LogLimit;
///
/// static FAILURES: LogLimit<&str> = LogLimit::new();
///
/// let line = |now| FAILURES.admit("read", now).map(|more| format!("cannot read{more}"));
/// assert_eq!(line(0).as_deref(), Some("cannot read"));
/// assert_eq!((line(1), line(2)), (None, None));
/// assert_eq!(line(1_000_000_000).as_deref(), Some("cannot read … and 2 more in the last second"));
/// ```
#[derive(Debug)]
pub struct LogLimit<K>(Mutex<Vec<(K, Line)>>);

impl<K> LogLimit<K> {
    /// Creates a limit that has let nothing through yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<K: PartialEq> LogLimit<K> {
    /// Decides on a line at the time `now`, by whatever clock, in nanoseconds; `None` if it is held back. What is returned belongs
    /// to the end of the line.
    pub fn admit(&self, kind: K, now: u64) -> Option<HeldBack> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, line)) = lines.iter_mut().find(|(known, _)| *known == kind) {
            return line.admit(now);
        }
        if lines.len() == KINDS {
            lines.remove(0);
        }
        lines.push((kind, Line { at: now, held_back: 0 }));
        Some(HeldBack { count: 0, over: 0 })
    }
}

impl LogLimit<()> {
    /// Does the same by a clock of its own, for what happens where no client is at hand.
    pub(crate) fn admit_now(&self) -> Option<HeldBack> {
        static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.admit((), u64::try_from(ORIGIN.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl<K> Default for LogLimit<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// The last line of one kind.
#[derive(Debug)]
struct Line {
    /// When it was let through.
    at: u64,
    /// How many were held back since.
    held_back: u64,
}

impl Line {
    /// Decides on the next one. Pure.
    fn admit(&mut self, now: u64) -> Option<HeldBack> {
        let over = now.saturating_sub(self.at);
        if over < QUIET {
            self.held_back += 1;
            return None;
        }
        let told = HeldBack { count: self.held_back, over };
        *self = Self { at: now, held_back: 0 };
        Some(told)
    }
}

/// Tells how many lines were held back: nothing, if none was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBack {
    count: u64,
    /// In how many nanoseconds.
    over: u64,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.over / QUIET;
        match (self.count, seconds) {
            (0, _) => Ok(()),
            (count, 0..2) => write!(f, " … and {} more in the last second", grouped(count)),
            (count, _) => write!(f, " … and {} more in the last {} seconds", grouped(count), grouped(seconds)),
        }
    }
}

/// Writes a number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_second_which_counts_the_others() {
        let limit = LogLimit::new();
        let lines: Vec<String> =
            (0..2_120_u64).filter_map(|at| limit.admit("read", at * 1_000_000).map(|more| more.to_string())).collect();
        assert_eq!(lines, ["", " … and 999 more in the last second", " … and 999 more in the last second"]);
    }

    #[test]
    fn kinds_do_not_hold_each_other_back() {
        let limit = LogLimit::new();
        for kind in 0..KINDS {
            assert!(limit.admit(kind, 0).is_some() && limit.admit(kind, 1).is_none(), "{kind}");
        }
        assert!(limit.admit(KINDS, 2).is_some(), "more kinds than are known");
        assert!(limit.admit(KINDS, 3).is_none() && limit.admit(1, 3).is_none(), "the others are still known");
    }

    #[test]
    fn a_clock_that_goes_back_holds_back() {
        let limit = LogLimit::new();
        assert!(limit.admit((), QUIET).is_some() && limit.admit((), 0).is_none());
    }

    #[test]
    fn numbers_are_grouped_and_times_are_told() {
        let told = |count, over| HeldBack { count, over: over * QUIET }.to_string();
        assert_eq!(told(1_059, 1), " … and 1,059 more in the last second");
        assert_eq!(told(12, 3_600), " … and 12 more in the last 3,600 seconds");
        assert_eq!(told(1_234_567, 2), " … and 1,234,567 more in the last 2 seconds");
    }
}
