//! The guards of those who take part in a flight.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::registry::{FlightKey, Flights};
use super::{Cargo, Flight, Phase, wake};
use crate::clock::Clock;

/// The right and the duty to compute. Dropped without landing, it hands the flight to a waiter.
#[derive(Debug)]
pub(crate) struct Leader {
    flights: Arc<Flights>,
    key: FlightKey,
    flight: Arc<Flight>,
}

impl Leader {
    pub(super) fn new(flights: &Arc<Flights>, key: FlightKey, flight: Arc<Flight>) -> Self {
        Self { flights: Arc::clone(flights), key, flight }
    }

    /// Returns the flight that is led.
    pub(crate) fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// Asks to store what was computed; a refusal means that an explicit write came in between.
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

    /// Ends the flight. `cargo` is made only if somebody waits for it.
    pub(crate) fn land(self, cargo: impl FnOnce() -> Cargo) {
        // Out of the registry first: from then on the number of those who wait only falls.
        let detached = std::mem::replace(&mut self.flight.lock().detached, true);
        if !detached {
            self.flights.remove(&self.key, &self.flight);
        }
        let is_awaited = {
            let state = self.flight.lock();
            state.waiting > 0 && !state.abandoned
        };
        let cargo = is_awaited.then(cargo);
        let mut state = self.flight.lock();
        state.phase = Phase::Landed;
        if let Some(cargo) = cargo {
            // Nobody else lands this flight, so that nothing can be there.
            let _ = self.flight.landed.set(cargo);
        }
        let woken = state.take_all();
        drop(state);
        wake(woken);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let mut state = self.flight.lock();
        if matches!(state.phase, Phase::Landed) {
            return;
        }
        let writers = std::mem::take(&mut state.writers);
        if state.detached {
            // Nobody may store for it any more: those who wait start over.
            state.abandoned = true;
            state.phase = Phase::Landed;
            let woken = state.take_all();
            drop(state);
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
            self.flights.remove(&self.key, &self.flight);
            wake(writers);
        }
    }
}

/// What comes of waiting.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The flight landed with this.
    Landed(Cargo),
    /// The leader is gone: compute.
    Lead(Leader),
    /// The flight came to nothing: start over.
    StartOver,
}

/// A place among those who wait for a flight. Dropped, it passes on the lead if it was its turn.
#[derive(Debug)]
pub(crate) struct Waiter {
    flights: Arc<Flights>,
    key: FlightKey,
    flight: Arc<Flight>,
    /// The number under which its waker is registered.
    number: Option<u64>,
}

impl Waiter {
    /// Takes a place; called with the registry locked, so that the flight cannot land in between.
    pub(super) fn new(flights: &Arc<Flights>, key: FlightKey, flight: &Arc<Flight>) -> Self {
        flight.lock().waiting += 1;
        Self { flights: Arc::clone(flights), key, flight: Arc::clone(flight), number: None }
    }

    pub(super) fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    pub(super) fn key(&self) -> FlightKey {
        self.key
    }

    /// Waits for the outcome.
    pub(crate) fn wait(self) -> Waiting {
        Waiting(self)
    }
}

/// The future of a [`Waiter`].
#[derive(Debug)]
pub(crate) struct Waiting(Waiter);

impl Future for Waiting {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let waiter = &mut self.0;
        if let Some(cargo) = waiter.flight.landed.get() {
            return Poll::Ready(Outcome::Landed(Arc::clone(cargo)));
        }
        let mut state = waiter.flight.lock();
        if state.abandoned {
            return Poll::Ready(Outcome::StartOver);
        }
        match &state.phase {
            Phase::Landed => {
                // It may have landed since the first look.
                let landed = waiter.flight.landed.get().map(Arc::clone);
                return Poll::Ready(landed.map_or(Outcome::StartOver, Outcome::Landed));
            }
            Phase::Free => {
                state.phase = Phase::Led;
                state.superseded = false;
                drop(state);
                let leader = Leader::new(&waiter.flights, waiter.key, Arc::clone(&waiter.flight));
                return Poll::Ready(Outcome::Lead(leader));
            }
            Phase::Queued | Phase::Led | Phase::Storing => {}
        }
        let number = *waiter.number.get_or_insert_with(|| {
            state.next_waiter += 1;
            state.next_waiter
        });
        state.waiters.insert(number, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.flight.landed.get().is_some() {
            // Nobody counts those who wait any more.
            return;
        }
        let mut state = self.flight.lock();
        state.waiting -= 1;
        if let Some(number) = self.number {
            state.waiters.remove(&number);
        }
        if !matches!(state.phase, Phase::Free) {
            return;
        }
        // It may have been this one's turn to lead.
        if state.waiting > 0 {
            let woken = state.pop_waiter();
            drop(state);
            wake(woken);
        } else {
            state.strand();
            drop(state);
            self.flights.remove(&self.key, &self.flight);
        }
    }
}

/// Waits until stores that had begun before an explicit write are over.
#[derive(Debug)]
pub(crate) struct StoreWait(Vec<Arc<Flight>>);

impl StoreWait {
    pub(super) fn new(storing: Vec<Arc<Flight>>) -> Self {
        Self(storing)
    }

    /// Waits, for stores that are not at their end after `lease` no longer than that: they are overtaken.
    pub(crate) async fn within(mut self, clock: &Clock, lease: Duration) {
        let mut late = pin!(clock.sleep(lease));
        poll_fn(|cx| {
            if Pin::new(&mut self).poll(cx).is_ready() {
                return Poll::Ready(());
            }
            ready!(late.as_mut().poll(cx));
            for flight in &self.0 {
                let mut state = flight.lock();
                state.abandoned = true;
                let woken = state.take_all();
                drop(state);
                wake(woken);
            }
            Poll::Ready(())
        })
        .await;
    }
}

impl Future for StoreWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.retain(|flight| {
            let mut state = flight.lock();
            let is_storing = matches!(state.phase, Phase::Storing) && !state.abandoned;
            if is_storing {
                state.writers.push(cx.waker().clone());
            }
            is_storing
        });
        if self.0.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}
