//! One server: its connections, whether it is in use, and what it still has to make up for.

mod admin;
mod asked;
mod asking;
pub(crate) mod breaker;
mod classic;
mod debts;
mod dial;
mod dialer;
mod health;
mod home;
mod meta;
mod mux;
mod owed;
#[cfg(feature = "testing")]
pub(crate) mod probe;
mod prober;

use std::hash::Hasher;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chorde_core::Clock;
use siphasher::sip::SipHasher13;
use tokio::runtime::Id;
use tokio::sync::Notify;

/// The targets for fuzzers.
#[cfg(feature = "testing")]
pub(crate) mod fuzz {
    pub(crate) use super::classic::fuzz::guard;
    pub(crate) use super::meta::fuzz::{decode, encode};
}

pub(crate) use asking::Asking;
pub use dialer::{Connection, Dialer};
#[cfg(all(unix, feature = "testing"))]
pub(crate) use home::tasks;
pub(crate) use home::{TaskGuard, spawn};

use crate::command::{Command, Failure};
use crate::race::nanos;
use crate::server::{Address, Server};
use crate::stats::Counters;
use asking::Question;
use breaker::Breaker;
use classic::Classic;
use dial::Destination;
use home::Home;
use mux::{Limits, Mux};
use owed::Owed;

pub(crate) use mux::Replies;

/// Says how a client talks to its servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// The meta commands where the server's version has all of them (1.6.18), else the classic ones.
    #[default]
    Auto,
    /// The meta commands; an older server is an error of kind [`ErrorKind::Protocol`](chorde_core::ErrorKind::Protocol).
    Meta,
    /// The classic commands, for proxies that know no others. Slower; a refresh may be won twice where two processes
    /// ask at the same instant that a lease ends; and to renew a value that is refreshed keeps the new one from being stored.
    Classic,
}

/// Which of a server's connections carries an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Small questions and answers, which must not wait behind large ones.
    Quick,
    /// Large values and their pages.
    Bulk,
}

/// What all servers of a client are told.
#[derive(Clone, Debug)]
pub(crate) struct NodeOptions {
    /// How long an operation may take.
    pub(crate) deadline: Duration,
    pub(crate) transport: Transport,
    pub(crate) breaker: breaker::Options,
    pub(crate) limits: Limits,
    /// The same for the classic transport.
    pub(crate) classic: classic::Limits,
    /// How connections are made.
    pub(crate) dialer: Dialer,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(500),
            transport: Transport::default(),
            breaker: breaker::Options::default(),
            limits: Limits::default(),
            classic: classic::Limits::default(),
            dialer: Dialer::default(),
        }
    }
}

/// One server.
pub(crate) struct Node {
    name: Arc<str>,
    /// Some bits of the name, for tokens.
    tag: u16,
    destination: Mutex<Destination>,
    options: NodeOptions,
    clock: Clock,
    counters: Arc<Counters>,
    links: Mutex<Vec<Arc<Link>>>,
    /// The connections of the classic transport, to where the server is now.
    classic: Mutex<Arc<Classic>>,
    /// Which transport the server is known to need.
    speaks: AtomicU8,
    breaker: Mutex<Breaker>,
    /// Whether the breaker lets operations pass, for those who only route.
    in_use: AtomicBool,
    /// Whether an operation has failed since the last one that succeeded.
    is_troubled: AtomicBool,
    /// When an operation last ran into its deadline.
    timed_out_at: AtomicU64,
    owed: Mutex<Owed>,
    /// Whether anything is owed, for those who only route.
    is_indebted: AtomicBool,
    /// Whether what is owed is being made up for while the server is in use.
    is_paying: AtomicBool,
    /// Tells the prober of another address.
    moved: Arc<Notify>,
}

/// One connection of the meta transport.
struct Link {
    home: Id,
    lane: Lane,
    mux: Arc<Mux>,
    /// Whether its end has been noted: all that was under way on it fails, for one reason.
    is_noted: AtomicBool,
}

/// A batch that failed.
struct Broken {
    failure: Failure,
    /// Whether this is the first that is heard of it.
    is_news: bool,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, is_news: true }
    }
}

impl Link {
    fn is_open(&self, home: Id, lane: Lane) -> bool {
        self.lane == lane && self.home == home && !self.mux.is_closed()
    }
}

const SPEAKS_META: u8 = 0;
const SPEAKS_CLASSIC: u8 = 1;

impl Node {
    pub(crate) fn new(server: &Server, options: NodeOptions, clock: Clock, counters: Arc<Counters>) -> Arc<Self> {
        let destination = options.dialer.to(server);
        let speaks = if options.transport == Transport::Classic { SPEAKS_CLASSIC } else { SPEAKS_META };
        Arc::new(Self {
            name: server.name().into(),
            tag: tag(server.name()),
            classic: Mutex::new(Arc::new(classic_at(&destination, &options, &clock))),
            destination: Mutex::new(destination),
            breaker: Mutex::new(Breaker::new(options.breaker)),
            options,
            clock,
            counters,
            links: Mutex::default(),
            speaks: AtomicU8::new(speaks),
            in_use: AtomicBool::new(true),
            is_troubled: AtomicBool::new(false),
            timed_out_at: AtomicU64::new(0),
            owed: Mutex::default(),
            is_indebted: AtomicBool::new(false),
            is_paying: AtomicBool::new(false),
            moved: Arc::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn tag(&self) -> u16 {
        self.tag
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.in_use.load(Ordering::Acquire)
    }

    pub(crate) fn address(&self) -> Address {
        lock(&self.destination).address().clone()
    }

    fn destination(&self) -> Destination {
        lock(&self.destination).clone()
    }

    /// Connects to where the server is said to be from now on; what is under way ends where it is.
    pub(crate) fn move_to(&self, server: &Server) {
        let destination = self.options.dialer.to(server);
        let mut known = lock(&self.destination);
        if !known.is_same(&destination) {
            known.clone_from(&destination);
            drop(known);
            lock(&self.links).clear();
            *lock(&self.classic) = Arc::new(classic_at(&destination, &self.options, &self.clock));
            self.forget_version();
            // Whoever is there may answer at once.
            lock(&self.breaker).hurry(self.clock.now());
            self.moved.notify_one();
        }
    }

    /// Finds out anew which commands the server knows: it may be another one now.
    fn forget_version(&self) {
        if self.options.transport == Transport::Auto {
            self.speaks.store(SPEAKS_META, Ordering::Release);
        }
    }

    /// Asks this server, whether it is in use or not, up to that time. What a dropped question wins is given back.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the commands may or may not be carried out; the connection stays usable.
    pub(crate) fn ask<'a>(self: &'a Arc<Self>, commands: &'a [Command<'a>], lane: Lane, until: u64) -> Asking<'a> {
        Asking::new(Question { node: self, commands, lane, until })
    }

    fn left(&self, until: u64) -> Duration {
        Duration::from_nanos(until.saturating_sub(self.clock.now()))
    }

    /// Returns when what begins now and may take that long has to be over.
    fn until(&self, most: Duration) -> u64 {
        self.clock.now().saturating_add(nanos(most))
    }

    /// Returns a connection that lives where this code runs, a new one where there is none.
    fn link(&self, lane: Lane) -> Result<Arc<Link>, Failure> {
        let here = Home::driven();
        // Whether a runtime has sockets is looked at when the first connection is made there.
        if let Some(link) = here.as_ref().and_then(|here| self.open_link(here.id(), lane)) {
            return Ok(link);
        }
        let home = Home::of(here)?;
        if let Some(link) = self.open_link(home.id(), lane) {
            return Ok(link);
        }
        Ok(self.dial(&home, lane))
    }

    fn open_link(&self, home: Id, lane: Lane) -> Option<Arc<Link>> {
        let links = lock(&self.links);
        let link = links.iter().find(|link| link.is_open(home, lane));
        link.map(Arc::clone)
    }

    #[cold]
    fn dial(&self, home: &Home, lane: Lane) -> Arc<Link> {
        let mut links = lock(&self.links);
        links.retain(|link| !link.mux.is_closed());
        if let Some(link) = links.iter().find(|link| link.is_open(home.id(), lane)) {
            // Somebody else was first.
            return Arc::clone(link);
        }
        let mux = Mux::spawn(home.handle(), self.destination(), self.options.limits, self.clock.clone());
        self.counters.connections.one();
        let link = Arc::new(Link { home: home.id(), lane, mux, is_noted: AtomicBool::new(false) });
        links.push(Arc::clone(&link));
        link
    }

    /// Sends a command for whose answer nobody waits. What is asked afterwards from here comes after it, where the meta
    /// transport is used.
    pub(crate) fn tell(self: &Arc<Self>, key: &[u8], command: impl Fn(&[u8]) -> Command<'_> + Send + 'static) {
        let deadline = self.options.deadline;
        let pending = match self.speaks.load(Ordering::Acquire) {
            SPEAKS_META => self.link(Lane::Quick).and_then(|link| link.mux.ask(&[command(key)], deadline)).ok(),
            _ => None,
        };
        let (node, key) = (Arc::clone(self), Box::<[u8]>::from(key));
        spawn(async move {
            let told = match pending {
                Some(pending) => pending.await.is_ok(),
                None => false,
            };
            if !told {
                // Whatever fails here has been counted, and times out by itself at the server.
                _ = node.ask(&[command(&key)], Lane::Quick, node.until(deadline)).await;
            }
        });
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("name", &self.name).field("in_use", &self.is_in_use()).finish_non_exhaustive()
    }
}

fn classic_at(destination: &Destination, options: &NodeOptions, clock: &Clock) -> Classic {
    Classic::new(destination.clone(), clock.clone(), options.classic)
}

/// Returns whether commands may be sent again: they were not seen by the server, or come to the same.
fn may_repeat(failure: &Failure, commands: &[Command<'_>]) -> bool {
    match failure {
        Failure::Closed { unsent: true, .. } => true,
        Failure::Closed { unsent: false, .. } => commands.iter().all(Command::may_repeat),
        _ => false,
    }
}

/// Returns some bits of a server's name, the same in every process.
fn tag(name: &str) -> u16 {
    let mut hasher = SipHasher13::new();
    hasher.write(name.as_bytes());
    hasher.finish() as u16
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
