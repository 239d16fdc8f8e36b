//! What `#[cached]` sees of an argument beyond what serde says of it: which variant of an enum it is, though it may be
//! `untagged`, and that a set has no order.
//!
//! The attribute reads the type of an argument as it is written and makes a *plan* of it, a type of this module: where in
//! the argument there may be an enum ([`Leaf`]), a set, or something to look through. A [`Part`] serialises what it
//! references by that plan. For all else it says what the argument itself would say, so that keys made by hand are the
//! same; and where the plan does not fit, since a name means another type than the usual one, it is not followed
//! ([`Unplanned`]).
//!
//! The variant is told by `mem::discriminant`, where it is not 0: also of enums that tell it themselves, for what looks like that
//! may be an enum inside of an untagged one. For what is no enum it is always 0, which the compiler knows.

mod plans;

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;
use std::{fmt, mem};

use serde::ser::SerializeTupleStruct as _;
use serde::{Serialize, Serializer};

pub use plans::{Arrayed, Keyed, Listed, Opt, Through, Unordered};

/// What a variant that serde does not tell is told by: the name of no struct.
const VARIANT: &str = "\0variant";

/// What may be an enum.
#[derive(Debug)]
pub struct Leaf(());

/// What is serialised as it is.
#[derive(Debug)]
pub struct Whole(());

/// Serialises what it references by a plan.
pub struct Part<'a, T: ?Sized, P>(Unplanned<'a, T>, PhantomData<fn() -> P>);

/// What is serialised where a plan does not fit.
pub struct Unplanned<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized, P> Part<'a, T, P> {
    /// Makes a part of that plan.
    #[inline]
    pub fn new(value: &'a T) -> Self {
        Self(Unplanned(value), PhantomData)
    }

    /// Returns what is planned for.
    fn value(&self) -> &'a T {
        self.0.0
    }
}

impl<'a, T: ?Sized, P> Part<'a, T, P>
where
    Self: Serialize,
{
    /// Returns the part as it is, if the plan fits.
    #[inline]
    pub fn part(self) -> Self {
        self
    }
}

impl<'a, T: ?Sized> Unplanned<'a, T> {
    /// Returns the whole argument: the compiler comes here for a part without a method of this name.
    #[inline]
    pub fn part(&self) -> &'a T {
        self.0
    }
}

impl<'a, T: ?Sized, P> Deref for Part<'a, T, P> {
    type Target = Unplanned<'a, T>;

    #[inline]
    fn deref(&self) -> &Unplanned<'a, T> {
        &self.0
    }
}

impl<T: ?Sized, P> Clone for Part<'_, T, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized, P> Copy for Part<'_, T, P> {}

impl<T: ?Sized> Clone for Unplanned<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Unplanned<'_, T> {}

/// What an expression is, of which nothing is known: a reference or a box of what may be an enum, or what may be an enum.
#[derive(Clone, Copy, Debug)]
pub struct Guess<'a, T: ?Sized>(Part<'a, T, Leaf>);

impl<'a, T: ?Sized> Guess<'a, T> {
    /// Takes a reference to it.
    #[inline]
    pub fn new(value: &'a T) -> Self {
        Self(Part::new(value))
    }
}

impl<'a, T: ?Sized> Guess<'a, T>
where
    Part<'a, T, Through<Leaf>>: Serialize,
{
    /// Looks through it; where that cannot be, the compiler goes on to what may be an enum.
    #[inline]
    pub fn part(self) -> Part<'a, T, Through<Leaf>> {
        Part::new(self.0.value())
    }
}

impl<'a, T: ?Sized> Deref for Guess<'a, T> {
    type Target = Part<'a, T, Leaf>;

    #[inline]
    fn deref(&self) -> &Part<'a, T, Leaf> {
        &self.0
    }
}

impl<T: ?Sized, P> fmt::Debug for Part<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").finish_non_exhaustive()
    }
}

impl<T: ?Sized> fmt::Debug for Unplanned<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unplanned").finish_non_exhaustive()
    }
}

impl<T: Serialize + ?Sized> Serialize for Part<'_, T, Whole> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<T: Serialize> Serialize for Part<'_, T, Leaf> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let variant = Discriminant::of(self.value());
        if variant == 0 {
            return self.value().serialize(serializer);
        }
        let mut told = serializer.serialize_tuple_struct(VARIANT, 2)?;
        told.serialize_field(&variant)?;
        told.serialize_field(self.value())?;
        told.end()
    }
}

/// Receives the number of a discriminant, which is seen by hashing it alone.
#[derive(Default)]
struct Discriminant(u64);

impl Discriminant {
    #[inline]
    fn of<T>(value: &T) -> u64 {
        let mut seen = Self::default();
        mem::discriminant(value).hash(&mut seen);
        seen.0
    }
}

impl Hasher for Discriminant {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.0 = number.cast_unsigned() as u64;
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.0 = u64::from(number);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
