//! The parts of compound values, up to their ends.

use serde::ser::{self, Serialize};

use super::element::Element;
use super::walker::{Refusal, Walker};
use super::{Kind, Listener, Name, numbers};

/// From how many elements on a tuple is taken for an array: serde has no tuples as long.
const ARRAY: usize = 17;

/// Walks through the elements of a sequence, of which numbers of one kind that follow one another are a run.
pub(crate) struct Elements<'a, L: Listener> {
    listener: &'a mut L,
    run: L::Run,
}

impl<'a, L: Listener> Elements<'a, L> {
    #[inline]
    pub(super) fn open(listener: &'a mut L) -> Self {
        listener.mark(Kind::Seq);
        Self { listener, run: L::Run::default() }
    }

    /// Walks through all elements: at once, if they are numbers.
    #[inline]
    pub(super) fn collect<I>(mut self, elements: I) -> Result<(), Refusal>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        let mut elements = elements.into_iter();
        if let Some(kind) = numbers::kind_of::<I::Item>() {
            self.listener.whole_run(kind, elements.map(|element| numbers::number(&element)));
            self.listener.mark(Kind::End);
            return Ok(());
        }
        elements.try_for_each(|element| ser::SerializeSeq::serialize_element(&mut self, &element))?;
        ser::SerializeSeq::end(self)
    }
}

impl<L: Listener> ser::SerializeSeq for Elements<'_, L> {
    type Ok = ();
    type Error = Refusal;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        value.serialize(Element { listener: &mut *self.listener, run: &mut self.run })
    }

    #[inline]
    fn end(mut self) -> Result<(), Refusal> {
        self.listener.end_run(&mut self.run);
        self.listener.mark(Kind::End);
        Ok(())
    }
}

/// Walks through the elements of a tuple or of an array.
pub(crate) struct Tuple<'a, L: Listener> {
    listener: &'a mut L,
    /// Only of an array.
    run: Option<L::Run>,
}

impl<'a, L: Listener> Tuple<'a, L> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn open(listener: &'a mut L, len: usize) -> Self {
        if len < ARRAY {
            listener.mark(Kind::Tuple);
            return Self { listener, run: None };
        }
        listener.open_array();
        Self { listener, run: Some(L::Run::default()) }
    }
}

impl<L: Listener> ser::SerializeTuple for Tuple<'_, L> {
    type Ok = ();
    type Error = Refusal;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        match &mut self.run {
            None => value.serialize(Walker(&mut *self.listener)),
            Some(run) => array_element(self.listener, run, value),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end(self) -> Result<(), Refusal> {
        if let Some(mut run) = self.run {
            self.listener.end_run(&mut run);
        }
        self.listener.mark(Kind::End);
        Ok(())
    }
}

/// Walks through an element of an array: not in the same place as those of tuples, which are keys of most functions.
#[inline(never)]
fn array_element<L: Listener, T: Serialize + ?Sized>(
    listener: &mut L,
    run: &mut L::Run,
    value: &T,
) -> Result<(), Refusal> {
    value.serialize(Element { listener, run })
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
