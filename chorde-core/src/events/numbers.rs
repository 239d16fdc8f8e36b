//! Which types are numbers, and what number a value is: so that a list of them is one event, not one for each.
//!
//! serde calls the elements of a list one by one, of whatever type they are. The list itself it hands over as an iterator
//! ([`Serializer::collect_seq`]), of which the type of the elements is known.

use std::any::TypeId;
use std::fmt;

use serde::ser::{Impossible, Serialize, Serializer};

use super::Kind;
use super::walker::Refusal;

/// Returns as what kind of number all values of `T` are serialised, or what such references refer to; `None` if they may be
/// anything else.
#[inline]
pub(super) fn kind_of<T>() -> Option<Kind> {
    macro_rules! find {
        ($($number:ty: $kind:ident;)*) => {
            $(if is::<T, $number>() {
                return Some(Kind::$kind);
            })*
        };
    }
    // Nothing else is as small, and the compiler need not look at the others.
    if const { size_of::<T>() > 8 } {
        return None;
    }
    find! {
        u8: U8;
        u64: U64;
        u32: U32;
        u16: U16;
        i8: I8;
        i16: I16;
        i32: I32;
        i64: I64;
        bool: Bool;
        char: Char;
        f32: F32;
        f64: F64;
        usize: U64;
        isize: I64;
    }
    None
}

/// Returns whether `T` is that number, or a reference to it: the compiler knows.
#[inline]
fn is<T, N: 'static>() -> bool {
    let id = typeid::of::<T>();
    id == TypeId::of::<N>() || id == TypeId::of::<&'static N>()
}

/// Returns the number that a value is, as [`Listener::number`](super::Listener::number) hears it; zero for what is none.
#[inline]
pub(super) fn number<T: Serialize + ?Sized>(value: &T) -> u64 {
    value.serialize(Number).unwrap_or_default()
}

/// Takes numbers, and refuses all else.
struct Number;

type No = Impossible<u64, Refusal>;

#[cold]
fn no<T>(what: impl fmt::Display) -> Result<T, Refusal> {
    Err(serde::ser::Error::custom(what))
}

macro_rules! numbers {
    ($($method:ident: $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<u64, Refusal> {
            Ok(value as u64)
        }
    )*};
}

macro_rules! refused {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self $(, _: $argument)*) -> Result<$ok, Refusal> {
            no("not a number")
        }
    )*};
}

impl Serializer for Number {
    type Ok = u64;
    type Error = Refusal;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    numbers! {
        serialize_bool: bool;
        serialize_i8: i8;
        serialize_i16: i16;
        serialize_i32: i32;
        serialize_i64: i64;
        serialize_u8: u8;
        serialize_u16: u16;
        serialize_u32: u32;
        serialize_u64: u64;
        serialize_char: char;
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<u64, Refusal> {
        Ok(u64::from(value.to_bits()))
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<u64, Refusal> {
        Ok(value.to_bits())
    }

    refused! {
        serialize_str(&str) -> u64;
        serialize_bytes(&[u8]) -> u64;
        serialize_none() -> u64;
        serialize_unit() -> u64;
        serialize_unit_struct(&'static str) -> u64;
        serialize_unit_variant(&'static str, u32, &'static str) -> u64;
        serialize_seq(Option<usize>) -> No;
        serialize_tuple(usize) -> No;
        serialize_tuple_struct(&'static str, usize) -> No;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No;
        serialize_map(Option<usize>) -> No;
        serialize_struct(&'static str, usize) -> No;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<u64, Refusal> {
        no("not a number")
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<u64, Refusal> {
        no("not a number")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<u64, Refusal> {
        no("not a number")
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
