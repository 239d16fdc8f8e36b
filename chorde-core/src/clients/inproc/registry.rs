//! All in-process clients of the process.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;

use super::client::{Inner, InprocClient};

static CLIENTS: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

/// Shows how an in-process client is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InprocStats {
    /// The name given to the builder.
    pub name: Option<String>,
    /// The most that the entries may weigh.
    pub capacity: u64,
    /// What the entries weigh now, stale ones included.
    pub usage: u64,
    /// How many entries there are, stale ones included.
    pub entries: u64,
    /// How many valid entries had to leave for want of room.
    pub evicted: u64,
    /// How many stale entries were removed.
    pub expired: u64,
    /// How many values were not kept since each of them weighed more than the whole capacity; none where that is 0.
    pub too_heavy: u64,
}

pub(super) fn register(client: Weak<Inner>) {
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    // Amortised: forgets those that are gone whenever there are twice as many as there were.
    if clients.len() == clients.capacity() {
        clients.retain(|client| client.strong_count() > 0);
        let as_many = clients.len();
        clients.reserve(as_many.max(4));
    }
    clients.push(client);
}

fn all() -> Vec<InprocClient> {
    let clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    clients.iter().filter_map(Weak::upgrade).map(InprocClient::from_inner).collect()
}

/// Returns the state of every in-process client, in the order of their creation.
#[must_use]
pub fn stats() -> Vec<InprocStats> {
    all().iter().map(InprocClient::stats).collect()
}

/// Removes from every in-process client the entries that have been stale for longer than `grace`.
pub fn purge_all(grace: Duration) {
    for_all(|client| client.purge_now(grace));
}

/// Does something with each client, also if an eviction policy panics in one of them; then goes on with the first such panic.
fn for_all(act: impl Fn(&InprocClient)) {
    let act = |client| catch_unwind(AssertUnwindSafe(|| act(&client))).err();
    let panics: Vec<_> = all().into_iter().filter_map(act).collect();
    if let Some(panic) = panics.into_iter().next() {
        resume_unwind(panic);
    }
}

/// Empties every in-process client.
pub fn clear_all() {
    for_all(InprocClient::clear_now);
}
