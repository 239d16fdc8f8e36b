//! Histories of operations on one key, recorded with threads that run at the same time, and judged afterwards.
//!
//! `CHORDE_HISTORIES` says how many for each client, and `CHORDE_SEED` which ones: a failure names the seed. What is drawn
//! is repeated by that, not how the threads run.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../chorde-core/tests/linear/checker.rs"]
mod checker;
mod clients;
mod functions;
mod memcached;
mod naps;
#[path = "../../chorde-core/tests/linear/promises.rs"]
mod promises;
mod recorder;
#[path = "../../chorde-core/tests/linear/register.rs"]
mod register;
mod tiers;

use chorde::{AsKey, CacheExt, Client, Result, Value};
