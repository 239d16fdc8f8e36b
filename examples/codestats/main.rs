//! Counts the items, functions and unsafe blocks of Rust source files, several times over, through a cached function
//! whose key is the path and the time of the last change.
//!
//! `cargo run --release --example codestats -- [--files N] [--passes N] [FOLDER ...]`; with `--features memcache` also
//! `--memcached HOST:PORT`, where the next run finds what this one has counted.

mod counts;
mod options;
#[cfg(feature = "memcache")]
mod shared;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use chorde::prelude::*;
use chorde::{InprocClient, Stats};
use counts::Counts;
use indicatif::{ProgressBar, ProgressStyle};
use options::Options;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(200_000));

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Parses a file and counts. All arguments are the key, so that a changed file has another one; an error is returned and
/// never stored.
#[cached(client = CACHE, ttl = "1h")]
fn count(path: &Path, _changed: SystemTime) -> Result<Counts, Failure> {
    Counts::of_file(path)
}

/// A cached function, and what there is to be said of it.
pub(crate) struct Cached {
    count: fn(&Path, SystemTime) -> Result<Counts, Failure>,
    stats: fn() -> Stats,
    /// Tells what the cache holds.
    held: Box<dyn Fn() -> String>,
}

impl Cached {
    /// Returns the function over the cache that was asked for.
    fn choose(memcached: Option<&str>) -> Result<Self, Box<dyn Error>> {
        match memcached {
            None => {
                let held = || format!("entries   {}", CACHE.stats().entries);
                Ok(Self { count, stats: count::stats, held: Box::new(held) })
            }
            #[cfg(feature = "memcache")]
            Some(server) => shared::open(server),
            #[cfg(not(feature = "memcache"))]
            Some(_) => Err("--memcached takes a build with memcached: `cargo run --release --features memcache \
                            --example codestats -- ...`"
                .into()),
        }
    }

    /// Goes through all files once; returns the sum of the counts, and how many files could not be counted.
    fn pass(&self, files: &[PathBuf], name: String) -> (Counts, u64) {
        let style = ProgressStyle::with_template("{msg} {wide_bar:.cyan} {pos:>6}/{len} files");
        let bar = ProgressBar::new(files.len() as u64).with_message(name);
        bar.set_style(style.expect("invariant: the template is well-formed"));
        let (mut sum, mut errors) = (Counts::default(), 0);
        for path in files {
            match path.metadata().and_then(|file| file.modified()).map(|changed| (self.count)(path, changed)) {
                Ok(Ok(counts)) => sum += counts,
                Ok(Err(_)) | Err(_) => errors += 1,
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        (sum, errors)
    }

    fn report(&self) {
        let stats = (self.stats)();
        let times = stats.compute_time.mean().zip(stats.compute_time.max()).unwrap_or_default();
        println!("\nhit ratio {:.1} %: {} hits, {} misses", 100.0 * stats.hit_ratio(), stats.hits, stats.misses);
        println!(
            "computed  {}, failed {}; {:.1?} on average, {:.1?} at most",
            stats.computes, stats.compute_errors, times.0, times.1
        );
        println!("{}", (self.held)());
    }
}

fn main() -> ExitCode {
    let options = Options::parse(std::env::args().skip(1));
    match options.and_then(|options| run(options).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(Options { mut files, passes, memcached }: Options) -> Result<(), Box<dyn Error>> {
    let cached = Cached::choose(memcached.as_deref())?;
    println!("{} files, each pass in another random order\n", files.len());
    let mut first = Duration::ZERO;
    for number in 1..=passes {
        fastrand::shuffle(&mut files);
        let start = Instant::now();
        let (sum, errors) = cached.pass(&files, format!("pass {number}"));
        let took = start.elapsed();
        if number == 1 {
            first = took;
            println!("{sum}; {errors} files do not parse (errors are not cached)\n");
        }
        println!("pass {number:<3}{:>10} {:>8.1} x", format!("{took:.1?}"), first.div_duration_f64(took));
    }
    cached.report();
    Ok(())
}
