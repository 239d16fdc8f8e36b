//! One connection of a fake server: the thread that reads, the thread that answers, and what they share.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{BufReader, Error, ErrorKind, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::fault::Fault;
use super::request::{Dialect, Request};
use crate::testing::watched::Watched;

/// What is run for each connection.
pub(super) type Script = dyn Fn(&mut Peer<'_>) -> Result<()> + Send + Sync;

/// What all threads of a server share.
pub(super) struct Shared {
    pub(super) state: Watched<State>,
    pub(super) script: Box<Script>,
    pub(super) dialect: Dialect,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Connections so far.
    pub(super) accepted: u64,
    /// A second handle of each open connection, to close it from outside.
    pub(super) open: HashMap<u64, TcpStream>,
    /// Those of them whose client has closed its side.
    ended: HashSet<u64>,
    pub(super) lines: Vec<String>,
    /// How many replies may go; `None` is all.
    pub(super) permits: Option<u64>,
    pub(super) fault: Option<Fault>,
    /// How far the server's time is ahead of that of the system.
    pub(super) ahead: Duration,
    stopped: bool,
}

impl Shared {
    /// Notes a new connection and returns its number, from 0 on; none if the server stops.
    pub(super) fn enter(&self, stream: &TcpStream) -> Result<Option<u64>> {
        self.state.change(|state| {
            if state.stopped {
                return Ok(None);
            }
            let number = state.accepted;
            state.open.insert(number, stream.try_clone()?);
            state.accepted += 1;
            Ok(Some(number))
        })
    }

    /// Ends all that waits or is connected.
    pub(super) fn stop(&self) {
        self.state.change(|state| {
            state.stopped = true;
            for stream in state.open.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("state", &self.state).field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// Is the other end of one connection, as a script of [`FakeServer::start`](super::FakeServer::start) sees it.
///
/// Each call is an error once the connection has ended or the server is dropped.
#[derive(Debug)]
pub struct Peer<'a> {
    shared: &'a Shared,
    number: u64,
    stream: TcpStream,
    requests: Receiver<Request>,
    reset: bool,
}

impl Peer<'_> {
    /// Returns the number of this connection, in the order of their arrival; the first is 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Waits for the next request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedEof`] at the end of the connection.
    pub fn request(&mut self) -> Result<Request> {
        self.requests.recv().map_err(|_| ErrorKind::UnexpectedEof.into())
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Waits while the test holds replies: see [`FakeServer::hold`](super::FakeServer::hold).
    ///
    /// A client that has closed its side is waited for as well, because it may read on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ConnectionAborted`] when the server is dropped.
    pub fn gate(&self) -> Result<()> {
        self.pass(false)
    }

    /// Waits as [`gate`](Self::gate) does, but for no longer than the client leaves its side open: for clients of which one
    /// knows that they do not read on.
    ///
    /// # Errors
    ///
    /// As [`gate`](Self::gate); [`ErrorKind::UnexpectedEof`] when the client closes its side while this waits.
    pub fn gate_or_end(&self) -> Result<()> {
        self.pass(true)
    }

    fn pass(&self, or_end: bool) -> Result<()> {
        self.shared.state.take(|state| match &mut state.permits {
            _ if state.stopped => Some(Err(Error::from(ErrorKind::ConnectionAborted))),
            None => Some(Ok(())),
            Some(0) if or_end && state.ended.contains(&self.number) => Some(Err(Error::from(ErrorKind::UnexpectedEof))),
            Some(0) => None,
            Some(permits) => {
                *permits -= 1;
                Some(Ok(()))
            }
        })
    }

    /// Reads, and never answers, until the connection ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnexpectedEof`] at its end, always.
    pub fn ignore(&mut self) -> Result<()> {
        loop {
            self.request()?;
        }
    }

    /// Makes the end of the script a reset (RST) of the connection, instead of an orderly end.
    pub fn reset(&mut self) {
        self.reset = true;
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.shared.state.look(|state| state.fault)
    }

    /// How far the server's time is ahead.
    pub(super) fn ahead(&self) -> Duration {
        self.shared.state.look(|state| state.ahead)
    }
}

/// Runs one connection to its end.
pub(super) fn run(shared: &Shared, number: u64, stream: TcpStream) {
    let (sender, requests) = mpsc::channel();
    let (Ok(input), Ok(own)) = (stream.try_clone(), stream.try_clone()) else { return leave(shared, number) };
    let _ = stream.set_nodelay(true);
    let mut peer = Peer { shared, number, stream: own, requests, reset: false };
    let panic = thread::scope(|scope| {
        scope.spawn(move || {
            read(shared, input, &sender);
            shared.state.change(|state| state.ended.insert(number));
        });
        let result = catch_unwind(AssertUnwindSafe(|| (shared.script)(&mut peer)));
        // A reset must not be preceded by an orderly end. To end the reading alone is not seen by the other side.
        if !(peer.reset && SockRef::from(&stream).set_linger(Some(Duration::ZERO)).is_ok()) {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let _ = stream.shutdown(Shutdown::Read);
        result.err()
    });
    // The last handles of the socket go here; then whoever waits for that sees one connection less.
    drop(peer);
    drop(stream);
    leave(shared, number);
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

fn leave(shared: &Shared, number: u64) {
    shared.state.change(|state| {
        state.open.remove(&number);
        state.ended.remove(&number);
    });
}

/// Reads requests until the connection or the script ends.
fn read(shared: &Shared, input: TcpStream, requests: &Sender<Request>) {
    let mut input = BufReader::new(input);
    while let Ok(Some(request)) = Request::read(&mut input, shared.dialect) {
        shared.state.change(|state| state.lines.push(request.line().to_owned()));
        if requests.send(request).is_err() {
            return;
        }
    }
}
