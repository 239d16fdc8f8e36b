//! The serializer: each of serde's calls is one event, or opens a compound value.

use std::fmt;

use serde::ser::{self, Serialize};

use super::compounds::{Elements, Entries, Fields, Tuple};
use super::{Kind, Listener, Name};

/// Walks through a value and tells its events to a listener.
pub(crate) struct Walker<'a, L>(pub(crate) &'a mut L);

/// Says why a value cannot be walked through.
// Two words, which are returned in registers.
#[derive(Debug)]
pub(crate) struct Refusal(Box<str>);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl ser::Error for Refusal {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}

/// Reports numbers.
macro_rules! numbers {
    ($($method:ident: $type:ty, $kind:ident;)*) => {$(
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn $method(self, value: $type) -> Result<(), Refusal> {
            self.0.number(Kind::$kind, value as u64);
            Ok(())
        }
    )*};
}

/// Opens compound values that have names.
macro_rules! compounds {
    ($($method:ident: $kind:ident;)*) => {$(
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn $method(self, of: &'static str, _len: usize) -> Result<Fields<'a, L>, Refusal> {
            Ok(Fields::open(self.0, Kind::$kind, Name { of, variant: None }))
        }
    )*};
}

/// Opens variants.
macro_rules! variants {
    ($($method:ident: $kind:ident;)*) => {$(
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn $method(
            self,
            of: &'static str,
            index: u32,
            variant: &'static str,
            _len: usize,
        ) -> Result<Fields<'a, L>, Refusal> {
            Ok(Fields::open(self.0, Kind::$kind, Name { of, variant: Some((index, variant)) }))
        }
    )*};
}

/// Calls a macro with all methods of a serializer that take a number of up to 64 bits.
macro_rules! each_number {
    ($emit:ident) => {
        $emit! {
            serialize_bool: bool, Bool;
            serialize_i8: i8, I8;
            serialize_i16: i16, I16;
            serialize_i32: i32, I32;
            serialize_i64: i64, I64;
            serialize_u8: u8, U8;
            serialize_u16: u16, U16;
            serialize_u32: u32, U32;
            serialize_u64: u64, U64;
            serialize_char: char, Char;
        }
    };
}
pub(super) use each_number;

impl<L: Listener> Walker<'_, L> {
    /// Reports a name without a list of fields.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn named(&mut self, kind: Kind, of: &'static str, variant: Option<(u32, &'static str)>) {
        self.0.name(kind, Name { of, variant });
    }
}

impl<'a, L: Listener> ser::Serializer for Walker<'a, L> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Elements<'a, L>;
    type SerializeTuple = Tuple<'a, L>;
    type SerializeTupleStruct = Fields<'a, L>;
    type SerializeTupleVariant = Fields<'a, L>;
    type SerializeMap = Entries<'a, L>;
    type SerializeStruct = Fields<'a, L>;
    type SerializeStructVariant = Fields<'a, L>;

    each_number!(numbers);

    compounds! {
        serialize_tuple_struct: TupleStruct;
        serialize_struct: Struct;
    }

    variants! {
        serialize_tuple_variant: TupleVariant;
        serialize_struct_variant: StructVariant;
    }

    fn serialize_i128(self, value: i128) -> Result<(), Refusal> {
        self.0.wide(Kind::I128, value.cast_unsigned());
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Refusal> {
        self.0.wide(Kind::U128, value);
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn serialize_f32(self, value: f32) -> Result<(), Refusal> {
        self.0.number(Kind::F32, u64::from(value.to_bits()));
        Ok(())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn serialize_f64(self, value: f64) -> Result<(), Refusal> {
        self.0.number(Kind::F64, value.to_bits());
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Refusal> {
        self.0.bytes(Kind::Text, value.as_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refusal> {
        self.0.bytes(Kind::Bytes, value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Refusal> {
        self.0.mark(Kind::None);
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        self.0.mark(Kind::Some);
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Refusal> {
        self.0.mark(Kind::Unit);
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(mut self, name: &'static str) -> Result<(), Refusal> {
        self.named(Kind::UnitStruct, name, None);
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(mut self, name: &'static str, index: u32, variant: &'static str) -> Result<(), Refusal> {
        self.named(Kind::UnitVariant, name, Some((index, variant)));
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(mut self, name: &'static str, value: &T) -> Result<(), Refusal> {
        self.named(Kind::NewtypeStruct, name, None);
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.named(Kind::NewtypeVariant, name, Some((index, variant)));
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Elements<'a, L>, Refusal> {
        Ok(Elements::open(self.0))
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Tuple<'a, L>, Refusal> {
        Ok(Tuple::open(self.0, len))
    }

    #[inline]
    fn collect_seq<I>(self, elements: I) -> Result<(), Refusal>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        Elements::open(self.0).collect(elements)
    }

    #[inline]
    fn serialize_map(self, _len: Option<usize>) -> Result<Entries<'a, L>, Refusal> {
        Ok(Entries::open(self.0))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
