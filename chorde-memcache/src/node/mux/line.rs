//! Those who wait, in the order in which the server answers. Ends them all when it is dropped.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::Replies;
use super::queue::{Asleep, NEVER, Queue, Shared, Slot};
use super::timer::Timer;
use crate::command::Failure;
use crate::node::meta::{Answer, Kind};

/// How much room an idle connection keeps for what is sent, in bytes, in each of its two queues.
const KEPT: usize = 8 * 1024;

/// How many places an idle connection keeps.
const KEPT_SLOTS: usize = 64;

/// The task's side of the queue.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    /// What was taken from the queue and is not answered. The last of them are still being written.
    slots: VecDeque<Slot>,
    /// What is being written; its slots are in `slots`.
    writing: Queue,
    /// How many bytes of it are written.
    written: usize,
    /// How many batches it has, which are the last ones of `slots`.
    in_writing: usize,
    /// The replies to the front so far.
    replies: Replies,
    /// How many answers to the front there were.
    answers: usize,
    /// The first of them that was a rejection.
    rejected: Option<String>,
    /// A time at or before the earliest deadline of `slots`.
    earliest: u64,
    timer: Timer,
    /// How many batches were answered since batches were last taken: those who asked may be about to ask again.
    expected: usize,
    /// Whether they were given time for that.
    yielded: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Dialling,
    Serving,
    Ended,
}

/// What there is to do for the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To write what was taken, or to look at the deadlines again.
    Go,
    /// To let others run, who will bring more to write.
    Yield,
    /// Nothing.
    Sleep,
}

impl Line {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let timer = Timer::new(shared.clock.clone());
        Self {
            shared,
            slots: VecDeque::new(),
            writing: Queue::default(),
            written: 0,
            in_writing: 0,
            replies: Replies::new(),
            answers: 0,
            rejected: None,
            earliest: NEVER,
            timer,
            expected: 0,
            yielded: false,
            stage: Stage::Dialling,
        }
    }

    /// Says that the connection is made: from now on, batches are taken from the queue.
    pub(super) fn serve(&mut self) {
        self.stage = Stage::Serving;
    }

    /// Takes what is queued once all before it is written, or says that there is nothing; then, the task is woken by the
    /// next batch if `sleeper` is given.
    ///
    /// # Errors
    ///
    /// When the connection is not wanted any more.
    pub(super) fn next(&mut self, sleeper: Option<&Waker>) -> Result<Next, Failure> {
        let is_written = !self.is_writing();
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        state.asleep = None;
        if is_written {
            state.unwritten -= std::mem::take(&mut self.written);
            self.writing.outgoing.clear(usize::MAX);
        }
        let idle = self.slots.is_empty() && state.queue.slots.is_empty();
        if state.is_orphaned && idle {
            return Err(Failure::Closed { unsent: false, why: "the connection is not wanted any more".into() });
        }
        let can_take = is_written && self.stage == Stage::Serving;
        if can_take && !state.queue.slots.is_empty() {
            if state.queue.slots.len() < self.expected && !self.yielded {
                self.yielded = true;
                return Ok(Next::Yield);
            }
            std::mem::swap(&mut state.queue, &mut self.writing);
            drop(state);
            self.taken();
            return Ok(Next::Go);
        }
        let before = if can_take { NEVER } else { self.timer.at() };
        let Some(waker) = sleeper else { return Ok(Next::Sleep) };
        if !can_take && state.queue.earliest.is_some_and(|earliest| earliest < before) {
            return Ok(Next::Go);
        }
        state.asleep = Some(Asleep { waker: waker.clone(), before });
        if idle {
            state.queue.outgoing.clear(KEPT);
            state.queue.slots.shrink_to(KEPT_SLOTS);
            drop(state);
            self.shrink();
        }
        Ok(Next::Sleep)
    }

    /// Puts what was taken in line.
    fn taken(&mut self) {
        self.expected = 0;
        self.yielded = false;
        let (commands, bytes) = self.writing.compact();
        if commands > 0 {
            self.shared.done_waiting(commands);
            self.shared.lock().unwritten -= bytes;
        }
        self.in_writing = self.writing.slots.len();
        self.earliest = self.earliest.min(self.writing.earliest.take().unwrap_or(NEVER));
        self.slots.extend(self.writing.slots.drain(..));
    }

    fn shrink(&mut self) {
        self.slots.shrink_to(KEPT_SLOTS);
        self.writing.outgoing.clear(KEPT);
        self.writing.slots.shrink_to(KEPT_SLOTS);
    }

    /// Returns whether there is something to write.
    pub(super) fn is_writing(&self) -> bool {
        self.written < self.writing.outgoing.len()
    }

    /// Returns whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns what is to be written where it is in one piece.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.writing.outgoing.rest_in_one(self.written)
    }

    /// Fills in what is to be written; returns how many of `slices` it takes.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.writing.outgoing.rest(self.written, slices)
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// Returns what the next reply must be.
    #[inline]
    pub(super) fn front(&self) -> Option<(Kind, u32)> {
        let slot = self.slots.front()?;
        let kind = slot.kind(self.answers)?;
        Some((kind, slot.first.wrapping_add(self.answers as u32)))
    }

    /// Gives the front an answer.
    #[inline]
    pub(super) fn answer(&mut self, answer: Answer) {
        let Some(slot) = self.slots.front_mut() else { return };
        let commands = slot.len();
        if self.answers == 0 {
            self.replies.reserve_exact(commands);
        }
        self.answers += 1;
        match answer {
            Answer::Reply(reply) => self.replies.push(reply),
            Answer::Rejected(why) => drop(self.rejected.get_or_insert(why)),
        }
        if self.answers < commands {
            return;
        }
        self.answers = 0;
        let replies = std::mem::take(&mut self.replies);
        let answer = self.rejected.take().map_or(Ok(replies), |why| Err(Failure::Protocol(why)));
        self.shared.done_waiting(commands);
        if slot.answer(answer) {
            self.expected += 1;
        }
        self.slots.pop_front();
    }

    /// Looks after the deadlines: those who waited too long are told so, and the task is woken for the next one.
    ///
    /// # Errors
    ///
    /// When the front is late: what comes after it would be later still.
    pub(super) fn look(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        loop {
            if let Some(now) = self.timer.rang() {
                self.expire(now)?;
            }
            let queued = if self.stage == Stage::Serving && !self.is_writing() {
                // Whatever comes into the queue wakes the task.
                NEVER
            } else {
                self.shared.lock().queue.earliest.unwrap_or(NEVER)
            };
            if !self.timer.arm(self.earliest.min(queued), cx) {
                return Ok(());
            }
        }
    }

    fn expire(&mut self, now: u64) -> Result<(), Failure> {
        let front_is_late = self.slots.front().is_some_and(|front| front.deadline <= now);
        self.earliest = NEVER;
        for slot in &mut self.slots {
            if slot.deadline <= now {
                slot.answer(Err(Failure::Timeout));
            } else {
                self.earliest = self.earliest.min(slot.deadline);
            }
        }
        let mut late = Vec::new();
        let mut state = self.shared.lock();
        state.queue.earliest = None;
        let queue = &mut state.queue;
        for slot in &mut queue.slots {
            if slot.deadline <= now {
                late.extend(slot.take_answer());
            } else {
                queue.earliest = Some(queue.earliest.map_or(slot.deadline, |earliest| earliest.min(slot.deadline)));
            }
        }
        let (commands, bytes) = queue.compact();
        state.unwritten -= bytes;
        drop(state);
        self.shared.done_waiting(commands);
        for answer in late {
            // Nobody is told if the caller has gone.
            answer.send(Err(Failure::Timeout)).ok();
        }
        if front_is_late { Err(Failure::Timeout) } else { Ok(()) }
    }

    /// Ends the connection: all that wait fail, and so does whoever asks from now on.
    pub(super) fn end(&mut self, failure: &Failure) {
        if self.stage == Stage::Ended {
            return;
        }
        let unsent = self.of_unsent(failure);
        self.stage = Stage::Ended;
        let queue = self.shared.end(unsent.clone());
        let sent = self.slots.len() - self.unsent();
        let mut commands = 0;
        for (index, slot) in self.slots.drain(..).chain(queue.slots).enumerate() {
            let mut slot = slot;
            commands += slot.len();
            slot.answer(Err(if index < sent { failure.clone() } else { unsent.clone() }));
        }
        self.shared.done_waiting(commands);
    }

    /// Returns how many batches at the end of the line have not begun to be written.
    fn unsent(&self) -> usize {
        let mut start = self.writing.outgoing.len();
        let last = self.slots.iter().rev().take(self.in_writing);
        last.take_while(|slot| {
            start = start.saturating_sub(slot.size);
            start >= self.written && self.is_writing()
        })
        .count()
    }

    /// Says the same of commands that were not sent.
    fn of_unsent(&self, failure: &Failure) -> Failure {
        let why = match failure {
            _ if self.stage == Stage::Dialling && !matches!(failure, Failure::Closed { .. }) => return failure.clone(),
            Failure::Refused(why) | Failure::Closed { why, .. } => why.clone(),
            Failure::Timeout => "an earlier command was not answered in time".into(),
            Failure::Protocol(why) => format!("an earlier answer was not to be trusted: {why}"),
            Failure::TooManyConnections => "the server has too many connections".into(),
            Failure::Overloaded | Failure::NoMeta(_) => "the connection was given up".into(),
        };
        Failure::Closed { unsent: true, why }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.end(&Failure::Closed { unsent: false, why: "the runtime of the connection is gone".into() });
    }
}
