//! Looks at the first event of a value alone: whether it is a variant.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

/// Tells whether serde says of a value which variant it is.
#[inline]
pub(super) fn is_variant<T: Serialize + ?Sized>(value: &T) -> bool {
    matches!(value.serialize(First), Err(Seen::Variant))
}

/// Stops at the first event.
struct First;

/// What was seen.
#[derive(Debug)]
enum Seen {
    Variant,
    Other,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seen enough")
    }
}

impl std::error::Error for Seen {}

impl ser::Error for Seen {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

type Never = Impossible<(), Seen>;

macro_rules! others {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {$(
        #[inline]
        fn $method(self, $(_: $argument),*) -> Result<$result, Seen> {
            Err(Seen::Other)
        }
    )*};
}

type Name = &'static str;

impl Serializer for First {
    type Ok = ();
    type Error = Seen;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    others! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_i128(i128) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_u128(u128) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(Name) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(Name, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(Name, usize) -> Never;
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Seen> {
        Err(Seen::Other)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: Name, _: &T) -> Result<(), Seen> {
        Err(Seen::Other)
    }

    #[inline]
    fn serialize_unit_variant(self, _: Name, _: u32, _: Name) -> Result<(), Seen> {
        Err(Seen::Variant)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: Name, _: u32, _: Name, _: &T) -> Result<(), Seen> {
        Err(Seen::Variant)
    }

    #[inline]
    fn serialize_tuple_variant(self, _: Name, _: u32, _: Name, _: usize) -> Result<Never, Seen> {
        Err(Seen::Variant)
    }

    #[inline]
    fn serialize_struct_variant(self, _: Name, _: u32, _: Name, _: usize) -> Result<Never, Seen> {
        Err(Seen::Variant)
    }

    #[inline]
    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> Result<(), Seen> {
        Err(Seen::Other)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
