//! What can happen on the way, and what it means for the next bytes (pure).

use std::time::Duration;

use tokio::time::Instant;

/// Says which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From clients to the server: requests.
    ToServer,
    /// From the server to clients: replies.
    ToClient,
}

/// Says what a [`ChaosProxy`](super::ChaosProxy) does to connections.
///
/// Bytes are counted on each connection from its start, or from the moment of the change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Chaos {
    /// Forwards everything at once.
    #[default]
    Pass,
    /// Forwards everything after this time, in each direction. Bytes do not wait for one another.
    Delay(Duration),
    /// Forwards so many bytes in that direction and closes the connection in place of the next; the other direction passes.
    Cut(Direction, u64),
    /// Forwards so many bytes in that direction, loses all that follow, and keeps the connection open; the other direction
    /// passes.
    Truncate(Direction, u64),
    /// Accepts connections and keeps them open, and forwards nothing, not even their end. What was sent arrives when this
    /// is over, as from a network that was parted for a while.
    Blackhole,
    /// Resets existing connections (RST), and new ones as soon as they are accepted.
    Reset,
    /// Closes existing connections and listens no more, as a server that has ended: who connects is refused. Any other
    /// setting listens again at the same port.
    Refuse,
}

/// What to do with the bytes that wait to be forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Forwards so many of them, at least one.
    Forward(usize),
    /// Throws them away.
    Lose,
    /// Nothing before that time.
    Until(Instant),
    /// Nothing before something changes.
    Hold,
    /// Ends the connection.
    Close,
}

impl Chaos {
    /// What to do with `waiting` bytes, at least one, that have `arrived`, after so many have `passed`.
    pub(super) fn step(self, direction: Direction, passed: u64, waiting: usize, arrived: Instant) -> Step {
        let room = |limit: u64| usize::try_from(limit.saturating_sub(passed)).unwrap_or(usize::MAX).min(waiting);
        match self {
            Self::Delay(time) if arrived.elapsed() < time => Step::Until(arrived + time),
            Self::Cut(limited, limit) if limited == direction && room(limit) == 0 => Step::Close,
            Self::Truncate(limited, limit) if limited == direction && room(limit) == 0 => Step::Lose,
            Self::Cut(limited, limit) | Self::Truncate(limited, limit) if limited == direction => {
                Step::Forward(room(limit))
            }
            Self::Blackhole => Step::Hold,
            Self::Reset | Self::Refuse => Step::Close,
            Self::Pass | Self::Delay(_) | Self::Cut(..) | Self::Truncate(..) => Step::Forward(waiting),
        }
    }

    /// Whether no connection outlives it.
    pub(super) fn is_fatal(self) -> bool {
        matches!(self, Self::Reset | Self::Refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_one_direction() {
        let now = Instant::now();
        let cut = Chaos::Cut(Direction::ToClient, 7);
        assert_eq!(cut.step(Direction::ToClient, 0, 5, now), Step::Forward(5));
        assert_eq!(cut.step(Direction::ToClient, 5, 5, now), Step::Forward(2));
        assert_eq!(cut.step(Direction::ToClient, 7, 3, now), Step::Close);
        assert_eq!(cut.step(Direction::ToServer, 9, 3, now), Step::Forward(3));
        assert_eq!(Chaos::Truncate(Direction::ToServer, 0).step(Direction::ToServer, 0, 3, now), Step::Lose);
    }

    #[test]
    fn a_delay_counts_from_the_arrival() {
        let (now, hour) = (Instant::now(), Duration::from_secs(3600));
        assert_eq!(Chaos::Delay(hour).step(Direction::ToServer, 0, 1, now), Step::Until(now + hour));
        assert_eq!(Chaos::Delay(Duration::ZERO).step(Direction::ToServer, 0, 1, now), Step::Forward(1));
    }
}
