//! A cluster under a test's control.

use std::io::Result;
use std::net::{Ipv6Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chorde_memcache::testing::{Chaos, ChaosProxy, MemcachedServer};

use super::builder::FakeClusterBuilder;
use super::endpoint::Endpoint;
use super::members::Members;
use super::node::Node;
use super::told::Told;

/// Runs a cluster: a memcached for each node, and a configuration endpoint.
///
/// Nodes are named as those of ElastiCache are, `fake.0001.cache.test` and so on, each with the port it listens at.
/// Nobody has to look these names up, because the addresses are told beside them.
///
/// Each change ([`add`](Self::add), [`remove`](Self::remove), [`replace`](Self::replace), [`recreate`](Self::recreate))
/// is told at once: by the endpoint, and by each node that runs, under the key `AmazonElastiCache:cluster`. A node that
/// is paused or killed meanwhile does not hear of it: afterwards it tells what it knew, or nothing if it was started
/// again. Nodes that were removed go on telling of the last cluster they were in.
///
/// All processes and connections end when this is dropped, those of nodes that a test still holds on to as well.
///
/// # Concurrency
///
/// All methods can be called from any thread. They block: those that start a process for no longer than 30 seconds for
/// each, and all of them while another thread changes the cluster. The endpoint answers meanwhile.
///
/// # Examples
///
/// A node that fails is replaced: it keeps its name, and its keys with that, but comes with another address, and empty.
///
/// ```
/// use chorde_elasticache::testing::FakeCluster;
///
/// let cluster = FakeCluster::start(2)?;
/// let node = cluster.nodes()[0].clone();
/// cluster.server(&node).expect("a node").pause()?; // fails, as a client sees it
/// cluster.replace(&node)?;
/// assert_eq!((cluster.nodes()[0].as_str(), cluster.version()), (node.as_str(), 2));
/// assert_eq!(cluster.server(&node).expect("a node").command("get k")?, "END\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FakeCluster {
    endpoint: Endpoint,
    members: Mutex<Members>,
    settings: FakeClusterBuilder,
    ips_can_change: bool,
}

impl FakeCluster {
    /// Starts a cluster of so many nodes, and returns when all of them answer. The configuration has version 1.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](std::io::ErrorKind::InvalidInput) without a node; those of
    /// [`MemcachedServer::start`]; [`ErrorKind::InvalidData`](std::io::ErrorKind::InvalidData) from a node that does
    /// not take the configuration; those of the system, which has no port or thread left.
    pub fn start(nodes: usize) -> Result<Self> {
        Self::builder().nodes(nodes).start()
    }

    /// Begins a cluster with settings of its own.
    #[must_use]
    pub fn builder() -> FakeClusterBuilder {
        FakeClusterBuilder::default()
    }

    pub(super) fn launch(settings: FakeClusterBuilder) -> Result<Self> {
        let may_change = settings.ips && !settings.is_encrypted();
        let ips_can_change = may_change && TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        let endpoint = Endpoint::start(&settings)?;
        let cluster = Self { endpoint, members: Mutex::default(), settings, ips_can_change };
        cluster.recreate(cluster.settings.nodes)?;
        Ok(cluster)
    }

    /// Returns where the configuration is asked for: `127.0.0.1:port`. It stays the same for the life of the cluster.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.endpoint.address()
    }

    /// Returns the names of the nodes, as keys are placed by: `host:port`, in the order in which they are told.
    #[must_use]
    pub fn nodes(&self) -> Vec<String> {
        self.members().nodes.iter().map(Node::name).collect()
    }

    /// Returns the version of the configuration, as it is; [`say`](Self::say) does not change it.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.members().version
    }

    /// Returns the text of the configuration, as it is: the version, the end of a line, `host|ip|port` of each node
    /// with spaces between, the end of a line.
    #[must_use]
    pub fn text(&self) -> String {
        self.endpoint.desk.words().truth.text()
    }

    /// Returns the server behind a node's name, to be paused, killed, asked for its stats. None for a node that is not
    /// in the cluster; one that was [replaced](Self::replace) is another server by then.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<Arc<MemcachedServer>> {
        self.members().find(name).ok().map(|node| Arc::clone(&node.server))
    }

    /// Says whether a [replaced](Self::replace) node gets another address: the machine has `[::1]`, addresses are told, and
    /// connections are not encrypted.
    #[must_use]
    pub fn ips_can_change(&self) -> bool {
        self.ips_can_change
    }

    /// Adds a node at the end, and returns its name.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn add(&self) -> Result<String> {
        self.change(|members| {
            let node = members.start_node(&self.settings)?;
            let name = node.name();
            members.nodes.push(node);
            Ok(name)
        })
    }

    /// Takes a node off the list. Its server, which is returned, runs on and tells the list that it was on, until it is
    /// killed: by the test, by [`kill_removed`](Self::kill_removed) or [`recreate`](Self::recreate), or by the end of the
    /// cluster.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](std::io::ErrorKind::NotFound) for a name that is not in the cluster,
    /// [`ErrorKind::InvalidInput`](std::io::ErrorKind::InvalidInput) for the last node.
    pub fn remove(&self, name: &str) -> Result<Arc<MemcachedServer>> {
        self.change(|members| {
            let place = members.place(name)?;
            if members.nodes.len() == 1 {
                return Err(Members::none());
            }
            let server = members.nodes.remove(place).server;
            members.removed.push(Arc::clone(&server));
            Ok(server)
        })
    }

    /// Kills the servers of all nodes that were removed, as ElastiCache does soon afterwards.
    pub fn kill_removed(&self) {
        for server in self.members().removed.drain(..) {
            server.kill();
        }
    }

    /// Replaces a node by an empty one under the same name, as ElastiCache does when one fails, and kills the old
    /// server.
    ///
    /// The new one tells of the cluster, whatever the old one told. It listens at the other loopback address, `[::1]`
    /// instead of `127.0.0.1` or back, at the same port. Where the [address cannot change](Self::ips_can_change), it
    /// listens where the old one did.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](std::io::ErrorKind::NotFound) for a name that is not in the cluster; those of
    /// [`MemcachedServer::start`].
    pub fn replace(&self, name: &str) -> Result<()> {
        self.change(|members| {
            let place = members.place(name)?;
            let node = &mut members.nodes[place];
            if self.ips_can_change {
                node.move_over(&self.settings.server_args)?;
            } else {
                node.server.restart()?;
            }
            node.follows = !self.settings.silent;
            Ok(())
        })
    }

    /// Makes the cluster anew, as one that was deleted and created under the same name: other nodes at other ports,
    /// named from `fake.0001.cache.test` on, the endpoint where it was, and version 1. The old nodes, the removed ones
    /// too, are killed.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); then the cluster is what it was.
    pub fn recreate(&self, nodes: usize) -> Result<()> {
        if nodes == 0 {
            return Err(Members::none());
        }
        self.change(|members| {
            let mut new = Members::default();
            for _ in 0..nodes {
                let node = new.start_node(&self.settings)?;
                new.nodes.push(node);
            }
            std::mem::replace(members, new).kill();
            Ok(())
        })
    }

    /// Makes the endpoint accept connections and answer nothing. What it is asked meanwhile counts, and is answered at
    /// [`resume`](Self::resume), except on connections that have ended by then.
    pub fn pause(&self) {
        self.endpoint.server.hold();
    }

    /// Lets the endpoint answer again after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.endpoint.server.release();
    }

    /// Makes the endpoint refuse connections, and ends those that exist.
    ///
    /// # Errors
    ///
    /// As [`ChaosProxy::set`].
    pub fn stop_endpoint(&self) -> Result<()> {
        self.network().set(Chaos::Refuse)
    }

    /// Makes the endpoint accept connections again, at the same port, after [`stop_endpoint`](Self::stop_endpoint).
    ///
    /// # Errors
    ///
    /// As [`ChaosProxy::set`].
    pub fn start_endpoint(&self) -> Result<()> {
        self.network().set(Chaos::Pass)
    }

    /// Returns the way to the endpoint, on which answers can be delayed, cut, lost.
    #[must_use]
    pub fn network(&self) -> &ChaosProxy {
        &self.endpoint.proxy
    }

    /// Sets what the endpoint answers from now on; nodes are not concerned. Answers set by [`say_next`](Self::say_next)
    /// come before it.
    ///
    /// A [legacy](FakeClusterBuilder::legacy) endpoint says it to the question for the key, and any other one to the
    /// command: the form that an endpoint does not know is answered as stock memcached does.
    pub fn say(&self, told: Told) {
        self.endpoint.desk.words().told = told;
    }

    /// Sets the next answers of the endpoint, one for each poll, in the place of those that were set by this before.
    /// Then what [`say`](Self::say) set holds again.
    pub fn say_next(&self, told: impl IntoIterator<Item = Told>) {
        let next = told.into_iter().collect();
        self.endpoint.desk.words().next = next;
    }

    /// Makes a node tell a text of your own under its key, and not follow the changes of the cluster:
    /// [`text`](Self::text) makes it stale from the next change on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](std::io::ErrorKind::NotFound) for a name that is not in the cluster; those of
    /// [`MemcachedServer::command`].
    pub fn set_told_by(&self, name: &str, text: &str) -> Result<()> {
        let mut members = self.members();
        let node = members.find(name)?;
        node.follows = false;
        node.tell(text)
    }

    /// Makes a node tell nothing, and not follow the changes of the cluster.
    ///
    /// # Errors
    ///
    /// As [`set_told_by`](Self::set_told_by).
    pub fn forget_on(&self, name: &str) -> Result<()> {
        let mut members = self.members();
        let node = members.find(name)?;
        node.follows = false;
        node.forget()
    }

    /// Makes a node tell the truth, and follow the changes of the cluster: after [`forget_on`](Self::forget_on), and
    /// after a time in which it did not run.
    ///
    /// # Errors
    ///
    /// As [`set_told_by`](Self::set_told_by).
    pub fn tell_truth_on(&self, name: &str) -> Result<()> {
        let mut members = self.members();
        let node = members.find(name)?;
        node.follows = true;
        node.tell(&self.text())
    }

    /// Returns how often the endpoint was asked for the configuration so far. The command and, where it is not known,
    /// the key after it on the same connection are one poll.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.endpoint.desk.polls.count()
    }

    /// Waits until the endpoint has been asked `count` times, from the start on.
    ///
    /// The answer to that poll may be still on its way. A client that asks only after it has taken in the answer before
    /// has taken in one that was given after now by the time of `polls() + 2`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`](std::io::ErrorKind::TimedOut) after 30 seconds.
    pub fn await_polls(&self, count: u64) -> Result<()> {
        self.endpoint.desk.polls.reach(count)
    }

    /// Returns how many connections the endpoint has accepted so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.network().connections()
    }

    /// Waits until the endpoint has accepted `count` connections, from the start on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TimedOut`](std::io::ErrorKind::TimedOut) after 30 seconds.
    pub fn await_connections(&self, count: u64) -> Result<()> {
        self.network().await_connections(count)
    }

    /// Returns how many connections are open at the endpoint.
    #[must_use]
    pub fn open(&self) -> usize {
        self.network().open()
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the cluster and tells of it, unless the change fails.
    fn change<T>(&self, change: impl FnOnce(&mut Members) -> Result<T>) -> Result<T> {
        let mut members = self.members();
        let result = change(&mut members)?;
        members.version += 1;
        let truth = members.truth(self.settings.ips);
        let text = truth.text();
        self.endpoint.desk.words().truth = truth;
        members.tell(&text)?;
        Ok(result)
    }
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        self.members.get_mut().unwrap_or_else(PoisonError::into_inner).kill();
    }
}
