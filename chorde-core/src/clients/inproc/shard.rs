//! One shard of the in-process store: its entries of all types, and who of them leaves next.
//!
//! Everything here happens under the shard's lock. Reads take the read half: they find an entry, take what `held.rs` lets
//! them take of its value, and raise its mark. Whatever changes entries takes the write half. No code of the user's runs
//! here but that of an eviction policy (`policy_guard.rs`).

use hashbrown::HashTable;

use super::expiry::Expiry;
use super::held::Shared;
use super::policy::{EvictionPolicy, Marks, Node};
use super::policy_guard::{Panic, PolicyGuard};
use super::table::{AnyTable, Slot, Times, Trash, Wanted};
use super::tables::Tables;
use super::touches::Touches;
use crate::client::Value;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::policy::CallPolicy;

/// With up to this many tables, an entry of whatever type is looked for in one after the other.
const FEW_TABLES: usize = 4;

/// What a shard holds.
pub(super) struct Shard {
    tables: Tables,
    /// The nodes of all entries by the lower half of the digest, if there are more than [`FEW_TABLES`].
    directory: Option<HashTable<Node>>,
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
    policy: PolicyGuard,
    /// Hits of which the policy is to be told, if it wants to hear of each.
    touches: Option<Touches>,
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

/// The table of a node that is free.
const NO_TABLE: u32 = u32::MAX;

/// How many entries left a shard or never came in, and why.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Departures {
    pub(super) evicted: u64,
    pub(super) expired: u64,
    /// Entries that weighed more than the whole capacity.
    pub(super) too_heavy: u64,
}

impl Shard {
    pub(super) fn new(policy: Box<dyn EvictionPolicy>) -> Self {
        Self {
            tables: Tables::new(),
            directory: None,
            nodes: Expiry::new(),
            given: 0,
            free: Vec::new(),
            marks: Marks::new(),
            mark_limit: policy.mark_limit(),
            touches: policy.wants_touch().then(Touches::new),
            policy: PolicyGuard::new(policy),
            weight: 0,
            weights_vary: false,
            departures: Departures::default(),
        }
    }

    /// Takes out all that the shard holds, and starts anew with another policy, whose shard this is, empty.
    pub(super) fn exchange(&mut self, mut other: Self) -> Self {
        other.departures = self.departures;
        std::mem::replace(self, other)
    }

    /// Returns whether the policy has panicked: then the shard has to be exchanged.
    pub(super) fn is_broken(&self) -> bool {
        self.policy.has_panicked()
    }

    /// Drops what the shard holds; returns what its policy panicked with, if it did.
    pub(super) fn into_panic(self) -> Option<Panic> {
        self.policy.into_panic()
    }

    /// Returns how many entries have left so far.
    pub(super) fn departures(&self) -> Departures {
        self.departures
    }

    /// Notes that an entry was too heavy to come in.
    pub(super) fn note_too_heavy(&mut self) {
        self.departures.too_heavy += 1;
    }

    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(AnyTable::len).sum()
    }

    /// Finds an entry with a plain value of type `V`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn plain<V: Value>(&self, digest: Digest) -> Option<&Slot<V>> {
        self.tables.find_plain(digest)
    }

    /// Finds an entry with a shared value of type `V`.
    pub(super) fn shared<V: Value>(&self, digest: Digest) -> Option<&Slot<Shared>> {
        self.tables.find_shared(digest).filter(|slot| slot.value.is::<V>())
    }

    /// Reads an entry if it has life enough left, and raises its mark.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn get<T: Clone>(&self, slot: &Slot<T>, clock: &Clock, wanted: Wanted) -> Option<Entry<T>> {
        let vitals = slot.lasting(clock, wanted)?;
        if vitals.left > 0 {
            self.marks.raise(slot.node, self.mark_limit);
        }
        Some(Entry::with_vitals(slot.value.clone(), vitals))
    }

    /// Reads a value if a call on these terms can be served it, and raises its mark.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn get_fresh<T: Clone>(&self, slot: &Slot<T>, clock: &Clock, policy: &CallPolicy) -> Option<T> {
        if !slot.serves(clock, policy) {
            return None;
        }
        self.marks.raise(slot.node, self.mark_limit);
        Some(slot.value.clone())
    }

    /// Notes a hit for the policy, if it wants to hear of each. Returns false if that takes the write lock.
    pub(super) fn note(&self, node: Node) -> bool {
        self.touches.as_ref().is_none_or(|touches| touches.note(node))
    }

    /// Tells the policy of a hit. Those that came before it it has been told of.
    pub(super) fn touch(&mut self, digest: Digest) {
        if let Some((node, _)) = self.entry(digest) {
            self.policy.touch(node);
        }
    }

    /// Tells the policy of all hits that are noted; to be called before any change.
    pub(super) fn catch_up(&mut self) {
        if let Some(touches) = &mut self.touches {
            touches.tell(|node| self.policy.touch(node));
        }
    }

    /// Returns whether there is an entry of type `V`, stale or not.
    pub(super) fn holds<V: Value>(&self, digest: Digest) -> bool {
        self.plain::<V>(digest).is_some() || self.shared::<V>(digest).is_some()
    }

    /// Returns whether the policy wants to hear of each hit.
    pub(super) fn wants_touch(&self) -> bool {
        self.touches.is_some()
    }

    /// Finds an entry of whatever type.
    pub(super) fn entry(&self, digest: Digest) -> Option<(Node, Times)> {
        let Some(directory) = &self.directory else {
            return self.tables.iter().find_map(|table| table.entry(digest));
        };
        let found = directory.find(digest.low(), |node| self.table_of(*node).holds(digest, *node))?;
        self.table_of(*found).entry(digest)
    }

    fn table_of(&self, node: Node) -> &dyn AnyTable {
        self.tables.at(self.nodes.about(node).table)
    }

    /// Puts a value in the place of whatever is stored under the digest.
    pub(super) fn put<H: Send + Sync + 'static>(
        &mut self,
        digest: Digest,
        held: H,
        times: Times,
        weight: u32,
        trash: &mut Trash<'_>,
    ) {
        let index = self.tables.index::<H>();
        let held = match self.tables.of::<H>(index).replace(digest, held, times, trash) {
            Ok((node, end)) => {
                self.reweigh(node, weight);
                if times.expires < end {
                    self.nodes.schedule(node, times.expires);
                }
                return;
            }
            Err(held) => held,
        };
        if !self.tables.is_only(index) {
            // It may be there with a value that is held otherwise.
            self.remove(digest, trash);
        }
        let node = self.add_node(NodeInfo { hash: digest.low(), table: index, weight });
        self.tables.of::<H>(index).insert(Slot { digest, expires: times.expires, value: held, life: times.life, node });
        self.enter_directory(node, digest.low());
        self.policy.insert(node, digest.high(), u64::from(weight));
        self.nodes.schedule(node, times.expires);
        self.weight += u64::from(weight);
    }

    /// Adds an entry to the directory, which begins when there are many tables.
    fn enter_directory(&mut self, node: Node, hash: u64) {
        if self.tables.len() <= FEW_TABLES {
            return;
        }
        let nodes = &self.nodes;
        let hash_of = |node: &Node| nodes.about(*node).hash;
        if let Some(directory) = &mut self.directory {
            directory.insert_unique(hash, node, hash_of);
            return;
        }
        let mut directory = HashTable::new();
        for node in (0..self.given).filter(|node| nodes.about(*node).table != NO_TABLE) {
            directory.insert_unique(hash_of(&node), node, hash_of);
        }
        self.directory = Some(directory);
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
        self.tables.at_mut(table).set_times(digest, times);
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
        let Some(node) = self.choose_victim() else { return false };
        self.forget(node, trash);
        self.departures.evicted += 1;
        true
    }

    /// Asks the policy who is to leave. One that knows of nobody, while there are entries, does not keep the shard from
    /// staying within its budget.
    fn choose_victim(&mut self) -> Option<Node> {
        let (nodes, given) = (&self.nodes, self.given);
        let is_live = |node| node < given && nodes.about(node).table != NO_TABLE;
        let node = self.policy.victim(&mut self.marks, is_live);
        if node.is_some() || self.is_broken() {
            return node;
        }
        let node = self.tables.iter().find_map(AnyTable::any)?;
        self.policy.remove(node);
        Some(node)
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
            match self.tables.at(table).end(hash, node) {
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
        self.tables.at_mut(table).remove(hash, node, trash);
        if let Some(directory) = &mut self.directory
            && let Ok(held) = directory.find_entry(hash, |held| *held == node)
        {
            held.remove();
        }
        self.nodes.about_mut(node).table = NO_TABLE;
        self.weight -= u64::from(weight);
        self.free.push(node);
    }
}

#[cfg(test)]
mod tests;
