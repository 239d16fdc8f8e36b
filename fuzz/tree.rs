//! All that serde can say of a value, as a value: what keys are tested with. Made of any bytes, and read back from the bytes
//! of a key by the table in `chorde-core/src/key/bytes.rs`, with no code of the subject's.

use serde::ser::{
    SerializeMap as _, SerializeSeq as _, SerializeStruct as _, SerializeStructVariant as _, SerializeTuple as _,
    SerializeTupleStruct as _, SerializeTupleVariant as _,
};
use serde::{Serialize, Serializer};

/// Names of structs, variants and fields: few, so that they meet.
const NAMES: [&str; 5] = ["", "a", "b", "longer than six", "a field of more than sixteen letters"];

/// A value as serde reports it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    /// By its bits: not a number is the same as itself.
    F32(u32),
    F64(u64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Tree>),
    Unit,
    UnitStruct(&'static str),
    UnitVariant(Variant),
    NewtypeStruct(&'static str, Box<Tree>),
    NewtypeVariant(Variant, Box<Tree>),
    Seq(Vec<Tree>, Length),
    Tuple(Vec<Tree>),
    TupleStruct(&'static str, Vec<Tree>),
    TupleVariant(Variant, Vec<Tree>),
    Map(Vec<(Tree, Tree)>, Length),
    /// Fields without a value are left out.
    Struct(&'static str, Vec<(&'static str, Option<Tree>)>),
    StructVariant(Variant, Vec<(&'static str, Option<Tree>)>),
}

/// The enum's name, the index, and the variant's name.
type Variant = (&'static str, u32, &'static str);

/// Whether a sequence or map knows its length beforehand: nothing that a key depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    Known,
    Unknown,
}

impl Length {
    fn of(self, length: usize) -> Option<usize> {
        (self == Self::Known).then_some(length)
    }
}

impl Tree {
    /// Makes the one of all trees with the same meaning that has its maps sorted, and knows all lengths.
    pub(crate) fn canonical(&self) -> Self {
        let boxed = |tree: &Self| Box::new(tree.canonical());
        let all = |trees: &[Self]| trees.iter().map(Self::canonical).collect();
        let fields = |fields: &[(&'static str, Option<Self>)]| {
            fields.iter().map(|(name, value)| (*name, value.as_ref().map(Self::canonical))).collect()
        };
        match self {
            Self::Some(tree) => Self::Some(boxed(tree)),
            Self::NewtypeStruct(name, tree) => Self::NewtypeStruct(name, boxed(tree)),
            Self::NewtypeVariant(variant, tree) => Self::NewtypeVariant(*variant, boxed(tree)),
            Self::Seq(trees, _) => Self::Seq(all(trees), Length::Known),
            Self::Tuple(trees) => Self::Tuple(all(trees)),
            Self::TupleStruct(name, trees) => Self::TupleStruct(name, all(trees)),
            Self::TupleVariant(variant, trees) => Self::TupleVariant(*variant, all(trees)),
            Self::Map(entries, _) => {
                let mut entries: Vec<_> = entries.iter().map(|(k, v)| (k.canonical(), v.canonical())).collect();
                entries.sort();
                Self::Map(entries, Length::Known)
            }
            Self::Struct(name, of) => Self::Struct(name, fields(of)),
            Self::StructVariant(variant, of) => Self::StructVariant(*variant, fields(of)),
            other => other.clone(),
        }
    }

    /// Makes one with the same meaning: maps the other way round, lengths known where they were not.
    pub(crate) fn turned(&self) -> Self {
        let boxed = |tree: &Self| Box::new(tree.turned());
        let all = |trees: &[Self]| trees.iter().map(Self::turned).collect();
        let other = |length: Length| if length == Length::Known { Length::Unknown } else { Length::Known };
        match self {
            Self::Some(tree) => Self::Some(boxed(tree)),
            Self::NewtypeStruct(name, tree) => Self::NewtypeStruct(name, boxed(tree)),
            Self::Seq(trees, length) => Self::Seq(all(trees), other(*length)),
            Self::Tuple(trees) => Self::Tuple(all(trees)),
            Self::Map(entries, length) => {
                Self::Map(entries.iter().rev().map(|(k, v)| (k.turned(), v.turned())).collect(), other(*length))
            }
            same => same.clone(),
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        /// Writes the parts of a compound value.
        macro_rules! parts {
            ($open:expr, $method:ident, $trees:expr) => {{
                let mut open = $open?;
                for tree in $trees {
                    open.$method(tree)?;
                }
                open.end()
            }};
        }
        /// Writes the fields of a struct, or leaves them out.
        macro_rules! fields {
            ($open:expr, $fields:expr) => {{
                let mut open = $open?;
                for (name, value) in $fields {
                    match value {
                        Some(value) => open.serialize_field(name, value)?,
                        None => open.skip_field(name)?,
                    }
                }
                open.end()
            }};
        }
        match self {
            Self::Bool(value) => to.serialize_bool(*value),
            Self::I8(value) => to.serialize_i8(*value),
            Self::I16(value) => to.serialize_i16(*value),
            Self::I32(value) => to.serialize_i32(*value),
            Self::I64(value) => to.serialize_i64(*value),
            Self::I128(value) => to.serialize_i128(*value),
            Self::U8(value) => to.serialize_u8(*value),
            Self::U16(value) => to.serialize_u16(*value),
            Self::U32(value) => to.serialize_u32(*value),
            Self::U64(value) => to.serialize_u64(*value),
            Self::U128(value) => to.serialize_u128(*value),
            Self::F32(bits) => to.serialize_f32(f32::from_bits(*bits)),
            Self::F64(bits) => to.serialize_f64(f64::from_bits(*bits)),
            Self::Char(value) => to.serialize_char(*value),
            Self::Text(value) => to.serialize_str(value),
            Self::Bytes(value) => to.serialize_bytes(value),
            Self::None => to.serialize_none(),
            Self::Some(value) => to.serialize_some(value),
            Self::Unit => to.serialize_unit(),
            Self::UnitStruct(name) => to.serialize_unit_struct(name),
            Self::UnitVariant((of, index, name)) => to.serialize_unit_variant(of, *index, name),
            Self::NewtypeStruct(name, value) => to.serialize_newtype_struct(name, value),
            Self::NewtypeVariant((of, index, name), value) => to.serialize_newtype_variant(of, *index, name, value),
            Self::Seq(all, length) => parts!(to.serialize_seq(length.of(all.len())), serialize_element, all),
            Self::Tuple(all) => parts!(to.serialize_tuple(all.len()), serialize_element, all),
            Self::TupleStruct(name, all) => parts!(to.serialize_tuple_struct(name, all.len()), serialize_field, all),
            Self::TupleVariant((of, index, name), all) => {
                parts!(to.serialize_tuple_variant(of, *index, name, all.len()), serialize_field, all)
            }
            Self::Map(entries, length) => {
                let mut map = to.serialize_map(length.of(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Struct(name, of) => fields!(to.serialize_struct(name, of.len()), of),
            Self::StructVariant((name, index, variant), of) => {
                fields!(to.serialize_struct_variant(name, *index, variant, of.len()), of)
            }
        }
    }
}

/// The bytes that are left; at their end all numbers are zero.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

impl Source<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Takes a number of up to 128 bits, of which one byte says how long it is.
    fn number(&mut self) -> u128 {
        (0..self.byte() % 17).fold(0, |number, _| number << 8 | u128::from(self.byte()))
    }

    /// Takes bytes, some of them more than go into a digest one by one.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let length = usize::from(self.byte() % 24);
        let bytes: Vec<u8> = (0..length).map(|_| self.byte()).collect();
        bytes.repeat([1, 1, 1, 1, 1, 1, 8, 20][usize::from(self.byte() % 8)])
    }

    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    fn name(&mut self) -> &'static str {
        NAMES[usize::from(self.byte()) % NAMES.len()]
    }

    fn variant(&mut self) -> Variant {
        (self.name(), u32::from(self.byte() % 9), self.name())
    }

    fn length(&mut self) -> Length {
        if self.byte() & 1 == 0 { Length::Known } else { Length::Unknown }
    }

    fn several<T>(&mut self, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.byte() % 40).map_while(|_| (!self.0.is_empty()).then(|| make(self))).collect()
    }

    fn fields(&mut self, below: u8) -> Vec<(&'static str, Option<Tree>)> {
        self.several(|from| (from.name(), (from.byte() & 1 == 0).then(|| from.tree(below))))
    }

    /// Takes a tree of no more than so many levels.
    pub(crate) fn tree(&mut self, levels: u8) -> Tree {
        let Some(below) = levels.checked_sub(1) else { return self.leaf(0) };
        match self.byte() % 32 {
            0 => Tree::Some(Box::new(self.tree(below))),
            1 => Tree::NewtypeStruct(self.name(), Box::new(self.tree(below))),
            2 => Tree::NewtypeVariant(self.variant(), Box::new(self.tree(below))),
            3 => Tree::Seq(self.several(|from| from.tree(below)), self.length()),
            4 => Tree::Tuple(self.several(|from| from.tree(below))),
            5 => Tree::TupleStruct(self.name(), self.several(|from| from.tree(below))),
            6 => Tree::TupleVariant(self.variant(), self.several(|from| from.tree(below))),
            7 => Tree::Map(self.several(|from| (from.tree(below), from.tree(below))), self.length()),
            8 => Tree::Struct(self.name(), self.fields(below)),
            9 => Tree::StructVariant(self.variant(), self.fields(below)),
            kind => self.leaf(kind - 10),
        }
    }

    fn leaf(&mut self, kind: u8) -> Tree {
        match kind {
            0 => Tree::Unit,
            1 => Tree::Bool(self.byte() & 1 == 1),
            2 => Tree::I8(self.number() as i8),
            3 => Tree::I16(self.number() as i16),
            4 => Tree::I32(self.number() as i32),
            5 => Tree::I64(self.number() as i64),
            6 => Tree::I128(self.number().cast_signed()),
            7 => Tree::U8(self.byte()),
            8 => Tree::U16(self.number() as u16),
            9 => Tree::U32(self.number() as u32),
            10 => Tree::U64(self.number() as u64),
            11 => Tree::U128(self.number()),
            12 => Tree::F32(self.number() as u32),
            13 => Tree::F64(self.number() as u64),
            14 => Tree::Char(char::from_u32(self.number() as u32).unwrap_or('x')),
            15 => Tree::Text(self.text()),
            16 => Tree::Bytes(self.bytes()),
            17 => Tree::None,
            18 => Tree::UnitStruct(self.name()),
            _ => Tree::UnitVariant(self.variant()),
        }
    }
}

/// Decodes the tree from the bytes of a key; `None` if they are not a key's bytes.
pub(crate) fn read(bytes: &[u8]) -> Option<Tree> {
    let mut reader = Reader(bytes);
    let tree = reader.tree()?;
    reader.0.is_empty().then_some(tree)
}

/// The bytes that are left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn head(&mut self) -> Option<(u8, u128)> {
        let first = self.take(1)?[0];
        let (kind, beside) = (first >> 3, u128::from(first & 7));
        Some((kind, if beside == 7 { self.leb128().filter(|number| *number >= 7)? } else { beside }))
    }

    fn leb128(&mut self) -> Option<u128> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.take(1)?[0];
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn name(&mut self) -> Option<&'static str> {
        let (kind, length) = self.head()?;
        self.name_of(kind, length)
    }

    fn name_of(&mut self, kind: u8, length: u128) -> Option<&'static str> {
        let name = self.take(length as usize)?;
        NAMES.into_iter().find(|known| kind == 14 && known.as_bytes() == name)
    }

    fn variant(&mut self, index: u128) -> Option<Variant> {
        Some((self.name()?, index as u32, self.name()?))
    }

    /// Reads up to an end.
    fn values(&mut self) -> Option<Vec<Tree>> {
        let mut values = Vec::new();
        loop {
            match self.head()? {
                (30, 0) => return Some(values),
                head => values.push(self.tree_of(head)?),
            }
        }
    }

    fn fields(&mut self) -> Option<Vec<(&'static str, Option<Tree>)>> {
        let mut fields = Vec::new();
        loop {
            match self.head()? {
                (30, 0) => return Some(fields),
                (31, 0) => fields.push((self.name()?, None)),
                (kind, length) => fields.push((self.name_of(kind, length)?, Some(self.tree()?))),
            }
        }
    }

    fn tree(&mut self) -> Option<Tree> {
        let head = self.head()?;
        self.tree_of(head)
    }

    fn tree_of(&mut self, (kind, number): (u8, u128)) -> Option<Tree> {
        let zigzag = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
        let boxed = |reader: &mut Self| reader.tree().map(Box::new);
        Some(match kind {
            0 => Tree::Bool(number == 1),
            1 => Tree::I8(zigzag as i8),
            2 => Tree::I16(zigzag as i16),
            3 => Tree::I32(zigzag as i32),
            4 => Tree::I64(zigzag as i64),
            5 => Tree::I128(zigzag),
            6 => Tree::U8(number as u8),
            7 => Tree::U16(number as u16),
            8 => Tree::U32(number as u32),
            9 => Tree::U64(number as u64),
            10 => Tree::U128(number),
            11 => Tree::F32(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            12 => Tree::F64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            13 => Tree::Char(char::from_u32(number as u32)?),
            14 => Tree::Text(String::from_utf8(self.take(number as usize)?.to_vec()).ok()?),
            15 => Tree::Bytes(self.take(number as usize)?.to_vec()),
            16 => Tree::None,
            17 => Tree::Some(boxed(self)?),
            18 => Tree::Unit,
            19 => Tree::UnitStruct(self.name()?),
            20 => Tree::UnitVariant(self.variant(number)?),
            21 => Tree::NewtypeStruct(self.name()?, boxed(self)?),
            22 => Tree::NewtypeVariant(self.variant(number)?, boxed(self)?),
            23 => Tree::Seq(self.values()?, Length::Known),
            24 => Tree::Tuple(self.values()?),
            25 => Tree::TupleStruct(self.name()?, self.values()?),
            26 => Tree::TupleVariant(self.variant(number)?, self.values()?),
            27 => {
                let entries: Option<Vec<_>> = (0..number).map(|_| Some((self.tree()?, self.tree()?))).collect();
                Tree::Map(entries?, Length::Known)
            }
            28 => Tree::Struct(self.name()?, self.fields()?),
            29 => Tree::StructVariant(self.variant(number)?, self.fields()?),
            _ => return None,
        })
    }
}
