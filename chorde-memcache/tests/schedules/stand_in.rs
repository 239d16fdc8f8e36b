//! Stands for `node.rs` and what lies around it: a server that can be off, without sockets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::Clock;
use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use shuttle::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::breaker::{self, Breaker};
pub(crate) use super::mux::Replies;
use super::owed::Owed;
use crate::command::{Command, Failure, Item, Reply};
use crate::race::nanos;
use crate::stats::Counters;

pub(crate) const SPEAKS_CLASSIC: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Quick,
}

/// A batch that failed.
pub(crate) struct Broken {
    pub(crate) failure: Failure,
    pub(crate) is_news: bool,
}

pub(crate) struct Limits {
    pub(crate) waiting: usize,
}

pub(crate) struct NodeOptions {
    pub(crate) deadline: Duration,
    pub(crate) breaker: breaker::Options,
    pub(crate) limits: Limits,
}

/// One server as its client knows it.
pub(crate) struct Node {
    pub(super) name: &'static str,
    pub(super) options: NodeOptions,
    pub(super) clock: Clock,
    pub(super) counters: Counters,
    pub(super) speaks: AtomicU8,
    pub(super) breaker: Mutex<Breaker>,
    pub(super) in_use: AtomicBool,
    pub(super) is_troubled: AtomicBool,
    pub(super) timed_out_at: AtomicU64,
    pub(super) owed: Mutex<Owed>,
    pub(super) is_indebted: AtomicBool,
    pub(super) is_paying: AtomicBool,
    pub(super) moved: Arc<Notify>,
    pub(crate) server: Arc<Server>,
}

impl Node {
    pub(crate) fn new(name: &'static str, clock: &Clock) -> Arc<Self> {
        let breaker = breaker::Options::default();
        Arc::new(Self {
            name,
            options: NodeOptions { deadline: Duration::from_secs(1), breaker, limits: Limits { waiting: 100 } },
            clock: clock.clone(),
            counters: Counters::default(),
            speaks: AtomicU8::new(0),
            breaker: Mutex::new(Breaker::new(breaker)),
            in_use: AtomicBool::new(true),
            is_troubled: AtomicBool::new(false),
            timed_out_at: AtomicU64::new(0),
            owed: Mutex::default(),
            is_indebted: AtomicBool::new(false),
            is_paying: AtomicBool::new(false),
            moved: Arc::default(),
            server: Arc::default(),
        })
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.in_use.load(Ordering::Acquire)
    }

    /// Returns whether the breaker says the same as what those go by who only route.
    pub(crate) fn agrees_with_itself(&self) -> bool {
        let breaker = lock(&self.breaker);
        breaker.due().is_none() == self.is_in_use()
    }

    pub(crate) fn owes_nothing(&self) -> bool {
        lock(&self.owed).is_empty() && !self.is_indebted.load(Ordering::Acquire)
    }

    pub(super) fn destination(&self) -> Arc<Server> {
        Arc::clone(&self.server)
    }

    pub(super) fn forget_version(&self) {}

    pub(super) fn until(&self, most: Duration) -> u64 {
        self.clock.now().saturating_add(nanos(most))
    }

    pub(super) async fn flush(&self) -> Result<(), Failure> {
        yield_now().await;
        self.server.reached()?;
        // Before this it was given the time that it takes.
        self.server.catch_up();
        lock(&self.server.items).clear();
        Ok(())
    }

    pub(crate) async fn ask(
        self: &Arc<Self>,
        commands: &[Command<'_>],
        _lane: Lane,
        _until: u64,
    ) -> Result<Replies, Failure> {
        match self.server.carry_out(commands).await {
            Ok(replies) => {
                self.answered();
                Ok(replies)
            }
            Err(failure) => {
                self.failed(&failure, true, commands);
                Err(failure)
            }
        }
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, is_news: true }
    }
}

/// The server itself.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) is_off: AtomicBool,
    pub(crate) items: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    /// Changes that were sent and not answered, to be carried out late: each a key and, unless it is removed, its data.
    late: Mutex<Vec<(Vec<u8>, Option<Vec<u8>>)>>,
}

impl Server {
    fn reached(&self) -> Result<(), Failure> {
        if !self.is_off.load(Ordering::SeqCst) {
            return Ok(());
        }
        Err(if thread_rng().gen_ratio(1, 2) { Failure::Refused("off".into()) } else { Failure::Timeout })
    }

    async fn carry_out(&self, commands: &[Command<'_>]) -> Result<Replies, Failure> {
        if commands.is_empty() {
            return Ok(Replies::new());
        }
        yield_now().await;
        if let Err(failure) = self.reached() {
            if failure == Failure::Timeout {
                lock(&self.late).extend(commands.iter().filter_map(change));
            }
            return Err(failure);
        }
        // By threads of the server's own, sooner or later than what it is asked now.
        let is_later = thread_rng().gen_ratio(1, 2);
        if !is_later {
            self.catch_up();
        }
        let replies = commands.iter().map(|command| self.one(command)).collect();
        self.catch_up();
        yield_now().await;
        // The answer may be lost where what was asked is done.
        self.reached().map_err(|_| Failure::Closed { unsent: false, why: "off".into() })?;
        Ok(replies)
    }

    /// Carries out what it was sent before.
    fn catch_up(&self) {
        for (key, data) in std::mem::take(&mut *lock(&self.late)) {
            let mut items = lock(&self.items);
            match data {
                Some(data) => drop(items.insert(key, data)),
                None => drop(items.remove(&key)),
            }
        }
    }

    fn one(&self, command: &Command<'_>) -> Reply {
        let mut items = lock(&self.items);
        match command {
            Command::Store { key, data, .. } => {
                items.insert(key.to_vec(), data.to_vec());
                Reply::Done
            }
            Command::Delete { key, .. } if items.remove(*key).is_some() => Reply::Done,
            Command::Get { key } => match items.get(*key) {
                Some(data) => Reply::Item(Item { data: data.clone().into(), ..Item::default() }),
                None => Reply::Missing,
            },
            _ => Reply::Missing,
        }
    }
}

/// Returns the key that a command changes, and its data.
fn change(command: &Command<'_>) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    match command {
        Command::Store { key, data, .. } => Some((key.to_vec(), Some(data.to_vec()))),
        Command::Delete { key, .. } => Some((key.to_vec(), None)),
        _ => None,
    }
}

pub(crate) mod asking {
    use super::*;

    pub(crate) struct Question<'a> {
        pub(crate) node: &'a Arc<Node>,
        pub(crate) commands: &'a [Command<'a>],
        pub(crate) lane: Lane,
        pub(crate) until: u64,
    }

    impl Question<'_> {
        pub(crate) async fn ask_once(self) -> Result<Replies, Broken> {
            Ok(self.node.server.carry_out(self.commands).await?)
        }
    }
}

pub(crate) mod dial {
    use super::*;

    /// Where nobody is.
    #[derive(Clone)]
    pub(crate) struct Destination;

    impl Destination {
        pub(crate) async fn connect(&self) -> Result<tokio::io::DuplexStream, Failure> {
            Err(Failure::Refused("nobody is there".into()))
        }
    }

    /// The connections of these models need no greeting.
    pub(crate) async fn greet<S>(_stream: &mut S) -> Result<(), Failure> {
        Ok(())
    }

    pub(crate) async fn probe(server: &Arc<Server>) -> Result<(), Failure> {
        yield_now().await;
        server.reached()
    }
}

pub(crate) mod home {
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        drop(shuttle::future::spawn(task));
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
