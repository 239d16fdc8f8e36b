//! Any names and any keys may be used: the target of this module (feature `testing`).

use ring::digest::{SHA256, digest};

use super::{DIGEST, LONGEST, WireKey};
use crate::input::Input;

/// What a wire key is made of.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    namespaces: Vec<(String, u64)>,
    key: Vec<u8>,
}

impl Parts {
    fn read(input: &mut Input<'_>) -> Self {
        let namespaces = (0..input.below(4)).map(|_| (input.text(), input.number())).collect();
        Self { namespaces, key: input.bytes().to_vec() }
    }

    fn wire_key(&self) -> WireKey {
        WireKey::new(self.namespaces.iter().map(|(name, revision)| (&**name, *revision)), &self.key)
    }

    fn revision_key(&self) -> WireKey {
        WireKey::revision_key(self.namespaces.iter().map(|(name, _)| &**name))
    }

    /// The canonical form of a value, as the table of the module has it.
    fn form(&self) -> Vec<u8> {
        let mut form = vec![2, 0];
        for (name, revision) in &self.namespaces {
            form.push(1);
            form.extend(leb128(name.len() as u64));
            form.extend(name.bytes());
            form.extend(leb128(*revision));
        }
        [&form[..], &[0], &self.key].concat()
    }

    /// The same of the counter of the namespace.
    fn counter_form(&self) -> Vec<u8> {
        let mut form = vec![1, 1];
        for (name, _) in &self.namespaces {
            form.push(1);
            form.extend(leb128(name.len() as u64));
            form.extend(name.bytes());
        }
        [&form[..], &[0]].concat()
    }
}

/// Makes wire keys of two sets of names and keys: legal, as the table says, and equal only if both are.
pub(crate) fn wire_keys(data: &[u8]) {
    let mut input = Input::new(data);
    let (one, other) = (Parts::read(&mut input), Parts::read(&mut input));
    let pages = [(input.number32(), input.number32()), (input.number32(), input.number32())];
    let (a, b) = (one.wire_key(), other.wire_key());
    for (parts, key) in [(&one, &a), (&other, &b)] {
        assert_eq!(&key.digest()[..], digest(&SHA256, &parts.form()).as_ref(), "{parts:?}");
        assert_eq!(&parts.revision_key().digest()[..], digest(&SHA256, &parts.counter_form()).as_ref(), "{parts:?}");
        check(key.text(), key.digest());
    }
    let is_same = one == other;
    assert_eq!((a == b, a.text() == b.text(), a.hash() == b.hash()), (is_same, is_same, is_same), "{one:?} {other:?}");
    let names = |parts: &Parts| parts.namespaces.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(one.revision_key() == other.revision_key(), names(&one) == names(&other));
    assert!(one.revision_key() != b && other.revision_key() != a, "a counter with the key of a value");
    let named = pages.map(|(tag, index)| a.page(tag, index));
    for ((tag, index), text) in pages.iter().zip(&named) {
        let form = [&[1, 2], &a.digest()[..], &tag.to_le_bytes(), &index.to_le_bytes()].concat();
        check(text, digest(&SHA256, &form).as_ref().try_into().expect("as many bytes"));
        assert!(**text != *a.text() && **text != *b.page(*tag, *index) || is_same);
    }
    assert_eq!(*named[0] == *named[1], pages[0] == pages[1]);
}

/// Checks that a server takes a text, and that it ends with the digest.
fn check(text: &[u8], digest: &[u8; DIGEST]) {
    let text = str::from_utf8(text).expect("a text");
    assert!(text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)));
    assert!(text.ends_with(&base64(&digest[..20])), "{text}");
}

/// Base64url without padding (RFC 4648, 5), bit by bit.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let letter = |six: &[u8]| (0..6).fold(0, |sum, at| sum << 1 | usize::from(six.get(at).copied().unwrap_or(0)));
    bits.chunks(6).map(|six| char::from(LETTERS[letter(six)])).collect()
}

fn leb128(number: u64) -> Vec<u8> {
    let mut groups: Vec<u8> = (0..10).map(|group| (number.checked_shr(7 * group).unwrap_or(0) & 0x7f) as u8).collect();
    while groups.len() > 1 && groups.last() == Some(&0) {
        groups.pop();
    }
    let last = groups.len() - 1;
    groups.iter().enumerate().map(|(at, group)| if at < last { group | 0x80 } else { *group }).collect()
}
