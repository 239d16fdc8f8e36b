//! The tables of one shard: one for each plain type of values, and one for all others.
//!
//! Whichever table an entry lies in, and however many there are, it is found in constant time: by the type of its value,
//! or by its digest alone.

use std::any::{Any, TypeId};
use std::hash::{Hash, Hasher};

use hashbrown::HashTable;

use super::held::Shared;
use super::table::{AnyTable, Slot, Table};
use crate::digest::Digest;

/// Stands for the table of shared values.
const SHARED: u32 = 0;
/// Stands for the table of the plain type that was seen first; those of others follow.
const FIRST: u32 = 1;

pub(super) struct Tables {
    /// Values of all types that are not plain.
    shared: Table<Shared>,
    /// The table of the plain type that was seen first; most clients hold one type.
    first: Option<Box<dyn AnyTable>>,
    /// Those of other plain types.
    others: Vec<Box<dyn AnyTable>>,
    /// Which of these is a type's.
    by_type: HashTable<(TypeId, u32)>,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self { shared: Table::new(), first: None, others: Vec::new(), by_type: HashTable::new() }
    }

    /// Finds an entry with a plain value of type `V`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn find_plain<V: Send + Sync + 'static>(&self, digest: Digest) -> Option<&Slot<V>> {
        let first = self.first.as_deref()?;
        let table = match typed::<V>(first) {
            Some(table) => table,
            None => self.find_table()?,
        };
        table.find(digest)
    }

    #[cold]
    fn find_table<V: Send + Sync + 'static>(&self) -> Option<&Table<V>> {
        typed(self.at(self.index_of(TypeId::of::<V>())?))
    }

    /// Finds an entry with a shared value of whatever type.
    #[cfg_attr(not(debug_assertions), inline)]
    pub(super) fn find_shared(&self, digest: Digest) -> Option<&Slot<Shared>> {
        self.shared.find(digest)
    }

    fn index_of(&self, id: TypeId) -> Option<u32> {
        self.by_type.find(hash_of(id), |(held, _)| *held == id).map(|(_, index)| *index)
    }

    /// Returns the index of the table for values held as `H`, which is made if there is none.
    #[inline]
    pub(super) fn index<H: Send + Sync + 'static>(&mut self) -> u32 {
        if TypeId::of::<H>() == TypeId::of::<Shared>() {
            return SHARED;
        }
        if self.first.as_deref().is_some_and(|table| typed::<H>(table).is_some()) {
            return FIRST;
        }
        self.find_or_add::<H>()
    }

    #[cold]
    fn find_or_add<H: Send + Sync + 'static>(&mut self) -> u32 {
        let id = TypeId::of::<H>();
        if let Some(index) = self.index_of(id) {
            return index;
        }
        let table = Box::new(Table::<H>::new());
        let index = if self.first.is_none() {
            self.first = Some(table);
            FIRST
        } else {
            self.others.push(table);
            FIRST + self.others.len() as u32
        };
        self.by_type.insert_unique(hash_of(id), (id, index), |(id, _)| hash_of(*id));
        index
    }

    /// Returns how many tables there are.
    pub(super) fn len(&self) -> usize {
        1 + usize::from(self.first.is_some()) + self.others.len()
    }

    /// Returns whether all entries are in this table.
    pub(super) fn is_only(&self, index: u32) -> bool {
        if index == SHARED { self.first.is_none() } else { self.others.is_empty() && self.shared.len() == 0 }
    }

    /// Returns all tables, in the order of their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn AnyTable> {
        let shared: &dyn AnyTable = &self.shared;
        std::iter::once(shared).chain(self.first.iter().chain(&self.others).map(|table| &**table))
    }

    pub(super) fn at(&self, index: u32) -> &dyn AnyTable {
        match index {
            SHARED => &self.shared,
            FIRST => &**self.first.as_ref().expect("invariant: there is a first table"),
            other => &*self.others[(other - FIRST - 1) as usize],
        }
    }

    pub(super) fn at_mut(&mut self, index: u32) -> &mut dyn AnyTable {
        match index {
            SHARED => &mut self.shared,
            FIRST => &mut **self.first.as_mut().expect("invariant: there is a first table"),
            other => &mut *self.others[(other - FIRST - 1) as usize],
        }
    }

    /// Returns the table at the [index](Self::index) of `H`.
    pub(super) fn of<H: Send + Sync + 'static>(&mut self, index: u32) -> &mut Table<H> {
        let table: &mut dyn Any = self.at_mut(index);
        table.downcast_mut().expect("invariant: the table at a type's index holds that type")
    }
}

/// Returns the table as one of values held as `H`, if it is.
#[cfg_attr(not(debug_assertions), inline(always))]
fn typed<H: Send + Sync + 'static>(table: &dyn AnyTable) -> Option<&Table<H>> {
    let table: &dyn Any = table;
    table.downcast_ref()
}

/// Returns the number by which the compiler tells types apart, which is a good hash.
fn hash_of(id: TypeId) -> u64 {
    struct Bits(u64);
    impl Hasher for Bits {
        fn write(&mut self, bytes: &[u8]) {
            self.0 = bytes.iter().fold(self.0, |bits, byte| bits.rotate_left(8) ^ u64::from(*byte));
        }
        fn write_u64(&mut self, bits: u64) {
            self.0 ^= bits;
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut bits = Bits(0);
    id.hash(&mut bits);
    bits.finish()
}
