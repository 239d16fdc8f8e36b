//! Warming: the results of many calls made ready before anybody asks for them, a few at a time.
//!
//! [`Warm`] takes arguments out of an iterator only while it has room, so that neither the arguments nor the computations
//! of a long list are ever in memory at once. It is the future of the whole: what is asynchronous is polled by it, and
//! what blocks takes a thread as `f::future` does. `function` makes a [`Warming`] of the arguments of one call; nothing
//! here knows types of the user.

mod crew;
mod report;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use report::{WarmFailure, WarmProgress, WarmReport};

use crate::engine::background::{Ended, Job, Ticket, report};
use crate::error::Error;
use crate::key::Key;
use crate::policy::RefreshPoint;
use crew::Crew;
use report::Tally;

/// How many keys are computed at once if nothing else is said. Pools of connections have 5 to 100, and the origin is to
/// answer others meanwhile.
const CONCURRENCY: usize = 16;

/// How many keys are looked up at once in a store that has to be waited for.
const BATCH: usize = 64;

/// How many arguments are looked at before other tasks have their turn.
const STEPS: usize = 256;

/// Says what there is to do for the arguments of one call.
#[derive(Debug)]
pub struct Warming(State);

#[derive(Debug)]
enum State {
    /// Nothing: the client holds a fresh value.
    Held,
    /// It cannot be done: there is no key.
    Failed(Error),
    /// It is computed if that turns out to be needed.
    Work(Work),
}

/// One key to be computed, unless a fresh value is held.
#[derive(Debug)]
struct Work {
    key: Key,
    /// Whether the client has said that no fresh value is held.
    is_known: bool,
    refresh: RefreshPoint,
    job: Job,
}

impl Warming {
    /// There is nothing to do.
    pub(crate) fn held() -> Self {
        Self(State::Held)
    }

    /// There is no key.
    pub(crate) fn failed(error: Error) -> Self {
        Self(State::Failed(error))
    }

    /// There may be something to compute, and there is if that `is_known`.
    pub(crate) fn work(key: Key, is_known: bool, refresh: RefreshPoint, job: Job) -> Self {
        Self(State::Work(Work { key, is_known, refresh, job }))
    }
}

/// Tells which of several keys have a fresh value, in one question to the client.
pub(crate) type Reader = Box<dyn Fn(Vec<Key>) -> Answer + Send>;

/// What it will say.
type Answer = Pin<Box<dyn Future<Output = Vec<bool>> + Send>>;

/// Computes the results of many calls that are missing or due, a few at a time; made by the companion `warm`.
///
/// Nothing happens until it is awaited, on any executor, or waited for from plain code by [`wait`](crate::Wait::wait).
/// Results that are fresh are not computed; those that another call computes at the moment are waited for. An error or a
/// panic of the function does not stop it: the [report](WarmReport) has it. Nothing is ever refused: where there is no
/// room for more work in the background, it waits for some.
///
/// Computations of asynchronous functions run inside of this future, on the runtime that awaits it. Those of plain
/// functions run on `tokio`'s threads for blocking work if it is awaited on a runtime, else on chorde's own.
///
/// # Cancel safety
///
/// Dropping it stops it: what is asynchronous ends with it, as does what is queued. A plain function that runs goes on to its
/// end, and its result is stored.
///
/// The documentation of `#[cached]` has an example, in its chapter on warming.
#[must_use = "futures do nothing unless awaited; call `.wait()` from plain code"]
pub struct Warm<'i> {
    /// Until it has ended.
    source: Option<Box<dyn Iterator<Item = Warming> + Send + 'i>>,
    reader: Option<Reader>,
    concurrency: usize,
    /// The number of the arguments that come next.
    index: u64,
    /// What is to be asked about.
    unknown: Vec<(u64, Work)>,
    /// What is being asked about.
    asked: Option<(Vec<(u64, Work)>, Answer)>,
    /// What is to be computed.
    missing: VecDeque<(u64, Work)>,
    crew: Crew<Ended>,
    tally: Tally,
}

impl<'i> Warm<'i> {
    /// Warms what the iterator yields. For the code of `#[cached]`.
    #[doc(hidden)]
    pub fn new<I>(args: I, step: impl FnMut(I::Item) -> Warming + Send + 'i) -> Self
    where
        I: Iterator + Send + 'i,
    {
        let total = match args.size_hint() {
            (least, Some(most)) if least == most => u64::try_from(least).ok(),
            _ => None,
        };
        Self {
            source: Some(Box::new(args.map(step))),
            reader: None,
            concurrency: CONCURRENCY,
            index: 0,
            unknown: Vec::new(),
            asked: None,
            missing: VecDeque::new(),
            crew: Crew::default(),
            tally: Tally::new(total),
        }
    }

    /// Asks about many keys at once where the client has to be waited for.
    pub(crate) fn reading(mut self, reader: Reader) -> Self {
        self.reader = Some(reader);
        self
    }

    /// Sets how many computations run at once; at least one. By default 16.
    ///
    /// Plain functions outside of `tokio` also need a place among chorde's threads, of which
    /// [`Limits::concurrency`](crate::background::Limits::concurrency) says how many there are.
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = most.max(1);
        self
    }

    /// Returns a handle that shows how far it has come, to any thread and as long as it is kept.
    #[must_use]
    pub fn progress(&self) -> WarmProgress {
        self.tally.progress()
    }

    /// Does one thing, if there is one to be done at once: counts an end, or takes on more. Returns whether all is done.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if let Poll::Ready(Some((index, ended))) = self.crew.poll_next(cx) {
            self.tally.ended(index, ended);
            return Poll::Ready(false);
        }
        if self.crew.len() >= self.concurrency {
            return Poll::Pending;
        }
        if let Some((index, work)) = self.missing.pop_front() {
            self.begin(index, work);
            return Poll::Ready(false);
        }
        if let Some((_, answer)) = &mut self.asked {
            let Poll::Ready(fresh) = answer.as_mut().poll(cx) else { return Poll::Pending };
            self.heard(&fresh);
            return Poll::Ready(false);
        }
        match self.source.as_mut().map(Iterator::next) {
            Some(Some(warming)) => self.take(warming),
            Some(None) => self.source = None,
            None if !self.unknown.is_empty() => self.ask(),
            None if self.crew.len() > 0 => return Poll::Pending,
            None => return Poll::Ready(true),
        }
        Poll::Ready(false)
    }

    /// Takes on the next arguments.
    fn take(&mut self, warming: Warming) {
        let index = self.index;
        self.index += 1;
        match warming.0 {
            State::Held => self.tally.ended(index, Ended::Held),
            State::Failed(error) => self.tally.ended(index, Ended::Failed(error.to_string())),
            State::Work(work) if work.is_known || self.reader.is_none() => self.begin(index, work),
            State::Work(work) => {
                self.unknown.push((index, work));
                if self.unknown.len() >= BATCH {
                    self.ask();
                }
            }
        }
    }

    /// Asks the client about many keys at once.
    fn ask(&mut self) {
        let unknown = std::mem::take(&mut self.unknown);
        match &self.reader {
            Some(reader) => {
                let answer = reader(unknown.iter().map(|(_, work)| work.key.clone()).collect());
                self.asked = Some((unknown, answer));
            }
            None => self.missing.extend(unknown),
        }
    }

    /// Goes on with its answer; what that leaves out is not known to be fresh.
    fn heard(&mut self, fresh: &[bool]) {
        let (asked, _) = self.asked.take().unwrap_or_else(|| (Vec::new(), Box::pin(std::future::ready(Vec::new()))));
        for (at, (index, work)) in asked.into_iter().enumerate() {
            if fresh.get(at).copied().unwrap_or(false) {
                self.tally.ended(index, Ended::Held);
            } else {
                self.missing.push_back((index, work));
            }
        }
    }

    /// Begins to compute.
    fn begin(&mut self, index: u64, work: Work) {
        let (reporter, reported) = report();
        let ticket = Ticket::of_warming(work.key, work.refresh, reporter);
        self.crew.push(index, work.job.into_task(ticket).awaited_by(reported));
    }
}

impl Future for Warm<'_> {
    type Output = WarmReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<WarmReport> {
        for _ in 0..STEPS {
            match self.step(cx) {
                Poll::Ready(false) => {}
                Poll::Ready(true) => return Poll::Ready(self.tally.report()),
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl fmt::Debug for Warm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warm")
            .field("concurrency", &self.concurrency)
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}
