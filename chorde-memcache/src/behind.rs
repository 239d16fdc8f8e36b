//! Writes put off: queued, readable at once, written by a task of our own a moment later.
//!
//! The task is started by the first value that is queued and ends when nothing is left; it holds all that it needs, so
//! that dropping the client loses nothing. It lets a [pause](WriteBehind::pause) pass, in which values gather and later
//! ones replace earlier ones of the same key, and then writes all that has gathered, many at a time. A server that hangs
//! holds up nothing but its own: what gathers meanwhile is written alongside.
//!
//! One key's values are written one after another. Whatever else is to be done with a key waits for its queued value
//! ([`settle`](Behind::settle)) or takes it back ([`withdraw`](Behind::withdraw)).

mod losses;
mod options;
mod queue;

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chorde_core::{Clock, Error, ErrorKind, Key, Result};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;

pub use options::WriteBehind;
pub(crate) use queue::Write;

use crate::command::{How, Life};
use crate::envelope::Sealed;
use crate::life::{self, GRACE};
use crate::memory::Memory;
use crate::node::{TaskGuard, spawn};
use crate::race::within;
use crate::store::{Store, Wrote};
use crate::wire_key::WireKey;
use losses::Losses;
use queue::{Put, Queue};

/// How many values are written at a time.
const AT_A_TIME: usize = 256;

/// How many bytes are written at a time, but for one value.
const BYTES_AT_A_TIME: usize = 8 << 20;

const SECOND: u64 = 1_000_000_000;

/// The writes that one client has put off.
#[derive(Debug)]
pub(crate) struct Behind(Arc<Shared>);

/// What the client and the task share.
#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    clock: Clock,
    pause: Duration,
    /// Has to forget what was lost.
    memory: Option<Arc<Memory>>,
    /// Tells which servers there are, after the end of the client too.
    _follower: Option<Arc<TaskGuard>>,
    state: Mutex<State>,
    /// Ends a pause.
    hurry: Notify,
    /// Tells of each value that leaves the queue.
    left: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// Whether the task runs.
    is_running: bool,
    losses: Losses,
}

impl Behind {
    pub(crate) fn new(
        options: WriteBehind,
        store: &Arc<Store>,
        memory: Option<&Arc<Memory>>,
        follower: Option<&Arc<TaskGuard>>,
    ) -> Self {
        let state = State { queue: Queue::new(options), is_running: false, losses: Losses::default() };
        Self(Arc::new(Shared {
            store: Arc::clone(store),
            clock: store.cluster.clock().clone(),
            pause: options.pause,
            memory: memory.cloned(),
            _follower: follower.cloned(),
            state: Mutex::new(state),
            hurry: Notify::new(),
            left: Notify::new(),
        }))
    }

    /// Queues a value that is to live for `life` seconds from now on; returns it if there is no room for it.
    pub(crate) fn put(&self, key: &WireKey, sealed: Sealed, life: u32, known_as: &Key) -> Option<Sealed> {
        let Shared { clock, memory, store, .. } = &*self.0;
        let sealed = Arc::new(sealed);
        let until = clock.now().saturating_add(u64::from(life) * SECOND);
        let known_as = memory.as_ref().map(|_| known_as.clone());
        let write = Write { sealed: Arc::clone(&sealed), until, life, key: known_as };
        let mut state = self.0.lock();
        let put = state.queue.put(key, write);
        let is_idle = !matches!(put, Put::Full) && !std::mem::replace(&mut state.is_running, true);
        let has_gathered = state.queue.ready() == AT_A_TIME;
        drop(state);
        match put {
            Put::Full => {
                store.counters.written_through.one();
                // The queue has dropped its own.
                return Arc::into_inner(sealed);
            }
            Put::Queued => store.counters.queued_writes.one(),
            Put::Coalesced => {
                store.counters.queued_writes.one();
                store.counters.coalesced_writes.one();
            }
        }
        if is_idle {
            spawn(run(Shift { shared: Arc::clone(&self.0), is_over: false }));
        } else if has_gathered {
            self.0.hurry.notify_one();
        }
        None
    }

    /// Returns the value of a key that is queued or being written, the latest.
    pub(crate) fn find(&self, key: &WireKey) -> Option<Write> {
        self.0.lock().queue.find(key).cloned()
    }

    /// Takes back the value of a key that is queued, and waits for the end of the one being written; returns whether a
    /// valid one was taken back.
    ///
    /// # Cancel safety
    ///
    /// The value is taken back at the first poll.
    pub(crate) async fn withdraw(&self, key: &WireKey) -> bool {
        let withdrawn = self.0.lock().queue.withdraw(key);
        self.0.left.notify_waiters();
        self.landing(key).await;
        withdrawn.is_some_and(|write| write.until > self.0.clock.now())
    }

    /// Takes back all that is queued, and waits for the end of all that is being written.
    pub(crate) async fn withdraw_all(&self) {
        let end = {
            let mut state = self.0.lock();
            state.queue.withdraw_all();
            state.queue.end()
        };
        self.0.left.notify_waiters();
        self.written(end).await;
    }

    /// Has the value of a key written that is queued or being written, and waits for it.
    ///
    /// # Cancel safety
    ///
    /// What has begun to be written goes on.
    pub(crate) async fn settle(&self, key: &WireKey) {
        // One may be under way with another one behind it; what is queued later comes later.
        for _ in 0..2 {
            let flight = self.0.take_of(key);
            let is_ours = flight.is_some();
            if let Some(flight) = flight {
                spawn(async move { _ = flight.fly().await });
            }
            if !self.landing(key).await && !is_ours {
                return;
            }
        }
    }

    /// Waits until all that is queued so far is written, or lost.
    ///
    /// # Errors
    ///
    /// Tells of what was lost since the last time that this was asked.
    ///
    /// # Cancel safety
    ///
    /// What is queued is written all the same; what was lost is told the next time.
    pub(crate) async fn flush(&self) -> Result<()> {
        let (end, told) = {
            let state = self.0.lock();
            (state.queue.end(), state.losses.told())
        };
        self.written(end).await;
        match self.0.lock().losses.tell(told) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Waits for the end of a key's write under way; returns whether there was one.
    async fn landing(&self, key: &WireKey) -> bool {
        let landing = self.0.lock().queue.landing(key);
        match landing {
            Some(landing) => {
                landing.await;
                true
            }
            None => false,
        }
    }

    /// Waits until nothing is left that is before `end` in line.
    async fn written(&self, end: u64) {
        loop {
            // Hears of everything that leaves from now on.
            let left = self.0.left.notified();
            if self.0.lock().queue.is_done_before(end) {
                return;
            }
            self.0.hurry.notify_one();
            left.await;
        }
    }
}

impl Drop for Behind {
    /// Nothing will be queued any more: what is gains nothing by waiting.
    fn drop(&mut self) {
        self.0.hurry.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets values gather.
    async fn gather(&self) {
        _ = within(&self.clock, self.pause, self.hurry.notified()).await;
    }

    fn take(self: &Arc<Self>, end: u64) -> Option<Flight> {
        let (key, write) = self.lock().queue.take(end)?;
        Some(Flight { shared: Arc::clone(self), key, write, is_over: false })
    }

    fn take_of(self: &Arc<Self>, key: &WireKey) -> Option<Flight> {
        let write = self.lock().queue.take_of(key)?;
        Some(Flight { shared: Arc::clone(self), key: *key, write, is_over: false })
    }

    /// Writes a value for what its life has left since it was put.
    async fn write(&self, key: &WireKey, write: &Write) -> Result<()> {
        let left = Duration::from_nanos(write.until.saturating_sub(self.clock.now()));
        // What is past its life is stored as stale: it replaces what was there before it.
        let life = if left.is_zero() { Life(GRACE) } else { life::of_item(life::whole_seconds(left)) };
        match self.store.write(key, &write.sealed, life, How::Set).await? {
            Wrote::TooLarge => Err(Error::new(ErrorKind::Value, "the server has no room for an item of this size")),
            Wrote::Stored | Wrote::Exists | Wrote::Missing => Ok(()),
        }
    }

    /// Notes that values are lost, which have left the queue.
    fn lose(&self, lost: &[Write], error: &Error) {
        let values = lost.len() as u64;
        self.store.counters.lost_writes.add(values);
        self.lock().losses.add(values, error, self.clock.now());
        for write in lost {
            if let (Some(memory), Some(key)) = (&self.memory, &write.key) {
                memory.forget(key);
            }
        }
    }
}

/// A value being written. However it ends, the key is free again.
struct Flight {
    shared: Arc<Shared>,
    key: WireKey,
    write: Write,
    is_over: bool,
}

impl Flight {
    /// Writes; returns how many bytes that were.
    async fn fly(mut self) -> usize {
        let outcome = self.shared.write(&self.key, &self.write).await;
        self.land(outcome);
        self.write.sealed.len()
    }

    fn land(&mut self, outcome: Result<()>) {
        self.is_over = true;
        let landed = self.shared.lock().queue.land(&self.key);
        if let Err(error) = outcome {
            self.shared.lose(std::slice::from_ref(&self.write), &error);
        }
        if let Some(landed) = landed {
            landed.notify_waiters();
        }
        self.shared.left.notify_waiters();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.is_over {
            self.land(Err(ended()));
        }
    }
}

/// The task's time at work. Where it ends early, what is queued is lost, and the next value starts another.
struct Shift {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Shift {
    /// Ends the work if nothing is left; returns whether it does.
    fn is_done(&mut self) -> bool {
        let mut state = self.shared.lock();
        self.is_over = state.queue.is_empty();
        state.is_running = !self.is_over;
        if self.is_over {
            state.losses.log_rest();
        }
        self.is_over
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = self.shared.lock();
        state.is_running = false;
        let lost = state.queue.withdraw_all();
        drop(state);
        if !lost.is_empty() {
            self.shared.lose(&lost, &ended());
        }
        self.shared.left.notify_waiters();
    }
}

/// Reports the end of our own thread.
#[cold]
fn ended() -> Error {
    Error::new(ErrorKind::Unavailable, "the thread for connections has ended, or cannot be started")
}

/// Writes what is queued until nothing is left.
async fn run(mut shift: Shift) {
    let shared = Arc::clone(&shift.shared);
    let end = || shared.lock().queue.end();
    let (mut flights, mut bytes) = (FuturesUnordered::new(), 0);
    loop {
        shared.gather().await;
        let mut due = end();
        let mut gathering = pin!(shared.gather());
        loop {
            while flights.len() < AT_A_TIME
                && bytes < BYTES_AT_A_TIME
                && let Some(flight) = shared.take(due)
            {
                bytes += flight.write.sealed.len();
                flights.push(flight.fly());
            }
            match select(flights.next(), gathering.as_mut()).await {
                Either::Left((Some(written), _)) => bytes -= written,
                Either::Left((None, _)) => break,
                Either::Right(_) => {
                    due = end();
                    gathering.set(shared.gather());
                }
            }
        }
        if shift.is_done() {
            return;
        }
    }
}
