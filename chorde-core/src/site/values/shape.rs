//! What of a function's result is the value, and what is its error.

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::client::Value;
use crate::flight::Cargo;
use crate::user_code::told;

/// Takes results apart and puts them together.
pub trait Shape: Send + Sync {
    /// What the function returns.
    type Return;
    /// The value that its users see: the return type, or the `T` of a `Result<T, E>`.
    type Value: 'static;
    /// The error that is never stored.
    type Error;

    /// Takes apart what the function returned.
    ///
    /// # Errors
    ///
    /// The function's own.
    fn split(&self, returned: Self::Return) -> Result<Self::Value, Self::Error>;
    /// Makes a value into what the function returns.
    fn join(&self, value: Self::Value) -> Self::Return;
    /// Makes an error into what the function returns.
    fn raise(&self, error: Self::Error) -> Self::Return;
    /// Copies an error for those who wait for the same computation, if it can be copied.
    fn share(&self, error: &Self::Error) -> Option<Cargo>;
    /// Takes an error out of such a copy.
    fn shared(&self, cargo: &Cargo) -> Option<Self::Error>;
    /// Returns what an error says, or what it is if it has no `Debug`.
    fn told(&self, error: &Self::Error) -> String;
}

/// Takes the whole result for the value.
pub struct Plain<R>(PhantomData<fn() -> R>);

impl<R> Plain<R> {
    /// Creates the maps of such a function.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> Default for Plain<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: 'static> Shape for Plain<R> {
    type Return = R;
    type Value = R;
    type Error = Infallible;

    fn split(&self, returned: R) -> Result<R, Infallible> {
        Ok(returned)
    }

    #[inline]
    fn join(&self, value: R) -> R {
        value
    }

    fn raise(&self, error: Infallible) -> R {
        match error {}
    }

    fn share(&self, error: &Infallible) -> Option<Cargo> {
        match *error {}
    }

    fn shared(&self, _cargo: &Cargo) -> Option<Infallible> {
        None
    }

    fn told(&self, error: &Infallible) -> String {
        match *error {}
    }
}

/// Tells the two halves of a `Result` type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`",
    label = "not a `Result`",
    note = "write `result = false` to store the whole of what the function returns, or return a `Result<T, E>`"
)]
pub trait IsResult {
    /// What is stored.
    type Ok;
    /// What is not.
    type Err;
    /// Returns it as the `Result` that it is.
    ///
    /// # Errors
    ///
    /// Its own.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
    /// Makes one of a `Result`.
    fn from_result(result: Result<Self::Ok, Self::Err>) -> Self;
}

impl<T, E> IsResult for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }

    #[inline]
    fn from_result(result: Self) -> Self {
        result
    }
}

/// Takes the `T` of a `Result<T, E>` for the value.
pub struct Fallible<R: IsResult>(Sharing<R::Err>);

impl<R: IsResult> Fallible<R> {
    /// Creates the maps of such a function, given whether its errors can be copied.
    #[must_use]
    #[inline]
    pub const fn new(sharing: Sharing<R::Err>) -> Self {
        Self(sharing)
    }
}

impl<R: IsResult> Shape for Fallible<R>
where
    R::Ok: 'static,
{
    type Return = R;
    type Value = R::Ok;
    type Error = R::Err;

    fn split(&self, returned: R) -> Result<R::Ok, R::Err> {
        returned.into_result()
    }

    #[inline]
    fn join(&self, value: R::Ok) -> R {
        R::from_result(Ok(value))
    }

    fn raise(&self, error: R::Err) -> R {
        R::from_result(Err(error))
    }

    fn share(&self, error: &R::Err) -> Option<Cargo> {
        self.0.by.as_ref().map(|by| (by.load)((by.copy)(error)))
    }

    fn shared(&self, cargo: &Cargo) -> Option<R::Err> {
        let by = self.0.by.as_ref()?;
        (by.find)(cargo).map(by.copy)
    }

    fn told(&self, error: &R::Err) -> String {
        self.0.tell.map_or_else(|| format!("an error of the type `{}`", type_name::<R::Err>()), |tell| tell(error))
    }
}

/// Copies errors, where they can be copied, and says what they say.
pub struct Sharing<E> {
    by: Option<Copying<E>>,
    tell: Option<fn(&E) -> String>,
}

struct Copying<E> {
    copy: fn(&E) -> E,
    load: fn(E) -> Cargo,
    find: fn(&Cargo) -> Option<&E>,
}

impl<E> Sharing<E> {
    /// Copies none.
    #[must_use]
    #[inline]
    pub const fn none() -> Self {
        Self { by: None, tell: None }
    }

    /// Says what errors say by their `Debug`.
    #[must_use]
    pub const fn telling(mut self) -> Self
    where
        E: fmt::Debug,
    {
        self.tell = Some(|error| told(error));
        self
    }
}

impl<E: Send + Sync + 'static> Sharing<E> {
    /// Copies errors by a function.
    #[must_use]
    pub const fn by(copy: fn(&E) -> E) -> Self {
        let by = Copying { copy, load: |error| Arc::new(error), find: |cargo| cargo.downcast_ref() };
        Self { by: Some(by), tell: None }
    }
}

/// Asks whether errors of type `E` can be copied, and say something: answered by the method that autoref finds first.
pub struct Share<E>(PhantomData<fn() -> E>);

impl<E> Share<E> {
    /// Creates the question.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Default for Share<E> {
    fn default() -> Self {
        Self::new()
    }
}

/// Emits an answer: a trait of the question. The compiler takes the one behind most references, of those that hold.
macro_rules! answers {
    ($($(#[doc = $doc:literal])+ $name:ident for $question:ty where [$($bound:tt)*] = $sharing:expr;)*) => {$(
        $(#[doc = $doc])+
        pub trait $name<E> {
            /// Returns how they are shared.
            fn share(&self) -> Sharing<E>;
        }

        impl<E: $($bound)*> $name<E> for $question {
            #[inline]
            fn share(&self) -> Sharing<E> {
                $sharing
            }
        }
    )*};
}

answers! {
    /// Answers for errors that can be copied, and say something.
    ShareTold for &&&Share<E> where [Value + fmt::Debug] = Sharing::by(E::clone).telling();
    /// Answers for those that can be copied only.
    ShareClone for &&Share<E> where [Value] = Sharing::by(E::clone);
    /// Answers for those that only say something.
    ShareDebug for &Share<E> where [fmt::Debug] = Sharing::none().telling();
    /// Answers for all other errors.
    ShareNone for Share<E> where [] = Sharing::none();
}

impl<R> fmt::Debug for Plain<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain")
    }
}

impl<R: IsResult> fmt::Debug for Fallible<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fallible")
    }
}

impl<E> fmt::Debug for Sharing<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sharing")
    }
}

impl<E> fmt::Debug for Share<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share")
    }
}
