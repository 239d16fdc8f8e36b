//! Where the client's operations meet the memory of this process and the writes that are put off; both may be missing,
//! and then nothing here does anything.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chorde_core::{Claim, Entry, Key, Lookup, Probe, Result, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::names::Named;
use super::{Inner, Seen};
use crate::behind::Write;
use crate::command::Life;
use crate::envelope::{Damage, Sealed};
use crate::life::{self, GRACE};
use crate::memory::{Memory, Reading, Writing};
use crate::wire_key::WireKey;

/// What the memory may be asked of a key, and told of it after a server was asked.
pub(super) struct View<'a> {
    memory: &'a Memory,
    key: &'a Key,
    revision: u64,
    /// Taken before the server was asked.
    reading: Reading,
}

impl View<'_> {
    /// Says what is remembered.
    pub(super) fn look<V: Value>(&self, least: Duration) -> Option<Lookup<V>> {
        self.memory.look(&self.key.probe(), self.revision, least)
    }

    /// Remembers what was seen.
    pub(super) fn keep<V: Value>(&self, seen: &Seen<V>) {
        match seen {
            Seen::Held(entry) => self.keep_entry(entry),
            Seen::Missing => self.memory.keep_missing(self.key, self.reading, self.revision),
            Seen::Unknown => {}
        }
    }

    /// Remembers what a claim showed.
    pub(super) fn keep_claimed<V: Value>(&self, claim: &Claim<V>) {
        match claim {
            Claim::Fresh(entry) | Claim::Due(entry, _) | Claim::DueElsewhere(entry) => self.keep_entry(entry),
            Claim::Absent(_) | Claim::AbsentElsewhere => self.memory.drop_value(self.key),
        }
    }

    fn keep_entry<V: Value>(&self, entry: &Entry<V>) {
        if self.memory.keeps_values() {
            self.memory.keep(self.key, self.reading, self.revision, entry.clone());
        } else {
            self.memory.drop_miss(self.key);
        }
    }
}

/// A value on its way to a server, which is remembered if it gets there.
pub(super) struct Written<'a, V> {
    change: Option<Writing<'a>>,
    value: Option<V>,
    seed: u64,
    life: Life,
}

impl<'a, V> Written<'a, V> {
    /// Keeps the value if there is a memory for it.
    pub(super) fn new(change: Option<Writing<'a>>, value: V, sealed: &Sealed, life: Life) -> Self {
        let is_kept = change.as_ref().is_some_and(Writing::keeps_values);
        let seed = if is_kept { sealed.seed() } else { 0 };
        Self { change, value: is_kept.then_some(value), seed, life }
    }
}

/// A value on its way to the servers.
pub(super) struct Prepared<'a, V> {
    pub(super) name: Named,
    pub(super) sealed: Sealed,
    pub(super) life: Life,
    pub(super) written: Written<'a, V>,
}

impl Inner {
    /// Seals a value under its name, and begins the change of its key.
    pub(super) async fn prepare<'a, V: Serialize>(
        &'a self,
        key: &'a Key,
        value: V,
        ttl: Duration,
    ) -> Result<Prepared<'a, V>> {
        let change = self.change(key);
        let name = self.name(key).await;
        let (sealed, life) = self.seal(&name.wire, &value, ttl)?;
        let written = Written::new(change, value, &sealed, life);
        Ok(Prepared { name, sealed, life, written })
    }

    /// Says what is remembered of a key, if the revisions of its namespaces are known well enough.
    pub(super) fn look<V: Value>(&self, memory: &Memory, probe: &Probe<'_>, least: Duration) -> Option<Lookup<V>> {
        let revision = self.with_surrounded(probe.path(), |path| self.revisions.fresh_sum(&self.store, path));
        memory.look(probe, revision?, least)
    }

    /// Returns what the memory may be asked and told of a key that a server is about to be asked for.
    pub(super) fn view<'a>(&'a self, key: &'a Key, revision: u64) -> Option<View<'a>> {
        let memory = self.memory.as_deref()?;
        Some(View { memory, key, revision, reading: memory.reading(key) })
    }

    /// Begins a change of a key, at the end of which the memory knows nothing of it, or what was [kept](Self::keep).
    pub(super) fn change<'a>(&'a self, key: &'a Key) -> Option<Writing<'a>> {
        self.memory.as_ref().map(|memory| memory.writing(key))
    }

    /// Remembers what was written.
    pub(super) fn keep<V: Value>(&self, written: Written<'_, V>, name: &Named) {
        let Written { change: Some(change), value: Some(value), seed, life } = written else { return };
        let life = self.store.cluster.life_of(&name.wire, life);
        let entry = Entry::new(value, life::remaining(Some(life.0))).with_age(Duration::ZERO).with_seed(seed);
        change.keep(name.revision, entry);
    }

    /// Returns what is queued under a key.
    pub(super) fn queued<V: DeserializeOwned>(&self, key: &WireKey) -> Option<Seen<V>> {
        let write = self.behind.as_ref()?.find(key)?;
        Some(self.open_queued(key, &write).map_or_else(
            |damage| {
                self.note(&damage);
                Seen::Unknown
            },
            Seen::Held,
        ))
    }

    fn open_queued<V: DeserializeOwned>(&self, key: &WireKey, write: &Write) -> Result<Entry<V>, Damage> {
        let opened = self.sealer.open_joined(key, &write.sealed.head, &write.sealed.tail)?;
        let left = self.left_of(write);
        let age = Duration::from_secs(u64::from(write.life)).saturating_sub(left);
        Ok(Entry::new(opened.value, left).with_age(age).with_seed(opened.seed))
    }

    /// Returns the life that a queued value has left, in whole seconds, as a server tells it.
    fn left_of(&self, write: &Write) -> Duration {
        let left = write.until.saturating_sub(self.identity.clock().now());
        Duration::from_secs(left.div_ceil(1_000_000_000))
    }

    /// Returns the life that a key's value has left, or that there is none, as far as that is known here.
    pub(super) fn known_life(&self, key: &Key, name: &Named) -> Option<Option<Duration>> {
        if let Some(memory) = &self.memory
            && memory.is_missing(&key.probe(), name.revision)
        {
            return Some(None);
        }
        let write = self.behind.as_ref()?.find(&name.wire)?;
        Some(Some(self.left_of(&write)))
    }

    /// Queues a write, if writes are put off; returns what is to be written at once.
    pub(super) async fn put_off(&self, key: &Key, wire: &WireKey, sealed: Sealed, life: Life) -> Option<Sealed> {
        let Some(behind) = &self.behind else { return Some(sealed) };
        let sealed = behind.put(wire, sealed, life.0.saturating_sub(GRACE), key)?;
        Box::pin(behind.withdraw(wire)).await;
        Some(sealed)
    }

    /// Takes a queued write back; returns whether there was a valid one.
    pub(super) async fn withdraw(&self, key: &WireKey) -> bool {
        match &self.behind {
            Some(behind) => Box::pin(behind.withdraw(key)).await,
            None => false,
        }
    }

    /// Has a queued write carried out.
    pub(super) async fn settle(&self, key: &WireKey) {
        if let Some(behind) = &self.behind {
            Box::pin(behind.settle(key)).await;
        }
    }

    /// Empties the servers, and forgets everything.
    pub(super) async fn flush_all(&self) -> Result<()> {
        // Before and after: what began to compute at any time up to the end is not stored.
        let flushed = self.flush().await;
        self.clears.fetch_add(1, Ordering::AcqRel);
        flushed
    }

    async fn flush(&self) -> Result<()> {
        self.clears.fetch_add(1, Ordering::AcqRel);
        let _change = self.memory.as_ref().map(|memory| memory.clearing());
        if let Some(behind) = &self.behind {
            behind.withdraw_all().await;
        }
        self.wrote(self.store.flush().await, ())
    }
}
