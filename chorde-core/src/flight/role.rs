//! The guards of those who take part in a flight.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

use super::circle::Noted;
use super::judge::{Owned, Probe, Work};
use super::{Flight, Landed, Movable, Phase, circle, wake};

/// The right and the duty to compute. Dropped without landing, it hands the flight to a waiter.
#[derive(Debug)]
pub(crate) struct Leader {
    flight: Arc<Flight>,
    /// When it came to lead.
    since: u64,
    /// Whether it has ended the flight.
    has_ended: bool,
}

impl Leader {
    pub(super) fn new(flight: Arc<Flight>, since: u64) -> Self {
        Self { flight, since, has_ended: false }
    }

    /// Returns the flight that is led.
    pub(crate) fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// Returns when it came to lead.
    pub(crate) fn since(&self) -> u64 {
        self.since
    }

    /// Notes that what comes from now on is the computation: before, it asked the client.
    pub(crate) fn began_at(&mut self, now: u64) {
        self.since = now;
    }

    /// Notes that it computes on this thread.
    pub(crate) fn computes_here(&self) {
        self.flight.lock().work = Work::Thread { since: self.since };
    }

    /// Asks to store what was computed; a refusal means that an explicit write came in between, or a later computation.
    pub(crate) fn begin_store(&self) -> bool {
        let mut state = self.flight.lock();
        if state.superseded {
            return false;
        }
        state.phase = Phase::Storing;
        true
    }

    /// Returns whether others have started over without this leader.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.flight.lock().abandoned
    }

    /// Ends the flight. `landed` is made only if somebody waits for it.
    pub(crate) fn land(mut self, landed: impl FnOnce() -> Landed) {
        // Out of the registry first, also where a write is about to take it out: from then on the number of those who wait
        // only falls.
        self.flight.flights.remove(&self.flight);
        self.flight.land(landed);
        self.has_ended = true;
    }

    /// Ends the flight with nothing that can be shared: those who wait compute at once, each on its own.
    pub(crate) fn fail(self) {
        self.flight.flights.remove(&self.flight);
        let mut state = self.flight.lock();
        if state.phase == Phase::Landed {
            return;
        }
        state.failed = true;
        state.phase = Phase::Landed;
        let woken = state.take_all();
        drop(state);
        wake(woken);
    }
}

impl Flight {
    /// Notes that its leader computes since then by a future, whose sockets and timers belong to `runtime`; if it is a
    /// `computation` of its own, the background can drive that in the place of its caller.
    pub(crate) fn computes_by_future(
        &self,
        since: u64,
        runtime: Option<Handle>,
        computation: Option<Weak<dyn Movable>>,
    ) {
        let probe = Probe { runtime, sent: None, answered: 0 };
        let owned = computation.map(|computation| Owned { computation, is_moved: false });
        self.lock().work = Work::Future { since, owned, probe };
    }

    /// Gives those who wait what one of them has computed beside its leader, whose own value is then the older one.
    pub(crate) fn land_beside(self: &Arc<Self>, landed: impl FnOnce() -> Landed) {
        let deserted = {
            let mut state = self.lock();
            if state.phase != Phase::Led || state.abandoned {
                return;
            }
            state.superseded = true;
            state.detached = true;
            state.work.computation()
        };
        self.flights.remove(self);
        self.land(landed);
        // Only its own caller may want it now.
        if let Some(computation) = deserted {
            computation.nobody_waits();
        }
    }

    /// Ends the flight, which is out of the registry: the number of those who wait only falls.
    fn land(&self, landed: impl FnOnce() -> Landed) {
        let mut state = self.lock();
        if state.phase == Phase::Landed {
            return;
        }
        if state.waiting > 0 && !state.abandoned {
            drop(state);
            let landed = landed();
            state = self.lock();
            if state.phase == Phase::Landed {
                return;
            }
            // Nobody else lands this flight, so that nothing can be there.
            let _ = self.landed.set(landed);
        }
        state.phase = Phase::Landed;
        if state.waiting == 0 && state.writers.is_empty() {
            return;
        }
        let woken = state.take_all();
        drop(state);
        wake(woken);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let mut state = self.flight.lock();
        if state.phase == Phase::Landed {
            return;
        }
        let writers = std::mem::take(&mut state.writers);
        if state.detached {
            // Nobody may store for it any more: those who wait start over.
            state.abandoned = true;
            state.phase = Phase::Landed;
            let woken = state.take_all();
            drop(state);
            self.flight.flights.remove(&self.flight);
            wake(writers);
            wake(woken);
        } else if state.waiting > 0 {
            let woken = state.free();
            drop(state);
            wake(writers);
            wake(woken);
        } else {
            state.strand();
            drop(state);
            self.flight.flights.remove(&self.flight);
            wake(writers);
        }
    }
}

/// What comes of waiting.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The flight landed with something.
    Landed(Landing),
    /// The leader is gone: compute.
    Lead(Leader),
    /// The computation failed, or waits for this one: compute, beside the others who waited for it.
    Failed,
    /// The computation does not end: compute beside it, and share the value with those who wait on.
    Beside(Waiter),
    /// The flight came to nothing: start over.
    StartOver,
}

/// What a flight landed with. It is read where it lies: thousands come for it at the same time, and each copy of it, by
/// counting, would take a cache line from all others.
#[derive(Debug)]
pub(crate) struct Landing(Waiter);

impl Landing {
    /// Returns what there is.
    pub(crate) fn landed(&self) -> Option<&Landed> {
        self.0.flight.landed.get()
    }
}

/// A place among those who wait for a flight. Dropped, it passes on the lead if it was its turn.
#[derive(Debug)]
pub(crate) struct Waiter {
    flight: Arc<Flight>,
    /// The number under which its waker is registered.
    number: Option<u64>,
    /// The computations that wait, as was noted with them.
    noted: Noted,
}

impl Waiter {
    /// Takes the first place.
    pub(super) fn new(flight: Arc<Flight>) -> Self {
        flight.lock().waiting += 1;
        Self { flight, number: None, noted: Noted::default() }
    }

    /// Takes a place, unless it is too late; called with the registry locked, so that the flight cannot land in between.
    pub(super) fn join(flight: &Arc<Flight>) -> Option<Self> {
        let mut state = flight.lock();
        if state.is_over() {
            return None;
        }
        state.waiting += 1;
        drop(state);
        Some(Self { flight: Arc::clone(flight), number: None, noted: Noted::default() })
    }

    /// Returns the flight that is waited for.
    pub(crate) fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// Waits for the outcome.
    pub(crate) fn wait(self) -> Waiting {
        Waiting(Some(self))
    }

    /// Looks how the flight stands; `None` if there is still something to wait for.
    fn look(&mut self, waker: &Waker) -> Option<Stands> {
        if self.flight.landed.get().is_some() {
            return Some(Stands::Landed);
        }
        let waker = waker.clone();
        let mut state = self.flight.lock();
        if state.abandoned {
            return Some(Stands::Nothing);
        }
        match &state.phase {
            // It may have landed since the first look.
            Phase::Landed if self.flight.landed.get().is_some() => Some(Stands::Landed),
            Phase::Landed if state.failed => Some(Stands::Failed),
            Phase::Landed => Some(Stands::Nothing),
            Phase::Free => {
                state.phase = Phase::Led;
                Some(Stands::Free)
            }
            Phase::Led | Phase::Storing if state.besides > 0 => {
                state.besides -= 1;
                Some(Stands::Beside)
            }
            Phase::Queued | Phase::Led | Phase::Storing => {
                let number = *self.number.get_or_insert_with(|| state.waiters.number());
                let before = state.waiters.enter(number, waker);
                drop(state);
                drop(before);
                None
            }
        }
    }
}

/// How a flight stands for one who waits.
enum Stands {
    /// Landed with something.
    Landed,
    /// Without a leader until now: this one leads.
    Free,
    /// Failed.
    Failed,
    /// Without an end: this one may compute beside it.
    Beside,
    /// Waiting for one of its own waiters.
    Circle,
    /// Over, or given up.
    Nothing,
}

/// The future of a [`Waiter`].
#[derive(Debug)]
pub(crate) struct Waiting(Option<Waiter>);

impl Future for Waiting {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let waiter = self.0.as_mut().expect("invariant: not polled after its end");
        let stands = match waiter.look(cx.waker()) {
            Some(stands) => stands,
            None if circle::closes(&waiter.flight, &mut waiter.noted) => Stands::Circle,
            None => return Poll::Pending,
        };
        Poll::Ready(match (stands, self.0.take()) {
            (Stands::Landed, Some(waiter)) => Outcome::Landed(Landing(waiter)),
            (Stands::Free, Some(waiter)) => {
                let now = waiter.flight.clock.now();
                waiter.flight.seen(now);
                Outcome::Lead(Leader::new(Arc::clone(&waiter.flight), now))
            }
            (Stands::Beside, Some(waiter)) => Outcome::Beside(waiter),
            (Stands::Failed | Stands::Circle, _) => Outcome::Failed,
            _ => Outcome::StartOver,
        })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        circle::forget(&self.noted, &self.flight);
        if self.flight.landed.get().is_some() {
            // Nobody counts those who wait any more.
            return;
        }
        let mut state = self.flight.lock();
        state.waiting -= 1;
        let own = self.number.and_then(|number| state.waiters.leave(number));
        match state.phase {
            // It may have been this one's turn to lead, or to compute beside the leader.
            Phase::Free if state.waiting == 0 => {
                state.strand();
                drop(state);
                self.flight.flights.remove(&self.flight);
            }
            Phase::Free => {
                let woken = state.waiters.pop();
                drop(state);
                wake(woken);
            }
            Phase::Led | Phase::Storing if state.waiting == 0 => {
                state.besides = 0;
                let deserted = state.work.computation();
                drop(state);
                if let Some(computation) = deserted {
                    computation.nobody_waits();
                }
            }
            Phase::Led | Phase::Storing if state.besides > 0 => {
                let woken = state.waiters.pop();
                drop(state);
                wake(woken);
            }
            _ => drop(state),
        }
        drop(own);
    }
}
