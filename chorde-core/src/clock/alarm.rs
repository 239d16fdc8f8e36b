//! Calls something back when a time has come, without an executor.

use std::collections::BinaryHeap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{self, Arc, LazyLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Clock;
use crate::log_limit::LogLimit;
use crate::process::PerProcess;
use crate::sync::{Mutex, lock};

/// What an alarm calls.
pub(crate) type Ring = Box<dyn FnOnce() + Send>;

/// Orders what is to be called by time, earliest at the top.
#[derive(Default)]
pub(super) struct Agenda {
    due: BinaryHeap<Alarm>,
    /// Keeps alarms of the same time in the order in which they were set.
    next: u64,
}

struct Alarm {
    at: u64,
    order: u64,
    ring: Ring,
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Alarm {}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl Agenda {
    pub(super) fn add(&mut self, at: u64, ring: Ring) {
        self.due.push(Alarm { at, order: self.next, ring });
        self.next += 1;
    }

    /// Takes out what is due at `now`.
    pub(super) fn due(&mut self, now: u64) -> Vec<Ring> {
        let mut due = Vec::new();
        while self.due.peek().is_some_and(|alarm| alarm.at <= now) {
            due.extend(self.due.pop().map(|alarm| alarm.ring));
        }
        due
    }

    fn next_time(&self) -> Option<u64> {
        self.due.peek().map(|alarm| alarm.at)
    }
}

/// The agenda of system time, worked off by one thread that lives as long as the process. A forked child has its own.
struct Timer {
    agenda: sync::Mutex<Agenda>,
    changed: sync::Condvar,
}

static TIMER: LazyLock<PerProcess<Timer>> = LazyLock::new(|| PerProcess::new(Timer::start()));

fn timer() -> &'static Timer {
    TIMER.get(Timer::start)
}

impl Timer {
    fn start() -> Self {
        let started = std::thread::Builder::new().name("chorde-timer".into()).spawn(|| timer().run(&Clock::system()));
        if let Err(error) = started {
            log::error!("chorde cannot start its timer thread, computations that hang are not overtaken: {error}");
        }
        Self { agenda: sync::Mutex::default(), changed: sync::Condvar::new() }
    }

    fn run(&self, clock: &Clock) {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let due = agenda.due(clock.now());
            if !due.is_empty() {
                drop(agenda);
                for ring in due {
                    // What it wakes is others' code: the timer outlives it.
                    if catch_unwind(AssertUnwindSafe(ring)).is_err() {
                        static LIMIT: LogLimit<()> = LogLimit::new();
                        if let Some(more) = LIMIT.admit((), Clock::system().now()) {
                            log::error!("what chorde's timer was to wake has panicked{more}");
                        }
                    }
                }
                agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            agenda = match agenda.next_time() {
                None => self.changed.wait(agenda).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let wait = Duration::from_nanos(at.saturating_sub(clock.now()));
                    self.changed.wait_timeout(agenda, wait).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Sets an alarm on the system's time.
pub(super) fn on_system_time(at: u64, ring: Ring) {
    let timer = timer();
    let mut agenda = timer.agenda.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = agenda.next_time().is_none_or(|first| at < first);
    agenda.add(at, ring);
    drop(agenda);
    if is_first {
        // The thread sleeps up to the first alarm; others it finds when it has woken for that.
        timer.changed.notify_one();
    }
}

/// Completes when a clock has reached a time; made by [`Clock::sleep`].
#[derive(Debug)]
pub struct Sleep {
    clock: Clock,
    until: u64,
    /// The waker of the last poll, and whether the alarm was set.
    waker: Arc<Mutex<Option<Waker>>>,
    set: bool,
}

impl Sleep {
    pub(super) fn until(clock: &Clock, until: u64) -> Self {
        Self { clock: clock.clone(), until, waker: Arc::default(), set: false }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.until {
            return Poll::Ready(());
        }
        // A waker's drop is foreign code: it runs outside of the lock.
        let before = lock(&self.waker).replace(cx.waker().clone());
        drop(before);
        if !self.set {
            self.set = true;
            let waker = Arc::clone(&self.waker);
            self.clock.alarm(
                self.until,
                Box::new(move || {
                    let waker = lock(&waker).take();
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }),
            );
        }
        // The clock may have moved past the time before the alarm was set.
        if self.clock.now() >= self.until { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = lock(&self.waker).take();
        drop(waker);
    }
}
