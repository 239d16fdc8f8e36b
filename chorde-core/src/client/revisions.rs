//! The revisions of a client's namespaces: precise for those cleared recently, and in bounded memory for all others.
//!
//! Each clear draws a number, larger than all before. A namespace has the number of its last clear, as long as that is in the
//! table. When the table is full, the older half is *forgotten*: the numbers go to one of many *floors*, by some bits of the
//! namespace's digest, and a namespace that is not in the table has the number of its floor. So one that is forgotten keeps its
//! number, and others that share its floor begin a revision for which nobody asked: a miss, and never what was cleared.
//!
//! Hits read no table as long as nobody clears: each thread remembers what it found last, with the count of clears then. All who
//! look see a change at one moment, with such a memory or without: the count is odd while anything changes, also for those who
//! share a floor, and whoever finds it odd waits for that change.

use std::cell::Cell;
use std::hash::BuildHasherDefault;

use super::ClientId;
use crate::digest::{Digest, DigestHasher};
use crate::namespace::{Namespace, Path};
use crate::sync::{AtomicU64, Mutex, OnceLock, Ordering, Table};

/// How many namespaces are in the table at most: half a megabyte.
const MOST: usize = 1 << 14;

/// How many floors there are: a megabyte, once the table was full. A namespace that nobody clears begins a new revision once in
/// so many clears of namespaces that are not cleared again soon.
const FLOORS: usize = 1 << 17;

/// Over how many locks the table is spread: only clears, and hits that come first after one, take them.
const LOCKS: usize = 4;

#[derive(Debug)]
pub(super) struct Revisions {
    /// The number that was drawn last.
    last: AtomicU64,
    recent: Table<Digest, u64, BuildHasherDefault<DigestHasher>>,
    floors: OnceLock<Box<[AtomicU64]>>,
    /// Held by the one who changes anything, and by those who look meanwhile.
    pub(super) turn: Mutex<()>,
    bounds: Bounds,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    most: usize,
    floors: usize,
}

impl Revisions {
    pub(super) fn new() -> Self {
        Self::within(Bounds { most: MOST, floors: FLOORS })
    }

    fn within(bounds: Bounds) -> Self {
        Self {
            last: AtomicU64::new(0),
            recent: Table::spread(LOCKS),
            floors: OnceLock::new(),
            turn: Mutex::new(()),
            bounds,
        }
    }

    /// Begins a new revision of a namespace: a number larger than any that a namespace has had before. The caller has the turn.
    pub(super) fn begin(&self, namespace: Digest) -> u64 {
        let revision = loop {
            // Drawn under the lock of the namespace, so that of two clears the later one has the larger number.
            let revision = self.recent.change(
                namespace,
                || 0,
                |known| {
                    *known = self.last.fetch_add(1, Ordering::SeqCst) + 1;
                    *known
                },
            );
            // Since it was drawn, so many others may have been drawn that it counts as old, and so may be its floor.
            if revision > self.floor(namespace) {
                break revision;
            }
        };
        if self.recent.len() > self.bounds.most {
            self.forget();
        }
        revision
    }

    /// Returns the number of a namespace, zero if neither it nor one of its floor was ever cleared.
    fn of(&self, namespace: Digest) -> u64 {
        // In this order: what is forgotten is in the floor before it leaves the table.
        let recent = self.recent.get(&namespace).unwrap_or(0);
        recent.max(self.floor(namespace))
    }

    fn floor(&self, namespace: Digest) -> u64 {
        self.floors.get().map_or(0, |floors| floors[self.place(namespace)].load(Ordering::SeqCst))
    }

    fn place(&self, namespace: Digest) -> usize {
        namespace.low() as usize % self.bounds.floors
    }

    /// Forgets all but the latest half of what the table holds at most.
    fn forget(&self) {
        let floors = self.floors.get_or_init(|| (0..self.bounds.floors).map(|_| AtomicU64::new(0)).collect());
        let kept = self.last.load(Ordering::SeqCst).saturating_sub(self.bounds.most as u64 / 2);
        self.recent.retain(|namespace, revision| {
            let is_kept = *revision > kept;
            if !is_kept {
                floors[self.place(*namespace)].fetch_max(*revision, Ordering::SeqCst);
            }
            is_kept
        });
    }

    /// Returns the sum of the numbers of all namespaces in a path. Numbers only grow, so it grows with each of them.
    pub(super) fn sum(&self, path: Path<'_>) -> u64 {
        path.digests().map(|namespace| self.of(namespace)).sum()
    }

    /// Returns how many namespaces are in the table.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.recent.len()
    }
}

/// How many paths each thread remembers.
const REMEMBERED: usize = 32;

/// The revision of a path.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// The sum of the numbers of its namespaces.
    pub(super) sum: u64,
    /// What is mixed into the digests of keys in it; none before the first clear. It stands for the sum, and is as good as drawn
    /// from all numbers: two keys with different ones meet once in 2^128.
    mask: Option<Digest>,
}

impl Found {
    fn new(sum: u64) -> Self {
        let mask = (sum > 0).then(|| Namespace::revision(sum).digest());
        Self { sum, mask }
    }

    /// Returns the digest of a key in this revision of the path.
    #[inline]
    pub(super) fn revise(self, digest: Digest) -> Digest {
        self.mask.map_or(digest, |mask| digest.mixed_with(mask))
    }
}

/// What a thread found of a path when a client had cleared so many times. In cells of their own, so that little is copied.
struct Remembered {
    client: Cell<Option<ClientId>>,
    clears: Cell<u64>,
    path: Cell<u128>,
    found: Cell<Found>,
}

impl Remembered {
    const fn nothing() -> Self {
        let found = Cell::new(Found { sum: 0, mask: None });
        Self { client: Cell::new(None), clears: Cell::new(0), path: Cell::new(0), found }
    }
}

thread_local! {
    static REMEMBERED_HERE: [Remembered; REMEMBERED] = const { [const { Remembered::nothing() }; REMEMBERED] };
}

/// Returns what this thread remembers of a path, or what `sum` says, which tells as well for which count of clears that holds.
#[inline]
pub(super) fn remembered(client: ClientId, clears: u64, path: Path<'_>, sum: impl FnOnce() -> (u64, u64)) -> Found {
    let names = path.fingerprint();
    let slot = (names >> 64) as usize % REMEMBERED;
    let known = |all: &[Remembered; REMEMBERED]| {
        let known = &all[slot];
        let is_it = known.path.get() == names && known.clears.get() == clears && known.client.get() == Some(client);
        is_it.then(|| known.found.get())
    };
    if let Ok(Some(found)) = REMEMBERED_HERE.try_with(known) {
        return found;
    }
    let (clears, sum) = sum();
    let found = Found::new(sum);
    let _ = REMEMBERED_HERE.try_with(|all| {
        let place = &all[slot];
        place.client.set(Some(client));
        place.clears.set(clears);
        place.path.set(names);
        place.found.set(found);
    });
    found
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn namespace(number: u32) -> Digest {
        Digest::of_text(&number.to_string())
    }

    #[test]
    fn tables_are_bounded_however_many_namespaces_are_cleared() {
        let revisions = Revisions::new();
        let all = 5 * MOST as u32;
        let first: Vec<u64> = (0..all).map(|number| revisions.begin(namespace(number))).collect();
        assert!(first.is_sorted_by(|one, other| one < other), "each clear has its own number");
        assert!(revisions.len() <= MOST);
        for (number, revision) in first.into_iter().enumerate() {
            assert!(revisions.of(namespace(number as u32)) >= revision, "what was cleared stays cleared");
        }
    }

    #[test]
    fn a_namespace_cleared_recently_keeps_its_revision() {
        let revisions = Revisions::within(Bounds { most: 100, floors: 1 });
        let mine = revisions.begin(namespace(0));
        for number in 1..50 {
            revisions.begin(namespace(number));
            assert_eq!(revisions.of(namespace(0)), mine);
        }
    }

    #[test]
    fn few_lose_what_they_have_when_others_are_forgotten() {
        let revisions = Revisions::within(Bounds { most: 128, floors: 1 << 16 });
        (0..1000).for_each(|number| _ = revisions.begin(namespace(number)));
        let lost = (1000..2000).filter(|number| revisions.of(namespace(*number)) > 0).count();
        assert!(lost < 100, "{lost} of 1000");
    }

    #[test]
    fn many_threads_clear_at_the_same_time() {
        let revisions = Revisions::within(Bounds { most: 8, floors: 4 });
        let begun: Vec<u64> = std::thread::scope(|scope| {
            let clear = |seed: u32| {
                let mut begun = Vec::new();
                for round in 0..2_000 {
                    let namespace = namespace((seed * 7 + round * 3) % 40);
                    let before = revisions.of(namespace);
                    let revision = revisions.begin(namespace);
                    assert!(before < revision && revision <= revisions.of(namespace));
                    begun.push(revision);
                }
                begun
            };
            let threads: Vec<_> = (0..4).map(|seed| scope.spawn(move || clear(seed))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let mut unique = begun.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), begun.len());
    }

    proptest! {
        #[test]
        fn a_namespace_never_has_a_revision_again(
            cleared in prop::collection::vec(0..40_u32, 1..300),
            most in 2..20_usize,
            floors in 1..8_usize,
        ) {
            let revisions = Revisions::within(Bounds { most, floors });
            let mut seen: HashMap<u32, u64> = HashMap::new();
            for number in cleared {
                let before = revisions.of(namespace(number));
                prop_assert!(revisions.begin(namespace(number)) > before);
                for (other, seen) in &mut seen {
                    let now = revisions.of(namespace(*other));
                    prop_assert!(now >= *seen, "numbers only grow");
                    *seen = now;
                }
                seen.insert(number, revisions.of(namespace(number)));
                prop_assert!(revisions.len() <= most);
            }
        }
    }
}
