//! What waits to be written, and what is being written: of each key one after another, the longest waiting first. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chorde_core::Key;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::envelope::Sealed;
use crate::wire_key::WireKey;

use super::WriteBehind;

/// What a value takes besides its bytes: its places in the tables, more or less.
const OVERHEAD: usize = 512;

/// A value to be written.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) sealed: Arc<Sealed>,
    /// When its life ends, by the client's clock.
    pub(crate) until: u64,
    /// For how many seconds it was put.
    pub(crate) life: u32,
    /// The key as the memory of this process knows it, where there is one.
    pub(super) key: Option<Key>,
}

impl Write {
    fn bytes(&self) -> usize {
        self.sealed.len() + OVERHEAD
    }
}

/// What becomes of a value that is put into the queue.
#[derive(Debug)]
pub(super) enum Put {
    Queued,
    /// It took the place of another that was waiting.
    Coalesced,
    /// There is no room for it.
    Full,
}

/// What is known of one key.
#[derive(Debug, Default)]
struct Slot {
    /// What waits, and its place in line.
    waiting: Option<(u64, Write)>,
    /// What is being written, and its place in line.
    flying: Option<(u64, Write)>,
    /// Tells of the end of what is being written.
    landed: Option<Arc<Notify>>,
}

/// The writes of one client that have not been carried out.
#[derive(Debug)]
pub(super) struct Queue {
    slots: HashMap<WireKey, Slot>,
    /// The keys of which a value waits and none is being written, by their places in line.
    ready: BTreeMap<u64, WireKey>,
    /// The places in line of what is being written.
    flying: BTreeSet<u64>,
    /// The places in line of what waits for the end of an earlier write of the same key.
    held: BTreeSet<u64>,
    /// The next place in line.
    next: u64,
    bytes: usize,
    limits: WriteBehind,
}

impl Queue {
    pub(super) fn new(limits: WriteBehind) -> Self {
        Self {
            slots: HashMap::new(),
            ready: BTreeMap::new(),
            flying: BTreeSet::new(),
            held: BTreeSet::new(),
            next: 0,
            bytes: 0,
            limits,
        }
    }

    /// Returns how many values there are.
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.flying.len() + self.held.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns how many values can be taken.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Returns the place in line behind all that is queued.
    pub(super) fn end(&self) -> u64 {
        self.next
    }

    /// Returns whether everything before that place in line has been written.
    pub(super) fn is_done_before(&self, end: u64) -> bool {
        let first = [self.ready.keys().next(), self.flying.first(), self.held.first()].into_iter().flatten().min();
        first.is_none_or(|first| *first >= end)
    }

    /// Queues a value. One of the same key that still waits gives it its place.
    pub(super) fn put(&mut self, key: &WireKey, write: Write) -> Put {
        let waiting = self.slots.get_mut(key).and_then(|slot| slot.waiting.as_mut());
        let (before, is_new) = waiting.as_ref().map_or((0, true), |(_, write)| (write.bytes(), false));
        let bytes = self.bytes - before + write.bytes();
        if bytes > self.limits.most_bytes {
            return Put::Full;
        }
        if let Some((_, waiting)) = waiting {
            (*waiting, self.bytes) = (write, bytes);
            return Put::Coalesced;
        }
        if is_new && self.len() >= self.limits.most {
            return Put::Full;
        }
        self.bytes = bytes;
        let slot = self.slots.entry(*key).or_default();
        slot.waiting = Some((self.next, write));
        if slot.flying.is_none() {
            self.ready.insert(self.next, *key);
        } else {
            self.held.insert(self.next);
        }
        self.next += 1;
        Put::Queued
    }

    /// Returns the latest value of a key.
    pub(super) fn find(&self, key: &WireKey) -> Option<&Write> {
        let slot = self.slots.get(key)?;
        slot.waiting.as_ref().or(slot.flying.as_ref()).map(|(_, write)| write)
    }

    /// Takes the value that has waited for the longest, if its place in line is before `end`, in order to write it.
    pub(super) fn take(&mut self, end: u64) -> Option<(WireKey, Write)> {
        let first = self.ready.first_entry().filter(|first| *first.key() < end)?;
        let key = *first.get();
        self.take_of(&key).map(|write| (key, write))
    }

    /// Takes the value of a key in order to write it, if one waits and none is being written.
    pub(super) fn take_of(&mut self, key: &WireKey) -> Option<Write> {
        let slot = self.slots.get_mut(key).filter(|slot| slot.flying.is_none())?;
        let (place, write) = slot.waiting.take()?;
        self.ready.remove(&place);
        self.flying.insert(place);
        slot.flying = Some((place, write.clone()));
        Some(write)
    }

    /// Ends the writing of a key's value; returns whom to notify of it.
    pub(super) fn land(&mut self, key: &WireKey) -> Option<Arc<Notify>> {
        let slot = self.slots.get_mut(key)?;
        if let Some((place, write)) = slot.flying.take() {
            self.flying.remove(&place);
            self.bytes -= write.bytes();
        }
        let landed = slot.landed.take();
        match &slot.waiting {
            Some((place, _)) => {
                self.held.remove(place);
                self.ready.insert(*place, *key);
            }
            None => drop(self.slots.remove(key)),
        }
        landed
    }

    /// Takes a value that waits out of the line, not to be written.
    pub(super) fn withdraw(&mut self, key: &WireKey) -> Option<Write> {
        let slot = self.slots.get_mut(key)?;
        let (place, write) = slot.waiting.take()?;
        self.bytes -= write.bytes();
        if slot.flying.is_none() {
            self.slots.remove(key);
        }
        self.ready.remove(&place);
        self.held.remove(&place);
        Some(write)
    }

    /// Takes all that waits out of the line.
    pub(super) fn withdraw_all(&mut self) -> Vec<Write> {
        let keys: Vec<WireKey> = self.slots.keys().copied().collect();
        keys.iter().filter_map(|key| self.withdraw(key)).collect()
    }

    /// Returns what tells of the end of a key's write under way, if there is one.
    pub(super) fn landing(&mut self, key: &WireKey) -> Option<OwnedNotified> {
        let slot = self.slots.get_mut(key).filter(|slot| slot.flying.is_some())?;
        // Hears of every end from now on, polled or not.
        Some(Arc::clone(slot.landed.get_or_insert_default()).notified_owned())
    }
}

#[cfg(test)]
mod tests;
