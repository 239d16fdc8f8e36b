//! The in-process client: any values, bounded, with a time to live each.
//!
//! Entries are spread over shards by the digest of their keys. A hit takes the read half of one shard's lock, whose
//! readers write to cache lines of their own so that those on different cores do not disturb one another, and neither
//! allocates nor moves anything. The values of one type lie inline in one table of each shard, if copying them runs no code of the
//! user's; others lie behind a reference count, so that none of it runs under a lock.
//!
//! All value types of a client share one budget. When it is spent, an expired entry leaves, or else the one that the
//! eviction policy chooses.

mod builder;
mod client;
mod expiry;
mod held;
mod janitor;
mod links;
mod locks;
#[cfg(test)]
#[path = "inproc/locks/tests.rs"]
mod locks_tests;
mod plain_types;
mod policy;
mod policy_duel;
mod policy_guard;
mod policy_lru;
mod registry;
mod shard;
mod table;
mod tables;
mod touches;

pub use builder::{ENTRY_OVERHEAD, InprocBuilder, Policy};
pub use client::InprocClient;
pub use janitor::{Janitor, start_janitor};
pub use policy::{EvictionPolicy, Marks, Node};
pub use registry::{InprocStats, clear_all, purge_all, stats};
