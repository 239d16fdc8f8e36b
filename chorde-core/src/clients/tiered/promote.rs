//! Copying far entries to the near tier.

use std::time::Duration;

use super::Tiers;
use super::overlap::Watch;
use super::stats::Tier;
use crate::client::{Cache, Client, OnPromote, ReadOptions, Value, WriteOptions};
use crate::entry::Entry;
use crate::error::Result;
use crate::key::Key;

/// What a promotion knows from before the far tier was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// Notices writes since then.
    watch: Watch,
    /// The time; the near copy must not outlive the far entry by as long as the answer took.
    at: u64,
}

/// Says what a promotion does to a valid entry in the near tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Leaves it: there was none when the near tier was asked, so whoever wrote it came later.
    Nothing,
    /// Replaces it: the far entry was read because the near one was not good enough.
    Shorter,
}

/// A key under both of its names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// As the caller and the far tier know it.
    pub(super) key: &'a Key,
    /// As the near tier knows it.
    pub(super) near: &'a Key,
}

impl<N: Cache, F: Cache> Tiers<N, F> {
    /// Notes how things are before the far tier is read.
    pub(super) fn before_far(&self, key: &Key) -> Before {
        Before { watch: self.overlaps.watch(key), at: self.identity.clock().now() }
    }

    /// Copies a valid far entry to the near tier, unless a write to the key ran since `before`.
    ///
    /// Looks again after copying: a write that began meanwhile may have been overtaken, and the copy goes.
    pub(super) async fn promote<V: Value>(
        &self,
        names: Names<'_>,
        entry: &Entry<V>,
        (before, over): (Before, Over),
        hearer: Option<OnPromote<'_, V>>,
    ) where
        N: Client<V>,
    {
        let Some((life, options)) = self.near_life(entry, before) else {
            return;
        };
        if !self.overlaps.undisturbed(&before.watch) {
            return;
        }
        let copied = self.copy(names.near, entry.value.clone(), life, (over, options)).await;
        if !self.noted(Tier::Near, copied).unwrap_or(false) {
            return;
        }
        if !self.overlaps.undisturbed(&before.watch) {
            self.drop_copy(names.near).await;
            return;
        }
        self.counters.promoted();
        if let Some(hear) = hearer {
            hear(names.key, &entry.value, entry.remaining());
        }
    }

    /// Brings the entry of a key to the nearest tier; returns whether there was a valid one.
    pub(super) async fn promote_to_near<V: Value>(&self, key: &Key) -> Result<bool>
    where
        N: Client<V>,
        F: Client<V>,
    {
        let near_key = self.near_key(key).await;
        let near = self.noted(Tier::Near, Client::<V>::promote_entry(&self.near, &near_key).await);
        if let Ok(true) = near {
            return near;
        }
        let before = self.before_far(key);
        let far: Result<Option<Entry<V>>> = self.far.get_entry(key, ReadOptions::new()).await;
        match (near, self.noted(Tier::Far, far)) {
            (Err(_), Err(error)) => Err(error),
            (_, Ok(Some(entry))) if !entry.is_stale() => {
                self.promote(Names { key, near: &near_key }, &entry, (before, Over::Nothing), None).await;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn copy<V: Value>(
        &self,
        near_key: &Key,
        value: V,
        life: Duration,
        (over, options): (Over, WriteOptions),
    ) -> Result<bool>
    where
        N: Client<V>,
    {
        match over {
            Over::Nothing => self.near.add_entry_with(near_key, value, life, options).await,
            Over::Shorter => {
                self.near.put_entry(near_key, value, life, options).await?;
                Ok(true)
            }
        }
    }

    /// Takes a copy away from the near tier.
    pub(super) async fn drop_copy(&self, near_key: &Key) {
        let _ = self.noted(Tier::Near, self.near.delete_entry(near_key).await);
    }

    /// Returns how long the near copy of a far entry may live, and how old it is; nothing for a stale one.
    fn near_life<V>(&self, entry: &Entry<V>, before: Before) -> Option<(Duration, WriteOptions)> {
        let elapsed = self.identity.clock().now().saturating_sub(before.at);
        // What is shown of the far life may be too long, as a server that counts whole seconds shows it.
        let doubt = self.far.resolution() + Duration::from_nanos(elapsed);
        let remaining = entry.remaining().checked_sub(doubt)?;
        let age = entry.age().map_or(Duration::ZERO, |age| age + doubt);
        (!remaining.is_zero()).then(|| (self.fractions.near(remaining), WriteOptions::new().age(age)))
    }
}
