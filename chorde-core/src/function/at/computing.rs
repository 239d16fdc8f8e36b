//! What a call of an asynchronous function does that has to compute, or to wait for who does.
//!
//! Where its arguments can be owned, a call that leads begins a [computation](crate::engine::computation) that goes on without
//! it; otherwise it computes in its own future, and what it has begun ends with it. `blocking` is the same for plain functions,
//! on their caller's thread.

use std::future::Future;
use std::sync::Arc;

use super::ending::{Rest, User};
use super::operations::Why;
use super::{At, Found, Prepared, Slow};
use crate::client::Client;
use crate::engine::background::{CallFlight, Job, Reporter, Ticket};
use crate::engine::computation::{self, Driving, Owned};
use crate::engine::runtime::{catch, lead_in_place};
use crate::engine::{Arrived, Drive, Entered, Joined, Lead, Mode, unload};
use crate::flight::Leader;
use crate::function::{Boxed, Crossing};
use crate::key::Key;
use crate::policy::RefreshPoint;
use crate::site::ValueMap;
use crate::sync::{Mutex, lock};

/// A call that was begun.
pub(in super::super) enum Begun<'a, R: Send + 'static> {
    Returned(R),
    /// It leads.
    Leads(Driving<R>),
    Other(Boxed<'a, R>),
}

/// Where a computation leaves the result for the call that began it.
type Slot<R> = Mutex<Option<R>>;

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// Ends a plain call that the hit path could not, computing in its own future.
    #[expect(clippy::boxed_local, reason = "its caller would keep it in its own future otherwise")]
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
        let user = User { args, compute, behind, echo };
        async move {
            let Some(key) = &key else { return Box::pin(self.compute(None, user)).await };
            if let Found::Due(stored) = found {
                return self.serve_due(key, stored, user.args, user.behind, Why::Due(refresh));
            }
            let (backed, terms) = (self.backed(), self.terms(refresh));
            let drive = self.drive(&backed, &terms, key);
            let joined = drive.join(Mode::Call);
            if let Some(stand_in) = self.stand_in(&joined, &user) {
                return stand_in;
            }
            // Boxed, so that thousands who wait are small.
            match arrive(drive, joined).await {
                Arrived::Lead(leader, mode) => {
                    Box::pin(lead_in_place(&leader).run(self.led(drive, leader, mode, user))).await
                }
                Arrived::Entered(entered) => Box::pin(self.enter(drive, entered, user)).await,
            }
        }
    }

    /// Computes whatever the client holds; calls that come while one computes share the next.
    pub async fn refresh<A, F, Fut, E, O>(&self, key: Prepared, args: A, compute: F, echo: Option<E>) -> M::Return
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let user = User { args, compute, behind: super::no_behind(), echo };
        let Some(key) = self.usable(key.0) else { return Box::pin(self.compute(None, user)).await };
        let (backed, terms) = (self.backed(), self.terms(self.policy.refresh));
        let drive = self.drive(&backed, &terms, &key);
        match arrive(drive, drive.join(Mode::Refresh)).await {
            Arrived::Lead(leader, mode) => {
                Box::pin(lead_in_place(&leader).run(self.led(drive, leader, mode, user))).await
            }
            Arrived::Entered(entered) => Box::pin(self.enter(drive, entered, user)).await,
        }
    }

    /// Goes on as the leader of a flight.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    fn led<A, F, Fut, B, E, O>(
        &self,
        drive: Drive<'_>,
        leader: Leader,
        mode: Mode,
        user: User<A, F, B, E>,
    ) -> impl Future<Output = M::Return>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        async move {
            let entered = match drive.led_at_once(leader, mode) {
                Ok(entered) => entered,
                Err((leader, mode)) => drive.led(leader, mode).await,
            };
            self.enter(drive, entered, user).await
        }
    }

    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    fn enter<A, F, Fut, B, E, O>(
        &self,
        drive: Drive<'_>,
        entered: Entered<'_>,
        user: User<A, F, B, E>,
    ) -> impl Future<Output = M::Return>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        async move {
            let lead = match entered {
                Entered::Compute(lead) => Some((drive, lead)),
                Entered::Due(cargo, token) => match unload(cargo) {
                    Some(stored) => {
                        let why = Why::Claimed(drive.policy.refresh, token);
                        return self.serve_due(drive.key, stored, user.args, user.behind, why);
                    }
                    None => None,
                },
                entered => match self.served(entered) {
                    Some(returned) => return returned,
                    None => None,
                },
            };
            self.compute(lead, user).await
        }
    }

    /// Runs the user's function and, where it leads a flight, settles that.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    fn compute<A, F, Fut, B, E, O>(
        &self,
        lead: Option<(Drive<'_>, Lead<'_>)>,
        user: User<A, F, B, E>,
    ) -> impl Future<Output = M::Return>
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        async move {
            let echo = self.copied(user.echo, &user.args);
            let began = lead.as_ref().and_then(|(_, lead)| lead.since()).unwrap_or_else(|| self.now());
            let (compute, args) = (user.compute, user.args);
            let returned = match catch(async move { compute(args).await }).await {
                Ok(returned) => returned,
                Err(panic) => self.panicked(lead.map(|(_, lead)| lead), panic),
            };
            match self.ended(lead, returned, began, echo) {
                Rest::Done(returned) => returned,
                Rest::Store(storing) => Box::pin(self.store(storing)).await,
            }
        }
    }
}

/// The same for calls whose arguments can be owned.
impl<'f, C, M> At<'f, C, M>
where
    M: Crossing + 'f,
    C: Client<M::Stored> + 'f,
{
    /// Ends a plain call that the hit path could not. `apart` makes this into a computation for a call that leads, which needs
    /// nothing more of that; `here` computes for one that takes no part in a flight.
    pub(in super::super) fn begin<'c, A, B, E, O>(
        self,
        slow: Slow<M::Stored>,
        user: User<A, (), B, E>,
        apart: impl FnOnce(Self, Ticket, A) -> Owned<M::Return> + Send + 'c,
        here: impl FnOnce(Self, A) -> Boxed<'c, M::Return> + Send + 'c,
    ) -> Begun<'c, M::Return>
    where
        'f: 'c,
        A: Send + 'c,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let Slow { key, found, refresh } = slow;
        let Some(key) = self.usable(key) else { return Begun::Other(here(self, user.args)) };
        if let Found::Due(stored) = found {
            return Begun::Returned(self.serve_due(&key, stored, user.args, user.behind, Why::Due(refresh)));
        }
        let joined = {
            let (backed, terms) = (self.backed(), self.terms(refresh));
            self.drive(&backed, &terms, &key).join(Mode::Call)
        };
        if let Some(stand_in) = self.stand_in(&joined, &user) {
            return Begun::Returned(stand_in);
        }
        let (args, detach) = (user.args, self.policy.detach);
        let joined = match joined {
            Joined::Lead(leader, mode) => {
                let ticket = |leader| Ticket::of_call(key, refresh, leader, mode);
                return Begun::Leads(computation::begin(leader, detach, |leader| apart(self, ticket(leader), args)));
            }
            joined => joined,
        };
        // Boxed, so that thousands who wait are small.
        Begun::Other(Box::pin(self.wait_and_go_on(key, (refresh, joined), args, apart, here)))
    }

    /// Computes whatever the client holds; calls that come while one computes share the next.
    pub(in super::super) async fn refresh_owned<'c, A>(
        self,
        key: Prepared,
        args: A,
        apart: impl FnOnce(Self, Ticket, A) -> Owned<M::Return>,
        here: impl FnOnce(Self, A) -> Boxed<'c, M::Return>,
    ) -> M::Return {
        let Some(key) = self.usable(key.0) else { return here(self, args).await };
        let refresh = self.policy.refresh;
        let joined = {
            let (backed, terms) = (self.backed(), self.terms(refresh));
            self.drive(&backed, &terms, &key).join(Mode::Refresh)
        };
        self.wait_and_go_on(key, (refresh, joined), args, apart, here).await
    }

    /// Waits, if it has to be, and does what there is to be done then.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
    fn wait_and_go_on<'c, A>(
        self,
        key: Key,
        (refresh, joined): (RefreshPoint, Joined),
        args: A,
        apart: impl FnOnce(Self, Ticket, A) -> Owned<M::Return>,
        here: impl FnOnce(Self, A) -> Boxed<'c, M::Return>,
    ) -> impl Future<Output = M::Return> {
        async move {
            // Who does not lead has been served, or computes without a flight.
            let lead = {
                let (backed, terms) = (self.backed(), self.terms(refresh));
                match arrive(self.drive(&backed, &terms, &key), joined).await {
                    Arrived::Lead(leader, mode) => Ok((leader, mode)),
                    Arrived::Entered(entered) => Err(self.served(entered)),
                }
            };
            match lead {
                Ok((leader, mode)) => {
                    let detach = self.policy.detach;
                    let ticket = |leader| Ticket::of_call(key, refresh, leader, mode);
                    computation::begin(leader, detach, |leader| apart(self, ticket(leader), args)).await
                }
                Err(Some(returned)) => returned,
                Err(None) => here(self, args).await,
            }
        }
    }

    /// Ends a plain call that the hit path could not, with a computation that the background's job is made into.
    #[expect(clippy::boxed_local, reason = "its caller would keep it in its own future otherwise")]
    pub fn finish_by_job<A, F, Fut, E, O>(
        self,
        slow: Box<Slow<M::Stored>>,
        args: A,
        compute: F,
        job: Option<fn(A) -> Job>,
        echo: Option<E>,
    ) -> impl Future<Output = M::Return> + Send + 'f
    where
        A: Send + 'f,
        F: FnOnce(A) -> Fut + Send + 'f,
        Fut: Future<Output = M::Return> + Send + 'f,
        E: Fn(&A) -> Option<O> + Copy + Send + 'f,
        O: Send + 'static,
    {
        let apart = move |_, mut ticket: Ticket, args| -> Owned<M::Return> {
            let slot = Arc::new(Slot::<M::Return>::default());
            ticket.leave_result_in(slot.clone());
            let work = job.map(|job| job(args).into_future(ticket));
            Box::pin(async move {
                if let Some(work) = work {
                    work.await;
                }
                let result = lock(&slot).take();
                result.expect("invariant: a computation leaves its result for the call it was started for")
            })
        };
        let here = move |at: Self, args| -> Boxed<'f, M::Return> {
            Box::pin(async move { at.compute(None, User { args, compute, behind: job, echo }).await })
        };
        let begun = self.begin(*slow, User { args, compute: (), behind: job, echo }, apart, here);
        async move {
            match begun {
                Begun::Returned(returned) => returned,
                Begun::Leads(driving) => driving.await,
                Begun::Other(other) => other.await,
            }
        }
    }

    /// Computes for the call that the ticket came from, or, without one, for none.
    pub(in super::super) async fn fly<A, F, Fut, B, E, O>(
        &self,
        call: Option<(&Ticket, CallFlight)>,
        user: User<A, F, B, E>,
    ) -> M::Return
    where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let Some((ticket, call)) = call else { return self.compute(None, user).await };
        let (backed, terms) = (self.backed(), self.terms(ticket.refresh));
        let drive = self.drive(&backed, &terms, &ticket.key);
        self.led(drive, call.leader, call.mode, user).await
    }

    /// Does the work of a background job: recomputes a key, or computes for the call that the ticket came from.
    pub async fn behind<A, F, Fut, B, E, O>(
        &self,
        mut ticket: Ticket,
        args: A,
        compute: F,
        behind: Option<B>,
        echo: Option<E>,
    ) where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let user = User { args, compute, behind, echo };
        if let Some(mut call) = ticket.call.take() {
            let slot = call.slot.take().and_then(|slot| slot.downcast::<Slot<M::Return>>().ok());
            let returned = self.fly(Some((&ticket, call)), user).await;
            if let Some(slot) = slot {
                *lock(&slot) = Some(returned);
            }
            return;
        }
        let (key, report) = (ticket.key.clone(), ticket.report.take());
        let _hold = ticket.keep_hold();
        let (backed, terms) = (self.backed(), self.terms(ticket.refresh));
        let drive = self.drive(&backed, &terms, &key);
        match arrive(drive, drive.join(Mode::Behind(Box::new(ticket)))).await {
            Arrived::Lead(leader, mode) => {
                lead_in_place(&leader).run(self.led_behind(drive, Ok((leader, mode)), user, report)).await;
            }
            Arrived::Entered(entered) => self.led_behind(drive, Err(entered), user, report).await,
        }
    }

    async fn led_behind<A, F, Fut, B, E, O>(
        &self,
        drive: Drive<'_>,
        arrived: Result<(Leader, Mode), Entered<'_>>,
        user: User<A, F, B, E>,
        report: Option<Reporter>,
    ) where
        F: FnOnce(A) -> Fut,
        Fut: Future<Output = M::Return>,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let entered = match arrived {
            Ok((leader, mode)) => match drive.led_at_once(leader, mode) {
                Ok(entered) => entered,
                Err((leader, mode)) => drive.led(leader, mode).await,
            },
            Err(entered) => entered,
        };
        let lead = match entered {
            Entered::Compute(lead) => lead,
            entered => return report.into_iter().for_each(|report| report.end(self.found(&entered))),
        };
        let ended = catch(self.compute(Some((drive, lead)), user)).await;
        self.tell_end(ended, report);
    }
}

/// Waits, if it has to be, for the call's part in the flight.
async fn arrive<'d>(drive: Drive<'d>, joined: Joined) -> Arrived<'d> {
    match drive.arrive(joined) {
        Ok(arrived) => arrived,
        Err((waiter, mode)) => drive.wait(waiter, mode).await,
    }
}
