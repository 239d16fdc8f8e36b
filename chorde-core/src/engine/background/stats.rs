//! How much background work there is, and how long it waits for its turn.

use std::time::Duration;

use super::line::Line;
use super::pool::{Pool, Queued, locked};
use super::task::Kind;
use crate::clock::Clock;

/// Shows the background work of the process at one moment.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::background;
///
/// let stats = background::stats();
/// if stats.async_refreshes.oldest_queued > Some(Duration::from_secs(10)) || stats.refreshes.refused > 0 {
///     eprintln!("refreshes fall behind: {stats:?}");
/// }
/// assert_eq!((stats.refreshes.queued, stats.waiting), (0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackgroundStats {
    /// Refreshes of plain functions.
    pub refreshes: QueueStats,
    /// Refreshes of asynchronous functions.
    pub async_refreshes: QueueStats,
    /// Futures of plain functions outside of a `tokio` runtime; inside, these run on its threads for blocking work.
    pub futures: QueueStats,
    /// Work that has released its place, since it waits for other work or takes longer than its lease.
    pub waiting: usize,
    /// All work that is not over, as [`drain`](super::drain) waits for it: also what needs no place, such as futures of
    /// asynchronous functions.
    pub unfinished: usize,
    /// Threads of chorde's own, idle ones included.
    pub threads: usize,
    /// Threads among these that have nothing to do.
    pub idle_threads: usize,
}

/// Shows one queue of background work, and what has come out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// How many have a place and run.
    pub running: usize,
    /// How many wait for a place.
    pub queued: usize,
    /// How long the one that was queued first has waited by now.
    pub oldest_queued: Option<Duration>,
    /// How many have come to run since the process began.
    pub started: u64,
    /// How many were refused since the process began, because the queue was full.
    pub refused: u64,
    /// How long those that have come to run had waited for it, summed.
    pub queue_time: Duration,
    /// How long the one of them had waited that waited longest.
    pub longest_queue_time: Duration,
}

/// Counts what has come out of one queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    started: u64,
    pub(super) refused: u64,
    queue_time: Duration,
    longest: Duration,
}

impl Tally {
    /// Counts a task that begins after so many nanoseconds in the queue.
    pub(super) fn began(&mut self, queued: u64) {
        let queued = Duration::from_nanos(queued);
        self.started += 1;
        self.queue_time += queued;
        self.longest = self.longest.max(queued);
    }

    fn with(self, line: &Line<Queued>, now: u64) -> QueueStats {
        let oldest = line.fronts().map(|queued| queued.since).min();
        QueueStats {
            running: line.running(),
            queued: line.queued(),
            oldest_queued: oldest.map(|since| Duration::from_nanos(now.saturating_sub(since))),
            started: self.started,
            refused: self.refused,
            queue_time: self.queue_time,
            longest_queue_time: self.longest,
        }
    }
}

/// Returns how much background work there is, and how long it waits for its turn.
#[must_use]
pub fn stats() -> BackgroundStats {
    let now = Clock::system().now();
    locked().stats(now)
}

impl Pool {
    fn stats(&self, now: u64) -> BackgroundStats {
        let of = |kind: Kind| self.tallies[kind as usize].with(&self.lines[kind as usize], now);
        BackgroundStats {
            refreshes: of(Kind::Blocking),
            async_refreshes: of(Kind::Async),
            futures: of(Kind::Awaited),
            waiting: self.waiting(),
            unfinished: self.taken_on,
            threads: self.threads.count,
            idle_threads: self.threads.idle,
        }
    }
}
