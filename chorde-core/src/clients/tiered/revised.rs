//! The keys of the near tier.
//!
//! Clearing a namespace of the far tier, through whichever handle or process, begins a new revision of it. The near
//! tier's keys carry the far tier's revision, so that all copies made before it can no longer be reached. Before the
//! first clear there is no revision and a key is its own near key.

use std::borrow::Cow;
use std::cell::RefCell;

use super::Tiers;
use crate::client::{Cache, Revision};
use crate::key::{Key, Probe};
use crate::namespace::{Namespace, Outer, Path};

/// How many revisions each thread keeps the namespaces of.
const KEPT: usize = 16;

thread_local! {
    /// The namespaces of revisions seen lately, so that a hit after a clear allocates nothing.
    static NAMESPACES: RefCell<[Option<(u64, Namespace)>; KEPT]> = const { RefCell::new([const { None }; KEPT]) };
}

impl<N: Cache, F: Cache> Tiers<N, F> {
    /// Returns which revision the near copies of a key must have.
    #[inline]
    pub(super) fn copies_revision(&self, probe: &Probe<'_>) -> Revision {
        self.far.revision(probe).and(Revision::current(self.identity.revision(probe.path)))
    }

    /// Returns what a key is called in the near tier; has the far one ask for the revision if it was not told of late.
    pub(super) async fn near_key<'k>(&self, key: &'k Key) -> Cow<'k, Key> {
        if !self.copies_revision(&key.probe()).is_current {
            Box::pin(self.far.current_revision(key)).await;
        }
        self.known_near_key(key)
    }

    /// Returns the same, as far as the revision is known: for what belongs to that one, whatever has begun since.
    pub(super) fn known_near_key<'k>(&self, key: &'k Key) -> Cow<'k, Key> {
        match self.copies_revision(&key.probe()).number {
            0 => Cow::Borrowed(key),
            revision => Cow::Owned(key.revised(revision)),
        }
    }

    /// Returns what several keys are called in the near tier, in their order.
    pub(super) async fn near_keys<'k>(&self, keys: &'k [Key]) -> Cow<'k, [Key]> {
        if keys.iter().all(|key| is_first(self.copies_revision(&key.probe()))) {
            return Cow::Borrowed(keys);
        }
        let mut names = Vec::with_capacity(keys.len());
        for key in keys {
            names.push(self.near_key(key).await.into_owned());
        }
        Cow::Owned(names)
    }

    /// Shows what a key is called in the near tier, without an allocation; not if others may have begun another revision long
    /// ago.
    #[inline]
    pub(super) fn with_near_probe<R>(&self, probe: &Probe<'_>, look: impl FnOnce(&Probe<'_>) -> R) -> Option<R> {
        let revision = self.copies_revision(probe);
        if !revision.is_current {
            return None;
        }
        Some(match revision.number {
            0 => look(probe),
            revision => {
                let namespace = namespace_of(revision);
                let digest = probe.digest.within(namespace.digest());
                let outer = Outer { namespace: &namespace, rest: probe.path };
                look(&Probe { digest, path: Path::with_outer(&outer) })
            }
        })
    }
}

/// Returns whether keys have their own names: no namespace of theirs was ever cleared.
fn is_first(revision: Revision) -> bool {
    revision.number == 0 && revision.is_current
}

/// Returns the namespace of a revision, from this thread's memory if it is there.
fn namespace_of(revision: u64) -> Namespace {
    let slot = (revision % KEPT as u64) as usize;
    let found = NAMESPACES.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        match &kept[slot] {
            Some((number, namespace)) if *number == revision => namespace.clone(),
            _ => kept[slot].insert((revision, Namespace::revision(revision))).1.clone(),
        }
    });
    // A thread that is ending has no memory left.
    found.unwrap_or_else(|_| Namespace::revision(revision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revised_probe_is_that_of_the_revised_key() {
        let key = Key::in_namespace(&Namespace::named("n"), &1).unwrap();
        for revision in [1, 2, 1 + KEPT as u64, 1] {
            let namespace = namespace_of(revision);
            assert_eq!(namespace, Namespace::revision(revision));
            assert_eq!(key.digest().within(namespace.digest()), key.revised(revision).digest());
        }
    }
}
