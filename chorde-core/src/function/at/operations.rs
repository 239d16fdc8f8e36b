//! The operations of the client on a function's keys, and the way to the background.

use std::time::Duration;

use super::{At, Prepared};
use crate::client::{Client, ReadOptions, Token, WriteOptions};
use crate::clock::nanos;
use crate::decide::{Decision, decide};
use crate::engine::background::{Job, Taken, Task, Terms, Ticket, submit};
use crate::entry::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::flight::{FlightKey, Writing};
use crate::key::Key;
use crate::policy::RefreshPoint;
use crate::site::{Hold, ValueMap};
use crate::user_code::tell;
use crate::warm::Warming;

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
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
                let _ = self.send(&key, args, behind, Why::Due(self.policy.refresh));
            }
            Decision::Compute => {
                counters.misses.increment();
                let _ = self.send(&key, args, behind, Why::Due(self.policy.refresh));
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
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`] when the key cannot be serialised, [`ErrorKind::Overloaded`] when the queue is full.
    pub fn bg_refresh<A, B>(&self, key: Prepared, args: A, behind: Option<B>) -> Result<()>
    where
        B: FnOnce(A) -> Job,
    {
        let key = key.0.inspect_err(|_| self.live.counters.key_errors.increment())?;
        self.send(&key, args, behind, Why::Forced)
    }

    /// Says what there is to do to make a key's result ready before anybody asks for it.
    pub fn warming<A, B>(&self, key: Prepared, args: A, behind: Option<B>) -> Warming
    where
        B: FnOnce(A) -> Job,
    {
        let (key, behind) = match (key.0.inspect_err(|_| self.live.counters.key_errors.increment()), behind) {
            (Ok(key), Some(behind)) => (key, behind),
            (Err(error), _) => return Warming::failed(error),
            (Ok(_), None) => return Warming::held(),
        };
        let probe = key.probe();
        if self.client.look_fresh(&probe, self.policy).is_some() {
            return Warming::held();
        }
        let is_known = self.client.look(&probe, ReadOptions::new().roughly()).is_some();
        Warming::work(key, is_known, self.policy.refresh, behind(args))
    }

    /// Says of several keys whether a value is held that is valid and not due. A failure of the client is a no.
    pub(in super::super) async fn are_fresh(&self, keys: Vec<Key>) -> Vec<bool> {
        let entries = match self.live.counted(self.client.get_entries(&keys, ReadOptions::new())).await {
            Ok(entries) => entries,
            Err(error) => {
                self.live.failed("read", &error, self.now());
                Vec::new()
            }
        };
        let is_fresh = |entry: Option<Entry<M::Stored>>| {
            let entry = entry.map(|entry| entry.within(self.policy));
            decide(entry.as_ref().map(Entry::vitals), self.policy) == Decision::Serve
        };
        entries.into_iter().map(is_fresh).collect()
    }

    /// Stores a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`] when the key cannot be serialised, [`ErrorKind::Ttl`] when the function's ttl is zero at the moment, or
    /// shorter than the client can tell, and what the client reports.
    pub async fn put(&self, key: Prepared, value: M::Value) -> Result<()> {
        let key = key.0?;
        let tick = self.client.resolution();
        if !self.policy.is_storable(tick) {
            return Err(too_short(self.policy.ttl(), tick));
        }
        let _writing = self.begin_write(&key).await;
        let life = self.policy.life_in(fastrand::f64(), tick);
        let put = self.client.put_entry(&key, self.maps.encode(value), life, WriteOptions::new());
        self.live.counted(put).await
    }

    /// Removes an entry.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put).
    pub async fn invalidate(&self, key: Prepared) -> Result<()> {
        let key = key.0?;
        let _writing = self.begin_write(&key).await;
        self.live.counted(self.client.delete_entry(&key)).await.map(|_| ())
    }

    /// Marks an entry as stale and keeps it.
    ///
    /// # Errors
    ///
    /// As for [`put`](Self::put).
    pub async fn expire(&self, key: Prepared) -> Result<()> {
        let key = key.0?;
        let _writing = self.begin_write(&key).await;
        self.live.counted(self.client.expire_entry(&key)).await.map(|_| ())
    }

    /// Forgets all entries of the function, with whatever generic arguments.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] when the function has no namespace, and what the client reports.
    pub async fn clear(&self) -> Result<()> {
        let Some(path) = self.live.of_function() else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "a function with `namespace = none` cannot tell its entries from others: give it a namespace, or clear its client",
            ));
        };
        let _writing = self.live.flights.clear();
        let stores = self.live.flights.supersede_all(self.client.identity().id());
        self.live.forget_all_begun(self.client.identity().id());
        stores.within(self.client.identity().clock(), self.policy.lease).await;
        // What is there under the name is another function's.
        if self.is_refused() { Ok(()) } else { self.live.counted(self.client.clear_namespace(path)).await }
    }

    /// Keeps what is being computed from being stored, and waits for what is being stored.
    async fn begin_write(&self, key: &Key) -> Writing {
        let key = self.flight_key(key);
        let (writing, stores) = self.live.flights.write(key);
        self.live.forget_begun(key);
        if !stores.is_over_already() {
            Box::pin(stores.within(self.client.identity().clock(), self.policy.lease)).await;
        }
        writing
    }

    fn flight_key(&self, key: &Key) -> FlightKey {
        (self.client.identity().id(), key.digest())
    }

    /// Returns the key, or counts that there is none.
    pub(super) fn usable(&self, key: Result<Key>) -> Option<Key> {
        if key.is_err() {
            self.live.counters.key_errors.increment();
        }
        self.usable_quietly(key)
    }

    /// Does the same, and leaves the key where it is.
    pub(super) fn usable_here<'k>(&self, key: &'k Result<Key>) -> Option<&'k Key> {
        key.as_ref()
            .inspect_err(|error| {
                self.live.counters.key_errors.increment();
                self.warn_of_key(error);
            })
            .ok()
    }

    fn warn_of_key(&self, error: &Error) {
        // That a namespace is refused was logged when that turned out.
        if error.kind() == ErrorKind::Key
            && let Some(more) = self.live.log_limit.admit(("make a key", Some(error.kind())), self.now())
        {
            tell!(warn, "{}: {error}{more}", self.live.description.name);
        }
    }

    fn usable_quietly(&self, key: Result<Key>) -> Option<Key> {
        key.inspect_err(|error| self.warn_of_key(error)).ok()
    }

    /// Returns what the client holds; its failure is a miss.
    async fn held(&self, key: &Key, tiers: usize) -> Option<Entry<M::Stored>> {
        let mut options = ReadOptions::new().max_tiers(tiers);
        if let Some(known) = self.client.look(&key.probe(), options) {
            return known.into_entry().map(|entry| entry.within(self.policy));
        }
        let hear = |key: &Key, stored: &M::Stored, remaining: Duration| {
            self.live.promoted(key, &self.maps.decode(stored.clone()), remaining);
        };
        if self.live.on_promote.any() {
            options = options.on_promote(&hear);
        }
        match self.live.counted(self.client.get_entry(key, options)).await {
            Ok(entry) => entry.map(|entry| entry.within(self.policy)),
            Err(error) => {
                self.live.failed("read", &error, self.now());
                None
            }
        }
    }

    /// Sends a job to the background, unless one for the key is under way; a claim that it does not take is released.
    pub(super) fn send<A>(&self, key: &Key, args: A, behind: Option<impl FnOnce(A) -> Job>, why: Why) -> Result<()> {
        let (is_forced, refresh, claim) = match why {
            Why::Due(refresh) => (false, refresh, None),
            Why::Claimed(refresh, token) => (false, refresh, Some(self.taken(token))),
            Why::Forced => (true, self.policy.refresh, None),
        };
        let ticket = |hold| Ticket::of_refresh(key.clone(), refresh, is_forced, claim, hold);
        // What was granted by the store is computed whatever flies here: mostly those who read.
        let is_urgent = is_forced || claim.is_some_and(|taken| taken.token.is_lease());
        let sent = match behind {
            Some(behind) if is_urgent || !self.live.flights.is_flying(&self.flight_key(key)) => {
                self.try_send(key, is_forced, |hold| behind(args).into_task(ticket(hold)))
            }
            _ => Ok(Sent::Needless),
        };
        if let Some(taken) = claim.filter(|_| !matches!(sent, Ok(Sent::TakenOn))) {
            self.client.release(key, taken.token);
        }
        sent.map(|_| ())
    }

    fn taken(&self, token: Token) -> Taken {
        let until = self.client.identity().clock().now().saturating_add(nanos(self.policy.lease));
        Taken { token, until }
    }

    fn try_send(&self, key: &Key, is_forced: bool, task: impl FnOnce(Hold) -> Task) -> Result<Sent> {
        let clock = self.client.identity().clock();
        let Some(hold) = self.live.hold(self.flight_key(key), is_forced, clock.now()) else {
            return Ok(Sent::Needless);
        };
        let terms = Terms {
            function: std::ptr::from_ref(self.live).addr(),
            clock: clock.clone(),
            lease: self.policy.lease,
            until: hold.until(),
        };
        match submit(task(hold).on(terms)) {
            Ok(()) => self.live.counters.background.increment(),
            Err(refused) => {
                self.live.counters.refused.increment();
                if let Some(more) = self.live.log_limit.admit(("queue", Some(refused.kind())), self.now()) {
                    tell!(debug, "{}: {refused}{more}", self.live.description.name);
                }
                return Err(refused);
            }
        }
        Ok(Sent::TakenOn)
    }
}

#[cold]
fn too_short(ttl: Duration, tick: Duration) -> Error {
    let context = if ttl.is_zero() {
        "the function's ttl is zero, so that nothing is stored: use `invalidate` to take a value away".into()
    } else {
        format!(
            "the function's ttl of {ttl:?} is shorter than the {tick:?} in which its client counts: give it that at least"
        )
    };
    Error::new(ErrorKind::Ttl, context)
}

/// Says what became of a job that was not refused.
enum Sent {
    TakenOn,
    /// Another one for the key is under way.
    Needless,
}

/// Says why a background job is sent.
#[derive(Clone, Copy)]
pub(super) enum Why {
    /// What is stored is due from this point on, or absent.
    Due(RefreshPoint),
    /// The same, and the client has granted the claim.
    Claimed(RefreshPoint, Token),
    /// The user said so.
    Forced,
}
