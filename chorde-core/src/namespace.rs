//! Names that keep the keys of one user of a client apart from those of another.

use std::fmt;
use std::sync::Arc;

use crate::digest::Digest;

/// Names a set of keys inside of a client.
///
/// Namespaces nest: a key has a path of them, the outermost first. Cheap to clone.
#[derive(Clone)]
pub struct Namespace(Arc<Inner>);

struct Inner {
    name: String,
    /// Stands for the name in this process.
    digest: Digest,
}

impl Namespace {
    /// Makes the namespace of that name; two of the same name are the same namespace.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        let digest = Digest::of_text(&name);
        Self(Arc::new(Inner { name, digest }))
    }

    /// Makes the namespace of a revision, a name that no user can choose.
    pub(crate) fn revision(revision: u64) -> Self {
        Self::named(format!("\0{revision:016x}"))
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn digest(&self) -> Digest {
        self.0.digest
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.name(), f)
    }
}

impl PartialEq for Namespace {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Namespace {}

/// Lists the namespaces of a key, the outermost first, without owning them.
///
/// Clients that put others into a namespace add theirs in front, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    /// What wrapping clients added.
    outer: Option<&'a Outer<'a>>,
    /// What the key was made with.
    inner: &'a [Namespace],
}

/// One namespace in front of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) rest: Path<'a>,
}

impl<'a> Path<'a> {
    /// Lists the given namespaces.
    #[inline]
    #[must_use]
    pub fn new(namespaces: &'a [Namespace]) -> Self {
        Self { outer: None, inner: namespaces }
    }

    /// Lists `outer` and then all of its rest.
    pub(crate) fn with_outer(outer: &'a Outer<'a>) -> Self {
        Self { outer: Some(outer), inner: &[] }
    }

    /// Visits the namespaces, the outermost first.
    pub fn iter(self) -> impl Iterator<Item = &'a Namespace> {
        let mut path = self;
        std::iter::from_fn(move || {
            if let Some(outer) = path.outer {
                path = outer.rest;
                return Some(outer.namespace);
            }
            let (first, rest) = path.inner.split_first()?;
            path.inner = rest;
            Some(first)
        })
    }

    /// Returns whether the path is that of keys outside of any namespace.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.outer.is_none() && self.inner.is_empty()
    }

    /// Returns one digest for each namespace of the path and all that is outside of it: what stands for it in this process.
    pub fn digests(self) -> impl Iterator<Item = Digest> {
        self.iter().scan(None, |outer: &mut Option<Digest>, namespace| {
            let digest = outer.map_or(namespace.digest(), |outer| namespace.digest().within(outer));
            *outer = Some(digest);
            Some(digest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_visited_from_the_outermost() {
        let [a, b, c] = ["a", "b", "c"].map(Namespace::named);
        let inner = [b.clone(), c.clone()];
        let outer = Outer { namespace: &a, rest: Path::new(&inner) };
        let path = Path::with_outer(&outer);
        assert_eq!(path.iter().map(Namespace::name).collect::<Vec<_>>(), ["a", "b", "c"]);
        let owned = [a.clone(), b.clone(), c.clone()];
        assert!(path.digests().eq(Path::new(&owned).digests()));
        assert!(!path.is_empty() && Path::new(&[]).is_empty());
    }
}
