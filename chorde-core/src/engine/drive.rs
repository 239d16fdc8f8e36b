//! Carries out what was decided: the slow path of every call that may compute, around the user's function.
//!
//! [`Drive::join`] finds the call's part in the flight of its key, [`Drive::led`] goes from there to the point where it must
//! compute, and [`Drive::settle`] goes on after that. In between, the caller runs the user's function, with types of its own
//! that are no business of this module. Each step has a form that ends at once, for clients that answer at once, and one
//! that waits.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::backend::{Backend, unload};
use super::background::Ticket;
use crate::client::{Claim, Token};
use crate::clock::{Clock, nanos};
use crate::flight::store::unless_overtaken;
use crate::flight::{Cargo, FlightKey, Kind, Landed, Landing, Leader, Outcome, Role, Waiter};
use crate::key::Key;
use crate::policy::CallPolicy;
use crate::site::Live;

/// Bounds of the pauses between two questions to a store in which another process computes.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// By how much two leases may last longer than asked for: shared stores count in whole seconds, and are asked now and then.
const ROUNDING: Duration = Duration::from_secs(2);

/// A computation that has taken longer than this may have been overtaken by a value from elsewhere: who would wait for it looks
/// into the store first.
const LONG: u64 = 1_000_000_000;

/// Says what a call is for.
#[derive(Debug)]
pub(crate) enum Mode {
    /// A value, whoever computed it.
    Call,
    /// A value computed from now on.
    Refresh,
    /// A better entry in the client; nobody waits for the value.
    Behind(Box<Ticket>),
    /// A value computed at once, whoever computes beside.
    Beside(Box<Beside>),
}

/// A computation beside another one.
#[derive(Debug)]
pub(crate) struct Beside {
    /// A place among those who wait for the other one, if that has not ended.
    waiter: Option<Waiter>,
    /// Whether it is a plain call.
    is_call: bool,
}

/// A call's part in the flight of its key.
#[derive(Debug)]
pub(crate) enum Joined {
    /// It leads.
    Lead(Leader, Mode),
    /// It would have to wait.
    Wait(Waiter, Mode),
    /// It comes from a computation of its own key.
    Recurse(Mode),
    /// There is nothing to be done.
    Idle,
}

/// What becomes of a call that has waited if it had to.
pub(crate) enum Arrived<'a> {
    /// It leads.
    Lead(Leader, Mode),
    /// It has what it needs.
    Entered(Entered<'a>),
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
            Self::Shared(landing) => match landing.landed()? {
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
    /// Those who wait for another computation, beside which this one is.
    beside: Option<Waiter>,
    /// The key's revision when the right was had: what is computed from before a clear, which may have been another process's,
    /// does not belong into the next one.
    revision: u64,
    /// When the right was had.
    since: u64,
}

impl Lead<'_> {
    pub(crate) fn leader(&self) -> Option<&Leader> {
        self.leader.as_ref()
    }

    pub(crate) fn since(&self) -> u64 {
        self.since
    }

    /// Ends the flight without a value: with an error that those who wait can have, or with nothing, so that they compute.
    pub(crate) fn fail(self, shared: Option<Cargo>) {
        drop(self.claimed);
        match (self.leader, shared) {
            (Some(leader), Some(error)) => leader.land(|| Landed::Error(error)),
            (Some(leader), None) => leader.fail(),
            (None, _) => {}
        }
    }

    /// Ends the flight with a value.
    fn land(self, share: impl Fn() -> Cargo) {
        let landed = || Landed::Value(share(), false);
        if let Some(waiter) = self.beside {
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
    /// When it was there.
    pub(crate) at: u64,
}

/// One call on its way.
#[derive(Clone, Copy)]
pub(crate) struct Drive<'a> {
    pub(crate) live: &'static Live,
    pub(crate) backend: &'a dyn Backend,
    pub(crate) policy: &'a CallPolicy,
    pub(crate) key: &'a Key,
}

/// A step of the engine that waits: boxed, so that its callers are small.
pub(crate) type Step<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<'a> Drive<'a> {
    /// Finds the call's part in the flight of its key.
    pub(crate) fn join(self, mut mode: Mode) -> Joined {
        self.release_late(&mut mode);
        match self.live.flights.join(self.flight_key(), self.kind(&mode), self.clock()) {
            Role::Lead(leader) => Joined::Lead(leader, mode),
            Role::Recurse => Joined::Recurse(mode),
            Role::Wait(_) if matches!(&mode, Mode::Behind(ticket) if !ticket.is_forced) => {
                self.release_unused(&mode);
                Joined::Idle
            }
            Role::Wait(waiter) => Joined::Wait(waiter, mode),
        }
    }

    /// Takes the part, if that can be done at once; otherwise it is to be [waited](Self::wait) for.
    pub(crate) fn arrive(self, joined: Joined) -> Result<Arrived<'a>, (Waiter, Mode)> {
        match joined {
            Joined::Lead(leader, mode) => Ok(Arrived::Lead(leader, mode)),
            Joined::Recurse(mode) => {
                self.count_miss(&mode);
                Ok(Arrived::Entered(Entered::Compute(self.to_lead(None, None))))
            }
            Joined::Idle => Ok(Arrived::Entered(Entered::Idle)),
            Joined::Wait(waiter, mode) => Err((waiter, mode)),
        }
    }

    /// Waits until the call leads or has what it needs.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    pub(crate) fn wait(self, mut waiter: Waiter, mut mode: Mode) -> impl Future<Output = Arrived<'a>> + Send + 'a {
        async move {
            loop {
                if let Some(entry) = self.look_beside(&waiter, &mode).await {
                    return self.serve(entry, &mode);
                }
                self.live.flights.watch(&waiter, self.policy.lease);
                let since = self.clock().now();
                let outcome = waiter.wait().await;
                self.live.counters.waited(self.clock().now().saturating_sub(since));
                match outcome {
                    Outcome::Lead(leader) => return Arrived::Lead(leader, mode),
                    Outcome::Landed(landing) => {
                        if let Some(entered) = self.share(landing, &mode) {
                            return Arrived::Entered(entered);
                        }
                    }
                    Outcome::Failed => return self.beside(None, &mode),
                    Outcome::Beside(waiter) => return self.beside(Some(waiter), &mode),
                    Outcome::StartOver => {}
                }
                if matches!(mode, Mode::Call)
                    && let Some(held) = self.backend.held(self.key)
                {
                    return self.serve(held, &mode);
                }
                (waiter, mode) = match self.arrive(self.join(mode)) {
                    Ok(arrived) => return arrived,
                    Err(waits) => waits,
                };
            }
        }
    }

    fn serve(self, held: Cargo, mode: &Mode) -> Arrived<'a> {
        self.count_hit(mode);
        Arrived::Entered(Entered::Serve(Served::Held(held)))
    }

    /// Goes from the lead to the point where the call has a value, or must compute one, if all can be said at once.
    pub(crate) fn led_at_once(self, leader: Leader, mode: Mode) -> Result<Entered<'a>, (Leader, Mode)> {
        if self.policy.renew.is_some() && matches!(mode, Mode::Behind(_)) {
            return Err((leader, mode));
        }
        let claim = match self.needs_claim(&leader, &mode) {
            None => Claim::Absent(taken(&mode)),
            Some(false) if self.backend.is_current(self.key) => Claim::Absent(Token::default()),
            Some(false) => return Err((leader, mode)),
            Some(true) => match self.backend.claim_at_once(self.key, self.policy) {
                None => return Err((leader, mode)),
                Some(claim) => self.claim_or_none(claim),
            },
        };
        let since = leader.since();
        Ok(self.claimed(leader, mode, claim, since))
    }

    /// Does the same, and waits for the client.
    pub(crate) fn led(self, leader: Leader, mode: Mode) -> Step<'a, Entered<'a>> {
        Box::pin(async move {
            let claim = match self.needs_claim(&leader, &mode) {
                Some(true) => self.claim_patiently(&leader, &mode).await,
                Some(false) => {
                    leader.flight().seen(self.clock().now());
                    self.backend.learn_revision(self.key).await;
                    Claim::Absent(Token::default())
                }
                None => Claim::Absent(taken(&mode)),
            };
            if matches!(mode, Mode::Behind(_)) {
                self.renew(&claim).await;
            }
            self.claimed(leader, mode, claim, self.clock().now())
        })
    }

    /// Stores and shares what the user's function made, if the client stores at once.
    pub(crate) fn settle_at_once(
        self,
        lead: Lead<'a>,
        made: &Made<'_>,
        share: impl Fn() -> Cargo,
    ) -> Result<(), Lead<'a>> {
        let mut lead = lead;
        if made.is_kept && lead.leader.is_some() {
            if !self.backend.answers_at_once() {
                return Err(lead);
            }
            let claimed = lead.claimed.take();
            self.store_at_once(&lead, claimed, made);
        }
        lead.land(share);
        Ok(())
    }

    /// Does the same, and waits for the client.
    pub(crate) fn settle(self, mut lead: Lead<'a>, value: Cargo, at: u64) -> Step<'a, ()> {
        Box::pin(async move {
            let claimed = lead.claimed.take();
            if let Some(leader) = &lead.leader {
                leader.flight().seen(at);
                self.store(leader, claimed, lead.revision, Arc::clone(&value)).await;
            }
            lead.land(|| Arc::clone(&value));
        })
    }

    /// Takes part beside a computation that failed, or that does not end.
    fn beside(self, waiter: Option<Waiter>, mode: &Mode) -> Arrived<'a> {
        let beside = Beside { waiter, is_call: mode.is_call() };
        let leader = self.live.flights.lead_alone(self.flight_key(), self.clock());
        Arrived::Lead(leader, Mode::Beside(Box::new(beside)))
    }

    /// Looks for a valid value in a store that must be waited for, before a call waits for a computation beside which one may
    /// be there.
    async fn look_beside(self, waiter: &Waiter, mode: &Mode) -> Option<Cargo> {
        let flight = waiter.flight();
        let may_be_there = flight.is_refresh() || self.clock().now().saturating_sub(flight.began()) > LONG;
        if !matches!(mode, Mode::Call) || !may_be_there || self.backend.answers_at_once() {
            return None;
        }
        self.backend.read(self.key).await.unwrap_or_else(|error| {
            self.live.failed("read", &error);
            None
        })
    }

    /// Releases the claim that a job came with and does not need.
    fn release_unused(self, mode: &Mode) {
        if let Mode::Behind(ticket) = mode
            && let Some(taken) = ticket.claim
        {
            self.backend.release(self.key, taken.token);
        }
    }

    /// Releases it where the job has waited for longer than the lease: somebody else may have computed, or do so now.
    fn release_late(self, mode: &mut Mode) {
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
            Mode::Beside(_) => Kind::Alone,
        }
    }

    fn clock(self) -> &'a Clock {
        self.backend.identity().clock()
    }

    pub(crate) fn flight_key(self) -> FlightKey {
        (self.backend.identity().id(), self.key.digest())
    }

    fn count_miss(self, mode: &Mode) {
        if mode.is_call() {
            self.live.counters.misses.increment();
        }
    }

    fn count_hit(self, mode: &Mode) {
        if mode.is_call() {
            self.live.counters.hits.increment();
        }
    }

    /// Takes a share of what another call has computed.
    fn share(self, landing: Landing, mode: &Mode) -> Option<Entered<'a>> {
        let (error, was_held) = match landing.landed()? {
            Landed::Value(_, was_held) => (None, *was_held),
            Landed::Error(error) => (Some(Arc::clone(error)), false),
        };
        if was_held {
            self.count_hit(mode);
        } else {
            self.count_miss(mode);
            if mode.is_call() {
                self.live.counters.coalesced.increment();
            }
        }
        Some(error.map_or_else(|| Entered::Serve(Served::Shared(landing)), Entered::Raise))
    }

    /// Says whether a leader claims at the client, or computes whatever that holds; `None` if it came with a claim.
    fn needs_claim(self, leader: &Leader, mode: &Mode) -> Option<bool> {
        match mode {
            Mode::Refresh | Mode::Beside(_) => Some(false),
            // It may have come to lead what others wait for, and they want nothing that is held.
            _ if leader.flight().is_next() => Some(false),
            Mode::Behind(ticket) if ticket.is_forced => Some(false),
            Mode::Behind(ticket) if ticket.claim.is_some() => None,
            Mode::Call | Mode::Behind(_) => Some(true),
        }
    }

    /// Goes on with the answer to a claim.
    fn claimed(self, leader: Leader, mode: Mode, claim: Claim<Cargo>, since: u64) -> Entered<'a> {
        let is_behind = matches!(mode, Mode::Behind(_));
        match claim {
            Claim::Fresh(entry) | Claim::DueElsewhere(entry) => {
                self.count_hit(&mode);
                leader.land(|| Landed::Value(Arc::clone(&entry.value), true));
                if is_behind { Entered::Idle } else { Entered::Serve(Served::Held(entry.value)) }
            }
            Claim::Due(entry, token) if !is_behind => {
                self.live.counters.due_hits.increment();
                leader.land(|| Landed::Value(Arc::clone(&entry.value), true));
                Entered::Due(entry.value, token)
            }
            Claim::AbsentElsewhere if is_behind => Entered::Idle,
            Claim::Due(entry, token) if token.is_lease() => {
                leader.land(|| Landed::Value(entry.value, true));
                let alone = self.live.flights.lead_alone(self.flight_key(), self.clock());
                self.compute_under(Some(token), alone, mode, since)
            }
            Claim::Due(_, token) | Claim::Absent(token) => self.compute_under(Some(token), leader, mode, since),
            Claim::AbsentElsewhere => self.compute_under(None, leader, mode, since),
        }
    }

    fn compute_under(self, token: Option<Token>, leader: Leader, mode: Mode, since: u64) -> Entered<'a> {
        self.count_miss(&mode);
        let claimed = token.map(|token| Claimed { drive: self, token: Some(token) });
        let mut lead = Lead { since, ..self.to_lead(claimed, Some(leader)) };
        if let Mode::Beside(beside) = mode {
            lead.beside = beside.waiter;
        }
        Entered::Compute(lead)
    }

    fn to_lead(self, claimed: Option<Claimed<'a>>, leader: Option<Leader>) -> Lead<'a> {
        let since = leader.as_ref().map_or_else(|| self.clock().now(), Leader::since);
        Lead { claimed, leader, beside: None, revision: self.backend.revision(self.key), since }
    }

    /// Claims the key; where another process computes, asks again until it has, or for as long as two leases last: a
    /// computer that died is replaced after one, and its successor has the other.
    async fn claim_patiently(self, leader: &Leader, mode: &Mode) -> Claim<Cargo> {
        let clock = self.clock();
        let mut now = clock.now();
        let until = now.saturating_add(nanos(self.policy.lease.saturating_mul(2).saturating_add(ROUNDING)));
        let mut pause = FIRST_PAUSE;
        loop {
            leader.flight().seen(now);
            let claim = self.claim_or_none(self.backend.claim(self.key, self.policy).await);
            if !matches!((&claim, mode), (Claim::AbsentElsewhere, Mode::Call)) || clock.now() >= until {
                return claim;
            }
            clock.sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            now = clock.now();
        }
    }

    /// Takes a client that fails for one that holds nothing.
    fn claim_or_none(self, claim: crate::Result<Claim<Cargo>>) -> Claim<Cargo> {
        claim.unwrap_or_else(|error| {
            self.live.failed("claim", &error);
            Claim::Absent(Token::default())
        })
    }

    /// Lengthens the entry that is about to be refreshed, so that other processes hold back; a lease does that by itself.
    async fn renew(self, claim: &Claim<Cargo>) {
        let computes = matches!(claim, Claim::Due(_, token) | Claim::Absent(token) if !token.is_lease());
        if let Some(renew) = self.policy.renew.filter(|_| computes)
            && let Err(error) = self.backend.renew(self.key, renew).await
        {
            self.live.failed("renew", &error);
        }
    }

    /// Returns whether a clear has come since the lead was had.
    fn was_cleared(self, revision: u64) -> bool {
        self.backend.revision(self.key) != revision
    }

    fn store_at_once(self, lead: &Lead<'_>, claimed: Option<Claimed<'_>>, made: &Made<'_>) {
        let Some(leader) = &lead.leader else { return };
        if self.was_cleared(lead.revision) || !leader.begin_store() {
            return self.live.counters.superseded.increment();
        }
        let token = claimed.map(Claimed::redeem).unwrap_or_default();
        match self.backend.fill_at_once(self.key, token, made, self.life()) {
            Ok(true) => {}
            Ok(false) => return self.live.counters.superseded.increment(),
            Err(error) => self.live.failed("store", &error),
        }
        if (leader.is_overtaken() || self.was_cleared(lead.revision))
            && let Err(error) = self.backend.delete_at_once(self.key)
        {
            self.live.failed("take back", &error);
        }
    }

    fn life(self) -> Duration {
        self.policy.life(fastrand::f64())
    }

    async fn store(self, leader: &Leader, claimed: Option<Claimed<'_>>, revision: u64, value: Cargo) {
        if self.was_cleared(revision) || !leader.begin_store() {
            return self.live.counters.superseded.increment();
        }
        let token = claimed.map(Claimed::redeem).unwrap_or_default();
        let fill = self.backend.fill(self.key, token, value, self.life());
        match unless_overtaken(leader, fill).await {
            Some(Ok(true)) => {}
            // Nothing was written, and nothing has to be taken back.
            Some(Ok(false)) => return self.live.counters.superseded.increment(),
            None => self.live.counters.superseded.increment(),
            Some(Err(error)) => self.live.failed("store", &error),
        }
        if leader.is_overtaken() || self.was_cleared(revision) {
            // What others have written since may lie below this: a miss is better than the older value.
            if let Err(error) = self.backend.delete(self.key).await {
                self.live.failed("take back", &error);
            }
        }
    }
}

impl Mode {
    /// Returns whether a plain call counts.
    fn is_call(&self) -> bool {
        matches!(self, Self::Call) || matches!(self, Self::Beside(beside) if beside.is_call)
    }
}

/// Returns the claim that a job came with.
fn taken(mode: &Mode) -> Token {
    match mode {
        Mode::Behind(ticket) => ticket.claim.map(|taken| taken.token).unwrap_or_default(),
        _ => Token::default(),
    }
}

/// A claim at the client that is released unless redeemed.
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
