//! The servers together: which of them is asked for a key, and which one when that is out of use.

use std::collections::HashMap;
use std::sync::Arc;

use chorde_core::Clock;
use smallvec::SmallVec;
use tokio::sync::watch;

use crate::command::{Command, Failure, Life, Reply};
use crate::life::GRACE;
use crate::node::{Asking, Lane, Node, NodeOptions, Replies};
use crate::race::{nanos, within};
use crate::ring::{Placement, Ring};
use crate::server::Server;
use crate::stats::Counters;
use crate::wire_key::WireKey;

/// Writes to another server than the key's own live no longer than this: the key's own will be back.
const FAILOVER_LIFE: Life = Life(60 + GRACE);

/// The servers of one client.
#[derive(Debug)]
pub(crate) struct Cluster {
    view: watch::Sender<Option<Arc<View>>>,
    placement: Placement,
    options: NodeOptions,
    clock: Clock,
    counters: Arc<Counters>,
}

/// The servers at one time.
#[derive(Debug)]
pub(crate) struct View {
    ring: Ring,
    nodes: Vec<Arc<Node>>,
}

impl View {
    pub(crate) fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }
}

/// The keys that one server answers for, by their places in a question.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) route: Route,
    pub(crate) places: Vec<usize>,
}

/// Who answers for a key at the moment.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) node: Arc<Node>,
    /// The key's own server, if that is another.
    away: Option<Arc<Node>>,
}

/// A server that was asked and did not answer.
struct Failed {
    route: Route,
    failure: Failure,
    /// When the operation has to be over.
    until: u64,
}

/// What a server answered, and which one.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) route: Route,
    pub(crate) replies: Replies,
}

impl Answer {
    /// Takes the answer to the only command, or the last one.
    pub(crate) fn last(mut self) -> (Route, Reply) {
        (self.route, self.replies.pop().expect("invariant: one reply for each command"))
    }
}

impl Route {
    /// Reports an answer that does not fit the question.
    #[cold]
    pub(crate) fn unexpected(&self) -> Unanswered {
        Unanswered::Failed(self.node.shared_name(), Failure::Protocol("an answer to another question".into()))
    }
}

/// Why nobody answered.
#[derive(Clone, Debug)]
pub(crate) enum Unanswered {
    /// No server is in use; what the last one failed with, if it was asked in this operation.
    NoServers(Option<(Arc<str>, Failure)>),
    /// This server did not.
    Failed(Arc<str>, Failure),
}

impl Cluster {
    pub(crate) fn new(placement: Placement, options: NodeOptions, clock: Clock, counters: Arc<Counters>) -> Self {
        Self { view: watch::Sender::new(None), placement, options, clock, counters }
    }

    /// Replaces the list of servers. Those that stay keep their connections; those that go end theirs once nothing is
    /// under way on them.
    pub(crate) fn set(&self, servers: &[Server]) {
        let old = self.view.borrow().clone();
        let mut known: HashMap<&str, &Arc<Node>> = HashMap::new();
        for node in old.iter().flat_map(|view| &view.nodes) {
            known.insert(node.name(), node);
        }
        let nodes = servers.iter().map(|server| match known.get(server.name()) {
            Some(node) => {
                node.move_to(server.address());
                Arc::clone(node)
            }
            None => Node::new(server, self.options.clone(), self.clock.clone(), Arc::clone(&self.counters)),
        });
        let view = View { nodes: nodes.collect(), ring: Ring::new(servers, self.placement) };
        if old.is_some() {
            self.counters.reloads.one();
        }
        self.view.send_replace(Some(Arc::new(view)));
    }

    /// Returns the servers, once they are known.
    async fn view(&self) -> Result<Arc<View>, Unanswered> {
        if let Some(view) = &*self.view.borrow() {
            return Ok(Arc::clone(view));
        }
        let mut views = self.view.subscribe();
        let first = within(&self.clock, self.options.deadline, views.wait_for(Option::is_some)).await;
        let view = first.and_then(Result::ok).and_then(|view| view.clone());
        view.ok_or(Unanswered::NoServers(None))
    }

    /// Returns the servers if they are known.
    pub(crate) fn known(&self) -> Option<Arc<View>> {
        self.view.borrow().clone()
    }

    /// Finds who answers for a key.
    pub(crate) async fn route(&self, key: &WireKey) -> Result<Route, Unanswered> {
        let view = self.view().await?;
        route(&view, key).ok_or(Unanswered::NoServers(None))
    }

    /// Groups the keys at some places by the servers that answer for them.
    pub(crate) async fn share_out<'a, K>(&self, places: &[usize], key: K) -> Result<Vec<Share>, Unanswered>
    where
        K: Fn(usize) -> &'a WireKey,
    {
        let view = match self.known() {
            Some(view) => view,
            None => Box::pin(self.view()).await?,
        };
        let mut shares: Vec<Share> = Vec::new();
        for &place in places {
            let (node, away) = best(&view, key(place)).ok_or(Unanswered::NoServers(None))?;
            match shares.iter_mut().find(|share| Arc::ptr_eq(&share.route.node, node)) {
                Some(share) => share.places.push(place),
                None => {
                    let route = Route { node: Arc::clone(node), away: away.map(Arc::clone) };
                    shares.push(Share { route, places: vec![place] });
                }
            }
        }
        Ok(shares)
    }

    /// Returns all servers, in use or not.
    pub(crate) async fn all(&self) -> Result<Vec<Arc<Node>>, Unanswered> {
        Ok(self.view().await?.nodes.clone())
    }

    /// Finds the first few servers in use in the order of a key.
    pub(crate) async fn routes(&self, key: &WireKey, most: usize) -> Result<SmallVec<[Route; 2]>, Unanswered> {
        let view = self.view().await?;
        let in_use = view.ring.order(key.text()).map(|index| &view.nodes[index]).filter(|node| node.is_in_use());
        Ok(in_use.take(most).map(|node| Route { node: Arc::clone(node), away: None }).collect())
    }

    /// Finds who answers for a key, if the servers are known.
    pub(crate) fn route_now(&self, key: &WireKey) -> Option<Route> {
        route(self.view.borrow().as_ref()?, key)
    }

    /// Returns how long what is written under a key lives, as things stand.
    pub(crate) fn life_of(&self, key: &WireKey, life: Life) -> Life {
        let is_away = self.route_now(key).is_some_and(|route| route.away.is_some());
        if is_away { life.min(FAILOVER_LIFE) } else { life }
    }

    /// Asks the key's own server or, while that is out of use, the next one.
    ///
    /// A server that fails and is thereby taken out of use is passed over as long as there is time. What only then is
    /// needed is boxed, so that thousands who wait are small.
    pub(crate) async fn ask(&self, key: &WireKey, commands: &[Command<'_>], lane: Lane) -> Result<Answer, Unanswered> {
        let until = self.until();
        let failed = match self.route_now(key) {
            None => None,
            Some(route) => match self.ask_at(&route, commands, lane, until).await {
                Ok(replies) => return Ok(Answer { route, replies }),
                Err(failure) => Some(Failed { route, failure, until }),
            },
        };
        Box::pin(self.ask_others(key, commands, lane, failed)).await
    }

    /// Goes on where the servers are not known, or the best one failed.
    async fn ask_others(
        &self,
        key: &WireKey,
        commands: &[Command<'_>],
        lane: Lane,
        mut failed: Option<Failed>,
    ) -> Result<Answer, Unanswered> {
        let view = self.view().await?;
        let until = failed.as_ref().map_or_else(|| self.until(), |failed| failed.until);
        let mut last = None;
        loop {
            if let Some(Failed { route, failure, .. }) = failed {
                let name = route.node.shared_name();
                let is_over = self.clock.now() >= until;
                if route.node.is_in_use() || (is_over && !matches!(failure, Failure::Refused(_))) {
                    return Err(Unanswered::Failed(name, failure));
                }
                last = Some((name, failure));
            }
            let Some(route) = route(&view, key) else { return Err(Unanswered::NoServers(last)) };
            match self.ask_at(&route, commands, lane, until).await {
                Ok(replies) => return Ok(Answer { route, replies }),
                Err(failure) => failed = Some(Failed { route, failure, until }),
            }
        }
    }

    /// Returns when an operation that begins now has to be over.
    fn until(&self) -> u64 {
        self.clock.now().saturating_add(nanos(self.options.deadline))
    }

    /// Asks a server that was found before.
    fn ask_at<'a>(&'a self, route: &'a Route, commands: &'a [Command<'a>], lane: Lane, until: u64) -> Asking<'a> {
        match &route.away {
            None => route.node.ask(commands, lane, until),
            Some(home) => Asking::detour(self.ask_away(route, home, commands, (lane, until))),
        }
    }

    /// Asks another server than the key's own.
    async fn ask_away(
        &self,
        route: &Route,
        home: &Node,
        commands: &[Command<'_>],
        (lane, until): (Lane, u64),
    ) -> Result<Replies, Failure> {
        self.counters.failovers.one();
        home.owe(commands);
        let short_lived: Vec<Command<'_>> = commands.iter().map(short_lived).collect();
        route.node.ask(&short_lived, lane, until).await
    }

    /// Asks the server that an answer came from about the same key, with the time of an operation of its own.
    pub(crate) async fn follow_up(
        &self,
        route: &Route,
        commands: &[Command<'_>],
        lane: Lane,
    ) -> Result<Replies, Unanswered> {
        let asked = self.ask_at(route, commands, lane, self.until()).await;
        asked.map_err(|failure| Unanswered::Failed(route.node.shared_name(), failure))
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// Finds who answers for a key.
fn route(view: &View, key: &WireKey) -> Option<Route> {
    let (node, away) = best(view, key)?;
    Some(Route { node: Arc::clone(node), away: away.map(Arc::clone) })
}

/// Finds the best server for a key that is in use, and the key's own where that is another.
fn best<'a>(view: &'a View, key: &WireKey) -> Option<(&'a Arc<Node>, Option<&'a Arc<Node>>)> {
    let mut away = None;
    for index in view.ring.order(key.text()) {
        let node = &view.nodes[index];
        if node.is_in_use() {
            return Some((node, away));
        }
        away.get_or_insert(node);
    }
    None
}

/// Shortens the life of what is written to another server than the key's own.
fn short_lived<'a>(command: &Command<'a>) -> Command<'a> {
    let mut command = command.clone();
    match &mut command {
        Command::Store { life, .. } | Command::Touch { life, .. } => *life = (*life).min(FAILOVER_LIFE),
        _ => {}
    }
    command
}
