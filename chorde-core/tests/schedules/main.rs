//! The crate under random schedules: compiled once more, whole, against the primitives of the model checker shuttle, which
//! runs what may happen to one key, and the parts that many threads share, in thousands of random interleavings.
//!
//! `CHORDE_SCHEDULES` says how many for each setting and scheduler. An argument names the checks to run, by a part of
//! their names. Of a check that fails, shuttle prints the schedule.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    missing_docs,
    missing_debug_implementations,
    reason = "modules of the crate, seen from another one"
)]

#[macro_use]
mod local;

mod acts;
#[path = "../linear/checker.rs"]
mod checker;
mod explore;
mod function_model;
mod histories;
mod history;
mod inproc;
mod owned;
mod pairs;
mod pausing;
mod pool;
mod processes;
#[path = "../linear/promises.rs"]
mod promises;
#[path = "../linear/register.rs"]
mod register;
mod sync;

#[path = "../../src"]
mod subject {
    pub(crate) mod client;
    pub(crate) mod client_id;
    pub(crate) mod clients;
    pub(crate) mod clock;
    pub(crate) mod decide;
    pub(crate) mod digest;
    pub(crate) mod engine;
    pub(crate) mod entry;
    pub(crate) mod error;
    pub(crate) mod events;
    pub(crate) mod flight;
    pub(crate) mod function;
    pub(crate) mod future;
    pub(crate) mod key;
    pub(crate) mod lanes;
    pub(crate) mod life;
    pub(crate) mod log_limit;
    pub(crate) mod namespace;
    pub(crate) mod policy;
    pub(crate) mod process;
    pub(crate) mod site;
    pub(crate) mod stats;
    pub(crate) mod user_code;
    pub(crate) mod warm;
}
use subject::*;

// What `lib.rs` exports, by the names that its modules use.
use client::{
    Cache, CacheExt, Claim, ClaimOptions, Client, ClientId, Computed, Identity, ReadOptions, Revision, Token, Value,
    WriteOptions,
};
use clients::inproc::InprocClient;
use clients::namespaced::NamespaceClient;
use clients::tiered::TieredClient;
use clock::{Clock, ManualClock};
use digest::Digest;
use entry::{Entry, Lookup};
use error::{Error, ErrorKind, Result};
use future::CacheFuture;
use key::{AsKey, Key, Probe};
use namespace::{Namespace, Path};
use policy::{CallPolicy, RefreshPoint};
use stats::{Stats, Timings};

fn main() -> std::process::ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let scenes = [pairs::scenes(), processes::scenes(), pool::scenes(), inproc::scenes(), histories::scenes()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>();
    if explore::run(&scenes, &wanted) { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
