//! The parts of compound values, up to their ends.

use serde::ser::{self, Serialize};

use super::walker::{Refusal, Walker};
use super::{Kind, Listener, Name};

/// Walks through the elements of a sequence or tuple.
pub(crate) struct Elements<'a, L>(&'a mut L);

impl<'a, L: Listener> Elements<'a, L> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn open(listener: &'a mut L, kind: Kind) -> Self {
        listener.mark(kind);
        Self(listener)
    }
}

/// Walks through the fields of what has a name.
pub(crate) struct Fields<'a, L: Listener> {
    listener: &'a mut L,
    names: L::Names,
}

impl<'a, L: Listener> Fields<'a, L> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn open(listener: &'a mut L, kind: Kind, name: Name) -> Self {
        let names = listener.open(kind, name);
        Self { listener, names }
    }
}

/// Walks through the entries of a map.
pub(crate) struct Entries<'a, L: Listener> {
    outer: &'a mut L,
    map: L::Map,
}

impl<'a, L: Listener> Entries<'a, L> {
    pub(super) fn open(listener: &'a mut L) -> Self {
        let map = listener.open_map();
        Self { outer: listener, map }
    }
}

macro_rules! elements {
    ($($trait:ident: $method:ident;)*) => {$(
        impl<L: Listener> ser::$trait for Elements<'_, L> {
            type Ok = ();
            type Error = Refusal;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                value.serialize(Walker(&mut *self.0))
            }

            #[inline]
            fn end(self) -> Result<(), Refusal> {
                self.0.mark(Kind::End);
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
}

/// Fields that have no names.
macro_rules! positions {
    ($($trait:ident)*) => {$(
        impl<L: Listener> ser::$trait for Fields<'_, L> {
            type Ok = ();
            type Error = Refusal;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                value.serialize(Walker(&mut *self.listener))
            }

            #[inline]
            fn end(self) -> Result<(), Refusal> {
                self.listener.close(self.names);
                Ok(())
            }
        }
    )*};
}

positions!(SerializeTupleStruct SerializeTupleVariant);

/// Fields that have names.
macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl<L: Listener> ser::$trait for Fields<'_, L> {
            type Ok = ();
            type Error = Refusal;

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Refusal> {
                self.listener.field(&mut self.names, name);
                value.serialize(Walker(&mut *self.listener))
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn skip_field(&mut self, name: &'static str) -> Result<(), Refusal> {
                self.listener.skipped(&mut self.names, name);
                Ok(())
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn end(self) -> Result<(), Refusal> {
                self.listener.close(self.names);
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct SerializeStructVariant);

impl<L: Listener> ser::SerializeMap for Entries<'_, L> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        key.serialize(Walker(L::entry(&mut self.map)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        value.serialize(Walker(L::entry(&mut self.map)))?;
        L::close_entry(&mut self.map);
        Ok(())
    }

    fn end(self) -> Result<(), Refusal> {
        self.outer.close_map(self.map);
        Ok(())
    }
}
