//! Who a client is: what each client holds one of, and what all handles of one store share.

use crate::client_id::ClientId;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::namespace::Path;
use crate::sync::{AtomicBool, AtomicU64, OnceLock, Ordering};

/// Identifies a client, keeps its time, and counts the revisions of its namespaces.
///
/// A client owns one and returns it from [`Cache::identity`](super::Cache::identity); handles of the same store must
/// return the same one, for computations are shared among calls with equal identity.
#[derive(Debug)]
pub struct Identity {
    id: ClientId,
    clock: Clock,
    /// Whether any namespace has ever been cleared; keeps the common case to one load.
    revised: AtomicBool,
    /// The revisions of those that have, by some bits of their digests.
    revisions: [Revisions; BUCKETS],
}

const BUCKETS: usize = 32;

/// The revisions of some namespaces: a list that only grows, so that hits read it without a lock.
#[derive(Debug, Default)]
struct Revisions(OnceLock<Box<Revised>>);

#[derive(Debug)]
struct Revised {
    namespace: Digest,
    revision: AtomicU64,
    rest: Revisions,
}

impl Revisions {
    fn find(&self, namespace: Digest) -> Option<&AtomicU64> {
        let mut place = self;
        loop {
            let revised = place.0.get()?;
            if revised.namespace == namespace {
                return Some(&revised.revision);
            }
            place = &revised.rest;
        }
    }

    fn find_or_add(&self, namespace: Digest) -> &AtomicU64 {
        let new = || Box::new(Revised { namespace, revision: AtomicU64::new(0), rest: Self::default() });
        let mut place = self;
        loop {
            let revised = place.0.get_or_init(new);
            if revised.namespace == namespace {
                return &revised.revision;
            }
            place = &revised.rest;
        }
    }
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
        Self { id: ClientId::next(), clock, revised: AtomicBool::new(false), revisions: Default::default() }
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
        let revision = self.revisions_of(digest).find_or_add(digest).fetch_add(1, Ordering::AcqRel) + 1;
        self.revised.store(true, Ordering::Release);
        revision
    }

    /// Returns a number that changes with each revision of any namespace in `path`; zero before the first.
    #[inline]
    #[must_use]
    pub fn revision(&self, path: Path<'_>) -> u64 {
        if self.revised.load(Ordering::Acquire) { self.sum_of_revisions(path) } else { 0 }
    }

    // Revisions only grow, so that their sum grows with each of them.
    #[cold]
    fn sum_of_revisions(&self, path: Path<'_>) -> u64 {
        let revision = |digest| self.revisions_of(digest).find(digest).map_or(0, |found| found.load(Ordering::Acquire));
        path.digests().map(revision).sum()
    }

    fn revisions_of(&self, digest: Digest) -> &Revisions {
        &self.revisions[digest.high() as usize % BUCKETS]
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
        assert_eq!(identity.revision(Path::new(&inner)), 0);
        identity.revise(Path::new(&outer));
        assert_eq!(identity.revision(Path::new(&inner)), 1);
        assert_eq!(identity.revision(Path::new(&other)), 0);
        identity.revise(Path::new(&inner));
        assert_eq!(identity.revision(Path::new(&inner)), 2);
        assert_eq!(identity.revision(Path::new(&outer)), 1);
    }
}
