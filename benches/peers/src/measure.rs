//! Rounds in turn, medians, and what this process used meanwhile.

use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use tokio::runtime::{Builder, Runtime};

/// One row of a table, measured once in each round.
pub struct Row<'a> {
    pub name: String,
    pub run: Box<dyn FnMut() -> Vec<f64> + 'a>,
}

/// Makes a row.
pub fn row<'a>(name: impl Into<String>, run: impl FnMut() -> Vec<f64> + 'a) -> Row<'a> {
    Row { name: name.into(), run: Box::new(run) }
}

/// What the command line asks for.
pub struct Wanted {
    pub rounds: Option<usize>,
    /// Words of which a row's name must have all.
    pub words: Vec<String>,
    /// A folder of traces.
    pub traces: Option<PathBuf>,
    /// The folder where plots are written.
    pub plots: PathBuf,
    /// Whether long waits are a tenth of what they are otherwise.
    pub short: bool,
}

/// What comes of measuring a part.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The medians of a table, by the rows' names.
pub type Medians = Vec<(String, Vec<f64>)>;

impl Wanted {
    pub fn wants(&self, name: &str) -> bool {
        self.words.iter().all(|word| name.contains(word))
    }

    /// Measures all rows that are asked for in turn, and prints the median and, in brackets, the best of each column.
    /// The best is the lowest, but for columns whose title begins with a `+`.
    pub fn table(&self, title: &str, columns: &[&str], rounds: usize, rows: Vec<Row<'_>>) -> Medians {
        let mut rows: Vec<_> =
            rows.into_iter().filter(|row| self.wants(&row.name)).map(|row| (row, Vec::new())).collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let rounds = self.rounds.unwrap_or(rounds);
        for _ in 0..rounds {
            for (row, measured) in &mut rows {
                measured.push((row.run)());
            }
        }
        println!("\n{title}: medians (best) of {rounds} interleaved rounds\n");
        let titles = columns.iter().map(|column| column.trim_start_matches('+').to_owned());
        let mut printed = vec![std::iter::once(String::new()).chain(titles).collect::<Vec<_>>()];
        let mut medians = Vec::new();
        for (row, measured) in rows {
            let column = |index: usize| -> Vec<f64> { measured.iter().map(|round| round[index]).collect() };
            let middles: Vec<f64> = (0..columns.len()).map(|index| middle(column(index), 0.5)).collect();
            let cell = |(index, title): (usize, &&str)| {
                let best = middle(column(index), if title.starts_with('+') { 1.0 } else { 0.0 });
                format!("{} ({})", figure(middles[index]), figure(best))
            };
            printed.push(std::iter::once(row.name.clone()).chain(columns.iter().enumerate().map(cell)).collect());
            medians.push((row.name, middles));
        }
        print(&printed);
        medians
    }
}

/// Prints rows, the first of which are the titles, as a table in Markdown.
pub fn print(rows: &[Vec<String>]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("| {} |", cells.join(" | "));
    };
    line(&rows[0]);
    line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
    rows[1..].iter().for_each(|row| line(row));
}

/// Writes a figure with three digits that count, or all before the point.
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Prints the ratio of two rows of a column, where both were measured.
pub fn ratio(medians: &Medians, one: &str, other: &str, column: usize, what: &str) {
    let of = |name: &str| medians.iter().find(|(row, _)| row == name).map(|(_, measured)| measured[column]);
    if let (Some(above), Some(below)) = (of(one), of(other)) {
        println!("{one} / {other}, {what}: {:.2}", above / below);
    }
}

/// Lets so many threads make so many calls each, all at once and each from another turn on; returns the nanoseconds of one.
pub fn nanos(threads: usize, calls: usize, call: &(impl Fn(usize) -> u64 + Sync)) -> f64 {
    let barrier = Barrier::new(threads);
    let run = |thread: usize| {
        barrier.wait();
        let began = Instant::now();
        let mut sum = 0_u64;
        for turn in 0..calls {
            sum = sum.wrapping_add(call(black_box(turn + thread * 7919)));
        }
        black_box(sum);
        began.elapsed().as_nanos() as f64 / calls as f64
    };
    if threads == 1 {
        return run(0);
    }
    let each: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let run = &run;
                    move || run(thread)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    each.iter().sum::<f64>() / threads as f64
}

/// Returns the value at this part of the order, the middle at 0.5.
pub fn middle(mut measured: Vec<f64>, at: f64) -> f64 {
    measured.sort_by(f64::total_cmp);
    let last = measured.len().saturating_sub(1);
    measured.get((last as f64 * at).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Returns the processor time of this process so far, all threads, in microseconds.
pub fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("every process may ask for its own");
    let micros = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64;
    micros(usage.user_time()) + micros(usage.system_time())
}

/// A runtime on this thread.
pub fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A runtime with so many worker threads.
pub fn workers(threads: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

/// How many tasks, and for how long.
#[derive(Clone, Copy)]
pub struct Load {
    pub tasks: usize,
    pub span: Duration,
}

/// Lets tasks call one after the other what `call` makes of the number of the task and of the turn; returns how many
/// thousand calls were made in a second, and the processor time of one in microseconds.
pub fn load<C, F>(runtime: &Runtime, load: Load, call: C) -> Vec<f64>
where
    C: Fn(usize, usize) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (stop, count, call) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(call));
    let (began, before) = (Instant::now(), cpu());
    let task = |task: usize| {
        let (stop, count, call) = (Arc::clone(&stop), Arc::clone(&count), Arc::clone(&call));
        async move {
            let mut turn = 0;
            while !stop.load(Ordering::Relaxed) {
                call(task, turn).await;
                turn += 1;
                if task == 0 && began.elapsed() > load.span {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            count.fetch_add(turn as u64, Ordering::Relaxed);
        }
    };
    runtime.block_on(async {
        let tasks: Vec<_> = (0..load.tasks).map(|number| tokio::spawn(task(number))).collect();
        for task in tasks {
            task.await.expect("a task");
        }
    });
    rates(count.load(Ordering::Relaxed), began, before)
}

/// The same with plain threads.
pub fn threads(load: Load, call: impl Fn(usize, usize) + Sync) -> Vec<f64> {
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let (began, before) = (Instant::now(), cpu());
    std::thread::scope(|scope| {
        for thread in 0..load.tasks {
            let (stop, count, call) = (&stop, &count, &call);
            scope.spawn(move || {
                let mut turn = 0;
                while !stop.load(Ordering::Relaxed) {
                    call(thread, turn);
                    turn += 1;
                    if began.elapsed() > load.span {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                count.fetch_add(turn as u64, Ordering::Relaxed);
            });
        }
    });
    rates(count.load(Ordering::Relaxed), began, before)
}

fn rates(count: u64, began: Instant, before: f64) -> Vec<f64> {
    let count = count as f64;
    vec![count / began.elapsed().as_secs_f64() / 1e3, (cpu() - before) / count]
}

/// Calls again and again for a while; returns the median and the 99th percentile of a call in microseconds, and the
/// processor time.
pub async fn one_by_one(calls: usize, mut call: impl AsyncFnMut(usize)) -> Vec<f64> {
    let mut times = Vec::with_capacity(calls);
    let before = cpu();
    for turn in 0..calls {
        let began = Instant::now();
        call(turn).await;
        times.push(began.elapsed().as_nanos() as f64 / 1e3);
    }
    let cpu = (cpu() - before) / calls as f64;
    vec![middle(times.clone(), 0.5), middle(times, 0.99), cpu]
}

/// The same without a future.
pub fn one_by_one_here(calls: usize, mut call: impl FnMut(usize)) -> Vec<f64> {
    let mut times = Vec::with_capacity(calls);
    let before = cpu();
    for turn in 0..calls {
        let began = Instant::now();
        call(turn);
        times.push(began.elapsed().as_nanos() as f64 / 1e3);
    }
    let cpu = (cpu() - before) / calls as f64;
    vec![middle(times.clone(), 0.5), middle(times, 0.99), cpu]
}
