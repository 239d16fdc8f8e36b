//! Brings a server back: asks it again and again while it is out of use, and makes up for what it has missed before
//! operations go to it again. Also makes up for a removal that failed while the server stayed in use.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

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
    loop {
        let Some(asked) = node.upgrade() else { return };
        let (clock, address) = (asked.clock.clone(), asked.address());
        let (pause, patience) = lock(&asked.breaker).next_probe(clock.now());
        drop(asked);
        clock.sleep(pause).await;
        // The question stays open: a server that hangs is back in use as soon as it answers.
        let answer = within(&clock, patience, dial::probe(&address)).await.unwrap_or(Err(Failure::Timeout));
        let Some(asked) = node.upgrade() else { return };
        let answer = match answer {
            Ok(()) => make_up(&asked).await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(()) => return back(&asked).await,
            Err(failure) => lock(&asked.breaker).probed(&failure, clock.now(), fastrand::f64()),
        }
    }
}

/// Takes a server into use again.
async fn back(node: &Arc<Node>) {
    lock(&node.breaker).succeeded();
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
        // Failing, it notes the keys again: see `Node::owe`.
        node.ask_once(&deletes, Lane::Quick, deadline(node)).await.inspect_err(|_| node.owe(&deletes))?;
        node.counters.replays.add(keys.len() as u64);
    }
}

fn deadline(node: &Node) -> Duration {
    node.options.deadline
}
