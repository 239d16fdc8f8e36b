//! One connection that all callers share: a task owns the socket, callers leave commands with it and wait for replies.
//!
//! ```text
//! callers:  ask -> lock: encode into the queue, take a place in line -> wake the task, if it sleeps -> wait
//! the task: lock: swap the queue with an empty one -> write -> read -> answer the front of the line -> sleep
//! ```
//!
//! Many callers become one write, many replies one read. The server answers in order, so that a reply belongs to the
//! front of the line; the opaque number that comes with it must say the same. Anything that does not fit ends the
//! connection: nothing after it can be trusted.
//!
//! A [`Mux`] has one life: it dials, serves, ends. Whoever holds it makes another when [`is_closed`](Mux::is_closed).

mod line;
mod queue;
mod serve;
mod timer;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chorde_core::Clock;
use smallvec::SmallVec;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::dial::Destination;
use crate::command::{Command, Failure, Reply};
use line::Line;
use queue::Shared;

/// The answers to a batch: one for each command, in their order.
pub(crate) type Replies = SmallVec<[Reply; 1]>;

/// What a connection may hold on to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many commands may wait for their reply.
    pub(crate) waiting: usize,
    /// How many bytes may wait to be written.
    pub(crate) queued: usize,
    /// The longest data that is accepted from the server.
    pub(crate) data: u32,
    /// How long the connection may take to be made.
    pub(crate) dial: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { waiting: 65_536, queued: 64 << 20, data: 64 << 20, dial: Duration::from_secs(1) }
    }
}

/// A connection to one server, from before it is made until after it has ended.
#[derive(Debug)]
pub(crate) struct Mux {
    shared: Arc<Shared>,
}

impl Mux {
    /// Begins to connect, in a task on the runtime. Commands may be left at once.
    pub(crate) fn spawn(handle: &Handle, destination: Destination, limits: Limits, clock: Clock) -> Arc<Self> {
        Self::over(handle, async move { destination.connect().await }, limits, clock)
    }

    /// Does the same with any kind of stream.
    pub(crate) fn over<S>(
        handle: &Handle,
        connect: impl Future<Output = Result<S, Failure>> + Send + 'static,
        limits: Limits,
        clock: Clock,
    ) -> Arc<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let shared = Arc::new(Shared::new(limits, clock));
        // Where the runtime is shut down, the task is dropped at once and this ends what waits.
        let line = Line::new(Arc::clone(&shared));
        handle.spawn(serve::run(connect, line));
        Arc::new(Self { shared })
    }

    /// Leaves a batch of commands, which are answered together or fail together.
    ///
    /// # Errors
    ///
    /// [`Failure::Overloaded`] beyond the limits; when the connection has ended, why it has, as of commands that were
    /// not sent.
    pub(crate) fn ask(&self, commands: &[Command<'_>], deadline: Duration) -> Result<Pending, Failure> {
        let (answer, pending) = oneshot::channel();
        self.shared.push(commands, deadline, answer)?;
        Ok(Pending::new(pending))
    }

    /// Returns whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}

impl Drop for Mux {
    fn drop(&mut self) {
        self.shared.orphan();
    }
}

/// Yields the answers to a batch.
///
/// # Cancel safety
///
/// May be dropped at any time: what was not sent may stay unsent, and a reply that still comes is thrown away.
#[derive(Debug)]
pub(crate) struct Pending(Option<oneshot::Receiver<Result<Replies, Failure>>>);

impl Pending {
    pub(super) fn new(answer: oneshot::Receiver<Result<Replies, Failure>>) -> Self {
        Self(Some(answer))
    }
}

impl Future for Pending {
    type Output = Result<Replies, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(receiver) = &mut self.0 else { return Poll::Ready(Err(gone())) };
        Pin::new(receiver).poll(cx).map(|answer| {
            self.0 = None;
            answer.unwrap_or_else(|_| Err(gone()))
        })
    }
}

/// Makes the failure of a batch that was dropped without an answer.
fn gone() -> Failure {
    Failure::Closed { unsent: false, why: "the task of the connection is gone".into() }
}

#[cfg(test)]
mod tests;
