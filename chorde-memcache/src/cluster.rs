//! The servers together: which of them is asked for a key, and which one when that is out of use.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::Clock;
use smallvec::SmallVec;
use tokio::sync::watch;

use crate::command::{Command, Failure, Life, Reply};
use crate::life::GRACE;
use crate::node::{Asking, Lane, Node, NodeOptions, Replies};
use crate::race::{nanos, within};
use crate::ring::{Placement, Ring};
use crate::server::{Server, ServerState};
use crate::stats::Counters;
use crate::wire_key::WireKey;

/// Writes to another server than the key's own live no longer than this: the key's own will be back.
const FAILOVER_LIFE: Life = Life(60 + GRACE);

/// On how many servers a change is noted that none of them sees: more have not stood in for one another, as a rule.
const MISSING: usize = 4;

/// With less than this part of the deadline left, no other server is asked: to be late would be held against it.
const LEAST_PART: u32 = 4;

/// The servers of one client.
#[derive(Debug)]
pub(crate) struct Cluster {
    view: watch::Sender<Option<Arc<View>>>,
    placement: Placement,
    options: NodeOptions,
    clock: Clock,
    counters: Arc<Counters>,
    /// Up to when the first list is waited for: later, whoever asks is told at once that there is none.
    patient_until: u64,
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

/// Notes that those who are passed over miss what another server is asked to do: at once, so that they are not asked for it,
/// and when that has ended, since they may have made up for it before it was done.
struct Missed<'a> {
    route: &'a Route,
    commands: &'a [Command<'a>],
}

impl<'a> Missed<'a> {
    fn note(route: &'a Route, commands: &'a [Command<'a>]) -> Self {
        route.note_missed(commands);
        Self { route, commands }
    }
}

impl Drop for Missed<'_> {
    fn drop(&mut self) {
        self.route.note_missed(self.commands);
    }
}

/// Who answers for a key at the moment.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) node: Arc<Node>,
    /// Those that come before it in the order of the key, its own server first.
    away: SmallVec<[Arc<Node>; 1]>,
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
    /// Notes that those who are passed over miss these commands.
    fn note_missed(&self, commands: &[Command<'_>]) {
        for missing in &self.away {
            missing.owe(commands, Some(&self.node));
        }
    }

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
        let patient_until = clock.now().saturating_add(nanos(options.deadline));
        Self { view: watch::Sender::new(None), placement, options, clock, counters, patient_until }
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
                node.move_to(server);
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
        let first = within(&self.clock, self.left(self.patient_until), views.wait_for(Option::is_some)).await;
        let view = first.and_then(Result::ok).and_then(|view| view.clone());
        view.ok_or(Unanswered::NoServers(None))
    }

    /// Returns the servers if they are known.
    pub(crate) fn known(&self) -> Option<Arc<View>> {
        self.view.borrow().clone()
    }

    /// Returns whether any server is in use.
    pub(crate) fn is_served(&self) -> bool {
        self.view.borrow().as_ref().is_some_and(|view| view.nodes.iter().any(|node| node.is_in_use()))
    }

    /// Finds who answers for a key.
    pub(crate) async fn route(&self, key: &WireKey) -> Result<Route, Unanswered> {
        let view = self.view().await?;
        self.route_in(&view, key, self.until()).await.ok_or(Unanswered::NoServers(None))
    }

    /// Finds who answers for a key; where only what was missed keeps a server from it, has that made up for.
    async fn route_in(&self, view: &View, key: &WireKey, until: u64) -> Option<Route> {
        if let Some(route) = route(view, key) {
            return Some(route);
        }
        let indebted = view.ring.order(key.text()).map(|index| &view.nodes[index]).find(|node| node.is_in_use())?;
        within(&self.clock, self.left(until), indebted.make_up()).await?.ok()?;
        route(view, key)
    }

    /// Notes that the servers miss a change of a key for which none of them could be asked. Those that have come back
    /// meanwhile, too.
    fn missed(&self, key: &WireKey) {
        let Some(view) = self.known() else { return };
        for index in view.ring.order(key.text()).take(MISSING) {
            view.nodes[index].owe(&[change_of(key)], None);
        }
    }

    fn left(&self, until: u64) -> Duration {
        Duration::from_nanos(until.saturating_sub(self.clock.now()))
    }

    /// Finds who answers for a key, if the servers are known and one of them can.
    fn route_now(&self, key: &WireKey) -> Option<Route> {
        route(self.view.borrow().as_ref()?, key)
    }

    /// Tells how the servers are doing; none while they are not known.
    pub(crate) fn states(&self) -> Vec<ServerState> {
        let state = |node: &Arc<Node>| ServerState {
            name: node.name().to_owned(),
            address: node.address(),
            in_use: node.is_in_use(),
        };
        self.known().map(|view| view.nodes.iter().map(state).collect()).unwrap_or_default()
    }

    /// Returns the name of the server that answers for a key.
    pub(crate) fn serving(&self, key: &WireKey) -> Option<String> {
        self.known().and_then(|view| best(&view, key).map(|node| node.name().to_owned()))
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
            let known = best(&view, key(place));
            if let Some(node) = known
                && let Some(share) = shares.iter_mut().find(|share| Arc::ptr_eq(&share.route.node, node))
            {
                share.places.push(place);
                continue;
            }
            let route = Box::pin(self.route_in(&view, key(place), self.until())).await;
            shares.push(Share { route: route.ok_or(Unanswered::NoServers(None))?, places: vec![place] });
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
        Ok(in_use.take(most).map(|node| Route { node: Arc::clone(node), away: SmallVec::new() }).collect())
    }

    /// Finds the server whose name has these bits, if it is in use.
    pub(crate) fn granting(&self, tag: u16) -> Option<Arc<Node>> {
        let view = self.known()?;
        view.nodes.iter().find(|node| node.tag() == tag && node.is_in_use()).map(Arc::clone)
    }

    /// Returns how long what is written under a key lives, as things stand.
    pub(crate) fn life_of(&self, key: &WireKey, life: Life) -> Life {
        let is_away = self.known().and_then(|view| route(&view, key)).is_some_and(|route| !route.away.is_empty());
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

    /// Does the same where the answer tells how the key is to be changed, or that there is nothing to change: those that
    /// are passed over miss the change all the same.
    pub(crate) async fn ask_for_change(
        &self,
        key: &WireKey,
        commands: &[Command<'_>],
        lane: Lane,
    ) -> Result<Answer, Unanswered> {
        let answer = self.ask(key, commands, lane).await;
        match &answer {
            Ok(Answer { route, .. }) => route.note_missed(&[change_of(key)]),
            Err(Unanswered::NoServers(_)) => self.missed(key),
            Err(Unanswered::Failed(..)) => {}
        }
        answer
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
        let mut last: Option<(Arc<str>, Failure)> = None;
        loop {
            if let Some(Failed { route, failure, .. }) = failed.take() {
                let name = route.node.shared_name();
                let is_over = self.clock.now() >= until;
                if route.node.is_in_use() || (is_over && !matches!(failure, Failure::Refused(_))) {
                    return Err(Unanswered::Failed(name, failure));
                }
                last = Some((name, failure));
            }
            let Some(route) = self.route_in(&view, key, until).await else {
                if commands.iter().any(|command| command.changes().is_some()) {
                    self.missed(key);
                }
                return Err(Unanswered::NoServers(last));
            };
            let is_late = self.left(until) < self.options.deadline / LEAST_PART;
            if let Some((name, failure)) = last.take_if(|_| is_late) {
                return Err(Unanswered::Failed(name, failure));
            }
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

    /// Fails if an operation that began at this time has already waited for the key's server until the deadline: no operation
    /// waits for a server twice.
    pub(crate) fn ensure_answering(&self, key: &WireKey, began: u64) -> Result<(), Unanswered> {
        if self.clock.now().saturating_sub(began) < nanos(self.options.deadline) {
            return Ok(());
        }
        match self.route_now(key) {
            Some(route) if route.node.timed_out_after(began) => {
                Err(Unanswered::Failed(route.node.shared_name(), Failure::Timeout))
            }
            _ => Ok(()),
        }
    }

    /// Asks a server that was found before.
    fn ask_at<'a>(&'a self, route: &'a Route, commands: &'a [Command<'a>], lane: Lane, until: u64) -> Asking<'a> {
        if route.away.is_empty() {
            return route.node.ask(commands, lane, until);
        }
        Asking::detour(self.ask_away(route, commands, lane, until))
    }

    /// Asks another server than the key's own.
    async fn ask_away(
        &self,
        route: &Route,
        commands: &[Command<'_>],
        lane: Lane,
        until: u64,
    ) -> Result<Replies, Failure> {
        self.counters.failovers.one();
        let _missed = Missed::note(route, commands);
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

/// Stands for any change of a key.
fn change_of(key: &WireKey) -> Command<'_> {
    Command::Delete { key: key.text(), cas: None }
}

/// Finds the best server for a key that is in use and has missed nothing there.
fn best<'a>(view: &'a View, key: &WireKey) -> Option<&'a Arc<Node>> {
    view.ring.order(key.text()).map(|index| &view.nodes[index]).find(|node| node.serves(key.text()))
}

/// Finds who answers for a key: the best server that is in use and has missed nothing there.
fn route(view: &View, key: &WireKey) -> Option<Route> {
    let mut away = SmallVec::new();
    for index in view.ring.order(key.text()) {
        let node = &view.nodes[index];
        if node.serves(key.text()) {
            return Some(Route { node: Arc::clone(node), away });
        }
        away.push(Arc::clone(node));
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
