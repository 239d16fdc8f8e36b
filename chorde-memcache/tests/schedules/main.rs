//! What a server has missed, and the queue of a connection, under random schedules: compiled once more against the
//! primitives of the model checker shuttle.
//!
//! `CHORDE_SCHEDULES` says how many for each scene and scheduler. An argument names the checks to run, by a part of their
//! names. Of a check that fails, shuttle prints the schedule.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    missing_docs,
    missing_debug_implementations,
    reason = "modules of the crate, seen from another one"
)]

#[path = "../../../chorde-core/tests/schedules/explore.rs"]
mod explore;
mod mux_model;
mod outage;

#[path = "../../src"]
mod subject {
    pub(crate) mod command;
    #[cfg(feature = "testing")]
    pub(crate) mod input;
    pub(crate) mod life;
    pub(crate) mod race;
    pub(crate) mod stats;
    pub(crate) mod wall_clock;
}
use subject::*;

/// The names of the crate's `sync`, by the model checker's primitives.
mod sync {
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};
}

#[path = "../../src/node"]
mod node {
    pub(crate) mod breaker;
    mod debts;
    mod health;
    pub(crate) mod meta;
    pub(crate) mod mux {
        mod line;
        mod queue;
        mod serve;
        mod timer;

        #[path = "../../../tests/schedules/mux_stand_in.rs"]
        mod mux_stand_in;
        pub(crate) use mux_stand_in::*;
    }
    mod owed;
    mod prober;

    #[path = "../../tests/schedules/stand_in.rs"]
    mod stand_in;
    pub(crate) use stand_in::*;
}

fn main() -> std::process::ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let scenes: Vec<_> = outage::scenes().into_iter().chain(mux_model::scenes()).collect();
    if explore::run(&scenes, &wanted) { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
