//! One node of a cluster.

use std::ffi::OsString;
use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use chorde_memcache::testing::MemcachedServer;
#[cfg(feature = "tls")]
use chorde_memcache::testing::TlsFront;

use super::LEGACY_KEY;
use super::builder::FakeClusterBuilder;

/// A node as the configuration tells it, and the server that it is.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) host: String,
    /// Told to clients. The server behind listens there, unless it is encrypted.
    pub(super) address: SocketAddr,
    /// Listens there where connections are encrypted. Goes before the server that it stands before.
    #[cfg(feature = "tls")]
    _front: Option<TlsFront>,
    pub(super) server: Arc<MemcachedServer>,
    /// Whether it tells each new configuration.
    pub(super) follows: bool,
}

impl Node {
    /// Starts a node at a free port.
    pub(super) fn start(host: String, settings: &FakeClusterBuilder) -> Result<Self> {
        let server = MemcachedServer::builder().args(&settings.server_args).start()?;
        let address = server.address();
        #[cfg(feature = "tls")]
        let front = settings.front(&address)?;
        #[cfg(feature = "tls")]
        let address = front.as_ref().map_or(address, TlsFront::address);
        Ok(Self {
            host,
            address: address.parse().map_err(Error::other)?,
            #[cfg(feature = "tls")]
            _front: front,
            server: Arc::new(server),
            follows: !settings.silent,
        })
    }

    /// Starts an empty server at the other loopback address, the same port, and then kills the old one.
    pub(super) fn move_over(&mut self, arguments: &[OsString]) -> Result<()> {
        let ip = match self.address.ip() {
            IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let address = SocketAddr::new(ip, self.address.port());
        let server = MemcachedServer::builder().args(arguments).at(address).start()?;
        self.server.kill();
        (self.address, self.server) = (address, Arc::new(server));
        Ok(())
    }

    /// What keys are placed by: `host:port`.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.host, self.address.port())
    }

    /// `host|ip|port`, as the configuration has it.
    pub(super) fn entry(&self, ips: bool) -> String {
        let ip = if ips { self.address.ip().to_string() } else { String::new() };
        format!("{}|{ip}|{}", self.host, self.address.port())
    }

    /// Makes it tell a text to those who ask for the key.
    pub(super) fn tell(&self, text: &str) -> Result<()> {
        self.expect(&format!("set {LEGACY_KEY} 0 0 {}\r\n{text}", text.len()), &["STORED\r\n"])
    }

    /// Makes it tell nothing.
    pub(super) fn forget(&self) -> Result<()> {
        self.expect(&format!("delete {LEGACY_KEY}"), &["DELETED\r\n", "NOT_FOUND\r\n"])
    }

    fn expect(&self, command: &str, answers: &[&str]) -> Result<()> {
        let answer = self.server.command(command)?;
        if answers.contains(&answer.as_str()) {
            return Ok(());
        }
        let text = format!("the node {} does not take its configuration: {}", self.name(), answer.trim_end());
        Err(Error::new(ErrorKind::InvalidData, text))
    }
}
