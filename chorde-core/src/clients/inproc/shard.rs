//! One shard of the in-process store: its entries of all types, and who of them leaves next.
//!
//! Everything here happens under the shard's lock. Reads take the read half: they find an entry, copy it and raise its
//! mark. Whatever changes entries takes the write half.

use std::any::Any;

use super::expiry::Expiry;
use super::policy::{EvictionPolicy, Marks, Node};
use super::table::{AnyTable, Slot, Table, Times, Trash, Wanted};
use crate::client::Value;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::policy::CallPolicy;

/// What a shard holds.
pub(super) struct Shard {
    /// The table of the type of value that was seen first; most clients hold one type.
    first: Option<Box<dyn AnyTable>>,
    /// Those of other types.
    others: Vec<Box<dyn AnyTable>>,
    /// What is known of each entry without its type, and a time at which it is to be seen whether it has expired: its
    /// end, or an earlier one, so that to put a value in the place of another leaves this alone.
    nodes: Expiry<NodeInfo>,
    /// How many nodes have been given out so far.
    given: Node,
    /// Nodes to use again.
    free: Vec<Node>,
    /// Hits since the policy last looked.
    marks: Marks,
    mark_limit: u8,
    policy: Box<dyn EvictionPolicy>,
    /// The sum of the entries' weights.
    weight: u64,
    /// Whether there was an entry of another weight than 1. Until then there is no need to look at any.
    weights_vary: bool,
    departures: Departures,
}

/// What eviction needs to find an entry again.
#[derive(Clone, Copy, Debug, Default)]
struct NodeInfo {
    /// The lower half of the digest, by which tables are indexed.
    hash: u64,
    /// Which table.
    table: u32,
    weight: u32,
}

/// How many entries left a shard, and why.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Departures {
    pub(super) evicted: u64,
    pub(super) expired: u64,
}

impl Shard {
    pub(super) fn new(policy: Box<dyn EvictionPolicy>) -> Self {
        Self {
            first: None,
            others: Vec::new(),
            nodes: Expiry::new(),
            given: 0,
            free: Vec::new(),
            marks: Marks::new(),
            mark_limit: policy.mark_limit(),
            policy,
            weight: 0,
            weights_vary: false,
            departures: Departures::default(),
        }
    }

    /// Takes out all that the shard holds, and starts anew with another policy.
    pub(super) fn clear(&mut self, policy: Box<dyn EvictionPolicy>) -> Self {
        let anew = Self { departures: self.departures, ..Self::new(policy) };
        std::mem::replace(self, anew)
    }

    /// Returns how many entries have left so far.
    pub(super) fn departures(&self) -> Departures {
        self.departures
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    pub(super) fn len(&self) -> usize {
        self.tables().map(AnyTable::len).sum()
    }

    /// Copies an entry of type `V` that has life enough left, and notes the hit.
    pub(super) fn get<V: Value>(&self, digest: Digest, clock: &Clock, wanted: Wanted) -> Option<Entry<V>> {
        let slot = self.find::<V>(digest)?;
        let vitals = slot.lasting(clock, wanted)?;
        if vitals.left > 0 {
            self.marks.raise(slot.node, self.mark_limit);
        }
        Some(Entry::with_vitals(slot.value.clone(), vitals))
    }

    /// Does the same, and lets the policy know.
    #[cold]
    pub(super) fn get_and_touch<V: Value>(
        &mut self,
        digest: Digest,
        clock: &Clock,
        wanted: Wanted,
    ) -> Option<Entry<V>> {
        let entry = self.get(digest, clock, wanted)?;
        if !entry.is_stale() {
            self.touch(digest);
        }
        Some(entry)
    }

    /// Copies a value that a call on these terms can be served, and notes the hit.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn get_fresh<V: Value>(&self, digest: Digest, clock: &Clock, policy: &CallPolicy) -> Option<V> {
        let slot = self.find::<V>(digest)?;
        if !slot.serves(clock, policy) {
            return None;
        }
        self.marks.raise(slot.node, self.mark_limit);
        Some(slot.value.clone())
    }

    /// Does the same, and lets the policy know.
    #[cold]
    pub(super) fn get_fresh_and_touch<V: Value>(
        &mut self,
        digest: Digest,
        clock: &Clock,
        policy: &CallPolicy,
    ) -> Option<V> {
        let value = self.get_fresh(digest, clock, policy)?;
        self.touch(digest);
        Some(value)
    }

    fn touch(&mut self, digest: Digest) {
        if self.policy.wants_touch()
            && let Some((node, _)) = self.entry(digest)
        {
            self.policy.touch(node);
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn find<V: Value>(&self, digest: Digest) -> Option<&Slot<V>> {
        let first = self.first.as_deref()?;
        let table = match typed::<V>(first) {
            Some(table) => table,
            None => self.find_table()?,
        };
        table.find(digest)
    }

    #[cold]
    fn find_table<V: Value>(&self) -> Option<&Table<V>> {
        self.others.iter().find_map(|table| typed(&**table))
    }

    /// Returns whether there is an entry of type `V`, stale or not.
    pub(super) fn holds<V: Value>(&self, digest: Digest) -> bool {
        self.find::<V>(digest).is_some()
    }

    /// Returns whether the policy wants to hear of each hit.
    pub(super) fn wants_touch(&self) -> bool {
        self.policy.wants_touch()
    }

    /// Finds an entry of whatever type.
    pub(super) fn entry(&self, digest: Digest) -> Option<(Node, Times)> {
        self.tables().find_map(|table| table.entry(digest))
    }

    /// Puts a value in the place of whatever is stored under the digest.
    pub(super) fn put<V: Value>(&mut self, digest: Digest, value: V, times: Times, weight: u32, trash: &mut Trash<'_>) {
        let index = self.table_index::<V>();
        let value = match self.table_mut::<V>(index).replace(digest, value, times, trash) {
            Ok((node, end)) => {
                self.reweigh(node, weight);
                if times.expires < end {
                    self.nodes.schedule(node, times.expires);
                }
                return;
            }
            Err(value) => value,
        };
        if !self.others.is_empty() {
            // It may be there with a value of another type.
            self.remove(digest, trash);
        }
        let node = self.add_node(NodeInfo { hash: digest.low(), table: index as u32, weight });
        self.table_mut::<V>(index).insert(Slot { digest, expires: times.expires, value, life: times.life, node });
        self.policy.insert(node, digest.high(), u64::from(weight));
        self.nodes.schedule(node, times.expires);
        self.weight += u64::from(weight);
    }

    #[inline]
    fn table_index<V: Value>(&mut self) -> usize {
        if self.first.as_deref().is_some_and(|table| typed::<V>(table).is_some()) {
            return 0;
        }
        self.find_or_add_table::<V>()
    }

    #[cold]
    fn find_or_add_table<V: Value>(&mut self) -> usize {
        if let Some(index) = self.tables().position(|table| typed::<V>(table).is_some()) {
            return index;
        }
        let table = Box::new(Table::<V>::new());
        if self.first.is_none() {
            self.first = Some(table);
            return 0;
        }
        self.others.push(table);
        self.others.len()
    }

    /// Returns all tables, in the order of their indices.
    fn tables(&self) -> impl Iterator<Item = &dyn AnyTable> {
        self.first.iter().chain(&self.others).map(|table| &**table)
    }

    fn table_at(&mut self, index: usize) -> &mut dyn AnyTable {
        let table = if index == 0 { self.first.as_mut() } else { self.others.get_mut(index - 1) };
        &mut **table.expect("invariant: indices are those of tables")
    }

    fn table_mut<V: Value>(&mut self, index: usize) -> &mut Table<V> {
        let table: &mut dyn Any = self.table_at(index);
        table.downcast_mut().expect("invariant: the table at a type's index holds that type")
    }

    fn reweigh(&mut self, node: Node, weight: u32) {
        self.weights_vary |= weight != 1;
        if self.weights_vary {
            let info = self.nodes.about_mut(node);
            self.weight = self.weight - u64::from(info.weight) + u64::from(weight);
            info.weight = weight;
        }
        self.marks.raise(node, self.mark_limit);
        self.policy.update(node, u64::from(weight));
    }

    fn add_node(&mut self, info: NodeInfo) -> Node {
        let node = self.free.pop().unwrap_or_else(|| {
            self.given += 1;
            self.given - 1
        });
        self.weights_vary |= info.weight != 1;
        self.nodes.add(node, info);
        self.marks.set(node, 0);
        node
    }

    /// Removes the entry of a digest, if there is one.
    pub(super) fn remove(&mut self, digest: Digest, trash: &mut Trash<'_>) {
        if let Some((node, _)) = self.entry(digest) {
            self.policy.remove(node);
            self.forget(node, trash);
        }
    }

    /// Changes the times of an entry.
    pub(super) fn set_times(&mut self, digest: Digest, times: Times) {
        let Some((node, _)) = self.entry(digest) else { return };
        self.nodes.schedule(node, times.expires);
        let table = self.nodes.about(node).table;
        self.table_at(table as usize).set_times(digest, times);
    }

    /// Makes room: removes one entry, an expired one if there is any, else the policy's victim. Returns whether there
    /// was one.
    pub(super) fn evict(&mut self, now: u64, trash: &mut Trash<'_>) -> bool {
        if let Some(node) = self.pop_expired(now) {
            self.policy.remove(node);
            self.forget(node, trash);
            self.departures.expired += 1;
            return true;
        }
        let Some(node) = self.policy.victim(&mut self.marks) else { return false };
        self.forget(node, trash);
        self.departures.evicted += 1;
        true
    }

    /// Removes what has expired by `now`.
    pub(super) fn purge(&mut self, now: u64, trash: &mut Trash<'_>) {
        while let Some(node) = self.pop_expired(now) {
            self.policy.remove(node);
            self.forget(node, trash);
            self.departures.expired += 1;
        }
    }

    /// Returns the node of an entry that has expired by `now`, give or take a tick of [`Expiry`], if there is one.
    fn pop_expired(&mut self, now: u64) -> Option<Node> {
        while let Some(node) = self.nodes.pop_expired(now) {
            let NodeInfo { hash, table, .. } = self.nodes.about(node);
            match self.table_at(table as usize).end(hash, node) {
                Some(end) if end > now => self.nodes.schedule(node, end),
                _ => return Some(node),
            }
        }
        None
    }

    /// Takes out an entry that the policy no longer knows.
    fn forget(&mut self, node: Node, trash: &mut Trash<'_>) {
        self.nodes.cancel(node);
        let NodeInfo { hash, table, weight } = self.nodes.about(node);
        self.table_at(table as usize).remove(hash, node, trash);
        self.weight -= u64::from(weight);
        self.free.push(node);
    }
}

/// Returns the table as one of values of type `V`, if it is.
#[cfg_attr(not(debug_assertions), inline(always))]
fn typed<V: Value>(table: &dyn AnyTable) -> Option<&Table<V>> {
    let table: &dyn Any = table;
    table.downcast_ref()
}

#[cfg(test)]
mod tests;
