//! Several keys at once: one round trip for each server, all servers at the same time.

use std::time::Duration;

use chorde_core::{Entry, Key, Result, Value};
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fast::{View, Written};
use super::names::Named;
use super::{Inner, Seen, is_shown};
use crate::cluster::{Route, Share, Unanswered};
use crate::command::{Command, How, Reply};
use crate::node::{Lane, Replies};
use crate::race::give_way;
use crate::store::Wrote;
use crate::wire_key::WireKey;

/// How many keys are asked for in one go: as many as servers answer in one go (memcached's `-R`). A longer question goes
/// out in parts, so that the server answers one while the names of the next keys are made, and the next while the values of
/// one are opened.
const PART: usize = 20;

/// How many keys the first of several parts has: it wakes the server.
const FIRST: usize = 5;

/// How many keys are asked for at the same time, so that long questions do not use up the places of those who wait for a
/// connection.
const GETS_AT_ONCE: usize = 4096;

/// The same for writes, each of which takes a place of its own.
const PUTS_AT_ONCE: usize = 256;

/// How a question, or a part of it, ended.
#[derive(Default)]
struct Ended {
    any_answered: bool,
    failed: Option<Unanswered>,
    /// How many keys nobody answered for.
    unanswered: usize,
}

impl Ended {
    fn and(self, other: Self) -> Self {
        Self {
            any_answered: self.any_answered || other.any_answered,
            failed: other.failed.or(self.failed),
            unanswered: self.unanswered + other.unanswered,
        }
    }
}

impl Inner {
    /// Reads several keys; what has less life left than that is passed over. What is known here is not asked for.
    pub(super) async fn get_many<V: Value + DeserializeOwned>(
        &self,
        keys: &[Key],
        least: Duration,
    ) -> Result<Vec<Option<Entry<V>>>> {
        let mut entries: Vec<Option<Entry<V>>> = Vec::new();
        entries.resize_with(keys.len(), || None);
        let mut ended = Ended::default();
        for (keys, entries) in keys.chunks(GETS_AT_ONCE).zip(entries.chunks_mut(GETS_AT_ONCE)) {
            ended = ended.and(self.get_at_once(keys, entries, least).await);
        }
        match ended.failed {
            Some(error) if self.is_strict || !ended.any_answered => self.read(Err(error), ())?,
            _ => {}
        }
        self.store.counters.misses.add(ended.unanswered as u64);
        Ok(entries)
    }

    /// Reads keys into the places for their entries, in parts that are on their way at the same time.
    async fn get_at_once<V: Value + DeserializeOwned>(
        &self,
        keys: &[Key],
        entries: &mut [Option<Entry<V>>],
        least: Duration,
    ) -> Ended {
        let first = if keys.len() > PART { FIRST } else { keys.len() };
        let (first_keys, keys) = keys.split_at(first);
        let (first_entries, other_entries) = entries.split_at_mut(first);
        let others = keys.chunks(PART).zip(other_entries.chunks_mut(PART));
        let parts = std::iter::once((first_keys, first_entries)).chain(others).enumerate();
        let parts = parts.map(|(number, (keys, entries))| async move {
            // Lets the connection send what comes before: the first part, the next, two more, four more. The connection
            // gives way once itself where it expects more.
            let sent_before = number.checked_ilog2().map_or(0, |power| power + 1);
            for _ in 0..2 * sent_before {
                give_way().await;
            }
            self.get_part(keys, entries, least).await
        });
        join_all(parts).await.into_iter().fold(Ended::default(), Ended::and)
    }

    /// Reads keys into the places for their entries.
    async fn get_part<V: Value + DeserializeOwned>(
        &self,
        keys: &[Key],
        entries: &mut [Option<Entry<V>>],
        least: Duration,
    ) -> Ended {
        let names = self.names(keys).await;
        // None at all where nothing is remembered.
        let views: Vec<_> = keys.iter().zip(&names).map_while(|(key, name)| self.view(key, name.revision)).collect();
        let mut asked = Vec::with_capacity(keys.len());
        for (place, name) in names.iter().enumerate() {
            let view = views.get(place);
            if let Some(known) = view.and_then(|view| view.look(least)) {
                entries[place] = known.into_entry();
            } else if let Some(seen) = self.queued(&name.wire) {
                entries[place] = self.noted(view, seen, least);
            } else {
                asked.push(place);
            }
        }
        let shares = match self.store.cluster.share_out(&asked, |place| &names[place].wire).await {
            Ok(shares) => shares,
            Err(error) => return Ended { failed: Some(error), unanswered: asked.len(), any_answered: false },
        };
        let mut ended = Ended::default();
        let answers = join_all(shares.iter().map(|share| self.ask_share(&names, share))).await;
        // Those that fail are asked for nothing more.
        for (Share { route, places }, answer) in shares.iter().zip(answers) {
            match answer {
                Err(error) => {
                    ended = ended.and(Ended { failed: Some(error), unanswered: places.len(), any_answered: false });
                }
                Ok(replies) => {
                    ended.any_answered = true;
                    for (&place, reply) in places.iter().zip(replies) {
                        let seen = self.seen_in(reply, &names[place].wire, route).await;
                        entries[place] = self.noted(views.get(place), seen, least);
                    }
                }
            }
        }
        ended
    }

    /// Returns what keys are called on the servers.
    async fn names(&self, keys: &[Key]) -> Vec<Named> {
        let mut names = Vec::with_capacity(keys.len());
        for keys in keys.chunk_by(|one, other| one.namespaces() == other.namespaces()) {
            let family = self.family(keys[0].namespaces()).await;
            names.extend(keys.iter().map(|key| Named::new(&family, key)));
        }
        names
    }

    async fn ask_share(&self, names: &[Named], share: &Share) -> Result<Replies, Unanswered> {
        let get = |place: &usize| Command::Get { key: names[*place].wire.text() };
        let commands: Vec<_> = share.places.iter().map(get).collect();
        self.store.cluster.follow_up(&share.route, &commands, Lane::Quick).await
    }

    /// Verifies and decodes what a server says about a key.
    async fn seen_in<V: DeserializeOwned>(&self, reply: Reply, key: &WireKey, route: &Route) -> Seen<V> {
        let item = match reply {
            Reply::Item(item) => item,
            Reply::Missing => return Seen::Missing,
            _ => return Seen::Unknown,
        };
        self.store.give_back_unasked(key, route, &item).await;
        if !is_shown(&item) {
            return Seen::Missing;
        }
        self.seen(self.open(key, route, &item).await)
    }

    /// Counts and remembers what was seen; returns it if it has that much life left.
    fn noted<V: Value>(&self, view: Option<&View<'_>>, seen: Seen<V>, least: Duration) -> Option<Entry<V>> {
        if let Some(view) = view {
            view.keep(&seen);
        }
        let entry = seen.into_entry();
        self.count(entry.as_ref());
        entry.filter(|entry| entry.remaining() >= least)
    }

    /// Stores several values, with all servers at work at the same time.
    pub(super) async fn put_many<V: Value + Serialize>(&self, entries: Vec<(Key, V)>, ttl: Duration) -> Result<()> {
        let mut sealed = Vec::with_capacity(entries.len());
        for (key, value) in &entries {
            let name = self.name(key).await;
            let (value, life) = self.seal(&name.wire, value, ttl)?;
            sealed.push((name, value, life));
        }
        let (keys, values): (Vec<Key>, Vec<V>) = entries.into_iter().unzip();
        let mut at_once = Vec::new();
        for ((key, value), (name, sealed, life)) in keys.iter().zip(values).zip(sealed) {
            let written = Written::new(self.change(key), value, &sealed, life);
            match self.put_off(key, &name.wire, sealed, life).await {
                None => self.keep(written, &name),
                Some(sealed) => at_once.push((name, sealed, life, written)),
            }
        }
        let mut wrote = Vec::with_capacity(at_once.len());
        for some in at_once.chunks(PUTS_AT_ONCE) {
            let writes =
                some.iter().map(|(name, sealed, life, _)| self.store.write(&name.wire, sealed, *life, How::Set));
            wrote.extend(join_all(writes).await);
        }
        for ((name, _, _, written), wrote) in at_once.into_iter().zip(wrote) {
            match self.wrote(wrote, Wrote::Missing)? {
                Wrote::Stored => self.keep(written, &name),
                Wrote::TooLarge => return Err(super::errors::too_large()),
                Wrote::Exists | Wrote::Missing => {}
            }
        }
        Ok(())
    }
}
