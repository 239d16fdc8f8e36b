//! What a cached function is made of: implemented by `#[cached]`, for a type that stands for one function.
//!
//! `A` is the tuple of its arguments as they are written, `M` how its results are kept, `O` the tuple of owned arguments.
//! They are parameters and not associated types so that a public function may use private ones, as any function may.

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

use crate::client::Client;
use crate::policy::CallPolicy;
use crate::site::{Shape, Site, ValueMap};

/// Does something with a key while it is borrowed from the arguments.
pub trait Seen {
    /// What comes of it.
    type Outcome;
    /// Looks at the key.
    fn see<K: Serialize + ?Sized>(self, key: &K) -> Self::Outcome;
}

/// Describes a cached function, apart from what it computes.
#[diagnostic::on_unimplemented(
    message = "the cached function does not take these arguments",
    label = "companions take the arguments of their function"
)]
pub trait Function<A, M: ValueMap, O>: 'static {
    /// The terms of each call.
    const POLICY: CallPolicy;
    /// Returns the call site.
    fn site() -> &'static Site;
    /// Returns how results are kept.
    fn maps() -> M;
    /// Returns where they are kept.
    fn client() -> impl Client<M::Stored> + 'static;
    /// Shows the key.
    fn key<S: Seen>(args: &A, seen: S) -> S::Outcome;
    /// Turns arguments into what outlives the call.
    fn own(args: A) -> O;
}

/// Runs a plain function.
#[diagnostic::on_unimplemented(
    message = "the cached function does not take these arguments",
    label = "companions take the arguments of their function"
)]
pub trait Compute<A, M: ValueMap, O>: Function<A, M, O> {
    /// Computes.
    fn compute(args: A) -> M::Return;
    /// Does the same with owned arguments.
    fn compute_owned(args: O) -> M::Return;
}

/// Runs an asynchronous function.
#[diagnostic::on_unimplemented(
    message = "the cached function does not take these arguments",
    label = "companions take the arguments of their function"
)]
pub trait AsyncCompute<A, M: ValueMap, O>: Function<A, M, O> {
    /// Computes.
    fn compute<'a>(args: A) -> Boxed<'a, M::Return>
    where
        A: 'a;
    /// Does the same with owned arguments.
    fn compute_owned(args: O) -> Boxed<'static, M::Return>;
}

/// A future of a named type that is known to be `Send`.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Holds for results that may cross threads, as those of asynchronous functions must.
pub trait Crossing:
    ValueMap<Return: Send + 'static, Value: Send, Shape: Shape<Return = Self::Return, Value = Self::Value, Error: Send>>
    + 'static
{
}

impl<M> Crossing for M where
    M: ValueMap<Return: Send + 'static, Value: Send, Shape: Shape<Return = M::Return, Value = M::Value, Error: Send>>
        + 'static
{
}
