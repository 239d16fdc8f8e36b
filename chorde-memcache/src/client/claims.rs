//! Claims: what a server's answer means to the one who asked, and what is to be done about it.

use std::time::Duration;

use chorde_core::{Claim, ClaimOptions, Entry, Token, Value};
use serde::de::DeserializeOwned;

use super::Inner;
use super::names::Named;
use crate::cluster::Unanswered;
use crate::lease::{Grant, Standing, Turn, outlasts, standing, turn};
use crate::life;
use crate::race::nanos;
use crate::store::Found;
use crate::wire_key::WireKey;

/// Whose the computation is.
enum Contest {
    Ours(Grant),
    Theirs,
    /// The item has changed: look again.
    Again,
}

/// Something that may have been won, and of which the claimant does not know yet. Dropped, it is given back.
struct Undecided<'a> {
    key: &'a WireKey,
    found: Option<&'a Found>,
}

impl Undecided<'_> {
    fn decided(mut self) {
        self.found = None;
    }
}

impl Drop for Undecided<'_> {
    fn drop(&mut self) {
        if let Some(found) = self.found {
            found.route.node.give_back(self.key.text(), &found.item);
        }
    }
}

impl Inner {
    /// Claims a key.
    pub(super) async fn claim<V: Value + DeserializeOwned>(
        &self,
        name: &Named,
        options: &ClaimOptions<'_, V>,
    ) -> Result<Claim<V>, Unanswered> {
        let claimed = match self.ensure_answering(name) {
            Ok(()) => self.claim_at_server(&name.wire, options).await,
            Err(unanswered) => Err(unanswered),
        };
        let counters = &self.store.counters;
        match claimed {
            Ok(claim) => return Ok(self.counted(claim)),
            Err(Unanswered::NoServers(_)) => counters.unserved_reads.one(),
            Err(Unanswered::Failed(..)) => {}
        }
        counters.misses.one();
        claimed
    }

    async fn claim_at_server<V: Value + DeserializeOwned>(
        &self,
        key: &WireKey,
        options: &ClaimOptions<'_, V>,
    ) -> Result<Claim<V>, Unanswered> {
        for _ in 0..3 {
            let Some(found) = self.store.claim(key, life::of_lease(options.lease())).await? else {
                // A server without room for a stub: nobody can be kept from computing.
                return Ok(Claim::Absent(Token::default()));
            };
            let undecided = Undecided { key, found: Some(&found) };
            let entry = match self.valid_entry(key, &found).await {
                Some(entry) if !options.is_due(&entry) => {
                    self.give_back(key, &found).await;
                    undecided.decided();
                    return Ok(Claim::Fresh(entry));
                }
                entry => entry,
            };
            // Boxed: hits do not come here.
            let contest = Box::pin(self.contend(key, &found, options.lease())).await;
            undecided.decided();
            match contest? {
                Contest::Ours(grant) => return Ok(ours(entry, grant)),
                Contest::Theirs => {
                    options.note_holder(found.item.cas);
                    return Ok(theirs(entry));
                }
                Contest::Again => {}
            }
        }
        // Whoever keeps changing it has it.
        Ok(Claim::AbsentElsewhere)
    }

    /// Returns the entry if it is valid and can be read.
    async fn valid_entry<V: DeserializeOwned>(&self, key: &WireKey, found: &Found) -> Option<Entry<V>> {
        if standing(&found.item) != Standing::Valid {
            return None;
        }
        self.open(key, &found.route, &found.item).await.inspect_err(|damage| self.note(damage)).ok()
    }

    /// Finds out who is to compute what was found.
    async fn contend(&self, key: &WireKey, found: &Found, lease: Duration) -> Result<Contest, Unanswered> {
        let item = &found.item;
        // What is stale is kept as well where the claim comes to nothing: some want to see it.
        let guards_data = standing(item) != Standing::Stub;
        let grant = |cas| Contest::Ours(Grant { cas, node: found.route.node.tag(), guards_data });
        match turn(item) {
            Turn::Ours if !outlasts(item, lease) => {
                self.store.outlast(key, found, lease).await?;
                Ok(Contest::Again)
            }
            Turn::Ours => Ok(grant(item.cas)),
            // A stub goes by itself when the lease ends.
            _ if standing(item) == Standing::Stub => Ok(Contest::Theirs),
            Turn::Theirs => {
                let is_overdue = self.watch.held(key.hash(), item.cas, self.identity.clock().now(), nanos(lease));
                if !is_overdue {
                    return Ok(Contest::Theirs);
                }
                self.store.take_away(key, found).await?;
                Ok(Contest::Again)
            }
            Turn::Open => match self.store.win(key, found, life::of_lease(lease)).await? {
                None => Ok(Contest::Again),
                Some(now) if now.cas != item.cas => {
                    found.route.node.give_back(key.text(), &now);
                    Ok(Contest::Again)
                }
                Some(now) if now.held => Ok(Contest::Theirs),
                // Not marked as won where the item never ends: the number keeps others from storing over ours.
                Some(now) => Ok(grant(now.cas)),
            },
        }
    }

    /// Gives back a win that was not needed.
    async fn give_back(&self, key: &WireKey, found: &Found) {
        self.store.give_back_unasked(key, &found.route, &found.item).await;
        self.watch.free(key.hash());
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
