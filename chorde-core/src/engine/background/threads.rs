//! Threads of chorde's own: started when needed, gone when idle.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

use super::pool::{Pool, Shared};
use crate::sync::{MutexGuard, thread};
use crate::user_code::{shielded, tell_seldom};

/// Threads without work end after this long.
const IDLE: Duration = Duration::from_secs(10);

/// What a thread is to do.
pub(super) type Errand = Box<dyn FnOnce() + Send>;

/// The threads, and what waits for one of them.
#[derive(Default)]
pub(super) struct Threads {
    ready: VecDeque<Errand>,
    pub(super) idle: usize,
    pub(super) count: usize,
    /// How many were ever started, for their names.
    started: u64,
}

/// Has one of chorde's threads do something; starts one if none is idle.
pub(super) fn hand_to_thread(shared: &'static Shared, errand: Errand) {
    let mut pool = shared.lock();
    pool.threads.ready.push_back(errand);
    call_thread(shared, pool);
}

/// Calls an idle thread, or starts one, for what was added to the ready errands last.
fn call_thread(shared: &'static Shared, mut pool: MutexGuard<'static, Pool>) {
    let stack_size = pool.limits.stack_size;
    let threads = &mut pool.threads;
    if threads.idle >= threads.ready.len() {
        shared.ready.notify_one();
        return;
    }
    threads.count += 1;
    threads.started += 1;
    let name = format!("chorde-background-{}", threads.started);
    drop(pool);
    let started = thread::Builder::new().name(name).stack_size(stack_size).spawn(move || work(shared, stack_size));
    if let Err(error) = started {
        tell_seldom!(error, "chorde cannot start a background thread: {error}");
        let mut pool = shared.lock();
        pool.threads.count -= 1;
        // With no thread left to do it, it is dropped: its waiters see it cancelled.
        let undone = if pool.threads.count == 0 {
            // Nor does any poll: the next future that is scheduled calls one again.
            pool.polls.none_polls();
            std::mem::take(&mut pool.threads.ready)
        } else {
            VecDeque::new()
        };
        drop(pool);
        drop(undone);
    }
}

/// Does what is ready until there has been nothing for a while.
fn work(shared: &'static Shared, stack_size: usize) {
    while let Some(errand) = next_ready(shared, stack_size) {
        if shielded(errand).is_none() {
            tell_seldom!(error, "a background computation of chorde panicked outside of the user's function");
        }
    }
}

/// Waits for something to do; none comes for long, or for a thread whose stack has another size than is wanted now.
fn next_ready(shared: &'static Shared, stack_size: usize) -> Option<Errand> {
    let mut pool = shared.lock();
    loop {
        if pool.limits.stack_size != stack_size {
            pool.threads.count -= 1;
            if !pool.threads.ready.is_empty() {
                call_thread(shared, pool);
            }
            return None;
        }
        if let Some(next) = pool.threads.ready.pop_front() {
            return Some(next);
        }
        pool.threads.idle += 1;
        let (guard, timeout) = shared.ready.wait_timeout(pool, IDLE).unwrap_or_else(PoisonError::into_inner);
        pool = guard;
        pool.threads.idle -= 1;
        if timeout.timed_out() && pool.threads.ready.is_empty() {
            pool.threads.count -= 1;
            return None;
        }
    }
}
