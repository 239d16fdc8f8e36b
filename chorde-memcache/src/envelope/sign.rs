//! Proves that an item was written by somebody who has the key, for this very place: HMAC (RFC 2104) with SHA-256
//! (FIPS 180-4), as RFC 6234 describes them together.
//!
//! What is signed is header, key digest and payload. While keys are rotated, a payload is hashed once for each key up to
//! the right one; to hash it once before would cost each small item a third of its signature more.

use std::fmt;

use ring::hmac::{Context, HMAC_SHA256, Key};
use smallvec::SmallVec;
use subtle::ConstantTimeEq;

use crate::wire_key::WireKey;

/// How long a signature is.
pub(super) const MAC: usize = 32;

/// Holds the keys that values are signed with, ready to be used.
pub(super) struct Signer {
    /// The first signs, any is accepted.
    keys: SmallVec<[Key; 1]>,
}

/// An item at its place, without its signature.
#[derive(Clone, Copy)]
pub(super) struct Unsigned<'a> {
    pub(super) header: &'a [u8],
    pub(super) key: &'a WireKey,
    pub(super) payload: &'a [u8],
}

impl Unsigned<'_> {
    fn under(self, key: &Key) -> [u8; MAC] {
        let mut context = Context::with_key(key);
        context.update(self.header);
        context.update(self.key.digest());
        context.update(self.payload);
        let tag = context.sign();
        tag.as_ref().try_into().expect("invariant: SHA-256 has as many bytes")
    }
}

impl Signer {
    /// Prepares the keys; `None` where there are none or one is empty.
    pub(super) fn new(keys: &[Vec<u8>]) -> Option<Self> {
        if keys.is_empty() || keys.iter().any(Vec::is_empty) {
            return None;
        }
        Some(Self { keys: keys.iter().map(|key| Key::new(HMAC_SHA256, key)).collect() })
    }

    /// Signs an item.
    pub(super) fn sign(&self, item: Unsigned<'_>) -> [u8; MAC] {
        item.under(&self.keys[0])
    }

    /// Returns whether an item was signed with one of the keys.
    pub(super) fn accepts(&self, item: Unsigned<'_>, mac: &[u8; MAC]) -> bool {
        // The comparison takes the same time wherever the first difference is.
        self.keys.iter().any(|key| item.under(key).ct_eq(mac).into())
    }
}

/// Never shows a key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} keys)", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(keys: &[&str]) -> Signer {
        Signer::new(&keys.iter().map(|key| key.as_bytes().to_vec()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_first_key_signs_and_any_is_accepted() {
        let key = WireKey::new([], b"k");
        let item = Unsigned { header: b"header", key: &key, payload: b"payload" };
        let (old, new) = (signer(&["old"]), signer(&["new", "old"]));
        assert!(new.accepts(item, &old.sign(item)) && new.accepts(item, &new.sign(item)));
        assert!(old.accepts(item, &old.sign(item)) && !old.accepts(item, &new.sign(item)));
    }

    #[test]
    fn each_part_is_signed() {
        let (signer, key) = (signer(&["key"]), WireKey::new([], b"k"));
        let other_key = WireKey::new([], b"l");
        let item = Unsigned { header: b"header", key: &key, payload: b"payload" };
        let mac = signer.sign(item);
        let others = [
            Unsigned { header: b"headex", ..item },
            Unsigned { key: &other_key, ..item },
            Unsigned { payload: b"payloax", ..item },
            Unsigned { payload: b"", ..item },
        ];
        assert!(signer.accepts(item, &mac) && others.iter().all(|other| !signer.accepts(*other, &mac)));
    }

    #[test]
    fn there_must_be_a_key_and_none_is_shown() {
        assert!(Signer::new(&[]).is_none() && Signer::new(&[b"a".to_vec(), vec![]]).is_none());
        assert_eq!(format!("{:?}", signer(&["secret"])), "Signer(1 keys)");
    }
}
