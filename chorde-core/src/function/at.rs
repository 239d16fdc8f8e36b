//! What a cached function and each of its companions do, in the order in which users meet them.

use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::client::{Client, ReadOptions, Token, WriteOptions};
use crate::decide::{Decision, decide};
use crate::engine::background::{Job, Task, Ticket, submit};
use crate::engine::runtime::{catch, compute as run};
use crate::engine::{Backed, Brought, Drive, Entered, Lead, Mode, unload};
use crate::entry::{Entry, Lookup};
use crate::error::{Error, ErrorKind, Result};
use crate::flight::{Cargo, FlightKey, Leader};
use crate::key::{Key, Probe};
use crate::policy::{CallPolicy, RefreshPoint};
use crate::site::callbacks::Placeholder;
use crate::site::{Hold, Instance, Live, Shape, Site, ValueMap};

/// A call site in action: one function, with its generic arguments, through one client, on the terms of one policy.
pub struct At<'a, C, M> {
    live: &'static Live,
    instance: &'static Instance,
    client: C,
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
    /// There is more to be done. Boxed: what a call that waits keeps of it would lie in its future twice.
    Slow(Box<Slow<S>>),
}

/// What the hit path found where that was not enough.
#[derive(Debug)]
pub struct Slow<S> {
    key: Result<Key>,
    found: Found<S>,
    /// When entries are due, for clients that could not tell at once.
    refresh: RefreshPoint,
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

impl<S> Slow<S> {
    /// Returns the key, to look again later.
    pub(super) fn into_prepared(self) -> Prepared {
        Prepared(self.key)
    }
}

impl<'a, C, M: ValueMap> At<'a, C, M> {
    /// Puts a call together.
    #[inline]
    pub fn new(site: &'static Site, tag: &[&'static str], client: C, maps: M, policy: &'a CallPolicy) -> Self
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

    /// Returns whether somebody wants to know the arguments of what is computed.
    pub(super) fn tells_arguments(&self) -> bool {
        self.live.on_value.any() || self.live.placeholder.any()
    }

    /// Returns what copies the arguments for those who want to know them.
    pub(super) fn copier<O: 'static>(&self) -> Option<fn(&O) -> Option<O>> {
        self.live.copier.get().and_then(|copier| copier.downcast_ref().copied())
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
    #[inline(never)]
    pub fn look<K: Serialize + ?Sized>(&self, key: &K) -> Looked<M::Return, M::Stored> {
        self.look_by(self.policy, key)
    }

    /// Does the same, with entries due at half of their ttl if the function has no refresh point.
    pub fn look_bg<K: Serialize + ?Sized>(&self, key: &K) -> Looked<M::Return, M::Stored> {
        self.look_by(&self.policy.due_at_half(), key)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn look_by<K: Serialize + ?Sized>(&self, policy: &CallPolicy, key: &K) -> Looked<M::Return, M::Stored> {
        let served = match self.instance.probe(key) {
            Ok(probe) => self.fresh(policy, &probe),
            Err(_) => None,
        };
        match served {
            Some(hit) => Looked::Hit(hit),
            None => self.look_closer(policy, self.instance.key(key)),
        }
    }

    /// Returns a valid value that is not due.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn fresh(&self, policy: &CallPolicy, probe: &Probe<'_>) -> Option<M::Return> {
        let stored = self.client.look_fresh(probe, policy)?;
        self.live.counters.hits.increment();
        Some(self.maps.serve(stored))
    }

    /// Looks again for what an earlier look did not find.
    pub(super) fn look_again(&self, earlier: Prepared) -> Looked<M::Return, M::Stored> {
        match earlier.0.as_ref().ok().and_then(|key| self.fresh(self.policy, &key.probe())) {
            Some(hit) => Looked::Hit(hit),
            None => self.look_closer(self.policy, earlier.0),
        }
    }

    /// Finds out what there is where no fresh value is.
    #[cold]
    fn look_closer(&self, policy: &CallPolicy, key: Result<Key>) -> Looked<M::Return, M::Stored> {
        let known = key.as_ref().ok().and_then(|key| self.client.look(&key.probe(), ReadOptions::new()));
        let entry = known.and_then(Lookup::into_entry);
        let found = match decide(entry.as_ref().map(Entry::vitals), policy) {
            Decision::Compute => Found::Nothing,
            Decision::ServeAndRefresh => entry.map_or(Found::Nothing, |entry| Found::Due(entry.value)),
            Decision::Serve => {
                // Somebody has stored it since.
                if let Some(entry) = entry {
                    self.live.counters.hits.increment();
                    return Looked::Hit(self.maps.serve(entry.value));
                }
                Found::Nothing
            }
        };
        Looked::Slow(Box::new(Slow { key, found, refresh: policy.refresh }))
    }

    /// Ends a plain call that the hit path could not.
    #[expect(clippy::boxed_local, reason = "the caller would keep it in its future otherwise")]
    pub fn finish<A, F, Fut, B, E, O>(
        self,
        slow: Box<Slow<M::Stored>>,
        args: A,
        compute: F,
        behind: Option<B>,
        echo: Option<E>,
    ) -> impl Future<Output = M::Return>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let Slow { key, found, refresh } = *slow;
        let key = self.usable(key);
        async move {
            let Some(key) = &key else { return self.compute(None, None, args, compute, echo).await };
            if let Found::Due(stored) = found {
                self.live.counters.due_hits.increment();
                self.send(key, args, behind, Why::Due(refresh));
                return self.maps.serve(stored);
            }
            let (backed, other) = (self.backed(), self.policy_from(refresh));
            let policy = other.as_deref().unwrap_or(self.policy);
            let drive = Drive { live: self.live, backend: &backed, policy, key };
            let mut entered = drive.enter(Mode::Call, self.live.placeholder.any()).await;
            if matches!(entered, Entered::Wait) {
                if let Some(value) = echo.as_ref().and_then(|echo| self.placeholder(echo, &args)) {
                    self.live.counters.misses.increment();
                    return self.maps.shape().join(value);
                }
                entered = drive.enter(Mode::Call, false).await;
            }
            match entered {
                Entered::Compute(lead) => self.compute(Some(drive), Some(lead), args, compute, echo).await,
                Entered::Due(cargo, token) => match unload(cargo) {
                    Some(stored) => {
                        self.send(key, args, behind, Why::Claimed(refresh, token));
                        self.maps.serve(stored)
                    }
                    None => self.compute(None, None, args, compute, echo).await,
                },
                entered => match self.served(entered) {
                    Some(returned) => returned,
                    None => self.compute(None, None, args, compute, echo).await,
                },
            }
        }
    }

    /// Returns what another call computed; `None` if it is not of this function's types.
    fn served(&self, entered: Entered<'_>) -> Option<M::Return> {
        match entered {
            Entered::Serve(served) => served.unload().map(|stored| self.maps.serve(stored)),
            Entered::Raise(cargo) => self.maps.shape().shared(&cargo).map(|error| self.maps.shape().raise(error)),
            Entered::Compute(_) | Entered::Due(..) | Entered::Wait | Entered::Idle => None,
        }
    }

    fn placeholder<A, O: 'static>(&self, echo: &impl Fn(&A) -> Option<O>, args: &A) -> Option<M::Value> {
        let args = echo(args)?;
        let mut value = None;
        self.live.placeholder.each(|stand_in: &Placeholder<M::Value, O>| value = Some(stand_in(&args)));
        value
    }

    /// Computes whatever the client holds; calls that come while one computes share the next.
    pub async fn refresh<A, F, Fut, E, O>(&self, key: Prepared, args: A, compute: F, echo: Option<E>) -> M::Return
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let Some(key) = self.usable(key.0) else { return self.compute(None, None, args, compute, echo).await };
        let backed = self.backed();
        let drive = Drive { live: self.live, backend: &backed, policy: self.policy, key: &key };
        match drive.enter(Mode::Refresh, false).await {
            Entered::Compute(lead) => self.compute(Some(drive), Some(lead), args, compute, echo).await,
            entered => match self.served(entered) {
                Some(returned) => returned,
                None => self.compute(None, None, args, compute, echo).await,
            },
        }
    }

    /// Does the work of a background job.
    pub async fn behind<A, F, Fut, E, O>(&self, mut ticket: Ticket, args: A, compute: F, echo: Option<E>)
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let key = ticket.key.clone();
        // Forced jobs let go of the key as they start: from there on, others line up for the next flight. All others
        // keep the key until they end.
        let hold = std::mem::replace(&mut ticket.hold, Box::new(()));
        let _hold = (!ticket.is_forced).then_some(hold);
        let (backed, other) = (self.backed(), self.policy_from(ticket.refresh));
        let policy = other.as_deref().unwrap_or(self.policy);
        let drive = Drive { live: self.live, backend: &backed, policy, key: &key };
        let Entered::Compute(lead) = drive.enter(Mode::Behind(Box::new(ticket)), false).await else { return };
        let ended = catch(self.computing(Some(drive), Some(lead), args, compute, echo)).await;
        if !ended.is_ok_and(|returned| self.maps.shape().split(returned).is_ok()) {
            log::warn!("{}: a background computation failed; the entry stays as it was", self.live.description.name);
        }
    }

    /// Runs the user's function and, where it leads a flight, settles that. Boxed, so that thousands who wait are small.
    fn compute<A, F, Fut, E, O>(
        &self,
        drive: Option<Drive<'_>>,
        lead: Option<Lead<'_>>,
        args: A,
        compute: F,
        echo: Option<E>,
    ) -> Pin<Box<impl Future<Output = M::Return>>>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        Box::pin(self.computing(drive, lead, args, compute, echo))
    }

    /// Runs the user's function and, where it leads a flight, settles that; tells who wants to hear of values.
    async fn computing<A, F, Fut, E, O>(
        &self,
        drive: Option<Drive<'_>>,
        lead: Option<Lead<'_>>,
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
        let echo = echo.filter(|_| self.live.on_value.any()).and_then(|echo| echo(&args));
        let clock = self.client.identity().clock();
        let began = clock.now();
        let flight = lead.as_ref().and_then(Lead::leader).map(Leader::flight);
        // A panic goes on from here to the caller; on its way it drops the lead, and with it the claim.
        let returned = run(flight, clock, || compute(args)).await.unwrap_or_else(|panic| self.panicked(panic));
        let value = match self.sorted(returned, began) {
            Ok(value) => value,
            Err(error) => {
                if let Some((drive, lead)) = drive.zip(lead) {
                    drive.settle(lead, Brought::Error(self.maps.shape().share(&error))).await;
                }
                return self.maps.shape().raise(error);
            }
        };
        let is_kept = self.maps.keeps(&value);
        let stored = self.maps.encode(value);
        let stored = match drive.zip(lead) {
            None => stored,
            Some((drive, lead)) => {
                let shared = Arc::new(stored);
                drive.settle(lead, Brought::Value(Arc::clone(&shared) as Cargo, is_kept)).await;
                Arc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone())
            }
        };
        let value = self.maps.decode(stored);
        if let Some(args) = echo {
            self.live.computed(&value, &args);
        }
        self.maps.shape().join(value)
    }

    #[cold]
    fn panicked(&self, panic: Box<dyn Any + Send>) -> M::Return {
        self.live.counters.panics.increment();
        resume_unwind(panic)
    }

    /// Counts how the user's function ended.
    fn sorted(&self, returned: M::Return, began: u64) -> std::result::Result<M::Value, <M::Shape as Shape>::Error> {
        let counters = &self.live.counters;
        let value = self.maps.shape().split(returned).inspect_err(|_| counters.compute_errors.increment())?;
        counters.computes.increment();
        if self.policy.timings {
            let now = self.client.identity().clock().now();
            counters.computed_in(Duration::from_nanos(now.saturating_sub(began)));
        }
        Ok(value)
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
                self.send(&key, args, behind, Why::Due(self.policy.refresh));
            }
            Decision::Compute => {
                counters.misses.increment();
                self.send(&key, args, behind, Why::Due(self.policy.refresh));
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
        self.supersede(&key).await;
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
        self.supersede(&key).await;
        self.client.delete_entry(&key).await.map(|_| ())
    }

    /// Marks an entry as stale and keeps it.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put).
    pub async fn expire(&self, key: Prepared) -> Result<()> {
        let key = key.0?;
        self.supersede(&key).await;
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
        let stores = self.live.flights.supersede_all(self.client.identity().id());
        stores.within(self.client.identity().clock(), self.policy.lease).await;
        self.client.clear_namespace(path).await
    }

    /// Keeps what is being computed from being stored, and waits for what is being stored.
    async fn supersede(&self, key: &Key) {
        let stores = self.live.flights.supersede(&self.flight_key(key));
        stores.within(self.client.identity().clock(), self.policy.lease).await;
    }

    /// Returns the policy with another refresh point, if it is another: most calls need none, and thousands may wait.
    fn policy_from(&self, refresh: RefreshPoint) -> Option<Box<CallPolicy>> {
        (refresh != self.policy.refresh).then(|| Box::new(self.policy.due_from(refresh)))
    }

    fn backed(&self) -> Backed<'_, C, M> {
        Backed { live: self.live, client: &self.client, maps: &self.maps }
    }

    fn flight_key(&self, key: &Key) -> FlightKey {
        (self.client.identity().id(), key.digest())
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
        let hear = |key: &Key, stored: &M::Stored, remaining: Duration| {
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

    /// Sends a job to the background, unless one for the key is on its way; a claim that it does not take is given back.
    fn send<A>(&self, key: &Key, args: A, behind: Option<impl FnOnce(A) -> Job>, why: Why) {
        let (is_forced, refresh, claim) = match why {
            Why::Due(refresh) => (false, refresh, None),
            Why::Claimed(refresh, token) => (false, refresh, Some(token)),
            Why::Forced => (true, self.policy.refresh, None),
        };
        let ticket = |hold| Ticket { key: key.clone(), is_forced, refresh, claim, hold: Box::new(hold) };
        let is_sent =
            behind.is_some_and(|behind| self.try_send(key, is_forced, |hold| behind(args).into_task(ticket(hold))));
        if let Some(token) = claim.filter(|_| !is_sent) {
            self.client.release(key, token);
        }
    }

    fn try_send(&self, key: &Key, is_forced: bool, task: impl FnOnce(Hold) -> Task) -> bool {
        let flight_key = self.flight_key(key);
        if !is_forced && self.live.flights.is_flying(&flight_key) {
            return false;
        }
        let Some(hold) = self.live.hold(flight_key, is_forced) else { return false };
        let submitted = submit(task(hold));
        match &submitted {
            Ok(()) => self.live.counters.background.increment(),
            Err(refused) => {
                self.live.counters.refused.increment();
                log::debug!("{}: {refused}", self.live.description.name);
            }
        }
        submitted.is_ok()
    }
}

/// Says why a background job is sent.
#[derive(Clone, Copy)]
enum Why {
    /// What is stored is due from this point on, or absent.
    Due(RefreshPoint),
    /// The same, and the client has granted the claim.
    Claimed(RefreshPoint, Token),
    /// The user said so.
    Forced,
}
