//! The plans for what holds other values.

use std::marker::PhantomData;
use std::ops::Deref;

use serde::ser::{SerializeMap as _, SerializeSeq as _, SerializeTuple as _};
use serde::{Serialize, Serializer};

use super::Part;

/// A reference or smart pointer (`Box`, `Arc`), with the plan of the type behind it.
#[derive(Debug)]
pub struct Through<P>(PhantomData<P>);

/// An `Option`.
#[derive(Debug)]
pub struct Opt<P>(PhantomData<P>);

/// A slice, a `Vec` or another list, as a sequence.
#[derive(Debug)]
pub struct Listed<P>(PhantomData<P>);

/// An array within another type, as a tuple.
#[derive(Debug)]
pub struct Arrayed<P>(PhantomData<P>);

/// A set whose order means nothing, as a map to nothing.
#[derive(Debug)]
pub struct Unordered<P>(PhantomData<P>);

/// A map, by the plans of its keys and values.
#[derive(Debug)]
pub struct Keyed<K, V>(PhantomData<(K, V)>);

impl<'a, T: Deref + ?Sized, P> Serialize for Part<'a, T, Through<P>>
where
    for<'b> Part<'b, T::Target, P>: Serialize,
{
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Part::<T::Target, P>::new(self.value()).serialize(serializer)
    }
}

impl<'a, T, P> Serialize for Part<'a, Option<T>, Opt<P>>
where
    Part<'a, T, P>: Serialize,
{
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value() {
            Some(value) => serializer.serialize_some(&Part::<T, P>::new(value)),
            None => serializer.serialize_none(),
        }
    }
}

impl<'a, T: ?Sized, E: 'a, P> Serialize for Part<'a, T, Listed<P>>
where
    &'a T: IntoIterator<Item = &'a E>,
    Part<'a, E, P>: Serialize,
{
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for element in self.value() {
            list.serialize_element(&Part::<E, P>::new(element))?;
        }
        list.end()
    }
}

impl<'a, T, P, const N: usize> Serialize for Part<'a, [T; N], Arrayed<P>>
where
    Part<'a, T, P>: Serialize,
{
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for element in self.value() {
            tuple.serialize_element(&Part::<T, P>::new(element))?;
        }
        tuple.end()
    }
}

impl<'a, T, E: 'a, P> Serialize for Part<'a, T, Unordered<P>>
where
    &'a T: IntoIterator<Item = &'a E>,
    Part<'a, E, P>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for element in self.value() {
            map.serialize_entry(&Part::<E, P>::new(element), &())?;
        }
        map.end()
    }
}

impl<'a, T, K: 'a, V: 'a, P, Q> Serialize for Part<'a, T, Keyed<P, Q>>
where
    &'a T: IntoIterator<Item = (&'a K, &'a V)>,
    Part<'a, K, P>: Serialize,
    Part<'a, V, Q>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.value() {
            map.serialize_entry(&Part::<K, P>::new(key), &Part::<V, Q>::new(value))?;
        }
        map.end()
    }
}

/// Tuples, by the plans of their elements.
macro_rules! tuples {
    ($($count:literal: $($value:ident $plan:ident $index:tt)*;)*) => {$(
        impl<'a, $($value, $plan),*> Serialize for Part<'a, ($($value,)*), ($($plan,)*)>
        where
            $(Part<'a, $value, $plan>: Serialize),*
        {
            #[inline]
            fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                let mut tuple = serializer.serialize_tuple($count)?;
                $(tuple.serialize_element(&Part::<$value, $plan>::new(&self.value().$index))?;)*
                tuple.end()
            }
        }
    )*};
}

tuples! {
    1: A P 0;
    2: A P 0 B Q 1;
    3: A P 0 B Q 1 C R 2;
    4: A P 0 B Q 1 C R 2 D S 3;
    5: A P 0 B Q 1 C R 2 D S 3 E T 4;
    6: A P 0 B Q 1 C R 2 D S 3 E T 4 F U 5;
    7: A P 0 B Q 1 C R 2 D S 3 E T 4 F U 5 G V 6;
    8: A P 0 B Q 1 C R 2 D S 3 E T 4 F U 5 G V 6 H W 7;
}
