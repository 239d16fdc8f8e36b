//! The header of a stored item: between its fields and its bytes.

use super::Damage;
use super::pages::PageSet;

/// What an item of ours begins with. No text does, so that what others store is told apart.
const MAGIC: [u8; 2] = [0xc4, 0x0d];

/// The version of the format that this code writes and reads.
const VERSION: u8 = 1;

/// How long a header can be.
pub(super) const LONGEST: usize = 28;

/// The bits of the flags byte.
const ZSTD: u8 = 1;
const DICTIONARY: u8 = 2;
const PAGED: u8 = 4;

/// Says what a stored item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// How the payload is compressed.
    pub(super) packing: Packing,
    /// How many seconds the value was stored for.
    pub(super) life: u32,
    /// Stands for the value's type.
    pub(super) type_tag: u32,
    /// How long the payload is once expanded.
    pub(super) expanded: u32,
    /// Where the rest is, if this is not all.
    pub(super) paged: Option<Paged>,
}

/// Says how a payload is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// By zstd alone.
    Zstd,
    /// By zstd with the dictionary of this id.
    Dictionary(u32),
}

/// Says that a value takes several items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paged {
    /// Names the tail pages.
    pub(super) set: PageSet,
    /// How long the payload is in all pages together.
    pub(super) stored: u32,
}

impl Header {
    /// Writes the header to the end of `room`; returns where it begins.
    pub(super) fn write(&self, room: &mut [u8; LONGEST]) -> usize {
        let mut writer = Writer { bytes: [0; LONGEST], len: 0 };
        let (flags, dictionary) = match self.packing {
            Packing::Plain => (0, None),
            Packing::Zstd => (ZSTD, None),
            Packing::Dictionary(id) => (ZSTD | DICTIONARY, Some(id)),
        };
        let paged = if self.paged.is_some() { PAGED } else { 0 };
        writer.put(&[MAGIC[0], MAGIC[1], VERSION, flags | paged]);
        let pages = self.paged.map(|paged| [paged.set.flags(), paged.stored]);
        let fields = [self.life, self.type_tag, self.expanded];
        for field in fields.into_iter().chain(dictionary).chain(pages.into_iter().flatten()) {
            writer.put(&field.to_le_bytes());
        }
        let start = LONGEST - writer.len;
        room[start..].copy_from_slice(&writer.bytes[..writer.len]);
        start
    }

    /// Reads a header and returns what comes after it.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Damage> {
        let (&[a, b, version, flags], rest) = bytes.split_first_chunk().ok_or(Damage::Foreign)?;
        if [a, b] != MAGIC {
            return Err(Damage::Foreign);
        }
        if version != VERSION || flags & !(ZSTD | DICTIONARY | PAGED) != 0 {
            return Err(Damage::Version);
        }
        let mut reader = Reader(rest);
        let (life, type_tag, expanded) = (reader.take()?, reader.take()?, reader.take()?);
        let packing = match flags & (ZSTD | DICTIONARY) {
            0 => Packing::Plain,
            ZSTD => Packing::Zstd,
            DICTIONARY => return Err(Damage::Version),
            _ => Packing::Dictionary(reader.take()?),
        };
        let paged = if flags & PAGED == 0 { None } else { Some(Paged::read(&mut reader)?) };
        Ok((Self { packing, life, type_tag, expanded, paged }, reader.0))
    }

    /// Returns the length of the header's bytes.
    pub(super) fn len(&self) -> usize {
        let dictionary = if let Packing::Dictionary(_) = self.packing { 4 } else { 0 };
        let paged = if self.paged.is_some() { 8 } else { 0 };
        16 + dictionary + paged
    }
}

impl Paged {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Damage> {
        let set = PageSet::from_flags(reader.take()?).ok_or(Damage::Torn)?;
        Ok(Self { set, stored: reader.take()? })
    }
}

/// Fills a header from its beginning.
struct Writer {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Writer {
    fn put(&mut self, bytes: &[u8; 4]) {
        self.bytes[self.len..self.len + 4].copy_from_slice(bytes);
        self.len += 4;
    }
}

/// Takes numbers off the front of what came from a server.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self) -> Result<u32, Damage> {
        let (number, rest) = self.0.split_first_chunk().ok_or(Damage::Foreign)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> impl Strategy<Value = Header> {
        let packing =
            prop_oneof![Just(Packing::Plain), Just(Packing::Zstd), any::<u32>().prop_map(Packing::Dictionary)];
        let paged = (0..1_u32 << 20, 1..4096_u32, any::<u32>())
            .prop_map(|(tag, count, stored)| Paged { set: PageSet { tag, count }, stored });
        (packing, any::<[u32; 3]>(), proptest::option::of(paged)).prop_map(
            |(packing, [life, type_tag, expanded], paged)| Header { packing, life, type_tag, expanded, paged },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(header in header(), rest: [u8; 5]) {
            let mut room = [0; LONGEST];
            let start = header.write(&mut room);
            prop_assert_eq!(LONGEST - start, header.len());
            let bytes = [&room[start..], &rest[..]].concat();
            prop_assert_eq!(Header::read(&bytes), Ok((header, &rest[..])));
            for len in 0..header.len() {
                prop_assert_eq!(Header::read(&bytes[..len]), Err(Damage::Foreign));
            }
        }
    }

    #[test]
    fn what_is_not_ours_is_named() {
        let ours = [MAGIC[0], MAGIC[1], VERSION, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0];
        assert!(Header::read(&ours).is_ok());
        let with = |at: usize, byte: u8| {
            let mut bytes = ours;
            bytes[at] = byte;
            Header::read(&bytes).map(|_| ())
        };
        assert_eq!(with(0, b'1'), Err(Damage::Foreign));
        assert_eq!(with(1, 0), Err(Damage::Foreign));
        assert_eq!(with(2, 2), Err(Damage::Version));
        assert_eq!(with(3, 8), Err(Damage::Version));
        assert_eq!(with(3, DICTIONARY), Err(Damage::Version));
        assert_eq!(with(3, PAGED), Err(Damage::Foreign));
        assert_eq!(Header::read(b""), Err(Damage::Foreign));
    }
}
