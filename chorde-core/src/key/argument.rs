//! What `#[cached]` sees of an argument beyond what serde says of it: which variant of an enum it is, though it may be
//! `untagged`, and that a set has no order.
//!
//! The attribute reads the type of an argument as it is written and makes a *plan* of it, a type of this module: where in
//! the argument there may be an enum ([`Leaf`]), a set, or something to look through. A [`Part`] serialises what it
//! references by that plan. For all else it says what the argument itself would say, so that keys made by hand are the
//! same; and where the plan does not fit, since a name means another type than the usual one, it is not followed
//! ([`Unplanned`]).
//!
//! The variant is told by `mem::discriminant`, only where it is not 0 and the value does not begin with a variant anyway.
//! For what is no enum it is always 0, which the compiler knows.

mod first;
mod plans;

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::mem;

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
pub struct Part<'a, T: ?Sized, P>(&'a T, PhantomData<fn() -> P>);

impl<'a, T: ?Sized, P> Part<'a, T, P> {
    /// Makes a part of that plan.
    #[inline]
    pub fn new(value: &'a T) -> Self {
        Self(value, PhantomData)
    }
}

impl<T: ?Sized, P> std::fmt::Debug for Part<'_, T, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Part").finish_non_exhaustive()
    }
}

/// Takes the part as it is, where the plan fits.
pub trait Planned<'a> {
    /// What is serialised.
    type Part;
    /// Returns it.
    fn part(&self) -> Self::Part;
}

impl<'a, T: ?Sized, P> Planned<'a> for Part<'a, T, P>
where
    Self: Serialize,
{
    type Part = Self;

    #[inline]
    fn part(&self) -> Self {
        Self(self.0, PhantomData)
    }
}

/// Takes the whole argument, where it does not: found by the compiler only then, since one reference more is needed.
pub trait Unplanned<'a> {
    /// What is serialised.
    type Part;
    /// Returns it.
    fn part(&self) -> Self::Part;
}

impl<'a, T: ?Sized, P> Unplanned<'a> for &Part<'a, T, P> {
    type Part = &'a T;

    #[inline]
    fn part(&self) -> &'a T {
        self.0
    }
}

impl<T: Serialize + ?Sized> Serialize for Part<'_, T, Whole> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Serialize> Serialize for Part<'_, T, Leaf> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let variant = Discriminant::of(self.0);
        if variant == 0 || first::is_variant(self.0) {
            return self.0.serialize(serializer);
        }
        let mut told = serializer.serialize_tuple_struct(VARIANT, 2)?;
        told.serialize_field(&variant)?;
        told.serialize_field(self.0)?;
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
