//! What is told of a cluster, and how it is told. PURE.
//!
//! A configuration comes from a node or from the configuration endpoint, as an answer to one of two questions. An answer
//! with anything wrong in it is rejected whole: half a list of nodes would move keys as surely as a wrong one.

mod answer;
#[cfg(feature = "testing")]
pub(crate) mod fuzz;
mod text;

use std::fmt;
use std::net::IpAddr;

pub(crate) use answer::{Form, Malformed, Reading, Said, read};

/// What a node or the configuration endpoint tells of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Grows by one with each change of the cluster.
    pub(crate) version: u64,
    /// In the sequence in which they were told; never empty, and no two of them with the same host and port.
    pub(crate) nodes: Vec<Node>,
}

/// A server of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    /// A host name in lower case, without a final dot; or an address as Rust writes it.
    pub(crate) host: String,
    /// Where the host was found when the configuration was made, if it was known then.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) port: u16,
}

impl Config {
    /// Tells whether both list the same nodes at the same addresses, in whichever sequence.
    pub(crate) fn has_nodes_of(&self, other: &Self) -> bool {
        let sorted = |config: &Self| {
            let mut nodes = config.nodes.clone();
            nodes.sort_unstable();
            nodes
        };
        sorted(self) == sorted(other)
    }

    /// Writes the text that servers tell: the version on a line and the nodes on the next.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn to_payload(&self) -> String {
        let nodes: Vec<_> = self.nodes.iter().map(Node::to_string).collect();
        format!("{}\n{}\n", self.version, nodes.join(" "))
    }
}

/// Writes the node as it is listed.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ip = self.ip.map(|ip| ip.to_string()).unwrap_or_default();
        write!(f, "{}|{ip}|{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests;
