//! Brings a server back: asks it again and again while it is out of use, and makes up for what it has missed before
//! operations go to it again. Also makes up for a removal that failed while the server stayed in use.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chorde_core::Clock;

use super::asking::Question;
use super::breaker::Attempt;
use super::{Lane, Node, dial, home, lock};
use crate::command::{Command, Failure};
use crate::race::within;

/// How many keys are removed in one round trip.
const BATCH: usize = 512;

/// Starts to ask a server that went out of use. Ends when the server is back, or gone from the list.
pub(super) fn start(node: &Arc<Node>) {
    home::spawn(probe(Arc::downgrade(node)));
}

/// Makes up for what failed while the server stayed in use.
pub(super) fn make_up_soon(node: &Arc<Node>) {
    let node = Arc::clone(node);
    home::spawn(async move {
        _ = make_up(&node).await;
    });
}

async fn probe(node: Weak<Node>) {
    while let Some(asked) = node.upgrade() {
        let clock = asked.clock.clone();
        let Some(due) = lock(&asked.breaker).due() else { return };
        drop(asked);
        clock.sleep(until(&clock, due)).await;
        let Some(asked) = node.upgrade() else { return };
        if lock(&asked.breaker).start(clock.now()) {
            try_once(&asked).await;
        }
    }
}

/// Asks once; leaves the question open up to the next one, so that a server that hangs is back as soon as it answers.
async fn try_once(node: &Arc<Node>) {
    let (clock, address) = (&node.clock, node.address());
    let mut question = pin!(dial::probe(&address));
    let mut outcome = within(clock, node.options.deadline, question.as_mut()).await;
    if outcome.is_none() {
        let due = note(node, Attempt::Unanswered);
        outcome = within(clock, until(clock, due), question).await;
    }
    let Some(outcome) = outcome else { return };
    match Attempt::of(&outcome) {
        Attempt::Answered => {
            // First what it has missed: until then it may hold what is no longer so.
            let made_up = make_up(node).await;
            note(node, Attempt::of(&made_up));
            if Attempt::of(&made_up) == Attempt::Answered {
                back(node).await;
            }
        }
        attempt => {
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
async fn back(node: &Arc<Node>) {
    node.is_troubled.store(false, Ordering::Relaxed);
    node.in_use.store(true, Ordering::Release);
    node.counters.recoveries.one();
    log::info!("chorde: memcached {} is back in use", node.name);
    // Keys that were written elsewhere while the others were made up for.
    _ = make_up(node).await;
}

/// Removes what the server has to remove.
async fn make_up(node: &Arc<Node>) -> Result<(), Failure> {
    if lock(&node.owed).take_all() {
        node.flush().await.inspect_err(|_| node.owe_all())?;
    }
    loop {
        let keys = lock(&node.owed).take(BATCH);
        if keys.is_empty() {
            return Ok(());
        }
        let deletes: Vec<Command<'_>> = keys.iter().map(|key| Command::Delete { key, cas: None }).collect();
        let until = node.until(node.options.deadline);
        let question = Question { node, commands: &deletes, lane: Lane::Quick, until };
        if let Err(broken) = question.ask_once().await {
            node.owe(&deletes);
            return Err(broken.failure);
        }
        node.counters.replays.add(keys.len() as u64);
    }
}
