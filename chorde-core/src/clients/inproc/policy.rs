//! Decides which entry of a shard leaves when the shard's budget is spent.
//!
//! A policy is pure bookkeeping: it never sees keys' bytes, values, clocks or locks. The shard that owns it calls it
//! under its write lock and identifies entries by [`Node`], a small dense number that it reuses after a removal. Reads
//! do not call the policy at all: a hit only raises the entry's mark in [`Marks`] (and is noted for later, where the policy
//! [wants touches](EvictionPolicy::wants_touch)), and the policy looks at the marks when it must choose a victim.

use std::sync::atomic::{AtomicU8, Ordering};

/// Identifies an entry of one shard; dense, reused after the entry is gone.
pub type Node = u32;

/// Counts the hits of each entry since the policy last cleared them, saturating at a small limit.
///
/// Raised under the shard's read lock by concurrent readers, read and cleared by the policy under the write lock. A
/// raise lost between two racing readers is harmless.
#[derive(Debug, Default)]
pub struct Marks {
    /// One saturating counter per node.
    marks: Vec<AtomicU8>,
}

impl Marks {
    /// Creates marks for no node at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the mark of `node` by one unless it has reached `limit`.
    #[inline]
    pub fn raise(&self, node: Node, limit: u8) {
        if let Some(mark) = self.marks.get(node as usize) {
            let value = mark.load(Ordering::Relaxed);
            if value < limit {
                mark.store(value + 1, Ordering::Relaxed);
            }
        }
    }

    /// Returns the mark of `node`; zero for a node it has never seen.
    #[must_use]
    pub fn get(&self, node: Node) -> u8 {
        self.marks.get(node as usize).map_or(0, |mark| mark.load(Ordering::Relaxed))
    }

    /// Sets the mark of `node`, growing as needed.
    pub fn set(&mut self, node: Node, value: u8) {
        let index = node as usize;
        if index >= self.marks.len() {
            self.marks.resize_with(index + 1, AtomicU8::default);
        }
        *self.marks[index].get_mut() = value;
    }
}

/// Chooses victims for one shard.
///
/// Called under the shard's write lock, so implementations need no synchronisation of their own. They must not use any
/// in-process client, which panics. A policy that panics, or answers with a node that it was not given, costs its shard all entries:
/// that begins anew with another policy, and the panic goes on to whoever used the client. Every node passed in
/// is live from its `insert` until its `remove`, or until `victim` returns it. The shard clears a node's mark before
/// `insert`.
pub trait EvictionPolicy: std::fmt::Debug + Send + Sync + 'static {
    /// Adds a new entry. `hash` is 64 well-mixed bits of its key, the same whenever that key comes back, so that a
    /// policy can remember keys that it evicted. `weight` is in the shard's unit, 1 where no weigher is set.
    fn insert(&mut self, node: Node, hash: u64, weight: u64);

    /// Notes that the entry's value was replaced, perhaps by one of another weight. The shard has raised its mark.
    fn update(&mut self, node: Node, weight: u64);

    /// Forgets an entry that left for another reason than eviction: deleted, expired, cleared.
    fn remove(&mut self, node: Node);

    /// Picks the entry to evict and forgets it as a live one, or returns `None` when there is none. Must not return
    /// the entry inserted last while there is any other.
    fn victim(&mut self, marks: &mut Marks) -> Option<Node>;

    /// Returns how high a mark may rise; above it hits cost readers nothing at all.
    fn mark_limit(&self) -> u8 {
        3
    }

    /// Returns whether each hit must call [`touch`](Self::touch). Then each hit is noted, which costs readers two writes, of which
    /// one is to a line that all threads share, and every 64th hit of a thread takes the write lock.
    fn wants_touch(&self) -> bool {
        false
    }

    /// Notes a hit, in exact order and before any other call that comes after the hit; called only when [`wants_touch`](Self::wants_touch) says so.
    fn touch(&mut self, node: Node) {
        let _ = node;
    }
}
