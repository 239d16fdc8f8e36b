//! How background work is bounded.

use super::pool::{locked, start_queued};

/// Bounds background work.
///
/// What is not bounded: the futures of asynchronous functions (`f::future`), which are the call itself, and those of
/// plain functions inside of a `tokio` runtime, which run on its threads for blocking work.
///
/// Of several places, one function never gets all, nor all of the queue: it gets another place only while it has fewer
/// than are free. A function alone gets half of them, a second one half of the rest. So refreshes of one function that
/// hang leave room for those of all others.
///
/// Once half of the places are taken, a refresh that takes longer than its function's `lease` releases its place, and
/// runs on. Of plain functions, as many as `concurrency` do so at a time; of asynchronous functions four times
/// `async_concurrency`, and then the oldest is dropped. One that its runtime has not even begun by then is dropped.
///
/// # Examples
///
/// ```
/// use chorde_core::background::{Limits, limits, set_limits};
///
/// set_limits(Limits { concurrency: 4, stack_size: 16 << 20, ..limits() });
/// assert_eq!(limits().concurrency, 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many refreshes of plain functions run at once, each on a thread; at least 1. As many futures of plain
    /// functions outside of `tokio` run besides. By default eight for each processor, and at least 16: most of this
    /// work waits as well, and what it costs while it does is a thread.
    pub concurrency: usize,
    /// How many refreshes of asynchronous functions run at once; at least 1. By default 256.
    ///
    /// They wait for I/O and cost memory only, so the number of processors does not matter. What has to bear them is
    /// the origin and the connections to it: pools of connections mostly hold 5 to 100, and an HTTP/2 server usually
    /// allows 100 streams for each connection. One function gets 128, which is above all of these, so the pool stays
    /// the bound; and with 50 ms each, these are 2,560 refreshes per second. Lower it where an origin has no bound of
    /// its own.
    pub async_concurrency: usize,
    /// How many more may wait for their turn before new ones are refused: refreshes of plain functions, those of
    /// asynchronous functions, and futures of plain functions have a queue of that length each. By default 4096.
    pub queue: usize,
    /// The size of the stack of chorde's own threads, in bytes. By default 8 MiB on 64-bit systems, as the main thread
    /// mostly has, or more if the environment variable `RUST_MIN_STACK` says so: it is address space, of which only
    /// what is used takes memory. Elsewhere it is the standard library's default. A thread that was started with
    /// another size ends before its next piece of work.
    pub stack_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { concurrency: (8 * processors).max(16), async_concurrency: 256, queue: 4096, stack_size: stack_size() }
    }
}

fn stack_size() -> usize {
    let least = if cfg!(target_pointer_width = "64") { 8 << 20 } else { 2 << 20 };
    let wished = std::env::var("RUST_MIN_STACK").ok().and_then(|size| size.parse().ok());
    wished.unwrap_or(0).max(least)
}

/// Returns how background work is bounded.
#[must_use]
pub fn limits() -> Limits {
    locked().limits
}

/// Sets the bounds of background work; what is queued or running stays.
pub fn set_limits(limits: Limits) {
    locked().set_limits(Limits {
        concurrency: limits.concurrency.max(1),
        async_concurrency: limits.async_concurrency.max(1),
        ..limits
    });
    start_queued();
}
