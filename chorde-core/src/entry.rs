//! What a client holds under a key, and what it can say of it at once.

use std::time::Duration;

use crate::clock::nanos;

/// Holds a value together with its remaining life.
///
/// An entry is valid while it has life left. A stale one is past its life (or marked so) and merely not yet thrown
/// away: only [`get_ttl`](crate::CacheExt::get_ttl) and its like show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<V> {
    /// The value.
    pub value: V,
    /// Nanoseconds of life left; zero when stale.
    remaining: u64,
    /// Nanoseconds since the value was stored; [`UNKNOWN`] where the client cannot tell.
    age: u64,
    /// Differs between entries, is the same each time one entry is read; from it the refresh point is drawn.
    seed: u64,
}

/// Marks an age that nobody knows.
const UNKNOWN: u64 = u64::MAX;

impl<V> Entry<V> {
    /// Creates an entry with that much life left; none makes it a stale one.
    #[must_use]
    pub fn new(value: V, remaining: Duration) -> Self {
        Self::from_nanos(value, nanos(remaining), UNKNOWN, 0)
    }

    #[inline]
    pub(crate) fn from_nanos(value: V, remaining: u64, age: u64, seed: u64) -> Self {
        Self { value, remaining, age, seed }
    }

    /// Adds how long ago the value was stored.
    #[must_use]
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = nanos(age);
        self
    }

    /// Adds a number that stays the same as long as this entry is not replaced, and differs between entries.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Returns the life left; zero when stale.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        Duration::from_nanos(self.remaining)
    }

    /// Returns whether the entry is past its life.
    #[inline]
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.remaining == 0
    }

    /// Returns how long ago the value was stored, where the client can tell.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        (self.age != UNKNOWN).then(|| Duration::from_nanos(self.age))
    }

    /// Returns the same entry with its value mapped.
    pub fn map<W>(self, map: impl FnOnce(V) -> W) -> Entry<W> {
        Entry { value: map(self.value), remaining: self.remaining, age: self.age, seed: self.seed }
    }

    /// Returns what a decision needs to know.
    #[inline]
    pub(crate) fn vitals(&self) -> Vitals {
        Vitals { remaining: self.remaining, age: (self.age != UNKNOWN).then_some(self.age), seed: self.seed }
    }
}

/// Says how an entry stands in time, without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vitals {
    /// Nanoseconds of life left; zero when stale.
    pub(crate) remaining: u64,
    /// Nanoseconds since the value was stored, where known.
    pub(crate) age: Option<u64>,
    /// What the refresh point is drawn from.
    pub(crate) seed: u64,
}

/// Answers what a client knows about a key without waiting.
#[derive(Clone, Debug)]
pub enum Lookup<V> {
    /// Nothing is held.
    Absent,
    /// This entry is held, perhaps a stale one.
    Held(Entry<V>),
}

impl<V> Lookup<V> {
    /// Returns the entry if there is one.
    pub fn into_entry(self) -> Option<Entry<V>> {
        match self {
            Self::Absent => None,
            Self::Held(entry) => Some(entry),
        }
    }
}
