//! Brings a server back: asks it again and again while it is out of use, and makes up for what it has missed before
//! operations go to it again. Also makes up for what failed, or was done elsewhere, while the server is in use; until then
//! the keys concerned are not asked for there.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use chorde_core::Clock;
use tokio::sync::Notify;

use super::asking::Question;
use super::breaker::Attempt;
use super::owed::{Debt, Debts};
use super::{Broken, Lane, Node, SPEAKS_CLASSIC, dial, home, lock};
use crate::command::{Command, Failure};
use crate::race::within;

/// How many keys are removed at a time, within one deadline.
const BATCH: usize = 512;

/// The same where each takes round trips of its own.
const CLASSIC_BATCH: usize = 32;

/// How long a server that answers again is given to carry out what it was sent before, by threads of its own that are as
/// late as it is. At most this part of the deadline, for the sake of those who wait for it.
const SETTLING: Duration = Duration::from_millis(100);
const SETTLING_PART: u32 = 4;

/// Starts to ask a server that went out of use. Ends when the server is back, or gone from the list.
pub(super) fn start(node: &Arc<Node>) {
    home::spawn(probe(Arc::downgrade(node), Arc::clone(&node.moved)));
}

/// Makes up for what is owed while the server is in use.
pub(super) fn make_up_soon(node: &Arc<Node>) {
    if !node.is_paying.swap(true, Ordering::AcqRel) {
        home::spawn(pay(Arc::downgrade(node)));
    }
}

async fn probe(node: Weak<Node>, moved: Arc<Notify>) {
    while let Some(asked) = node.upgrade() {
        let clock = asked.clock.clone();
        let Some(due) = lock(&asked.breaker).due() else { return };
        drop(asked);
        unless_moved(&moved, clock.sleep(until(&clock, due))).await;
        let Some(asked) = node.upgrade() else { return };
        if lock(&asked.breaker).start(clock.now()) && unless_moved(&moved, try_once(&asked)).await.is_none() {
            // It was asked at the old address.
            lock(&asked.breaker).abandoned(clock.now());
        }
    }
}

/// Waits for a future, but no longer than up to the next change of the address.
async fn unless_moved<F: Future>(moved: &Notify, future: F) -> Option<F::Output> {
    let (mut future, mut moved) = (pin!(future), pin!(moved.notified()));
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        moved.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Asks once; leaves the question open up to the next one, so that a server that hangs is back as soon as it answers.
async fn try_once(node: &Arc<Node>) {
    let (clock, destination) = (&node.clock, node.destination());
    let mut question = pin!(dial::probe(&destination));
    let mut outcome = within(clock, node.options.deadline, question.as_mut()).await;
    if outcome.is_none() {
        let due = note(node, Attempt::Unanswered);
        outcome = within(clock, until(clock, due), question).await;
    }
    let Some(outcome) = outcome else { return };
    if let attempt @ (Attempt::Refused | Attempt::Unanswered) = Attempt::of(&outcome) {
        note(node, attempt);
        return;
    }
    node.forget_version();
    // First what it has missed: until then it may hold what is no longer so.
    match make_up(node).await {
        Ok(()) => back(node),
        Err(broken) => {
            // An answer that cannot be used is none.
            let attempt = if broken.failure == Failure::Timeout { Attempt::Unanswered } else { Attempt::Refused };
            note(node, attempt);
        }
    }
}

/// Notes how an attempt ended; returns when the next one is due.
fn note(node: &Node, attempt: Attempt) -> u64 {
    let now = node.clock.now();
    let mut breaker = lock(&node.breaker);
    breaker.tried(attempt, now, fastrand::u64(..));
    breaker.due().unwrap_or(now)
}

fn until(clock: &Clock, due: u64) -> Duration {
    Duration::from_nanos(due.saturating_sub(clock.now()))
}

/// Takes a server into use again.
fn back(node: &Arc<Node>) {
    {
        // Whoever opens the breaker again holds its lock as well, so that both always say the same.
        let mut breaker = lock(&node.breaker);
        breaker.tried(Attempt::Answered, node.clock.now(), fastrand::u64(..));
        node.is_troubled.store(false, Ordering::Relaxed);
        node.in_use.store(true, Ordering::Release);
    }
    node.counters.recoveries.one();
    log::info!("chorde: memcached {} is back in use", node.name);
    // Keys that were changed elsewhere while the others were made up for.
    node.pay_if_in_use();
}

/// Makes up for all that is owed, with pauses as long as that fails.
async fn pay(node: Weak<Node>) {
    while let Some(paying) = node.upgrade() {
        if paying.make_up().await.is_err() && paying.is_in_use() {
            let pause = paying.clock.sleep(paying.options.breaker.min_pause);
            drop(paying);
            pause.await;
            continue;
        }
        paying.is_paying.store(false, Ordering::Release);
        // Whoever came before that was sent away. Of a server that went out of use, the prober takes over.
        let is_over = lock(&paying.owed).is_empty() || !paying.is_in_use();
        if is_over || paying.is_paying.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

/// Removes what the server has to remove, as far as it is known by now: keys may be added without end.
pub(super) async fn make_up(node: &Arc<Node>) -> Result<(), Broken> {
    let (is_all, known) = {
        let owed = lock(&node.owed);
        (owed.is_all(), owed.count())
    };
    settle(node, known).await?;
    if is_all {
        node.flush().await?;
        lock(&node.owed).paid_all();
    }
    loop {
        let some = lock(&node.owed).some(batch(node), known);
        if !some.is_empty() {
            remove(node, &some).await?;
            node.counters.replays.add(some.len() as u64);
            tidy_up(&some).await;
        }
        let mut owed = lock(&node.owed);
        owed.paid(&some);
        node.is_indebted.store(!owed.is_empty(), Ordering::Release);
        if some.is_empty() {
            return Ok(());
        }
    }
}

/// Returns how many keys may be removed at a time; more than may wait for a connection would never be.
fn batch(node: &Node) -> usize {
    let is_classic = node.speaks.load(Ordering::Acquire) == SPEAKS_CLASSIC;
    let most = if is_classic { CLASSIC_BATCH } else { BATCH };
    most.min(node.options.limits.waiting)
}

/// Waits until the server has carried out what failed and may come late: to remove that too early would be in vain.
async fn settle(node: &Arc<Node>, known: u64) -> Result<(), Broken> {
    let doubtful = lock(&node.owed).doubtful();
    if let Some(last) = doubtful {
        // An answer shows that it does not hang any more.
        let one = lock(&node.owed).some(1, known);
        remove(node, &one).await?;
        node.clock.sleep(SETTLING.min(node.options.deadline / SETTLING_PART)).await;
        lock(&node.owed).settled(last);
    }
    Ok(())
}

async fn remove(node: &Arc<Node>, keys: &Debts) -> Result<(), Broken> {
    let until = node.until(node.options.deadline);
    Question { node, commands: &deletes(keys), lane: Lane::Quick, until }.ask_once().await.map(drop)
}

/// Removes from the servers that stood in what they hold: in the next outage it would be older than what is there then.
async fn tidy_up(paid: &[(Box<[u8]>, Debt)]) {
    let mut shares: Vec<(Arc<Node>, Debts)> = Vec::new();
    for (key, debt) in paid {
        let Some(node) = debt.stand_in.as_ref().and_then(Weak::upgrade) else { continue };
        let place = shares.iter().position(|(known, _)| Arc::ptr_eq(known, &node)).unwrap_or_else(|| {
            shares.push((node, Vec::new()));
            shares.len() - 1
        });
        shares[place].1.push((key.clone(), debt.clone()));
    }
    for (node, keys) in shares {
        let deletes = deletes(&keys);
        if node.is_in_use() {
            // What fails is owed by then.
            _ = node.ask(&deletes, Lane::Quick, node.until(node.options.deadline)).await;
        } else {
            node.owe(&deletes, None);
        }
    }
}

fn deletes(keys: &[(Box<[u8]>, Debt)]) -> Vec<Command<'_>> {
    keys.iter().map(|(key, _)| Command::Delete { key, cas: None }).collect()
}
