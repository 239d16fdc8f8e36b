//! Whether a type is a `Result`, as the compiler knows it: for types of which the text does not tell.
//!
//! An attribute sees the return type of its function as text, in which an alias hides what it stands for. So the code it
//! emits asks [`Kind`]: its own functions and constants exist for a `Result` alone, and the compiler prefers them to those of
//! the trait [`AnyKind`], which all types have. [`Returned`] makes types of the answer.
//!
//! Inside of generic code, a type that depends on a parameter is none of `Result`'s for the compiler. Such a type is stored
//! as it is, unless its name shows in the running program that it is a `Result` ([`NoResult`]).

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use super::{All, Fallible, Identity, Keep, Maps, Plain, Sharing};
use crate::client::Value;

/// Asks whether `R` is a `Result`.
pub struct Kind<R>(PhantomData<fn() -> R>);

/// Stores values as they are, if they are no `Result`s.
pub type StoredWhole<R> = Maps<Plain<R>, Identity, NoResult>;

/// Returns how the results of such a function are kept.
#[must_use]
#[inline]
pub const fn stored_whole<R: 'static>() -> StoredWhole<R> {
    Maps::new(Plain::new(), Identity, NoResult(()))
}

impl<R> Kind<R> {
    /// Creates the question.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> Default for Kind<R> {
    fn default() -> Self {
        Self::new()
    }
}

/// Answers for a `Result`.
impl<T: 'static, E> Kind<Result<T, E>> {
    /// Is true.
    pub const IS_RESULT: bool = true;

    /// Returns the shape of a function that returns it, whose errors cannot be copied.
    #[must_use]
    #[inline]
    pub const fn shape(&self) -> Fallible<Result<T, E>> {
        Fallible::new(Sharing::none())
    }

    /// Returns how the results of such a function are kept.
    #[must_use]
    #[inline]
    pub const fn maps(&self) -> Maps<Fallible<Result<T, E>>, Identity, All> {
        Maps::of(self.shape())
    }

    /// Does not compile: it was not known that this is a `Result` where the types of the companions were written.
    #[must_use]
    #[inline]
    pub const fn whole(&self) -> StoredWhole<Result<T, E>>
    where
        E: 'static,
        Result<T, E>: IsSaid,
    {
        stored_whole()
    }
}

/// Answers for a `Result` with errors that can be copied: found before all others, through one more reference.
pub trait SharedKind {
    /// How its results are taken apart.
    type Shape;
    /// Returns the shape of a function that returns it.
    fn shape(&self) -> Self::Shape;
    /// Returns how the results of such a function are kept.
    fn maps(&self) -> Maps<Self::Shape, Identity, All>;
}

impl<T: 'static, E: Value> SharedKind for &Kind<Result<T, E>> {
    type Shape = Fallible<Result<T, E>>;

    #[inline]
    fn shape(&self) -> Self::Shape {
        Fallible::new(Sharing::by(E::clone))
    }

    #[inline]
    fn maps(&self) -> Maps<Self::Shape, Identity, All> {
        Maps::of(SharedKind::shape(self))
    }
}

/// Answers for all other types.
pub trait AnyKind {
    /// What is asked about.
    type Type;
    /// Is false.
    const IS_RESULT: bool = false;

    /// Returns the shape of a function that returns it.
    fn shape(&self) -> Plain<Self::Type>;
    /// Returns how the results of such a function are kept.
    fn maps(&self) -> StoredWhole<Self::Type>;
    /// Returns the same.
    fn whole(&self) -> StoredWhole<Self::Type>;
}

impl<R: 'static> AnyKind for Kind<R> {
    type Type = R;

    #[inline]
    fn shape(&self) -> Plain<R> {
        Plain::new()
    }

    #[inline]
    fn maps(&self) -> StoredWhole<R> {
        self.whole()
    }

    #[inline]
    fn whole(&self) -> StoredWhole<R> {
        stored_whole()
    }
}

/// Holds for no type: says what to write where a type turns out to be a `Result`.
#[diagnostic::on_unimplemented(
    message = "the cached function returns a `Result`, which its return type does not show",
    label = "stands for a `Result`",
    note = "write `result = true` to store only what is `Ok`, or `result = false` to store errors too"
)]
pub trait IsSaid {}

/// Makes types of the answer: of a `Result` with `true`, of any type with `false`.
pub trait Returned<const IS_RESULT: bool> {
    /// The value that the users of the function see.
    type Value;
    /// How its results are taken apart.
    type Shape;
}

impl<T: 'static, E> Returned<true> for Result<T, E> {
    type Value = T;
    type Shape = Fallible<Self>;
}

impl<R: 'static> Returned<false> for R {
    type Value = R;
    type Shape = Plain<R>;
}

/// Stores what is no `Result`, by the name of its type in the running program.
#[derive(Clone, Copy, Debug)]
pub struct NoResult(());

impl<V> Keep<V> for NoResult {
    fn keeps(&self, _value: &V) -> bool {
        !type_name::<V>().starts_with("core::result::Result<")
    }
}

impl<R> fmt::Debug for Kind<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kind")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Alias<T> = Result<T, Unclonable>;
    #[derive(Debug)]
    struct Unclonable;

    #[test]
    fn an_alias_is_known_for_what_it_stands_for() {
        const ALIAS: bool = Kind::<Alias<u8>>::IS_RESULT;
        const OPTION: bool = Kind::<Option<u8>>::IS_RESULT;
        assert!(ALIAS && !OPTION);
        let value: <Alias<u8> as Returned<ALIAS>>::Value = 1_u8;
        let option: <Option<u8> as Returned<OPTION>>::Value = Some(value);
        let kind = Kind::<Alias<u8>>::new();
        let shape: <Alias<u8> as Returned<ALIAS>>::Shape = kind.shape();
        assert_eq!(format!("{shape:?}"), "Fallible");
        assert!(Kind::<Option<u8>>::new().whole().keep.keeps(&option));
    }

    #[test]
    fn what_a_parameter_hides_is_known_by_its_name() {
        fn keeps<T: 'static>(value: &T) -> bool {
            Kind::<T>::new().whole().keep.keeps(value)
        }
        assert!(keeps(&1) && keeps(&Some(1)) && keeps(&vec![Alias::Ok(1)]));
        assert!(!keeps(&Alias::Ok(1)) && !keeps(&Alias::<u8>::Err(Unclonable)));
    }
}
