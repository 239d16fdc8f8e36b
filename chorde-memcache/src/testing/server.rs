//! A real memcached under a test's control.
//!
//! Signals are sent by the crate `nix`, not by the program `kill`: it is a checked call instead of a process, it is there on
//! systems without that program, and it can wait until a stopped process has really stopped.

mod ask;
mod builder;
mod process;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use builder::MemcachedServerBuilder;

use self::process::{Folder, Process};
use super::{PATIENCE, PAUSE};
use crate::server::Address;

/// Runs a memcached of its own for a test, which can stop it, continue it, kill it and start it again.
///
/// The program is `memcached` in the `PATH`, or what the environment variable `CHORDE_MEMCACHED` names. It also runs where
/// the test runs as root. It ends when this is dropped, and when the process of the test ends without dropping anything:
/// a shell waits for that at the end of a pipe.
///
/// # Concurrency
///
/// All methods can be called from any thread, and block it for no longer than 30 seconds. They use connections of their own.
///
/// # Examples
///
/// ```
/// use chorde_memcache::testing::MemcachedServer;
///
/// let server = MemcachedServer::start()?;
/// assert_eq!(server.command("set greeting 0 0 5\r\nhello")?, "STORED\r\n");
/// assert_eq!(server.command("get greeting")?, "VALUE greeting 0 5\r\nhello\r\nEND\r\n");
///
/// server.restart()?; // the same port, and nothing in it
/// assert_eq!(server.command("get greeting")?, "END\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct MemcachedServer {
    /// `None` after `kill`. Declared before the folder, which goes last.
    process: Mutex<Option<Process>>,
    address: Address,
    /// Where it listens for encrypted connections as well, if it does.
    tls: Option<SocketAddr>,
    /// The whole command line but for the program, for starting it again.
    arguments: Vec<OsString>,
    program: PathBuf,
    /// Holds the unix socket and what the server complains of.
    folder: Folder,
}

impl MemcachedServer {
    /// Starts a server on a free port of the loopback interface, and returns when it answers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if the program is missing; the text says how to get it. What the program complained of, if
    /// it ended at once; [`ErrorKind::TimedOut`], if it does not answer.
    pub fn start() -> Result<Self> {
        Self::builder().start()
    }

    /// Starts a server on a unix socket in a folder of its own, and returns when it answers.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_unix() -> Result<Self> {
        Self::builder().unix().start()
    }

    /// Begins a server with arguments of its own.
    #[must_use]
    pub fn builder() -> MemcachedServerBuilder {
        MemcachedServerBuilder::default()
    }

    /// Returns what a client takes as the name of this server: `127.0.0.1:port`, another address that was
    /// [chosen](MemcachedServerBuilder::at), or `unix:/path`.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    /// Returns what a client takes as the name of the port for encrypted connections, if there is one
    /// ([`MemcachedServerBuilder::tls`]): `127.0.0.1:port`.
    #[must_use]
    pub fn tls_address(&self) -> Option<String> {
        self.tls.map(|address| address.to_string())
    }

    /// Returns the id of the running process; there is none after [`kill`](Self::kill).
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.lock().as_ref().map(Process::id)
    }

    /// Says whether the process runs: it has not been killed, is not paused and did not end by itself.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.lock().as_mut().is_some_and(Process::is_running)
    }

    /// Stops the process where it is (SIGSTOP), and returns when it has stopped: connections stay open, new ones are
    /// accepted by the system, nothing is answered.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotConnected`] if it does not run.
    pub fn pause(&self) -> Result<()> {
        let mut process = self.lock();
        if process.as_mut().ok_or_else(ended)?.pause()? {
            return Ok(());
        }
        *process = None;
        Err(ended())
    }

    /// Lets the process go on after [`pause`](Self::pause) (SIGCONT), with all that it was sent meanwhile.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotConnected`] if it does not run.
    pub fn resume(&self) -> Result<()> {
        self.lock().as_mut().ok_or_else(ended)?.resume()
    }

    /// Kills the process (SIGKILL) and waits for its end, whether it runs, is paused, or has ended before.
    pub fn kill(&self) {
        *self.lock() = None;
    }

    /// Kills the process, if there is one, and starts another one at the same address; returns when it answers.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn restart(&self) -> Result<()> {
        let mut process = self.lock();
        *process = None;
        *process = Some(Process::start_again(&self.program, &self.arguments, &self.address, &self.folder)?);
        Ok(())
    }

    /// Makes the server forget all items.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn flush(&self) -> Result<()> {
        let answer = self.command("flush_all")?;
        if answer == "OK\r\n" { Ok(()) } else { Err(unexpected("flush_all", &answer)) }
    }

    /// Returns the version that the server tells.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn version(&self) -> Result<String> {
        let answer = self.command("version")?;
        let version = answer.strip_prefix("VERSION ").map(|version| version.trim_end().to_owned());
        version.ok_or_else(|| unexpected("version", &answer))
    }

    /// Returns what the server tells about itself, by name: `pid`, `curr_items`, `cmd_get`, ...
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn stats(&self) -> Result<HashMap<String, String>> {
        Ok(ask::stats(&self.command("stats")?))
    }

    /// Returns the time on the server's own clock, which ticks once in each second.
    ///
    /// # Units
    ///
    /// Seconds since 1970.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn time(&self) -> Result<u64> {
        let told = self.stats()?.get("time").and_then(|time| time.parse().ok());
        told.ok_or_else(|| unexpected("stats", "no time"))
    }

    /// Waits until the server's own clock has ticked so many times: for what ends by it, such as a ttl.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command); [`ErrorKind::TimedOut`] if it takes half a minute longer than it should.
    pub fn await_ticks(&self, ticks: u64) -> Result<()> {
        let (begun, end) = (Instant::now(), self.time()? + ticks);
        while self.time()? < end {
            if begun.elapsed() > Duration::from_secs(ticks) + PATIENCE {
                return Err(Error::new(ErrorKind::TimedOut, "the server's clock does not tick"));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Sends one command over a connection of its own and returns all that is answered, with the ends of lines.
    ///
    /// A command with data is both, with the end of a line between them and none at the end. What is not UTF-8 in the
    /// answer is replaced.
    ///
    /// # Errors
    ///
    /// Those of the connection; [`ErrorKind::TimedOut`] from a paused server.
    pub fn command(&self, command: &str) -> Result<String> {
        ask::ask(&self.address, command, PATIENCE)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::NotConnected, "this memcached has ended: call `restart` first")
}

fn unexpected(command: &str, answer: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("memcached answers `{command}` with `{}`", answer.trim_end()))
}
