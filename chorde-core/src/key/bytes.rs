//! The bytes of a key: what stores outside of the process tell keys apart by, the same in every process and release.
//!
//! They say all that serde says of the value, in a form that can be read back without knowing the type (a test does), so
//! that two values that serde tells differently never have the same bytes.
//!
//! | what | bytes |
//! |---|---|
//! | each event | its kind (`Kind`, in the upper five bits), and in the lower three a number if it is below 7, or 7 with the number behind it, as LEB128 |
//! | `bool`, `char`, unsigned integers | the number is the value |
//! | signed integers | the number is the value, zigzag: 0, -1, 1, -2, ... |
//! | `f32`, `f64` | 0, then the bits, lowest byte first |
//! | texts and bytes | the number is the length, then they follow |
//! | variants | the number is the index, then the name of the enum and that of the variant follow, as texts |
//! | structs, but for tuples | 0, then the name follows, as a text |
//! | a field | its name as a text, then the value; if it is left out, `Skipped` and its name |
//! | a map | the number of entries, then the entries follow, each the key and the value, sorted by their bytes |
//! | all others | 0 |
//!
//! What follows a compound value, other than a map, is its end. Names are part of it because the bytes outlive the program:
//! after a field or a variant was inserted, another one must not have the key that this one had.

use smallvec::SmallVec;

use crate::events::{Kind, Listener, Name};

/// Key bytes up to this length live inside of the key, without an allocation.
const INLINE: usize = 32;

/// From here on a number does not fit beside its kind.
const BESIDE: u64 = 7;

/// Bytes that start without a heap.
pub(super) type Bytes = SmallVec<[u8; INLINE]>;

/// Writes events down.
#[derive(Default)]
pub(super) struct Encoder(pub(super) Bytes);

/// Keeps the entries of one map.
pub(super) struct Entries {
    /// Writes the present entry.
    entry: Encoder,
    entries: Vec<Bytes>,
}

impl Encoder {
    fn head(&mut self, kind: Kind, number: u64) {
        let beside = number.min(BESIDE);
        self.0.push((kind as u8) << 3 | beside as u8);
        if beside == BESIDE {
            self.leb128(number);
        }
    }

    /// Does the same with a number of 128 bits.
    fn wide_head(&mut self, kind: Kind, mut number: u128) {
        if let Ok(number) = u64::try_from(number) {
            return self.head(kind, number);
        }
        self.0.push((kind as u8) << 3 | BESIDE as u8);
        while number > u128::from(u64::MAX) {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.leb128(number as u64);
    }

    fn leb128(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.bytes(Kind::Text, text.as_bytes());
    }
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn wide_zigzag(number: i128) -> u128 {
    (number << 1 ^ number >> 127).cast_unsigned()
}

impl Listener for Encoder {
    type Names = ();
    type Map = Entries;
    type Run = ();

    fn mark(&mut self, kind: Kind) {
        self.head(kind, 0);
    }

    #[inline]
    fn number(&mut self, kind: Kind, value: u64) {
        match kind {
            Kind::F32 => {
                self.mark(kind);
                self.0.extend_from_slice(&(value as u32).to_le_bytes());
            }
            Kind::F64 => {
                self.mark(kind);
                self.0.extend_from_slice(&value.to_le_bytes());
            }
            Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64 => {
                self.head(kind, zigzag(value.cast_signed()));
            }
            _ => self.head(kind, value),
        }
    }

    fn wide(&mut self, kind: Kind, value: u128) {
        self.wide_head(kind, if kind == Kind::I128 { wide_zigzag(value.cast_signed()) } else { value });
    }

    fn bytes(&mut self, kind: Kind, bytes: &[u8]) {
        self.head(kind, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn open_array(&mut self) {
        self.mark(Kind::Tuple);
    }

    #[inline]
    fn continue_run(&mut self, (): &mut (), kind: Kind, value: u64) {
        self.number(kind, value);
    }

    fn end_run(&mut self, (): &mut ()) {}

    #[inline]
    fn whole_run(&mut self, kind: Kind, values: impl Iterator<Item = u64>) {
        values.for_each(|value| self.number(kind, value));
    }

    fn open(&mut self, kind: Kind, name: Name) {
        self.name(kind, name);
    }

    fn name(&mut self, kind: Kind, name: Name) {
        self.head(kind, name.variant.map_or(0, |(index, _)| u64::from(index)));
        self.text(name.of);
        if let Some((_, variant)) = name.variant {
            self.text(variant);
        }
    }

    fn field(&mut self, (): &mut (), field: &'static str) {
        self.text(field);
    }

    fn skipped(&mut self, (): &mut (), field: &'static str) {
        self.mark(Kind::Skipped);
        self.text(field);
    }

    fn close(&mut self, (): ()) {
        self.mark(Kind::End);
    }

    fn open_map(&mut self) -> Entries {
        Entries { entry: Self::default(), entries: Vec::new() }
    }

    fn entry(map: &mut Entries) -> &mut Self {
        &mut map.entry
    }

    fn close_entry(map: &mut Entries) {
        map.entries.push(std::mem::take(&mut map.entry.0));
    }

    fn close_map(&mut self, mut map: Entries) {
        map.entries.sort_unstable();
        self.head(Kind::Map, map.entries.len() as u64);
        for entry in &map.entries {
            self.0.extend_from_slice(entry);
        }
    }
}

#[cfg(test)]
mod tests;
