//! The leader's observable progress, and how a computation is polled so that it can be observed.
//!
//! A computation is handed the flight's own waker. It notes that the computation asked to be polled and passes that on to
//! its current driver, so that a computation that waits for a slow answer is told from one that nobody polls.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::active::Scope;
use super::judge::Work;
use super::{Flight, Phase, State, wake};
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering, lock};

/// A computation that can go on without the caller that began it.
pub(crate) trait Movable: Send + Sync {
    /// Has it driven in the background from now on.
    fn move_on(self: Arc<Self>);
    /// Drops it where nobody is left who wants it: neither its caller nor, as the flight says, anybody who waits.
    fn nobody_waits(self: Arc<Self>);
}

/// The signs of life of a computation.
pub(super) struct Signs {
    /// Whether it is being polled, or computes on its thread, at this very moment.
    polling: AtomicBool,
    /// When it last was.
    polled: AtomicU64,
    /// Whether it asked to be polled, and has not been since.
    woken: AtomicBool,
    /// When it asked, or when that was noticed; zero while nobody has noted it.
    woken_at: AtomicU64,
    /// Whether somebody waits, so that times matter.
    watched: AtomicBool,
    /// The first waiter's lease.
    lease: AtomicU64,
    /// Whether an alarm is set for the end of the grace that a woken computation has.
    alarmed: AtomicBool,
    /// Who drives it.
    driver: Mutex<Option<Waker>>,
}

impl Signs {
    pub(super) fn new(now: u64) -> Self {
        Self {
            polling: AtomicBool::new(false),
            polled: AtomicU64::new(now),
            woken: AtomicBool::new(false),
            woken_at: AtomicU64::new(0),
            watched: AtomicBool::new(false),
            lease: AtomicU64::new(0),
            alarmed: AtomicBool::new(false),
            driver: Mutex::new(None),
        }
    }

    pub(super) fn is_polled(&self) -> bool {
        self.polling.load(Ordering::Acquire)
    }

    /// Returns when it was last seen to be polled: now, if it is.
    pub(super) fn last_seen(&self, now: u64) -> u64 {
        if self.is_polled() { now } else { self.polled.load(Ordering::Relaxed) }
    }

    /// Returns since when it asks to be polled: `now`, if that was not noted yet.
    pub(super) fn woken_since(&self, now: u64) -> Option<u64> {
        if !self.woken.load(Ordering::SeqCst) {
            return None;
        }
        let first = self.woken_at.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        Some(first.map_or_else(|at| at, |_| now))
    }

    /// Has times noted from now on.
    pub(super) fn watch(&self, lease: u64) {
        // None is none at all, and would ring without end.
        self.lease.store(lease.max(2), Ordering::Relaxed);
        self.watched.store(true, Ordering::SeqCst);
    }

    /// Returns the lease of those who wait.
    pub(super) fn lease(&self) -> u64 {
        self.lease.load(Ordering::Relaxed)
    }

    /// Lets the next wake set an alarm again.
    pub(super) fn alarm_rang(&self) {
        // As with the wake itself: one of the two sees the other.
        self.alarmed.store(false, Ordering::SeqCst);
    }
}

impl Flight {
    /// Notes that the leader is being polled, or no longer is.
    pub(super) fn set_polling(&self, polling: bool) {
        if !polling {
            self.signs.polled.store(self.clock.now(), Ordering::Relaxed);
        }
        self.signs.polling.store(polling, Ordering::Release);
    }

    /// Does the latter without a sign of life.
    pub(super) fn end_polling(&self) {
        self.signs.polling.store(false, Ordering::Release);
    }

    /// Notes a sign of life of a leader that waits for its client.
    pub(crate) fn seen(&self, now: u64) {
        self.signs.polled.store(now, Ordering::Relaxed);
    }

    /// Returns whether the leader is being polled now.
    pub(super) fn is_polled(&self) -> bool {
        self.signs.is_polled()
    }

    /// Polls the flight's computation.
    pub(crate) fn step<T>(
        self: &Arc<Self>,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.driven_by(cx.waker());
        self.signs.woken_at.store(0, Ordering::Relaxed);
        self.signs.woken.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(self));
        let mut scope = Scope::enter(self);
        let step = poll(&mut Context::from_waker(&waker));
        if step.is_ready() {
            scope.was_last();
        }
        step
    }

    /// Has that waker woken when the computation asks to be polled.
    fn driven_by(&self, waker: &Waker) {
        if !lock(&self.signs.driver).as_ref().is_some_and(|driver| driver.will_wake(waker)) {
            // A waker's code is the user's: it runs outside of the lock. Nobody else sets it, for it is polled once at a time.
            let waker = waker.clone();
            let before = lock(&self.signs.driver).replace(waker);
            drop(before);
        }
    }

    /// Notes that the background drives the computation from now on, and has not polled it yet.
    pub(crate) fn moved(&self) {
        if let Work::Future { owned: Some(owned), .. } = &mut self.lock().work {
            owned.is_moved = true;
        }
        self.signs.woken_at.store(self.clock.now(), Ordering::Relaxed);
        self.signs.woken.store(true, Ordering::SeqCst);
    }

    /// Wakes the computation's driver.
    pub(crate) fn wake_driver(&self) {
        let driver = lock(&self.signs.driver).take();
        wake(driver);
    }

    /// Notes the time of a wake and has somebody look after it, if anybody waits.
    fn note_wake(self: &Arc<Self>) {
        if !self.signs.watched.load(Ordering::SeqCst) {
            return;
        }
        self.look_after_wake(self.clock.now());
    }

    /// Has somebody look after a computation that asks to be polled, if it can move: waiters may be queued behind it.
    pub(super) fn look_after_wake(self: &Arc<Self>, now: u64) {
        let Some(since) = self.signs.woken_since(now) else { return };
        let since = if self.is_polled() { now } else { since };
        let is_under_way = |state: &State| matches!(state.phase, Phase::Led | Phase::Storing);
        let may_move = |state: &State| is_under_way(state) && state.work.is_movable();
        if may_move(&self.lock()) && !self.signs.alarmed.swap(true, Ordering::SeqCst) {
            self.look_after_grace(since);
        }
    }
}

impl Wake for Flight {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.signs.woken.swap(true, Ordering::SeqCst) {
            self.note_wake();
        }
        self.wake_driver();
    }
}
