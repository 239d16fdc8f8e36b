//! A clock that jumps to the next alarm, while somebody runs it.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;

type Ring = Box<dyn FnOnce() + Send>;

/// How time goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Time {
    StandsStill,
    /// Up to an end before which no lease ends.
    Passes,
    Runs,
}

#[derive(Default)]
struct State {
    now: u64,
    alarms: Vec<(u64, u64, Ring)>,
    /// The number of the last alarm.
    last: u64,
    is_over: bool,
}

/// Does not ring any more once it is dropped.
#[derive(Debug)]
pub struct Alarm(Clock, u64);

impl Alarm {
    pub fn keep_in(self, place: &mut Option<Self>) -> Option<Self> {
        if place.as_ref().is_some_and(|kept| kept.1 > self.1) { Some(self) } else { place.replace(self) }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut state = self.0.0.0.lock().unwrap();
        let cancelled = state.alarms.iter().position(|(_, number, _)| *number == self.1);
        let cancelled = cancelled.map(|at| state.alarms.swap_remove(at));
        drop(state);
        drop(cancelled);
    }
}

#[derive(Clone)]
pub struct Clock(Arc<(Mutex<State>, Condvar)>);

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    pub fn new() -> Self {
        Self(Arc::new((Mutex::default(), Condvar::new())))
    }

    /// Of the log alone, which nobody reads here.
    pub fn system() -> Self {
        Self::new()
    }

    pub fn now(&self) -> u64 {
        self.0.0.lock().unwrap().now
    }

    pub fn alarm(&self, at: u64, ring: Ring) -> Alarm {
        let mut state = self.0.0.lock().unwrap();
        state.last += 1;
        let number = state.last;
        state.alarms.push((at, number, ring));
        drop(state);
        self.0.1.notify_all();
        Alarm(self.clone(), number)
    }

    /// Lets time run, up to that time at most, until it is [`stop`](Self::stop)ped.
    pub fn run(&self, end: u64) {
        let (time, changed) = &*self.0;
        let mut now = time.lock().unwrap();
        while !now.is_over {
            let Some(at) = now.alarms.iter().map(|(at, ..)| *at).min().filter(|at| *at <= end) else {
                now = changed.wait(now).unwrap();
                continue;
            };
            now.now = at.max(now.now);
            let due = now.now;
            let alarms = std::mem::take(&mut now.alarms);
            let (ringing, later): (Vec<_>, Vec<_>) = alarms.into_iter().partition(|(at, ..)| *at <= due);
            now.alarms = later;
            drop(now);
            ringing.into_iter().for_each(|(.., ring)| ring());
            thread::yield_now();
            now = time.lock().unwrap();
        }
    }

    pub fn stop(&self) {
        self.0.0.lock().unwrap().is_over = true;
        self.0.1.notify_all();
    }

    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> {
        let (clock, until) = (self.clone(), self.now() + nanos(duration));
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let rung = Arc::clone(&waker);
        let ring = move || {
            let waker = rung.lock().unwrap().take();
            waker.into_iter().for_each(Waker::wake);
        };
        let alarm = self.alarm(until, Box::new(ring));
        std::future::poll_fn(move |cx: &mut Context<'_>| {
            let _set = &alarm;
            *waker.lock().unwrap() = Some(cx.waker().clone());
            if clock.now() >= until { Poll::Ready(()) } else { Poll::Pending }
        })
    }
}

pub fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}
