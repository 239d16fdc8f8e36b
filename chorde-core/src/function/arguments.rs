//! What the arguments of a cached function must be for work that outlives the call.

use std::fmt;

use crate::key::arguments::for_tuples;

/// Holds for arguments that can move to a background computation.
///
/// Used with a higher-ranked lifetime in where-clauses, so that it is checked only where a companion is used.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot move to a background computation",
    label = "this companion computes in the background, which needs owned `Send` arguments",
    note = "take the argument as an owned `Send + 'static` type, or use the companions that do not work in the background"
)]
pub trait Movable<'a>: Send + 'static {}

impl<T: Send + 'static> Movable<'_> for T {}

/// Holds for values that a background computation can return.
///
/// The same as [`Movable`], for where a value may have the type of an argument: the compiler does not take a bound with a
/// higher-ranked lifetime twice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned by a background computation",
    label = "this companion computes in the background, which needs a `Send` value"
)]
pub trait MovableValue<'a>: Send + 'static {}

impl<T: Send + 'static> MovableValue<'_> for T {}

/// Holds for tuples of arguments that can all move to a background computation.
pub trait AllMovable: Send + 'static {}

macro_rules! all_movable {
    ($($name:ident)*) => {
        impl<$($name: for<'a> Movable<'a>),*> AllMovable for ($($name,)*) {}
    };
}

all_movable!();
for_tuples!(all_movable);

/// Holds for arguments of which a copy can be kept.
///
/// Used with a higher-ranked lifetime in where-clauses, so that it is checked only where a companion is used.
#[diagnostic::on_unimplemented(
    message = "background work on `{Self}` needs `{Self}: Clone`",
    label = "this companion needs a copy that outlives the call",
    note = "derive `Clone` for it, with its fields in an `Arc` if they are not cheap to copy"
)]
pub trait Clonable<'a>: Clone {}

impl<T: Clone> Clonable<'_> for T {}

/// Asks whether a copy of an argument can be kept: answered by the method that autoref finds first.
pub struct Keep<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Keep<'a, T> {
    /// Creates the question.
    #[inline]
    pub const fn new(value: &'a T) -> Self {
        Self(value)
    }
}

/// Answers for arguments that can be copied.
pub trait KeepClone<T> {
    /// Returns a copy.
    fn keep(&self) -> Option<T>;
}

impl<T: Clone> KeepClone<T> for Keep<'_, T> {
    fn keep(&self) -> Option<T> {
        Some(self.0.clone())
    }
}

/// Answers for all other arguments.
pub trait KeepNone<T> {
    /// Returns nothing.
    fn keep(&self) -> Option<T>;
}

impl<T> KeepNone<T> for &Keep<'_, T> {
    fn keep(&self) -> Option<T> {
        None
    }
}

impl<T: ?Sized> fmt::Debug for Keep<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keep")
    }
}
