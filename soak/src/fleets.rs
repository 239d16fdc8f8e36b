//! The servers of a run, and what is done to them.

use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

use chorde::elasticache::testing::FakeCluster;
use chorde::memcache::testing::{Chaos, ChaosProxy, Direction, MemcachedServer};

use super::functions::Scope;
use super::schedule::{Fault, Weather};

/// Two fleets of memcached.
pub(crate) struct Fleets {
    named: Vec<(Arc<MemcachedServer>, ChaosProxy)>,
    cluster: FakeCluster,
}

/// What ends a fault.
pub(crate) enum Undo {
    Restart(Arc<MemcachedServer>, Option<String>),
    Resume(Arc<MemcachedServer>),
    Calm(usize),
    Endpoint,
}

impl Fleets {
    pub(crate) fn start(nodes: u16) -> Result<Self> {
        let node = |_| {
            let server = MemcachedServer::start()?;
            let proxy = ChaosProxy::start(&server.address())?;
            Ok((Arc::new(server), proxy))
        };
        let named = (0..nodes).map(node).collect::<Result<_>>()?;
        Ok(Self { named, cluster: FakeCluster::start(usize::from(nodes))? })
    }

    /// Returns the addresses of the named nodes.
    pub(crate) fn named(&self) -> Vec<String> {
        self.named.iter().map(|(_, proxy)| proxy.address()).collect()
    }

    pub(crate) fn endpoint(&self) -> String {
        self.cluster.endpoint()
    }

    /// Returns the names of the nodes that the cluster has.
    pub(crate) fn nodes(&self) -> Vec<String> {
        self.cluster.nodes()
    }

    /// Returns a node of the fleet, with its name if it is one of the cluster.
    fn node(&self, scope: Scope, number: u64) -> (Arc<MemcachedServer>, Option<String>) {
        if scope == Scope::Named {
            return (Arc::clone(&self.named[number as usize % self.named.len()].0), None);
        }
        let nodes = self.cluster.nodes();
        let name = nodes[number as usize % nodes.len()].clone();
        (self.cluster.server(&name).expect("invariant: it is one of the nodes"), Some(name))
    }

    fn name(&self, number: u64) -> String {
        self.node(Scope::Cluster, number).1.expect("invariant: nodes of the cluster have names")
    }

    /// Begins a fault of a server; returns what ends it. Those of workers are not among them.
    pub(crate) fn begin(&self, fault: Fault) -> Result<Option<Undo>> {
        match fault {
            Fault::Kill(scope, node) => {
                let (server, name) = self.node(scope, node);
                server.kill();
                return Ok(Some(Undo::Restart(server, name)));
            }
            Fault::Pause(scope, node) => {
                let server = self.node(scope, node).0;
                server.pause()?;
                return Ok(Some(Undo::Resume(server)));
            }
            Fault::Flush(scope, node) => {
                let server = self.node(scope, node).0;
                // A node that is paused would be waited for.
                if server.is_running() {
                    server.flush()?;
                }
            }
            Fault::Network(node, weather) => {
                let node = node as usize % self.named.len();
                change(&self.named[node].1, weather)?;
                return Ok(Some(Undo::Calm(node)));
            }
            Fault::AddNode => drop(self.cluster.add()?),
            Fault::RemoveNode(node) => {
                self.cluster.remove(&self.name(node))?;
                self.cluster.kill_removed();
            }
            Fault::ReplaceNode(node) => self.cluster.replace(&self.name(node))?,
            Fault::HoldEndpoint => {
                self.cluster.pause();
                return Ok(Some(Undo::Endpoint));
            }
            Fault::StopEndpoint => {
                self.cluster.stop_endpoint()?;
                return Ok(Some(Undo::Endpoint));
            }
            Fault::KillWorker(_) | Fault::PauseWorker(_) | Fault::Step(..) => {}
        }
        Ok(None)
    }

    /// Ends a fault.
    pub(crate) fn end(&self, undo: &Undo) -> Result<()> {
        match undo {
            Undo::Restart(server, name) => {
                // It may have been replaced, or have left.
                if server.pid().is_none() && name.as_ref().is_none_or(|name| self.is_node(name, server)) {
                    server.restart()?;
                    name.as_ref().map_or(Ok(()), |name| self.cluster.tell_truth_on(name))?;
                }
                Ok(())
            }
            // One that was killed or replaced meanwhile does not run, and has nothing to go on with.
            Undo::Resume(server) => {
                let _ = server.resume();
                Ok(())
            }
            Undo::Calm(node) => self.named[*node].1.set(Chaos::Pass),
            Undo::Endpoint => {
                self.cluster.resume();
                self.cluster.start_endpoint()
            }
        }
    }

    fn is_node(&self, name: &str, server: &Arc<MemcachedServer>) -> bool {
        self.cluster.server(name).is_some_and(|node| Arc::ptr_eq(&node, server))
    }
}

/// Changes the weather in front of a node.
fn change(proxy: &ChaosProxy, weather: Weather) -> Result<()> {
    match weather {
        Weather::Delay(millis) => proxy.set(Chaos::Delay(Duration::from_millis(millis))),
        Weather::CutReplies(bytes) => proxy.set(Chaos::Cut(Direction::ToClient, bytes)),
        Weather::CutRequests(bytes) => proxy.set(Chaos::Cut(Direction::ToServer, bytes)),
        Weather::LoseReplies(bytes) => proxy.set(Chaos::Truncate(Direction::ToClient, bytes)),
        Weather::Blackhole => proxy.set(Chaos::Blackhole),
        Weather::BlackholeExisting => proxy.set_for_existing(Chaos::Blackhole),
        Weather::Reset => proxy.set(Chaos::Reset),
        Weather::Refuse => proxy.set(Chaos::Refuse),
    }
}
