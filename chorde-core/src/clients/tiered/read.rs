//! Reading, near to far.

use std::borrow::Cow;
use std::collections::HashMap;

use super::promote::{Before, Names, Over};
use super::share::better;
use super::stats::Tier;
use super::{Tiers, seed};
use crate::client::{Cache, Client, ReadOptions, Value};
use crate::digest::Digest;
use crate::entry::{Entry, Lookup};
use crate::error::Result;
use crate::key::{Key, Probe};

impl<N: Cache, F: Cache> Tiers<N, F> {
    /// Returns the options for the far tier; nothing if it may not be read.
    pub(super) fn far_options<'a, V>(&self, options: ReadOptions<'a, V>) -> Option<ReadOptions<'a, V>> {
        let left = self.left_for_far(options.tiers());
        (left > 0).then(|| options.max_tiers(left))
    }

    /// Says what can be said without waiting: a near hit; whatever the near tier says if no other may be asked; and
    /// that there is nothing, if both tiers know. A far hit is left to [`read`](Self::read), which promotes it.
    #[inline]
    pub(super) fn look<V: Value>(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>>
    where
        N: Client<V>,
        F: Client<V>,
    {
        if options.tiers() == 0 {
            return Some(Lookup::Absent);
        }
        let near = self.with_near_probe(probe, |probe| self.near.look(probe, options))?;
        let near = near.map(|known| known.map_entry(|entry| self.of_near(probe, entry)));
        if matches!(&near, Some(Lookup::Held(entry)) if !entry.is_stale()) {
            return near;
        }
        let Some(far_options) = self.far_options(options) else {
            return near;
        };
        let near = near?.into_entry();
        let far = self.far.look(probe, far_options)?.into_entry();
        if valid(far.as_ref()) {
            return None;
        }
        let far = far.map(|entry| entry.with_seed(seed(probe)));
        Some(better(near, far).map_or(Lookup::Absent, Lookup::Held))
    }

    /// Reads one key.
    pub(super) async fn read<V: Value>(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>>
    where
        N: Client<V>,
        F: Client<V>,
    {
        let near_key = self.near_key(key).await;
        let near = self.noted(Tier::Near, self.read_near(key, &near_key, options).await);
        let Some(far_options) = self.far_options(options) else {
            return near;
        };
        if near.as_ref().is_ok_and(|entry| valid(entry.as_ref())) {
            return near;
        }
        let before = self.before_far(key);
        let far = self.noted(Tier::Far, self.far.get_entry(key, far_options).await);
        if let Ok(Some(entry)) = &far {
            let names = Names { key, near: &near_key };
            self.promote(names, entry, (before, over(&options)), options.promotion_hearer()).await;
        }
        match (near, far) {
            (Err(_), Err(error)) => Err(error),
            (near, far) => {
                let far = far.ok().flatten().map(|entry| entry.with_seed(seed(&key.probe())));
                Ok(better(near.ok().flatten(), far))
            }
        }
    }

    /// Reads the near tier, if it may be read, naming the caller's key to the hearer of its promotions.
    pub(super) async fn read_near<V: Value>(
        &self,
        key: &Key,
        near_key: &Key,
        options: ReadOptions<'_, V>,
    ) -> Result<Option<Entry<V>>>
    where
        N: Client<V>,
    {
        if options.tiers() == 0 {
            return Ok(None);
        }
        let read = match options.promotion_hearer() {
            None => self.near.get_entry(near_key, options).await,
            Some(hear) => {
                let renamed = |_: &Key, value: &V, remaining| hear(key, value, remaining);
                self.near.get_entry(near_key, options.on_promote(&renamed)).await
            }
        };
        Ok(read?.map(|entry| self.of_near(&key.probe(), entry)))
    }

    /// Reads several keys: each tier is asked once, the far one for what the near one does not have.
    pub(super) async fn read_all<V: Value>(
        &self,
        keys: &[Key],
        options: ReadOptions<'_, V>,
    ) -> Result<Vec<Option<Entry<V>>>>
    where
        N: Client<V>,
        F: Client<V>,
    {
        if keys.is_empty() || options.tiers() == 0 {
            return Ok(keys.iter().map(|_| None).collect());
        }
        let near_keys = self.near_keys(keys).await;
        let near = self.noted(Tier::Near, self.read_all_near(keys, &near_keys, options).await);
        let Some(far_options) = self.far_options(options) else {
            return near;
        };
        let (mut entries, near_error) = match near {
            Ok(entries) => (entries, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        entries.resize_with(keys.len(), || None);
        let missing: Vec<usize> = (0..keys.len()).filter(|at| !valid(entries[*at].as_ref())).collect();
        if missing.is_empty() {
            return Ok(entries);
        }
        let before: Vec<Before> = missing.iter().map(|at| self.before_far(&keys[*at])).collect();
        let far = self.far.get_entries(&chosen(keys, &missing), far_options).await;
        let far = match (near_error, self.noted(Tier::Far, far)) {
            (Some(_), Err(error)) => return Err(error),
            (None, Err(_)) => return Ok(entries),
            (_, Ok(far)) => far,
        };
        for ((at, before), far) in missing.into_iter().zip(before).zip(far) {
            if let Some(entry) = &far {
                let names = Names { key: &keys[at], near: &near_keys[at] };
                self.promote(names, entry, (before, over(&options)), options.promotion_hearer()).await;
            }
            entries[at] = better(entries[at].take(), far);
        }
        Ok(entries)
    }

    async fn read_all_near<V: Value>(
        &self,
        keys: &[Key],
        near_keys: &[Key],
        options: ReadOptions<'_, V>,
    ) -> Result<Vec<Option<Entry<V>>>>
    where
        N: Client<V>,
    {
        let Some(hear) = options.promotion_hearer() else { return self.near.get_entries(near_keys, options).await };
        let originals: HashMap<Digest, &Key> = near_keys.iter().map(Key::digest).zip(keys).collect();
        let renamed = |near_key: &Key, value: &V, remaining| {
            if let Some(key) = originals.get(&near_key.digest()) {
                hear(key, value, remaining);
            }
        };
        self.near.get_entries(near_keys, options.on_promote(&renamed)).await
    }
}

/// Returns the keys at these places, without a copy if they are all of them.
fn chosen<'k>(keys: &'k [Key], places: &[usize]) -> Cow<'k, [Key]> {
    if places.len() == keys.len() {
        return Cow::Borrowed(keys);
    }
    places.iter().map(|at| keys[*at].clone()).collect()
}

/// With a life that the near entry may have been too short-lived for, it may still be there.
fn over<V>(options: &ReadOptions<'_, V>) -> Over {
    if options.least_ttl().is_zero() { Over::Nothing } else { Over::Shorter }
}

fn valid<V>(entry: Option<&Entry<V>>) -> bool {
    entry.is_some_and(|entry| !entry.is_stale())
}
