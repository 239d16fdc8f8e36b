//! What keys are called on the servers, under the revisions of their namespaces.

use chorde_core::{Key, Namespace, Path, Probe, Revision};
use smallvec::SmallVec;

use super::Inner;
use crate::cluster::Unanswered;
use crate::revisions::{self, Revised};
use crate::wire_key::{Stem, WireKey};

/// Namespaces with that of the client in front.
type Surrounded = SmallVec<[Namespace; 3]>;

/// What the names of all keys in the same namespaces have in common, at one time.
pub(super) struct Family {
    stem: Stem,
    revision: u64,
    /// When the servers were asked for the revisions, unless these were known.
    asked_at: Option<u64>,
}

impl Family {
    fn new(revised: &Revised<'_>, asked_at: Option<u64>) -> Self {
        Self { revision: revisions::sum(revised), stem: Stem::new(revised.iter().copied()), asked_at }
    }
}

/// A key as it is called on the servers, at one time.
pub(super) struct Named {
    pub(super) wire: WireKey,
    /// The sum of the revisions of its namespaces.
    pub(super) revision: u64,
    /// When the servers were asked for the revisions, unless these were known.
    pub(super) asked_at: Option<u64>,
}

impl Named {
    pub(super) fn new(family: &Family, key: &Key) -> Self {
        Self { wire: family.stem.key(key.bytes()), revision: family.revision, asked_at: family.asked_at }
    }
}

impl Inner {
    /// Puts the client's own namespace in front of others.
    pub(super) fn surround<'a>(&self, namespaces: impl Iterator<Item = &'a Namespace>) -> Surrounded {
        self.namespace.iter().cloned().chain(namespaces.cloned()).collect()
    }

    /// Shows a path with the client's own namespace in front, if it has one.
    pub(super) fn with_surrounded<R>(&self, path: Path<'_>, show: impl FnOnce(Path<'_>) -> R) -> R {
        match self.namespace {
            None => show(path),
            Some(_) => show(Path::new(&self.surround(path.iter()))),
        }
    }

    /// Returns what a key is called on the servers, under the revisions of its namespaces.
    pub(super) async fn name(&self, key: &Key) -> Named {
        Named::new(&self.family(key.namespaces()).await, key)
    }

    /// Fails if the key's server did not answer in time when it was asked for the revisions.
    pub(super) fn ensure_answering(&self, name: &Named) -> Result<(), Unanswered> {
        name.asked_at.map_or(Ok(()), |asked_at| self.store.cluster.ensure_answering(&name.wire, asked_at))
    }

    /// Returns what the names of all keys in these namespaces have in common.
    pub(super) async fn family(&self, namespaces: &[Namespace]) -> Family {
        match self.family_now(namespaces) {
            Some(family) => family,
            None => Box::pin(self.family_asked(namespaces)).await,
        }
    }

    /// The same if it is known well enough.
    fn family_now(&self, namespaces: &[Namespace]) -> Option<Family> {
        let family = |path: Path<'_>| Some(Family::new(&self.revisions.fresh_of(&self.store, path)?, None));
        self.with_surrounded(Path::new(namespaces), family)
    }

    async fn family_asked(&self, namespaces: &[Namespace]) -> Family {
        let namespaces = self.surround(namespaces.iter());
        let asked_at = Some(self.store.cluster.clock().now());
        Family::new(&self.revisions.of(&self.store, Path::new(&namespaces)).await, asked_at)
    }

    /// Returns what a key is called on the servers, as far as the revisions are known.
    pub(super) fn known_wire_key(&self, key: &Key) -> WireKey {
        let wire_key = |path: Path<'_>| Stem::new(self.revisions.known_of(path)).key(key.bytes());
        self.with_surrounded(Path::new(key.namespaces()), wire_key)
    }

    /// Returns the sum of the revisions of a key's namespaces, if servers have ever told all of them.
    pub(super) fn told_revision(&self, key: &Key) -> Option<u64> {
        self.with_surrounded(Path::new(key.namespaces()), |path| self.revisions.told_sum(path))
    }

    /// Returns the revision of a key's namespaces as far as it is known.
    pub(super) fn known_revision(&self, probe: &Probe<'_>) -> Revision {
        self.with_surrounded(probe.path(), |path| self.revisions.known_now(&self.store, path))
    }

    /// Has the servers asked for it, if it was not told of late.
    pub(super) async fn learn_revision(&self, key: &Key) {
        let namespaces = self.surround(key.namespaces().iter());
        self.revisions.of(&self.store, Path::new(&namespaces)).await;
    }
}
