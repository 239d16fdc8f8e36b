//! Claims: what a server's answer means to the one who asked, and what is to be done about it.

use std::time::Duration;

use chorde_core::{Claim, ClaimOptions, Entry, Token, Value};
use serde::de::DeserializeOwned;

use super::Inner;
use crate::cluster::Unanswered;
use crate::lease::{Grant, Standing, Turn, outlasts, standing, turn};
use crate::life;
use crate::race::nanos;
use crate::store::{Found, Store};
use crate::wire_key::WireKey;

/// Whose the computation is.
enum Contest {
    Ours(Grant),
    Theirs,
    /// The item has changed: look again.
    Again,
}

/// A win that its claimer has not been told of: given back when dropped, since the claimer may go away at any time.
struct Win<'a> {
    store: &'a Store,
    key: &'a WireKey,
    grant: Grant,
}

impl Win<'_> {
    /// Hands it over; it owns nothing that could be leaked.
    fn take(self) -> Grant {
        let grant = self.grant;
        std::mem::forget(self);
        grant
    }
}

impl Drop for Win<'_> {
    fn drop(&mut self) {
        self.store.release(self.key, self.grant.token());
    }
}

impl Inner {
    /// Claims a key.
    pub(super) async fn claim<V: Value + DeserializeOwned>(
        &self,
        key: &WireKey,
        options: ClaimOptions<'_, V>,
    ) -> Result<Claim<V>, Unanswered> {
        for _ in 0..3 {
            let Some(found) = self.store.claim(key, life::of_lease(options.lease())).await? else {
                // A server without room for a stub: nobody can be kept from computing.
                return Ok(self.counted(Claim::Absent(Token::default())));
            };
            let win = found.item.won.then(|| self.win(key, &found, found.item.cas));
            let entry = self.valid_entry(key, &found).await;
            if let Some(entry) = &entry
                && !options.is_due(entry)
            {
                self.give_back(key, &found).await;
                win.map(Win::take);
                return Ok(self.counted(Claim::Fresh(entry.clone())));
            }
            match self.contend(key, &found, win, options.lease()).await? {
                Contest::Ours(grant) => return Ok(self.counted(ours(entry, grant))),
                Contest::Theirs => return Ok(self.counted(theirs(entry))),
                Contest::Again => {}
            }
        }
        // Whoever keeps changing it has it.
        Ok(self.counted(Claim::AbsentElsewhere))
    }

    /// Returns the entry if it is valid and can be read.
    async fn valid_entry<V: DeserializeOwned>(&self, key: &WireKey, found: &Found) -> Option<Entry<V>> {
        if standing(&found.item) != Standing::Valid {
            return None;
        }
        self.open(key, found).await.inspect_err(|damage| self.note(damage)).ok()
    }

    fn win<'a>(&'a self, key: &'a WireKey, found: &Found, cas: u64) -> Win<'a> {
        let guards_data = standing(&found.item) != Standing::Stub;
        Win { store: &self.store, key, grant: Grant { cas, node: found.route.node.tag(), guards_data } }
    }

    /// Finds out who is to compute what was found.
    async fn contend(
        &self,
        key: &WireKey,
        found: &Found,
        win: Option<Win<'_>>,
        lease: Duration,
    ) -> Result<Contest, Unanswered> {
        let item = &found.item;
        match turn(item) {
            Turn::Ours if !outlasts(item, lease) => {
                self.store.outlast(key, found, lease).await?;
                win.map(Win::take);
                Ok(Contest::Again)
            }
            Turn::Ours => Ok(win.map_or(Contest::Again, |win| Contest::Ours(win.take()))),
            // A stub goes by itself when the lease ends.
            _ if standing(item) == Standing::Stub => Ok(Contest::Theirs),
            Turn::Theirs => {
                let is_overdue = self.watch().held(key.hash(), item.cas, self.identity.clock().now(), nanos(lease));
                if !is_overdue {
                    return Ok(Contest::Theirs);
                }
                self.store.take_away(key, found).await?;
                Ok(Contest::Again)
            }
            Turn::Open => match self.store.win(key, found, life::of_lease(lease)).await? {
                None => Ok(Contest::Again),
                Some(now) if now.cas != item.cas => {
                    let win = now.won.then(|| self.win(key, found, now.cas));
                    self.store.give_back_unasked(key, &found.now(now)).await;
                    win.map(Win::take);
                    Ok(Contest::Again)
                }
                Some(now) if now.held => Ok(Contest::Theirs),
                // Not marked as won where the item never ends: the number keeps others from storing over ours.
                Some(now) => Ok(Contest::Ours(self.win(key, found, now.cas).take())),
            },
        }
    }

    /// Gives back a win that was not needed.
    async fn give_back(&self, key: &WireKey, found: &Found) {
        self.store.give_back_unasked(key, found).await;
        let mut watch = self.watch();
        if !watch.is_empty() {
            watch.free(key.hash());
        }
    }

    fn counted<V>(&self, claim: Claim<V>) -> Claim<V> {
        let counters = &self.store.counters;
        match &claim {
            Claim::Fresh(_) => counters.hits.one(),
            Claim::Due(..) => {
                counters.hits.one();
                counters.claims_won.one();
            }
            Claim::DueElsewhere(_) => {
                counters.hits.one();
                counters.claims_held.one();
            }
            Claim::Absent(_) => {
                counters.misses.one();
                counters.claims_won.one();
            }
            Claim::AbsentElsewhere => {
                counters.misses.one();
                counters.claims_held.one();
            }
        }
        claim
    }
}

fn ours<V>(entry: Option<Entry<V>>, grant: Grant) -> Claim<V> {
    match entry {
        Some(entry) => Claim::Due(entry, grant.token()),
        None => Claim::Absent(grant.token()),
    }
}

fn theirs<V>(entry: Option<Entry<V>>) -> Claim<V> {
    entry.map_or(Claim::AbsentElsewhere, Claim::DueElsewhere)
}
