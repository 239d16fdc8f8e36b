//! A table that many threads read and change at the same time, by key.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use dashmap::DashMap;

/// Holds values by key. A lock is held while a closure runs: it must be short, and use no table.
pub(crate) struct Table<K, V, S = RandomState>(DashMap<K, V, S>);

impl<K: Eq + Hash, V, S: BuildHasher + Clone + Default> Table<K, V, S> {
    /// Makes an empty table that is spread over that many locks, a power of two.
    pub(crate) fn spread(locks: usize) -> Self {
        Self(DashMap::with_hasher_and_shard_amount(S::default(), locks))
    }

    /// Returns a copy of the value of a key.
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        self.0.get(key).map(|value| value.clone())
    }

    /// Changes the value of a key, which is made if there is none.
    pub(crate) fn change<R>(&self, key: K, make: impl FnOnce() -> V, change: impl FnOnce(&mut V) -> R) -> R {
        change(&mut self.0.entry(key).or_insert_with(make))
    }

    /// Takes out the value of a key, if it is one of those that `is_meant` names.
    pub(crate) fn remove_if(&self, key: &K, is_meant: impl FnOnce(&V) -> bool) -> Option<V> {
        self.0.remove_if(key, |_, value| is_meant(value)).map(|(_, value)| value)
    }

    /// Drops all but those of which `is_kept` says so.
    pub(crate) fn retain(&self, is_kept: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain(is_kept);
    }

    /// Returns how many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Spreads a table for all processors.
impl<K: Eq + Hash, V, S: BuildHasher + Clone + Default> Default for Table<K, V, S> {
    fn default() -> Self {
        Self(DashMap::with_hasher(S::default()))
    }
}

impl<K, V, S> fmt::Debug for Table<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Table")
    }
}
