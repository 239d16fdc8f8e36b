//! Work behind the callers' backs: bounded in concurrency and in queue, on whatever executor there is.
//!
//! Blocking work, and futures begun outside of any `tokio` runtime, run on a few threads of chorde's own, which are
//! started when needed and go away when idle. Futures begun inside of a `tokio` runtime run on it.

mod job;
pub(crate) mod pool;

pub use job::{Job, Ticket};
pub use pool::{Drain, Limits, drain, limits, set_limits};

pub(crate) use job::{CallFlight, Taken};
pub(crate) use pool::{Task, carry_on, submit, without_place};
