//! Counts the items, functions and unsafe blocks of Rust source files, several times over, through a cached function
//! whose key is the path and the time of the last change.
//!
//! `cargo run --release --example codestats -- [--files N] [--passes N] [FOLDER ...]`

#[path = "codestats/options.rs"]
mod options;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use chorde::InprocClient;
use chorde::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};
use options::Options;
use syn::visit::{self, Visit};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(200_000));

#[derive(Clone, Copy, Default)]
struct Counts {
    items: u64,
    functions: u64,
    unsafe_blocks: u64,
}

impl Visit<'_> for Counts {
    fn visit_item(&mut self, item: &syn::Item) {
        self.items += 1;
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &syn::Signature) {
        self.functions += 1;
        visit::visit_signature(self, signature);
    }

    fn visit_expr_unsafe(&mut self, block: &syn::ExprUnsafe) {
        self.unsafe_blocks += 1;
        visit::visit_expr_unsafe(self, block);
    }
}

/// Parses a file and counts. The result of a changed file has another key; an error is returned and never stored.
#[cached(client = CACHE, ttl = "1h", key = (path, changed))]
fn count(path: &Path, changed: SystemTime) -> Result<Counts, Box<dyn Error + Send + Sync>> {
    let mut counts = Counts::default();
    counts.visit_file(&syn::parse_file(&std::fs::read_to_string(path)?)?);
    Ok(counts)
}

/// Goes through all files once; returns the sum of the counts, and how many files could not be parsed.
fn pass(files: &[PathBuf], name: String) -> Result<(Counts, u64, Duration), Box<dyn Error>> {
    let style = ProgressStyle::with_template("{msg:<8} {wide_bar:.cyan} {pos:>6}/{len} files")?;
    let bar = ProgressBar::new(files.len() as u64).with_style(style).with_message(name);
    let (mut sum, mut errors, start) = (Counts::default(), 0, Instant::now());
    for path in files {
        match std::fs::metadata(path).and_then(|file| file.modified()).map(|changed| count(path, changed)) {
            Ok(Ok(counts)) => {
                sum.items += counts.items;
                sum.functions += counts.functions;
                sum.unsafe_blocks += counts.unsafe_blocks;
            }
            Ok(Err(_)) | Err(_) => errors += 1,
        }
        bar.inc(1);
    }
    let took = start.elapsed();
    bar.finish_and_clear();
    Ok((sum, errors, took))
}

fn main() -> Result<(), Box<dyn Error>> {
    let Options { mut files, passes } = Options::parse(std::env::args().skip(1))?;
    println!("{} files, {passes} passes in random order", files.len());
    let mut first = Duration::ZERO;
    for number in 1..=passes {
        fastrand::shuffle(&mut files);
        let (sum, errors, took) = pass(&files, format!("pass {number}"))?;
        if number == 1 {
            println!("{} items, {} functions, {} unsafe blocks", sum.items, sum.functions, sum.unsafe_blocks);
            println!("{errors} files are no Rust of today: errors are returned, and tried again in each pass");
            first = took;
        }
        println!("pass {number:<3}{:>10}{:>9.1} x", format!("{took:.1?}"), first.div_duration_f64(took));
    }
    Ok(())
}
