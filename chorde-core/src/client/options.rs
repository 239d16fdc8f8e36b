//! How an operation may be narrowed.

use std::fmt;
use std::time::Duration;

use crate::clock::nanos;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Key;

/// Hears of an entry copied to a nearer tier: its key, its value, its remaining life.
pub type OnPromote<'a, V> = &'a (dyn Fn(&Key, &V, Duration) + Send + Sync);

/// Narrows a read.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_core::{CacheExt, InprocClient, ReadOptions, Wait};
///
/// let client = InprocClient::new(10);
/// client.put(&1, "short", Duration::from_secs(2)).wait()?;
/// let long_lived = ReadOptions::new().min_ttl(Duration::from_secs(60));
/// assert_eq!(client.get_with::<&str>(&1, long_lived).wait()?, None);
/// # Ok::<(), chorde_core::Error>(())
/// ```
pub struct ReadOptions<'a, V> {
    /// Entries with less life than this, in nanoseconds, are passed over.
    min_ttl: u64,
    /// How many tiers may be looked at, counted from the nearest.
    max_tiers: usize,
    /// Whether the life left need not be exact as long as there is some.
    is_rough: bool,
    /// Hears of promotions.
    on_promote: Option<OnPromote<'a, V>>,
}

impl<'a, V> ReadOptions<'a, V> {
    /// Creates options that narrow nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { min_ttl: 0, max_tiers: usize::MAX, is_rough: false, on_promote: None }
    }

    /// Passes over entries with less life left than this, as if they were not there.
    #[must_use]
    pub const fn min_ttl(mut self, min_ttl: Duration) -> Self {
        self.min_ttl = nanos(min_ttl);
        self
    }

    /// Looks at no more than this many tiers, the nearest first.
    #[must_use]
    pub const fn max_tiers(mut self, max_tiers: usize) -> Self {
        self.max_tiers = max_tiers;
        self
    }

    /// Calls `hear` for each entry that is copied to a nearer tier.
    #[must_use]
    pub const fn on_promote(mut self, hear: OnPromote<'a, V>) -> Self {
        self.on_promote = Some(hear);
        self
    }

    /// Returns the life that an entry must have left.
    #[must_use]
    pub const fn least_ttl(&self) -> Duration {
        Duration::from_nanos(self.min_ttl)
    }

    /// Returns the same in nanoseconds.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) const fn least_nanos(&self) -> u64 {
        self.min_ttl
    }

    /// Lets a [`look`](crate::Client::look) overstate the life left of an entry that is far from its end: by
    /// `LAG` at most, a few milliseconds as a rule. Whether the entry is valid stays exact.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) const fn roughly(mut self) -> Self {
        self.is_rough = true;
        self
    }

    /// Undoes [`roughly`](Self::roughly), for copies that live elsewhere.
    pub(crate) const fn exactly(mut self) -> Self {
        self.is_rough = false;
        self
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) const fn is_rough(&self) -> bool {
        self.is_rough
    }

    /// Returns how many tiers may be looked at.
    #[must_use]
    pub const fn tiers(&self) -> usize {
        self.max_tiers
    }

    /// Returns who hears of promotions.
    #[must_use]
    pub const fn promotion_hearer(&self) -> Option<OnPromote<'a, V>> {
        self.on_promote
    }
}

impl<V> Default for ReadOptions<'_, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> Clone for ReadOptions<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for ReadOptions<'_, V> {}

impl<V> fmt::Debug for ReadOptions<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOptions")
            .field("min_ttl", &self.least_ttl())
            .field("max_tiers", &self.max_tiers)
            .field("on_promote", &self.on_promote.is_some())
            .finish()
    }
}

/// Narrows a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// How many tiers are written, counted from the nearest.
    max_tiers: usize,
    /// How old the value is already.
    age: Duration,
}

impl WriteOptions {
    /// Creates options that narrow nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_tiers: usize::MAX, age: Duration::ZERO }
    }

    /// Writes a value that is that old already, as a copy of what another store holds: its age is the value's, not that of the
    /// copy. A client that keeps no ages ignores this.
    #[must_use]
    pub const fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Returns how old the value is already.
    #[must_use]
    pub const fn value_age(&self) -> Duration {
        self.age
    }

    /// Writes to no more than this many tiers, the nearest first.
    #[must_use]
    pub const fn max_tiers(mut self, max_tiers: usize) -> Self {
        self.max_tiers = max_tiers;
        self
    }

    /// Returns how many tiers are written.
    #[must_use]
    pub const fn tiers(&self) -> usize {
        self.max_tiers
    }
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns a ttl under which a value can be stored.
pub(super) fn positive(ttl: Duration) -> Result<Duration> {
    if ttl.is_zero() {
        return Err(Error::new(ErrorKind::Ttl, "a ttl of zero: use delete or expire to take a value away"));
    }
    Ok(ttl)
}
