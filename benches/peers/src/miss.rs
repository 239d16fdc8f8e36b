//! What a miss costs: a trivial function is computed and its result stored in process. Each measurement is a process of its own,
//! so that caches are cold and the allocator's state is the same for all.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use crate::measure::{Medians, Outcome, Wanted, figure, print, ratio, row};

/// Misses that are timed in one round.
const MISSES: u64 = 100_000;
const ROUNDS: usize = 9;

/// Misses that callgrind sees beside as many more: the difference has neither the start of the program nor the warm-up in it.
const COUNTED: u64 = 10_000;

const ROOMS: [(&str, &str); 2] = [("roomy", "room for all keys"), ("small", "each miss evicts")];

/// Runs one of the binaries beside this one; returns the numbers that it prints.
fn child(binary: &str, arguments: &[&str]) -> Outcome<Vec<f64>> {
    let output = Command::new(std::env::current_exe()?.with_file_name(binary)).args(arguments).output()?;
    let text = String::from_utf8(output.stdout)?;
    let numbers = text.lines().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    if numbers.is_empty() {
        return Err(format!("{binary} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(numbers)
}

fn kinds() -> Outcome<Vec<String>> {
    let output = Command::new(std::env::current_exe()?.with_file_name("misses")).output()?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

pub fn run(wanted: &Wanted) -> Outcome {
    let kinds = kinds()?;
    for (room, what) in ROOMS {
        let count = MISSES.to_string();
        let rows = kinds
            .iter()
            .map(|kind| {
                let arguments = [kind, room, count.as_str()];
                row(kind, move || child("misses", &arguments).expect("a child"))
            })
            .collect();
        let title = format!("A miss of u64 -> u64, {what}, {MISSES} misses");
        let medians = wanted.table(&title, &["ns"], ROUNDS, rows);
        println!();
        for (ours, theirs) in [
            ("chorde, plain", "moka, get_with, ttl"),
            ("chorde, plain", "quick_cache, get_or_insert_with, no ttl"),
            ("chorde, plain", "cached, sync_writes by_key"),
            ("chorde, async", "moka, get_with, ttl, async"),
        ] {
            ratio(&medians, ours, theirs, 0, "time");
        }
        counts(&medians, room, what)?;
    }
    Ok(())
}

/// Prints what is counted and not timed, of the kinds that were timed.
fn counts(medians: &Medians, room: &str, what: &str) -> Outcome {
    println!("\nOne miss, {what}: counts\n");
    let titles = ["", "allocations", "bytes", "instructions", "readings of the clock"];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    let few = COUNTED.to_string();
    let twice = (2 * COUNTED).to_string();
    for (kind, _) in medians {
        let mut row = vec![kind.clone()];
        row.extend(child("allocations", &[kind, room, &few])?.into_iter().map(figure));
        let seen = [callgrind(kind, room, &few)?, callgrind(kind, room, &twice)?];
        if let [Some(few), Some(twice)] = seen {
            let each = |one: u64, two: u64| figure(two.saturating_sub(one) as f64 / COUNTED as f64);
            row.extend([each(few.instructions, twice.instructions), each(few.readings, twice.readings)]);
        } else {
            row.extend(["valgrind is missing".to_owned(), String::new()]);
        }
        rows.push(row);
    }
    print(&rows);
    Ok(())
}

/// What callgrind counted in one process.
struct Counted {
    instructions: u64,
    /// Calls of `clock_gettime`. Under valgrind it is a system call, but each reading is a call of it there too.
    readings: u64,
}

/// Runs misses under callgrind, if it is there.
fn callgrind(kind: &str, room: &str, count: &str) -> Outcome<Option<Counted>> {
    let binary = std::env::current_exe()?.with_file_name("misses");
    let profile = std::env::temp_dir().join(format!("chorde-misses-{}", std::process::id()));
    let to = format!("--callgrind-out-file={}", profile.display());
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", &to]).arg(binary).args([kind, room, count]);
    match command.output() {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(other) => return Err(other.into()),
        Ok(output) if !output.status.success() => {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(_) => {}
    }
    let counted = read(&profile);
    std::fs::remove_file(&profile)?;
    Ok(Some(counted?))
}

/// Reads a profile: the sum of all instructions, and the calls of one function. A function is written as `(number) name` the
/// first time, and as `(number)` after that.
fn read(profile: &Path) -> Outcome<Counted> {
    let text = std::fs::read_to_string(profile)?;
    let mut names = HashMap::new();
    let mut counted = Counted { instructions: 0, readings: 0 };
    let mut is_reading = false;
    for line in text.lines() {
        if let Some((kind @ ("fn" | "cfn"), function)) = line.split_once('=') {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            let is_clock = names.entry(number).or_insert_with(|| name.starts_with("clock_gettime"));
            is_reading = kind == "cfn" && *is_clock;
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if is_reading {
                let calls = calls.split(' ').next().unwrap_or_default();
                counted.readings += calls.parse::<u64>()?;
            }
        } else if let Some(sum) = line.strip_prefix("totals: ") {
            counted.instructions = sum.trim().parse()?;
        }
    }
    Ok(counted)
}
