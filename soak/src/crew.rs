//! The worker processes, as the parent has them in hand.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Result, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::functions::{FUNCTIONS, Scope};
use super::judge::{Computed, Judge, Sample, Window};
use super::words::{Change, How, Order, Resting, SOCKET, Setting, Tally, Told};

/// How long a worker may take to start, or to rest, before it counts as dead.
const PATIENCE: Duration = Duration::from_secs(40);

/// What all who listen to workers share.
pub(crate) struct Shared {
    pub(crate) judge: Mutex<Judge>,
    members: Vec<Mutex<Member>>,
    serials: AtomicU64,
    rested: Mutex<Vec<Option<Resting>>>,
    changed: Condvar,
}

/// What is known of one worker.
#[derive(Default)]
struct Member {
    child: Option<Child>,
    stream: Option<UnixStream>,
    /// What those that were killed had counted.
    before: Tally,
    tally: Tally,
    samples: Vec<Sample>,
}

/// All worker processes; they end when this is dropped.
pub(crate) struct Crew {
    pub(crate) shared: Arc<Shared>,
    setting: Setting,
    folder: PathBuf,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn judge(&self) -> MutexGuard<'_, Judge> {
        lock(&self.judge)
    }

    fn send(&self, worker: u16, order: &Order) {
        let mut member = lock(&self.members[usize::from(worker)]);
        // One that was killed hears nothing.
        if let Some(stream) = &mut member.stream {
            let line = serde_json::to_string(order).expect("invariant: orders are plain data");
            let _ = stream.write_all(format!("{line}\n").as_bytes());
        }
    }

    /// Hears what a worker says.
    fn hear(&self, worker: u16, told: Told) {
        match told {
            Told::Ready => {}
            Told::Compute { request, function, key, at } => {
                let serial = self.serials.fetch_add(1, Ordering::Relaxed);
                let (millis, is_refused) = fate();
                self.judge().computed(function, key, Computed { worker, begun: at, is_refused });
                self.send(worker, &Order::Computed { request, serial, millis, is_refused });
            }
            Told::Changed(change) => {
                self.judge().changed(change);
                self.tell_others(change);
            }
            Told::Saw(sight) => self.judge().saw(sight),
            Told::Stalled { from, to } => {
                let scope = Scope::Process(worker);
                self.judge().windows.open(Window { scope, kind: "stall", from, to: Some(to), hangs: true });
            }
            Told::Troubled { is_named, from, to } => {
                let scope = if is_named { Scope::Named } else { Scope::Cluster };
                self.judge().troubled(worker, scope, from, to);
            }
            Told::Counted(tally) => lock(&self.members[usize::from(worker)]).tally = tally,
            Told::Resting(resting) => {
                lock(&self.rested)[usize::from(worker)] = Some(resting);
                self.changed.notify_all();
            }
        }
    }

    fn tell_others(&self, change: Change) {
        if change.is_done && change.how != How::Refresh && !FUNCTIONS[change.function].is_local() {
            for other in (0..self.members.len() as u16).filter(|other| *other != change.worker) {
                self.send(other, &Order::Changed(change));
            }
        }
    }
}

/// Says how long a computation takes, in milliseconds, and whether it fails.
fn fate() -> (u64, bool) {
    let millis = if fastrand::u8(0..100) == 0 { fastrand::u64(100..600) } else { fastrand::u64(1..20) };
    (millis, fastrand::u8(0..200) == 0)
}

impl Crew {
    /// Starts all workers, and returns when they work.
    pub(crate) fn start(setting: Setting, folder: PathBuf) -> Result<Self> {
        let count = usize::from(setting.workers);
        let shared = Shared {
            judge: Mutex::default(),
            members: (0..count).map(|_| Mutex::default()).collect(),
            serials: AtomicU64::default(),
            rested: Mutex::new(vec![None; count]),
            changed: Condvar::new(),
        };
        let crew = Self { shared: Arc::new(shared), setting, folder };
        (0..crew.setting.workers).try_for_each(|worker| crew.launch(worker))?;
        Ok(crew)
    }

    fn launch(&self, worker: u16) -> Result<()> {
        let path = self.folder.join(format!("{worker}.socket"));
        // That of the one before.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        let program = std::env::current_exe()?;
        let mut child = Command::new(program).env(SOCKET, &path).stdin(Stdio::null()).spawn()?;
        let stream = accept(&listener, &mut child)?;
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        {
            let mut member = lock(&self.shared.members[usize::from(worker)]);
            (member.child, member.stream) = (Some(child), Some(stream));
        }
        self.shared.send(worker, &Order::Begin(Setting { worker, ..self.setting.clone() }));
        lines.next().ok_or_else(|| Error::new(ErrorKind::BrokenPipe, "a worker ended at once"))??;
        let shared = Arc::clone(&self.shared);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Half a line is all that may be left of one that was killed.
                if let Ok(told) = serde_json::from_str(&line) {
                    shared.hear(worker, told);
                }
            }
        });
        Ok(())
    }

    /// Kills a worker and starts it again.
    pub(crate) fn replace(&self, worker: u16) -> Result<()> {
        {
            let mut member = lock(&self.shared.members[usize::from(worker)]);
            end(&mut member);
            let tally = std::mem::take(&mut member.tally);
            member.before.add(&tally);
            member.samples.clear();
        }
        self.launch(worker)
    }

    /// Stops a worker where it is.
    pub(crate) fn pause(&self, worker: u16) -> Result<()> {
        self.signal(worker, Signal::SIGSTOP)
    }

    /// Has a worker that was stopped go on. One that was started in its place meanwhile runs already.
    pub(crate) fn resume(&self, worker: u16) -> Result<()> {
        self.signal(worker, Signal::SIGCONT)
    }

    fn signal(&self, worker: u16, signal: Signal) -> Result<()> {
        let member = lock(&self.shared.members[usize::from(worker)]);
        let child = member.child.as_ref().ok_or_else(|| Error::new(ErrorKind::NotFound, "the worker does not run"))?;
        Ok(kill(Pid::from_raw(child.id().cast_signed()), signal)?)
    }

    pub(crate) fn step(&self, worker: u16, millis: u64) {
        self.shared.send(worker, &Order::Step { millis });
    }

    /// Has all workers rest; returns how each of them is, or nothing of one that does not answer.
    pub(crate) fn rest(&self) -> Vec<Option<Resting>> {
        let mut rested = lock(&self.shared.rested);
        rested.fill(None);
        drop(rested);
        self.all(&Order::Rest);
        let rested = lock(&self.shared.rested);
        let is_missing = |rested: &mut Vec<Option<Resting>>| rested.iter().any(Option::is_none);
        let waited = self.shared.changed.wait_timeout_while(rested, PATIENCE, is_missing);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    pub(crate) fn go_on(&self) {
        self.all(&Order::GoOn);
    }

    fn all(&self, order: &Order) {
        (0..self.setting.workers).for_each(|worker| self.shared.send(worker, order));
    }

    /// Notes what each worker has of the machine, and returns all that was noted of each since it was started.
    pub(crate) fn sample(&self, at: u64) -> Vec<Vec<Sample>> {
        let sample = |member: &Mutex<Member>| {
            let mut member = lock(member);
            if let Some((kibibytes, descriptors)) = member.child.as_ref().and_then(|child| measure(child.id())) {
                member.samples.push(Sample { at, kibibytes, descriptors });
            }
            member.samples.clone()
        };
        self.shared.members.iter().map(sample).collect()
    }

    /// Returns the sum of what all workers have counted, those that were killed too.
    pub(crate) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for member in &self.shared.members {
            let member = lock(member);
            sum.add(&member.before);
            sum.add(&member.tally);
        }
        sum
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.members.iter().for_each(|member| end(&mut lock(member)));
    }
}

/// Kills a worker.
fn end(member: &mut Member) {
    if let Some(mut child) = member.child.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
    member.stream = None;
}

/// Waits for a worker's connection.
fn accept(listener: &UnixListener, child: &mut Child) -> Result<UnixStream> {
    listener.set_nonblocking(true)?;
    let begun = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            Err(_) if child.try_wait()?.is_some() => {
                return Err(Error::new(ErrorKind::BrokenPipe, "a worker ended at once"));
            }
            Err(_) if begun.elapsed() > PATIENCE => {
                return Err(Error::new(ErrorKind::TimedOut, "a worker does not start"));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Returns a process's resident memory in KiB and its open files, where the system tells.
fn measure(pid: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes = line.trim().trim_end_matches(" kB").parse().ok()?;
    let descriptors = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")).ok()?.count();
    Some((kibibytes, descriptors as u64))
}
