//! What a leader does last: it stores what was computed, and shares it with those who wait.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::{Beside, Drive, Step};
use crate::client::{Computed, Token};
use crate::clock::nanos;
use crate::engine::runtime::{Ended, catch};
use crate::error::{Error, ErrorKind, Result};
use crate::flight::store::unless_overtaken;
use crate::flight::{Cargo, Landed, Leader};
use crate::site::Instance;
use crate::user_code::discard;

/// The right to compute. Dropped, it gives the key to others, in this process and elsewhere.
pub(crate) struct Lead<'a> {
    /// None where there is nothing to give back. Boxed, as in process there mostly is not.
    pub(super) claimed: Option<Box<Claimed<'a>>>,
    /// None where the call recurses into a computation of its own key.
    pub(super) leader: Option<Leader>,
    /// The other computation, beside which this one is.
    pub(super) beside: Option<Box<Beside>>,
    /// The key's revision when the right was had: what is computed from before a clear, which may have been another process's,
    /// does not belong into the next one.
    pub(super) revision: u64,
    /// Whether others were to compute, by a claim that this one has not: what they, or writes of theirs, have stored stays.
    pub(super) is_beside: bool,
    /// Whether the claim failed slowly: the caller does not wait for the client a second time.
    pub(super) is_slow: bool,
    /// Whether a mark keeps other processes from refreshing the key: up to the end of its life, unless a value is stored.
    pub(super) is_marked: bool,
}

impl Lead<'_> {
    pub(crate) fn leader(&self) -> Option<&Leader> {
        self.leader.as_ref()
    }

    /// Returns when the right was had, if it leads a flight.
    pub(crate) fn since(&self) -> Option<u64> {
        self.leader.as_ref().map(Leader::since)
    }

    /// Ends the flight without a value: with an error that those who wait can have, or with nothing, so that they compute.
    pub(crate) fn fail(self, live: &Instance, shared: Option<Cargo>) {
        drop(self.claimed);
        match (self.leader, shared) {
            (Some(leader), Some(error)) => leader.land(|| Landed::Error(error)),
            (Some(leader), None) => {
                let flight = leader.flight();
                if flight.is_awaited() {
                    live.failures.waited_for_nothing(flight.digest(), flight.now());
                }
                leader.fail();
            }
            (None, _) => {}
        }
    }

    /// Ends the flight with a value.
    fn land(self, share: impl Fn() -> Cargo) {
        let landed = || Landed::Value(share(), None);
        if let Some(waiter) = self.beside.and_then(|beside| beside.waiter) {
            waiter.flight().land_beside(landed);
        }
        if let Some(leader) = self.leader {
            leader.land(landed);
        }
    }
}

/// What the user's function has computed.
pub(crate) struct Made<'m> {
    /// What is stored.
    pub(crate) value: &'m (dyn Any + Send + Sync),
    /// Whether it is to be stored.
    pub(crate) is_kept: bool,
    /// How long it is to be valid.
    pub(crate) ttl: Duration,
    /// When it was there.
    pub(crate) at: u64,
}

/// A claim at the client that is released unless redeemed.
pub(super) struct Claimed<'a> {
    drive: Drive<'a>,
    /// None once it is redeemed.
    token: Option<Token>,
}

impl<'a> Claimed<'a> {
    pub(super) fn new(drive: Drive<'a>, token: Token) -> Self {
        Self { drive, token: Some(token) }
    }

    fn redeem(&mut self) -> Token {
        self.token.take().unwrap_or_default()
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            self.drive.backend.release(self.drive.key, token);
        }
    }
}

/// Takes a client that panics for one that fails: what was computed is the caller's all the same.
fn contained<T>(ended: Ended<Result<T>>) -> Result<T> {
    ended.unwrap_or_else(|panic| {
        discard(panic);
        Err(Error::new(ErrorKind::Unavailable, "the client, or what it calls of the user's, has panicked"))
    })
}

impl<'a> Drive<'a> {
    /// Stores and shares what the user's function made, if the client stores at once; if not, returns the lead.
    pub(crate) fn settle_at_once(self, lead: Lead<'a>, made: &Made<'_>, share: impl Fn() -> Cargo) -> Option<Lead<'a>> {
        let mut lead = lead;
        if made.is_kept && lead.leader.is_some() && !lead.is_slow {
            if !self.backend.answers_at_once() {
                return Some(lead);
            }
            let claimed = lead.claimed.take();
            self.store_at_once(&lead, claimed, made);
        }
        lead.land(share);
        None
    }

    /// Does the same, and waits for the client.
    pub(crate) fn settle(self, mut lead: Lead<'a>, value: Cargo, at: u64) -> Step<'a, ()> {
        Box::pin(async move {
            let claimed = lead.claimed.take();
            if let Some(leader) = &lead.leader {
                leader.flight().seen(at);
                let how = if lead.is_beside { None } else { Some(claimed) };
                self.store(leader, how, Arc::clone(&value), Computed::new(at, lead.revision)).await;
                if lead.is_marked
                    && let Err(error) = self.backend.unmark(self.key).await
                {
                    self.failed("let others go", &error);
                }
            }
            lead.land(|| Arc::clone(&value));
        })
    }

    /// Returns whether a clear has come since the lead was had.
    fn was_cleared(self, revision: u64) -> bool {
        self.backend.revision(self.key) != revision
    }

    fn store_at_once(self, lead: &Lead<'_>, claimed: Option<Box<Claimed<'_>>>, made: &Made<'_>) {
        let Some(leader) = &lead.leader else { return };
        if self.was_cleared(lead.revision) || !leader.begin_store() {
            return self.live.counters.superseded.increment();
        }
        let token = claimed.map(|mut claimed| claimed.redeem()).unwrap_or_default();
        match contained(catch_unwind(AssertUnwindSafe(|| {
            self.backend.fill_at_once(self.key, token, made, lead.revision)
        }))) {
            Ok(true) => {}
            Ok(false) => return self.live.counters.superseded.increment(),
            Err(error) => self.failed("store", &error),
        }
        if (leader.is_overtaken() || self.was_cleared(lead.revision))
            && let Err(error) = self.backend.delete_at_once(self.key)
        {
            self.failed("take back", &error);
        }
    }

    pub(crate) fn life(self) -> Duration {
        self.policy.life_in(fastrand::f64(), self.backend.resolution())
    }

    /// Returns what is left of the life of a value that was there at `at`, to a tick of the client; `None` if nothing is.
    fn life_since(self, at: u64) -> Option<Duration> {
        let age = self.clock().now().saturating_sub(at);
        let whole = age - age % nanos(self.backend.resolution()).max(1);
        let left = self.policy.ttl().saturating_sub(Duration::from_nanos(whole));
        (!left.is_zero()).then(|| self.life().min(left))
    }

    /// Stores under a claim, if there is one; without `claimed`, only where nothing valid is.
    async fn store(
        self,
        leader: &Leader,
        claimed: Option<Option<Box<Claimed<'_>>>>,
        value: Cargo,
        Computed { at, revision, .. }: Computed,
    ) {
        if self.was_cleared(revision) || !leader.begin_store() {
            return self.live.counters.superseded.increment();
        }
        let Some(life) = self.life_since(at) else { return };
        let token = claimed.map(|claimed| claimed.map(|mut claimed| claimed.redeem()).unwrap_or_default());
        let fill = match token {
            Some(token) => self.backend.fill(self.key, token, value, (life, Computed::new(at, revision))),
            None => self.backend.add(self.key, value, life),
        };
        let stored = unless_overtaken(leader, catch(fill)).await.map(contained);
        match stored {
            Some(Ok(true)) => {}
            // Nothing was written, and nothing has to be taken back.
            Some(Ok(false)) => return self.live.counters.superseded.increment(),
            None => self.live.counters.superseded.increment(),
            Some(Err(error)) => {
                self.failed("store", &error);
                // Nobody waits for a value that cannot be stored.
                if let Some(token) = token.filter(|token| token.is_lease()) {
                    self.backend.release(self.key, token);
                }
            }
        }
        // A client that was that slow may have given it the life that it had when it was handed over.
        let is_late = self.life_since(at).is_none();
        if is_late || leader.is_overtaken() || self.was_cleared(revision) {
            // What others have written since may lie below this: a miss is better than the older value.
            if let Err(error) = self.backend.delete(self.key).await {
                self.failed("take back", &error);
            }
        }
    }
}
