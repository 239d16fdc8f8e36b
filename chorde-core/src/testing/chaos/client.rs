//! The traits of a client that fails as told.

use std::time::Duration;

use super::dice::Fate;
use super::{ChaosClient, FaultKind, Operation};
use crate::client::{Cache, Claim, ClaimOptions, Client, Identity, ReadOptions, Revision, Token, Value, WriteOptions};
use crate::entry::{Entry, Lookup};
use crate::error::Result;
use crate::key::{Key, Probe};
use crate::namespace::Path;
use crate::policy::CallPolicy;

impl<C: Cache> ChaosClient<C> {
    /// Begins an operation on one key, or on none.
    async fn begin(&self, operation: Operation) -> Result<Fate> {
        let fate = self.throw(operation, 1)[0];
        self.suffer(fate).await?;
        Ok(fate)
    }

    /// Whether reads are left alone, so that what is known at once may be said.
    fn is_calm(&self) -> bool {
        let faults = self.faults();
        !faults.concern(Operation::Read) && !faults.concern(Operation::Claim)
    }

    /// Makes of an entry that was read what is to be shown of it.
    fn shown<V: Value>(&self, (operation, fate): (Operation, Fate), key: &Key, entry: Entry<V>) -> Entry<V> {
        self.0.others.saw(key, &entry.value);
        match fate.is_wrong.then(|| self.0.others.other::<V>(key)).flatten() {
            Some(wrong) => {
                self.dice().counts.fault(operation, FaultKind::WrongValue);
                entry.map(|_| wrong)
            }
            None => entry,
        }
    }
}

impl<C: Cache> Cache for ChaosClient<C> {
    fn identity(&self) -> &Identity {
        self.0.client.identity()
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        let fate = self.begin(Operation::Remove).await?;
        if fate.is_lost { Ok(true) } else { self.0.client.delete_entry(key).await }
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        let fate = self.begin(Operation::Remove).await?;
        if fate.is_lost { Ok(true) } else { self.0.client.expire_entry(key).await }
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        let fate = self.begin(Operation::Write).await?;
        if fate.is_lost { Ok(true) } else { self.0.client.renew_entry(key, ttl).await }
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        let fate = self.begin(Operation::Read).await?;
        Ok(!fate.misses && self.0.client.contains_entry(key, min_ttl).await?)
    }

    async fn clear_all(&self) -> Result<()> {
        let fate = self.begin(Operation::Remove).await?;
        if fate.is_lost { Ok(()) } else { self.0.client.clear_all().await }
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        let fate = self.begin(Operation::Remove).await?;
        if fate.is_lost { Ok(()) } else { self.0.client.clear_namespace(path).await }
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        let fate = self.begin(Operation::Remove).await?;
        if fate.is_lost { Ok(()) } else { self.0.client.purge_stale(grace).await }
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        self.begin(Operation::Read).await?;
        self.0.client.capacities().await
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        self.begin(Operation::Read).await?;
        self.0.client.usages().await
    }

    fn tiers(&self) -> usize {
        self.0.client.tiers()
    }

    fn is_shared(&self) -> bool {
        self.0.client.is_shared()
    }

    fn resolution(&self) -> Duration {
        self.0.client.resolution()
    }

    fn revision(&self, probe: &Probe<'_>) -> Revision {
        self.0.client.revision(probe)
    }

    async fn current_revision(&self, key: &Key) -> u64 {
        self.0.client.current_revision(key).await
    }
}

impl<V: Value, C: Client<V>> Client<V> for ChaosClient<C> {
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        if self.is_calm() { self.0.client.look(probe, options) } else { None }
    }

    fn look_fresh(&self, probe: &Probe<'_>, policy: &CallPolicy) -> Option<V> {
        if self.is_calm() { self.0.client.look_fresh(probe, policy) } else { None }
    }

    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        let fate = self.begin(Operation::Read).await?;
        if fate.misses {
            return Ok(None);
        }
        let entry = self.0.client.get_entry(key, options).await?;
        Ok(entry.map(|entry| self.shown((Operation::Read, fate), key, entry)))
    }

    async fn get_entries(&self, keys: &[Key], options: ReadOptions<'_, V>) -> Result<Vec<Option<Entry<V>>>> {
        let fates = self.throw(Operation::Read, keys.len());
        self.suffer(fates[0]).await?;
        let entries = self.0.client.get_entries(keys, options).await?;
        let shown = |((entry, fate), key): ((Option<Entry<V>>, Fate), &Key)| {
            let entry = entry.filter(|_| !fate.misses)?;
            Some(self.shown((Operation::Read, fate), key, entry))
        };
        Ok(entries.into_iter().zip(fates).zip(keys).map(shown).collect())
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        let fate = self.begin(Operation::Write).await?;
        if fate.is_lost {
            return Ok(());
        }
        self.0.others.saw(key, &value);
        self.0.client.put_entry(key, value, ttl, options).await
    }

    async fn put_entries(&self, mut entries: Vec<(Key, V)>, ttl: Duration, options: WriteOptions) -> Result<()> {
        let fates = self.throw(Operation::Write, entries.len());
        self.suffer(fates[0]).await?;
        let mut lost = fates.into_iter().map(|fate| fate.is_lost);
        entries.retain(|_| !lost.next().unwrap_or(false));
        entries.iter().for_each(|(key, value)| self.0.others.saw(key, value));
        self.0.client.put_entries(entries, ttl, options).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        let fate = self.begin(Operation::Write).await?;
        if fate.is_lost {
            return Ok(true);
        }
        self.0.others.saw(key, &value);
        self.0.client.add_entry(key, value, ttl).await
    }

    async fn promote_entry(&self, key: &Key) -> Result<bool> {
        let fate = self.begin(Operation::Read).await?;
        Ok(!fate.misses && self.0.client.promote_entry(key).await?)
    }

    async fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>> {
        let fate = self.begin(Operation::Claim).await?;
        let claim = self.0.client.claim(key, options).await?;
        let show = |entry| self.shown((Operation::Claim, fate), key, entry);
        Ok(match claim {
            // Who was told to compute keeps the right to store.
            Claim::Due(_, token) if fate.misses => Claim::Absent(token),
            Claim::Fresh(_) | Claim::DueElsewhere(_) if fate.misses => Claim::won(None, options),
            Claim::Fresh(entry) => Claim::Fresh(show(entry)),
            Claim::Due(entry, token) => Claim::Due(show(entry), token),
            Claim::DueElsewhere(entry) => Claim::DueElsewhere(show(entry)),
            Claim::Absent(_) | Claim::AbsentElsewhere => claim,
        })
    }

    async fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool> {
        let fate = self.begin(Operation::Write).await?;
        if fate.is_lost {
            return Ok(true);
        }
        self.0.others.saw(key, &value);
        self.0.client.fill(key, token, value, ttl).await
    }

    fn release(&self, key: &Key, token: Token) {
        self.0.client.release(key, token);
    }
}
