//! The traits of a client, for two of them.

use std::time::Duration;

use super::TieredClient;
use super::stats::Tier;
use crate::client::covered;
use crate::client::{
    Cache, Claim, ClaimOptions, Client, Identity, ReadOptions, Revision, Token, Value, WriteOptions, fresh_by_look,
};
use crate::entry::{Entry, Lookup};
use crate::error::Result;
use crate::key::{Key, Probe};
use crate::namespace::Path;
use crate::policy::{CallPolicy, RefreshPoint};

impl<N: Cache, F: Cache> Cache for TieredClient<N, F> {
    #[inline]
    fn identity(&self) -> &Identity {
        &self.0.identity
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        let (tiers, near_key) = (&*self.0, self.0.near_key(key).await);
        let _writing = tiers.overlaps.write([key]);
        let far = tiers.noted(Tier::Far, tiers.far.delete_entry(key).await);
        let near = tiers.noted(Tier::Near, tiers.near.delete_entry(&near_key).await);
        shown(far.and_then(|far| Ok(far | near?)))
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        let (tiers, near_key) = (&*self.0, self.0.near_key(key).await);
        let _writing = tiers.overlaps.write([key]);
        let far = tiers.noted(Tier::Far, tiers.far.expire_entry(key).await);
        let near = tiers.noted(Tier::Near, tiers.near.expire_entry(&near_key).await);
        shown(far.and_then(|far| Ok(far | near?)))
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        shown(self.0.renew(key, ttl).await)
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        shown(self.0.contains(key, min_ttl).await)
    }

    async fn clear_all(&self) -> Result<()> {
        let tiers = &*self.0;
        let _writing = tiers.overlaps.write_all();
        let far = tiers.noted(Tier::Far, tiers.far.clear_all().await);
        let near = tiers.noted(Tier::Near, tiers.near.clear_all().await);
        shown(far.and(near))
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        let tiers = &*self.0;
        let _writing = tiers.overlaps.write_all();
        let far = tiers.noted(Tier::Far, tiers.far.clear_namespace(path).await);
        if far.is_err() {
            // The far tier has no new revision to show, and the near copies are to go all the same.
            tiers.identity.revise(path);
        }
        let near = tiers.noted(Tier::Near, tiers.near.clear_namespace(path).await);
        shown(far.and(near))
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        let tiers = &*self.0;
        let far = tiers.noted(Tier::Far, tiers.far.purge_stale(grace).await);
        let near = tiers.noted(Tier::Near, tiers.near.purge_stale(grace).await);
        shown(near.or(far))
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        let tiers = &*self.0;
        let near = tiers.noted(Tier::Near, tiers.near.capacities().await);
        let far = tiers.noted(Tier::Far, tiers.far.capacities().await);
        joined((near, tiers.near.tiers()), (far, tiers.far.tiers()))
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        let tiers = &*self.0;
        let near = tiers.noted(Tier::Near, tiers.near.usages().await);
        let far = tiers.noted(Tier::Far, tiers.far.usages().await);
        joined((near, tiers.near.tiers()), (far, tiers.far.tiers()))
    }

    fn tiers(&self) -> usize {
        self.0.near.tiers() + self.0.far.tiers()
    }

    #[inline]
    fn is_shared(&self) -> bool {
        self.0.near.is_shared() || self.0.far.is_shared()
    }

    fn reads_bytes(&self) -> bool {
        self.0.near.reads_bytes() || self.0.far.reads_bytes()
    }

    fn resolution(&self) -> Duration {
        self.0.near.resolution().max(self.0.far.resolution())
    }

    #[inline]
    fn revision(&self, probe: &Probe<'_>) -> Revision {
        // Who clears the near tier alone throws copies away, and forgets nothing.
        self.0.copies_revision(probe)
    }

    async fn current_revision(&self, key: &Key) -> u64 {
        self.0.far.current_revision(key).await;
        self.revision(&key.probe()).number
    }
}

/// Passes on what comes of an operation: a failure that its caller sees is not one that is covered.
fn shown<T>(result: Result<T>) -> Result<T> {
    result.inspect_err(|_| covered::shown())
}

/// Lists what both tiers answered, the near one first; a tier that failed keeps its places, with zeros.
fn joined(near: (Result<Vec<u64>>, usize), far: (Result<Vec<u64>>, usize)) -> Result<Vec<u64>> {
    match (near, far) {
        ((Err(_), _), (Err(error), _)) => shown(Err(error)),
        ((near, near_tiers), (far, far_tiers)) => {
            let mut all = near.unwrap_or_else(|_| vec![0; near_tiers]);
            all.extend(far.unwrap_or_else(|_| vec![0; far_tiers]));
            Ok(all)
        }
    }
}

impl<V: Value, N: Client<V>, F: Client<V>> Client<V> for TieredClient<N, F> {
    #[inline]
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        self.0.look(probe, options)
    }

    fn look_fresh(&self, probe: &Probe<'_>, policy: &CallPolicy) -> Option<V> {
        if policy.refresh() != RefreshPoint::Never {
            // Whether a copy is due is judged by what all tiers know.
            return fresh_by_look(self, probe, policy);
        }
        self.0.with_near_probe(probe, |probe| self.0.near.look_fresh(probe, policy)).flatten()
    }

    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        shown(self.0.read(key, options).await)
    }

    async fn get_entries(&self, keys: &[Key], options: ReadOptions<'_, V>) -> Result<Vec<Option<Entry<V>>>> {
        shown(self.0.read_all(keys, options).await)
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        shown(self.0.put(key, value, ttl, options).await)
    }

    async fn put_entries(&self, entries: Vec<(Key, V)>, ttl: Duration, options: WriteOptions) -> Result<()> {
        shown(self.0.put_all(entries, ttl, options).await)
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        shown(self.0.add(key, value, ttl).await)
    }

    async fn promote_entry(&self, key: &Key) -> Result<bool> {
        shown(self.0.promote_to_near::<V>(key).await)
    }

    async fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>> {
        shown(self.0.claim(key, options).await)
    }

    async fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool> {
        shown(self.0.fill(key, token, value, ttl).await)
    }

    fn release(&self, key: &Key, token: Token) {
        Client::<V>::release(&self.0.far, key, token);
    }
}
