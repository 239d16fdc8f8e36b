//! One server as it was configured.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Names one memcached server, says where it listens and how large a share of the keys it takes.
///
/// Keys are placed by the name, never by the address: a server that moves to another address keeps its keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// What the placement of keys depends on: `host:port` as configured, or a socket's path.
    name: String,
    /// Where to connect.
    address: Address,
    /// Other ways to the same server.
    others: Vec<SocketAddr>,
    /// The name that its certificate has to show, where connections are encrypted; else the address itself.
    host: Option<String>,
    /// The share of keys, in proportion to those of the others.
    weight: u32,
}

/// Says where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// At a TCP port.
    Tcp(SocketAddr),
    /// At a unix socket.
    Unix(PathBuf),
}

/// Tells how one server of a client is doing; made by [`MemcachedClient::servers`](crate::MemcachedClient::servers).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerState {
    /// What the placement of keys depends on.
    pub name: String,
    /// Where connections go.
    pub address: Address,
    /// Whether operations go there: it has not failed, or has answered since.
    pub in_use: bool,
}

impl Server {
    /// Makes a server of weight 1.
    #[must_use]
    pub fn new(name: impl Into<String>, address: Address) -> Self {
        Self { name: name.into(), address, others: Vec::new(), host: None, weight: 1 }
    }

    /// Sets the share of keys, in proportion to the weights of the other servers; at least 1.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight.max(1);
        self
    }

    /// Adds addresses at which the same server can be reached as well. Each connection takes one of all its addresses by
    /// chance, and another one where that fails.
    #[must_use]
    pub fn also_at(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.others.extend(addresses);
        self
    }

    /// Sets the host name that the server's certificate has to show where connections are encrypted. Without one it has to
    /// show the IP address.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Returns what the placement of keys depends on.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns where the server listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns where the server can be reached as well.
    #[must_use]
    pub fn others(&self) -> &[SocketAddr] {
        &self.others
    }

    /// Returns the host name that the server's certificate has to show.
    #[must_use]
    pub fn host_name(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Returns the share of keys.
    #[must_use]
    pub fn share(&self) -> u32 {
        self.weight
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}
