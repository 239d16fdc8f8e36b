//! Whether callers are ever worse off with a cache than without: functions that fail, panic, are slow, or are called under
//! timeouts, and a memcached that hangs; each cached and uncached, in turn, by one caller and by crowds.

mod crowd;
mod subjects;
mod timeouts;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::measure::{Outcome, Wanted, figure, middle, print};
use crowd::{Crowd, PATIENCE};
use subjects::Subject;

/// A ratio above this counts as worse: what is below may be the machine's.
const WORSE: f64 = 1.1;

/// The computations that have begun, of all functions.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// What the callers of one side saw in all rounds.
#[derive(Default)]
struct Side {
    millis: Vec<f64>,
    started: u64,
}

impl Side {
    fn round(&mut self, call: &dyn Fn(Crowd) -> Vec<f64>, crowd: Crowd) {
        let before = STARTED.load(Ordering::Relaxed);
        self.millis.extend(call(crowd));
        self.started += STARTED.load(Ordering::Relaxed) - before;
    }

    fn at(&self, part: f64) -> f64 {
        middle(self.millis.clone(), part)
    }

    /// Says whether this part of the order is of a caller that waited no longer: all of those have the same figure.
    fn gave_up(&self, part: f64) -> bool {
        self.at(part).to_bits() == (PATIENCE.as_secs_f64() * 1e3).to_bits()
    }
}

const COLUMNS: [&str; 10] = [
    "",
    "callers",
    "calls",
    "p50 uncached, ms",
    "cached",
    "ratio",
    "p99 uncached, ms",
    "cached",
    "ratio",
    "computations of a key, uncached and cached",
];

pub fn run(wanted: &Wanted) -> Outcome {
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    let mut notes = Vec::new();
    let (mut measured, mut worse) = (0, 0);
    for subject in subjects::all(wanted.short)? {
        for &crowd in subject.crowds {
            let crowd = Crowd { rounds: wanted.rounds.unwrap_or(crowd.rounds), ..crowd };
            if !wanted.wants(&format!("{}, {} callers", subject.name, crowd.callers)) {
                continue;
            }
            let (uncached, cached) = measure(&subject, crowd);
            let row = row(subject.name, crowd, &uncached, &cached);
            eprintln!("{}", row.join(" | "));
            measured += 1;
            worse += usize::from(row.iter().any(|cell| cell.starts_with("**")));
            notes.extend(note(&subject, crowd, &uncached, &cached));
            rows.push(row);
        }
    }
    if measured > 0 {
        println!("\nCallers' time, cached against uncached, in interleaved rounds on cold keys\n");
        print(&rows);
        println!("\nTasks give up after {} s: \"> \" where that cuts a figure.", PATIENCE.as_secs());
        println!("{worse} of {measured} rows have a ratio above {WORSE} (bold).");
        notes.iter().for_each(|note| println!("{note}"));
    }
    timeouts::run(wanted)
}

/// Measures both sides in turn, each first in every other round.
fn measure(subject: &Subject, crowd: Crowd) -> (Side, Side) {
    let (mut uncached, mut cached) = (Side::default(), Side::default());
    for round in 0..crowd.rounds {
        if round % 2 == 0 {
            uncached.round(&*subject.uncached, crowd);
        }
        (subject.prepare)();
        cached.round(&*subject.cached, crowd);
        if round % 2 == 1 {
            uncached.round(&*subject.uncached, crowd);
        }
    }
    (uncached, cached)
}

fn row(name: &str, crowd: Crowd, uncached: &Side, cached: &Side) -> Vec<String> {
    let mut row = vec![name.to_owned(), crowd.callers.to_string(), cached.millis.len().to_string()];
    for part in [0.5, 0.99] {
        let ratio = cached.at(part) / uncached.at(part);
        let mark = if ratio > WORSE { "**" } else { "" };
        let more = if cached.gave_up(part) { "> " } else { "" };
        row.extend([
            figure(uncached.at(part)),
            format!("{more}{}", figure(cached.at(part))),
            format!("{mark}{more}{ratio:.2}{mark}"),
        ]);
    }
    let keys = crowd.keys as f64 * crowd.rounds as f64;
    row.push(format!("{}, {}", figure(uncached.started as f64 / keys), figure(cached.started as f64 / keys)));
    row
}

/// Says how much later callers have their answer where the documentation allows some delay.
fn note(subject: &Subject, crowd: Crowd, uncached: &Side, cached: &Side) -> Option<String> {
    let allowed = subject.allowed?;
    let later = [0.5, 0.99].map(|part| figure(cached.at(part) - uncached.at(part)));
    Some(format!(
        "{}, {} callers: {} ms later at p50 and {} ms at p99, where {allowed} ms are allowed.",
        subject.name, crowd.callers, later[0], later[1]
    ))
}
