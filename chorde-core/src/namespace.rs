//! Names that keep the keys of one user of a client apart from those of another.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::digest::Digest;

/// Names a set of keys inside of a client.
///
/// Namespaces nest: a key has a path of them, the outermost first. Cheap to clone.
#[derive(Clone)]
pub struct Namespace(Arc<Inner>);

struct Inner {
    name: String,
    /// Stands for the name in this process.
    of_name: Digest,
    /// Stands for the namespace in this process: the same, unless others may have the name.
    digest: Digest,
}

impl Namespace {
    /// Makes the namespace of that name; two of the same name are the same namespace.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        let of_name = Digest::of_text(&name);
        Self(Arc::new(Inner { name, of_name, digest: of_name }))
    }

    /// Makes a namespace that is unequal to all others of this process. Shared stores tell it by its name alone, and so do
    /// those who clear it.
    pub(crate) fn unique(name: String) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self::numbered(name, NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes a namespace that is equal to those of the same name and number in this process.
    pub(crate) fn numbered(name: String, number: u64) -> Self {
        let of_name = Digest::of_text(&name);
        Self(Arc::new(Inner { name, of_name, digest: of_name.revised(number) }))
    }

    /// Makes the namespace of a revision, a name that no user can choose.
    pub(crate) fn revision(revision: u64) -> Self {
        Self::named(format!("\0{revision:016x}"))
    }

    /// Makes the namespace of marks that keys are being refreshed, a name that no user can choose.
    pub(crate) fn refreshing() -> Self {
        Self::named("\0refreshing")
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns what stands for the namespace in the digests of keys.
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
        self.digest() == other.digest()
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

    /// Returns a number that stands for the names of the path in this process, to recall what was found of it: digests of names are
    /// drawn from all numbers, so that of two lists of them the same comes out once in 2^128.
    #[inline]
    pub(crate) fn fingerprint(self) -> u128 {
        // Any odd number without a pattern; this one is the multiplier of the generator PCG.
        const SPREAD: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;
        let add = |sum: u128, namespace: &Namespace| {
            let name = namespace.0.of_name;
            (sum ^ (u128::from(name.high()) << 64 | u128::from(name.low()))).wrapping_mul(SPREAD)
        };
        let (mut path, mut sum) = (self, 0);
        while let Some(outer) = path.outer {
            (path, sum) = (outer.rest, add(sum, outer.namespace));
        }
        path.inner.iter().fold(sum, add)
    }

    /// Returns one digest for each namespace of the path and all that is outside of it: what stands for their names in this
    /// process, by which they are cleared.
    pub fn digests(self) -> impl Iterator<Item = Digest> {
        self.iter().scan(None, |outer: &mut Option<Digest>, namespace| {
            let digest = outer.map_or(namespace.0.of_name, |outer| namespace.0.of_name.within(outer));
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
        assert_eq!(path.fingerprint(), Path::new(&owned).fingerprint());
        let swapped = [b.clone(), a.clone(), c.clone()];
        assert_ne!(path.fingerprint(), Path::new(&swapped).fingerprint());
        assert!(!path.is_empty() && Path::new(&[]).is_empty());
    }

    #[test]
    fn namespaces_of_one_name_may_differ_and_are_cleared_by_the_name() {
        let [one, other] = [0, 1].map(|_| Namespace::unique("same".to_owned()));
        let [first, second, again] = [1, 2, 1].map(|number| Namespace::numbered("same".to_owned(), number));
        let named = Namespace::named("same");
        assert!(one != other && one != named && first != second && first != named);
        assert!(one == one.clone() && first == again && named == Namespace::named("same"));
        let digests = |namespace: &Namespace| Path::new(std::slice::from_ref(namespace)).digests().collect::<Vec<_>>();
        assert_eq!((digests(&one), digests(&second)), (digests(&other), digests(&named)));
    }
}
