//! Watches over flights that somebody waits for: carries out what [`judge`](super::judge) decides.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::judge::{GRACE, Probe, Seen, Verdict, Work, judge};
use super::{Flight, Flights, Phase, State, Waiter, wake};
use crate::clock::nanos;
use crate::sync::MutexGuard;

/// A flight is not looked at more often than this, however short its lease is.
const SHORTEST: Duration = Duration::from_millis(1);

impl Flights {
    /// Watches over a flight from now on, and over those before it if it is lined up: those who wait are to have something in
    /// the end, whatever becomes of the leader.
    pub(crate) fn watch(self: &Arc<Self>, waiter: &Waiter, lease: Duration) {
        let own = waiter.flight();
        let before: SmallVec<[_; 2]> = self.joinable(&own.key, |flight| !Arc::ptr_eq(flight, own));
        for flight in before.iter().chain([own]) {
            flight.watch(nanos(lease.max(SHORTEST)));
        }
    }
}

impl Flight {
    /// Watches over this flight, unless that is done.
    pub(super) fn watch(self: &Arc<Self>, lease: u64) {
        let was_watched = std::mem::replace(&mut self.lock().watched, true);
        if !was_watched {
            self.signs.watch(lease);
            self.check();
        }
    }

    /// Looks after a computation that was woken at that time.
    pub(super) fn look_after_grace(self: &Arc<Self>, woken: u64) {
        let weak = Arc::downgrade(self);
        let at = woken.saturating_add(nanos(GRACE).min(self.signs.lease()));
        let ring = move || {
            let Some(flight) = weak.upgrade() else { return };
            flight.signs.alarm_rang();
            let now = flight.clock.now();
            let state = flight.lock();
            match flight.judged(&state, now) {
                Verdict::Move => move_on(state),
                // It has been polled since, or is at this moment, and may ask for more.
                _ => {
                    drop(state);
                    flight.look_after_wake(now);
                }
            }
        };
        self.keep_alarm(|alarms| &mut alarms.grace, self.clock.alarm(at, Box::new(ring)));
    }

    fn judged(&self, state: &State, now: u64) -> Verdict {
        let seen = Seen {
            phase: state.phase,
            work: &state.work,
            is_polled: self.is_polled(),
            polled: self.signs.last_seen(now),
            woken: self.signs.woken_since(now),
        };
        judge(&seen, now, self.signs.lease())
    }

    fn check_at(self: &Arc<Self>, at: u64) {
        let weak = Arc::downgrade(self);
        let ring = move || {
            if let Some(flight) = weak.upgrade() {
                flight.check();
            }
        };
        self.keep_alarm(|alarms| &mut alarms.check, self.clock.alarm(at, Box::new(ring)));
    }

    fn check(self: &Arc<Self>) {
        let now = self.clock.now();
        let lease = self.signs.lease();
        let mut state = self.lock();
        let later = now.saturating_add(lease);
        let next = match self.judged(&state, now) {
            Verdict::Rest => return,
            Verdict::Later(at) => {
                drop(state);
                // It may wait for something now, and ask to be polled the next moment.
                at.min(later)
            }
            Verdict::Beside => {
                state.grant_beside(now);
                let woken = state.waiters.pop();
                drop(state);
                if woken.is_none() {
                    self.let_next_begin();
                }
                wake(woken);
                later
            }
            Verdict::Move => {
                move_on(state);
                later
            }
            Verdict::Probe => {
                drop(state);
                self.probe(now);
                now.saturating_add(lease - lease / 2)
            }
            // The one whose turn it is does not take it: the next one may, and with no other left, those behind it.
            Verdict::Pass => match state.waiters.pop() {
                None if state.was_reminded => return self.overtake(state),
                woken => {
                    state.was_reminded = woken.is_none();
                    drop(state);
                    wake(woken);
                    later
                }
            },
            Verdict::Overtake => return self.overtake(state),
        };
        self.check_at(next);
    }

    fn overtake(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let woken = state.overtake();
        drop(state);
        self.flights.remove(self);
        wake(woken);
    }

    /// Lets those who are lined up behind it begin, as nobody else is there to compute beside it: its own value is older than what
    /// they asked for, and is not stored.
    fn let_next_begin(self: &Arc<Self>) {
        let are_lined_up = |other: &Arc<Self>| {
            let state = other.lock();
            state.phase == Phase::Queued && state.waiting > 0
        };
        let behind: SmallVec<[_; 2]> = self.flights.joinable(&self.key, are_lined_up);
        let mut state = self.lock();
        if behind.is_empty() || state.phase != Phase::Led {
            return;
        }
        state.superseded = true;
        state.detached = true;
        drop(state);
        self.flights.remove(self);
    }

    /// Sends a task to the runtime that the computation's sockets and timers belong to.
    fn probe(self: &Arc<Self>, now: u64) {
        let runtime = match &mut self.lock().work {
            Work::Future { probe: Probe { runtime: Some(runtime), sent, .. }, .. } => {
                *sent = Some(now);
                runtime.clone()
            }
            _ => return,
        };
        let weak = Arc::downgrade(self);
        runtime.spawn(async move {
            let Some(flight) = weak.upgrade() else { return };
            let now = flight.clock.now();
            if let Work::Future { probe, .. } = &mut flight.lock().work {
                (probe.sent, probe.answered) = (None, now);
            }
        });
    }
}

impl State {
    /// Lets one waiter compute in parallel with the leader.
    fn grant_beside(&mut self, now: u64) {
        self.besides += 1;
        if let Work::Thread { since } | Work::Future { since, .. } = &mut self.work {
            *since = now;
        }
    }
}

fn move_on(state: MutexGuard<'_, State>) {
    let computation = state.work.computation();
    drop(state);
    if let Some(computation) = computation {
        computation.move_on();
    }
}
