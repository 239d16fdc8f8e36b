//! Evicts the entry used longest ago, exactly.
//!
//! The order is one chain of nodes, so that every operation is O(1). What counts as use is chosen at construction: with
//! touches every hit moves its entry, of which the shard tells in batches (`touches.rs`); without, only writes do, which is
//! first in, first out by time of write and leaves reads free. Marks play no part.

use super::links::{Chain, Links};
use super::policy::{EvictionPolicy, Marks, Node};

/// Evicts the least recently used entry.
#[derive(Debug)]
pub(super) struct Lru {
    /// Neighbours in order of use.
    links: Links,
    /// All live entries, the newest used last.
    order: Chain,
    /// Whether reads count as use.
    touch_on_read: bool,
}

impl Lru {
    /// Creates an empty order; `touch_on_read` says whether hits count as use, or writes alone.
    #[must_use]
    pub(super) fn new(touch_on_read: bool) -> Self {
        Self { links: Links::default(), order: Chain::EMPTY, touch_on_read }
    }

    /// Makes a live node the most recently used.
    fn use_now(&mut self, node: Node) {
        self.links.unlink(&mut self.order, node);
        self.links.push_newest(&mut self.order, node);
    }
}

impl EvictionPolicy for Lru {
    fn insert(&mut self, node: Node, _hash: u64, _weight: u64) {
        self.links.reserve(node);
        self.links.push_newest(&mut self.order, node);
    }

    fn update(&mut self, node: Node, _weight: u64) {
        self.use_now(node);
    }

    fn remove(&mut self, node: Node) {
        self.links.unlink(&mut self.order, node);
    }

    fn victim(&mut self, _marks: &mut Marks) -> Option<Node> {
        let node = self.order.oldest()?;
        self.links.unlink(&mut self.order, node);
        Some(node)
    }

    fn wants_touch(&self) -> bool {
        self.touch_on_read
    }

    fn touch(&mut self, node: Node) {
        self.use_now(node);
    }
}

#[cfg(test)]
mod tests;
