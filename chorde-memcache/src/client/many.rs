//! Several keys at once: one round trip for each server, all servers at the same time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chorde_core::{Entry, Key, Result, Value};
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fast::{View, Written};
use super::{Inner, Named, Seen, is_shown};
use crate::cluster::{Route, Unanswered};
use crate::command::{Command, How, Reply};
use crate::node::Lane;
use crate::store::{Found, Wrote};

/// What a server has under the key at a place in the question.
type Answered = (usize, Option<Found>);

/// The keys that one server answers for, by their places in the question.
struct Share {
    route: Route,
    places: Vec<usize>,
}

impl Inner {
    /// Reads several keys; what is known here, with that much life left at least, is not asked for.
    pub(super) async fn get_many<V: Value + DeserializeOwned>(
        &self,
        keys: &[Key],
        least: Duration,
    ) -> Result<Vec<Option<Entry<V>>>> {
        let mut names = Vec::with_capacity(keys.len());
        for key in keys {
            names.push(self.name(key).await);
        }
        let mut entries: Vec<Option<Entry<V>>> = Vec::new();
        entries.resize_with(keys.len(), || None);
        let views: Vec<_> = keys.iter().zip(&names).map(|(key, name)| self.view(key, name.revision)).collect();
        let mut asked = Vec::with_capacity(keys.len());
        for (place, view) in views.iter().enumerate() {
            if let Some(known) = view.as_ref().and_then(|view| view.look(least)) {
                entries[place] = known.into_entry();
            } else if let Some(seen) = self.queued(&names[place].wire) {
                entries[place] = self.noted(view.as_ref(), seen);
            } else {
                asked.push(place);
            }
        }
        let unanswered = asked.len();
        let found = self.read(self.find_many(&names, asked).await, Vec::new())?;
        self.store.counters.misses.add((unanswered - found.len()) as u64);
        for (place, found) in found {
            let seen = match found {
                None => Seen::Missing,
                Some(found) => match self.open(&names[place].wire, &found).await {
                    Ok(entry) => Seen::Held(entry),
                    Err(damage) => {
                        self.note(&damage);
                        Seen::Unknown
                    }
                },
            };
            entries[place] = self.noted(views[place].as_ref(), seen);
        }
        Ok(entries)
    }

    /// Counts and remembers what was seen.
    fn noted<V: Value>(&self, view: Option<&View<'_>>, seen: Seen<V>) -> Option<Entry<V>> {
        if let Some(view) = view {
            view.keep(&seen);
        }
        let entry = seen.into_entry();
        self.count(entry.as_ref());
        entry
    }

    /// Reads from all servers concerned; those that fail are asked for nothing more, unless all do.
    async fn find_many(&self, keys: &[Named], places: Vec<usize>) -> Result<Vec<Answered>, Unanswered> {
        let mut found = Vec::with_capacity(places.len());
        let shares = self.shares(keys, places).await?;
        let asked = join_all(shares.into_iter().map(|share| self.ask_share(keys, share))).await;
        let (mut failed, mut any_answered) = (None, false);
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

    async fn ask_share(&self, keys: &[Named], share: Share) -> Result<Vec<Answered>, Unanswered> {
        let Share { route, places } = share;
        let commands: Vec<_> = places.iter().map(|place| Command::Get { key: keys[*place].wire.text() }).collect();
        let replies = self.store.cluster.follow_up(&route, &commands, Lane::Quick).await?;
        let mut found = Vec::with_capacity(places.len());
        for (place, reply) in places.into_iter().zip(replies) {
            let item = match reply {
                Reply::Item(item) => Found { route: route.again(), item },
                Reply::Missing => {
                    found.push((place, None));
                    continue;
                }
                _ => continue,
            };
            self.store.give_back_unasked(&keys[place].wire, &item).await;
            found.push((place, is_shown(&item).then_some(item)));
        }
        Ok(found)
    }

    /// Groups the keys at these places by the servers that answer for them.
    async fn shares(&self, keys: &[Named], places: Vec<usize>) -> Result<Vec<Share>, Unanswered> {
        let mut shares: Vec<Share> = Vec::new();
        let mut known: HashMap<usize, usize> = HashMap::new();
        for place in places {
            let route = self.store.cluster.route(&keys[place].wire).await?;
            let share = *known.entry(Arc::as_ptr(&route.node) as usize).or_insert(shares.len());
            if share == shares.len() {
                shares.push(Share { route, places: Vec::new() });
            }
            shares[share].places.push(place);
        }
        Ok(shares)
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
        let writes =
            at_once.iter().map(|(name, sealed, life, _)| self.store.write(&name.wire, sealed, *life, How::Set));
        let wrote = join_all(writes).await;
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
