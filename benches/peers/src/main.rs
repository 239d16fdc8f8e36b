//! Measures chorde beside its rivals in one run: rounds are interleaved, medians are printed as tables in Markdown.
//!
//! `./bench` in the folder of the project builds and runs it; `./bench --help` lists the parts.

mod boundary;
mod compile;
mod function;
mod growth;
mod keys;
mod lengths;
mod measure;
mod memcached;
mod memory;
mod miss;
mod never_worse;
mod plot;
mod ratio;
mod stampede;
mod store;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use measure::{Outcome, Wanted};

/// Measures chorde beside its rivals.
#[derive(Parser)]
#[command(
    bin_name = "./bench",
    after_help = "Without parts, all of them are measured, which takes about three quarters of an hour."
)]
struct Arguments {
    /// What is measured.
    parts: Vec<Part>,
    /// How often everything is measured, in turn, instead of a number that suits the part.
    #[arg(long)]
    rounds: Option<usize>,
    /// Measures only what has all of these words in its name.
    #[arg(long, num_args = 1..)]
    only: Vec<String>,
    /// A folder of traces, one key per line in each file, for hit ratios; without it, generated ones alone are used.
    #[arg(long)]
    traces: Option<PathBuf>,
    /// The folder where plots are written, `benches/plots` unless given.
    #[arg(long)]
    plots: Option<PathBuf>,
    /// Waits and leases of ten seconds become one second, in `never_worse`.
    #[arg(long)]
    short: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Part {
    /// A hit of a cached function, on one thread and on two.
    Function,
    /// A hit by the length of its key, of bytes, texts and numbers.
    Lengths,
    /// A hit by how much there is: entries, cleared namespaces, cached functions.
    Growth,
    /// A store that is used directly: hits, mixed with writes, with evictions.
    Store,
    /// Bytes for each entry.
    Memory,
    /// Hit ratios on traces, beside exact LRU and the optimum.
    Ratio,
    /// Many tasks on one cold key.
    Stampede,
    /// What callers notice when values come to their end.
    Boundary,
    /// Clients of memcached; starts a server of its own.
    Memcached,
    /// What the compiler takes, and how many crates.
    Compile,
    /// What a miss costs: time, instructions, allocations, readings of the clock.
    Miss,
    /// Callers' time with a cache and without, where functions or servers fail, panic or are slow.
    NeverWorse,
}

fn main() -> ExitCode {
    if memory::is_child() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("plots");
    let plots = arguments.plots.unwrap_or_else(own);
    let wanted = Wanted {
        rounds: arguments.rounds,
        words: arguments.only,
        traces: arguments.traces,
        plots,
        short: arguments.short,
    };
    type Run = fn(&Wanted) -> Outcome;
    let parts: [(Part, Run); 12] = [
        (Part::Function, function::run),
        (Part::Lengths, lengths::run),
        (Part::Growth, growth::run),
        (Part::Store, store::run),
        (Part::Memory, memory::run),
        (Part::Ratio, ratio::run),
        (Part::Stampede, stampede::run),
        (Part::Boundary, boundary::run),
        (Part::Memcached, memcached::run),
        (Part::Compile, compile::run),
        (Part::Miss, miss::run),
        (Part::NeverWorse, never_worse::run),
    ];
    for (part, run) in parts {
        if arguments.parts.is_empty() || arguments.parts.contains(&part) {
            let began = Instant::now();
            if let Err(why) = run(&wanted) {
                eprintln!("{part:?} failed: {why}");
                return ExitCode::FAILURE;
            }
            eprintln!("({part:?}: {} s)\n", began.elapsed().as_secs());
        }
    }
    ExitCode::SUCCESS
}
