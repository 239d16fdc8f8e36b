//! The companions of plain functions, once for each number of arguments.

use super::{Companions, each_count};
use crate::entry::Entry;
use crate::error::Result;
use crate::function::calls;
use crate::function::{Compute, Function, Movable};
use crate::future::CacheFuture;
use crate::key::Key;
use crate::site::ValueMap;
use crate::warm::Warm;

impl<F, M: ValueMap, O> Companions<F, M, O> {
    /// Forgets all results of this function, everywhere, and leaves the client's other entries alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the function has no namespace, and what the client
    /// reports.
    pub fn clear<A>() -> Result<()>
    where
        F: Function<A, M, O>,
    {
        calls::clear::<F, A, M, O>()
    }
}

/// Emits companions: those that work in the background need arguments that can move there.
macro_rules! companions {
    ($($arg:ident $type:ident $owned:ident),*) => {
        impl<F, M: ValueMap, $($owned),*> Companions<F, M, ($($owned,)*)> {
            companions! {
                ($($arg $type $owned),*) () (Compute) where [$($owned: 'static,)*]
                /// Computes now, whatever the cache holds, stores the result and returns it.
                ///
                /// Calls that arrive while one computes share the next.
                refresh -> M::Return;
                /// The function itself: computes, and leaves the cache alone.
                uncached -> M::Return;
            }
            companions! {
                ($($arg $type $owned),*) () (Compute) where [$($owned: for<'a> Movable<'a>,)*]
                /// As the plain call; without `async_ttl`, a result is due at half of its life.
                bg -> M::Return;
                /// Looks; if nothing is there or it is due, computes in the background, and never waits for it.
                lazy -> Option<M::Value>;
                /// Computes in the background, whatever the cache holds. `Ok` says that the work is queued, or was before.
                ///
                /// # Errors
                ///
                /// [`ErrorKind::Overloaded`](crate::ErrorKind::Overloaded) when the queue of background work is full, so that nothing
                /// will be computed; [`ErrorKind::Key`](crate::ErrorKind::Key) when the key cannot be serialised.
                bg_refresh -> Result<()>;
            }
            companions! {
                ($($arg $type $owned),*) () (Compute)
                where [$($owned: for<'a> Movable<'a>,)* M: ValueMap<Return: for<'a> Movable<'a>>]
                /// The plain call, without blocking: on any executor, or `.wait()`.
                future -> CacheFuture<M::Return>;
                /// Computes now, without blocking the caller.
                future_refresh -> CacheFuture<M::Return>;
            }
            companions! {
                ($($arg $type $owned),*) () (Compute)
                where [$($owned: for<'a> Movable<'a>,)* M: ValueMap<Value: for<'a> Movable<'a>>]
                /// As `lazy`, without blocking.
                future_lazy -> CacheFuture<Option<M::Value>>;
            }
            companions! {
                ($($arg $type $owned),*) () (Function) where []
                /// Only looks; never computes.
                peek -> Option<M::Value>;
                /// Looks at the value and its remaining life; shows a stale entry too, marked as such.
                get_ttl -> Option<Entry<M::Value>>;
                /// Removes the result of these arguments.
                ///
                /// # Errors
                ///
                /// [`ErrorKind::Key`](crate::ErrorKind::Key) when the key cannot be serialised, and what the client reports.
                invalidate -> Result<()>;
                /// Marks the result of these arguments as stale, but keeps it.
                ///
                /// # Errors
                ///
                /// As for [`invalidate`](Self::invalidate).
                expire -> Result<()>;
                /// Returns the key of a call with these arguments.
                ///
                /// # Errors
                ///
                /// [`ErrorKind::Key`](crate::ErrorKind::Key) when it cannot be serialised.
                callkey -> Result<Key>;
            }
            companions! {
                ($($arg $type $owned),*) (value: M::Value) (Function) where []
                /// Stores a value: the arguments first, the value last.
                ///
                /// # Errors
                ///
                /// As for [`invalidate`](Self::invalidate).
                put -> Result<()>;
            }
            companions! {
                ($($arg $type $owned),*) () (Function) where [M: ValueMap<Value: for<'a> Movable<'a>>]
                /// Looks, without blocking.
                future_peek -> CacheFuture<Option<M::Value>>;
                /// Looks at the value and its remaining life, without blocking.
                future_get_ttl -> CacheFuture<Option<Entry<M::Value>>>;
                /// Removes the result of these arguments, without blocking.
                future_invalidate -> CacheFuture<Result<()>>;
                /// Marks the result of these arguments as stale, without blocking.
                future_expire -> CacheFuture<Result<()>>;
            }
            companions! {
                ($($arg $type $owned),*) (value: M::Value) (Function) where [M: ValueMap<Value: for<'a> Movable<'a>>]
                /// Stores a value, without blocking.
                future_put -> CacheFuture<Result<()>>;
            }
        }
    };
    ($args:tt $extra:tt $bound:tt where $where:tt $($(#[doc = $doc:literal])* $name:ident -> $output:ty;)*) => {
        $(companions! { @ $args $extra $bound $where [$(#[doc = $doc])*] $name -> $output })*
    };
    (@ ($($arg:ident $type:ident $owned:ident),*) ($($value:ident: $value_type:ty)?) ($bound:ident) [$($where:tt)*]
        [$($doc:tt)*] $name:ident -> $output:ty) => {
        $($doc)*
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn $name<$($type),*>($($arg: $type,)* $($value: $value_type)?) -> $output
        where
            F: $bound<($($type,)*), M, ($($owned,)*)>,
            $($where)*
        {
            calls::$name::<F, _, M, _>(($($arg,)*) $(, $value)?)
        }
    };
}

each_count!(companions);

/// Emits `warm`: its arguments come as the tuple of them, a single one alone.
macro_rules! warm {
    () => { warm! { @ () () (()) |()| () } };
    ($a:ident $type:ident $owned:ident) => { warm! { @ ($type) ($owned) ($type) |a| (a,) } };
    ($($arg:ident $type:ident $owned:ident),+) => { warm! { @ ($($type),+) ($($owned),+) (($($type),+)) |args| args } };
    (@ ($($type:ident),*) ($($owned:ident),*) ($item:ty) |$pat:pat_param| $args:expr) => {
        impl<F, M: ValueMap, $($owned),*> Companions<F, M, ($($owned,)*)> {
            /// Computes what is missing or due for many calls, a few at a time, and never more than it has room for.
            ///
            /// Takes an iterator of arguments: tuples of them, or the argument itself where there is one. Returns a future
            /// that does nothing until it is awaited or waited for, and yields a [report](crate::WarmReport).
            pub fn warm<'i, $($type),*>(args: impl IntoIterator<Item = $item, IntoIter: Send + 'i>) -> Warm<'i>
            where
                F: Compute<($($type,)*), M, ($($owned,)*)>,
                $($owned: for<'a> Movable<'a>,)*
                M: 'static,
            {
                calls::warm::<F, ($($type,)*), M, ($($owned,)*), _>(args, |$pat| $args)
            }
        }
    };
}

each_count!(warm);
