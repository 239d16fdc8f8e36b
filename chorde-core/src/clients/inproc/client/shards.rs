//! What the client does with its shards: finds the one of a key, reads and changes it, keeps the common budget.
//!
//! The user's code runs in here, but never under a lock: a value's `Clone` and `Drop`, and weighers.

use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use super::super::builder::{ENTRY_OVERHEAD, Policy};
use super::super::held::{Held, Shared, copy_of, discard};
use super::super::locks::{Reading, Writing};
use super::super::policy_guard::Panic;
use super::super::shard::Shard;
use super::super::table::{Times, Trash, Wanted};
use super::InprocClient;
use crate::client::{Cache, Value, WriteOptions};
use crate::clock::nanos;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::key::{Key, Probe};
use crate::policy::CallPolicy;
use crate::sync::Ordering;

/// A value that is to be stored, without the value.
#[derive(Clone, Copy)]
struct Write<'a> {
    probe: Probe<'a>,
    digest: Digest,
    /// When the write began.
    now: u64,
    times: Times,
    weight: u32,
    condition: Condition,
}

/// When a value is stored.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Condition {
    Always,
    /// If nothing valid is held.
    IfFree,
    /// If that is the stamp of the key's revision still.
    OfRevision(u64),
}

/// What became of an entry that was to be stored.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stored {
    Yes,
    /// By what was there.
    Refused,
    /// It weighs more than the whole capacity.
    TooHeavy,
}

impl InprocClient {
    /// Picks the shard by multiplication instead of a mask, so that their number need not be a power of two.
    #[inline]
    pub(super) fn shard(&self, digest: Digest) -> usize {
        ((digest.high() >> 32).wrapping_mul(self.0.shards.len() as u64) >> 32) as usize
    }

    /// Returns the digest under which this client keeps a key at the present revision of its namespaces.
    #[inline]
    pub(super) fn digest(&self, probe: &Probe<'_>) -> Digest {
        self.0.identity.revised_digest(probe.digest, probe.path)
    }

    pub(super) fn look_up<V: Value>(&self, digest: Digest, wanted: Wanted) -> Option<Entry<V>> {
        if self.0.wants_touch {
            return self.look_up_and_touch(digest, wanted);
        }
        let shard = self.0.shards.read(self.shard(digest));
        match shard.plain::<V>(digest) {
            Some(slot) => shard.get(slot, self.0.identity.clock(), wanted),
            None => self.look_up_shared(shard, digest, wanted),
        }
    }

    /// What [`look_up`](Self::look_up) does where the value is not plain.
    #[inline(never)]
    fn look_up_shared<V: Value>(&self, shard: Reading<'_, Shard>, digest: Digest, wanted: Wanted) -> Option<Entry<V>> {
        let entry = shard.get(shard.shared::<V>(digest)?, self.0.identity.clock(), wanted)?;
        drop(shard);
        Some(entry.map(copy_of))
    }

    /// What [`look_up`](Self::look_up) does where the policy wants to hear of each hit.
    #[inline(never)]
    fn look_up_and_touch<V: Value>(&self, digest: Digest, wanted: Wanted) -> Option<Entry<V>> {
        let (index, clock) = (self.shard(digest), self.0.identity.clock());
        let shard = self.0.shards.read(index);
        let (entry, node) = match shard.plain::<V>(digest) {
            Some(slot) => (shard.get(slot, clock, wanted)?.map(Held::Plain), slot.node),
            None => {
                let slot = shard.shared::<V>(digest)?;
                (shard.get(slot, clock, wanted)?.map(Held::Shared), slot.node)
            }
        };
        let is_told = entry.is_stale() || shard.note(node);
        drop(shard);
        if !is_told {
            self.touch(index, digest);
        }
        Some(entry.map(Held::into_value))
    }

    /// What [`Client::look_fresh`] does where the value is not plain.
    #[inline(never)]
    pub(super) fn look_fresh_shared<V: Value>(
        &self,
        shard: Reading<'_, Shard>,
        digest: Digest,
        policy: &CallPolicy,
    ) -> Option<V> {
        let value = shard.get_fresh(shard.shared::<V>(digest)?, self.0.identity.clock(), policy)?;
        drop(shard);
        Some(copy_of(value))
    }

    /// What [`Client::look_fresh`] does where the policy wants to hear of each hit.
    #[inline(never)]
    pub(super) fn look_fresh_and_touch<V: Value>(&self, digest: Digest, policy: &CallPolicy) -> Option<V> {
        let (index, clock) = (self.shard(digest), self.0.identity.clock());
        let shard = self.0.shards.read(index);
        let (value, node) = match shard.plain::<V>(digest) {
            Some(slot) => (Held::Plain(shard.get_fresh(slot, clock, policy)?), slot.node),
            None => {
                let slot = shard.shared::<V>(digest)?;
                (Held::Shared(shard.get_fresh(slot, clock, policy)?), slot.node)
            }
        };
        let is_told = shard.note(node);
        drop(shard);
        if !is_told {
            self.touch(index, digest);
        }
        Some(value.into_value())
    }

    /// Tells the policy of all hits so far, and of one more for which there was no room among them. If it panics, the hit is
    /// served all the same.
    #[cold]
    fn touch(&self, index: usize, digest: Digest) {
        let touch = || self.change::<(), _>(index, |shard, _| shard.touch(digest));
        discard(catch_unwind(AssertUnwindSafe(touch)).err());
    }

    /// Changes a shard under its lock, brings the common budget up to date, and drops what was removed after unlocking:
    /// most likely one value held as `H`, for which there is room without an allocation.
    #[inline]
    pub(super) fn change<H: Send + 'static, R>(
        &self,
        index: usize,
        change: impl FnOnce(&mut Shard, &mut Trash<'_>) -> R,
    ) -> R {
        let mut first = None::<H>;
        let mut trash = Trash::new(&mut first);
        let mut shard = self.0.shards.write(index);
        let before = shard.weight();
        shard.catch_up();
        let result = change(&mut shard, &mut trash);
        let panic = if shard.is_broken() {
            self.restart(shard, before)
        } else {
            self.account(before, shard.weight());
            drop(shard);
            None
        };
        drop(trash);
        discard(first);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
        result
    }

    /// Empties a shard whose policy has panicked; returns that panic.
    #[cold]
    fn restart(&self, mut shard: Writing<'_, Shard>, before: u64) -> Option<Panic> {
        // A policy that cannot even be made is replaced, so that the shard has one.
        let share = self.policy_share();
        let empty = catch_unwind(AssertUnwindSafe(|| Shard::new(self.0.policy.make(share))));
        let broken = shard.exchange(empty.unwrap_or_else(|_| Shard::new(Policy::adaptive().make(share))));
        self.account(before, 0);
        drop(shard);
        broken.into_panic()
    }

    /// Leaves the sum alone where one entry took the place of another: all shards share it.
    fn account(&self, before: u64, after: u64) {
        if before != after {
            self.0.weight.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        self.0.weight.load(Ordering::Relaxed) > self.0.capacity
    }

    /// Returns the time, and those of an entry that is written now.
    pub(super) fn written(&self, ttl: Duration, options: WriteOptions) -> (u64, Times) {
        let now = self.0.identity.clock().now();
        (now, Times::new(now, nanos(ttl), nanos(options.value_age())))
    }

    /// Stores a value, with its times and that of the write.
    pub(super) fn store<V: Value>(
        &self,
        key: &Key,
        value: V,
        (now, times): (u64, Times),
        condition: Condition,
    ) -> Stored {
        let weight = match catch_unwind(AssertUnwindSafe(|| self.weigh(key, &value))) {
            Ok(weight) => weight,
            Err(panic) => {
                // Not while the panic unwinds: the value's `Drop` is the user's code too.
                discard(value);
                resume_unwind(panic);
            }
        };
        let probe = key.probe();
        let write = Write { probe, digest: self.digest(&probe), now, times, weight, condition };
        let is_copy = !self.0.inline.is_empty() && self.0.inline.contains(&TypeId::of::<V>());
        match Held::new(value, is_copy) {
            Held::Plain(value) => self.store_held(write, value),
            Held::Shared(value) => self.store_held::<Shared>(write, value),
        }
    }

    fn store_held<H: Send + Sync + 'static>(&self, write: Write<'_>, held: H) -> Stored {
        let Write { digest, now, times, weight, .. } = write;
        let index = self.shard(digest);
        let stored = self.change::<H, _>(index, |shard, trash| {
            if !self.permits(shard, write) {
                trash.keep(held);
                return Stored::Refused;
            }
            if u64::from(weight) > self.0.capacity {
                trash.keep(held);
                return self.leave_out(shard, digest, trash);
            }
            let before = shard.weight();
            shard.put(digest, held, times, weight, trash);
            self.make_room(shard, before, weight, now, trash);
            Stored::Yes
        });
        if stored == Stored::Yes && self.is_over() {
            self.make_room_elsewhere::<H>(index, now);
        }
        stored
    }

    /// Returns whether the condition of a write holds, by what can be asked for under the lock.
    fn permits(&self, shard: &Shard, write: Write<'_>) -> bool {
        let clock = self.0.identity.clock();
        match write.condition {
            Condition::Always => true,
            Condition::IfFree => shard.entry(write.digest).is_none_or(|(_, times)| times.expires <= clock.now()),
            Condition::OfRevision(stamp) => Cache::revision(self, &write.probe).stamp() == stamp,
        }
    }

    /// Removes the entry whose new value the client has no room for.
    #[cold]
    fn leave_out(&self, shard: &mut Shard, digest: Digest, trash: &mut Trash<'_>) -> Stored {
        shard.remove(digest, trash);
        if self.0.capacity > 0 {
            shard.note_too_heavy();
        }
        Stored::TooHeavy
    }

    /// Weighs an entry: never as nothing, or a capacity would be no bound.
    fn weigh<V: Value>(&self, key: &Key, value: &V) -> u32 {
        if self.0.weighers.is_empty() && !self.0.counts_bytes {
            return 1;
        }
        let weigher = self.0.weighers.get(&TypeId::of::<V>());
        if self.0.counts_bytes {
            let own = ENTRY_OVERHEAD.saturating_add(u32::try_from(size_of::<V>()).unwrap_or(u32::MAX));
            return own.saturating_add(weigher.map_or(0, |weigh| weigh(key, value as &dyn Any)));
        }
        weigher.map_or(1, |weigh| weigh(key, value as &dyn Any)).max(1)
    }

    /// Evicts from the shard that has grown while the client is over its budget and this shard is over its share.
    fn make_room(&self, shard: &mut Shard, before: u64, newest: u32, now: u64, trash: &mut Trash<'_>) {
        // The change is accounted for when it is complete; until then it is added here.
        let others = self.0.weight.load(Ordering::Relaxed).saturating_sub(before);
        let share = self.share();
        while others + shard.weight() > self.0.capacity
            && shard.weight() > share
            && shard.weight() > u64::from(newest)
            && shard.evict(now, trash)
        {}
    }

    /// Evicts from the other shards: at first from those over their share, then, if a heavy entry needs more, from all.
    fn make_room_elsewhere<H: Send + 'static>(&self, grown: usize, now: u64) {
        for floor in [self.share(), 0] {
            for index in self.0.shards.indices().filter(|index| *index != grown) {
                if !self.is_over() {
                    return;
                }
                self.change::<H, _>(index, |shard, trash| {
                    let others = self.0.weight.load(Ordering::Relaxed).saturating_sub(shard.weight());
                    while others + shard.weight() > self.0.capacity && shard.weight() > floor && shard.evict(now, trash)
                    {
                    }
                });
            }
        }
    }

    fn share(&self) -> u64 {
        self.0.capacity / self.0.shards.len() as u64
    }
}
