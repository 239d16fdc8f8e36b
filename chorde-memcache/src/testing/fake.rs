//! A server that does what a test says.
//!
//! Each connection has two threads: one reads requests, whatever the other does, which runs the script. So requests are
//! counted while replies are held. Both end when the connection does, and it does when the server is dropped.

mod canned;
mod connection;
mod fault;
mod faulty;
mod old;
mod request;

use std::io::Result;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use self::connection::Peer;
pub use self::fault::Fault;
pub use self::request::Request;

use self::canned::Canned;
use self::connection::{Shared, State, run};
use self::faulty::{Answers, serve};
use self::old::Old;
use self::request::Dialect;
use super::watched::Watched;
use super::{PAUSE, ports};

/// Plays a memcached, well or badly, on a free port of the loopback interface.
///
/// * [`canned`](Self::canned) tells a version of your choice and answers each command as if every key held the same value;
/// * [`old`](Self::old) is memcached 1.4.15: no meta commands, and the classic ones work on a map in memory;
/// * [`start`](Self::start) runs a script of your own for each connection.
///
/// The first two misbehave when told so, by [`set_fault`](Self::set_fault). All of them count, and hold their replies on demand.
///
/// When it is dropped, all connections are closed and all threads end; scripts notice at their next call of the [`Peer`]. A
/// panic of a script comes up there.
///
/// # Examples
///
/// Requests that are sent, but not answered before the test says so:
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use chorde_memcache::testing::FakeServer;
///
/// let server = FakeServer::old()?;
/// server.hold();
/// let mut client = TcpStream::connect(server.address())?;
/// client.write_all(b"set k 0 0 5\r\nhello\r\nget k\r\n")?;
/// server.await_commands(2)?; // both have arrived
/// server.release();
///
/// let mut reply = [0; 31];
/// client.read_exact(&mut reply)?;
/// assert_eq!(&reply, b"STORED\r\nVALUE k 0 5\r\nhello\r\nEND");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FakeServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Accepts; ends after all threads of connections.
    acceptor: Option<JoinHandle<()>>,
}

impl FakeServer {
    /// Runs `script` for each connection, on a thread of its own; the connection is closed when the script returns.
    ///
    /// An error ends a script without a word: a connection that ended makes every call of the [`Peer`] an error, so that `?`
    /// is all it takes.
    ///
    /// # Errors
    ///
    /// Those of the system, which has no port or thread left.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::{BufRead, BufReader, Write};
    /// use std::net::TcpStream;
    ///
    /// use chorde_memcache::testing::FakeServer;
    ///
    /// let server = FakeServer::start(|peer| {
    ///     loop {
    ///         let request = peer.request()?;
    ///         match request.word(0) {
    ///             "version" => peer.send("VERSION 1.6.18\r\n")?,
    ///             _ => peer.send("BUSY\r\n")?,
    ///         }
    ///     }
    /// })?;
    /// let mut client = TcpStream::connect(server.address())?;
    /// client.write_all(b"mg key v\r\n")?;
    /// let mut line = String::new();
    /// BufReader::new(client).read_line(&mut line)?;
    /// assert_eq!((line.as_str(), server.commands()), ("BUSY\r\n", vec!["mg key v".to_owned()]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn start(script: impl Fn(&mut Peer<'_>) -> Result<()> + Send + Sync + 'static) -> Result<Self> {
        Self::launch(Dialect::Meta, Box::new(script))
    }

    /// Answers each command as if every key held `value`, with the flags and the opaque that were asked for, and tells
    /// `version`. Before 1.6 it knows no meta commands.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn canned(version: &str, value: impl Into<Vec<u8>>) -> Result<Self> {
        let canned = Canned::new(version, value.into());
        Self::answering(canned.dialect(), canned)
    }

    /// Is memcached 1.4.15, with its classic commands on a map in memory. Time passes as it does, or by
    /// [`advance`](Self::advance).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn old() -> Result<Self> {
        Self::answering(Dialect::Classic, Old::default())
    }

    fn answering(dialect: Dialect, answers: impl Answers + 'static) -> Result<Self> {
        Self::launch(dialect, Box::new(move |peer| serve(peer, &answers)))
    }

    fn launch(dialect: Dialect, script: Box<connection::Script>) -> Result<Self> {
        let listener = ports::listen()?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Watched::new(State::default()), script, dialect });
        let seen = Arc::clone(&shared);
        let acceptor = thread::Builder::new().name("fake-memcached".into()).spawn(move || accept(&listener, &seen))?;
        Ok(Self { shared, address, acceptor: Some(acceptor) })
    }

    /// Returns what a client takes as the name of this server: `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Begins to misbehave, on existing connections as on new ones; `None` behaves again. Scripts do as they please.
    pub fn set_fault(&self, fault: impl Into<Option<Fault>>) {
        let fault = fault.into();
        self.shared.state.change(|state| state.fault = fault);
    }

    /// Holds all replies from now on, but those to `version`, so that connections can be made. Scripts are held where
    /// they call [`Peer::gate`].
    pub fn hold(&self) {
        self.shared.state.change(|state| state.permits = Some(0));
    }

    /// Lets the next `replies` of those that are held go, in the order in which they are ready.
    pub fn let_go(&self, replies: u64) {
        self.shared.state.change(|state| state.permits = state.permits.map(|permits| permits + replies));
    }

    /// Holds no replies any more.
    pub fn release(&self) {
        self.shared.state.change(|state| state.permits = None);
    }

    /// Lets time pass on the server: items expire without waiting.
    pub fn advance(&self, time: Duration) {
        self.shared.state.change(|state| state.ahead += time);
    }

    /// Returns how many connections have been accepted so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.state.look(|state| state.accepted)
    }

    /// Returns how many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.state.look(|state| state.open.len())
    }

    /// Returns the lines of all commands that have arrived, answered or not, in their order; without their data.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.shared.state.look(|state| state.lines.clone())
    }

    /// Waits until `count` connections have been accepted, from the start on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`](std::io::ErrorKind::TimedOut) after 30 seconds.
    pub fn await_connections(&self, count: u64) -> Result<()> {
        self.shared.state.reach(count, "connections", |state| state.accepted)
    }

    /// Waits until `count` commands have arrived, from the start on, answered or not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`](std::io::ErrorKind::TimedOut) after 30 seconds.
    pub fn await_commands(&self, count: u64) -> Result<()> {
        self.shared.state.reach(count, "commands", |state| state.lines.len() as u64)
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.shared.stop();
        // Accepting ends with one more connection.
        let _ = TcpStream::connect(self.address);
        if let Some(Err(panic)) = self.acceptor.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Accepts until the server stops, then waits for the end of all connections. A panic of one of them goes on here.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    let mut panic = None;
    for stream in listener.incoming() {
        // A script that panicked while others run is kept for the end.
        for done in connections.extract_if(.., |connection| connection.is_finished()) {
            panic = panic.or(done.join().err());
        }
        let entered = stream.and_then(|stream| Ok((shared.enter(&stream)?, stream)));
        let (number, stream) = match entered {
            Ok((Some(number), stream)) => (number, stream),
            Ok((None, _)) => break,
            // A connection that has ended already, or no descriptor left for it.
            Err(_) => {
                thread::sleep(PAUSE);
                continue;
            }
        };
        let shared = Arc::clone(shared);
        connections.push(thread::spawn(move || run(&shared, number, stream)));
    }
    ports::leave(listener);
    for connection in connections {
        panic = panic.or(connection.join().err());
    }
    if let Some(panic) = panic {
        std::panic::resume_unwind(panic);
    }
}
