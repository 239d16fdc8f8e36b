//! How a cluster is started.

use std::ffi::OsString;
use std::io::Result;
#[cfg(feature = "tls")]
use std::sync::Arc;

#[cfg(feature = "tls")]
use chorde_memcache::{rustls::ServerConfig, testing::TlsFront};

use super::FakeCluster;

/// Describes a cluster before it is started: three nodes, unless told otherwise.
///
/// # Examples
///
/// ```
/// use chorde_elasticache::testing::FakeCluster;
///
/// let cluster = FakeCluster::builder().nodes(1).legacy().server_args(["-m", "8"]).start()?;
/// assert_eq!(cluster.nodes().len(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FakeClusterBuilder {
    pub(super) nodes: usize,
    /// Whether the endpoint knows the key only.
    pub(super) legacy: bool,
    /// Whether addresses are told beside the names of hosts.
    pub(super) ips: bool,
    /// Whether nodes tell of the cluster.
    pub(super) silent: bool,
    pub(super) server_args: Vec<OsString>,
    /// The certificate of all, where connections are encrypted.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Arc<ServerConfig>>,
}

impl Default for FakeClusterBuilder {
    fn default() -> Self {
        Self {
            nodes: 3,
            legacy: false,
            ips: true,
            silent: false,
            server_args: Vec::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl FakeClusterBuilder {
    /// Sets how many nodes the cluster begins with: 3 unless set.
    #[must_use]
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// Makes the endpoint one of an engine before 1.4.14: it answers `config get cluster` with `ERROR`, and
    /// `get AmazonElastiCache:cluster` with the configuration.
    #[must_use]
    pub fn legacy(mut self) -> Self {
        self.legacy = true;
        self
    }

    /// Leaves the column of IP addresses empty, so that clients have to go by the host. Then the host of each node is
    /// `127.0.0.1`, because no system can look up the names of a fake; and a [replaced](FakeCluster::replace) node
    /// keeps its address.
    #[must_use]
    pub fn without_ips(mut self) -> Self {
        self.ips = false;
        self
    }

    /// Makes nodes that do not tell of the cluster, so that the endpoint alone does: for tests of what it says. A node
    /// begins to tell at [`FakeCluster::tell_truth_on`].
    #[must_use]
    pub fn silent_nodes(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Adds arguments of each node's command line: `["-I", "2m"]` for larger items, `["-c", "32"]` for fewer
    /// connections, ...
    #[must_use]
    pub fn server_args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.server_args.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Has the endpoint and all nodes encrypt their connections (feature `tls`), with a certificate that should show
    /// `127.0.0.1` for the endpoint and `*.fake.cache.test` for the nodes, which are `0001.fake.cache.test` and so on then. A
    /// [replaced](FakeCluster::replace) node keeps its address.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Says whether connections are encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Starts what encrypts the connections to a server, if they are to be.
    #[cfg(feature = "tls")]
    pub(super) fn front(&self, target: &str) -> Result<Option<TlsFront>> {
        self.tls.as_ref().map(|config| TlsFront::start(target, Arc::clone(config))).transpose()
    }

    /// Starts the nodes and the endpoint, and returns when all of them answer. The configuration has version 1.
    ///
    /// # Errors
    ///
    /// As [`FakeCluster::start`].
    pub fn start(self) -> Result<FakeCluster> {
        FakeCluster::launch(self)
    }
}
