//! Carries out what was decided: the slow path of every call that may compute, around the user's function.
//!
//! [`Drive::join`] finds the call's part in the flight of its key, [`Drive::led`] goes from there to the point where it must
//! compute, and [`Drive::settle`] goes on after that. In between, the caller runs the user's function, with types of its own
//! that are no business of this module. Each step has a form that ends at once, for clients that answer at once, and one
//! that waits.

mod leading;
mod settling;

pub(crate) use settling::{Lead, Made};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::backend::{Backend, unload};
use super::background::Ticket;
use crate::client::Token;
use crate::clock::{Clock, nanos};
use crate::error::Error;
use crate::flight::{Cargo, FlightKey, Kind, Landed, Landing, Leader, Outcome, Role, Waiter};
use crate::key::Key;
use crate::policy::CallPolicy;
use crate::site::Instance;

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
    /// A value computed at once, in parallel with the leader.
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

/// One call on its way.
#[derive(Clone, Copy)]
pub(crate) struct Drive<'a> {
    pub(crate) live: &'static Instance,
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
        self.live.flights.leave_outdated(&self.flight_key(), self.backend.revision(self.key));
        match self.live.flights.join(self.flight_key(), self.kind(&mode), self.clock()) {
            Role::Lead(leader) => Joined::Lead(leader, mode),
            Role::Recurse => Joined::Recurse(mode),
            Role::Wait(_) if matches!(&mode, Mode::Behind(ticket) if !ticket.waits_for_others) => {
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
                    && let Some(held) = self.backend.held(self.key, self.policy)
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
        self.backend.read(self.key, self.policy).await.unwrap_or_else(|error| {
            self.failed("read", &error);
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
            Mode::Call | Mode::Refresh if self.is_waiting_futile() => Kind::Alone,
            Mode::Call => Kind::Join,
            // The store serves the others meanwhile, and keeps them from computing.
            Mode::Behind(ticket) if ticket.claim.is_some_and(|taken| taken.token.is_lease()) => Kind::Alone,
            Mode::Behind(ticket) if !ticket.is_forced => Kind::Join,
            Mode::Refresh | Mode::Behind(_) => Kind::Next,
            Mode::Beside(_) => Kind::Alone,
        }
    }

    /// Returns whether callers of this key should compute at once.
    fn is_waiting_futile(self) -> bool {
        self.live.failures.is_waiting_futile(self.key.digest(), || self.clock().now(), nanos(self.policy.lease))
    }

    fn clock(self) -> &'a Clock {
        self.backend.identity().clock()
    }

    fn failed(self, operation: &'static str, error: &Error) {
        self.live.failed(operation, error, self.clock().now());
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
            // Too old for this call, whose ttl is shorter than that of the one who found it.
            Landed::Value(_, Some(exceeded)) if self.policy.ttl <= *exceeded => return None,
            Landed::Value(_, held) => (None, held.is_some()),
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
}

impl Mode {
    /// Returns whether a plain call counts.
    fn is_call(&self) -> bool {
        matches!(self, Self::Call) || matches!(self, Self::Beside(beside) if beside.is_call)
    }
}
