//! Carries out what was decided: the slow path of every call that may compute, around the user's function.
//!
//! [`Drive::enter`] goes up to the point where somebody must compute, and [`Drive::settle`] goes on from there. In
//! between, the caller runs the user's function, with types of its own that are no business of this module.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::backend::{Backend, unload};
use super::background::Ticket;
use crate::client::{Claim, Token};
use crate::clock::{Clock, nanos};
use crate::flight::store::unless_overtaken;
use crate::flight::{Cargo, FlightKey, Kind, Landing, Leader, Outcome, Role};
use crate::key::Key;
use crate::policy::CallPolicy;
use crate::site::Instance;

/// Bounds of the pauses between two questions to a store in which another process computes.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// By how much two leases may last longer than asked for: shared stores count in whole seconds, and are asked now and then.
const ROUNDING: Duration = Duration::from_secs(2);

/// Says what a call is for.
#[derive(Debug)]
pub(crate) enum Mode {
    /// A value, whoever computed it.
    Call,
    /// A value computed from now on.
    Refresh,
    /// A better entry in the client; nobody waits for the value.
    Behind(Box<Ticket>),
}

/// Says how a call goes on.
pub(crate) enum Entered<'a> {
    /// Compute, and settle.
    Compute(Lead<'a>),
    /// This value was held, or somebody else has computed it.
    Serve(Served),
    /// Somebody else has computed, and this is the error.
    Raise(Cargo),
    /// This value was held and is due: have it refreshed under this claim.
    Due(Cargo, Token),
    /// The call would have to wait for another's computation.
    Wait,
    /// There is nothing to be done, or somebody else does it.
    Idle,
}

/// A value that need not be computed.
pub(crate) enum Served {
    Held(Cargo),
    /// Lies with the flight that brought it.
    Shared(Landing),
}

impl Served {
    /// Takes the value out, if it is of that type.
    pub(crate) fn unload<S: Clone + Send + Sync + 'static>(self) -> Option<S> {
        match self {
            Self::Held(cargo) => unload(cargo),
            Self::Shared(landing) => match landing.cargo()? {
                Landed::Value(cargo, _) => cargo.downcast_ref().cloned(),
                Landed::Error(_) => None,
            },
        }
    }
}

/// The right to compute. Dropped, it gives the key to others, in this process and elsewhere.
pub(crate) struct Lead<'a> {
    claimed: Option<Claimed<'a>>,
    /// None where the call recurses into a computation of its own key.
    leader: Option<Leader>,
    /// The key's revision when the right was had: what is computed from before a clear, which may have been another process's,
    /// does not belong into the next one.
    revision: u64,
}

impl Lead<'_> {
    pub(crate) fn leader(&self) -> Option<&Leader> {
        self.leader.as_ref()
    }
}

/// What the user's function brought.
pub(crate) enum Brought {
    /// A value, and whether it is to be stored.
    Value(Cargo, bool),
    /// An error, if those who wait can have a copy.
    Error(Option<Cargo>),
}

/// What those who wait for a flight are given.
enum Landed {
    /// A value, and whether the client held it already.
    Value(Cargo, bool),
    Error(Cargo),
}

/// One call on its way.
#[derive(Clone, Copy)]
pub(crate) struct Drive<'a> {
    pub(crate) live: &'static Instance,
    pub(crate) backend: &'a dyn Backend,
    pub(crate) policy: &'a CallPolicy,
    pub(crate) key: &'a Key,
}

/// A step of the engine: boxed, so that its callers are small.
pub(crate) type Step<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<'a> Drive<'a> {
    /// Goes up to the point where the call has a value, or must compute one.
    ///
    /// With `may_stand_in` a call that would have to wait ends at once with [`Entered::Wait`]. What only leaders need is
    /// boxed on its own, so that thousands who wait are small.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    pub(crate) fn enter(self, mut mode: Mode, may_stand_in: bool) -> impl Future<Output = Entered<'a>> + Send + 'a {
        async move {
            self.live.keep_clock(self.clock());
            self.give_back_late(&mut mode);
            loop {
                let waiter = match self.live.flights.join(self.flight_key(), self.kind(&mode), self.clock()) {
                    Role::Lead(leader) => return self.lead(leader, mode).await,
                    Role::Recurse => {
                        self.count_miss(&mode);
                        return Entered::Compute(self.to_lead(None, None));
                    }
                    Role::Wait(_) if matches!(&mode, Mode::Behind(ticket) if !ticket.is_forced) => {
                        self.give_back(&mode);
                        return Entered::Idle;
                    }
                    Role::Wait(_) if may_stand_in => return Entered::Wait,
                    Role::Wait(waiter) => waiter,
                };
                self.live.flights.watch(&waiter, self.clock(), self.policy.lease);
                let since = self.clock().now();
                let outcome = waiter.wait().await;
                self.live.counters.waited(self.clock().now().saturating_sub(since));
                match outcome {
                    Outcome::Lead(leader) => return self.lead(leader, mode).await,
                    Outcome::Landed(landing) => {
                        if let Some(entered) = self.share(landing, &mode) {
                            return entered;
                        }
                    }
                    Outcome::StartOver => {}
                }
                if matches!(mode, Mode::Call)
                    && let Some(held) = self.backend.held(self.key)
                {
                    self.count_hit(&mode);
                    return Entered::Serve(Served::Held(held));
                }
            }
        }
    }

    /// Stores and shares what the user's function brought.
    pub(crate) fn settle(self, lead: Lead<'a>, brought: Brought) -> Step<'a, ()> {
        Box::pin(self.settling(lead, brought))
    }

    /// Gives back the claim that a job came with and does not need.
    fn give_back(self, mode: &Mode) {
        if let Mode::Behind(ticket) = mode
            && let Some(taken) = ticket.claim
        {
            self.backend.release(self.key, taken.token);
        }
    }

    /// Gives it back where the job has waited for longer than the lease: somebody else may have computed, or do so now.
    fn give_back_late(self, mode: &mut Mode) {
        if let Mode::Behind(ticket) = mode
            && let Some(late) = ticket.claim.take_if(|taken| taken.token.is_lease() && taken.until < self.clock().now())
        {
            self.backend.release(self.key, late.token);
        }
    }

    fn kind(self, mode: &Mode) -> Kind {
        match mode {
            _ if !self.policy.single_flight => Kind::Alone,
            Mode::Call => Kind::Join,
            // The store serves the others meanwhile, and keeps them from computing.
            Mode::Behind(ticket) if ticket.claim.is_some_and(|taken| taken.token.is_lease()) => Kind::Alone,
            Mode::Behind(ticket) if !ticket.is_forced => Kind::Join,
            Mode::Refresh | Mode::Behind(_) => Kind::Next,
        }
    }

    fn clock(self) -> &'a Clock {
        self.backend.identity().clock()
    }

    pub(crate) fn flight_key(self) -> FlightKey {
        (self.backend.identity().id(), self.key.digest())
    }

    fn count_miss(self, mode: &Mode) {
        if matches!(mode, Mode::Call) {
            self.live.counters.misses.increment();
        }
    }

    fn count_hit(self, mode: &Mode) {
        if matches!(mode, Mode::Call) {
            self.live.counters.hits.increment();
        }
    }

    /// Takes a share of what another call brought home.
    fn share(self, landing: Landing, mode: &Mode) -> Option<Entered<'a>> {
        let (error, was_held) = match landing.cargo()? {
            Landed::Value(_, was_held) => (None, *was_held),
            Landed::Error(error) => (Some(Arc::clone(error)), false),
        };
        if was_held {
            self.count_hit(mode);
        } else {
            self.count_miss(mode);
            if matches!(mode, Mode::Call) {
                self.live.counters.coalesced.increment();
            }
        }
        Some(error.map_or_else(|| Entered::Serve(Served::Shared(landing)), Entered::Raise))
    }

    fn lead(self, leader: Leader, mode: Mode) -> Step<'a, Entered<'a>> {
        Box::pin(self.leading(leader, mode))
    }

    /// Does what a leader does first: claims.
    async fn leading(self, leader: Leader, mut mode: Mode) -> Entered<'a> {
        let claim = match &mut mode {
            Mode::Refresh => self.unclaimed(&leader).await,
            // It may have come to lead what others wait for, and they want nothing that is held.
            _ if leader.flight().is_next() => self.unclaimed(&leader).await,
            Mode::Behind(ticket) if ticket.is_forced => self.unclaimed(&leader).await,
            Mode::Behind(ticket) if ticket.claim.is_some() => {
                Claim::Absent(ticket.claim.take().map_or_else(Token::default, |taken| taken.token))
            }
            Mode::Call | Mode::Behind(_) => self.claim_patiently(&leader, &mode).await,
        };
        let is_behind = matches!(mode, Mode::Behind(_));
        match claim {
            Claim::Fresh(entry) | Claim::DueElsewhere(entry) => {
                self.count_hit(&mode);
                land(leader, Landed::Value(Arc::clone(&entry.value), true));
                if is_behind { Entered::Idle } else { Entered::Serve(Served::Held(entry.value)) }
            }
            Claim::Due(entry, token) if !is_behind => {
                self.live.counters.due_hits.increment();
                land(leader, Landed::Value(Arc::clone(&entry.value), true));
                Entered::Due(entry.value, token)
            }
            Claim::AbsentElsewhere if is_behind => Entered::Idle,
            Claim::Due(entry, token) if token.is_lease() => {
                land(leader, Landed::Value(entry.value, true));
                self.compute_under(token, self.live.flights.lead_alone(self.flight_key(), self.clock()))
            }
            Claim::Due(_, token) | Claim::Absent(token) => {
                self.count_miss(&mode);
                let compute = self.compute_under(token, leader);
                if is_behind && !token.is_lease() {
                    self.renew().await;
                }
                compute
            }
            Claim::AbsentElsewhere => {
                self.count_miss(&mode);
                Entered::Compute(self.to_lead(None, Some(leader)))
            }
        }
    }

    fn compute_under(self, token: Token, leader: Leader) -> Entered<'a> {
        let claimed = Some(Claimed { drive: self, token: Some(token) });
        Entered::Compute(self.to_lead(claimed, Some(leader)))
    }

    fn to_lead(self, claimed: Option<Claimed<'a>>, leader: Option<Leader>) -> Lead<'a> {
        Lead { claimed, leader, revision: self.backend.revision(self.key) }
    }

    /// Computes without asking whether others do. A claim would have told the client the revision that this belongs to.
    async fn unclaimed(self, leader: &Leader) -> Claim<Cargo> {
        leader.flight().set_polling(false, self.clock().now());
        self.backend.learn_revision(self.key).await;
        Claim::Absent(Token::default())
    }

    /// Claims the key; where another process computes, asks again until it has, or for as long as two leases last: a
    /// computer that died is replaced after one, and its successor has the other.
    async fn claim_patiently(self, leader: &Leader, mode: &Mode) -> Claim<Cargo> {
        let clock = self.clock();
        let mut now = clock.now();
        let until = now.saturating_add(nanos(self.policy.lease.saturating_mul(2).saturating_add(ROUNDING)));
        let mut pause = FIRST_PAUSE;
        loop {
            leader.flight().set_polling(false, now);
            let claim = match self.backend.claim(self.key, self.policy).await {
                Ok(claim) => claim,
                Err(error) => {
                    self.live.failed("claim", &error);
                    Claim::Absent(Token::default())
                }
            };
            if !matches!((&claim, mode), (Claim::AbsentElsewhere, Mode::Call)) || clock.now() >= until {
                return claim;
            }
            clock.sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            now = clock.now();
        }
    }

    /// Lengthens the entry that is about to be refreshed, so that other processes hold back; a lease does that by itself.
    async fn renew(self) {
        if let Some(renew) = self.policy.renew
            && let Err(error) = self.backend.renew(self.key, renew).await
        {
            self.live.failed("renew", &error);
        }
    }

    async fn settling(self, lead: Lead<'a>, brought: Brought) {
        let Lead { claimed, leader, revision } = lead;
        let Some(leader) = leader else { return };
        match brought {
            Brought::Value(value, is_kept) => {
                if is_kept {
                    self.store(&leader, claimed, revision, Arc::clone(&value)).await;
                }
                land(leader, Landed::Value(value, false));
            }
            Brought::Error(Some(error)) => {
                drop(claimed);
                land(leader, Landed::Error(error));
            }
            // Nothing to share: the lead goes to one of those who wait.
            Brought::Error(None) => {}
        }
    }

    async fn store(self, leader: &Leader, claimed: Option<Claimed<'_>>, revision: u64, value: Cargo) {
        let was_cleared = || self.backend.revision(self.key) != revision;
        if was_cleared() || !leader.begin_store() {
            return self.live.counters.superseded.increment();
        }
        let token = claimed.map(Claimed::redeem).unwrap_or_default();
        let fill = self.backend.fill(self.key, token, value, self.policy.life(fastrand::f64()));
        match unless_overtaken(leader, self.clock(), fill).await {
            Some(Ok(true)) => {}
            // Nothing was written, and nothing has to be taken back.
            Some(Ok(false)) => return self.live.counters.superseded.increment(),
            None => self.live.counters.superseded.increment(),
            Some(Err(error)) => self.live.failed("store", &error),
        }
        if leader.is_overtaken() || was_cleared() {
            // What others have written since may lie below this: a miss is better than the older value.
            if let Err(error) = self.backend.delete(self.key).await {
                self.live.failed("take back", &error);
            }
        }
    }
}

fn land(leader: Leader, landed: Landed) {
    leader.land(|| Arc::new(landed));
}

/// A claim at the client that is given back unless redeemed.
struct Claimed<'a> {
    drive: Drive<'a>,
    token: Option<Token>,
}

impl Claimed<'_> {
    fn redeem(mut self) -> Token {
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
