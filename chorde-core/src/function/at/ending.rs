//! What calls of plain and asynchronous functions have in common once they compute or wait: nothing here waits.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::At;
use super::operations::Why;
use crate::client::Client;
use crate::engine::background::{Ended as End, Job, Reporter};
use crate::engine::runtime::Ended;
use crate::engine::{Backed, Drive, Entered, Joined, Lead, Made};
use crate::flight::Cargo;
use crate::key::Key;
use crate::policy::{CallPolicy, RefreshPoint};
use crate::site::callbacks::Placeholder;
use crate::site::{Shape, ValueMap};
use crate::user_code::{discard, shielded, tell, told_by_panic};

/// The user's part of a call: what is computed from what, what recomputes it in the background, and what copies the arguments
/// for those who want to know them.
pub(in super::super) struct User<A, F, B, E> {
    pub(in super::super) args: A,
    pub(in super::super) compute: F,
    pub(in super::super) behind: Option<B>,
    pub(in super::super) echo: Option<E>,
}

/// What is left to do when the user's function has returned.
pub(super) enum Rest<'a, R, S, O> {
    Done(R),
    /// To wait for the client, which stores the value.
    Store(Box<Storing<'a, S, O>>),
}

pub(super) struct Storing<'a, S, O> {
    drive: Drive<'a>,
    lead: Lead<'a>,
    stored: S,
    at: u64,
    echo: Option<O>,
}

/// A call's terms: those of the function, with the refresh point of the look.
pub(super) struct Terms<'p> {
    own: &'p CallPolicy,
    /// Most calls need none, and thousands may wait.
    other: Option<Box<CallPolicy>>,
}

impl Terms<'_> {
    fn policy(&self) -> &CallPolicy {
        self.other.as_deref().unwrap_or(self.own)
    }
}

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    pub(super) fn backed(&self) -> Backed<'_, C, M> {
        Backed { live: self.live, client: &self.client, maps: &self.maps }
    }

    pub(super) fn terms(&self, refresh: RefreshPoint) -> Terms<'_> {
        let other = (refresh != self.policy.refresh).then(|| Box::new(self.policy.due_from(refresh)));
        Terms { own: self.policy, other }
    }

    pub(super) fn drive<'d>(&self, backed: &'d Backed<'_, C, M>, terms: &'d Terms<'_>, key: &'d Key) -> Drive<'d> {
        Drive { live: self.live, backend: backed, policy: terms.policy(), key }
    }

    /// Returns what stands in for the value, where the call would have to wait for its first computation.
    pub(super) fn stand_in<A, F, B, E, O>(&self, joined: &Joined, user: &User<A, F, B, E>) -> Option<M::Return>
    where
        E: Fn(&A) -> Option<O>,
        O: 'static,
    {
        if !matches!(joined, Joined::Wait(..)) || !self.live.placeholder.any() {
            return None;
        }
        let echo = user.echo.as_ref()?;
        let args = self.copied_by(echo, &user.args)?;
        let mut value = None;
        self.live.placeholder.each(|stand_in: &Placeholder<M::Value, O>| value = Some(stand_in(&args)));
        let value = value?;
        self.live.counters.misses.increment();
        Some(self.maps.shape().join(value))
    }

    /// Serves a value and has it recomputed in the background.
    pub(super) fn serve_due<A>(
        &self,
        key: &Key,
        stored: M::Stored,
        args: A,
        behind: Option<impl FnOnce(A) -> Job>,
        why: Why,
    ) -> M::Return {
        if matches!(why, Why::Due(_)) {
            self.live.counters.due_hits.increment();
        }
        let _ = self.send(key, args, behind, why);
        self.maps.serve(stored)
    }

    /// Returns what another call computed; `None` if it is not of this function's types.
    pub(super) fn served(&self, entered: Entered<'_>) -> Option<M::Return> {
        match entered {
            Entered::Serve(served) => served.unload().map(|stored| self.maps.serve(stored)),
            Entered::Raise(cargo) => self.maps.shape().shared(&cargo).map(|error| self.maps.shape().raise(error)),
            Entered::Compute(_) | Entered::Due(..) | Entered::Idle => None,
        }
    }

    /// Copies the arguments, if somebody wants to know what is computed from them.
    pub(super) fn copied<A, E, O>(&self, echo: Option<E>, args: &A) -> Option<O>
    where
        E: Fn(&A) -> Option<O>,
    {
        echo.filter(|_| self.live.on_value.any()).and_then(|echo| self.copied_by(&echo, args))
    }

    /// Copies the arguments. If that panics, nobody is told them: the caller did not ask for the copy.
    fn copied_by<A, E, O>(&self, echo: &E, args: &A) -> Option<O>
    where
        E: Fn(&A) -> Option<O>,
    {
        let copied = shielded(|| echo(args));
        if copied.is_none() {
            self.live.counters.panics.increment();
            tell!(error, "{}: its arguments panicked when they were cloned for a callback", self.live.description.name);
        }
        copied.flatten()
    }

    /// Says how a background job ended, to one who waits for it or else to the log.
    pub(super) fn tell_end(&self, ended: Ended<M::Return>, report: Option<Reporter>) {
        let failure = match ended.map(|returned| self.maps.shape().split(returned)) {
            Ok(Ok(_)) => return report.into_iter().for_each(|report| report.end(End::Computed)),
            Ok(Err(error)) if report.is_some() => End::Failed(self.maps.shape().told(&error)),
            Ok(Err(_)) => return self.warn_of_failure(),
            Err(panic) => {
                let text = told_by_panic(&*panic);
                discard(panic);
                End::Panicked(text)
            }
        };
        match report {
            Some(report) => report.end(failure),
            None => self.warn_of_failure(),
        }
    }

    /// Says how a background job ended that did not have to compute.
    pub(super) fn found(&self, entered: &Entered<'_>) -> End {
        let Entered::Raise(cargo) = entered else { return End::Held };
        let error = self.maps.shape().shared(cargo);
        End::Failed(error.map_or_else(|| "another computation failed".to_owned(), |e| self.maps.shape().told(&e)))
    }

    #[cold]
    fn warn_of_failure(&self) {
        if let Some(more) = self.live.log_limit.admit(("compute", None), self.now()) {
            tell!(
                warn,
                "{}: a background computation failed; the entry stays as it was{more}",
                self.live.description.name
            );
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.client.identity().clock().now()
    }

    /// Ends a computation that panicked.
    #[cold]
    pub(super) fn panicked(&self, lead: Option<Lead<'_>>, panic: Box<dyn Any + Send>) -> ! {
        self.live.counters.panics.increment();
        if let Some(lead) = lead {
            lead.fail(self.live, None);
        }
        resume_unwind(panic)
    }

    /// Counts how the user's function ended, and settles what can be settled at once.
    pub(super) fn ended<'d, O: 'static>(
        &self,
        lead: Option<(Drive<'d>, Lead<'d>)>,
        returned: M::Return,
        began: u64,
        echo: Option<O>,
    ) -> Rest<'d, M::Return, M::Stored, O> {
        let counters = &self.live.counters;
        let value = match self.maps.shape().split(returned) {
            Ok(value) => value,
            Err(error) => {
                counters.compute_errors.increment();
                if let Some((_, lead)) = lead {
                    // One whose clone panics is not shared.
                    lead.fail(self.live, shielded(|| self.maps.shape().share(&error)).flatten());
                }
                return Rest::Done(self.maps.shape().raise(error));
            }
        };
        let at = self.now();
        let (is_kept, stored) = match catch_unwind(AssertUnwindSafe(|| (self.is_kept(&value), self.maps.encode(value))))
        {
            Ok(stored) => stored,
            // Those who wait would have it panic one after the other.
            Err(panic) => self.panicked(lead.map(|(_, lead)| lead), panic),
        };
        counters.computes.increment();
        if let Some((drive, _)) = &lead {
            self.live.failures.succeeded(drive.key.digest(), at);
        }
        if self.policy.timings {
            counters.computed_in(at.saturating_sub(began));
        }
        if let Some((drive, lead)) = lead {
            let made = Made { value: &stored, is_kept, ttl: drive.life(), at };
            if let Some(lead) = drive.settle_at_once(lead, &made, || Arc::new(stored.clone()) as Cargo) {
                return Rest::Store(Box::new(Storing { drive, lead, stored, at, echo }));
            }
        }
        Rest::Done(self.returned(stored, echo))
    }

    /// Returns whether a value is to be stored: under a ttl shorter than the client can tell, nothing is.
    fn is_kept(&self, value: &M::Value) -> bool {
        self.policy.is_storable(self.client.resolution()) && self.maps.keeps(value)
    }

    /// Settles by waiting for the client.
    pub(super) async fn store<O: 'static>(&self, storing: Box<Storing<'_, M::Stored, O>>) -> M::Return {
        let Storing { drive, lead, stored, at, echo } = *storing;
        let shared = Arc::new(stored);
        drive.settle(lead, Arc::clone(&shared) as Cargo, at).await;
        let stored = Arc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone());
        self.returned(stored, echo)
    }

    /// Makes what was stored into what the function returns, and tells those who want to know of it.
    fn returned<O: 'static>(&self, stored: M::Stored, echo: Option<O>) -> M::Return {
        let value = self.maps.decode(stored);
        if let Some(args) = echo {
            self.live.computed(&value, &args);
        }
        self.maps.shape().join(value)
    }
}
