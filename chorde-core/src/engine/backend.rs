//! The client as the engine sees it: one function's values, without their type.
//!
//! The engine is compiled once, not for every function and every type of value. What it moves are [`Cargo`]s; this module
//! is where they are loaded and unloaded.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::drive::Made;
use crate::client::{Claim, ClaimOptions, Client, Computed, Identity, ReadOptions, Token};
use crate::entry::{Entry, Lookup};
use crate::error::{Error, ErrorKind, Result};
use crate::flight::Cargo;
use crate::key::Key;
use crate::namespace::Namespace;
use crate::policy::CallPolicy;
use crate::site::{Instance, ValueMap};

/// What an operation returns.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// The operations of a client that the engine needs.
pub(crate) trait Backend: Send + Sync {
    fn identity(&self) -> &Identity;
    /// Returns which revision of its namespaces the key has, as far as the client knows.
    fn revision(&self, key: &Key) -> u64;
    /// Returns whether the client was told of it recently, so that it need not be asked for.
    fn is_current(&self, key: &Key) -> bool;
    /// Has the client ask for it if it was not told recently.
    fn learn_revision<'a>(&'a self, key: &'a Key) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
    /// Returns the valid value that the client can tell of at once.
    fn held(&self, key: &Key, policy: &CallPolicy) -> Option<Cargo>;
    /// Returns in which ticks the client counts time.
    fn resolution(&self) -> Duration;
    /// Returns whether other processes see what is stored.
    fn is_shared(&self) -> bool;
    /// Returns whether no operation of the client has to be waited for.
    fn answers_at_once(&self) -> bool;
    /// Reads the valid value.
    fn read<'a>(&'a self, key: &'a Key, policy: &'a CallPolicy) -> Answer<'a, Option<Cargo>>;
    /// Returns whether it is known at once that a claim is won, as nothing is held.
    fn is_absent(&self, key: &Key) -> bool;
    /// Claims, if the client answers at once.
    fn claim_at_once(&self, key: &Key, policy: &CallPolicy) -> Option<Result<Claim<Cargo>>>;
    /// Fills, for a client that answers at once.
    fn fill_at_once(&self, key: &Key, token: Token, made: &Made<'_>, revision: u64) -> Result<bool>;
    /// Deletes, likewise.
    fn delete_at_once(&self, key: &Key) -> Result<bool>;
    /// Claims; notes in `holder` who computes elsewhere.
    fn claim<'a>(&'a self, key: &'a Key, policy: &'a CallPolicy, holder: &'a AtomicU64) -> Answer<'a, Claim<Cargo>>;
    fn fill<'a>(&'a self, key: &'a Key, token: Token, value: Cargo, stored: (Duration, Computed)) -> Answer<'a, bool>;
    /// Stores where nothing valid is.
    fn add<'a>(&'a self, key: &'a Key, value: Cargo, ttl: Duration) -> Answer<'a, bool>;
    /// Marks a key as being refreshed, for that long; `false` where another process has. `value` is what is held.
    fn mark<'a>(&'a self, key: &'a Key, value: Cargo, lasting: Duration) -> Answer<'a, bool>;
    /// Takes the mark away.
    fn unmark<'a>(&'a self, key: &'a Key) -> Answer<'a, bool>;
    fn delete<'a>(&'a self, key: &'a Key) -> Answer<'a, bool>;
    fn release(&self, key: &Key, token: Token);
}

/// A client with the types of one function.
pub(crate) struct Backed<'a, C, M> {
    pub(crate) live: &'static Instance,
    pub(crate) client: &'a C,
    pub(crate) maps: &'a M,
}

impl<M: ValueMap, C: Client<M::Stored>> Backend for Backed<'_, C, M> {
    fn identity(&self) -> &Identity {
        self.client.identity()
    }

    fn revision(&self, key: &Key) -> u64 {
        self.client.revision(&key.probe()).stamp()
    }

    fn is_current(&self, key: &Key) -> bool {
        self.client.revision(&key.probe()).is_current
    }

    fn learn_revision<'a>(&'a self, key: &'a Key) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            self.client.current_revision(key).await;
        })
    }

    fn held(&self, key: &Key, policy: &CallPolicy) -> Option<Cargo> {
        let entry = self.client.look(&key.probe(), ReadOptions::new()).and_then(Lookup::into_entry)?.within(policy);
        (!entry.is_stale()).then(|| load(entry.value))
    }

    fn resolution(&self) -> Duration {
        self.client.resolution()
    }

    fn is_shared(&self) -> bool {
        self.client.is_shared()
    }

    fn answers_at_once(&self) -> bool {
        self.client.answers_at_once()
    }

    fn read<'a>(&'a self, key: &'a Key, policy: &'a CallPolicy) -> Answer<'a, Option<Cargo>> {
        Box::pin(async move {
            let entry = self.entry(key, policy).await?;
            Ok(entry.filter(|entry| !entry.is_stale()).map(|entry| load(entry.value)))
        })
    }

    fn is_absent(&self, key: &Key) -> bool {
        self.client.is_absent(&key.probe())
    }

    fn claim_at_once(&self, key: &Key, policy: &CallPolicy) -> Option<Result<Claim<Cargo>>> {
        self.client.answers_at_once().then(|| at_once(self.claiming(key, policy, None)))
    }

    fn fill_at_once(&self, key: &Key, token: Token, made: &Made<'_>, revision: u64) -> Result<bool> {
        match made.value.downcast_ref::<M::Stored>() {
            Some(stored) => {
                let computed = Computed::new(made.at, revision);
                at_once(self.client.fill_at(key, token, stored.clone(), made.ttl, computed))
            }
            None => Ok(false),
        }
    }

    fn delete_at_once(&self, key: &Key) -> Result<bool> {
        at_once(self.client.delete_entry(key))
    }

    fn claim<'a>(&'a self, key: &'a Key, policy: &'a CallPolicy, holder: &'a AtomicU64) -> Answer<'a, Claim<Cargo>> {
        Box::pin(self.claiming(key, policy, Some(holder)))
    }

    fn fill<'a>(
        &'a self,
        key: &'a Key,
        token: Token,
        value: Cargo,
        (life, computed): (Duration, Computed),
    ) -> Answer<'a, bool> {
        Box::pin(async move {
            match value.downcast_ref::<M::Stored>() {
                Some(stored) => {
                    self.live.counted(self.client.fill_at(key, token, stored.clone(), life, computed)).await
                }
                None => Ok(false),
            }
        })
    }

    fn add<'a>(&'a self, key: &'a Key, value: Cargo, ttl: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            match value.downcast_ref::<M::Stored>() {
                Some(stored) => self.live.counted(self.client.add_entry(key, stored.clone(), ttl)).await,
                None => Ok(false),
            }
        })
    }

    fn mark<'a>(&'a self, key: &'a Key, value: Cargo, lasting: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            match value.downcast_ref::<M::Stored>() {
                Some(stored) => self.live.counted(self.client.add_entry(&marker(key), stored.clone(), lasting)).await,
                None => Ok(true),
            }
        })
    }

    fn unmark<'a>(&'a self, key: &'a Key) -> Answer<'a, bool> {
        Box::pin(async move { self.live.counted(self.client.delete_entry(&marker(key))).await })
    }

    fn delete<'a>(&'a self, key: &'a Key) -> Answer<'a, bool> {
        Box::pin(self.live.counted(self.client.delete_entry(key)))
    }

    fn release(&self, key: &Key, token: Token) {
        self.client.release(key, token);
    }
}

impl<M: ValueMap, C: Client<M::Stored>> Backed<'_, C, M> {
    /// Reads the entry as a call with this ttl sees it.
    async fn entry(&self, key: &Key, policy: &CallPolicy) -> Result<Option<Entry<M::Stored>>> {
        let entry = self.live.counted(self.client.get_entry(key, ReadOptions::new())).await?;
        Ok(entry.map(|entry| entry.within(policy)))
    }

    async fn claiming(&self, key: &Key, policy: &CallPolicy, holder: Option<&AtomicU64>) -> Result<Claim<Cargo>> {
        let hear = |key: &Key, stored: &M::Stored, remaining: Duration| {
            self.live.promoted(key, &self.maps.decode(stored.clone()), remaining);
        };
        let mut read = ReadOptions::new();
        if self.live.on_promote.any() {
            read = read.on_promote(&hear);
        }
        let mut options = ClaimOptions::of_call(policy).reading(read);
        if let Some(holder) = holder {
            options = options.noting(holder);
        }
        Ok(self.live.counted(self.client.claim(key, options)).await?.within(policy).map(load))
    }
}

/// Returns the key of the entry that says that a key is being refreshed: an entry of its own, for nothing makes the value live
/// longer.
fn marker(key: &Key) -> Key {
    key.within(&Namespace::refreshing())
}

/// Takes the answer of a client that answers at once.
fn at_once<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => Err(Error::new(
            ErrorKind::Unavailable,
            "the client says that it answers at once, and has to be waited for: let its `answers_at_once` return false",
        )),
    }
}

fn load<S: Send + Sync + 'static>(stored: S) -> Cargo {
    Arc::new(stored)
}

/// Takes a value out of a cargo, if it is of that type.
pub(crate) fn unload<S: Clone + Send + Sync + 'static>(cargo: Cargo) -> Option<S> {
    let stored = cargo.downcast::<S>().ok()?;
    Some(Arc::try_unwrap(stored).unwrap_or_else(|shared| (*shared).clone()))
}
