//! The companions of asynchronous functions, once for each number of arguments.

use std::future::Future;

use super::{AsyncCompanions, each_count};
use crate::entry::Entry;
use crate::error::Result;
use crate::function::calls;
use crate::function::{AsyncCompute, Crossing, Function, Movable};
use crate::future::CacheFuture;
use crate::key::Key;
use crate::site::ValueMap;
use crate::warm::Warm;

impl<F, M: ValueMap, O> AsyncCompanions<F, M, O> {
    /// Forgets all results of this function, everywhere, and leaves the client's other entries alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the function has no namespace, and what the client
    /// reports.
    pub fn clear<A>() -> impl Future<Output = Result<()>>
    where
        F: Function<A, M, O>,
    {
        calls::clear_async::<F, A, M, O>()
    }
}

/// Emits companions: those that compute need what crosses threads, those in the background arguments that can move there.
macro_rules! companions {
    ($($arg:ident $type:ident $owned:ident),*) => {
        impl<F, M: ValueMap, $($owned),*> AsyncCompanions<F, M, ($($owned,)*)> {
            companions! {
                ($($arg $type $owned),*) () (AsyncCompute) where [$($type: Send, $owned: Send + 'static,)* M: Crossing]
                /// Computes now, whatever the cache holds, stores the result and returns it.
                ///
                /// Calls that arrive while one computes share the next.
                refresh = refresh_async -> impl Future<Output = M::Return>;
            }
            companions! {
                ($($arg $type $owned),*) () (AsyncCompute) where [$($type: Send,)* $($owned: for<'a> Movable<'a>,)* M: Crossing]
                /// As the plain call; without `async_ttl`, a result is due at half of its life.
                bg = bg_async -> impl Future<Output = M::Return>;
                /// Looks; if nothing is there or it is due, computes in the background, and never waits for it.
                lazy = lazy_async -> impl Future<Output = Option<M::Value>>;
            }
            companions! {
                ($($arg $type $owned),*) () (AsyncCompute) where [$($owned: for<'a> Movable<'a>,)* M: Crossing]
                /// Computes in the background, whatever the cache holds. `Ok` says that the work is queued, or was before.
                ///
                /// # Errors
                ///
                /// [`ErrorKind::Overloaded`](crate::ErrorKind::Overloaded) when the queue of background work is full, so that nothing
                /// will be computed; [`ErrorKind::Key`](crate::ErrorKind::Key) when the key cannot be serialised.
                bg_refresh = bg_refresh_async -> Result<()>;
            }
            companions! {
                ($($arg $type $owned),*) () (AsyncCompute)
                where [$($owned: for<'a> Movable<'a>,)* M: Crossing<Return: for<'a> Movable<'a>>]
                /// The plain call, without blocking: on any executor, or `.wait()`.
                future = future_async -> CacheFuture<M::Return>;
            }
            companions! {
                ($($arg $type $owned),*) () (AsyncCompute) where []
                /// The function itself: computes, and leaves the cache alone.
                uncached = uncached_async -> impl Future<Output = M::Return>;
            }
            companions! {
                ($($arg $type $owned),*) () (Function) where []
                /// Only looks; never computes.
                peek = peek_async -> impl Future<Output = Option<M::Value>>;
                /// Looks at the value and its remaining life; shows a stale entry too, marked as such.
                get_ttl = get_ttl_async -> impl Future<Output = Option<Entry<M::Value>>>;
                /// Removes the result of these arguments.
                ///
                /// # Errors
                ///
                /// [`ErrorKind::Key`](crate::ErrorKind::Key) when the key cannot be serialised, and what the client reports.
                invalidate = invalidate_async -> impl Future<Output = Result<()>>;
                /// Marks the result of these arguments as stale, but keeps it.
                ///
                /// # Errors
                ///
                /// As for [`invalidate`](Self::invalidate).
                expire = expire_async -> impl Future<Output = Result<()>>;
                /// Returns the key of a call with these arguments.
                ///
                /// # Errors
                ///
                /// [`ErrorKind::Key`](crate::ErrorKind::Key) when it cannot be serialised.
                callkey = callkey -> Result<Key>;
            }
            companions! {
                ($($arg $type $owned),*) (value: M::Value) (Function) where []
                /// Stores a value: the arguments first, the value last.
                ///
                /// # Errors
                ///
                /// As for [`invalidate`](Self::invalidate).
                put = put_async -> impl Future<Output = Result<()>>;
            }
        }
    };
    ($args:tt $extra:tt $bound:tt where $where:tt
        $($(#[doc = $doc:literal])* $name:ident = $call:ident -> $output:ty;)*) => {
        $(companions! { @ $args $extra $bound $where [$(#[doc = $doc])*] $name $call -> $output })*
    };
    (@ ($($arg:ident $type:ident $owned:ident),*) ($($value:ident: $value_type:ty)?) ($bound:ident) [$($where:tt)*]
        [$($doc:tt)*] $name:ident $call:ident -> $output:ty) => {
        $($doc)*
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn $name<$($type),*>($($arg: $type,)* $($value: $value_type)?) -> $output
        where
            F: $bound<($($type,)*), M, ($($owned,)*)>,
            $($where)*
        {
            calls::$call::<F, _, M, _>(($($arg,)*) $(, $value)?)
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
        impl<F, M: ValueMap, $($owned),*> AsyncCompanions<F, M, ($($owned,)*)> {
            /// Computes what is missing or due for many calls, a few at a time, and never more than it has room for.
            ///
            /// Takes an iterator of arguments: tuples of them, or the argument itself where there is one. Returns a future
            /// that does nothing until it is awaited or waited for, and yields a [report](crate::WarmReport).
            pub fn warm<'i, $($type),*>(args: impl IntoIterator<Item = $item, IntoIter: Send + 'i>) -> Warm<'i>
            where
                F: AsyncCompute<($($type,)*), M, ($($owned,)*)>,
                $($owned: for<'a> Movable<'a>,)*
                M: Crossing,
            {
                calls::warm_async::<F, ($($type,)*), M, ($($owned,)*), _>(args, |$pat| $args)
            }
        }
    };
}

each_count!(warm);
