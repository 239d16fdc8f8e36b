//! Finds the nodes of a cluster and follows their changes.
//!
//! What an answer means is decided by [`config`](crate::config) and [`versions`](crate::versions), who is asked next and
//! when by [`turns`](crate::turns); here these decisions are carried out. Everything happens in one future: what is dropped
//! with it are all connections and waits that there are.

use std::future::Future;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::Clock;
use chorde_memcache::{Dialer, Endpoint, Endpoints, Following, Resolver, Server, ServerSource, Servers};
use futures_util::future::{Either, join, select};

use crate::ask::{self, Unheard};
use crate::config::{Node, Said};
use crate::kind::EndpointKind;
use crate::stats::Record;
use crate::turns::{self, BETWEEN, Outcome, Turn, Turns};
use crate::versions::{Teller, Verdict, Versions};

/// How long a server may take to answer, connecting included.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a cluster is looked for, and how.
pub(crate) struct Discovery {
    pub(crate) endpoint: Endpoint,
    pub(crate) kind: EndpointKind,
    /// Used while nothing was heard of the cluster.
    pub(crate) fallback: Vec<Endpoint>,
    pub(crate) interval: Duration,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) dialer: Dialer,
    pub(crate) record: Record,
}

impl ServerSource for Discovery {
    fn known(&self) -> Option<Vec<Server>> {
        let endpoint = self.stands_alone()?;
        Some(vec![endpoint.server()?])
    }

    fn follow(self: Box<Self>, servers: Servers, clock: Clock) -> Following {
        let endpoints = Endpoints::new(servers.clone(), Arc::clone(&self.resolver), clock.clone());
        if let Some(endpoint) = self.stands_alone() {
            self.record.note(|stats| stats.kind = self.kind);
            endpoints.set(vec![endpoint]);
            return Box::pin(async move { endpoints.follow().await });
        }
        let poller = Poller {
            discovery: *self,
            servers,
            endpoints: endpoints.clone(),
            clock,
            turns: Turns::new(fastrand::u64(..)),
            versions: Versions::default(),
            at: Vec::new(),
            failures: 0,
        };
        Box::pin(async move {
            join(endpoints.follow(), poller.run()).await;
        })
    }
}

impl Discovery {
    /// Returns the endpoint where it is the only server, by what was said of it.
    fn stands_alone(&self) -> Option<Endpoint> {
        match self.kind {
            EndpointKind::Node => Some(self.endpoint.clone()),
            EndpointKind::Serverless => Some(self.endpoint.clone().as_one_server()),
            _ => None,
        }
    }
}

/// Polls a cluster.
struct Poller {
    discovery: Discovery,
    /// The list in use.
    servers: Servers,
    /// Where the list is changed.
    endpoints: Endpoints,
    clock: Clock,
    turns: Turns,
    versions: Versions,
    /// The last known ways to the endpoint.
    at: Vec<Server>,
    /// Polls in a row that nobody has answered.
    failures: u32,
}

/// What one try came to.
enum Tried {
    /// Nothing that could be used: somebody else may know more.
    Nothing,
    Done(Outcome),
}

impl Poller {
    async fn run(mut self) {
        loop {
            let outcome = self.poll().await;
            let record = &self.discovery.record;
            let is_failed = matches!(outcome, Outcome::Failed | Outcome::Unknown { .. });
            record.note(|stats| {
                stats.polls += 1;
                stats.failed_polls += u64::from(is_failed);
            });
            let pause = turns::pause(outcome, self.discovery.interval, fastrand::u64(..));
            self.clock.sleep(pause).await;
        }
    }

    /// Asks one server after the other until one tells what can be used.
    async fn poll(&mut self) -> Outcome {
        let nodes = self.nodes();
        let known = nodes.as_deref().unwrap_or_default();
        let mut last = None;
        for number in 0..turns::TRIES {
            if number > 0 {
                self.clock.sleep(BETWEEN).await;
            }
            let turn = self.turns.take(number, known.len());
            let heard = match turn {
                Turn::Node(place) => self.heard(&known[place]).await,
                Turn::Endpoint => self.heard_at_endpoint().await,
            };
            match heard {
                Ok(said) => {
                    if let Tried::Done(outcome) = self.take_in(said, turn) {
                        self.recovered();
                        return outcome;
                    }
                }
                Err(why) => last = Some(why),
            }
        }
        self.failed(last)
    }

    /// Returns the nodes that may be asked: those in use, unless that is the endpoint itself.
    fn nodes(&self) -> Option<Arc<[Server]>> {
        let is_cluster = self.versions.current().is_some() || self.discovery.record.snapshot().on_fallback;
        if is_cluster { self.servers.current() } else { None }
    }

    /// Asks one server.
    async fn heard(&self, server: &Server) -> Result<Said, Unheard> {
        let heard = self.in_time(ask::ask(&self.discovery.dialer, server)).await.unwrap_or(Err(Unheard::Late));
        self.discovery.record.note(|stats| {
            stats.questions += 1;
            stats.malformed += u64::from(matches!(heard, Err(Unheard::Malformed(_))));
        });
        if let Err(why) = &heard {
            log::debug!("chorde: {} tells nothing of its cluster: {why}", server.name());
        }
        heard
    }

    async fn heard_at_endpoint(&mut self) -> Result<Said, Unheard> {
        let endpoint = self.discovery.endpoint.clone().as_one_server();
        if let Some(host) = endpoint.host() {
            let found = self.in_time(self.discovery.resolver.look_up(host)).await;
            let found = found.ok_or(Unheard::Late).and_then(|found| found.map_err(Unheard::Unnamed));
            match found.map(|found| endpoint.servers_at(found.addresses())) {
                Ok(at) if !at.is_empty() => self.at = at,
                Ok(_) if self.at.is_empty() => return Err(Unheard::Unnamed("the name has no address".into())),
                Err(why) if self.at.is_empty() => return Err(why),
                _ => {}
            }
        } else {
            self.at = endpoint.server().into_iter().collect();
        }
        match self.at.first() {
            Some(server) => self.heard(server).await,
            None => Err(Unheard::Late),
        }
    }

    /// Waits for an answer, but not for ever.
    async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        match select(std::pin::pin!(answer), self.clock.sleep(PATIENCE)).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    /// Decides what to make of an answer, and does it.
    fn take_in(&mut self, said: Said, turn: Turn) -> Tried {
        let teller = match turn {
            Turn::Node(_) => Teller::Node,
            Turn::Endpoint => Teller::Endpoint,
        };
        let Said::Config(config) = said else { return self.take_for_node(teller) };
        let Ok(nodes) = config.nodes.iter().map(endpoint_of).collect::<chorde_core::Result<Vec<_>>>() else {
            self.discovery.record.note(|stats| stats.malformed += 1);
            return Tried::Nothing;
        };
        match self.versions.judge(&config, teller) {
            Verdict::Apply => self.apply(config.version, nodes),
            Verdict::Same => {}
            Verdict::Doubted { ask_soon } => {
                self.discovery.record.note(|stats| stats.doubted += 1);
                return if ask_soon { Tried::Done(Outcome::Doubted) } else { Tried::Nothing };
            }
        }
        Tried::Done(Outcome::Answered)
    }

    /// Takes the endpoint for the only server, if it says that it knows of no cluster and nothing else is known or said.
    fn take_for_node(&mut self, teller: Teller) -> Tried {
        let may_be = self.discovery.kind == EndpointKind::Auto && self.versions.current().is_none();
        if !may_be || matches!(teller, Teller::Node) {
            return Tried::Nothing;
        }
        let Discovery { endpoint, record, .. } = &self.discovery;
        if record.snapshot().kind != EndpointKind::Node {
            log::info!("chorde: {endpoint} tells of no cluster: it is used as the only server");
            self.endpoints.set(vec![endpoint.clone()]);
            record.note(|stats| (stats.kind, stats.on_fallback) = (EndpointKind::Node, false));
        }
        Tried::Done(Outcome::Answered)
    }

    /// Takes the nodes of a configuration into use.
    fn apply(&self, version: u64, nodes: Vec<Endpoint>) {
        let Discovery { endpoint, record, .. } = &self.discovery;
        let count = nodes.len();
        log::info!("chorde: {endpoint} tells of {count} nodes, in version {version} of its configuration");
        self.endpoints.set(nodes);
        record.note(|stats| {
            (stats.kind, stats.on_fallback) = (EndpointKind::Configuration, false);
            stats.version = Some(version);
            stats.applied += 1;
        });
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.failures) > 0 {
            log::info!("chorde: {} can be asked for its cluster again", self.discovery.endpoint);
        }
    }

    /// Goes on with what is known, or with the fallback list.
    fn failed(&mut self, why: Option<Unheard>) -> Outcome {
        self.failures = self.failures.saturating_add(1);
        let Discovery { endpoint, fallback, record, .. } = &self.discovery;
        let why = why.map_or_else(|| "it tells of no cluster".to_owned(), |why| why.to_string());
        // Once is enough for the operator, who need not read of every poll.
        let level = if self.failures == 1 { log::Level::Warn } else { log::Level::Debug };
        log::log!(level, "chorde: {endpoint} cannot be asked for its cluster, going on with what is known: {why}");
        let stats = record.snapshot();
        if stats.kind != EndpointKind::Auto {
            return Outcome::Failed;
        }
        if !fallback.is_empty() && !stats.on_fallback {
            self.endpoints.set(fallback.clone());
            record.note(|stats| stats.on_fallback = true);
        }
        Outcome::Unknown { failures: self.failures }
    }
}

/// Returns where a node is found; it goes by its host name, whatever its address.
fn endpoint_of(node: &Node) -> chorde_core::Result<Endpoint> {
    let Node { host, ip, port } = node;
    let is_v6 = host.parse::<Ipv6Addr>().is_ok();
    let text = if is_v6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let endpoint = text.parse::<Endpoint>()?.as_one_server();
    Ok(match ip {
        Some(ip) => endpoint.found_at(*ip),
        None => endpoint,
    })
}
