//! Single connections for those who find servers by asking servers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::dial::{Destination, Socket};
use crate::server::Server;
#[cfg(feature = "tls")]
use crate::tls::Tls;

/// Makes single connections to servers, as a client makes them, but speaks to nobody: for
/// [sources](crate::ServerSource) that ask servers which servers there are.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chorde_memcache::testing::MemcachedServer;
/// use chorde_memcache::{Dialer, Endpoint};
/// use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
///
/// let running = MemcachedServer::start()?;
/// let server = running.address().parse::<Endpoint>()?.server().expect("an address needs no look-up");
/// let mut connection = BufReader::new(Dialer::new().connect(&server).await?);
/// connection.write_all(b"version\r\n").await?;
/// connection.flush().await?;
/// let mut answer = String::new();
/// connection.read_line(&mut answer).await?;
/// assert!(answer.starts_with("VERSION "));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dialer {
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

impl Dialer {
    /// Makes connections that are not encrypted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Encrypts connections, and checks the servers' certificates (feature `tls`).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Tells whether connections are encrypted.
    #[must_use]
    pub fn is_encrypting(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Returns where a server is, and how it is spoken to.
    pub(super) fn to(&self, server: &Server) -> Destination {
        let destination = Destination::of(server);
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return destination.encrypted(tls, server.host_name());
        }
        destination
    }

    /// Connects. Has no deadline of its own; must be polled on a tokio runtime with sockets, as what
    /// [`ServerSource::follow`](crate::ServerSource::follow) returns is.
    ///
    /// # Errors
    ///
    /// Those of the system; what is wrong with the server's certificate.
    ///
    /// # Cancel safety
    ///
    /// Dropped, no connection is left.
    pub async fn connect(&self, server: &Server) -> io::Result<Connection> {
        self.to(server).connect().await.map(Connection).map_err(io::Error::other)
    }
}

/// A connection to a server, without a word said yet.
#[derive(Debug)]
pub struct Connection(Socket);

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
