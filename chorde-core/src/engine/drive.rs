//! Carries out what was decided: the slow path of every call that may compute.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use super::background::Ticket;
use super::decide::due_below;
use super::flight::{Cargo, Flight, FlightKey, Kind, Leader, Outcome, Role};
use super::runtime;
use crate::client::{Claim, ClaimOptions, Client, ReadOptions, Token, Value};
use crate::clock::Clock;
use crate::entry::{Entry, Lookup};
use crate::function::callbacks::{OnPromote, OnValue};
use crate::function::{Live, Shape, ValueMap};
use crate::key::Key;
use crate::policy::CallPolicy;

/// Bounds of the pauses between two questions to a store in which another process computes.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Says what a call is for.
#[derive(Debug)]
pub(crate) enum Mode {
    /// A value, whoever computed it.
    Call,
    /// A value computed from now on.
    Refresh,
    /// A better entry in the client; nobody waits for the value.
    Behind(Ticket),
}

/// How a call ended.
pub(crate) enum End<R, S, A> {
    /// With what the function returns.
    Returned(R),
    /// There was nothing to be done, or somebody else does it.
    Idle,
    /// With an entry that the caller is to refresh under this claim, with arguments not used.
    Due(S, Token, A),
}

/// How the calls of [`Drive::run`] end.
type EndOf<M, A> = End<<M as ValueMap>::Return, <M as ValueMap>::Stored, A>;

/// What those who wait for a flight are given.
enum Shared<S> {
    /// A value, and whether the client held it already.
    Value(S, bool),
    /// An error that can be copied.
    Error(Cargo),
}

/// What all calls of a function through one client have in common.
pub(crate) struct Scene<'a, C, M> {
    pub(crate) live: &'static Live,
    pub(crate) client: &'a C,
    pub(crate) maps: &'a M,
    pub(crate) policy: &'a CallPolicy,
}

/// One call on its way.
pub(crate) struct Drive<'a, C, M> {
    pub(crate) scene: Scene<'a, C, M>,
    pub(crate) key: &'a Key,
}

impl<'a, C, M> std::ops::Deref for Drive<'a, C, M> {
    type Target = Scene<'a, C, M>;

    fn deref(&self) -> &Scene<'a, C, M> {
        &self.scene
    }
}

/// What the user's function needs, to be used at most once.
pub(crate) struct Run<A, F, E> {
    pub(crate) args: A,
    pub(crate) compute: F,
    /// Makes a copy of the arguments for callbacks.
    pub(crate) echo: Option<E>,
}

impl<C, M> Drive<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// Gets a value by computing it, or by waiting for one who does.
    ///
    /// `stand_in` is asked for a placeholder if this call would have to wait.
    pub(crate) async fn run<A, F, Fut, E, O>(
        &self,
        mode: Mode,
        run: Run<A, F, E>,
        stand_in: impl Fn(&A) -> Option<M::Value>,
    ) -> EndOf<M, A>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let counters = &self.live.counters;
        self.live.keep_clock(self.clock());
        loop {
            match self.live.flights.join(self.flight_key(), self.kind(&mode), self.clock()) {
                Role::Lead(leader) => return self.lead(leader, mode, run).await,
                Role::Recurse => {
                    self.count_miss(&mode);
                    return End::Returned(self.compute(None, None, run).await);
                }
                Role::Wait(waiter) => {
                    if matches!(&mode, Mode::Behind(ticket) if !ticket.is_forced) {
                        return End::Idle;
                    }
                    if let Some(value) = stand_in(&run.args) {
                        self.count_miss(&mode);
                        return End::Returned(self.maps.shape().join(value));
                    }
                    self.live.flights.watch(&waiter, self.clock(), self.policy.lease);
                    let since = self.clock().now();
                    let outcome = waiter.wait().await;
                    counters.waited(self.clock().now().saturating_sub(since));
                    match outcome {
                        Outcome::Lead(leader) => return self.lead(leader, mode, run).await,
                        Outcome::Landed(cargo) => {
                            if let Some(returned) = self.unload(&cargo, &mode) {
                                return End::Returned(returned);
                            }
                        }
                        Outcome::StartOver => {}
                    }
                    if let Some(returned) = self.look_again(&mode) {
                        return End::Returned(returned);
                    }
                }
            }
        }
    }

    fn kind(&self, mode: &Mode) -> Kind {
        match mode {
            _ if !self.policy.single_flight => Kind::Alone,
            Mode::Call => Kind::Join,
            Mode::Behind(ticket) if !ticket.is_forced => Kind::Join,
            Mode::Refresh | Mode::Behind(_) => Kind::Next,
        }
    }

    pub(crate) fn flight_key(&self) -> FlightKey {
        (self.client.identity().id(), self.key.digest())
    }

    fn count_miss(&self, mode: &Mode) {
        if matches!(mode, Mode::Call) {
            self.live.counters.misses.increment();
        }
    }

    fn count_hit(&self, mode: &Mode) {
        if matches!(mode, Mode::Call) {
            self.live.counters.hits.increment();
        }
    }

    /// Takes what another call brought home; `None` if it is of another type, so that it is no use here.
    fn unload(&self, cargo: &Cargo, mode: &Mode) -> Option<M::Return> {
        match cargo.downcast_ref::<Shared<M::Stored>>()? {
            Shared::Value(stored, was_held) => {
                if *was_held {
                    self.count_hit(mode);
                } else {
                    self.count_miss(mode);
                    self.count_coalesced(mode);
                }
                Some(self.maps.serve(stored.clone()))
            }
            Shared::Error(cargo) => {
                let error = self.maps.shape().shared(cargo)?;
                self.count_miss(mode);
                self.count_coalesced(mode);
                Some(self.maps.shape().raise(error))
            }
        }
    }

    fn count_coalesced(&self, mode: &Mode) {
        if matches!(mode, Mode::Call) {
            self.live.counters.coalesced.increment();
        }
    }

    /// Looks whether a value has come while waiting for nothing.
    fn look_again(&self, mode: &Mode) -> Option<M::Return> {
        let Mode::Call = mode else { return None };
        match self.client.look(&self.key.probe(), ReadOptions::new()) {
            Some(Lookup::Held(entry)) if !entry.is_stale() => {
                self.count_hit(mode);
                Some(self.maps.serve(entry.value))
            }
            _ => None,
        }
    }

    /// Does what a leader does: claims, computes if need be, shares.
    async fn lead<A, F, Fut, E, O>(&self, leader: Leader, mut mode: Mode, run: Run<A, F, E>) -> EndOf<M, A>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let claim = match &mut mode {
            Mode::Refresh => Claim::Absent(Token::default()),
            Mode::Behind(ticket) if ticket.is_forced => Claim::Absent(Token::default()),
            Mode::Behind(ticket) if ticket.claim.is_some() => Claim::Absent(ticket.claim.take().unwrap_or_default()),
            Mode::Call | Mode::Behind(_) => self.claim_patiently(&leader, &mode).await,
        };
        let (is_behind, counters) = (matches!(mode, Mode::Behind(_)), &self.live.counters);
        match claim {
            Claim::Fresh(entry) | Claim::DueElsewhere(entry) => {
                self.count_hit(&mode);
                land_held(leader, &entry);
                if is_behind { End::Idle } else { End::Returned(self.maps.serve(entry.value)) }
            }
            Claim::Due(entry, token) if !is_behind => {
                counters.due_hits.increment();
                land_held(leader, &entry);
                End::Due(entry.value, token, run.args)
            }
            Claim::AbsentElsewhere if is_behind => End::Idle,
            Claim::Due(_, token) | Claim::Absent(token) => {
                self.count_miss(&mode);
                let claimed = Claimed { drive: self, token: Some(token) };
                if is_behind {
                    self.renew().await;
                }
                End::Returned(self.compute(Some(leader), Some(claimed), run).await)
            }
            Claim::AbsentElsewhere => {
                self.count_miss(&mode);
                End::Returned(self.compute(Some(leader), None, run).await)
            }
        }
    }

    /// Claims the key; where another process computes, asks again until it has, or for as long as a lease lasts.
    async fn claim_patiently(&self, leader: &Leader, mode: &Mode) -> Claim<M::Stored> {
        let clock = self.clock();
        let until = clock.now().saturating_add(crate::clock::nanos(self.policy.lease));
        let mut pause = FIRST_PAUSE;
        loop {
            leader.flight().set_polling(false, clock.now());
            let claim = match self.claim().await {
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
        }
    }

    async fn claim(&self) -> crate::Result<Claim<M::Stored>> {
        let below = due_below(self.policy, self.key.digest().low());
        let hear = |key: &Key, stored: &M::Stored, remaining: Duration| {
            self.live.promoted(key, &self.maps.decode(stored.clone()), remaining);
        };
        let mut read = ReadOptions::new();
        if self.live.on_promote.any() {
            read = read.on_promote(&hear);
        }
        self.client.claim(self.key, ClaimOptions::new(self.policy.lease).refresh_below(below).reading(read)).await
    }

    /// Lengthens the entry that is about to be refreshed, so that other processes hold back.
    async fn renew(&self) {
        if let Some(renew) = self.policy.renew
            && let Err(error) = self.client.renew_entry(self.key, renew).await
        {
            self.live.failed("renew", &error);
        }
    }

    /// Computes, stores, shares, and tells who wants to know.
    async fn compute<A, F, Fut, E, O>(
        &self,
        leader: Option<Leader>,
        claimed: Option<Claimed<'_, C, M>>,
        run: Run<A, F, E>,
    ) -> M::Return
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        // A panic of the function unwinds through here: the claim and the lead are given up on its way to the caller.
        let (value, echo) = match self.run_function(leader.as_ref().map(Leader::flight), run).await {
            Ok(computed) => computed,
            Err(error) => {
                drop(claimed);
                if let Some((leader, cargo)) = leader.zip(self.maps.shape().share(&error)) {
                    leader.land(|| Arc::new(Shared::<M::Stored>::Error(cargo)));
                }
                return self.maps.shape().raise(error);
            }
        };
        let is_kept = self.maps.keeps(&value);
        let stored = self.maps.encode(value);
        if let Some(leader) = leader {
            if is_kept {
                self.store(&leader, claimed, stored.clone()).await;
            }
            leader.land(|| Arc::new(Shared::Value(stored.clone(), false)));
        }
        let value = self.maps.decode(stored);
        if let Some(args) = echo {
            self.live.computed(&value, &args);
        }
        self.maps.shape().join(value)
    }

    async fn store(&self, leader: &Leader, claimed: Option<Claimed<'_, C, M>>, stored: M::Stored) {
        if !leader.begin_store() {
            return self.live.counters.superseded.increment();
        }
        let token = claimed.map(Claimed::redeem).unwrap_or_default();
        match self.client.fill(self.key, token, stored, self.policy.life(fastrand::f64())).await {
            Ok(true) => {}
            Ok(false) => self.live.counters.superseded.increment(),
            Err(error) => self.live.failed("store", &error),
        }
    }
}

impl<C, M> Scene<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    pub(crate) fn clock(&self) -> &Clock {
        self.client.identity().clock()
    }

    /// Runs the user's function and counts how it ends; returns its value and a copy of its arguments for those who
    /// want to hear of both.
    async fn run_function<A, F, Fut, E, O>(
        &self,
        flight: Option<&Arc<Flight>>,
        run: Run<A, F, E>,
    ) -> Result<(M::Value, Option<O>), <M::Shape as Shape>::Error>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
    {
        let counters = &self.live.counters;
        let echo = run.echo.filter(|_| self.live.on_value.any()).and_then(|echo| echo(&run.args));
        let (args, start) = (run.args, run.compute);
        let began = self.clock().now();
        let returned = runtime::compute(flight, self.clock(), || start(args)).await.unwrap_or_else(|panic| {
            counters.panics.increment();
            resume_unwind(panic)
        });
        let value = self.maps.shape().split(returned).inspect_err(|_| counters.compute_errors.increment())?;
        counters.computes.increment();
        if self.policy.timings {
            counters.computed_in(Duration::from_nanos(self.clock().now().saturating_sub(began)));
        }
        Ok((value, echo))
    }

    /// Runs the user's function without the cache.
    pub(crate) async fn without_cache<A, F, Fut, E, O>(&self, run: Run<A, F, E>) -> M::Return
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        match self.run_function(None, run).await {
            Ok((value, echo)) => {
                if let Some(args) = echo {
                    self.live.computed(&value, &args);
                }
                self.maps.shape().join(value)
            }
            Err(error) => self.maps.shape().raise(error),
        }
    }
}

/// Gives those who wait what the client held already.
fn land_held<S: Value>(leader: Leader, entry: &Entry<S>) {
    leader.land(|| Arc::new(Shared::Value(entry.value.clone(), true)));
}

/// A claim at the client that is given back unless redeemed.
struct Claimed<'a, C: Client<M::Stored>, M: ValueMap> {
    drive: &'a Drive<'a, C, M>,
    token: Option<Token>,
}

impl<C: Client<M::Stored>, M: ValueMap> Claimed<'_, C, M> {
    fn redeem(mut self) -> Token {
        self.token.take().unwrap_or_default()
    }
}

impl<C: Client<M::Stored>, M: ValueMap> Drop for Claimed<'_, C, M> {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            self.drive.client.release(self.drive.key, token);
        }
    }
}

impl Live {
    /// Counts and logs an operation of the client that failed.
    pub(crate) fn failed(&self, operation: &str, error: &crate::Error) {
        self.counters.client_errors.increment();
        log::warn!("{}: the cache failed to {operation}: {error}", self.description.name);
    }

    fn count_panics(&self, panics: usize) {
        for _ in 0..panics {
            self.counters.panics.increment();
        }
    }

    fn computed<V: 'static, O: 'static>(&self, value: &V, args: &O) {
        self.count_panics(self.on_value.each(|hear: &OnValue<V, O>| hear(value, args)));
    }

    pub(crate) fn promoted<V: 'static>(&self, key: &Key, value: &V, remaining: Duration) {
        self.count_panics(self.on_promote.each(|hear: &OnPromote<V>| hear(key, value, remaining)));
    }
}
