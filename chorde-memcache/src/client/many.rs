//! Several keys at once: one round trip for each server, all servers at the same time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::{Entry, Key, Result};
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Inner, is_shown};
use crate::cluster::{Route, Unanswered};
use crate::command::{Command, How, Reply};
use crate::node::Lane;
use crate::store::{Found, Wrote};
use crate::wire_key::WireKey;

/// The keys that one server answers for, by their places in the question.
struct Share {
    route: Route,
    places: Vec<usize>,
}

impl Inner {
    /// Reads several keys.
    pub(super) async fn get_many<V: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<Option<Entry<V>>>> {
        let mut wire_keys = Vec::with_capacity(keys.len());
        for key in keys {
            wire_keys.push(self.wire_key(key).await);
        }
        let found = self.read(self.find_many(&wire_keys).await, Vec::new())?;
        let mut entries: Vec<Option<Entry<V>>> = Vec::new();
        entries.resize_with(keys.len(), || None);
        for (place, found) in found {
            let opened = self.open(&wire_keys[place], &found).await;
            entries[place] = opened.inspect_err(|damage| self.note(damage)).ok();
        }
        for entry in &entries {
            self.count(entry.as_ref());
        }
        Ok(entries)
    }

    /// Reads from all servers concerned; those that fail are asked for nothing more, unless all do.
    async fn find_many(&self, keys: &[WireKey]) -> Result<Vec<(usize, Found)>, Unanswered> {
        let shares = self.shares(keys).await?;
        let asked = join_all(shares.into_iter().map(|share| self.ask_share(keys, share))).await;
        let (mut found, mut failed, mut any_answered) = (Vec::with_capacity(keys.len()), None, false);
        for answer in asked {
            match answer {
                Ok(some) => {
                    any_answered = true;
                    found.extend(some);
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if self.is_strict || !any_answered => Err(error),
            _ => Ok(found),
        }
    }

    async fn ask_share(&self, keys: &[WireKey], share: Share) -> Result<Vec<(usize, Found)>, Unanswered> {
        let Share { route, places } = share;
        let commands: Vec<_> = places.iter().map(|place| Command::Get { key: keys[*place].text() }).collect();
        let replies = self.store.cluster.follow_up(&route, &commands, Lane::Quick).await?;
        let mut found = Vec::with_capacity(places.len());
        for (place, reply) in places.into_iter().zip(replies) {
            let Reply::Item(item) = reply else { continue };
            let item = Found { route: route.again(), item };
            self.store.give_back_unasked(&keys[place], &item).await;
            if is_shown(&item) {
                found.push((place, item));
            }
        }
        Ok(found)
    }

    /// Groups keys by the servers that answer for them.
    async fn shares(&self, keys: &[WireKey]) -> Result<Vec<Share>, Unanswered> {
        let mut shares: Vec<Share> = Vec::new();
        let mut known: HashMap<usize, usize> = HashMap::new();
        for (place, key) in keys.iter().enumerate() {
            let route = self.store.cluster.route(key).await?;
            let share = *known.entry(Arc::as_ptr(&route.node) as usize).or_insert(shares.len());
            if share == shares.len() {
                shares.push(Share { route, places: Vec::new() });
            }
            shares[share].places.push(place);
        }
        Ok(shares)
    }

    /// Stores several values, with all servers at work at the same time.
    pub(super) async fn put_many<V: Serialize>(&self, entries: &[(Key, V)], ttl: Duration) -> Result<()> {
        let mut sealed = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.wire_key(key).await;
            let (value, life) = self.seal(&key, value, ttl)?;
            sealed.push((key, value, life));
        }
        let writes = sealed.iter().map(|(key, value, life)| self.store.write(key, value, *life, How::Set));
        for wrote in join_all(writes).await {
            if self.wrote(wrote, Wrote::Missing)? == Wrote::TooLarge {
                return Err(super::errors::too_large());
            }
        }
        Ok(())
    }
}
