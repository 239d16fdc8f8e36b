//! What a call does that has to compute, or to wait for who does.

use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::operations::Why;
use super::{At, Found, Prepared, Slow};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::engine::runtime::{catch, compute as run};
use crate::engine::{Backed, Brought, Drive, Entered, Lead, Mode, unload};
use crate::flight::{Cargo, Leader};
use crate::policy::{CallPolicy, RefreshPoint};
use crate::site::callbacks::Placeholder;
use crate::site::{Shape, ValueMap};

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
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
                let _ = self.send(key, args, behind, Why::Due(refresh));
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
                        let _ = self.send(key, args, behind, Why::Claimed(refresh, token));
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

    /// Returns the policy with another refresh point, if it is another: most calls need none, and thousands may wait.
    fn policy_from(&self, refresh: RefreshPoint) -> Option<Box<CallPolicy>> {
        (refresh != self.policy.refresh).then(|| Box::new(self.policy.due_from(refresh)))
    }

    fn backed(&self) -> Backed<'_, C, M> {
        Backed { live: self.live, client: &self.client, maps: &self.maps }
    }
}
