//! The envelope: between values and what is stored under their wire keys. Pure.
//!
//! A stored item is a header, a signature and a payload. It is signed as a whole, together with the key it is stored
//! under, and nothing of the payload is expanded or decoded before the signature is verified: so whoever does not have
//! the key can make values be missed, and nothing else. Whatever cannot be read is [`Damage`], which is a miss.
//!
//! # Format, version 1
//!
//! Numbers have their lowest byte first.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | `C4 0D` |
//! | 1 | the version: 1 |
//! | 1 | flags: 1 compressed; 2, only with 1, with a dictionary; 4 paged; all others are 0 |
//! | 4 | life: the seconds that the value was stored for, without the grace |
//! | 4 | type: a hash of the name of the value's type |
//! | 4 | the length of the expanded payload |
//! | 4 | only with a dictionary: its id, the first bytes of its SHA-256 |
//! | 4 | only if paged: the tag of the page set in the upper 20 bits, the number of tail pages in the lower 12 |
//! | 4 | only if paged: the length of the payload as stored, in all pages together |
//! | 32 | the signature: HMAC-SHA256 of all of the above, the 32 bytes of the key's digest, and the payload as stored |
//! | rest | the payload: postcard, or one frame of zstd with that inside |
//!
//! What is too long for one item is cut into pages: the item at the value's own key is the first, and is as long as
//! each of the others but the last. Its client flags are the same number as in the header; zero for all that is not
//! paged.
//!
//! Sources: HMAC, RFC 2104, with SHA-256, RFC 6234; zstd, RFC 8878; postcard's wire format,
//! <https://postcard.jamesmunns.com/wire-format>.
//!
//! A value is decoded only as the type that it was encoded as, by name. Postcard does not describe itself: whoever
//! changes a type without renaming it must change the namespace, as functions do by themselves.

mod codec;
mod compress;
mod damage;
#[cfg(feature = "testing")]
pub(crate) mod fuzz;
mod header;
mod pages;
mod sign;

use std::borrow::Cow;
use std::fmt;

use bytes::{Buf, Bytes};
use chorde_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire_key::{self, WireKey};

pub(crate) use compress::CompressOptions;
pub(crate) use damage::{Damage, Unsealable};
pub(crate) use pages::PageSet;

use compress::Compression;
use header::{Header, Packing, Paged};
use sign::{MAC, Signer, Unsigned};

/// How much is left free in front of a payload, for the longest header and the signature.
const ROOM: usize = header::LONGEST + MAC;

/// What a server needs for an item besides the data: its own header and the key. 1.6.18 takes 63 bytes and the key.
const ITEM: usize = 124 + wire_key::LONGEST;

/// The smallest item size limit that a server can have.
const SMALLEST: usize = 1024;

/// The largest.
const LARGEST: usize = 1 << 30;

/// What [`Sealer`] is made of.
#[derive(Clone)]
pub(crate) struct SealerOptions {
    /// What values are signed with: the first signs, all are accepted.
    pub(crate) keys: Vec<Vec<u8>>,
    /// What is compressed, and how.
    pub(crate) compress: CompressOptions,
    /// The largest item that the servers take, in bytes (memcached's `-I`).
    pub(crate) item_size: usize,
    /// The largest payload that is written or read, in bytes.
    pub(crate) max_value: usize,
}

impl Default for SealerOptions {
    fn default() -> Self {
        Self { keys: Vec::new(), compress: CompressOptions::default(), item_size: 1 << 20, max_value: 256 << 20 }
    }
}

/// Never shows a key.
impl fmt::Debug for SealerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealerOptions")
            .field("keys", &self.keys.len())
            .field("compress", &self.compress)
            .field("item_size", &self.item_size)
            .field("max_value", &self.max_value)
            .finish()
    }
}

/// Makes items of values, and values of items.
#[derive(Debug)]
pub(crate) struct Sealer {
    signer: Signer,
    compression: Compression,
    /// How long a page is.
    page: usize,
    /// How long a payload may be.
    max_value: usize,
}

/// A value as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// The item at the value's own key.
    pub(crate) head: Bytes,
    /// The tail pages; empty where the head is all.
    pub(crate) tail: Vec<Bytes>,
    /// Names the tail pages.
    pub(crate) tag: u32,
}

impl Sealed {
    /// Returns the flags to store the head with.
    pub(crate) fn flags(&self) -> u32 {
        if self.tail.is_empty() { 0 } else { PageSet { tag: self.tag, count: self.tail.len() as u32 }.flags() }
    }

    /// Returns how many bytes are stored.
    pub(crate) fn len(&self) -> usize {
        self.tail.iter().map(Bytes::len).sum::<usize>() + self.head.len()
    }

    /// Returns the seed that those who [open](Sealer::open) it are given.
    pub(crate) fn seed(&self) -> u64 {
        Header::read(&self.head).map_or(0, |(_, rest)| seed(rest))
    }
}

/// A value as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened<V> {
    /// The value.
    pub(crate) value: V,
    /// How many seconds it was stored for.
    pub(crate) life: u32,
    /// The same whenever this item is read, and another for every other.
    pub(crate) seed: u64,
}

impl Sealer {
    /// Makes ready what the options ask for.
    pub(crate) fn new(options: SealerOptions) -> Result<Self> {
        let refuse = |message: String| Err(Error::new(ErrorKind::Config, message));
        let SealerOptions { keys, compress, item_size, max_value } = options;
        let Some(signer) = Signer::new(&keys) else {
            return refuse(
                "checksum_key is missing or empty: give one secret text to all clients of the servers".into(),
            );
        };
        if item_size < SMALLEST {
            return refuse(format!("item_size {item_size} is too small: give the servers' -I, {SMALLEST} or more"));
        }
        if item_size > LARGEST {
            return refuse(format!(
                "item_size {item_size} is too large: no server takes more than 1 GiB; give their -I"
            ));
        }
        if max_value == 0 {
            return refuse("max_value_size of zero: nothing could be stored; give the largest value's bytes".into());
        }
        if max_value > u32::MAX as usize {
            return refuse(format!("max_value_size {max_value} is too large: give at most {} bytes", u32::MAX));
        }
        Ok(Self { signer, compression: Compression::new(compress)?, page: item_size - ITEM, max_value })
    }

    /// Makes what is stored of a value that is to live for `life` seconds; it is read as this very type.
    pub(crate) fn seal<V: Serialize>(&self, key: &WireKey, value: &V, life: u32) -> Result<Sealed, Unsealable> {
        let payload = codec::encode(value, ROOM, self.max_value)?;
        let tag = fastrand::u32(..pages::TAGS);
        self.wrap(key, payload, Label { type_tag: codec::type_tag::<V>(), life, tag })
    }

    /// Reads a value out of an item that is all of it.
    pub(crate) fn open<V: DeserializeOwned>(&self, key: &WireKey, head: &[u8]) -> Result<Opened<V>, Damage> {
        let Piece { payload, life, seed } = self.unwrap(key, head, codec::type_tag::<V>())?;
        Ok(Opened { value: codec::decode(&payload)?, life, seed })
    }

    /// Returns which tail pages belong to a head; `None` where it is all. What it returns is bounded, but who wrote the
    /// head is known only once all pages are there.
    pub(crate) fn pages(&self, head: &[u8]) -> Result<Option<PageSet>, Damage> {
        Ok(self.claimed(head)?.map(|(set, _)| set))
    }

    /// Reads a value out of its head and its tail pages, in order.
    pub(crate) fn open_joined<V: DeserializeOwned>(
        &self,
        key: &WireKey,
        head: &[u8],
        tails: &[Bytes],
    ) -> Result<Opened<V>, Damage> {
        match self.claimed(head)? {
            Some((_, len)) => self.open(key, &pages::join(head, tails, len)?),
            None if tails.is_empty() => self.open(key, head),
            None => Err(Damage::Torn),
        }
    }

    /// Compresses, signs and cuts a payload that lies behind [`ROOM`] zeroes.
    fn wrap(&self, key: &WireKey, payload: Vec<u8>, label: Label) -> Result<Sealed, Unsealable> {
        let expanded = payload.len() - ROOM;
        let packed = self.compression.pack(&payload[ROOM..], ROOM);
        let (packing, mut whole) = packed.unwrap_or((Packing::Plain, payload));
        let Label { type_tag, life, tag } = label;
        let mut header = Header { packing, life, type_tag, expanded: expanded as u32, paged: None };
        self.lay_out(&mut header, whole.len() - ROOM, tag)?;
        let start = self.sign(key, &header, &mut whole);
        // Without slack, `Bytes` takes the vector as it is; with it, it would allocate.
        whole.shrink_to_fit();
        let mut whole = Bytes::from(whole);
        whole.advance(start);
        let (head, tail) = if header.paged.is_none() { (whole, Vec::new()) } else { pages::split(whole, self.page) };
        Ok(Sealed { head, tail, tag })
    }

    /// Says in the header what does not fit into one item.
    fn lay_out(&self, header: &mut Header, stored: usize, tag: u32) -> Result<(), Unsealable> {
        if header.len() + MAC + stored <= self.page {
            return Ok(());
        }
        let paged = |count| Some(Paged { set: PageSet { tag, count }, stored: stored as u32 });
        header.paged = paged(1);
        let count = pages::tails(header.len() + MAC + stored, self.page);
        if count > pages::MOST {
            return Err(Unsealable::TooManyPages { page: self.page });
        }
        // At least one, since what the header has more for it cannot make the whole shorter.
        header.paged = paged(count as u32);
        Ok(())
    }

    /// Writes header and signature in front of the payload; returns where they begin.
    fn sign(&self, key: &WireKey, header: &Header, whole: &mut [u8]) -> usize {
        let mut front = [0; header::LONGEST];
        let start = header.write(&mut front);
        let mac = self.signer.sign(Unsigned { header: &front[start..], key, payload: &whole[ROOM..] });
        whole[..header::LONGEST].copy_from_slice(&front);
        whole[header::LONGEST..ROOM].copy_from_slice(&mac);
        start
    }

    /// Verifies and expands all bytes of a value of the type with this tag.
    fn unwrap<'a>(&self, key: &WireKey, whole: &'a [u8], type_tag: u32) -> Result<Piece<'a>, Damage> {
        let (header, rest) = Header::read(whole)?;
        let (mac, payload) = rest.split_first_chunk::<MAC>().ok_or(Damage::Foreign)?;
        if header.paged.is_some_and(|paged| paged.stored as usize != payload.len()) {
            return Err(Damage::Torn);
        }
        if !self.signer.accepts(Unsigned { header: &whole[..header.len()], key, payload }, mac) {
            return Err(Damage::Forged);
        }
        if header.type_tag != type_tag {
            return Err(Damage::OtherType);
        }
        let payload = self.expand(&header, payload)?;
        Ok(Piece { payload, life: header.life, seed: seed(mac) })
    }

    fn expand<'a>(&self, header: &Header, payload: &'a [u8]) -> Result<Cow<'a, [u8]>, Damage> {
        let expanded = header.expanded as usize;
        if expanded > self.max_value {
            return Err(Damage::Oversized);
        }
        match header.packing {
            Packing::Plain if expanded == payload.len() => Ok(payload.into()),
            Packing::Plain => Err(Damage::Undecodable),
            packing => Ok(self.compression.unpack(packing, payload, expanded)?.into()),
        }
    }

    /// Returns which pages a head says it has, and how long all are together.
    fn claimed(&self, head: &[u8]) -> Result<Option<(PageSet, usize)>, Damage> {
        let (header, _) = Header::read(head)?;
        if header.paged.is_some_and(|paged| paged.stored.max(header.expanded) as usize > self.max_value) {
            return Err(Damage::Oversized);
        }
        pages::claimed(&header, head.len())
    }
}

/// Returns some bytes of a signature, which differ between any two items.
fn seed(mac: &[u8]) -> u64 {
    mac.first_chunk().map_or(0, |seed| u64::from_le_bytes(*seed))
}

/// Says what a payload is.
#[derive(Clone, Copy)]
struct Label {
    type_tag: u32,
    /// In seconds.
    life: u32,
    /// Names the tail pages, if there will be any.
    tag: u32,
}

/// What was proved to be ours, expanded.
struct Piece<'a> {
    payload: Cow<'a, [u8]>,
    /// In seconds.
    life: u32,
    seed: u64,
}

#[cfg(test)]
mod tests;
