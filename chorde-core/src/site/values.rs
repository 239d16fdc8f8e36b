//! How a function's result becomes what is stored, and back.
//!
//! Three independent questions, each with its small trait: what of the result is the value ([`Shape`]), what is stored
//! for it ([`Codec`]), and whether it is stored at all ([`Keep`]). [`Maps`] holds the answers of one function.

mod kind;
mod shape;

use std::fmt;

pub use kind::{AnyKind, IsSaid, Kind, Known, NoResult, Returned, SharedKind, StoredWhole, stored_whole};
pub use shape::{Fallible, IsResult, Plain, Shape, Share, ShareClone, ShareDebug, ShareNone, ShareTold, Sharing};

use crate::client::Value;
use crate::user_code::Nested;

/// Maps between a value and what the client holds for it.
pub trait Codec<V>: Send + Sync {
    /// What the client holds.
    type Stored: Value;
    /// Makes a value into what is stored.
    fn encode(&self, value: V) -> Self::Stored;
    /// Makes what is stored into a value.
    fn decode(&self, stored: Self::Stored) -> V;
}

/// Stores values as they are.
#[derive(Clone, Copy, Debug)]
pub struct Identity;

impl<V: Value> Codec<V> for Identity {
    type Stored = V;

    fn encode(&self, value: V) -> V {
        value
    }

    #[inline]
    fn decode(&self, stored: V) -> V {
        stored
    }
}

/// Stores what one function makes of values, and serves what another makes of that.
pub struct Coded<F, G> {
    encode: F,
    decode: G,
}

impl<V, S, F, G> Codec<V> for Coded<F, G>
where
    S: Value,
    F: Fn(V) -> S + Send + Sync,
    G: Fn(S) -> V + Send + Sync,
{
    type Stored = S;

    fn encode(&self, value: V) -> S {
        let _nested = Nested::mapping();
        (self.encode)(value)
    }

    fn decode(&self, stored: S) -> V {
        let _nested = Nested::mapping();
        (self.decode)(stored)
    }
}

/// Chooses which values are stored.
pub trait Keep<V>: Send + Sync {
    /// Returns whether this one is.
    fn keeps(&self, value: &V) -> bool;
}

/// Stores all.
#[derive(Clone, Copy, Debug)]
pub struct All;

impl<V> Keep<V> for All {
    fn keeps(&self, _value: &V) -> bool {
        true
    }
}

/// Stores those of which a function says so.
pub struct If<F>(F);

impl<V, F: Fn(&V) -> bool + Send + Sync> Keep<V> for If<F> {
    fn keeps(&self, value: &V) -> bool {
        let _nested = Nested::mapping();
        (self.0)(value)
    }
}

/// Holds how the results of one function are treated.
pub struct Maps<S, C, K> {
    shape: S,
    codec: C,
    keep: K,
}

impl<S: Shape> Maps<S, Identity, All> {
    /// Stores every value of that shape, as it is; to be changed by the methods.
    #[inline]
    pub const fn of(shape: S) -> Self {
        Self::new(shape, Identity, All)
    }
}

impl<S: Shape, C, K> Maps<S, C, K> {
    #[inline]
    const fn new(shape: S, codec: C, keep: K) -> Self {
        Self { shape, codec, keep }
    }

    /// Stores what `encode` makes of a value, and serves what `decode` makes of that.
    #[inline]
    pub fn encoded<T, F, G>(self, encode: F, decode: G) -> Maps<S, Coded<F, G>, K>
    where
        F: Fn(S::Value) -> T,
        G: Fn(T) -> S::Value,
    {
        Maps { shape: self.shape, codec: Coded { encode, decode }, keep: self.keep }
    }

    /// Stores only the values of which `keep` says so.
    #[inline]
    pub fn kept_if<F: Fn(&S::Value) -> bool>(self, keep: F) -> Maps<S, C, If<F>> {
        Maps { shape: self.shape, codec: self.codec, keep: If(keep) }
    }
}

/// All that the engine asks about results.
pub trait ValueMap: Send + Sync {
    /// What of the result is the value.
    type Shape: Shape<Return = Self::Return, Value = Self::Value>;
    /// What the function returns.
    type Return;
    /// The value that its users see.
    type Value: 'static;
    /// What the client holds.
    type Stored: Value;

    /// Returns the shape.
    fn shape(&self) -> &Self::Shape;
    /// Makes a value into what is stored.
    fn encode(&self, value: Self::Value) -> Self::Stored;
    /// Makes what is stored into a value.
    fn decode(&self, stored: Self::Stored) -> Self::Value;
    /// Returns whether the value is stored.
    fn keeps(&self, value: &Self::Value) -> bool;

    /// Makes what is stored into what the function returns.
    #[inline]
    fn serve(&self, stored: Self::Stored) -> Self::Return {
        self.shape().join(self.decode(stored))
    }
}

/// A shape alone stores every value as it is.
macro_rules! stores_as_it_is {
    ($($shape:ident<$result:ident> where {$($bound:tt)*})*) => {$(
        impl<$result> ValueMap for $shape<$result>
        where
            $($bound)*
        {
            type Shape = Self;
            type Return = <Self as Shape>::Return;
            type Value = <Self as Shape>::Value;
            type Stored = <Self as Shape>::Value;

            #[inline]
            fn shape(&self) -> &Self {
                self
            }

            fn encode(&self, value: Self::Value) -> Self::Value {
                value
            }

            #[inline]
            fn decode(&self, stored: Self::Value) -> Self::Value {
                stored
            }

            fn keeps(&self, _value: &Self::Value) -> bool {
                true
            }
        }
    )*};
}

stores_as_it_is! {
    Plain<R> where { R: Value }
    Fallible<R> where { R: IsResult, R::Ok: Value }
}

impl<S: Shape, C: Codec<S::Value>, K: Keep<S::Value>> ValueMap for Maps<S, C, K> {
    type Shape = S;
    type Return = S::Return;
    type Value = S::Value;
    type Stored = C::Stored;

    #[inline]
    fn shape(&self) -> &S {
        &self.shape
    }

    fn encode(&self, value: S::Value) -> C::Stored {
        self.codec.encode(value)
    }

    #[inline]
    fn decode(&self, stored: C::Stored) -> S::Value {
        self.codec.decode(stored)
    }

    fn keeps(&self, value: &S::Value) -> bool {
        self.keep.keeps(value)
    }
}

impl<S, C, K> fmt::Debug for Maps<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Maps")
    }
}

impl<F, G> fmt::Debug for Coded<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Coded")
    }
}

impl<F> fmt::Debug for If<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("If")
    }
}
