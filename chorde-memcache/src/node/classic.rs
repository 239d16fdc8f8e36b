//! The transport for servers without meta commands: one owned connection for each batch of commands that is under way,
//! the classic commands of memcache-async on it.
//!
//! A batch runs as a task of its own on the runtime of our own thread, and its caller waits for what comes of it on any
//! executor. So a caller who is dropped leaves no half-read connection behind; and a connection on which anything went
//! wrong is not used again: not after an error, not after a timeout, not after an answer that does not fit.
//!
//! Compared with the meta transport: a batch takes a round trip for each command, and some commands take more than one
//! (`Touch`, `MarkStale`, a claim that wins); the prefix of 8 bytes counts towards the server's limit.
//!
//! Where the server does not tell its time, as some proxies, this host's own is taken for it: then the clocks of all
//! clients have to agree.

mod answer;
mod connect;
mod connection;
mod guard;
mod prefix;
mod question;
mod shape;
#[cfg(test)]
#[cfg(unix)]
mod tests;

#[cfg(feature = "testing")]
pub(crate) use guard::fuzz;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use chorde_core::{Clock, LogLimit, Sleep};
use smallvec::SmallVec;
use tokio::runtime::{Handle, Id};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use self::connect::{ServerTime, Told};
use self::connection::Connection;
use self::question::Question;
use super::dial::Destination;
use super::mux::Pending;
use crate::command::{Command, Failure, Reply};

/// After how long a connection is replaced, since the server's time is asked for only when it is made.
const LONGEST_USE: Duration = Duration::from_secs(60 * 60);

/// What a server may be burdened with, and we by it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many connections there are at most.
    pub(crate) connections: usize,
    /// How many batches wait for one of them at most.
    pub(crate) waiting: usize,
    /// The largest item that is read or stored, its prefix included; what a server announces beyond is not allocated.
    pub(crate) largest: usize,
}

/// One server, spoken to in classic commands.
#[derive(Debug)]
pub(crate) struct Classic {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    destination: Destination,
    clock: Clock,
    limits: Limits,
    /// One permit for each connection that may be in use; given in the order of asking.
    turns: Semaphore,
    /// How many batches are under way or wait.
    asked: AtomicUsize,
    /// Connections without a pending answer, each with the runtime that drives it; the last used is at the end.
    idle: Mutex<Vec<(Id, Connection)>>,
    /// Held while a connection is made: one at a time.
    dialing: tokio::sync::Mutex<()>,
    /// Whether the server closes a connection that asks for its time.
    mute: AtomicBool,
    /// Whether it was said that the server does not tell its time.
    warned: AtomicBool,
    /// Keeps what cannot be given back from filling the log.
    log_limit: LogLimit<()>,
}

/// Counts a batch for as long as it lasts.
struct Asked(Arc<Pool>);

/// What comes of a batch.
type Answer = Result<SmallVec<[Reply; 1]>, Failure>;

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 16, waiting: 1024, largest: 8 << 20 }
    }
}

impl Classic {
    pub(crate) fn new(destination: Destination, clock: Clock, limits: Limits) -> Self {
        let pool = Pool {
            destination,
            clock,
            limits,
            turns: Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)),
            asked: AtomicUsize::new(0),
            idle: Mutex::default(),
            dialing: tokio::sync::Mutex::default(),
            mute: AtomicBool::new(false),
            warned: AtomicBool::new(false),
            log_limit: LogLimit::new(),
        };
        Self { pool: Arc::new(pool) }
    }

    /// Has commands executed in their order on one connection, on the runtime `home`; each is answered, or none.
    ///
    /// # Errors
    ///
    /// At once or in the end: any [`Failure`] but `NoMeta`. Some of the commands may have been executed, save after `Refused`, `Overloaded` and
    /// `TooManyConnections`.
    ///
    /// # Cancel safety
    ///
    /// What has been sent is done to its end, so that the connection can be used again; what it wins is given back. What
    /// waits for a connection is not done.
    pub(crate) fn ask(&self, home: &Handle, commands: &[Command<'_>], deadline: Duration) -> Result<Pending, Failure> {
        let batch = commands.iter().map(Question::new).collect::<Result<Vec<_>, _>>()?;
        let asked = Asked::new(&self.pool)?;
        let deadline = self.pool.clock.sleep(deadline);
        let (answer, answered) = oneshot::channel();
        home.spawn(run(asked, batch, deadline, answer));
        Ok(Pending::new(answered))
    }
}

/// Executes a batch and says what came of it.
async fn run(asked: Asked, batch: Vec<Question>, deadline: Sleep, answer: oneshot::Sender<Answer>) {
    let pool = Arc::clone(&asked.0);
    let mut deadline = pin!(deadline);
    let replies = within(deadline.as_mut(), pool.execute(&batch, &answer)).await;
    drop(asked);
    if let Err(Ok(replies)) = answer.send(replies)
        && let Err(failure) = within(deadline, pool.give_back(&batch, &replies)).await
        && let Some(more) = pool.log_limit.admit((), pool.clock.now())
    {
        log::debug!("cannot give back what was won at {}: {failure:?}{more}", pool.destination);
    }
}

/// Drops what is not done by the deadline, and with it the connection in use.
async fn within<T>(
    mut deadline: Pin<&mut Sleep>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Pending => deadline.as_mut().poll(cx).map(|()| Err(Failure::Timeout)),
        done => done,
    })
    .await
}

impl Pool {
    /// Executes a batch when its turn comes, unless nobody waits for it by then.
    async fn execute(&self, batch: &[Question], answer: &oneshot::Sender<Answer>) -> Answer {
        let _turn = self.turn().await?;
        let mut replies = SmallVec::new();
        if answer.is_closed() {
            return Ok(replies);
        }
        let mut connection = self.connection().await?;
        for question in batch {
            replies.push(connection.answer(question).await?);
        }
        connection.send().await?;
        self.keep(connection);
        Ok(replies)
    }

    /// Gives back what was won for a caller who has gone.
    async fn give_back(&self, batch: &[Question], replies: &[Reply]) -> Result<(), Failure> {
        if !replies.iter().any(|reply| matches!(reply, Reply::Item(item) if item.won)) {
            return Ok(());
        }
        let _turn = self.turn().await?;
        let mut connection = self.connection().await?;
        for (question, reply) in batch.iter().zip(replies) {
            connection.give_back(question, reply).await?;
        }
        connection.send().await?;
        self.keep(connection);
        Ok(())
    }

    /// Waits for the right to use one more connection.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        // It is never closed.
        self.turns.acquire().await.map_err(|_| Failure::Overloaded)
    }

    /// Returns a connection without a pending answer.
    async fn connection(&self) -> Result<Connection, Failure> {
        if let Some(connection) = self.idle() {
            return Ok(connection);
        }
        let _dialing = self.dialing.lock().await;
        match self.idle() {
            Some(connection) => Ok(connection),
            None => self.open().await,
        }
    }

    /// Takes an idle connection that is fit for use; drops those that are not.
    fn idle(&self) -> Option<Connection> {
        let home = Handle::current().id();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((driver, mut connection)) = idle.pop() {
            if driver == home && connection.time().age() < LONGEST_USE && connection.is_quiet() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection without a pending answer for later.
    fn keep(&self, connection: Connection) {
        let kept = (Handle::current().id(), connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// Makes a connection.
    async fn open(&self) -> Result<Connection, Failure> {
        let mut stream = self.destination.connect().await?;
        let mut told = connect::greet(&mut stream, !self.mute.load(Ordering::Relaxed)).await?;
        if matches!(told, Told::Cut) {
            stream = self.destination.connect().await?;
            told = connect::greet(&mut stream, false).await?;
            self.mute.store(true, Ordering::Relaxed);
        }
        let time = match told {
            Told::Time(unix) => ServerTime::told(&self.clock, unix),
            Told::Nothing | Told::Cut => {
                if !self.warned.swap(true, Ordering::Relaxed) {
                    log::warn!(
                        "{} does not tell its time: the clocks of all its clients have to agree",
                        self.destination
                    );
                }
                ServerTime::own(&self.clock)
            }
        };
        Ok(Connection::new(stream, time, self.limits.largest))
    }
}

impl Asked {
    fn new(pool: &Arc<Pool>) -> Result<Self, Failure> {
        // The guard first: it takes back what is counted in vain.
        let asked = Self(Arc::clone(pool));
        let before = pool.asked.fetch_add(1, Ordering::Relaxed);
        let most = pool.limits.connections.saturating_add(pool.limits.waiting);
        if before < most { Ok(asked) } else { Err(Failure::Overloaded) }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.asked.fetch_sub(1, Ordering::Relaxed);
    }
}
