//! The nodes of a cluster, those that it has and those that it had.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use chorde_memcache::testing::MemcachedServer;

use super::builder::FakeClusterBuilder;
use super::node::Node;
use super::told::Truth;

/// The cluster as it is; the endpoint has a copy of what it tells of that.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) nodes: Vec<Node>,
    /// Those that are not told any more and run.
    pub(super) removed: Vec<Arc<MemcachedServer>>,
    pub(super) version: u64,
    /// How many names have been given.
    named: u32,
}

impl Members {
    /// The error of a cluster without nodes.
    pub(super) fn none() -> Error {
        Error::new(ErrorKind::InvalidInput, "a cluster has at least one node")
    }

    pub(super) fn truth(&self, ips: bool) -> Truth {
        let list: Vec<String> = self.nodes.iter().map(|node| node.entry(ips)).collect();
        Truth { version: self.version, list: list.join(" ") }
    }

    /// Makes all nodes tell a text that run and follow.
    pub(super) fn tell(&self, text: &str) -> Result<()> {
        let mut refused = None;
        for node in self.nodes.iter().filter(|node| node.follows && node.server.is_running()) {
            // One that ends or is paused meanwhile does not hear of it, which is as it should be.
            refused = node.tell(text).err().filter(|_| node.server.is_running()).or(refused);
        }
        refused.map_or(Ok(()), Err)
    }

    pub(super) fn start_node(&mut self, settings: &FakeClusterBuilder) -> Result<Node> {
        let number = self.named + 1;
        let host = match (settings.ips, settings.is_encrypted()) {
            (true, false) => format!("fake.{number:04}.cache.test"),
            // As in clusters with encryption in transit: one certificate with an asterisk shows all of them.
            (true, true) => format!("{number:04}.fake.cache.test"),
            (false, _) => "127.0.0.1".to_owned(),
        };
        let node = Node::start(host, settings)?;
        self.named = number;
        Ok(node)
    }

    pub(super) fn place(&self, name: &str) -> Result<usize> {
        let place = self.nodes.iter().position(|node| node.name() == name);
        place.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the cluster has no node `{name}`")))
    }

    pub(super) fn find(&mut self, name: &str) -> Result<&mut Node> {
        let place = self.place(name)?;
        Ok(&mut self.nodes[place])
    }

    /// Kills all servers, whoever else holds on to them.
    pub(super) fn kill(&mut self) {
        for server in self.nodes.iter().map(|node| &node.server).chain(&self.removed) {
            server.kill();
        }
    }
}
