//! Who a client is: what each client holds one of, and what all handles of one store share.

use super::revisions::{Found, Revisions, remembered};
use crate::client_id::ClientId;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::namespace::Path;
use crate::sync::{AtomicU64, OnceLock, Ordering, lock};

/// Identifies a client, keeps its time, and counts the revisions of its namespaces.
///
/// A client owns one and returns it from [`Cache::identity`](super::Cache::identity); handles of the same store must
/// return the same one, for computations are shared among calls with equal identity.
#[derive(Debug)]
pub struct Identity {
    id: ClientId,
    clock: Clock,
    /// Twice the number of times that a namespace was cleared, and odd while one is; as long as that is zero, a hit asks for nothing
    /// else.
    clears: AtomicU64,
    /// Made by the first clear.
    revisions: OnceLock<Box<Revisions>>,
}

impl Identity {
    /// Creates an identity that keeps the system's time.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Clock::system())
    }

    /// Creates an identity that keeps the time of `clock`.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        Self { id: ClientId::next(), clock, clears: AtomicU64::new(0), revisions: OnceLock::new() }
    }

    /// Returns what tells this client from all others in the process.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Returns the clock by which the client reckons.
    #[inline]
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Begins a new revision of the namespace that `path` leads to; returns it.
    ///
    /// # Concurrency
    ///
    /// Visible to all handles when it returns; no two calls begin the same revision.
    pub fn revise(&self, path: Path<'_>) -> u64 {
        let Some(digest) = path.digests().last() else { return 0 };
        let revisions = self.revisions.get_or_init(|| Box::new(Revisions::new()));
        let _turn = lock(&revisions.turn);
        // Odd from here on: what a thread has found before does not count any more.
        self.clears.fetch_add(1, Ordering::SeqCst);
        let revision = revisions.begin(digest);
        self.clears.fetch_add(1, Ordering::SeqCst);
        revision
    }

    /// Returns a number that changes with each revision of any namespace in `path`; zero before the first.
    ///
    /// May change as well when tens of thousands of other namespaces are cleared: for each client only so many are remembered.
    #[inline]
    #[must_use]
    pub fn revision(&self, path: Path<'_>) -> u64 {
        match self.clears.load(Ordering::Acquire) {
            0 => 0,
            clears => self.found(clears, path).sum,
        }
    }

    /// Returns the digest under which a store of its own keeps a key: another one after each revision of its namespaces.
    #[inline]
    pub(crate) fn revised_digest(&self, digest: Digest, path: Path<'_>) -> Digest {
        match self.clears.load(Ordering::Acquire) {
            0 => digest,
            clears => self.found(clears, path).revise(digest),
        }
    }

    #[inline(never)]
    fn found(&self, clears: u64, path: Path<'_>) -> Found {
        remembered(self.id, clears, path, || self.sum(path))
    }

    /// Returns the sum of a path's numbers, and for which count of clears that holds.
    fn sum(&self, path: Path<'_>) -> (u64, u64) {
        let Some(revisions) = self.revisions.get() else { return (0, 0) };
        let before = self.clears.load(Ordering::SeqCst);
        if before.is_multiple_of(2) {
            let sum = revisions.sum(path);
            if self.clears.load(Ordering::SeqCst) == before {
                return (before, sum);
            }
        }
        let _turn = lock(&revisions.turn);
        (self.clears.load(Ordering::SeqCst), revisions.sum(path))
    }
}

/// Which revision of its namespaces a key has, as far as a client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Revision {
    /// A number that changes with each revision.
    pub number: u64,
    /// A number that changes when the whole client is emptied, where that begins no revision.
    pub clears: u64,
    /// Whether the client was told of late, or there is nobody to tell. If not, others may have begun another one long ago.
    pub is_current: bool,
}

impl Revision {
    /// Makes a revision that the client is sure of.
    #[inline]
    pub fn current(number: u64) -> Self {
        Self { number, clears: 0, is_current: true }
    }

    /// Returns the same of a client that was emptied so often.
    #[inline]
    pub fn after_clears(self, clears: u64) -> Self {
        Self { clears, ..self }
    }

    /// Returns a number that changes with each clear that concerns the key, of a namespace or of the client: both numbers only grow.
    #[inline]
    #[must_use]
    pub fn stamp(self) -> u64 {
        self.number.wrapping_add(self.clears)
    }

    /// Makes the revision of what changes with both.
    #[inline]
    pub fn and(self, other: Self) -> Self {
        let number = self.number.wrapping_add(other.number);
        let clears = self.clears.wrapping_add(other.clears);
        Self { number, clears, is_current: self.is_current && other.is_current }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::Namespace;

    #[test]
    fn a_revision_concerns_what_is_inside_only() {
        let identity = Identity::new();
        let [a, b] = ["a", "b"].map(Namespace::named);
        let (outer, inner, other) = ([a.clone()], [a, b.clone()], [b]);
        let now = || [&outer[..], &inner, &other].map(|path| identity.revision(Path::new(path)));
        let (before, first) = (now(), identity.revise(Path::new(&outer)));
        let between = now();
        assert!(before == [0; 3] && between[0] > 0 && between[1] > 0 && between[2] == 0);
        let second = identity.revise(Path::new(&inner));
        let after = now();
        assert!(after[0] == between[0] && after[1] > between[1] && after[2] == 0 && first < second);
    }

    #[test]
    fn clients_and_paths_are_told_apart_in_what_a_thread_remembers() {
        let names: Vec<_> = (0..200).map(|number| [Namespace::named(number.to_string())]).collect();
        let clients = [Identity::new(), Identity::new()];
        for name in &names[..100] {
            clients[0].revise(Path::new(name));
        }
        clients[1].revise(Path::new(&names[150]));
        for _ in 0..2 {
            let cleared = |client: &Identity| -> Vec<usize> {
                (0..200).filter(|number| client.revision(Path::new(&names[*number])) > 0).collect()
            };
            assert_eq!(cleared(&clients[0]), (0..100).collect::<Vec<_>>());
            assert_eq!(cleared(&clients[1]), [150]);
        }
    }
}
