//! A proxy that encrypts: clients speak TLS with it, and it speaks plainly with the server behind.
//!
//! As with [`ChaosProxy`](super::ChaosProxy) one thread with a runtime of its own runs everything, so that
//! what an order says holds when it returns.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc as blocking};
use std::thread::{self, JoinHandle};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::select;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::watched::Watched;
use super::{PAUSE, ports, proxy};
use crate::server::Address;

/// What is read at once.
const CHUNK: usize = 16 << 10;

/// Stands in front of a server, at a free port of the loopback interface, and speaks TLS with the clients.
///
/// What it shows them is up to the test, which gives rustls's own configuration; [`restart`](Self::restart) changes it. It
/// ends when it is dropped, and all of its connections with it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chorde_core::{CacheExt, Wait};
/// use chorde_memcache::rustls::ServerConfig;
/// use chorde_memcache::rustls::crypto::ring::default_provider;
/// use chorde_memcache::rustls::pki_types::PrivateKeyDer;
/// use chorde_memcache::testing::{MemcachedServer, TlsFront};
/// use chorde_memcache::{MemcachedClient, Tls};
///
/// let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
/// let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
/// let config = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
/// let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)?;
///
/// let server = MemcachedServer::start()?;
/// let front = TlsFront::start(&server.address(), Arc::new(config))?;
/// let client = MemcachedClient::builder().servers([front.address()]).checksum_key("secret");
/// let client = client.tls(Tls::with_roots(made.cert.pem())?).build()?;
/// client.put("motto", 7, Duration::from_secs(60)).wait()?;
/// assert_eq!((client.get::<i32>("motto").wait()?, front.open()), (Some(7), 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    /// The front ends when this does.
    orders: Option<mpsc::UnboundedSender<Order>>,
    tally: Arc<Watched<Tally>>,
    thread: Option<JoinHandle<()>>,
}

/// An order to begin anew; who gave it is told when it is carried out.
#[derive(Debug)]
struct Order {
    config: Arc<ServerConfig>,
    done: blocking::Sender<()>,
}

/// What a front counts.
#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    /// Connections that a handshake was completed on.
    agreed: u64,
    /// Connections on which the handshake failed.
    failed: u64,
    open: usize,
    /// What was received on each connection, decrypted, in the order of their handshakes.
    heard: Option<Vec<Vec<u8>>>,
}

impl TlsFront {
    /// Begins to forward to `target`: `host:port` or `unix:/path`, as the servers of this module tell their address.
    /// Nobody needs to listen there yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a target that is no address; those of the system, which has no port or thread left.
    pub fn start(target: &str, config: Arc<ServerConfig>) -> Result<Self> {
        let target = proxy::parse(target)?;
        let listener = ports::listen()?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, received) = mpsc::unbounded_channel();
        let tally = Arc::new(Watched::default());
        let front = {
            let _within = runtime.enter();
            let listener = TcpListener::from_std(listener)?;
            Front { listener, target, config, tally: Arc::clone(&tally) }
        };
        let run = move || runtime.block_on(front.run(received));
        let thread = thread::Builder::new().name("tls-front".into()).spawn(run)?;
        Ok(Self { address, orders: Some(orders), tally, thread: Some(thread) })
    }

    /// Returns what a client takes as the name of the server behind: `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends all connections, and goes on at the same port with another configuration, as a server does that is started
    /// again. Holds when it returns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenPipe`] if the front has ended.
    pub fn restart(&self, config: Arc<ServerConfig>) -> Result<()> {
        let (done, carried_out) = blocking::channel();
        let ended = || Error::new(ErrorKind::BrokenPipe, "the front's thread has ended");
        let orders = self.orders.as_ref().ok_or_else(ended)?;
        orders.send(Order { config, done }).map_err(|_| ended())?;
        carried_out.recv().map_err(|_| ended())
    }

    /// Records from now on what clients say; see [`heard`](Self::heard). Connections that exist already are left out.
    pub fn record(&self) {
        self.tally.change(|tally| {
            tally.heard.get_or_insert_default();
        });
    }

    /// Returns what has been received since [`record`](Self::record), decrypted: one entry for each connection, in the
    /// order of their handshakes.
    #[must_use]
    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.tally.look(|tally| tally.heard.clone().unwrap_or_default())
    }

    /// Returns how many connections have been accepted so far, whatever came of them.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.tally.look(|tally| tally.accepted)
    }

    /// Returns how many handshakes have been completed so far.
    #[must_use]
    pub fn handshakes(&self) -> u64 {
        self.tally.look(|tally| tally.agreed)
    }

    /// Returns how many handshakes have failed so far.
    #[must_use]
    pub fn failed_handshakes(&self) -> u64 {
        self.tally.look(|tally| tally.failed)
    }

    /// Returns how many connections are open, those in the handshake included.
    #[must_use]
    pub fn open(&self) -> usize {
        self.tally.look(|tally| tally.open)
    }

    /// Waits until `count` connections have been accepted, from the start on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`] after 30 seconds.
    pub fn await_connections(&self, count: u64) -> Result<()> {
        self.tally.reach(count, "connections", |tally| tally.accepted)
    }

    /// Waits until `count` handshakes have failed, from the start on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`] after 30 seconds.
    pub fn await_failed_handshakes(&self, count: u64) -> Result<()> {
        self.tally.reach(count, "failed handshakes", |tally| tally.failed)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// All of a front, on its own thread.
struct Front {
    listener: TcpListener,
    target: Address,
    config: Arc<ServerConfig>,
    tally: Arc<Watched<Tally>>,
}

impl Front {
    /// Runs until nobody can give orders any more.
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut links = JoinSet::new();
        loop {
            select! {
                order = orders.recv() => match order {
                    None => return,
                    Some(Order { config, done }) => {
                        links.shutdown().await;
                        self.config = config;
                        // Who does not wait for it does not need it.
                        let _ = done.send(());
                    }
                },
                accepted = self.listener.accept() => match accepted {
                    Ok((client, _)) => {
                        let link = Link::new(self.target.clone(), Arc::clone(&self.tally));
                        links.spawn(link.run(client, Arc::clone(&self.config)));
                    }
                    // One that has ended already, or no descriptor left for it.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                Some(_) = links.join_next() => {}
            }
        }
    }
}

/// One connection; counted as open for as long as it exists.
struct Link {
    target: Address,
    tally: Arc<Watched<Tally>>,
}

impl Link {
    fn new(target: Address, tally: Arc<Watched<Tally>>) -> Self {
        tally.change(|tally| {
            tally.accepted += 1;
            tally.open += 1;
        });
        Self { target, tally }
    }

    /// Runs the connection to its end.
    async fn run(self, client: TcpStream, config: Arc<ServerConfig>) {
        let _ = client.set_nodelay(true);
        let Ok(client) = TlsAcceptor::from(config).accept(client).await else {
            return self.tally.change(|tally| tally.failed += 1);
        };
        let recorded = self.tally.change(|tally| {
            tally.agreed += 1;
            tally.heard.as_mut().map(|heard| {
                heard.push(Vec::new());
                heard.len() - 1
            })
        });
        // Whatever ends it, the other side of it shall see an end as well.
        let _ = match &self.target {
            Address::Tcp(address) => match TcpStream::connect(address).await {
                Ok(target) => {
                    let _ = target.set_nodelay(true);
                    self.forward(client, target, recorded).await
                }
                Err(error) => Err(error),
            },
            Address::Unix(path) => match UnixStream::connect(path).await {
                Ok(target) => self.forward(client, target, recorded).await,
                Err(error) => Err(error),
            },
        };
    }

    /// Forwards until both directions have ended, or one of them breaks.
    async fn forward(
        &self,
        client: impl AsyncRead + AsyncWrite,
        target: impl AsyncRead + AsyncWrite,
        recorded: Option<usize>,
    ) -> Result<()> {
        let (from_client, to_client) = tokio::io::split(client);
        let (from_target, to_target) = tokio::io::split(target);
        let record = |bytes: &[u8]| {
            if let Some(place) = recorded {
                self.tally.change(|tally| {
                    if let Some(heard) = &mut tally.heard {
                        heard[place].extend_from_slice(bytes);
                    }
                });
            }
        };
        tokio::try_join!(pump(from_client, to_target, record), pump(from_target, to_client, |_| {}))?;
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tally.change(|tally| tally.open -= 1);
    }
}

/// Forwards until the end of what is read, and hands that on.
async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, record: impl Fn(&[u8])) -> Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = from.read(&mut chunk).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        record(&chunk[..count]);
        to.write_all(&chunk[..count]).await?;
        to.flush().await?;
    }
}
