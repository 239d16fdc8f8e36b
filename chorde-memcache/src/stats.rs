//! What a client counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the counters once: as atomics, and as the snapshot that users see.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counts what a [`MemcachedClient`](crate::MemcachedClient) and its servers did; a snapshot.
        ///
        /// Counts of different kinds are read one after another, not at one instant.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct MemcachedStats {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        /// The counters of one client.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Count,)+
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> MemcachedStats {
                MemcachedStats { $($name: self.$name.get(),)+ }
            }
        }
    };
}

counters! {
    /// Keys read that had a valid value.
    hits,
    /// Keys read that had none, those included that could not be asked for or used.
    misses,
    /// Values stored.
    stores,
    /// Claims won: this process was to compute.
    claims_won,
    /// Claims that another process had won.
    claims_held,
    /// Claims taken from a process that had held them for longer than a lease.
    claims_repaired,
    /// Values not stored because the key was written or invalidated since it was claimed.
    superseded,
    /// Values that are not of this library, or of a later version of its format: misses.
    foreign,
    /// Values of which the signature or the contents are wrong: altered, damaged, torn, signed with an unknown key, of
    /// another type, or beyond the limits. Misses.
    damaged,
    /// Values that the server refused as too large.
    too_large,
    /// Operations that a server did not answer within the deadline.
    timeouts,
    /// Operations that failed otherwise: no connection, a lost one, a wrong answer.
    failures,
    /// Operations sent a second time, since their connection was lost: those that the server cannot have seen, and those that
    /// come to the same when they are carried out twice. A failure is counted only if the second attempt fails too.
    resent,
    /// Operations refused because too many were waiting for a server.
    refused,
    /// Times that a server was taken out of use.
    outages,
    /// Times that a server came back into use.
    recoveries,
    /// Operations sent to another server than the key's own, which was out of use.
    failovers,
    /// Reads that missed because no server was in use.
    unserved_reads,
    /// Writes dropped because no server was in use, or because a queued write could not be carried out.
    lost_writes,
    /// Removals made up for on a server, of keys that were changed without it, or may have been. Until then it is not asked
    /// for them.
    replays,
    /// Removals that could not be made up for: more than are remembered for a server.
    replays_lost,
    /// Reads answered by the memory of [`succeed_fast`](crate::MemcachedBuilder::succeed_fast); not among `hits`.
    fast_hits,
    /// Reads answered by the memory of [`fail_fast`](crate::MemcachedBuilder::fail_fast); not among `misses`.
    fast_misses,
    /// Values queued by [`write_behind`](crate::MemcachedBuilder::write_behind).
    queued_writes,
    /// Of those, the ones that took the place of an earlier value of the same key, which was never written.
    coalesced_writes,
    /// Values written at once because the queue of `write_behind` was full.
    written_through,
    /// Connections made.
    connections,
    /// Times that the list of servers changed.
    reloads,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
