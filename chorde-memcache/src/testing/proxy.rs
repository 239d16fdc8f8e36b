//! A network that fails when told to.
//!
//! One thread with a runtime of its own runs everything. So a change of the weather is one step, and when
//! [`ChaosProxy::set`] has returned, nothing is forwarded by the old rules any more.

mod chaos;
mod front;
mod link;

use std::io::{Error, ErrorKind, Result};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc as blocking};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

pub use self::chaos::{Chaos, Direction};

use self::front::{Front, Order, Scope};
use super::ports;
use super::watched::Watched;
use crate::server::Address;

/// Stands between clients and a server, at a free port of the loopback interface, and forwards what they say, or does not.
///
/// It ends when it is dropped, and all of its connections with it.
///
/// # Examples
///
/// A server that gets a request and whose answer is cut off:
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use chorde_memcache::testing::{Chaos, ChaosProxy, Direction, FakeServer};
///
/// let server = FakeServer::canned("1.6.18", "hello")?;
/// let proxy = ChaosProxy::start(&server.address())?;
/// proxy.set(Chaos::Cut(Direction::ToClient, 7))?;
///
/// let mut client = TcpStream::connect(proxy.address())?;
/// client.write_all(b"mg key v\r\n")?;
/// let mut reply = String::new();
/// client.read_to_string(&mut reply)?;
/// assert_eq!(reply, "VA 5\r\nh");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    /// The proxy ends when this does.
    orders: Option<mpsc::UnboundedSender<Order>>,
    tally: Arc<Watched<Tally>>,
    thread: Option<JoinHandle<()>>,
}

/// What a proxy counts.
#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    open: usize,
    to_server: u64,
    to_client: u64,
}

impl Tally {
    fn bytes(&mut self, direction: Direction) -> &mut u64 {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

impl ChaosProxy {
    /// Begins to forward ([`Chaos::Pass`]) to `target`: `host:port` or `unix:/path`, as the servers of this module tell
    /// their address. Nobody needs to listen there yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a target that is no address; those of the system, which has no port or thread left.
    pub fn start(target: &str) -> Result<Self> {
        let target = parse(target)?;
        let listener = ports::listen()?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, received) = mpsc::unbounded_channel();
        let tally = Arc::new(Watched::default());
        let front = {
            let _within = runtime.enter();
            Front::new(listener, target, Arc::clone(&tally))?
        };
        let run = move || runtime.block_on(front.run(received));
        let thread = thread::Builder::new().name("chaos-proxy".into()).spawn(run)?;
        Ok(Self { address, orders: Some(orders), tally, thread: Some(thread) })
    }

    /// Returns what a client takes as the name of the server behind: `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes what happens on all connections, those that exist and those to come. What it says holds when it returns:
    /// after [`Chaos::Reset`] and [`Chaos::Refuse`] the existing connections have ended.
    ///
    /// # Errors
    ///
    /// Those of listening again after [`Chaos::Refuse`].
    pub fn set(&self, chaos: Chaos) -> Result<()> {
        self.order(chaos, Scope::All)
    }

    /// Changes what happens on connections to come; those that have been accepted go on as they are.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_for_new(&self, chaos: Chaos) -> Result<()> {
        self.order(chaos, Scope::New)
    }

    /// Changes what happens on connections that exist; those to come are not concerned, also where one is made just then.
    ///
    /// # Errors
    ///
    /// None but [`ErrorKind::BrokenPipe`], if the proxy has ended.
    pub fn set_for_existing(&self, chaos: Chaos) -> Result<()> {
        self.order(chaos, Scope::Existing)
    }

    fn order(&self, chaos: Chaos, scope: Scope) -> Result<()> {
        let (done, result) = blocking::channel();
        let ended = || Error::new(ErrorKind::BrokenPipe, "the proxy's thread has ended");
        let orders = self.orders.as_ref().ok_or_else(ended)?;
        orders.send(Order { chaos, scope, done }).map_err(|_| ended())?;
        result.recv().map_err(|_| ended())?
    }

    /// Returns how many connections have been accepted so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.tally.look(|tally| tally.accepted)
    }

    /// Returns how many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.tally.look(|tally| tally.open)
    }

    /// Returns how many bytes have been forwarded so far.
    #[must_use]
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.tally.look(|tally| match direction {
            Direction::ToServer => tally.to_server,
            Direction::ToClient => tally.to_client,
        })
    }

    /// Waits until `count` connections have been accepted, from the start on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`] after 30 seconds.
    pub fn await_connections(&self, count: u64) -> Result<()> {
        self.tally.reach(count, "connections", |tally| tally.accepted)
    }

    /// Waits until `count` bytes have been forwarded, from the start on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`] after 30 seconds.
    pub fn await_bytes(&self, direction: Direction, count: u64) -> Result<()> {
        self.tally.reach(count, "bytes", |tally| match direction {
            Direction::ToServer => tally.to_server,
            Direction::ToClient => tally.to_client,
        })
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Reads an address as the servers of this module tell theirs.
pub(super) fn parse(target: &str) -> Result<Address> {
    if let Some(path) = target.strip_prefix("unix:") {
        return Ok(Address::Unix(path.into()));
    }
    let found = target.to_socket_addrs()?.next().map(Address::Tcp);
    found.ok_or_else(|| Error::new(ErrorKind::InvalidInput, format!("`{target}` has no address")))
}
