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
    /// Is one.
    pub const IS_RESULT: u8 = 1;

    /// Returns how the results of such a function are kept, whose errors cannot be copied.
    #[must_use]
    #[inline]
    pub const fn maps(&self) -> Maps<Fallible<Result<T, E>>, Identity, All> {
        Maps::of(Fallible::new(Sharing::none()))
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

/// Answers for a `Result` with errors that can be copied.
impl<T, E: Value> Kind<Result<T, E>> {
    /// Is one.
    pub const IS_SHARED: u8 = 1;
}

/// Answers for a `Result` with errors that say something.
impl<T, E: fmt::Debug> Kind<Result<T, E>> {
    /// Is two.
    pub const IS_TOLD: u8 = 2;
}

/// Answers for a `Result` with errors that can be copied: found before all others, through one more reference.
pub trait SharedKind {
    /// How its results are taken apart.
    type Shape;
    /// Returns how the results of such a function are kept.
    fn maps(&self) -> Maps<Self::Shape, Identity, All>;
}

impl<T: 'static, E: Value> SharedKind for &Kind<Result<T, E>> {
    type Shape = Fallible<Result<T, E>>;

    #[inline]
    fn maps(&self) -> Maps<Self::Shape, Identity, All> {
        Maps::of(Fallible::new(Sharing::by(E::clone)))
    }
}

/// Answers for all other types.
pub trait AnyKind {
    /// What is asked about.
    type Type;
    /// Is zero.
    const IS_RESULT: u8 = 0;
    /// Is zero.
    const IS_SHARED: u8 = 0;
    /// Is zero.
    const IS_TOLD: u8 = 0;

    /// Returns how the results of such a function are kept.
    fn maps(&self) -> StoredWhole<Self::Type>;
    /// Returns the same.
    fn whole(&self) -> StoredWhole<Self::Type>;
}

impl<R: 'static> AnyKind for Kind<R> {
    type Type = R;

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

/// Holds the answer: `KIND` is 0 for a type that is no `Result`, 1 for a `Result`, one more if its errors can be copied, and two
/// more if they say something.
pub struct Known<R, const KIND: u8>(PhantomData<fn() -> R>);

/// Makes types of the answer.
pub trait Returned {
    /// The value that the users of the function see.
    type Value;
    /// How its results are taken apart.
    type Shape;
    /// Returns that.
    fn shape() -> Self::Shape;
}

impl<R: 'static> Returned for Known<R, 0> {
    type Value = R;
    type Shape = Plain<R>;

    #[inline]
    fn shape() -> Plain<R> {
        Plain::new()
    }
}

/// Emits the answers of the kinds of `Result`.
macro_rules! returned {
    ($($kind:literal where [$($bound:tt)*] = $sharing:expr;)*) => {$(
        impl<T: 'static, E: $($bound)*> Returned for Known<Result<T, E>, $kind> {
            type Value = T;
            type Shape = Fallible<Result<T, E>>;

            #[inline]
            fn shape() -> Self::Shape {
                Fallible::new($sharing)
            }
        }
    )*};
}

returned! {
    1 where [] = Sharing::none();
    2 where [Value] = Sharing::by(E::clone);
    3 where [fmt::Debug] = Sharing::none().telling();
    4 where [Value + fmt::Debug] = Sharing::by(E::clone).telling();
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

impl<R, const KIND: u8> fmt::Debug for Known<R, KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({KIND})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Alias<T> = Result<T, Unclonable>;
    #[derive(Debug)]
    struct Unclonable;
    struct Silent;

    macro_rules! kind {
        ($($of:ty),*) => {[$(Kind::<$of>::IS_RESULT + Kind::<$of>::IS_SHARED + Kind::<$of>::IS_TOLD),*]};
    }

    #[test]
    fn an_alias_is_known_for_what_it_stands_for() {
        use super::super::Shape as _;
        const KINDS: [u8; 3] = kind!(Option<u8>, Alias<u8>, std::io::Result<u8>);
        const COPIED: [u8; 2] = kind!(Result<u8, String>, std::fmt::Result);
        assert_eq!((KINDS, COPIED), ([0, 3, 3], [4, 4]));
        assert_eq!(kind!(Result<u8, Silent>), [1]);
        let said = Known::<Alias<u8>, 3>::shape().told(&Unclonable);
        let unsaid = Known::<Result<u8, Silent>, 1>::shape().told(&Silent);
        assert!(said == "Unclonable" && unsaid.contains("Silent"));
        let value: <Known<Alias<u8>, { KINDS[1] }> as Returned>::Value = 1_u8;
        let option: <Known<Option<u8>, { KINDS[0] }> as Returned>::Value = Some(value);
        assert!(Kind::<Option<u8>>::new().whole().keep.keeps(&option));
    }

    #[test]
    fn errors_are_copied_where_they_can_be() {
        use super::super::Shape as _;
        let shares = |failed| Known::<Result<u8, String>, 2>::shape().share(failed).is_some();
        assert!(shares(&String::new()) && Known::<Alias<u8>, 1>::shape().share(&Unclonable).is_none());
        let (shared, own) = (&Kind::<Result<u8, String>>::new(), Kind::<Alias<u8>>::new());
        assert!(SharedKind::maps(&shared).shape.share(&String::new()).is_some());
        assert!(own.maps().shape.share(&Unclonable).is_none());
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
