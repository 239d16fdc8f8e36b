//! The clock that all processes of a run share.

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds in a millisecond.
pub(crate) const MILLIS: u64 = 1_000_000;

/// Nanoseconds in a second.
pub(crate) const SECOND: u64 = 1_000 * MILLIS;

/// Returns the nanoseconds since the machine was started: the same in all processes, which `Instant` does not tell.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("invariant: every unix system has this clock");
    (time.tv_sec() as u64) * SECOND + time.tv_nsec() as u64
}

/// Says a time for people: seconds since `start`.
pub(crate) fn since(start: u64, at: u64) -> String {
    format!("{:.3} s", (at as f64 - start as f64) / SECOND as f64)
}
