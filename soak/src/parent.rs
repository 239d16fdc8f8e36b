//! The whole run: cycles of storm, recovery, calm and rest, and what comes of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Result, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::crew::Crew;
use super::cycle::Cycle;
use super::fleets::{self, Fleets};
use super::functions::Scope;
use super::judge::{Window, growth, unrest};
use super::options::Options;
use super::schedule::{Fault, Planned, Terms, plan};
use super::time::{MILLIS, SECOND, now, since};
use super::words::Setting;

/// How many violations are printed; all of them are counted, and in the log.
const PRINTED: usize = 20;

/// What ends a fault.
enum Undo {
    Fleet(fleets::Undo),
    /// Has this worker go on.
    Resume(u16),
}

/// A fault that goes on.
struct Going {
    until: u64,
    scope: Scope,
    /// When its window began, by which it is known.
    from: u64,
    undo: Option<Undo>,
    text: String,
}

struct Run {
    seed: u64,
    begun: u64,
    options: Options,
    fleets: Fleets,
    crew: Crew,
    log: File,
    bar: ProgressBar,
    faults: BTreeMap<&'static str, u32>,
    violations: usize,
}

/// Runs a soak; returns whether all promises were kept.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(1..1_000_000_000));
    println!("seed {seed}");
    let path = options.log.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("chorde-soak-{seed}.log")));
    let log = File::create(&path)?;
    println!("log {}", path.display());
    let cycles = Cycle::all(options.time.as_nanos() as u64, options.cycle.as_nanos() as u64);
    let terms = Terms { processes: options.processes, nodes: options.nodes, per_minute: options.faults_per_minute };
    let storms = plan(seed, &cycles, terms);

    let folder = Folder::new()?;
    let fleets = Fleets::start(options.nodes)?;
    let setting = Setting {
        worker: 0,
        workers: options.processes,
        keys: options.keys,
        pace_micros: options.pace.as_micros() as u64,
        named: fleets.named(),
        endpoint: fleets.endpoint(),
        sabotage: options.sabotage,
    };
    let crew = Crew::start(setting, folder.0.clone())?;
    let bar = progress(&cycles);
    let mut run = Run {
        seed,
        begun: now(),
        options: options.clone(),
        fleets,
        crew,
        log,
        bar,
        faults: BTreeMap::new(),
        violations: 0,
    };
    for ((_, cycle), storm) in cycles.iter().zip(&storms) {
        run.cycle(*cycle, storm)?;
    }
    run.bar.finish_and_clear();
    println!("{}", run.summary());
    writeln!(run.log, "{}", run.summary())?;
    Ok(run.violations == 0)
}

impl Run {
    fn note(&mut self, text: &str) -> Result<()> {
        writeln!(self.log, "{} {text}", since(self.begun, now()))
    }

    fn cycle(&mut self, cycle: Cycle, storm: &[Planned]) -> Result<()> {
        let start = now();
        self.storm(start, storm)?;
        self.bar.set_message("recovery");
        self.wait(start + cycle.calm);
        self.note("calm")?;
        self.bar.set_message("calm");
        self.wait(start + cycle.end);
        self.bar.set_message("rest");
        self.rest()
    }

    /// Carries out the faults of a storm, and ends them.
    fn storm(&mut self, start: u64, storm: &[Planned]) -> Result<()> {
        let mut coming = storm.iter().copied().peekable();
        let mut going: Vec<Going> = Vec::new();
        loop {
            going.sort_by_key(|fault| fault.until);
            let next = coming.peek().map(|planned| start + planned.at);
            let end = going.first().map(|fault| fault.until);
            match (next, end) {
                (None, None) => return Ok(()),
                (next, Some(end)) if next.is_none_or(|next| end <= next) => {
                    self.wait(end);
                    self.end(&going.remove(0))?;
                }
                (Some(next), _) => {
                    self.wait(next);
                    let planned = coming.next().expect("invariant: it was looked at");
                    going.extend(self.begin(planned)?);
                }
                (None, Some(_)) => unreachable!("the second arm has it"),
            }
        }
    }

    fn begin(&mut self, planned: Planned) -> Result<Option<Going>> {
        let fault = planned.fault;
        let (scope, kind, from, text) = (fault.scope(), fault.kind(), now(), fault.to_string());
        self.note(&format!("{text} for {} ms", planned.lasts / MILLIS))?;
        self.bar.set_message(text.clone());
        self.crew.shared.judge().windows.open(Window { scope, kind, from, to: None, hangs: fault.hangs() });
        let done = match fault {
            Fault::KillWorker(worker) => self.crew.replace(worker).map(|()| None),
            Fault::Step(worker, millis) => {
                self.crew.step(worker, millis);
                Ok(None)
            }
            Fault::PauseWorker(worker) => self.crew.pause(worker).map(|()| Some(Undo::Resume(worker))),
            _ => self.fleets.begin(fault).map(|undo| undo.map(Undo::Fleet)),
        };
        match done {
            Ok(undo) => {
                *self.faults.entry(kind).or_default() += 1;
                Ok(Some(Going { until: from + planned.lasts, scope, from, undo, text }))
            }
            // A node that is down already cannot be paused.
            Err(error) => {
                self.note(&format!("{text} was not possible: {error}"))?;
                self.crew.shared.judge().windows.close(scope, from, now());
                Ok(None)
            }
        }
    }

    fn end(&mut self, fault: &Going) -> Result<()> {
        if let Some(undo) = &fault.undo {
            match undo {
                Undo::Fleet(undo) => self.fleets.end(undo)?,
                Undo::Resume(worker) => self.crew.resume(*worker)?,
            }
            self.note(&format!("over: {}", fault.text))?;
        }
        self.crew.shared.judge().windows.close(fault.scope, fault.from, now());
        Ok(())
    }

    /// Has everybody rest, and judges what has happened so far.
    fn rest(&mut self) -> Result<()> {
        let (nodes, resting) = (self.fleets.nodes(), self.crew.rest());
        for (worker, resting) in resting.into_iter().enumerate() {
            let complaints = resting.map_or_else(|| vec!["does not answer".to_owned()], |it| unrest(&it, &nodes));
            for complaint in complaints {
                self.violation(&format!("worker {worker} rests: {complaint}"))?;
            }
        }
        for (worker, samples) in self.crew.sample(now()).iter().enumerate() {
            if let Some(sample) = samples.last() {
                self.note(&format!("worker {worker}: {} KiB, {} files", sample.kibibytes, sample.descriptors))?;
            }
            if let Some(complaint) = growth(samples) {
                self.violation(&format!("worker {worker}: {complaint}"))?;
            }
        }
        let found = self.crew.shared.judge().settle(now());
        for violation in found {
            self.violation(&violation)?;
        }
        self.crew.go_on();
        Ok(())
    }

    fn violation(&mut self, text: &str) -> Result<()> {
        self.violations += 1;
        let line = format!("VIOLATION (seed {}, before {}): {text}", self.seed, since(self.begun, now()));
        if self.violations <= PRINTED {
            self.bar.suspend(|| println!("{line}"));
        }
        writeln!(self.log, "{line}; the clock showed {} at the start", self.begun)
    }

    /// Waits for that time, and shows that it passes.
    fn wait(&self, until: u64) {
        loop {
            let left = until.saturating_sub(now());
            if left == 0 {
                return;
            }
            self.bar.set_position((now() - self.begun) / SECOND);
            std::thread::sleep(Duration::from_nanos(left.min(200 * MILLIS)));
        }
    }

    fn summary(&self) -> String {
        let (tally, counts) = (self.crew.tally(), self.crew.shared.judge().counts);
        let kinds: Vec<String> = self.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        format!(
            "soak: seed {}, {} processes, {} nodes, {:.0} s, {} faults ({}), {} calls, {} changes, {} values compared with \
             changes before, {} computations, {} of them judged, {} extra around faults, {} older values excused by faults, \
             {} unexplained timeouts, the longest call {} ms, {} violations",
            self.seed,
            self.options.processes,
            2 * self.options.nodes,
            (now() - self.begun) as f64 / SECOND as f64,
            self.faults.values().sum::<u32>(),
            kinds.join(", "),
            tally.calls,
            tally.changes,
            tally.compared,
            counts.computations,
            counts.judged,
            counts.extra,
            counts.excused,
            counts.unexplained,
            tally.longest / MILLIS,
            self.violations,
        )
    }
}

fn progress(cycles: &[(u64, Cycle)]) -> ProgressBar {
    let total = cycles.last().map_or(0, |(start, cycle)| (start + cycle.end) / SECOND);
    let style = ProgressStyle::with_template("{elapsed_precise} [{wide_bar}] {pos}/{len} s {msg:40!}");
    ProgressBar::new(total).with_style(style.expect("invariant: the template is right"))
}

/// A folder for sockets, which goes when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("chorde-soak-{}-{}", std::process::id(), now()));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is in the system's folder for such.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
