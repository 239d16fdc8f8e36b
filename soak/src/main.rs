//! Many processes over servers that fail, for as long as one likes, and a judge who sees all of it.
//!
//! The parent runs two fleets of real memcached: one of named nodes, each behind a proxy that disturbs, and one like an
//! ElastiCache cluster, which nodes join and leave. It starts worker processes of its own binary, which call cached
//! functions over both, and carries out a schedule of faults that follows from the seed alone. Each computation is asked
//! of the parent, over a socket, so that it knows them all. All processes read one clock (`time.rs`).
//!
//! Time goes in cycles (`cycle.rs`): a storm of faults, a while to recover, a calm in which nothing is excused, and a rest
//! in which nothing may be left under way.
//!
//! | file | what it does |
//! |---|---|
//! | `options.rs` | the command line |
//! | `functions.rs` | what is promised of each cached function (PURE) |
//! | `schedule.rs`, `cycle.rs` | which fault comes when (PURE) |
//! | `judge.rs` | what is a violation, what is excused by a fault, what is counted (PURE) |
//! | `words.rs` | what parent and workers say to one another |
//! | `fleets.rs` | the servers, and what is done to them |
//! | `crew.rs` | the worker processes; answers their computations |
//! | `parent.rs` | the whole run |
//! | `worker.rs` | one process: calls, and looks at what comes |
//!
//! `soak --for 1h --processes 8` prints its seed first and a summary last, and ends with 1 after a violation.

mod crew;
mod cycle;
mod fleets;
mod functions;
mod judge;
mod options;
mod parent;
mod schedule;
mod time;
mod words;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if let Ok(socket) = std::env::var(words::SOCKET) {
        worker::run(&socket);
        return ExitCode::SUCCESS;
    }
    match parent::run(&options::Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::from(2)
        }
    }
}
