//! What a value is stored under: the key's bytes for stores that leave the process, its digest for those that do not.

use std::fmt;

pub(crate) mod argument;
pub(crate) mod arguments;
mod bytes;

use serde::Serialize;
use smallvec::SmallVec;

use self::bytes::{Bytes, Encoder};
use crate::digest::{Digest, Digester, Sums};
use crate::error::{Error, ErrorKind, Result};
use crate::events::Walker;
use crate::namespace::{Namespace, Path};

/// Holds a key ready for any client: its bytes, its digest, and the namespaces that it belongs to.
///
/// The bytes are the same in every process; the digest stands for them inside one process. Two keys are the same when
/// serde says the same of two values: the kinds of numbers count (`1_u32` and `1_u64` are two keys), and so do the names
/// of structs, fields and variants, which fields were left out, and where each value ends. What is borrowed is the same as
/// what is owned. The order of a map's entries does not count.
///
/// What serde does not say cannot count: of an enum with `#[serde(untagged)]`, which variant it is. A `HashSet` is a
/// sequence, in an order of its own: use a `BTreeSet`. (`#[cached]` sees more of its function's arguments than a key made
/// here: see there.)
///
/// # Examples
///
/// ```
/// use chorde_core::Key;
///
/// let key = Key::new(&("user", 7_u32))?;
/// assert_eq!(key, Key::new(&("user", 7_u32))?);
/// assert_ne!(key, Key::new(&("user", 8_u32))?);
/// assert_ne!(key, Key::new(&("user", 7_u64))?);
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Key {
    /// Tells keys apart inside of this process, the namespaces included.
    digest: Digest,
    /// The namespaces, the outermost first.
    namespaces: SmallVec<[Namespace; 1]>,
    /// Those of the value alone.
    bytes: Bytes,
}

impl Key {
    /// Makes the key of a value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`] when the value refuses to be serialised; trying again does not help.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Self::in_path(&[], value)
    }

    /// Makes the key of a value inside of a namespace.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn in_namespace<T: Serialize + ?Sized>(namespace: &Namespace, value: &T) -> Result<Self> {
        Self::in_path(std::slice::from_ref(namespace), value)
    }

    /// Makes the key of a value in several namespaces, the outermost first.
    pub(crate) fn in_path<T: Serialize + ?Sized>(path: &[Namespace], value: &T) -> Result<Self> {
        Self::of_digest(digest(Digester::sums_of(path.iter().map(Namespace::digest)), value)?, path, value)
    }

    /// Makes the key of a value whose digest is known.
    #[cold]
    pub(crate) fn of_digest<T: Serialize + ?Sized>(digest: Digest, path: &[Namespace], value: &T) -> Result<Self> {
        let mut encoder = Encoder::default();
        value.serialize(Walker(&mut encoder)).map_err(unserialisable)?;
        Ok(Self { bytes: encoder.0, ..Self::without_bytes(digest, path) })
    }

    /// Makes the key of what was probed for, without its bytes, for a client to which they [mean nothing](crate::Cache::reads_bytes).
    pub(crate) fn without_bytes(digest: Digest, path: &[Namespace]) -> Self {
        let namespaces = match path {
            // Nearly always: those of a function that is not generic.
            [namespace] => SmallVec::from_buf([namespace.clone()]),
            _ => path.iter().cloned().collect(),
        };
        Self { digest, namespaces, bytes: Bytes::new() }
    }

    /// Returns this key as seen inside of another, outer namespace.
    #[must_use]
    pub fn within(&self, outer: &Namespace) -> Self {
        let mut namespaces = SmallVec::with_capacity(self.namespaces.len() + 1);
        namespaces.push(outer.clone());
        namespaces.extend(self.namespaces.iter().cloned());
        Self { digest: self.digest.within(outer.digest()), namespaces, bytes: self.bytes.clone() }
    }

    /// Returns this key under another revision of a namespace: unequal to the key of any other revision.
    #[must_use]
    pub fn revised(&self, revision: u64) -> Self {
        if revision == 0 {
            return self.clone();
        }
        self.within(&Namespace::revision(revision))
    }

    /// Returns the bytes of the value, without the namespaces: the same for what serde tells alike, in every process and
    /// release, and different for all else.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the digest that stands for the key and its namespaces inside of this process.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the namespaces that the key belongs to, the outermost first.
    #[must_use]
    pub fn namespaces(&self) -> &[Namespace] {
        &self.namespaces
    }

    /// Returns what [`Client::look`](crate::Client::look) takes.
    #[must_use]
    pub fn probe(&self) -> Probe<'_> {
        Probe { digest: self.digest, path: Path::new(&self.namespaces) }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// Shows where the key belongs and how long it is; never its contents, which may be private.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("namespaces", &self.namespaces)
            .field("bytes", &format_args!("[{} bytes]", self.bytes.len()))
            .finish_non_exhaustive()
    }
}

/// Identifies a key to a client that answers at once: borrowed, never allocated.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// Stands for the key and its namespaces.
    pub(crate) digest: Digest,
    /// The namespaces.
    pub(crate) path: Path<'a>,
}

impl<'a> Probe<'a> {
    /// Returns the digest that stands for the key and its namespaces inside of this process.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the namespaces that the key belongs to.
    #[must_use]
    pub fn path(&self) -> Path<'a> {
        self.path
    }

    /// Makes the probe of a value in the namespaces of `path`, of which `sums` has taken in the digests.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn new<T: Serialize + ?Sized>(sums: Sums, path: Path<'a>, value: &T) -> Result<Self> {
        Ok(Self { digest: digest(sums, value)?, path })
    }
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn digest<T: Serialize + ?Sized>(sums: Sums, value: &T) -> Result<Digest> {
    let mut digester = Digester::from(sums);
    match value.serialize(Walker(&mut digester)) {
        Ok(()) => Ok(digester.finish()),
        Err(error) => Err(unserialisable(error)),
    }
}

#[cold]
fn unserialisable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Key, format!("the key cannot be serialised: {error}")).with_source(error)
}

/// What the operations of a client take as a key: anything serialisable, or a [`Key`] made before.
pub trait AsKey: Sync {
    /// Makes the key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Key`] when the value refuses to be serialised.
    fn to_key(&self) -> Result<Key>;

    /// Makes the digest alone, without an allocation, and shows it to `look`.
    ///
    /// # Errors
    ///
    /// As for [`to_key`](Self::to_key).
    fn probe_with<R>(&self, look: impl FnOnce(&Probe<'_>) -> R) -> Result<R>;
}

impl<T: Serialize + Sync + ?Sized> AsKey for T {
    fn to_key(&self) -> Result<Key> {
        Key::new(self)
    }

    #[inline]
    fn probe_with<R>(&self, look: impl FnOnce(&Probe<'_>) -> R) -> Result<R> {
        Ok(look(&Probe::new(Digester::sums_of([]), Path::new(&[]), self)?))
    }
}

impl AsKey for Key {
    fn to_key(&self) -> Result<Key> {
        Ok(self.clone())
    }

    fn probe_with<R>(&self, look: impl FnOnce(&Probe<'_>) -> R) -> Result<R> {
        Ok(look(&self.probe()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_that_refuses_is_an_error_of_kind_key() {
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        assert_eq!(Key::new(&Refuses).unwrap_err().kind(), ErrorKind::Key);
    }

    #[test]
    fn namespaces_keep_equal_keys_apart() {
        let (a, b) = (Namespace::named("a"), Namespace::named("b"));
        let raw = Key::new(&1).unwrap();
        let keys = [
            raw.clone(),
            Key::in_namespace(&a, &1).unwrap(),
            Key::in_namespace(&b, &1).unwrap(),
            raw.within(&a),
            Key::in_namespace(&a, &1).unwrap().within(&b),
            Key::in_namespace(&b, &1).unwrap().within(&a),
            raw.revised(1),
            raw.revised(2),
        ];
        for (i, one) in keys.iter().enumerate() {
            for (j, other) in keys.iter().enumerate() {
                // A key wrapped afterwards is another one than a key made inside: only clients wrap.
                assert_eq!(one == other, i == j, "{i} {j}");
            }
        }
    }

    #[test]
    fn a_key_is_equal_to_its_probe() {
        let namespace = Namespace::named("n");
        let key = Key::in_namespace(&namespace, &(1, "x")).unwrap();
        let path = std::slice::from_ref(&namespace);
        let probe = Probe::new(Digester::sums_of([namespace.digest()]), Path::new(path), &(1, "x")).unwrap();
        assert_eq!(key.digest(), probe.digest());
    }

    fn distinct<T: Serialize + PartialEq + fmt::Debug>(one: &T, other: &T) {
        let (a, b) = (Key::new(one).unwrap(), Key::new(other).unwrap());
        assert_eq!(one == other, a == b, "{one:?} {other:?}");
        assert_eq!(one == other, a.bytes() == b.bytes(), "{one:?} {other:?}");
    }

    type Tuple = (String, Option<u32>, Vec<u8>, Vec<(i8, String)>);

    fn tuple() -> impl Strategy<Value = Tuple> {
        let text = "[ab]{0,10}";
        (
            text,
            proptest::option::of(0..3_u32),
            proptest::collection::vec(0..2_u8, 0..3),
            proptest::collection::vec((0..2_i8, text), 0..3),
        )
    }

    proptest! {
        #[test]
        fn different_texts_have_different_keys(one in ".{0,40}", other in ".{0,40}") {
            distinct(&one, &other);
        }

        #[test]
        fn different_long_keys_differ(len in 0..600_usize, at in 0..600_usize) {
            let one = vec![0_u64; len];
            let mut other = one.clone();
            distinct(&one, &other);
            if at < len {
                other[at] = 1;
            } else {
                other.push(0);
            }
            distinct(&one, &other);
        }

        #[test]
        fn different_tuples_have_different_keys(one in tuple(), other in tuple()) {
            distinct(&one, &other);
        }
    }
}
