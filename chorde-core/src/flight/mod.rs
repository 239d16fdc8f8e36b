//! Single-flight: of all who miss one key at the same time, one computes and the others wait for it.
//!
//! A [`Flight`] is one computation of one key, from the moment somebody asks for it until its value is stored. Whoever
//! holds its [`Leader`] guard computes. The others hold a [`Waiter`]. The states of a flight:
//!
//! ```text
//!             ┌──────────────── leader dropped: a waiter takes over ──────────────────────────┐
//!             ▼                                                                               │
//!  Queued ─> Free ─> Led ─────────────────────────> Storing ──────────────> Landed            │
//!                     │└── leader dropped ──────────────┴─────────────────────────────────────┘
//!                     └─── it failed, with nothing to share: all who wait compute on their own ─> Landed
//! ```
//!
//! `Queued` is for refreshes: they want a computation that began after they asked, so that they line up behind the one
//! that runs. A flight can be *detached* at any time before it lands: by an explicit write to its key, by a clear, or
//! because nobody drives its computation. New calls do not join a detached flight: it is out of the registry, or if it is
//! storing, kept aside there, for other writes to wait for. After an explicit write, those who wait still get its value, and
//! nobody stores it. After an overtaking, those who wait start over.
//!
//! A write waits for a store in progress, so that whatever passed the check before the write is in the store before it.
//!
//! A computation is left alone as long as somebody drives it, however long it takes. `signs` is what can be seen of that,
//! `judge` decides by it what those who wait may do, and `watch` carries it out.
//!
//! Invariants: a flight in the registry is led, or is storing, or is queued behind one that is, or has a woken waiter
//! that will take the lead; so no key is ever left locked. All locks are held for a few instructions, and no waker or
//! user code runs under them.

pub(crate) mod active;
mod circle;
mod judge;
mod queue;
mod registry;
mod role;
mod signs;
pub(crate) mod store;
mod table;
mod watch;

pub(crate) use registry::{Flights, Kind, Role, Writing, supersede_client, write_directly};
pub(crate) use role::{Landing, Leader, Outcome, Waiter};
pub(crate) use signs::Movable;
pub(crate) use table::{DirectWrite, FlightKey};

use std::any::Any;
use std::sync::{Arc, Weak};
use std::task::Waker;

use smallvec::SmallVec;

use self::judge::Work;
use self::queue::Queue;
use self::signs::Signs;
use crate::clock::{Alarm, Clock};
use crate::digest::Digest;
use crate::sync::{AtomicU64, Mutex, MutexGuard, OnceLock, Ordering, lock};
use crate::user_code;

/// Is the stamp of a flight whose computation has not begun.
const NO_STAMP: u64 = u64::MAX;

/// A value or an error of any type, shared by all who wait.
pub(crate) type Cargo = Arc<dyn Any + Send + Sync>;

/// What those who wait for a flight are given.
#[derive(Debug)]
pub(crate) enum Landed {
    /// A value; of one that the client held already, also the nanoseconds that a call's ttl must exceed for it.
    Value(Cargo, Option<u64>),
    /// An error that can be shared.
    Error(Cargo),
}

/// One computation of one key.
pub(crate) struct Flight {
    /// Where it is registered. Together with that the two hold each other, until the flight lands.
    flights: Arc<Flights>,
    key: FlightKey,
    /// Whether calls may join it; those without single-flight may not be joined.
    joinable: bool,
    /// Whether somebody waits for what is computed from now on, so that what is held will not do.
    is_next: bool,
    /// Whether it computes whatever is held: a valid value may lie in the client meanwhile.
    is_refresh: bool,
    /// The clock of its client.
    clock: Clock,
    /// When the flight was first asked for.
    began: u64,
    /// Which revision of its key its computation belongs to; [`NO_STAMP`] until it begins.
    stamp: AtomicU64,
    state: Mutex<State>,
    /// What those who wait are given: set once, and read by thousands at the same time without the lock.
    landed: OnceLock<Landed>,
    /// The leader's observable progress.
    signs: Signs,
    /// The flights that its computation waits for.
    waits_for: Mutex<SmallVec<[Weak<Flight>; 1]>>,
    /// What watches over it, once somebody waits; it ends with the flight.
    alarms: Mutex<Option<Box<Alarms>>>,
}

/// The alarms of one flight.
#[derive(Debug, Default)]
struct Alarms {
    /// Looks after the leader.
    check: Option<Alarm>,
    /// Looks after a computation that asked to be polled.
    grace: Option<Alarm>,
}

struct State {
    phase: Phase,
    /// No longer among the flights that calls join.
    detached: bool,
    /// Set by an explicit write: what is computed is not to be stored.
    superseded: bool,
    /// Set by an overtaking: those who wait start over.
    abandoned: bool,
    /// The computation failed, with nothing to share: those who wait compute on their own.
    failed: bool,
    waiters: Queue,
    /// How many [`Waiter`]s there are, those not yet polled included.
    waiting: usize,
    /// How many of them may compute beside the leader.
    besides: usize,
    /// Writes that wait for a store to end.
    writers: Vec<Waker>,
    /// How it is computed, and what can move it.
    work: Work,
    /// Whether an alarm watches the leader.
    watched: bool,
    /// Whether the last of those who wait was given time to take the lead.
    was_reminded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Lined up behind another flight of the key.
    Queued,
    /// To be led by the first waiter that looks.
    Free,
    /// Computing.
    Led,
    /// Writing to the client.
    Storing,
    /// Ended; with something, if that is in `landed`.
    Landed,
}

impl Flight {
    fn new(flights: &Arc<Flights>, key: FlightKey, kind: Kind, phase: Phase, clock: &Clock, now: u64) -> Self {
        let state = State {
            phase,
            detached: false,
            superseded: false,
            abandoned: false,
            failed: false,
            waiters: Queue::default(),
            waiting: 0,
            besides: 0,
            writers: Vec::new(),
            work: Work::Claim,
            watched: false,
            was_reminded: false,
        };
        Self {
            flights: Arc::clone(flights),
            key,
            joinable: kind != Kind::Alone,
            is_next: phase == Phase::Queued,
            is_refresh: kind == Kind::Next,
            clock: clock.clone(),
            began: now,
            stamp: AtomicU64::new(NO_STAMP),
            state: Mutex::new(state),
            landed: OnceLock::new(),
            signs: Signs::new(now),
            waits_for: Mutex::default(),
            alarms: Mutex::new(None),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Keeps an alarm in the place of the one before.
    fn keep_alarm(&self, kind: fn(&mut Alarms) -> &mut Option<Alarm>, alarm: Alarm) {
        let other = alarm.keep_in(kind(lock(&self.alarms).get_or_insert_default()));
        drop(other);
    }

    /// Has what it computes not stored: it may see what was there before a write, and be stored after it.
    fn supersede(&self) {
        self.lock().superseded = true;
    }

    /// Notes which revision its computation belongs to, which begins now.
    pub(crate) fn belongs_to(&self, stamp: u64) {
        self.stamp.store(stamp, Ordering::Release);
    }

    /// Returns whether it computes what belongs to another revision.
    fn is_outdated(&self, stamp: u64) -> bool {
        let own = self.stamp.load(Ordering::Acquire);
        own != NO_STAMP && own != stamp
    }

    /// Returns whether it was lined up for a refresh: whoever leads it must compute.
    pub(crate) fn is_next(&self) -> bool {
        self.is_next
    }

    /// Returns whether it was begun to compute whatever is held.
    pub(crate) fn is_refresh(&self) -> bool {
        self.is_refresh
    }

    /// Returns the digest of its key.
    pub(crate) fn digest(&self) -> Digest {
        self.key.1
    }

    /// Returns the time on its client's clock.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Returns when it was first asked for.
    pub(crate) fn began(&self) -> u64 {
        self.began
    }

    /// Returns whether anybody waits for it. Once it has landed, nobody does: those who waited are not counted any more.
    pub(crate) fn is_awaited(&self) -> bool {
        let state = self.lock();
        state.phase != Phase::Landed && state.waiting > 0
    }
}

impl State {
    /// Returns whether there is nothing to wait for any more. It may still be in the registry, to be taken out at once.
    fn is_over(&self) -> bool {
        self.abandoned || self.phase == Phase::Landed
    }

    /// Makes the flight free to be led by a waiter; returns whom to wake.
    fn free(&mut self) -> Option<Waker> {
        self.phase = Phase::Free;
        self.work = Work::Claim;
        self.was_reminded = false;
        self.waiters.pop()
    }

    /// Ends the flight with nothing, nobody being there to lead it; whoever still joins starts over.
    fn strand(&mut self) {
        self.detached = true;
        self.phase = Phase::Landed;
    }

    /// Abandons the flight when nobody drives its computation; returns the waiters and writers to wake.
    fn overtake(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.superseded = true;
        self.detached = true;
        self.abandoned = true;
        self.take_all()
    }

    /// Takes out everybody who waits for anything.
    fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.writers).into_iter().chain(std::mem::take(&mut self.waiters))
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(user_code::wake);
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").field("joinable", &self.joinable).field("began", &self.began).finish_non_exhaustive()
    }
}
