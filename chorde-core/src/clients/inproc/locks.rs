//! The locks of a store's shards: a reader writes only where no other reader writes.
//!
//! This is the one module with `unsafe` in it. What it is for: a hit is little more than a look-up and a lock, and a
//! reader-writer lock takes two atomic changes of a word that all readers share. Here a reader that owns a
//! [lane](crate::lanes) says by one exchange, on a line of its own, that it is there, and by a plain store that it has
//! gone; a writer looks at all lines. The figures are in `benches/README.md`.
//!
//! # Why it is right
//!
//! There are two words for a reader and a writer to agree by: the reader's `presence` and the shard's `is_writing`.
//! A reader stores its presence, then loads `is_writing`; a writer stores `is_writing`, then loads each presence. All
//! four are sequentially consistent, so that of the two loads at least one comes after the other's store in their
//! total order, and sees it (Dekker's argument). So it cannot be that both go on: the reader takes its presence back and
//! queues for the writer's mutex, or the writer waits until the presence is gone. Who goes on later has acquired what the
//! other released: presence is taken back by a release store which the writer's load acquires; readers that were
//! held up come through the mutex, and others load `is_writing` as the writer's release store left it.
//!
//! What is done under a lock is the store's own, but for an eviction policy, which may be the user's. Such a policy that uses a
//! store, this one or another, would wait for itself, or for one that waits for it. So a thread that writes is known as one
//! ([`IS_WRITING`]), and panics where it would have to wait: a writer never waits for a lock while it holds another.
//!
//! A presence that was raised before `is_writing` holds writers off, so that a thread which reads a shard may read
//! it again at any time. A lane has one owner at a time, and a new one acquires what the last one did. A lane that is dealt
//! after a writer has asked how many there are belongs to a thread whose load of `is_writing` comes later still.
//!
//! `tests/locks.rs` runs this file against a model checker's primitives, in random orders. That checker takes all accesses
//! for sequentially consistent; the tests in `locks/tests.rs` run under Miri as well (`./prove locks`), which knows weaker
//! memory. Miri of before July 2026 lets a sequentially consistent load return what C++20 forbids and finds
//! races here that there are not.

#![expect(unsafe_code, reason = "a lock hands out references to what it guards; see above for what it gains")]

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut, Range};

use crossbeam_utils::CachePadded;

use crate::lanes::{LANES, Lane, dealt};
use crate::sync::{AtomicBool, AtomicU32, Mutex, MutexGuard, Ordering, lock, pause};

/// How many words of presence share a line, that of one lane.
const WORDS: usize = 32;

thread_local! {
    /// Whether this thread holds a lock for writing.
    static IS_WRITING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Values, each behind a reader-writer lock of its own, that share the lines on which readers say that they are there.
pub(super) struct Locks<T> {
    cells: Box<[Cell<T>]>,
    /// How many times each lane's owner is reading each value; [`WORDS`] values to a block.
    presence: Box<[Block]>,
}

type Block = [CachePadded<[AtomicU32; WORDS]>; LANES];

struct Cell<T> {
    /// Whether somebody writes, or waits for readers to leave.
    is_writing: AtomicBool,
    /// How many readers there are that own no lane.
    guests: AtomicU32,
    /// Held by the one who writes.
    writer: Mutex<()>,
    value: UnsafeCell<T>,
}

// SAFETY: `&Locks<T>` gives `&T` to several threads at once (`T: Sync`) and `&mut T` to one at a time, which can move the
// value elsewhere (`T: Send`); by the argument above never both at the same time.
unsafe impl<T: Send + Sync> Sync for Locks<T> {}

impl<T> Locks<T> {
    pub(super) fn new(values: impl Iterator<Item = T>) -> Self {
        let cells: Box<[_]> = values.map(Cell::new).collect();
        let presence = (0..cells.len().div_ceil(WORDS)).map(|_| Block::default()).collect();
        Self { cells, presence }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn indices(&self) -> Range<usize> {
        0..self.len()
    }

    /// Waits until nobody writes the value, and keeps writers away.
    ///
    /// # Panics
    ///
    /// If there is no such value.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn read(&self, index: usize) -> Reading<'_, T> {
        let cell = &self.cells[index];
        let Some(lane) = Lane::owned() else { return self.read_slowly(index) };
        let presence = self.presence(index, lane);
        let before = presence.load(Ordering::Relaxed);
        presence.swap(before + 1, Ordering::SeqCst);
        if cell.is_writing.load(Ordering::SeqCst) && before == 0 {
            presence.store(0, Ordering::Release);
            return cell.queue(presence, true);
        }
        Reading { cell, presence, is_owned: true }
    }

    #[cold]
    fn read_slowly(&self, index: usize) -> Reading<'_, T> {
        let lane = Lane::mine();
        if lane.is_owned() {
            return self.read(index);
        }
        let cell = &self.cells[index];
        cell.guests.fetch_add(1, Ordering::SeqCst);
        if cell.is_writing.load(Ordering::SeqCst) {
            cell.guests.fetch_sub(1, Ordering::Release);
            return cell.queue(&cell.guests, false);
        }
        Reading { cell, presence: &cell.guests, is_owned: false }
    }

    /// Waits until nobody else reads or writes the value, and keeps all others away.
    ///
    /// # Panics
    ///
    /// If there is no such value, if this thread is reading it, or if it is writing any: it could wait for itself for ever.
    pub(super) fn write(&self, index: usize) -> Writing<'_, T> {
        let cell = &self.cells[index];
        refuse_writers();
        if let Some(lane) = Lane::owned() {
            let is_reading = self.presence(index, lane).load(Ordering::Relaxed) > 0;
            assert!(!is_reading, "invariant: nobody writes what they read");
        }
        let writer = lock(&cell.writer);
        IS_WRITING.set(true);
        // Made first, so that the lock is released whatever happens.
        let writing = Writing { cell, _writer: writer };
        cell.is_writing.swap(true, Ordering::SeqCst);
        for lane in &self.presence[index / WORDS][..dealt()] {
            wait_for_none(&lane[index % WORDS]);
        }
        wait_for_none(&cell.guests);
        writing
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn presence(&self, index: usize, lane: Lane) -> &AtomicU32 {
        &self.presence[index / WORDS][lane.index()][index % WORDS]
    }
}

/// Panics on a thread that holds a lock for writing.
fn refuse_writers() {
    assert!(
        !IS_WRITING.get(),
        "an eviction policy uses an in-process cache, which is not possible: it is called under the cache's lock"
    );
}

/// Waits until the readers that are there have left. They stay for as long as it takes to find an entry.
fn wait_for_none(presence: &AtomicU32) {
    let mut rounds = 0_u32;
    while presence.load(Ordering::SeqCst) > 0 {
        pause(rounds);
        rounds = rounds.saturating_add(1);
    }
}

impl<T> Cell<T> {
    fn new(value: T) -> Self {
        Self {
            is_writing: AtomicBool::new(false),
            guests: AtomicU32::new(0),
            writer: Mutex::new(()),
            value: UnsafeCell::new(value),
        }
    }

    /// Reads when those who write have left. While the mutex is held nobody writes, nor begins to.
    #[cold]
    fn queue<'a>(&'a self, presence: &'a AtomicU32, is_owned: bool) -> Reading<'a, T> {
        refuse_writers();
        let nobody_writes = lock(&self.writer);
        presence.fetch_add(1, Ordering::SeqCst);
        drop(nobody_writes);
        Reading { cell: self, presence, is_owned }
    }
}

/// The value of a lock, for reading; releases it when dropped. Stays on its thread, as the lane does.
pub(super) struct Reading<'a, T> {
    cell: &'a Cell<T>,
    /// Where this reader is counted.
    presence: &'a AtomicU32,
    /// Whether nobody else counts there.
    is_owned: bool,
}

impl<T> Deref for Reading<'_, T> {
    type Target = T;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn deref(&self) -> &T {
        // SAFETY: while this guard lives its reader is present, so that no `Writing` of this cell exists.
        unsafe { &*self.cell.value.get() }
    }
}

impl<T> Drop for Reading<'_, T> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop(&mut self) {
        if self.is_owned {
            self.presence.store(self.presence.load(Ordering::Relaxed) - 1, Ordering::Release);
        } else {
            self.presence.fetch_sub(1, Ordering::Release);
        }
    }
}

/// The value of a lock, for writing; releases it when dropped.
pub(super) struct Writing<'a, T> {
    cell: &'a Cell<T>,
    /// Released after `is_writing` is taken back.
    _writer: MutexGuard<'a, ()>,
}

impl<T> Deref for Writing<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: as below.
        unsafe { &*self.cell.value.get() }
    }
}

impl<T> DerefMut for Writing<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: guards are handed out when the mutex is held and no reader is present, and no reader goes on while `is_writing`
        // is set, which it is up to this guard's end.
        unsafe { &mut *self.cell.value.get() }
    }
}

impl<T> Drop for Writing<'_, T> {
    fn drop(&mut self) {
        IS_WRITING.set(false);
        self.cell.is_writing.store(false, Ordering::Release);
    }
}
