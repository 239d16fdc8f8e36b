//! Whether a server is asked at all. PURE.
//!
//! A breaker is closed while its server works: everybody asks. After a few failures in a row, or one that leaves no doubt,
//! it opens: nobody asks, so that callers lose no time, and the node alone tries the server again, one attempt after the
//! other. An attempt that is answered closes it.
//!
//! Two kinds of attempts fail, and they cost differently. One that is refused at once costs nothing, and is repeated at the
//! shortest pause, so that a server that comes back is in use within two of them. One that gets no answer holds a
//! connection; the node leaves its question open, which heals at once when the server answers after all, and starts
//! others at pauses that double.
//!
//! The node calls this with the time and with randomness; nothing here waits, locks or fails.
//!
//! Invariants: there is at most one attempt at a time. A closed breaker has none under way or due.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::command::Failure;

/// How soon a breaker opens and how often a server is tried while it is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// So many soft failures in a row open it; at least one.
    pub(crate) soft_failures: u32,
    /// The longest pause after an attempt that was refused, and after the first that got no answer.
    pub(crate) min_pause: Duration,
    /// The longest pause of all.
    pub(crate) max_pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { soft_failures: 3, min_pause: Duration::from_secs(1), max_pause: Duration::from_secs(30) }
    }
}

/// Says what a failure tells of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It cannot be used, and the next question would show no other.
    Hard,
    /// It may be in trouble, or it was bad luck.
    Soft,
    /// Nothing: the failure is not the server's.
    None,
}

/// Returns what a failure tells of the server.
///
/// Where a connection ends, every command on it fails with [`Failure::Closed`]: to be counted once, not once per command.
pub(crate) fn severity(failure: &Failure) -> Severity {
    match failure {
        // Whoever comes next meets the same wall. Of something that is not memcached nothing can be expected, and
        // asking on might hand out another's answers.
        Failure::Refused(_) | Failure::TooManyConnections | Failure::Protocol(_) => Severity::Hard,
        // A busy server, a lost packet, a restart that is over already.
        Failure::Timeout | Failure::Closed { .. } => Severity::Soft,
        // Our own queue is full; the server answers, only not in the newer words.
        Failure::Overloaded | Failure::NoMeta(_) => Severity::None,
    }
}

/// Says how an attempt to reach a server behind an open breaker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The server works.
    Answered,
    /// It failed at once.
    Refused,
    /// No answer came in time.
    Unanswered,
}

impl Attempt {
    /// Sorts the outcome of an attempt: what a server of any version answers shows that it works.
    pub(crate) fn of<T>(outcome: &Result<T, Failure>) -> Self {
        match outcome {
            Ok(_) | Err(Failure::NoMeta(_)) => Self::Answered,
            Err(Failure::Timeout) => Self::Unanswered,
            Err(_) => Self::Refused,
        }
    }
}

/// Keeps what is known of one server's health.
#[derive(Clone, Debug)]
pub(crate) struct Breaker {
    options: Options,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed {
        /// Soft failures since the last success.
        failures: u32,
    },
    Open {
        /// An attempt is under way.
        trying: bool,
        /// When the next attempt may start, in nanoseconds on the client's clock.
        due: u64,
        /// The pause after the next attempt that gets no answer.
        pause: Duration,
    },
}

impl Breaker {
    /// Makes a closed one.
    pub(crate) fn new(options: Options) -> Self {
        Self { options, state: State::Closed { failures: 0 } }
    }

    /// Tells whether callers may ask the server; they themselves go by what the node keeps of it.
    #[cfg(test)]
    pub(crate) fn admits(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Notes that a caller's question was answered.
    ///
    /// While open this changes nothing: it is an answer from before, and the attempts decide.
    pub(crate) fn succeeded(&mut self) {
        if let State::Closed { failures } = &mut self.state {
            *failures = 0;
        }
    }

    /// Notes that a caller's question failed; tells whether the breaker opened by this.
    ///
    /// While open this changes nothing: those are the questions that were under way.
    pub(crate) fn failed(&mut self, severity: Severity, now: u64, random: u64) -> bool {
        let State::Closed { failures } = &mut self.state else { return false };
        match severity {
            Severity::None => return false,
            Severity::Soft => *failures += 1,
            Severity::Hard => *failures = u32::MAX,
        }
        let opens = *failures >= self.options.soft_failures.max(1);
        if opens {
            let pause = self.options.min_pause;
            self.state = State::Open { trying: false, due: after(now, pause, random), pause };
        }
        opens
    }

    /// Returns when the next attempt may start; `None` while the breaker is closed or an attempt is under way.
    pub(crate) fn due(&self) -> Option<u64> {
        match self.state {
            State::Open { trying: false, due, .. } => Some(due),
            _ => None,
        }
    }

    /// Starts an attempt if one is due; tells whether it did. Who is told so must say by [`tried`](Self::tried) or
    /// [`abandoned`](Self::abandoned) how it ended.
    pub(crate) fn start(&mut self, now: u64) -> bool {
        match &mut self.state {
            State::Open { trying: trying @ false, due, .. } if *due <= now => {
                *trying = true;
                true
            }
            _ => false,
        }
    }

    /// Notes how an attempt ended. An answer closes the breaker at any time, also one to a question given up before.
    pub(crate) fn tried(&mut self, attempt: Attempt, now: u64, random: u64) {
        let Options { min_pause, max_pause, .. } = self.options;
        let State::Open { trying, due, pause } = &mut self.state else { return };
        match attempt {
            Attempt::Answered => self.state = State::Closed { failures: 0 },
            Attempt::Refused => {
                // Of a question given up before it says that somebody is there again: no reason to wait longer.
                let soon = after(now, min_pause, random);
                *due = if *trying { soon } else { soon.min(*due) };
                *pause = min_pause;
                *trying = false;
            }
            // A question given up before has been counted.
            Attempt::Unanswered if *trying => {
                *due = after(now, *pause, random);
                *pause = pause.saturating_mul(2).min(max_pause);
                *trying = false;
            }
            Attempt::Unanswered => {}
        }
    }

    /// Makes the next attempt due at once, since something has changed.
    pub(crate) fn hurry(&mut self, now: u64) {
        if let State::Open { due, .. } = &mut self.state {
            *due = now;
        }
    }

    /// Notes that the attempt under way was dropped without an outcome: the next may start at once.
    pub(crate) fn abandoned(&mut self, now: u64) {
        if let State::Open { trying: trying @ true, due, .. } = &mut self.state {
            *trying = false;
            *due = now;
        }
    }
}

/// Returns the time after a pause that is shortened by up to a quarter, so that the clients of a fleet do not try all at
/// once, and none waits longer than it may.
fn after(now: u64, pause: Duration, random: u64) -> u64 {
    let pause = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
    let less = ((u128::from(pause / 4) * u128::from(random)) >> 64) as u64;
    now.saturating_add(pause - less)
}
