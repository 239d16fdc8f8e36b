//! What a task holds while it runs, and lends while it waits.

use std::cell::Cell;

use super::pool::{Pool, Shared, locked, shared, start_queued};
use crate::user_code::wake;

thread_local! {
    /// What this thread is at work on.
    static AT_WORK: Cell<AtWork> = const { Cell::new(AtWork::Nothing) };
}

/// What a thread of chorde's is at work on.
#[derive(Clone, Copy, Debug)]
pub(super) enum AtWork {
    Nothing,
    /// A task of this number.
    Task(u64),
    /// A step of a future.
    Poll,
}

/// Exchanges what this thread is noted to be at work on. As it ends, on nothing.
fn exchange(at_work: AtWork) -> AtWork {
    AT_WORK.try_with(|noted| noted.replace(at_work)).unwrap_or(AtWork::Nothing)
}

/// Notes what this thread is at work on, until dropped.
pub(super) fn working(at_work: AtWork) -> impl Drop {
    struct Before(AtWork);
    impl Drop for Before {
        fn drop(&mut self) {
            exchange(self.0);
        }
    }
    Before(exchange(at_work))
}

/// Runs `wait`, which blocks this thread. If the thread is at work in the background, other work gets its place: what
/// it waits for may be queued.
pub(crate) fn without_place<R>(wait: impl FnOnce() -> R) -> R {
    struct TakeBack(&'static Shared, AtWork);
    impl Drop for TakeBack {
        fn drop(&mut self) {
            exchange(self.1);
            match self.1 {
                AtWork::Nothing => {}
                AtWork::Task(number) => {
                    self.0.lock().take_back(number);
                    start_queued();
                }
                AtWork::Poll => self.0.lock().polls.take_back(),
            }
        }
    }
    let at_work = AT_WORK.try_with(Cell::get).unwrap_or(AtWork::Nothing);
    let has_lent = match at_work {
        AtWork::Nothing => false,
        AtWork::Task(number) => locked().lend(number),
        AtWork::Poll => super::executor::lend(shared()),
    };
    if !has_lent {
        return wait();
    }
    let _take_back = TakeBack(shared(), exchange(AtWork::Nothing));
    start_queued();
    wait()
}

/// Holds the place of a task; dropped, it lets the next one in.
pub(super) struct Permit {
    pub(super) shared: &'static Shared,
    pub(super) number: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.shared.is_current() {
            let ended = self.shared.lock().end(self.number);
            drop(ended);
            start_queued();
        }
    }
}

/// Counts as work that is not over, until dropped.
pub(super) struct Counted(&'static Shared);

impl Counted {
    pub(super) fn new(shared: &'static Shared, pool: &mut Pool) -> Self {
        pool.taken_on += 1;
        Self(shared)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.0.is_current() {
            return;
        }
        let mut pool = self.0.lock();
        pool.taken_on -= 1;
        let drains = if pool.taken_on == 0 { std::mem::take(&mut pool.drains) } else { Vec::new() };
        drop(pool);
        drains.into_iter().for_each(|(_, waker)| wake(waker));
    }
}
