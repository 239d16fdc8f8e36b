//! Calls something back when a time has come, without an executor.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{self, Arc, LazyLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Clock;
use super::manual::ManualClock;
use crate::process::{self, PerProcess};
use crate::sync::{Mutex, lock};
use crate::user_code::{shielded, tell_seldom, wake};

/// What an alarm calls.
pub(crate) type Ring = Box<dyn FnOnce() + Send>;

/// When an alarm rings, and a number that tells it from others of the same time, in the order in which they were set.
pub(super) type Moment = (u64, u64);

/// Orders what is to be called by time. Each step takes logarithmic time.
#[derive(Default)]
pub(super) struct Agenda {
    alarms: BTreeMap<Moment, Ring>,
    next: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at: u64, ring: Ring) -> Moment {
        let moment = (at, self.next);
        self.next += 1;
        self.alarms.insert(moment, ring);
        moment
    }

    /// Takes out an alarm that has not rung; what it would have called is to be dropped without the lock.
    pub(super) fn remove(&mut self, moment: Moment) -> Option<Ring> {
        self.alarms.remove(&moment)
    }

    /// Takes out the first alarm, if it is due at `now`.
    pub(super) fn next_due(&mut self, now: u64) -> Option<Ring> {
        let first = self.alarms.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    fn next_time(&self) -> Option<u64> {
        self.alarms.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn len(&self) -> usize {
        self.alarms.len()
    }
}

/// An alarm that is set. Dropped, it does not ring any more, and takes no space.
#[must_use = "an alarm that is dropped does not ring"]
pub(crate) struct Alarm {
    on: On,
    moment: Moment,
}

/// Whose agenda an alarm is on.
pub(super) enum On {
    System(&'static Timer),
    Manual(ManualClock),
}

impl Alarm {
    pub(super) fn new(on: On, moment: Moment) -> Self {
        Self { on, moment }
    }

    /// Keeps the alarm that was set last, of those that one who is called sets again when he is called; returns the other one, to be
    /// dropped without a lock. It may have rung, and another may be set, before it comes here.
    pub(crate) fn keep_in(self, place: &mut Option<Self>) -> Option<Self> {
        if place.as_ref().is_some_and(|kept| kept.moment.1 > self.moment.1) { Some(self) } else { place.replace(self) }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        match &self.on {
            On::System(timer) => timer.cancel(self.moment),
            On::Manual(manual) => manual.cancel(self.moment),
        }
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").field("at", &self.moment.0).finish_non_exhaustive()
    }
}

/// The agenda of system time, and the threads that work it off. A forked child has its own.
///
/// One thread *keeps the time*: it sleeps up to the first alarm. What it rings may be others' code, which may block; so before
/// it rings, it hands the time to another thread, which waits for that or is started.
pub(super) struct Timer {
    process: u32,
    state: sync::Mutex<State>,
    changed: sync::Condvar,
    /// Has a thread take over that waits for that.
    handed: sync::Condvar,
}

#[derive(Default)]
struct State {
    agenda: Agenda,
    /// Whether a thread keeps the time, or was told to.
    is_kept: bool,
    /// Up to when that thread sleeps, although the alarm for which it does may have been dropped since; none while it is awake.
    sleeps_until: Option<u64>,
    /// Whether a thread that waits for that was told to.
    is_handed: bool,
    /// How many threads wait to keep the time.
    idle: usize,
}

/// A day, in nanoseconds: a thread that has nothing to do wakes up as often as that, as not all systems can wait for centuries.
const LONGEST_SLEEP: u64 = 86_400_000_000_000;

/// How many threads may wait to keep the time; more than that end once they have rung.
const IDLE: usize = 1;

static TIMER: LazyLock<PerProcess<Timer>> = LazyLock::new(|| PerProcess::new(Timer::new()));

fn timer() -> &'static Timer {
    TIMER.get(Timer::new)
}

impl Timer {
    fn new() -> Self {
        let (changed, handed) = (sync::Condvar::new(), sync::Condvar::new());
        Self { process: process::id(), state: sync::Mutex::default(), changed, handed }
    }

    fn lock(&self) -> sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&'static self, at: u64, ring: Ring) -> Alarm {
        let mut state = self.lock();
        let moment = state.agenda.add(at, ring);
        if !state.is_kept {
            self.have_kept(state);
        } else if state.sleeps_until.is_some_and(|until| at < until) {
            // Others it finds when it wakes, and those that come until then need not wake it again.
            state.sleeps_until = None;
            drop(state);
            self.changed.notify_one();
        }
        Alarm::new(On::System(self), moment)
    }

    fn cancel(&'static self, moment: Moment) {
        // That of a parent process must not be touched: its lock may be held by a thread that is not here.
        if self.process == process::id() {
            let cancelled = self.lock().agenda.remove(moment);
            drop(cancelled);
        }
    }

    /// Has another thread keep the time.
    fn have_kept(&'static self, mut state: sync::MutexGuard<'_, State>) {
        state.is_kept = true;
        if state.idle > 0 {
            state.is_handed = true;
            drop(state);
            return self.handed.notify_one();
        }
        drop(state);
        if let Err(error) = std::thread::Builder::new().name("chorde-timer".into()).spawn(|| self.keep()) {
            // Tried again for the next alarm that is set, or by the thread that rings when it is back.
            self.lock().is_kept = false;
            tell_seldom!(error, "chorde cannot start a timer thread, timeouts may be late: {error}");
        }
    }

    /// Keeps the time, and rings what is due.
    fn keep(&'static self) {
        let clock = Clock::system();
        let mut state = self.lock();
        loop {
            let Some(ring) = state.agenda.next_due(clock.now()) else {
                state = self.sleep(state, &clock);
                continue;
            };
            state.is_kept = false;
            if state.agenda.len() > 0 {
                self.have_kept(state);
            } else {
                drop(state);
            }
            if shielded(ring).is_none() {
                tell_seldom!(error, "what chorde's timer was to call has panicked");
            }
            match self.next_turn() {
                Some(turn) => state = turn,
                None => return,
            }
        }
    }

    /// Sleeps up to the first alarm, or until another one is the first.
    fn sleep<'a>(&self, mut state: sync::MutexGuard<'a, State>, clock: &Clock) -> sync::MutexGuard<'a, State> {
        let at = state.agenda.next_time().unwrap_or(u64::MAX);
        state.sleeps_until = Some(at);
        let wait = Duration::from_nanos(at.saturating_sub(clock.now()).min(LONGEST_SLEEP));
        let mut state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        state.sleeps_until = None;
        state
    }

    /// Waits until the time is to be kept; `None` where enough threads wait for that.
    fn next_turn(&self) -> Option<sync::MutexGuard<'_, State>> {
        let mut state = self.lock();
        if !state.is_kept {
            state.is_kept = true;
            return Some(state);
        }
        if state.idle == IDLE {
            return None;
        }
        state.idle += 1;
        while !state.is_handed {
            state = self.handed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_handed = false;
        state.idle -= 1;
        Some(state)
    }
}

/// Sets an alarm on the system's time.
pub(super) fn on_system_time(at: u64, ring: Ring) -> Alarm {
    timer().set(at, ring)
}

/// Completes when a clock has reached a time; made by [`Clock::sleep`].
#[derive(Debug)]
pub struct Sleep {
    clock: Clock,
    until: u64,
    /// The waker of the last poll.
    waker: Arc<Mutex<Option<Waker>>>,
    /// Set by the first poll that has to wait.
    alarm: Option<Alarm>,
}

impl Sleep {
    pub(super) fn until(clock: &Clock, until: u64) -> Self {
        Self { clock: clock.clone(), until, waker: Arc::default(), alarm: None }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.until {
            return Poll::Ready(());
        }
        // A waker's code is the user's: it runs outside of the lock.
        let waker = cx.waker().clone();
        let before = lock(&self.waker).replace(waker);
        drop(before);
        if self.alarm.is_none() {
            let waker = Arc::clone(&self.waker);
            let ring = move || {
                let waker = lock(&waker).take();
                waker.into_iter().for_each(wake);
            };
            self.alarm = Some(self.clock.alarm(self.until, Box::new(ring)));
        }
        // The clock may have moved past the time before the alarm was set.
        if self.clock.now() >= self.until { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.alarm = None;
        let waker = lock(&self.waker).take();
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::task::Wake;

    use super::*;

    /// How long the machine may take for what is due at once.
    const AT_MOST: Duration = Duration::from_secs(60);

    fn leaked() -> &'static Timer {
        Box::leak(Box::new(Timer::new()))
    }

    fn now() -> u64 {
        Clock::system().now()
    }

    fn telling(told: &Sender<u32>, number: u32) -> Ring {
        let told = told.clone();
        Box::new(move || told.send(number).unwrap())
    }

    fn all_told(told: &Receiver<u32>, count: usize) -> Vec<u32> {
        (0..count).map(|_| told.recv_timeout(AT_MOST).expect("an alarm that is due rings")).collect()
    }

    #[test]
    fn an_alarm_that_is_dropped_takes_no_space_and_does_not_ring() {
        let timer = leaked();
        let (tell, told) = channel();
        let later = now() + 3_600_000_000_000;
        let kept = timer.set(later, telling(&tell, 1));
        for number in 0..10_000 {
            drop(timer.set(later + number % 7, telling(&tell, 2)));
        }
        assert_eq!(timer.lock().agenda.len(), 1);
        drop(kept);
        assert_eq!(timer.lock().agenda.len(), 0);
        let rings = timer.set(now(), telling(&tell, 3));
        assert_eq!(all_told(&told, 1), [3]);
        drop(rings);
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn a_sleep_that_is_dropped_leaves_no_alarm() {
        let manual = ManualClock::new();
        let clock = Clock::from(manual.clone());
        let mut kept = clock.sleep(Duration::from_secs(60));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut kept).poll(&mut cx).is_pending());
        for _ in 0..10_000 {
            let mut sleep = clock.sleep(Duration::from_secs(60));
            assert!(Pin::new(&mut sleep).poll(&mut cx).is_pending());
        }
        assert_eq!(manual.alarms(), 1);
        manual.advance(Duration::from_secs(60));
        assert!(Pin::new(&mut kept).poll(&mut cx).is_ready());
        assert_eq!(manual.alarms(), 0);
    }

    #[test]
    fn alarms_ring_although_others_panic() {
        let timer = leaked();
        let (tell, told) = channel();
        for number in 0..20 {
            let panics = timer.set(now(), Box::new(|| panic!("in an alarm")));
            let rings = timer.set(now(), telling(&tell, number));
            assert_eq!(all_told(&told, 1), [number]);
            drop((panics, rings));
        }
    }

    #[test]
    fn alarms_ring_although_others_block() {
        let timer = leaked();
        let (tell, told) = channel();
        let (release, blocked) = channel::<()>();
        let blocked = Arc::new(std::sync::Mutex::new(blocked));
        let block = || {
            let blocked = Arc::clone(&blocked);
            timer.set(now(), Box::new(move || _ = blocked.lock().unwrap().recv()))
        };
        let mut alarms = vec![timer.set(now() + 1_000_000, telling(&tell, 0))];
        for number in 1..5 {
            alarms.extend([block(), timer.set(now(), telling(&tell, number))]);
        }
        let mut numbers = all_told(&told, 5);
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        drop(release);
        let last = timer.set(now(), telling(&tell, 9));
        assert_eq!(all_told(&told, 1), [9]);
        drop((alarms, last));
    }

    #[test]
    fn a_waker_that_panics_does_not_end_timeouts() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("in a waker");
            }
        }
        let clock = Clock::system();
        let waker = Waker::from(Arc::new(Panics));
        let mut sleeps: Vec<_> = (0..10).map(|_| clock.sleep(Duration::from_micros(100))).collect();
        for sleep in &mut sleeps {
            let _ = Pin::new(sleep).poll(&mut Context::from_waker(&waker));
        }
        crate::sync::block_on(clock.sleep(Duration::from_millis(1)));
    }
}
