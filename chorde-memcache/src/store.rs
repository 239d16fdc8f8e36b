//! The operations on one key, on bytes: what the client does between wire keys and sealed values on one side and the
//! servers on the other. Nothing here depends on the type of the values.

mod all;
mod pages;

use std::sync::Arc;
use std::time::Duration;

use chorde_core::Token;

use crate::cluster::{Answer, Cluster, Route, Unanswered};
use crate::command::{Command, How, Item, Life, Reply};
use crate::envelope::Sealed;
use crate::lease::{Grant, Standing, can_outlast, standing};
use crate::life::{self, GRACE};
use crate::node::Lane;
use crate::stats::Counters;
use crate::wire_key::WireKey;

/// Values from this size on travel on a connection of their own.
const BULK: usize = 16 << 10;

/// How often an operation that lost a race looks again.
const ROUNDS: usize = 4;

/// The items of one client.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) cluster: Cluster,
    pub(crate) counters: Arc<Counters>,
}

/// An item that was found, and where.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) route: Route,
    pub(crate) item: Item,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrote {
    Stored,
    /// Something else is there.
    Exists,
    /// What was to be replaced is not there.
    Missing,
    /// The server has no room for it.
    TooLarge,
}

type Answered<T> = Result<T, Unanswered>;

impl Store {
    /// Reads what is held under a key; a stub is nothing.
    pub(crate) async fn read(&self, key: &WireKey) -> Answered<Option<Found>> {
        let answer = self.cluster.ask(key, &[Command::Get { key: key.text() }], Lane::Quick).await?;
        let Some(found) = found(answer)? else { return Ok(None) };
        self.give_back_unasked(key, &found.route, &found.item).await;
        Ok((standing(&found.item) != Standing::Stub).then_some(found))
    }

    /// Reads all but the data of what is held under a key.
    async fn head(&self, key: &WireKey) -> Answered<Option<Found>> {
        found(self.cluster.ask(key, &[Command::Head { key: key.text() }], Lane::Quick).await?)
    }

    /// Gives back the win that reading a stale item brings, unasked for.
    pub(crate) async fn give_back_unasked(&self, key: &WireKey, route: &Route, item: &Item) {
        if item.won {
            Box::pin(self.give_back(key, route, item.cas)).await;
        }
    }

    async fn give_back(&self, key: &WireKey, route: &Route, cas: u64) {
        let again = Command::MarkStale { key: key.text(), life: None, cas: Some(cas) };
        // Failing, the win is taken away after a lease, as that of any computer that died.
        _ = self.cluster.follow_up(route, &[again], Lane::Quick).await;
    }

    /// Claims a key: reads it, and wins where nothing valid is held and nobody else has won.
    pub(crate) async fn claim(&self, key: &WireKey, lease: u32) -> Answered<Option<Found>> {
        let claim = Command::Claim { key: key.text(), lease, refresh: GRACE + 1 };
        found(self.cluster.ask(key, &[claim], Lane::Quick).await?)
    }

    /// Asks for the win of an item that was read before; returns the item as it is now, if it is still there.
    pub(crate) async fn win(&self, key: &WireKey, found: &Found, lease: u32) -> Answered<Option<Item>> {
        // Fires when less than that is left: always.
        let refresh = found.item.left.map_or(u32::MAX >> 1, |left| left.saturating_add(2));
        let asked = [Command::Refresh { key: key.text(), refresh, lease }];
        match self.cluster.follow_up(&found.route, &asked, Lane::Quick).await?.pop() {
            Some(Reply::Item(item)) => Ok(Some(item)),
            _ => Ok(None),
        }
    }

    /// Makes a stale item that was won last for a lease; the win has to be won anew. Where the lease is longer than what is
    /// stale may last, it makes way for a stub.
    pub(crate) async fn outlast(&self, key: &WireKey, found: &Found, lease: Duration) -> Answered<()> {
        let (text, cas) = (key.text(), Some(found.item.cas));
        if can_outlast(lease) {
            let longer = Command::MarkStale { key: text, life: Some(Life(GRACE)), cas };
            return self.cluster.follow_up(&found.route, &[longer], Lane::Quick).await.map(drop);
        }
        let away = [Command::Delete { key: text, cas }];
        if self.cluster.follow_up(&found.route, &away, Lane::Quick).await?.pop() == Some(Reply::Done) {
            self.remove_pages(&found.route, key, found.item.flags);
        }
        Ok(())
    }

    /// Takes the win of an item from one who has had it for too long.
    pub(crate) async fn take_away(&self, key: &WireKey, found: &Found) -> Answered<()> {
        self.counters.claims_repaired.one();
        let again = Command::MarkStale { key: key.text(), life: None, cas: Some(found.item.cas) };
        self.cluster.follow_up(&found.route, &[again], Lane::Quick).await.map(drop)
    }

    /// Writes a value, the pages behind the head first.
    pub(crate) async fn write(&self, key: &WireKey, sealed: &Sealed, life: Life, how: How) -> Answered<Wrote> {
        if !sealed.tail.is_empty() && !Box::pin(self.wrote_pages(key, sealed, life, how)).await? {
            return Ok(Wrote::TooLarge);
        }
        let head = Command::Store { key: key.text(), data: sealed.head.clone(), flags: sealed.flags(), life, how };
        // What is there now tells which pages to remove, in the same round trip.
        let commands = [Command::Head { key: key.text() }, head];
        let lane = if sealed.head.len() < BULK { Lane::Quick } else { Lane::Bulk };
        let mut answer = self.cluster.ask(key, &commands, lane).await?;
        let (stored, before) = (answer.replies.pop(), answer.replies.pop());
        let wrote = match stored {
            Some(Reply::Done) => Wrote::Stored,
            Some(Reply::Exists) => Wrote::Exists,
            Some(Reply::Missing) => Wrote::Missing,
            Some(Reply::TooLarge) => Wrote::TooLarge,
            _ => return Err(answer.route.unexpected()),
        };
        let before = before.and_then(Reply::into_item);
        if wrote == Wrote::Stored && before.as_ref().map_or(0, |before| before.flags) == sealed.flags() {
            self.counters.stores.one();
        } else {
            Box::pin(self.after_write(key, sealed, wrote, Found::before(answer.route, before))).await;
        }
        Ok(wrote)
    }

    /// Does after a page was refused what a server does that refuses a whole value: what was to be replaced goes, since it
    /// is known to be old.
    async fn refused(&self, route: &Route, key: &WireKey, sealed: &Sealed, how: How) {
        self.counters.too_large.one();
        self.drop_pages(route, key, sealed).await;
        let cas = match how {
            How::Set => None,
            How::Cas(cas) => Some(cas),
            How::Add => return,
        };
        let commands = [Command::Head { key: key.text() }, Command::Delete { key: key.text(), cas }];
        if let Ok(mut replies) = self.cluster.follow_up(route, &commands, Lane::Quick).await
            && replies.pop() == Some(Reply::Done)
        {
            let old = replies.pop().and_then(Reply::into_item).unwrap_or_default();
            self.remove_pages(route, key, old.flags);
        }
    }

    /// Counts a write and removes the pages that it made useless.
    async fn after_write(&self, key: &WireKey, sealed: &Sealed, wrote: Wrote, before: Found) {
        match wrote {
            Wrote::Stored => {
                self.counters.stores.one();
                self.remove_pages(&before.route, key, before.item.flags);
            }
            Wrote::TooLarge => {
                self.counters.too_large.one();
                self.remove_pages(&before.route, key, before.item.flags);
                self.drop_pages(&before.route, key, sealed).await;
            }
            Wrote::Exists | Wrote::Missing => {
                self.give_back_unasked(key, &before.route, &before.item).await;
                self.drop_pages(&before.route, key, sealed).await;
            }
        }
    }

    /// Writes where no valid value is; returns whether it did.
    pub(crate) async fn add(&self, key: &WireKey, sealed: &Sealed, life: Life) -> Answered<bool> {
        for _ in 0..ROUNDS {
            if self.write(key, sealed, life, How::Add).await? == Wrote::Stored {
                return Ok(true);
            }
            let Some(there) = self.head(key).await? else { continue };
            if standing(&there.item) == Standing::Valid {
                self.give_back_unasked(key, &there.route, &there.item).await;
                return Ok(false);
            }
            if self.write(key, sealed, life, How::Cas(there.item.cas)).await? == Wrote::Stored {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes what is held under a key; returns whether it was valid.
    pub(crate) async fn remove(&self, key: &WireKey) -> Answered<bool> {
        let commands = [Command::Head { key: key.text() }, Command::Delete { key: key.text(), cas: None }];
        let mut answer = self.cluster.ask(key, &commands, Lane::Quick).await?;
        let removed = answer.replies.pop() == Some(Reply::Done);
        let Some(item) = answer.replies.pop().and_then(Reply::into_item) else { return Ok(false) };
        self.remove_pages(&answer.route, key, item.flags);
        Ok(removed && standing(&item) == Standing::Valid)
    }

    /// Marks what is held under a key as stale; returns whether it was valid. A computation under way is not stored.
    pub(crate) async fn expire(&self, key: &WireKey) -> Answered<bool> {
        let head = [Command::Head { key: key.text() }];
        for _ in 0..ROUNDS {
            let answer = self.cluster.ask_for_change(key, &head, Lane::Quick).await?;
            let Some(there) = found(answer)? else { return Ok(false) };
            let (key, cas) = (key.text(), Some(there.item.cas));
            let (command, was_valid) = match standing(&there.item) {
                Standing::Valid => (Command::MarkStale { key, life: Some(Life(GRACE)), cas }, true),
                // Whoever computes on the ground of a claim must not store what an expiry has overtaken.
                Standing::Stale => (Command::MarkStale { key, life: None, cas }, false),
                Standing::Stub => (Command::Delete { key, cas }, false),
            };
            match self.cluster.follow_up(&there.route, &[command], Lane::Quick).await?.pop() {
                Some(Reply::Done) => return Ok(was_valid),
                Some(Reply::Missing) => return Ok(false),
                // Changed in between.
                _ => {}
            }
        }
        // Whoever keeps writing it wins.
        Ok(false)
    }

    /// Lengthens the life of a valid value; returns whether it is valid.
    pub(crate) async fn renew(&self, key: &WireKey, life: Life) -> Answered<bool> {
        let Some(there) = self.head(key).await? else { return Ok(false) };
        self.give_back_unasked(key, &there.route, &there.item).await;
        if standing(&there.item) != Standing::Valid {
            return Ok(false);
        }
        if there.item.left.is_none_or(|left| left >= life.0) {
            return Ok(true);
        }
        self.touch_pages(&there.route, key, there.item.flags, life).await?;
        let touched = [Command::Touch { key: key.text(), life }];
        let Some(Reply::Item(now)) = self.cluster.follow_up(&there.route, &touched, Lane::Quick).await?.pop() else {
            return Ok(false);
        };
        if now.cas == there.item.cas || !now.stale || there.item.stale {
            return Ok(true);
        }
        // It was expired in between, and this must not have revived it.
        let again = [Command::MarkStale { key: key.text(), life: Some(Life(GRACE)), cas: Some(now.cas) }];
        self.cluster.follow_up(&there.route, &again, Lane::Quick).await?;
        Ok(false)
    }

    /// Returns the life that a valid value has left, without fetching it.
    pub(crate) async fn time_left(&self, key: &WireKey) -> Answered<Option<Duration>> {
        let Some(there) = self.head(key).await? else { return Ok(None) };
        self.give_back_unasked(key, &there.route, &there.item).await;
        Ok((standing(&there.item) == Standing::Valid).then(|| life::remaining(there.item.left)))
    }

    /// Stores what a claim was granted for; returns whether it did.
    pub(crate) async fn fill(&self, key: &WireKey, token: Token, sealed: &Sealed, life: Life) -> Answered<bool> {
        let filled = self.fill_at_server(key, token, sealed, life).await;
        if matches!(filled, Err(Unanswered::NoServers(_))) {
            self.counters.lost_writes.one();
        }
        filled
    }

    async fn fill_at_server(&self, key: &WireKey, token: Token, sealed: &Sealed, life: Life) -> Answered<bool> {
        // Without a server nothing is noted: unlike a change, a computation leaves what is held as good as it was.
        let route = self.cluster.route(key).await?;
        let Some(grant) = Grant::of(token) else {
            return Ok(self.write(key, sealed, life, How::Set).await? == Wrote::Stored);
        };
        let is_where_it_was = route.node.tag() == grant.node;
        let how = if is_where_it_was {
            How::Cas(grant.cas)
        } else {
            // Another server has taken over, or back, where the number means nothing. What was won is not needed there:
            // left behind, it would hold others up in the next outage.
            self.give_back_grant(key, grant);
            How::Add
        };
        let wrote = self.write(key, sealed, life, how).await?;
        if matches!(wrote, Wrote::Exists | Wrote::Missing) {
            self.counters.superseded.one();
        }
        Ok(wrote == Wrote::Stored)
    }

    /// Gives a claim back, without waiting for it.
    pub(crate) fn release(&self, key: &WireKey, token: Token) {
        if let Some(grant) = Grant::of(token) {
            self.give_back_grant(key, grant);
        }
    }

    fn give_back_grant(&self, key: &WireKey, grant: Grant) {
        let Some(node) = self.cluster.granting(grant.node) else { return };
        let cas = Some(grant.cas);
        if grant.guards_data {
            node.tell(key.text(), move |key| Command::MarkStale { key, life: None, cas });
        } else {
            node.tell(key.text(), move |key| Command::Delete { key, cas });
        }
    }
}

impl Found {
    fn before(route: Route, item: Option<Item>) -> Self {
        Self { route, item: item.unwrap_or_default() }
    }
}

/// Takes the item out of the answer to the only command.
fn found(answer: Answer) -> Answered<Option<Found>> {
    let (route, reply) = answer.last();
    match reply {
        Reply::Item(item) => Ok(Some(Found { route, item })),
        Reply::Missing => Ok(None),
        _ => Err(route.unexpected()),
    }
}
