//! What a value is stored under on a server: a short text for the wire, and the whole digest that the stored value is
//! bound to. Pure; made once for each operation.
//!
//! A wire key is `readable:digest`, or the digest alone outside of any namespace. The readable part shows to whoever
//! looks at a server where an item comes from; it says nothing that the digest does not. The digest is SHA-256 (FIPS
//! 180-4) of the canonical form below; the text has its first 20 bytes in base64url without padding (RFC 4648), which
//! is 160 bits: whoever meets two keys with one text still finds that the other's value is not signed for its own.
//!
//! | canonical form | bytes |
//! |---|---|
//! | version | of values 2, of all else 1 |
//! | what it names | 0 a value, 1 the revision counter of a namespace, 2 a page |
//! | each namespace, the outermost first | 1, length of the name (varint), name, revision (varint; values only) |
//! | end of the namespaces | 0 |
//! | values only: the key | its bytes (`Key::bytes`), up to the end |
//!
//! A varint is LEB128. A page is named by version, 2, the digest of its value's key, and the tag and the index as 32-bit
//! numbers, lowest byte first.
//!
//! Version 1 of values had the key in another format, postcard's, in which some keys were one. What was stored under it is
//! not found. Counters kept their version: in a fleet of both versions each clears for the other.

#[cfg(feature = "testing")]
pub(crate) mod fuzz;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// How many bytes a digest has.
pub(crate) const DIGEST: usize = SHA256_OUTPUT_LEN;

/// How many bytes of the digest are shown in the text.
const SHOWN: usize = 20;

/// How long those are in base64.
const ENCODED: usize = 27;

/// How much of a namespace's name is shown.
const READABLE: usize = 40;

/// How long a text can be: far below the 250 bytes that a server takes.
pub(crate) const LONGEST: usize = READABLE + 1 + ENCODED;

/// Names an item on the wire: at most [`LONGEST`] bytes out of `A-Za-z0-9_.:-`.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    bytes: [u8; LONGEST],
    len: u8,
}

/// Names a value, or a counter, on all servers of a fleet.
#[derive(Clone, Copy)]
pub(crate) struct WireKey {
    /// What the server sees.
    text: Text,
    /// Tells keys apart, and is signed with each value.
    digest: [u8; DIGEST],
    /// How much of the text stands before the digest.
    readable: u8,
}

impl WireKey {
    /// Makes the key of a value: `namespaces` by name and revision, the outermost first, and the key's own bytes.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn new<'a>(namespaces: impl IntoIterator<Item = (&'a str, u64)>, key: &[u8]) -> Self {
        Stem::new(namespaces).key(key)
    }

    /// Makes the key of the counter that keeps the revision of a namespace, the outermost name first.
    pub(crate) fn revision_key<'a>(namespaces: impl IntoIterator<Item = &'a str>) -> Self {
        let mut stem = Stem::of(Names::Revision);
        for name in namespaces {
            stem.namespace(name);
        }
        stem.end();
        stem.key(&[])
    }

    /// Returns what goes over the wire.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns what tells keys apart.
    pub(crate) fn digest(&self) -> &[u8; DIGEST] {
        &self.digest
    }

    /// Returns what decides about the server: the same in every process and release.
    pub(crate) fn hash(&self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.digest;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Names the tail page `index` of the page set `tag`. It lives on the server of this key, whatever its own text.
    pub(crate) fn page(&self, tag: u32, index: u32) -> Text {
        let mut form = begin(Names::Page);
        form.update(&self.digest);
        form.update(&tag.to_le_bytes());
        form.update(&index.to_le_bytes());
        let mut text = self.text;
        text.len = self.readable;
        text.push_digest(&end(form));
        text
    }
}

/// What a digest names; no two kinds can have a digest in common.
#[derive(Clone, Copy)]
enum Names {
    Value = 0,
    Revision = 1,
    Page = 2,
}

impl Names {
    /// Returns which canonical form the digest is made of.
    fn version(self) -> u8 {
        match self {
            Self::Value => 2,
            Self::Revision | Self::Page => 1,
        }
    }
}

/// What all keys of the same namespaces have in common, at one time: the beginning of the canonical form and of the text.
#[derive(Clone)]
pub(crate) struct Stem {
    form: Context,
    text: Text,
}

impl Stem {
    /// Makes the stem of the values in namespaces, given by name and revision, the outermost first.
    pub(crate) fn new<'a>(namespaces: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut stem = Self::of(Names::Value);
        for (name, revision) in namespaces {
            stem.namespace(name);
            stem.number(revision);
        }
        stem.end();
        stem
    }

    /// Makes the wire key of a key's own bytes.
    pub(crate) fn key(&self, key: &[u8]) -> WireKey {
        let mut form = self.form.clone();
        form.update(key);
        let digest = end(form);
        let mut text = self.text;
        text.push_digest(&digest);
        WireKey { text, digest, readable: self.text.len }
    }

    fn of(what: Names) -> Self {
        Self { form: begin(what), text: Text { bytes: [0; LONGEST], len: 0 } }
    }

    fn namespace(&mut self, name: &str) {
        self.form.update(&[1]);
        self.number(name.len() as u64);
        self.form.update(name.as_bytes());
        // Generic arguments and revisions begin with a mark: they say too little alone.
        if name.starts_with(char::is_alphanumeric) {
            self.text.len = 0;
            self.text.push_name(name);
        }
    }

    fn number(&mut self, mut number: u64) {
        let mut bytes = [0; 10];
        let mut len = 0;
        while number >= 0x80 {
            bytes[len] = number as u8 | 0x80;
            number >>= 7;
            len += 1;
        }
        bytes[len] = number as u8;
        self.form.update(&bytes[..=len]);
    }

    fn end(&mut self) {
        self.form.update(&[0]);
    }
}

impl Text {
    /// Adds the end of a name and the colon after it. Of an automatic name, `module::function#hash`, the hash is left
    /// out.
    fn push_name(&mut self, name: &str) {
        let name = name.split_once('#').map_or(name, |(name, _)| name).as_bytes();
        for byte in &name[name.len().saturating_sub(READABLE)..] {
            self.push(if is_legal(*byte) { *byte } else { b'_' });
        }
        self.push(b':');
    }

    fn push_digest(&mut self, digest: &[u8; DIGEST]) {
        let from = usize::from(self.len);
        BASE64URL_NOPAD.encode_mut(&digest[..SHOWN], &mut self.bytes[from..from + ENCODED]);
        self.len += ENCODED as u8;
    }

    fn push(&mut self, byte: u8) {
        self.bytes[usize::from(self.len)] = byte;
        self.len += 1;
    }
}

/// Begins a canonical form.
fn begin(what: Names) -> Context {
    let mut form = Context::new(&SHA256);
    form.update(&[what.version(), what as u8]);
    form
}

/// Returns the digest of a canonical form.
fn end(form: Context) -> [u8; DIGEST] {
    form.finish().as_ref().try_into().expect("invariant: SHA-256 has as many bytes")
}

fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-')
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self))
    }
}

impl fmt::Debug for Stem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stem").field("text", &self.text).finish_non_exhaustive()
    }
}

impl fmt::Debug for WireKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl PartialEq for WireKey {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for WireKey {}

impl Hash for WireKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash());
    }
}

#[cfg(test)]
mod tests;
