//! Learns who a server is, before any command is given to it.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chorde_core::Clock;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::shape;
use crate::command::Failure;
use crate::node::dial::cut;

/// How much a server may say to a greeting: `stats` of memcached 1.6 has 3 KiB.
const LONGEST_GREETING: usize = 64 * 1024;

/// The server's own clock, as far as it has told.
#[derive(Clone, Debug)]
pub(super) struct ServerTime {
    clock: Clock,
    /// What it showed, in unix seconds.
    unix: u64,
    /// When, by `clock`.
    at: u64,
}

/// What a server says when it is asked for its time.
#[derive(Debug)]
pub(super) enum Told {
    Time(u64),
    /// It does not say, as a proxy may.
    Nothing,
    /// It closed the connection, as a proxy may.
    Cut,
}

impl ServerTime {
    /// Begins with what the server told just now.
    pub(super) fn told(clock: &Clock, unix: u64) -> Self {
        Self { clock: clock.clone(), unix, at: clock.now() }
    }

    /// Begins with the time of this host, for servers that do not tell theirs.
    pub(super) fn own(clock: &Clock) -> Self {
        Self::told(clock, SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }

    /// Returns what the server's clock shows by now, in unix seconds.
    pub(super) fn now(&self) -> u32 {
        let passed = self.age();
        u32::try_from(self.unix.saturating_add(passed.as_secs())).unwrap_or(u32::MAX)
    }

    /// Returns how long ago the server told its time.
    pub(super) fn age(&self) -> Duration {
        Duration::from_nanos(self.clock.now().saturating_sub(self.at))
    }
}

/// Asks for the version, and for the time where `ask_time` says so.
///
/// # Errors
///
/// [`Failure::Refused`] where the connection is cut before the version, [`Failure::TooManyConnections`], and
/// [`Failure::Protocol`] where the other side is no memcached.
pub(super) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: S, ask_time: bool) -> Result<Told, Failure> {
    let mut greeting = Greeting { stream, seen: Vec::new(), total: 0, broken: None };
    let asked: &[u8] = if ask_time { b"version\r\nstats\r\n" } else { b"version\r\n" };
    greeting.stream.write_all(asked).await.map_err(|error| cut(&error))?;
    greeting.stream.flush().await.map_err(|error| cut(&error))?;
    match greeting.line().await? {
        Some(line) if line.starts_with("VERSION ") => {}
        Some(line) if line.starts_with("ERROR Too many") => return Err(shape::failure(&line)),
        Some(line) => return Err(shape::unexpected(line.as_bytes())),
        None if greeting.seen.is_empty() => return Err(cut(&greeting.broken.unwrap_or_else(closed))),
        None => return Err(shape::unexpected(&greeting.seen)),
    }
    let told = if ask_time { greeting.time().await? } else { Told::Nothing };
    if greeting.seen.is_empty() { Ok(told) } else { Err(shape::unexpected(&greeting.seen)) }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "closed")
}

/// A server that is being greeted.
struct Greeting<S> {
    stream: S,
    /// Read, but not looked at yet.
    seen: Vec<u8>,
    total: usize,
    /// Why it ended, where it did not say goodbye.
    broken: Option<io::Error>,
}

impl<S: AsyncRead + Unpin> Greeting<S> {
    /// Returns the next line without its end; `None` where the connection ends before.
    async fn line(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(end) = self.seen.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.seen.drain(..=end).collect();
                let line = line.strip_suffix(b"\r\n").ok_or_else(|| shape::unexpected(&line))?;
                return Ok(Some(String::from_utf8_lossy(line).into_owned()));
            }
            let before = self.seen.len();
            // A reset says the same as an end.
            let got = match self.stream.read_buf(&mut self.seen).await {
                Ok(got) => got,
                Err(error) => {
                    self.broken = Some(error);
                    0
                }
            };
            self.total += got;
            if self.total > LONGEST_GREETING {
                return Err(shape::unexpected(&self.seen));
            }
            if self.seen.len() == before {
                return Ok(None);
            }
        }
    }

    /// Reads the answer to `stats`.
    async fn time(&mut self) -> Result<Told, Failure> {
        let mut told = Told::Nothing;
        while let Some(line) = self.line().await? {
            match line.split_once(' ') {
                _ if line == "END" => return Ok(told),
                Some(("STAT", stat)) => {
                    if let Some(time) = stat.strip_prefix("time ").and_then(|time| time.parse().ok()) {
                        told = Told::Time(time);
                    }
                }
                Some(("SERVER_ERROR" | "CLIENT_ERROR", _)) => return Ok(Told::Nothing),
                _ if line == "ERROR" => return Ok(Told::Nothing),
                _ => return Err(shape::unexpected(line.as_bytes())),
            }
        }
        Ok(Told::Cut)
    }
}
