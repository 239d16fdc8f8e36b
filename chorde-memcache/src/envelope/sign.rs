//! Proves that an item was written by somebody who has the key, for this very place: HMAC (RFC 2104) with SHA-256
//! (FIPS 180-4), as RFC 6234 describes them together.
//!
//! What is signed is the SHA-256 of header, key digest and payload. Hashing first costs one block more; for it a long
//! payload is hashed once however many keys are accepted.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::digest::Output;
use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::wire_key::WireKey;

/// How long a signature is.
pub(super) const MAC: usize = 32;

/// Holds the keys that values are signed with, ready to be used.
pub(super) struct Signer {
    /// The first signs, any is accepted.
    keys: SmallVec<[Hmac<Sha256>; 1]>,
}

impl Signer {
    /// Prepares the keys; `None` where there are none or one is empty.
    pub(super) fn new(keys: &[Vec<u8>]) -> Option<Self> {
        if keys.is_empty() || keys.iter().any(Vec::is_empty) {
            return None;
        }
        // A key of any length will do.
        let keys = keys.iter().map(|key| Hmac::new_from_slice(key).ok());
        Some(Self { keys: keys.collect::<Option<_>>()? })
    }

    /// Signs a print.
    pub(super) fn sign(&self, print: &Print) -> [u8; MAC] {
        self.keys[0].clone().chain_update(print.0).finalize().into_bytes().into()
    }

    /// Returns whether a print was signed by one of the keys.
    pub(super) fn accepts(&self, print: &Print, mac: &[u8; MAC]) -> bool {
        // The comparison takes the same time wherever the first difference is.
        self.keys.iter().any(|key| key.clone().chain_update(print.0).verify(mac.into()).is_ok())
    }
}

/// Never shows a key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} keys)", self.keys.len())
    }
}

/// Stands for an item at its place.
pub(super) struct Print(Output<Sha256>);

impl Print {
    /// Takes a header, the key it is stored under, and the payload.
    pub(super) fn new(header: &[u8], key: &WireKey, payload: &[u8]) -> Self {
        Self(Sha256::new_with_prefix(header).chain_update(key.digest()).chain_update(payload).finalize())
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
        let print = Print::new(b"header", &key, b"payload");
        let (old, new) = (signer(&["old"]), signer(&["new", "old"]));
        assert!(new.accepts(&print, &old.sign(&print)) && new.accepts(&print, &new.sign(&print)));
        assert!(old.accepts(&print, &old.sign(&print)) && !old.accepts(&print, &new.sign(&print)));
    }

    #[test]
    fn each_part_is_signed() {
        let (signer, key) = (signer(&["key"]), WireKey::new([], b"k"));
        let mac = signer.sign(&Print::new(b"header", &key, b"payload"));
        let others = [
            Print::new(b"headex", &key, b"payload"),
            Print::new(b"header", &WireKey::new([], b"l"), b"payload"),
            Print::new(b"header", &key, b"payloax"),
            Print::new(b"header", &key, b""),
        ];
        assert!(others.iter().all(|print| !signer.accepts(print, &mac)));
    }

    #[test]
    fn there_must_be_a_key_and_none_is_shown() {
        assert!(Signer::new(&[]).is_none() && Signer::new(&[b"a".to_vec(), vec![]]).is_none());
        assert_eq!(format!("{:?}", signer(&["secret"])), "Signer(1 keys)");
    }
}
