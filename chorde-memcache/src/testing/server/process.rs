//! The process of a memcached: started, signalled, ended, and not left behind.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use std::{env, process, thread};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::ask;
use crate::server::Address;
use crate::testing::{PATIENCE, PAUSE};

/// Waits for the end of its input, which comes when the process that holds the other end of the pipe has ended, however it
/// did; then ends the server and removes its folder.
const WATCH: &str = "read -r _; kill -KILL \"$1\"; rm -rf -- \"$2\"";

/// A running memcached; ended and reaped when dropped.
#[derive(Debug)]
pub(super) struct Process {
    memcached: Child,
    /// A shell that runs [`WATCH`].
    watcher: Option<Child>,
    /// Nothing is left to be killed: the id may belong to another process by now.
    reaped: bool,
    /// Has been stopped and not continued; the system tells that only once.
    paused: bool,
}

impl Process {
    /// Starts the program and waits until it answers. An address that is taken is an error of that kind.
    pub(super) fn start(program: &Path, arguments: &[OsString], address: &Address, folder: &Folder) -> Result<Self> {
        let log = folder.path().join("log");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        // In a group of its own, a key that interrupts the test does not reach it; the watcher sees to its end.
        command.process_group(0);
        // What it complains of is read for the reason.
        command.env("LC_ALL", "C");
        let memcached = command.spawn().map_err(|error| cannot_run(program, &error))?;
        let mut process = Self { memcached, watcher: None, reaped: false, paused: false };
        process.watcher = Some(watch(process.id(), folder.path())?);
        process.wait_for_answer(address, &log)?;
        Ok(process)
    }

    /// As [`start`](Self::start), but waits for an address that is taken.
    pub(super) fn start_again(
        program: &Path,
        arguments: &[OsString],
        address: &Address,
        folder: &Folder,
    ) -> Result<Self> {
        let begun = Instant::now();
        loop {
            match Self::start(program, arguments, address, folder) {
                Err(error) if error.kind() == ErrorKind::AddrInUse && begun.elapsed() < PATIENCE => {
                    thread::sleep(PAUSE);
                }
                result => return result,
            }
        }
    }

    fn wait_for_answer(&mut self, address: &Address, log: &Path) -> Result<()> {
        let begun = Instant::now();
        let own = self.id().to_string();
        loop {
            if let Some(status) = self.memcached.try_wait()? {
                self.reaped = true;
                return Err(ended_at_once(&status.to_string(), &fs::read_to_string(log).unwrap_or_default()));
            }
            // Somebody else's server may answer on a port that was taken between: ours is about to find out.
            match ask::ask(address, "stats", PATIENCE) {
                Ok(answer) if ask::stats(&answer).get("pid") == Some(&own) => return Ok(()),
                Ok(_) | Err(_) if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
                result => {
                    let found = result.map_or_else(|error| error.to_string(), |_| "not its own answer".to_owned());
                    let text = format!("memcached does not answer at {address}: {found}");
                    return Err(Error::new(ErrorKind::TimedOut, text));
                }
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.memcached.id()
    }

    pub(super) fn is_running(&mut self) -> bool {
        // Where the system cannot say, it has been reaped.
        let ended = self.reaped || self.memcached.try_wait().is_ok_and(|status| status.is_some());
        self.reaped |= ended;
        !ended && !self.paused
    }

    /// Stops it and waits until all of its threads have stopped; false says that it has ended instead.
    pub(super) fn pause(&mut self) -> Result<bool> {
        if self.paused {
            return Ok(true);
        }
        let pid = self.pid();
        kill(pid, Signal::SIGSTOP)?;
        loop {
            match waitpid(pid, Some(WaitPidFlag::WUNTRACED)) {
                Ok(WaitStatus::Stopped(..)) => {
                    self.paused = true;
                    return Ok(true);
                }
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => {
                    self.reaped = true;
                    return Ok(false);
                }
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn resume(&mut self) -> Result<()> {
        kill(self.pid(), Signal::SIGCONT)?;
        self.paused = false;
        Ok(())
    }

    /// The id as the system's calls take it; it is ours until the process is reaped.
    fn pid(&self) -> Pid {
        Pid::from_raw(self.id().cast_signed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watcher goes first: while the server is not reaped, nobody else can have its id.
        if let Some(watcher) = &mut self.watcher {
            let _ = watcher.kill();
            let _ = watcher.wait();
        }
        if !self.reaped {
            let _ = self.memcached.kill();
            let _ = self.memcached.wait();
        }
    }
}

fn watch(pid: u32, folder: &Path) -> Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCH, "watch", &pid.to_string()]).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()
}

fn cannot_run(program: &Path, error: &Error) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return Error::new(error.kind(), format!("cannot run `{}`: {error}", program.display()));
    }
    let text = format!(
        "the program `{}` is missing, and this test needs it: run `./test`, `apt-get install memcached` or \
         `brew install memcached`, or set the environment variable CHORDE_MEMCACHED to its path",
        program.display()
    );
    Error::new(ErrorKind::NotFound, text)
}

fn ended_at_once(status: &str, log: &str) -> Error {
    let kind = if log.contains("in use") { ErrorKind::AddrInUse } else { ErrorKind::Other };
    Error::new(kind, format!("memcached ended at once ({status}): {}", log.trim()))
}

/// A folder of the server's own; removed with all in it when dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn create() -> Result<Self> {
        // Paths of sockets must be short.
        loop {
            let path = env::temp_dir().join(format!("chorde-{:x}-{:x}", process::id(), fastrand::u32(..)));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
