//! Calls an eviction policy, which may be the user's code, such that a panic of it leaves the shard whole.
//!
//! The shard calls the policy in the midst of its own changes, with values in its hands. So a panic is caught here and
//! kept; from then on the policy is not called any more, and whoever holds the shard's lock empties the shard, starts with a
//! new policy and lets the panic go on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use super::policy::{EvictionPolicy, Marks, Node};

pub(super) type Panic = Box<dyn Any + Send>;

pub(super) struct PolicyGuard {
    policy: Box<dyn EvictionPolicy>,
    /// What the policy panicked with; in a mutex, for it may be passed on to another thread but not shared by several.
    panic: Option<Mutex<Panic>>,
}

impl PolicyGuard {
    pub(super) fn new(policy: Box<dyn EvictionPolicy>) -> Self {
        Self { policy, panic: None }
    }

    #[inline]
    fn call<R>(&mut self, call: impl FnOnce(&mut dyn EvictionPolicy) -> R) -> Option<R> {
        if self.panic.is_some() {
            return None;
        }
        let policy = &mut *self.policy;
        catch_unwind(AssertUnwindSafe(|| call(policy))).map_err(|panic| self.panic = Some(Mutex::new(panic))).ok()
    }

    pub(super) fn insert(&mut self, node: Node, hash: u64, weight: u64) {
        self.call(|policy| policy.insert(node, hash, weight));
    }

    pub(super) fn update(&mut self, node: Node, weight: u64) {
        self.call(|policy| policy.update(node, weight));
    }

    pub(super) fn remove(&mut self, node: Node) {
        self.call(|policy| policy.remove(node));
    }

    pub(super) fn touch(&mut self, node: Node) {
        self.call(|policy| policy.touch(node));
    }

    /// Returns the policy's victim, if the policy works and `is_live` knows the node.
    pub(super) fn victim(&mut self, marks: &mut Marks, is_live: impl Fn(Node) -> bool) -> Option<Node> {
        let judge = |policy: &mut dyn EvictionPolicy| {
            let node = policy.victim(marks)?;
            assert!(
                is_live(node),
                "the eviction policy chose node {node} to leave, which it was not given or has left"
            );
            Some(node)
        };
        self.call(judge).flatten()
    }

    pub(super) fn has_panicked(&self) -> bool {
        self.panic.is_some()
    }

    pub(super) fn into_panic(self) -> Option<Panic> {
        Some(self.panic?.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
