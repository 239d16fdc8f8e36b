//! Work in the background: refreshes, and calls that do not block their callers.
//!
//! * Refreshes are bounded in concurrency and in queue ([`Limits`]): those of plain functions, which need a thread
//!   each, apart from those of asynchronous functions, which mostly wait for I/O. What does not fit is refused.
//! * The future of an asynchronous function, and a computation whose caller has gone, are the call itself: they run at
//!   once, without a bound ([`carry_on`]).
//! * The future of a plain function takes a thread: one of `tokio`'s for blocking work where there is a runtime, else
//!   one of chorde's.
//!
//! Whatever is asynchronous runs on the `tokio` runtime in whose context it was begun, or on chorde's own threads
//! ([`executor`]). These are started when needed and end when idle.
//!
//! **Places are for work that runs.** Work that waits for other work releases its place ([`without_place`]), and so
//! does a refresh that takes longer than its lease once places are scarce: whether it hangs, or nobody drives its
//! runtime. One function never takes all places, nor all of the queue ([`line`]).
//!
//! The threads of a process do not survive `fork`: a child begins with an empty queue and threads of its own.

pub(crate) mod drain;
mod executor;
mod job;
mod limits;
mod line;
mod permit;
mod pool;
mod refresh;
mod report;
mod stats;
mod task;
mod threads;

pub use super::context::{Capture, Context, set_context};
pub use drain::{Drain, drain};
pub use job::{Job, Ticket};
pub use limits::{Limits, limits, set_limits};
pub use stats::{BackgroundStats, QueueStats, stats};

pub(crate) use executor::{carry_on, run_blocking};
pub(crate) use job::{CallFlight, Taken};
pub(crate) use permit::without_place;
pub(crate) use pool::submit;
pub(crate) use report::{Ended, Reporter, report};
pub(crate) use task::{Task, Terms};
