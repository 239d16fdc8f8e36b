//! How a store and the explicit writes to its key keep out of each other's way.
//!
//! A write waits for a store in progress, but no longer than a lease for one that is not polled: that one is overtaken. From
//! then on it is not polled any more, and it is never overtaken while it is: what a client does when it is polled, it has
//! done before the write, or does not do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::active::{Scope, is_active};
use super::{Flight, Leader, Phase, wake};
use crate::clock::Clock;

/// Polls `store`, which writes what the leader has computed, to its end; `None` once the leader is overtaken.
pub(crate) async fn unless_overtaken<T>(leader: &Leader, store: impl Future<Output = T>) -> Option<T> {
    let mut store = pin!(store);
    poll_fn(|cx| {
        let Some(_step) = Step::begin(leader.flight()) else { return Poll::Ready(None) };
        store.as_mut().poll(cx).map(Some)
    })
    .await
}

/// One step of a store: meanwhile, nobody overtakes it.
struct Step<'a> {
    flight: &'a Flight,
    scope: Option<Scope>,
}

impl<'a> Step<'a> {
    fn begin(flight: &'a Arc<Flight>) -> Option<Self> {
        let state = flight.lock();
        if state.abandoned {
            return None;
        }
        // Under the lock under which one overtakes.
        flight.set_polling(true);
        drop(state);
        Some(Self { flight, scope: Some(Scope::enter(flight)) })
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.scope = None;
        // Their patience may have been at its end.
        let writers = std::mem::take(&mut self.flight.lock().writers);
        wake(writers);
    }
}

/// Waits until stores that had begun before an explicit write are over.
#[derive(Debug)]
pub(crate) struct StoreWait(Vec<Arc<Flight>>);

impl StoreWait {
    pub(super) fn new(storing: Vec<Arc<Flight>>) -> Self {
        Self(storing)
    }

    /// Waits for what each of these waits for.
    pub(crate) fn of_all(waits: Vec<Self>) -> Self {
        Self(waits.into_iter().flat_map(|wait| wait.0).collect())
    }

    /// Returns whether there is nothing to wait for: nearly always.
    pub(crate) fn is_over_already(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits, for stores that are not polled no longer than `lease`: they are overtaken.
    pub(crate) async fn within(mut self, clock: &Clock, lease: Duration) {
        let mut late = pin!(clock.sleep(lease));
        let mut is_late = false;
        poll_fn(|cx| {
            // Mostly they are over by now, and no alarm is set.
            if self.is_over(cx, is_late) {
                return Poll::Ready(());
            }
            if !is_late {
                ready!(late.as_mut().poll(cx));
                is_late = true;
            }
            if self.is_over(cx, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Returns whether there is nothing to wait for any more.
    fn is_over(&mut self, cx: &Context<'_>, is_late: bool) -> bool {
        if self.0.is_empty() {
            return true;
        }
        // A waker's code is the user's: it runs outside of the lock.
        let mut waker = Some(cx.waker().clone());
        self.0.retain(|flight| {
            // A store that writes to its own key in passing, as a value's `Clone` could, would wait for itself.
            let is_own = is_active(flight);
            let mut state = flight.lock();
            if state.phase != Phase::Storing || state.abandoned {
                return false;
            }
            if is_own || (is_late && !flight.is_polled()) {
                let woken = state.overtake();
                drop(state);
                wake(woken);
                return false;
            }
            if !state.writers.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.writers.extend(waker.take());
            }
            drop(state);
            waker.get_or_insert_with(|| cx.waker().clone());
            true
        });
        self.0.is_empty()
    }
}
