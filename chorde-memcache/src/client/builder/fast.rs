//! The settings that trade freshness for speed, all of them off by default.

use std::sync::Arc;
use std::time::Duration;

use chorde_core::{Clock, Error, ErrorKind, Result};

use super::MemcachedBuilder;
use crate::behind::WriteBehind;
use crate::memory::{Memory, MemoryOptions};
use crate::store::Store;

/// What was set.
#[derive(Debug)]
pub(super) struct Fast {
    options: MemoryOptions,
    pub(super) behind: Option<WriteBehind>,
}

impl Default for Fast {
    fn default() -> Self {
        Self { options: MemoryOptions { entries: 10_000, ..MemoryOptions::default() }, behind: None }
    }
}

impl Fast {
    pub(super) fn memory(&self, store: &Arc<Store>, clock: &Clock) -> Result<Option<Memory>> {
        Memory::new(self.options, clock, &store.counters)
    }

    pub(super) fn check(&self) -> Result<()> {
        let MemoryOptions { hits, misses, entries } = self.options;
        let settings = [
            (
                hits.is_some_and(|most| most.is_zero()),
                "a `succeed_fast` of zero remembers nothing: leave it out, or give some 100 ms",
            ),
            (
                misses.is_some_and(|most| most.is_zero()),
                "a `fail_fast` of zero remembers nothing: leave it out, or give some 100 ms",
            ),
            (entries == 0, "`fast_entries` of zero: give at least 1, or leave `succeed_fast` and `fail_fast` out"),
        ];
        match settings.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, mend)) => Err(Error::new(ErrorKind::Config, *mend)),
            None => self.behind.map_or(Ok(()), |behind| behind.check()),
        }
    }
}

impl MemcachedBuilder {
    /// Remembers in this process, for at most that long, the values that this client reads and writes, and serves them
    /// without asking a server. Off by default.
    ///
    /// Reads of what was just read take nanoseconds instead of a round trip, those of cached functions too. A value is
    /// never served beyond its own life; those with a second or less to live are not remembered. What a server says of a
    /// key, by [`contains`](chorde_core::CacheExt::contains) and claims, is always asked.
    ///
    /// # Staleness
    ///
    /// What other processes write, delete or expire is seen up to this duration later; what this client does is seen by it
    /// at once. A namespace cleared by another process is noticed within [`clear_delay`](Self::clear_delay) as ever, but
    /// servers emptied by another client without a namespace (`flush_all`) are not.
    ///
    /// # Units
    ///
    /// By the client's [clock](Self::clock). The life left that entries show is that told by the server, less what has
    /// passed since.
    #[must_use]
    pub fn succeed_fast(mut self, most: Duration) -> Self {
        self.fast.options.hits = Some(most);
        self
    }

    /// Remembers in this process, for at most that long, which keys were found missing, and lets reads of them miss
    /// without asking a server. Off by default.
    ///
    /// For `get`, `get_multi` and `contains` and their like. The misses of cached functions are claims, which always ask
    /// a server. A value written by this client, or met with by one of its claims, is seen at once.
    ///
    /// # Staleness
    ///
    /// A key written by another process may be missed up to this duration later.
    ///
    /// # Units
    ///
    /// By the client's [clock](Self::clock).
    #[must_use]
    pub fn fail_fast(mut self, most: Duration) -> Self {
        self.fast.options.misses = Some(most);
        self
    }

    /// Sets how many values [`succeed_fast`](Self::succeed_fast) remembers, and how many keys [`fail_fast`](Self::fail_fast)
    /// does, whatever their sizes.
    #[must_use]
    pub fn fast_entries(mut self, entries: u64) -> Self {
        self.fast.options.entries = entries;
        self
    }

    /// Lets `put` and `put_multi` return before a server has the value: it is queued, readable at once through this
    /// client, and written a moment later, many values at a time. Off by default.
    ///
    /// A later value of the same key takes the place of one that still waits, so that keys written often are written to
    /// the servers once for each [pause](WriteBehind::pause). The values of one key are written one after another, and
    /// whatever else this client does with the key comes after its queued value: a delete takes it back; expire, renew,
    /// add, claim and fill have it written first. Cached functions store by fill, which waits for a server as ever.
    ///
    /// A value that finds the queue full is written at once and waited for. Its life counts from the `put`.
    ///
    /// # Staleness
    ///
    /// Other processes see a value later: by the pause, and while a server hangs by up to the
    /// [deadline](Self::deadline) more. A value that cannot be written is lost, as one that was put directly, but `put`
    /// has returned: it is counted in [`lost_writes`](crate::MemcachedStats::lost_writes), logged, and told by
    /// [`flush`](crate::MemcachedClient::flush). Dropping the client loses nothing, but the end of the process does, and
    /// nobody is told: call `flush` before.
    #[must_use]
    pub fn write_behind(mut self, options: WriteBehind) -> Self {
        self.fast.behind = Some(options);
        self
    }
}
