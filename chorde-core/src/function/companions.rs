//! What a cached function and each of its companions do, in the order in which users meet them.

use std::future::Future;

use serde::Serialize;

use super::callbacks::Placeholder;
use super::instance::Instance;
use super::site::{Live, Site};
use super::values::{Shape, ValueMap};
use crate::client::{Client, ReadOptions, Token, WriteOptions};
use crate::engine::background::{Job, Ticket, submit};
use crate::engine::decide::{Decision, decide};
use crate::engine::{Drive, End, Mode, Run, Scene};
use crate::entry::{Entry, Lookup};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;
use crate::policy::CallPolicy;

/// A call site in action: one function, with its generic arguments, through one client, on the terms of one policy.
pub struct At<'a, C, M> {
    live: &'static Live,
    instance: &'static Instance,
    client: &'a C,
    maps: M,
    policy: &'a CallPolicy,
}

impl<C, M> std::fmt::Debug for At<'_, C, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("At").field("function", &self.live.description.name).finish_non_exhaustive()
    }
}

/// What the hit path says.
#[derive(Debug)]
pub enum Looked<R, S> {
    /// The value is there and is not due.
    Hit(R),
    /// There is more to be done.
    Slow(Slow<S>),
}

/// What the hit path found where that was not enough.
#[derive(Debug)]
pub struct Slow<S> {
    key: Result<Key>,
    found: Found<S>,
}

#[derive(Debug)]
enum Found<S> {
    /// A valid entry that is due.
    Due(S),
    /// Nothing valid, or nothing that the client could tell at once.
    Nothing,
}

/// A key ready for the client, or the reason why there is none.
#[derive(Debug)]
pub struct Prepared(Result<Key>);

/// Stands for the background job of calls that are never due.
#[must_use]
pub fn no_behind<A>() -> Option<fn(A) -> Job> {
    None
}

/// Stands for the copy of arguments that cannot be copied.
#[must_use]
pub fn no_echo<A>() -> Option<fn(&A) -> Option<()>> {
    None
}

impl<'a, C, M: ValueMap> At<'a, C, M> {
    /// Puts a call together.
    #[inline]
    pub fn new(site: &'static Site, tag: &[&'static str], client: &'a C, maps: M, policy: &'a CallPolicy) -> Self
    where
        C: Client<M::Stored>,
    {
        let live = site.live();
        Self { live, instance: live.instance(tag), client, maps, policy }
    }

    /// Makes a key ready.
    pub fn prepare<K: Serialize + ?Sized>(&self, key: &K) -> Prepared {
        Prepared(self.instance.key(key))
    }

    /// Returns the key of a call, as the client knows it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`] when the key cannot be serialised.
    pub fn callkey<K: Serialize + ?Sized>(&self, key: &K) -> Result<Key> {
        self.instance.key(key)
    }

    /// Returns the namespace of the function's keys.
    #[must_use]
    pub fn namespace(&self) -> String {
        self.instance.name()
    }
}

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// Serves a valid entry that is not due, at once; everything else is for [`finish`](Self::finish).
    #[inline(always)]
    pub fn look<K: Serialize + ?Sized>(&self, key: &K) -> Looked<M::Return, M::Stored> {
        self.look_by(self.policy, key)
    }

    /// Does the same, with entries due at half of their ttl if the function has no refresh point.
    pub fn look_bg<K: Serialize + ?Sized>(&self, key: &K) -> Looked<M::Return, M::Stored> {
        self.look_by(&self.policy.due_at_half(), key)
    }

    #[inline(always)]
    fn look_by<K: Serialize + ?Sized>(&self, policy: &CallPolicy, key: &K) -> Looked<M::Return, M::Stored> {
        let probe = match self.instance.probe(key) {
            Ok(probe) => probe,
            Err(error) => return Looked::Slow(Slow { key: Err(error), found: Found::Nothing }),
        };
        if let Some(Lookup::Held(entry)) = self.client.look(&probe, ReadOptions::new()) {
            match decide(Some(entry.vitals()), policy) {
                Decision::Serve => {
                    self.live.counters.hits.increment();
                    return Looked::Hit(self.maps.serve(entry.value));
                }
                Decision::ServeAndRefresh => return self.slow(key, Found::Due(entry.value)),
                Decision::Compute => {}
            }
        }
        self.slow(key, Found::Nothing)
    }

    #[cold]
    fn slow<K: Serialize + ?Sized>(&self, key: &K, found: Found<M::Stored>) -> Looked<M::Return, M::Stored> {
        Looked::Slow(Slow { key: self.instance.key(key), found })
    }

    /// Ends a plain call that the hit path could not.
    pub async fn finish<A, F, Fut, B, E, O>(
        &self,
        slow: Slow<M::Stored>,
        args: A,
        compute: F,
        behind: Option<B>,
        echo: Option<E>,
    ) -> M::Return
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let Some(key) = self.usable(slow.key) else {
            return self.scene().without_cache(Run { args, compute, echo }).await;
        };
        if let Found::Due(stored) = slow.found {
            self.live.counters.due_hits.increment();
            self.send(&key, args, behind, Why::Due);
            return self.maps.serve(stored);
        }
        let stand_in = |args: &A| self.placeholder(echo.as_ref()?, args);
        let drive = Drive { scene: self.scene(), key: &key };
        let run = Run { args, compute, echo: echo.as_ref() };
        match drive.run(Mode::Call, run, stand_in).await {
            End::Returned(returned) => returned,
            End::Due(stored, token, args) => {
                self.send(&key, args, behind, Why::Claimed(token));
                self.maps.serve(stored)
            }
            End::Idle => unreachable!("a plain call always ends with a value"),
        }
    }

    fn placeholder<A, O: 'static>(&self, echo: &impl Fn(&A) -> Option<O>, args: &A) -> Option<M::Value> {
        if !self.live.placeholder.any() {
            return None;
        }
        let args = echo(args)?;
        let mut value = None;
        self.live.placeholder.each(|stand_in: &Placeholder<M::Value, O>| value = Some(stand_in(&args)));
        value
    }

    /// Computes whatever the client holds; calls that come while one computes share the next.
    pub async fn refresh<A, F, Fut, E, O>(
        &self,
        key: Prepared,
        args: A,
        compute: F,
        echo: Option<E>,
    ) -> M::Return
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let run = Run { args, compute, echo };
        let Some(key) = self.usable(key.0) else { return self.scene().without_cache(run).await };
        let drive = Drive { scene: self.scene(), key: &key };
        match drive.run(Mode::Refresh, run, |_| None).await {
            End::Returned(returned) => returned,
            End::Due(..) | End::Idle => unreachable!("a refresh always ends with a value of its own"),
        }
    }

    /// Does the work of a background job.
    pub async fn behind<A, F, Fut, E, O>(
        &self,
        mut ticket: Ticket,
        key: Prepared,
        args: A,
        compute: F,
        echo: Option<E>,
    ) where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let Some(key) = self.usable(key.0) else { return };
        if ticket.is_forced {
            // From here on, others line up for the next flight.
            ticket.hold = Box::new(());
        }
        let drive = Drive { scene: self.scene(), key: &key };
        let run = drive.run(Mode::Behind(ticket), Run { args, compute, echo }, |_| None);
        let failed = match crate::engine::runtime::catch(run).await {
            Ok(End::Returned(returned)) => self.maps.shape().split(returned).is_err(),
            Ok(End::Due(..) | End::Idle) => false,
            Err(_) => true,
        };
        if failed {
            log::warn!("{}: a background computation failed; the entry stays as it was", self.live.description.name);
        }
    }

    /// Looks, and never computes.
    pub async fn peek(&self, key: Prepared) -> Option<M::Value> {
        let key = self.usable_quietly(key.0)?;
        let entry = self.held(&key, self.policy.lazy_tiers).await?;
        (!entry.is_stale()).then(|| self.maps.decode(entry.value))
    }

    /// Looks, and has computed in the background what is absent or due.
    pub async fn lazy<A, B>(&self, key: Prepared, args: A, behind: Option<B>) -> Option<M::Value>
    where
        B: FnOnce(A) -> Job,
    {
        let key = self.usable(key.0)?;
        let counters = &self.live.counters;
        let entry = self.held(&key, self.policy.lazy_tiers).await;
        match decide(entry.as_ref().map(Entry::vitals), self.policy) {
            Decision::Serve => counters.hits.increment(),
            Decision::ServeAndRefresh => {
                counters.due_hits.increment();
                self.send(&key, args, behind, Why::Due);
            }
            Decision::Compute => {
                counters.misses.increment();
                self.send(&key, args, behind, Why::Due);
                return None;
            }
        }
        entry.map(|entry| self.maps.decode(entry.value))
    }

    /// Returns the entry, a stale one included.
    pub async fn get_ttl(&self, key: Prepared) -> Option<Entry<M::Value>> {
        let key = self.usable_quietly(key.0)?;
        let entry = self.held(&key, usize::MAX).await?;
        Some(entry.map(|stored| self.maps.decode(stored)))
    }

    /// Has the key computed in the background, whatever the client holds.
    pub fn bg_refresh<A, B>(&self, key: Prepared, args: A, behind: Option<B>)
    where
        B: FnOnce(A) -> Job,
    {
        if let Some(key) = self.usable(key.0) {
            self.send(&key, args, behind, Why::Forced);
        }
    }

    /// Stores a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`] when the key cannot be serialised, and what the client reports.
    pub async fn put(&self, key: Prepared, value: M::Value) -> Result<()> {
        let key = key.0?;
        self.live.flights.supersede(&self.drive(&key).flight_key()).await;
        let life = self.policy.life(fastrand::f64());
        self.client.put_entry(&key, self.maps.encode(value), life, WriteOptions::new()).await
    }

    /// Removes an entry.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put).
    pub async fn invalidate(&self, key: Prepared) -> Result<()> {
        let key = key.0?;
        self.live.flights.supersede(&self.drive(&key).flight_key()).await;
        self.client.delete_entry(&key).await.map(|_| ())
    }

    /// Marks an entry as stale and keeps it.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put).
    pub async fn expire(&self, key: Prepared) -> Result<()> {
        let key = key.0?;
        self.live.flights.supersede(&self.drive(&key).flight_key()).await;
        self.client.expire_entry(&key).await.map(|_| ())
    }

    /// Forgets all entries of the function, with whatever generic arguments.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] when the function has no namespace, and what the client reports.
    pub async fn clear(&self) -> Result<()> {
        let Some(path) = self.instance.of_function() else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "a function with `namespace = none` cannot tell its entries from others: give it a namespace, or clear its client",
            ));
        };
        self.live.flights.supersede_all(self.client.identity().id()).await;
        self.client.clear_namespace(path).await
    }

    fn scene(&self) -> Scene<'_, C, M> {
        Scene { live: self.live, client: self.client, maps: &self.maps, policy: self.policy }
    }

    fn drive<'b>(&'b self, key: &'b Key) -> Drive<'b, C, M> {
        Drive { scene: self.scene(), key }
    }

    /// Returns the key, or counts that there is none.
    fn usable(&self, key: Result<Key>) -> Option<Key> {
        if key.is_err() {
            self.live.counters.key_errors.increment();
        }
        self.usable_quietly(key)
    }

    fn usable_quietly(&self, key: Result<Key>) -> Option<Key> {
        key.inspect_err(|error| log::warn!("{}: {error}", self.live.description.name)).ok()
    }

    /// Returns what the client holds; its failure is a miss.
    async fn held(&self, key: &Key, tiers: usize) -> Option<Entry<M::Stored>> {
        let mut options = ReadOptions::new().max_tiers(tiers);
        if let Some(known) = self.client.look(&key.probe(), options) {
            return known.into_entry();
        }
        let hear = |key: &Key, stored: &M::Stored, remaining: std::time::Duration| {
            self.live.promoted(key, &self.maps.decode(stored.clone()), remaining);
        };
        if self.live.on_promote.any() {
            options = options.on_promote(&hear);
        }
        match self.client.get_entry(key, options).await {
            Ok(entry) => entry,
            Err(error) => {
                self.live.failed("read", &error);
                None
            }
        }
    }

    /// Sends a job to the background, unless one for the key is on its way.
    fn send<A>(&self, key: &Key, args: A, behind: Option<impl FnOnce(A) -> Job>, why: Why) {
        let Some(behind) = behind else { return };
        let flight_key = self.drive(key).flight_key();
        let is_forced = matches!(why, Why::Forced);
        if !is_forced && self.live.flights.is_flying(&flight_key) {
            return;
        }
        let Some(hold) = self.live.hold(flight_key, is_forced) else { return };
        let claim = if let Why::Claimed(token) = why { Some(token) } else { None };
        let ticket = Ticket { is_forced, claim, hold: Box::new(hold) };
        match submit(behind(args).into_task(ticket)) {
            Ok(()) => self.live.counters.background.increment(),
            Err(refused) => {
                self.live.counters.refused.increment();
                log::debug!("{}: {refused}", self.live.description.name);
            }
        }
    }
}

/// Says why a background job is sent.
enum Why {
    /// What is stored is due or absent.
    Due,
    /// The same, and the client has granted the claim.
    Claimed(Token),
    /// The user said so.
    Forced,
}
