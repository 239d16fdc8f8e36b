//! What a client holds under a key, and what it can say of it at once.

use std::fmt;
use std::time::Duration;

use crate::clock::nanos;
use crate::life;
use crate::policy::CallPolicy;

/// Holds a value together with its remaining life.
///
/// An entry is valid while it has life left. A stale one is past its life (or marked so) and merely not yet thrown
/// away: only [`get_ttl`](crate::CacheExt::get_ttl) and its like show it.
#[derive(Clone, PartialEq)]
pub struct Entry<V> {
    /// The value.
    pub value: V,
    /// Where the entry stands in time.
    vitals: Vitals,
}

impl<V> Entry<V> {
    /// Creates an entry with that much life left; none makes it a stale one.
    #[must_use]
    pub fn new(value: V, remaining: Duration) -> Self {
        let left = i64::try_from(nanos(remaining)).unwrap_or(i64::MAX);
        Self { value, vitals: Vitals { left, life: UNKNOWN, seed: 0, is_copy: false } }
    }

    #[inline]
    pub(crate) fn with_vitals(value: V, vitals: Vitals) -> Self {
        Self { value, vitals }
    }

    /// Adds how long ago the value was stored.
    #[must_use]
    pub fn with_age(mut self, age: Duration) -> Self {
        self.vitals.life = life::in_24_bits(nanos(age).saturating_add(self.vitals.remaining()));
        self
    }

    /// Adds a number that stays the same as long as this entry is not replaced, and differs between entries.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.vitals.seed = seed;
        self
    }

    /// Marks the entry as a copy whose own end comes before that of the value it is a copy of.
    pub(crate) fn copied(mut self) -> Self {
        self.vitals.is_copy = true;
        self
    }

    /// Returns the entry as a call with this ttl sees it: a value that is that old is stale, however long it may still be
    /// kept.
    pub(crate) fn within(mut self, policy: &CallPolicy) -> Self {
        self.vitals = self.vitals.within(policy);
        self
    }

    /// Returns the number that tells this entry from others under the same key; zero where the client has none.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.vitals.seed
    }

    /// Returns the life left; zero when stale.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        Duration::from_nanos(self.vitals.remaining())
    }

    /// Returns whether the entry is past its life.
    #[inline]
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.vitals.left <= 0
    }

    /// Returns how long ago the value was stored, to within a ten-millionth, where the client can tell.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.vitals.age().map(Duration::from_nanos)
    }

    /// Returns the same entry with its value mapped.
    pub fn map<W>(self, map: impl FnOnce(V) -> W) -> Entry<W> {
        Entry { value: map(self.value), vitals: self.vitals }
    }

    /// Returns what a decision needs to know.
    #[inline]
    pub(crate) fn vitals(&self) -> Vitals {
        self.vitals
    }
}

impl<V: fmt::Debug> fmt::Debug for Entry<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("value", &self.value)
            .field("remaining", &self.remaining())
            .field("age", &self.age())
            .finish()
    }
}

/// Marks a life that nobody knows.
const UNKNOWN: f32 = f32::INFINITY;

/// Says how an entry stands in time, without its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Vitals {
    /// Nanoseconds of life left; how long the entry has been stale, if negative.
    pub(crate) left: i64,
    /// Nanoseconds from the write to the end; [`UNKNOWN`] where the client cannot tell.
    pub(crate) life: f32,
    /// Differs between entries, is the same each time one entry is read; from it the refresh point is drawn.
    pub(crate) seed: u64,
    /// Whether the end is that of a copy, which may come before the value's own.
    pub(crate) is_copy: bool,
}

impl Vitals {
    /// Returns the same for an entry that is older by that much.
    pub(crate) fn older_by(self, nanos: u64) -> Self {
        Self { left: self.left.saturating_sub_unsigned(nanos), ..self }
    }

    /// Returns the same with another seed, unless that is zero.
    pub(crate) fn seeded(self, seed: u64) -> Self {
        Self { seed: if seed == 0 { self.seed } else { seed }, ..self }
    }

    /// Returns the nanoseconds of life left; zero when stale.
    #[inline]
    pub(crate) fn remaining(self) -> u64 {
        self.left.max(0).cast_unsigned()
    }

    /// Returns the nanoseconds since the value was stored: not less than that, and more by a ten-millionth of its life at most.
    pub(crate) fn age(self) -> Option<u64> {
        // A life is known to 24 bits only: what is left of it may seem to be more than all.
        self.life.is_finite().then(|| (f64::from(self.life) - self.left as f64).max(0.0) as u64)
    }

    /// Returns the nanoseconds since the value was stored: not more than that, and less by a ten-millionth of its life at most.
    pub(crate) fn least_age(self) -> Option<u64> {
        let life = if self.life > life::LONG as f32 { self.life } else { self.life.next_down() };
        self.life.is_finite().then(|| (f64::from(life) - self.left as f64).max(0.0) as u64)
    }

    /// Returns the nanoseconds that a call's ttl must exceed for a valid entry to be served to it, as [`within`](Self::within) has it.
    pub(crate) fn exceeded(self) -> u64 {
        self.age().unwrap_or_else(|| self.remaining().saturating_sub(1))
    }

    /// Returns whether the entry may be kept for longer than a call allows, so that its age counts beside its end.
    #[inline]
    pub(crate) fn outlives(self, policy: &CallPolicy) -> bool {
        self.life > policy.longest
    }

    /// Returns how the entry stands for a call with this ttl: a value that is that old is stale. One of unknown age is if it has
    /// more left than the ttl, for then it was stored under a longer one.
    #[inline]
    pub(crate) fn within(self, policy: &CallPolicy) -> Self {
        if self.outlives(policy) { self.cut(policy) } else { self }
    }

    #[cold]
    fn cut(self, policy: &CallPolicy) -> Self {
        let Some(age) = self.age() else {
            let left = if self.remaining() > policy.ttl { 0 } else { self.left };
            return Self { left, ..self };
        };
        let allowed = i64::try_from(policy.ttl.saturating_sub(age)).unwrap_or(i64::MAX);
        let left = self.left.min(allowed);
        Self { left, life: life::in_24_bits(age.saturating_add_signed(left)), ..self }
    }
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
    /// Returns the same with its entry mapped.
    pub(crate) fn map_entry(self, map: impl FnOnce(Entry<V>) -> Entry<V>) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Held(entry) => Self::Held(map(entry)),
        }
    }

    /// Returns the entry if there is one.
    pub fn into_entry(self) -> Option<Entry<V>> {
        match self {
            Self::Absent => None,
            Self::Held(entry) => Some(entry),
        }
    }
}
