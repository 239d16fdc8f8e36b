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
use crate::site::{Shape, ValueMap};
use crate::stats::Counters;

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// Ends a plain call that the hit path could not.
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
        let Slow { key, found, refresh } = *slow;
        let user = User { args, compute, behind, echo };
        let Some(key) = self.usable(key) else { return self.compute_now(None, user) };
        if let Found::Due(stored) = found {
            return self.serve_due(&key, stored, user.args, user.behind, Why::Due(refresh));
        }
        let (backed, terms) = (self.backed(), self.terms(refresh));
        let drive = self.drive(&backed, &terms, &key);
        let joined = drive.join(Mode::Call);
        if let Some(stand_in) = self.stand_in(&joined, &user) {
            return stand_in;
        }
        self.enter_now(drive, joined, user)
    }

    /// Computes whatever the client holds; calls that come while one computes share the next.
    pub fn refresh_now<A, F, E, O>(&self, key: Prepared, args: A, compute: F, echo: Option<E>) -> M::Return
    where
        F: FnOnce(A) -> M::Return,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let user = User { args, compute, behind: super::no_behind(), echo };
        let Some(key) = self.usable(key.0) else { return self.compute_now(None, user) };
        let (backed, terms) = (self.backed(), self.terms(self.policy.refresh));
        let drive = self.drive(&backed, &terms, &key);
        self.enter_now(drive, drive.join(Mode::Refresh), user)
    }

    /// Does the work of a background job.
    pub fn behind_now<A, F, E, O>(&self, mut ticket: Ticket, args: A, compute: F, echo: Option<E>)
    where
        F: FnOnce(A) -> M::Return,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let key = ticket.key.clone();
        let _hold = ticket.keep_hold();
        let (backed, terms) = (self.backed(), self.terms(ticket.refresh));
        let drive = self.drive(&backed, &terms, &key);
        let joined = drive.join(Mode::Behind(Box::new(ticket)));
        let Entered::Compute(lead) = arrive(drive, joined) else { return };
        let user = User { args, compute, behind: Option::<fn(A) -> Job>::None, echo };
        // What a function shares with others is its own to protect.
        let ended = catch_unwind(AssertUnwindSafe(|| self.compute_now(Some((drive, lead)), user)));
        if !ended.is_ok_and(|returned| self.maps.shape().split(returned).is_ok()) {
            self.warn_of_failure();
        }
    }

    fn enter_now<A, F, B, E, O>(&self, drive: Drive<'_>, joined: Joined, user: User<A, F, B, E>) -> M::Return
    where
        F: FnOnce(A) -> M::Return,
        B: FnOnce(A) -> Job,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        match arrive(drive, joined) {
            Entered::Compute(lead) => self.compute_now(Some((drive, lead)), user),
            Entered::Due(cargo, token) => match unload(cargo) {
                Some(stored) => {
                    let why = Why::Claimed(drive.policy.refresh, token);
                    self.serve_due(drive.key, stored, user.args, user.behind, why)
                }
                None => self.compute_now(None, user),
            },
            entered => match self.served(entered) {
                Some(returned) => returned,
                None => self.compute_now(None, user),
            },
        }
    }

    /// Runs the user's function and, where it leads a flight, settles that.
    fn compute_now<A, F, B, E, O>(&self, lead: Option<(Drive<'_>, Lead<'_>)>, user: User<A, F, B, E>) -> M::Return
    where
        F: FnOnce(A) -> M::Return,
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        let echo = self.copied(user.echo, &user.args);
        let began = lead.as_ref().map_or_else(|| self.now(), |(_, lead)| lead.since());
        let leader = lead.as_ref().and_then(|(_, lead)| lead.leader());
        let _scope = leader.map(|leader| {
            leader.computes_here(began);
            Scope::enter_thread(leader.flight())
        });
        let mut running = Running { counters: &self.live.counters, lead };
        let returned = (user.compute)(user.args);
        let lead = running.lead.take();
        std::mem::forget(running);
        match self.ended(lead, returned, began, echo) {
            Rest::Done(returned) => returned,
            Rest::Store(storing) => wait(self.store(storing)),
        }
    }
}

/// Waits, if it has to be, until a call knows what to do.
fn arrive<'d>(drive: Drive<'d>, joined: Joined) -> Entered<'d> {
    let arrived = drive.arrive(joined).unwrap_or_else(|(waiter, mode)| wait(drive.wait(waiter, mode)));
    match arrived {
        Arrived::Lead(leader, mode) => {
            drive.led_at_once(leader, mode).unwrap_or_else(|(leader, mode)| wait(drive.led(leader, mode)))
        }
        Arrived::Entered(entered) => entered,
    }
}

/// The user's function at work; dropped, it has panicked.
struct Running<'a> {
    counters: &'a Counters,
    lead: Option<(Drive<'a>, Lead<'a>)>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.counters.panics.increment();
        if let Some((_, lead)) = self.lead.take() {
            lead.fail(None);
        }
    }
}
