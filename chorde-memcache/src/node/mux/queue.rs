//! What callers and the task share.

use std::sync::PoisonError;
use std::task::Waker;
use std::time::Duration;

use chorde_core::Clock;
use smallvec::{SmallVec, smallvec};
use tokio::sync::oneshot;

use super::{Limits, Replies};
use crate::command::{Command, Failure};
use crate::node::meta::{self, Kind, Outgoing};
use crate::race::nanos;
use crate::sync::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering};
use crate::wall_clock::unix_seconds;

/// No deadline.
pub(super) const NEVER: u64 = u64::MAX;

/// The meeting place of callers and the task.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// How many commands wait for their reply, wherever they are.
    waiting: AtomicUsize,
    /// Set once, with `State::ended`.
    closed: AtomicBool,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queue: Queue,
    /// How many bytes are queued or being written.
    pub(super) unwritten: usize,
    /// The number of the next command.
    opaque: u32,
    /// The task, while it sleeps.
    pub(super) asleep: Option<Asleep>,
    /// Nobody can ask any more: the task ends when all is answered.
    pub(super) is_orphaned: bool,
    /// What those hear who come too late.
    pub(super) ended: Option<Failure>,
}

/// A task that sleeps, and what it is woken for.
#[derive(Debug)]
pub(super) struct Asleep {
    pub(super) waker: Waker,
    /// Only a batch with an earlier deadline than this is of interest.
    pub(super) before: u64,
}

/// Batches that the task has not seen.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) outgoing: Outgoing,
    pub(super) slots: Vec<Slot>,
    /// The earliest deadline among them, or an earlier time.
    pub(super) earliest: Option<u64>,
}

/// A batch's place in line.
#[derive(Debug)]
pub(super) struct Slot {
    /// Where the answers go; none if the batch has failed already.
    answer: Option<oneshot::Sender<Result<Replies, Failure>>>,
    pub(super) deadline: u64,
    /// The number of the first command; the others count on from it.
    pub(super) first: u32,
    /// How many bytes it takes in the outgoing ones.
    pub(super) size: usize,
    /// What kinds of replies it waits for, and how many of each in a row.
    kinds: SmallVec<[(Kind, u32); 1]>,
}

impl Slot {
    /// Returns the number of commands.
    pub(super) fn len(&self) -> usize {
        self.kinds.iter().map(|(_, run)| *run as usize).sum()
    }

    /// Returns the kind of the command at this place of the batch.
    pub(super) fn kind(&self, mut index: usize) -> Option<Kind> {
        if let [(kind, run)] = self.kinds[..] {
            return (index < run as usize).then_some(kind);
        }
        for (kind, run) in &self.kinds {
            if index < *run as usize {
                return Some(*kind);
            }
            index -= *run as usize;
        }
        None
    }

    /// Hands the answers over; returns whether somebody waits for them.
    pub(super) fn answer(&mut self, answer: Result<Replies, Failure>) -> bool {
        self.answer.take().is_some_and(|sender| sender.send(answer).is_ok())
    }

    /// Takes out where the answers go.
    pub(super) fn take_answer(&mut self) -> Option<oneshot::Sender<Result<Replies, Failure>>> {
        self.answer.take()
    }

    /// Returns whether nobody waits.
    pub(super) fn is_dead(&self) -> bool {
        self.answer.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

impl Shared {
    pub(super) fn new(limits: Limits, clock: Clock) -> Self {
        let state =
            State { queue: Queue::default(), unwritten: 0, opaque: 0, asleep: None, is_orphaned: false, ended: None };
        Self { state: Mutex::new(state), waiting: AtomicUsize::new(0), closed: AtomicBool::new(false), limits, clock }
    }

    /// Locks; nothing that can panic happens under this lock, so that a poisoned one is as good as any.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a batch.
    pub(super) fn push(
        &self,
        commands: &[Command<'_>],
        deadline: Duration,
        answer: oneshot::Sender<Result<Replies, Failure>>,
    ) -> Result<(), Failure> {
        if commands.is_empty() {
            // Nobody is told if the asker has gone already, which is as well.
            answer.send(Ok(Replies::new())).ok();
            return Ok(());
        }
        let mut bytes = 0;
        for command in commands {
            bytes += meta::check(command)?;
        }
        let kinds = kinds(commands);
        let now_unix = if commands.iter().any(meta::is_dated) { unix_seconds() } else { 0 };
        // One that never ends would be taken for none, and wake nobody.
        let deadline = self.clock.now().saturating_add(nanos(deadline)).min(NEVER - 1);

        let mut state = self.lock();
        if let Some(failure) = &state.ended {
            return Err(failure.clone());
        }
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting + commands.len() > self.limits.waiting || state.unwritten + bytes > self.limits.queued {
            return Err(Failure::Overloaded);
        }
        self.waiting.fetch_add(commands.len(), Ordering::Relaxed);
        let before = state.queue.outgoing.len();
        let first = state.opaque;
        for command in commands {
            let opaque = state.opaque;
            state.opaque = opaque.wrapping_add(1);
            state.queue.outgoing.push(command, opaque, now_unix);
        }
        let size = state.queue.outgoing.len() - before;
        state.unwritten += size;
        state.queue.slots.push(Slot { answer: Some(answer), deadline, first, size, kinds });
        state.queue.earliest = Some(state.queue.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        let waker = state.wake_before(deadline);
        drop(state);
        wake(waker);
        Ok(())
    }

    /// Says that so many commands wait no longer.
    pub(super) fn done_waiting(&self, commands: usize) {
        self.waiting.fetch_sub(commands, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Makes the task end when all is answered.
    pub(super) fn orphan(&self) {
        let mut state = self.lock();
        state.is_orphaned = true;
        let waker = state.asleep.take();
        drop(state);
        wake(waker);
    }

    /// Turns all away who come from now on; returns what is queued.
    pub(super) fn end(&self, failure: Failure) -> Queue {
        let mut state = self.lock();
        state.ended = Some(failure);
        state.asleep = None;
        self.closed.store(true, Ordering::Release);
        std::mem::take(&mut state.queue)
    }
}

impl State {
    /// Takes the sleeping task out, if a batch with this deadline is of interest to it.
    fn wake_before(&mut self, deadline: u64) -> Option<Asleep> {
        self.asleep.take_if(|asleep| deadline < asleep.before)
    }
}

fn wake(asleep: Option<Asleep>) {
    if let Some(asleep) = asleep {
        asleep.waker.wake();
    }
}

impl Queue {
    /// Takes out the batches for which nobody waits; returns how many commands they had and how many bytes.
    pub(super) fn compact(&mut self) -> (usize, usize) {
        if !self.slots.iter().any(Slot::is_dead) {
            return (0, 0);
        }
        let before = self.outgoing.len();
        // A caller may go away at any time: what is dead is decided once for both.
        let kept: Vec<bool> = self.slots.iter().map(|slot| !slot.is_dead()).collect();
        self.outgoing.retain(self.slots.iter().zip(&kept).map(|(slot, kept)| (slot.size, *kept)));
        let mut commands = 0;
        let mut kept = kept.into_iter();
        self.slots.retain(|slot| {
            let keep = kept.next().unwrap_or(true);
            commands += if keep { 0 } else { slot.len() };
            keep
        });
        (commands, before - self.outgoing.len())
    }
}

fn kinds(commands: &[Command<'_>]) -> SmallVec<[(Kind, u32); 1]> {
    let mut kinds: SmallVec<[(Kind, u32); 1]> = smallvec![];
    for kind in commands.iter().map(Kind::of) {
        match kinds.last_mut() {
            Some((last, run)) if *last == kind => *run += 1,
            _ => kinds.push((kind, 1)),
        }
    }
    kinds
}
