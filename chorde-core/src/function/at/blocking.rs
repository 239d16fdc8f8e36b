//! What a call of a plain function does that has to compute, or to wait for who does: on its caller's thread.
//!
//! Where the client answers at once, a miss is a chain of plain calls. Each level of a recursive function passes through here:
//! what is not needed while the user's function runs is kept out of these frames.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::ending::{Rest, User};
use super::operations::Why;
use super::{At, Found, Prepared, Slow};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::engine::runtime::wait;
use crate::engine::{Arrived, Drive, Entered, Joined, Lead, Mode, unload};
use crate::flight::active::Scope;
use crate::site::{Instance, ValueMap};

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// Ends a plain call that the hit path could not.
    #[expect(
        clippy::needless_pass_by_value,
        clippy::boxed_local,
        reason = "it is kept while the user's function runs, in the frame of each level of a recursion"
    )]
    pub fn finish_now<A, F, B, E, O>(
        self,
        slow: Box<Slow<M::Stored>>,
        args: A,
        compute: F,
        behind: Option<B>,
        echo: Option<E>,
    ) -> M::Return
    where
        F: FnOnce(A) -> M::Return,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let mut user = Some(User { args, compute, behind, echo });
        let (backed, terms) = (self.backed(), self.terms(slow.refresh));
        let drive = self.usable_here(&slow.key).map(|key| self.drive(&backed, &terms, key));
        let mut lead = None;
        if let Some(drive) = &drive
            && let Some(returned) = self.turn_now(*drive, &slow.found, &mut user, &mut lead)
        {
            return returned;
        }
        self.compute_now(drive.as_ref(), &mut lead, &mut user)
    }

    /// Computes whatever the client holds; calls that come while one computes share the next.
    #[expect(clippy::needless_pass_by_value, reason = "it is kept while the user's function runs, and by nobody else")]
    pub fn refresh_now<A, F, E, O>(&self, key: Prepared, args: A, compute: F, echo: Option<E>) -> M::Return
    where
        F: FnOnce(A) -> M::Return,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let mut user = Some(User { args, compute, behind: super::no_behind(), echo });
        let (backed, terms) = (self.backed(), self.terms(self.policy.refresh));
        let drive = self.usable_here(&key.0).map(|key| self.drive(&backed, &terms, key));
        let mut lead = None;
        if let Some(drive) = &drive
            && let Some(returned) = self.enter_now(*drive, drive.join(Mode::Refresh), &mut user, &mut lead)
        {
            return returned;
        }
        self.compute_now(drive.as_ref(), &mut lead, &mut user)
    }

    /// Does the work of a background job.
    pub fn behind_now<A, F, E, O>(&self, mut ticket: Ticket, args: A, compute: F, echo: Option<E>)
    where
        F: FnOnce(A) -> M::Return,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let (key, report) = (ticket.key.clone(), ticket.report.take());
        let _hold = ticket.keep_hold();
        let (backed, terms) = (self.backed(), self.terms(ticket.refresh));
        let drive = self.drive(&backed, &terms, &key);
        let joined = drive.join(Mode::Behind(Box::new(ticket)));
        let lead = match arrive(drive, joined) {
            Entered::Compute(lead) => lead,
            entered => return report.into_iter().for_each(|report| report.end(self.found(&entered))),
        };
        let user = User { args, compute, behind: Option::<fn(A) -> Job>::None, echo };
        // What a function shares with others is its own to protect.
        let (mut lead, mut user) = (Some(lead), Some(user));
        let ended = catch_unwind(AssertUnwindSafe(|| self.compute_now(Some(&drive), &mut lead, &mut user)));
        self.tell_end(ended, report);
    }

    /// Returns what the call can have without computing, or the lead.
    #[inline(never)]
    fn turn_now<'d, A, F, B, E, O>(
        &self,
        drive: Drive<'d>,
        found: &Found<M::Stored>,
        user: &mut Option<User<A, F, B, E>>,
        lead: &mut Option<Lead<'d>>,
    ) -> Option<M::Return>
    where
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        if let Found::Due(stored) = found {
            let User { args, behind, .. } = user.take()?;
            return Some(self.serve_due(drive.key, stored.clone(), args, behind, Why::Due(drive.policy.refresh)));
        }
        let joined = drive.join(Mode::Call);
        if let Some(stand_in) = self.stand_in(&joined, user.as_ref()?) {
            return Some(stand_in);
        }
        self.enter_now(drive, joined, user, lead)
    }

    fn enter_now<'d, A, F, B, E, O>(
        &self,
        drive: Drive<'d>,
        joined: Joined,
        user: &mut Option<User<A, F, B, E>>,
        lead: &mut Option<Lead<'d>>,
    ) -> Option<M::Return>
    where
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
    {
        match arrive(drive, joined) {
            Entered::Compute(led) => {
                *lead = Some(led);
                None
            }
            Entered::Due(cargo, token) => {
                let stored = unload(cargo)?;
                let User { args, behind, .. } = user.take()?;
                Some(self.serve_due(drive.key, stored, args, behind, Why::Claimed(drive.policy.refresh, token)))
            }
            entered => self.served(entered),
        }
    }

    /// Runs the user's function and, where it leads a flight, settles that.
    fn compute_now<'d, A, F, B, E, O>(
        &self,
        drive: Option<&Drive<'d>>,
        lead: &mut Option<Lead<'d>>,
        user: &mut Option<User<A, F, B, E>>,
    ) -> M::Return
    where
        F: FnOnce(A) -> M::Return,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let user = user.take().expect("invariant: what computes is used up by computing alone");
        let User { args, compute, echo, .. } = user;
        let echo = self.copied(echo, &args);
        let began = lead.as_ref().and_then(Lead::since).unwrap_or_else(|| self.now());
        let leader = lead.as_ref().and_then(Lead::leader);
        let scope = leader.map(|leader| {
            leader.computes_here();
            Scope::enter_thread(leader.flight())
        });
        let mut running = Running { live: self.live, lead, has_returned: false };
        let returned = compute(args);
        running.has_returned = true;
        drop(running);
        self.end_now(drive, lead, returned, began, echo, scope)
    }

    #[inline(never)]
    fn end_now<'d, O: 'static>(
        &self,
        drive: Option<&Drive<'d>>,
        lead: &mut Option<Lead<'d>>,
        returned: M::Return,
        began: u64,
        echo: Option<O>,
        _scope: Option<Scope>,
    ) -> M::Return {
        match self.ended(drive.copied().zip(lead.take()), returned, began, echo) {
            Rest::Done(returned) => returned,
            Rest::Store(storing) => wait(self.store(storing)),
        }
    }
}

/// Waits, if it has to be, until a call knows what to do.
#[inline(never)]
fn arrive<'d>(drive: Drive<'d>, joined: Joined) -> Entered<'d> {
    let arrived = drive.arrive(joined).unwrap_or_else(|(waiter, mode)| wait(drive.wait(waiter, mode)));
    match arrived {
        Arrived::Lead(leader, mode) => {
            // What a store calls, such as a logger, may call the function: that must not wait for this thread.
            let _scope = (!drive.backend.answers_at_once()).then(|| Scope::enter_thread(leader.flight()));
            drive.led_at_once(leader, mode).unwrap_or_else(|(leader, mode)| wait(drive.led(leader, mode)))
        }
        Arrived::Entered(entered) => entered,
    }
}

/// The user's function at work; dropped before it has returned, it has panicked.
struct Running<'a, 'd> {
    live: &'static Instance,
    lead: &'a mut Option<Lead<'d>>,
    has_returned: bool,
}

impl Drop for Running<'_, '_> {
    fn drop(&mut self) {
        if self.has_returned {
            return;
        }
        self.live.counters.panics.increment();
        if let Some(lead) = self.lead.take() {
            lead.fail(self.live, None);
        }
    }
}
