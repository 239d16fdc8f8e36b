//! Writing, far to near.

use std::time::Duration;

use super::Tiers;
use super::stats::Tier;
use crate::client::{Cache, Client, Value, WriteOptions};
use crate::error::Result;
use crate::key::Key;

impl<N: Cache, F: Cache> Tiers<N, F> {
    /// Returns the options for the far tier; nothing if it may not be written.
    fn far_write(&self, options: WriteOptions) -> Option<WriteOptions> {
        let left = self.left_for_far(options.tiers());
        (left > 0).then(|| options.max_tiers(left))
    }

    /// Stores a value in the far tier and then in the near one.
    pub(super) async fn put<V: Value>(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()>
    where
        N: Client<V>,
        F: Client<V>,
    {
        if options.tiers() == 0 {
            return Ok(());
        }
        let near_key = self.near_key(key).await;
        let Some(far_options) = self.far_write(options) else {
            return self.put_near(&near_key, value, ttl, options).await;
        };
        let (writing, since) = (self.overlaps.write([key]), self.now());
        let far = self.far.put_entry(key, value.clone(), self.fractions.far(ttl), far_options).await;
        let far = self.noted(Tier::Far, far);
        let near = self.put_near(&near_key, value, self.left(ttl, since), options).await;
        if far.is_ok() && writing.overlapped(key) {
            self.drop_copy(&near_key).await;
        }
        far.or(near)
    }

    pub(super) fn now(&self) -> u64 {
        self.identity.clock().now()
    }

    /// Returns what is left of the life of a value that was handed in at `since`: the far tier may have taken its time, or its
    /// deadline, and the near copy is as old as the value.
    pub(super) fn left(&self, ttl: Duration, since: u64) -> Duration {
        ttl.saturating_sub(Duration::from_nanos(self.now().saturating_sub(since)))
    }

    /// Stores a value in the near tier, or at least takes the old one away.
    pub(super) async fn put_near<V: Value>(
        &self,
        near_key: &Key,
        value: V,
        ttl: Duration,
        options: WriteOptions,
    ) -> Result<()>
    where
        N: Client<V>,
    {
        let near = self.near.put_entry(near_key, value, self.fractions.near(ttl), options).await;
        if near.is_err() {
            // Failing again changes nothing, and counts as the same failure.
            let _ = self.near.delete_entry(near_key).await;
        }
        self.noted(Tier::Near, near)
    }

    /// Stores several values in the far tier and then in the near one.
    pub(super) async fn put_all<V: Value>(
        &self,
        entries: Vec<(Key, V)>,
        ttl: Duration,
        options: WriteOptions,
    ) -> Result<()>
    where
        N: Client<V>,
        F: Client<V>,
    {
        if entries.is_empty() || options.tiers() == 0 {
            return Ok(());
        }
        let mut names: Vec<(Key, Key)> = Vec::with_capacity(entries.len());
        for (key, _) in &entries {
            names.push((key.clone(), self.near_key(key).await.into_owned()));
        }
        let copies = names.iter().zip(&entries).map(|((_, near), (_, value))| (near.clone(), value.clone())).collect();
        let Some(far_options) = self.far_write(options) else {
            return self.put_all_near(&names, copies, ttl, options).await;
        };
        let (writing, since) = (self.overlaps.write(names.iter().map(|(key, _)| key)), self.now());
        let far = self.far.put_entries(entries, self.fractions.far(ttl), far_options).await;
        let far = self.noted(Tier::Far, far);
        let near = self.put_all_near(&names, copies, self.left(ttl, since), options).await;
        if far.is_ok() {
            for (key, near_key) in &names {
                if writing.overlapped(key) {
                    self.drop_copy(near_key).await;
                }
            }
        }
        far.or(near)
    }

    async fn put_all_near<V: Value>(
        &self,
        names: &[(Key, Key)],
        copies: Vec<(Key, V)>,
        ttl: Duration,
        options: WriteOptions,
    ) -> Result<()>
    where
        N: Client<V>,
    {
        let near = self.near.put_entries(copies, self.fractions.near(ttl), options).await;
        if near.is_err() {
            for (_, near_key) in names {
                let _ = self.near.delete_entry(near_key).await;
            }
        }
        self.noted(Tier::Near, near)
    }

    /// Stores a value where the far tier has no valid one; without a far tier, where the near one has none.
    pub(super) async fn add<V: Value>(&self, key: &Key, value: V, ttl: Duration) -> Result<bool>
    where
        N: Client<V>,
        F: Client<V>,
    {
        let near_key = self.near_key(key).await;
        let (writing, since) = (self.overlaps.write([key]), self.now());
        let far = self.far.add_entry(key, value.clone(), self.fractions.far(ttl)).await;
        match self.noted(Tier::Far, far) {
            Ok(false) => Ok(false),
            Ok(true) => {
                // Counted; the value is where it must be.
                let _ = self.put_near(&near_key, value, self.left(ttl, since), WriteOptions::new()).await;
                if writing.overlapped(key) {
                    self.drop_copy(&near_key).await;
                }
                Ok(true)
            }
            Err(far_error) => {
                let left = self.fractions.near(self.left(ttl, since));
                let near = self.near.add_entry(&near_key, value, left).await;
                self.noted(Tier::Near, near).map_err(|_| far_error)
            }
        }
    }

    /// Lengthens the life of the entries that are valid; returns whether any is.
    pub(super) async fn renew(&self, key: &Key, ttl: Duration) -> Result<bool> {
        let near_key = self.near_key(key).await;
        let far = self.noted(Tier::Far, self.far.renew_entry(key, self.fractions.far(ttl)).await);
        let near = self.noted(Tier::Near, self.near.renew_entry(&near_key, self.fractions.near(ttl)).await);
        any(far, near)
    }

    /// Returns whether any tier has an entry that stays valid for longer than `min_ttl`.
    pub(super) async fn contains(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        let near_key = self.near_key(key).await;
        let near = self.noted(Tier::Near, self.near.contains_entry(&near_key, min_ttl).await);
        if let Ok(true) = near {
            return near;
        }
        any(self.noted(Tier::Far, self.far.contains_entry(key, min_ttl).await), near)
    }
}

/// Returns whether any of those that answered said yes.
fn any(far: Result<bool>, near: Result<bool>) -> Result<bool> {
    match (far, near) {
        (Err(error), Err(_)) => Err(error),
        (far, near) => Ok(far.unwrap_or(false) | near.unwrap_or(false)),
    }
}
