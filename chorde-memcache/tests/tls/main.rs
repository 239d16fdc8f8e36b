//! Encrypted connections: all that works over plain ones works, and whoever is not who they should be is not used.

#![allow(unreachable_pub, reason = "the modules of this binary share what is theirs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod certificates;
mod logged;

mod breaks;
mod names;
mod refusals;
mod values;

#[path = "../support/mod.rs"]
mod support;
