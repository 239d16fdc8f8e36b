//! Stands for `mux.rs`, whose unit tests need all of the crate: the task is handed out instead of spawned.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::Clock;
use smallvec::SmallVec;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

use super::line::Line;
use super::queue::Shared;
use super::serve;
use crate::command::{Command, Failure, Reply};

pub(crate) type Replies = SmallVec<[Reply; 1]>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) waiting: usize,
    pub(crate) queued: usize,
    pub(crate) data: u32,
    pub(crate) dial: Duration,
}

pub(crate) struct Mux(Arc<Shared>);

impl Mux {
    /// Makes a connection, and the task that serves it.
    pub(crate) fn new<S>(
        connect: impl Future<Output = Result<S, Failure>> + Send + 'static,
        limits: Limits,
        clock: Clock,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send + 'static)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let shared = Arc::new(Shared::new(limits, clock));
        let line = Line::new(Arc::clone(&shared));
        (Arc::new(Self(shared)), serve::run(connect, line))
    }

    pub(crate) fn ask(
        &self,
        commands: &[Command<'_>],
        deadline: Duration,
    ) -> Result<oneshot::Receiver<Result<Replies, Failure>>, Failure> {
        let (answer, pending) = oneshot::channel();
        self.0.push(commands, deadline, answer)?;
        Ok(pending)
    }
}

impl Drop for Mux {
    fn drop(&mut self) {
        self.0.orphan();
    }
}
