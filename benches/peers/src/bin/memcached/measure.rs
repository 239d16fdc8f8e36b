//! Rounds in turn, medians, and what this process used meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    pub rounds: usize,
    /// Words of which a row's name must have all.
    pub words: Vec<String>,
}

impl Wanted {
    /// Measures all rows that are asked for in turn, and prints the median and, in brackets, the best of each column.
    /// The best is the lowest, but for columns whose title begins with a `+`. Returns the medians by the rows' names.
    pub fn table(&self, title: &str, columns: &[&str], rows: Vec<Row<'_>>) -> Vec<(String, Vec<f64>)> {
        let is_wanted = |row: &Row<'_>| self.words.iter().all(|word| row.name.contains(word));
        let mut rows: Vec<_> = rows.into_iter().filter(is_wanted).map(|row| (row, Vec::new())).collect();
        for _ in 0..self.rounds {
            for (row, measured) in &mut rows {
                measured.push((row.run)());
            }
        }
        println!("{title}: medians (best) of {} interleaved rounds", self.rounds);
        let titles: String = columns.iter().map(|column| format!("{:>20}", column.trim_start_matches('+'))).collect();
        println!("{:64}{titles}", "");
        let medians = rows.into_iter().map(|(row, measured)| {
            let column = |index: usize| -> Vec<f64> { measured.iter().map(|round| round[index]).collect() };
            let medians: Vec<f64> = (0..columns.len()).map(|index| middle(column(index), 0.5)).collect();
            print!("{:64}", row.name);
            for (index, title) in columns.iter().enumerate() {
                let best = middle(column(index), if title.starts_with('+') { 1.0 } else { 0.0 });
                print!("{:>11.2} {:>8}", medians[index], format!("({best:.1})"));
            }
            println!();
            (row.name, medians)
        });
        medians.collect()
    }
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
