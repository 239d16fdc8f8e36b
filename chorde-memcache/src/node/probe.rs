//! A single connection as the benchmarks use it: no cluster, no envelope.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chorde_core::Clock;
use tokio::runtime::Handle;

use super::mux::{Limits, Mux};
use crate::command::{Command, Failure, How, Life, Reply};
use crate::server::Address;

/// Longer than anything takes that is measured, on any machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks one server over one connection; for benchmarks only.
#[derive(Clone, Debug)]
pub struct Probe(Arc<Mux>);

impl Probe {
    /// Begins to connect, in a task on the runtime.
    #[must_use]
    pub fn new(handle: &Handle, address: Address) -> Self {
        let limits = Limits { dial: DEADLINE, ..Limits::default() };
        Self(Mux::spawn(handle, address.into(), limits, Clock::system()))
    }

    /// Reads the data of an item.
    ///
    /// # Errors
    ///
    /// What failed, in words.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, String> {
        let mut replies = self.ask(&[Command::Get { key }]).await?;
        Ok(replies.pop().flatten())
    }

    /// Reads the data of several items in one batch.
    ///
    /// # Errors
    ///
    /// What failed, in words.
    pub async fn get_multi(&self, keys: &[impl AsRef<[u8]>]) -> Result<Vec<Option<Bytes>>, String> {
        let commands: Vec<_> = keys.iter().map(|key| Command::Get { key: key.as_ref() }).collect();
        Ok(self.ask(&commands).await?.into_vec())
    }

    /// Stores data for an hour.
    ///
    /// # Errors
    ///
    /// What failed, in words.
    pub async fn put(&self, key: &[u8], data: Bytes) -> Result<(), String> {
        let store = Command::Store { key, data, flags: 0, life: Life(3600), how: How::Set };
        self.ask(&[store]).await.map(drop)
    }

    async fn ask(&self, commands: &[Command<'_>]) -> Result<smallvec::SmallVec<[Option<Bytes>; 1]>, String> {
        let failed = |failure: Failure| format!("{failure:?}");
        let replies = self.0.ask(commands, DEADLINE).map_err(failed)?.await.map_err(failed)?;
        let data = replies.into_iter().map(|reply| match reply {
            Reply::Item(item) => Some(item.data),
            _ => None,
        });
        Ok(data.collect())
    }
}
