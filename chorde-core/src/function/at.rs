//! A call site in action: what a call looks at first. What comes after that is in the modules below it.

mod blocking;
mod computing;
mod ending;
mod operations;

pub(super) use computing::Begun;
pub(super) use ending::User;

use serde::Serialize;

use crate::client::{Client, ReadOptions};
use crate::decide::{Decision, decide};
use crate::engine::background::Job;
use crate::entry::{Entry, Lookup};
use crate::error;
use crate::key::{Key, Probe};
use crate::policy::{CallPolicy, RefreshPoint};
use crate::site::{Instance, Site, Tag, ValueMap};

/// A call site in action: one function, with its generic arguments, through one client, on the terms of one policy.
pub struct At<'a, C, M> {
    live: &'static Instance,
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
pub enum Looked<R, W> {
    /// The value is there and is not due.
    Hit(R),
    /// There is more to be done.
    Slow(W),
}

impl<R, S> Looked<R, Slow<S>> {
    /// Keeps the rest small: it is passed from function to function, and lies in the frame of each.
    #[inline]
    fn boxed(self) -> Looked<R, Box<Slow<S>>> {
        match self {
            Self::Hit(hit) => Looked::Hit(hit),
            Self::Slow(slow) => Looked::Slow(Box::new(slow)),
        }
    }
}

/// What the hit path found where that was not enough.
#[derive(Debug)]
pub struct Slow<S> {
    key: error::Result<Key>,
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
pub struct Prepared(error::Result<Key>);

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
    #[must_use]
    pub fn into_prepared(self) -> Prepared {
        Prepared(self.key)
    }
}

impl<'a, C, M: ValueMap> At<'a, C, M> {
    /// Puts a call together.
    #[inline]
    pub fn new(site: &'static Site, tag: &[Tag], client: C, maps: M, policy: &'a CallPolicy) -> Self
    where
        C: Client<M::Stored>,
    {
        Self { live: site.instance(tag), client, maps, policy }
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
        self.live.name()
    }
}

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// Makes a key ready, with no more of it than the client needs.
    pub fn prepare<K: Serialize + ?Sized>(&self, key: &K) -> Prepared {
        let is_digest_enough = !self.client.reads_bytes() && !self.live.on_promote.any();
        Prepared(if is_digest_enough { self.live.key_without_bytes(key) } else { self.callkey(key) })
    }

    /// Returns the valid value of a key, if the client can tell at once, or else the key, to [peek](Self::peek).
    ///
    /// # Errors
    ///
    /// The key.
    pub fn peek_at_once<K: Serialize + ?Sized>(&self, key: &K) -> Result<Option<M::Value>, Prepared> {
        let Some(probe) = self.probe_at_once(key) else { return Err(self.prepare(key)) };
        if let Some(stored) = self.client.look_fresh(&probe, &self.policy.never_due()) {
            return Ok(Some(self.maps.decode(stored)));
        }
        let known = self.client.look(&probe, ReadOptions::new().max_tiers(self.policy.lazy_tiers));
        let Some(known) = known else { return Err(self.prepare(key)) };
        let entry = known.into_entry().map(|entry| entry.within(self.policy));
        Ok(entry.filter(|entry| !entry.is_stale()).map(|entry| self.maps.decode(entry.value)))
    }

    /// Returns the entry of a key, if the client can tell at once, or else the key, to [ask for it](Self::get_ttl).
    ///
    /// # Errors
    ///
    /// The key.
    pub fn get_ttl_at_once<K: Serialize + ?Sized>(&self, key: &K) -> Result<Option<Entry<M::Value>>, Prepared> {
        let Some(probe) = self.probe_at_once(key) else { return Err(self.prepare(key)) };
        // Exactly: users are shown what is left.
        let Some(known) = self.client.look(&probe, ReadOptions::new()) else { return Err(self.prepare(key)) };
        Ok(known.into_entry().map(|entry| entry.within(self.policy).map(|stored| self.maps.decode(stored))))
    }

    /// Returns a valid value that is not due, if the client can tell at once, or else the key, to look [lazily](Self::lazy).
    ///
    /// # Errors
    ///
    /// The key.
    pub fn lazy_at_once<K: Serialize + ?Sized>(&self, key: &K) -> Result<M::Value, Prepared> {
        let fresh = self.probe_at_once(key).and_then(|probe| self.client.look_fresh(&probe, self.policy));
        let Some(stored) = fresh else { return Err(self.prepare(key)) };
        self.live.counters.hits.increment();
        Ok(self.maps.decode(stored))
    }

    /// Returns what a look needs of the key; nothing where there is none, or none for this client.
    fn probe_at_once<K: Serialize + ?Sized>(&self, key: &K) -> Option<Probe<'_>> {
        if self.is_refused() { None } else { self.live.probe(key).ok() }
    }

    /// Returns the key of a call, as the client knows it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`] when the key cannot be serialised, [`ErrorKind::Config`] when the client is shared and another
    /// function of this process has the namespace.
    pub fn callkey<K: Serialize + ?Sized>(&self, key: &K) -> error::Result<Key> {
        if self.is_refused() { Err(self.live.refused()) } else { self.live.key(key) }
    }

    /// Returns whether the client would mix the function's entries up with those of another.
    #[inline]
    pub(super) fn is_refused(&self) -> bool {
        self.client.is_shared() && !self.live.may_share()
    }

    /// Serves a valid entry that is not due, at once; everything else is for [`finish`](Self::finish).
    #[inline(never)]
    pub fn look<K: Serialize + ?Sized>(&self, key: &K) -> Looked<M::Return, Box<Slow<M::Stored>>> {
        self.look_by(self.policy, key).boxed()
    }

    /// Does the same, and leaves the rest where it is, for one who does not pass it on.
    #[inline(never)]
    pub(super) fn look_whole<K: Serialize + ?Sized>(&self, key: &K) -> Looked<M::Return, Slow<M::Stored>> {
        self.look_by(self.policy, key)
    }

    /// Does the same, with entries due at half of their ttl if the function has no refresh point.
    pub fn look_bg<K: Serialize + ?Sized>(&self, key: &K) -> Looked<M::Return, Box<Slow<M::Stored>>> {
        self.look_by(&self.policy.due_at_half(), key).boxed()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn look_by<K: Serialize + ?Sized>(&self, policy: &CallPolicy, key: &K) -> Looked<M::Return, Slow<M::Stored>> {
        if self.is_refused() {
            return self.look_closer(policy, Err(self.live.refused()));
        }
        let probe = match self.live.probe(key) {
            Ok(probe) => probe,
            Err(error) => return self.look_closer(policy, Err(error)),
        };
        match self.fresh(policy, &probe) {
            Some(hit) => Looked::Hit(hit),
            None => self.look_closer(policy, self.live.key_of(probe.digest, key)),
        }
    }

    /// Returns a valid value that is not due.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn fresh(&self, policy: &CallPolicy, probe: &Probe<'_>) -> Option<M::Return> {
        let stored = self.client.look_fresh(probe, policy)?;
        self.live.counters.hits.increment();
        Some(self.maps.serve(stored))
    }

    /// Looks again for what an earlier look did not find, by the key that it had.
    pub fn look_again(&self, earlier: Prepared) -> Looked<M::Return, Box<Slow<M::Stored>>> {
        self.look_again_whole(earlier).boxed()
    }

    /// Does the same, and leaves the rest where it is.
    pub(super) fn look_again_whole(&self, earlier: Prepared) -> Looked<M::Return, Slow<M::Stored>> {
        match earlier.0.as_ref().ok().and_then(|key| self.fresh(self.policy, &key.probe())) {
            Some(hit) => Looked::Hit(hit),
            None => self.look_closer(self.policy, earlier.0),
        }
    }

    /// Finds out what there is where no fresh value is.
    #[cold]
    fn look_closer(&self, policy: &CallPolicy, key: error::Result<Key>) -> Looked<M::Return, Slow<M::Stored>> {
        if let Ok(key) = &key {
            self.live.missed(key);
        }
        if self.policy.is_refresh_beyond_ttl() {
            self.live.warn_of_refresh_point(self.policy);
        }
        if policy.refresh == RefreshPoint::Never && self.client.answers_at_once() {
            // Nothing is ever due: the leader looks once more.
            return Looked::Slow(Slow { key, found: Found::Nothing, refresh: policy.refresh });
        }
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
        Looked::Slow(Slow { key, found, refresh: policy.refresh })
    }
}
