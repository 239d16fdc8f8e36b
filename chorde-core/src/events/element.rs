//! The serializer for an element of a list: numbers continue a run of numbers, all else ends it.

use serde::ser::{Serialize, Serializer};

use super::compounds::{Elements, Entries, Fields, Tuple};
use super::walker::{Refusal, Walker, each_number};
use super::{Kind, Listener};

/// Walks through an element of a list.
pub(super) struct Element<'a, L: Listener> {
    pub(super) listener: &'a mut L,
    /// The run that the elements before it began.
    pub(super) run: &'a mut L::Run,
}

impl<'a, L: Listener> Element<'a, L> {
    #[inline]
    fn number(self, kind: Kind, value: u64) -> Result<(), Refusal> {
        self.listener.continue_run(self.run, kind, value);
        Ok(())
    }

    /// Ends the run; what comes is no number.
    #[inline]
    fn other(self) -> Walker<'a, L> {
        self.listener.end_run(self.run);
        Walker(self.listener)
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty, $kind:ident;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Refusal> {
            self.number(Kind::$kind, value as u64)
        }
    )*};
}

macro_rules! others {
    ($($method:ident($($argument:ident: $type:ty),*) -> $ok:ty;)*) => {$(
        #[inline]
        fn $method(self $(, $argument: $type)*) -> Result<$ok, Refusal> {
            self.other().$method($($argument),*)
        }
    )*};
}

impl<'a, L: Listener> Serializer for Element<'a, L> {
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

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), Refusal> {
        self.number(Kind::F32, u64::from(value.to_bits()))
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Refusal> {
        self.number(Kind::F64, value.to_bits())
    }

    others! {
        serialize_i128(value: i128) -> ();
        serialize_u128(value: u128) -> ();
        serialize_str(value: &str) -> ();
        serialize_bytes(value: &[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(name: &'static str) -> ();
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) -> ();
        serialize_seq(len: Option<usize>) -> Elements<'a, L>;
        serialize_tuple(len: usize) -> Tuple<'a, L>;
        serialize_tuple_struct(name: &'static str, len: usize) -> Fields<'a, L>;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Fields<'a, L>;
        serialize_map(len: Option<usize>) -> Entries<'a, L>;
        serialize_struct(name: &'static str, len: usize) -> Fields<'a, L>;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> Fields<'a, L>;
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        self.other().serialize_some(value)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Refusal> {
        self.other().serialize_newtype_struct(name, value)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.other().serialize_newtype_variant(name, index, variant, value)
    }

    #[inline]
    fn collect_seq<I>(self, elements: I) -> Result<(), Refusal>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        self.other().collect_seq(elements)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
