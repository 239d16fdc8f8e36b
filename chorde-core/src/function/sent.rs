//! Companions of plain functions on one key: waited for, and as futures of one type. That these are `Send` is proved here once,
//! and not again in the user's crate for each function and companion, where it would take most of the compile time.

use serde::Serialize;

use super::Movable;
use super::at::{At, Prepared};
use super::parts::Boxed;
use crate::client::Client;
use crate::engine::background::Job;
use crate::engine::runtime::wait;
use crate::entry::Entry;
use crate::error::Result;
use crate::future::CacheFuture;
use crate::site::ValueMap;

/// Emits an operation: waited for, by value as a future, and without blocking.
macro_rules! operations {
    (@now $at:ident $key:ident $name:ident ($($value:ident)?)) => {
        wait($at.$name($at.prepare($key) $(, $value)?))
    };
    (@now $at:ident $key:ident $name:ident () $at_once:ident) => {
        $at.$at_once($key).unwrap_or_else(|key| wait($at.$name(key)))
    };
    ($($name:ident $(($at_once:ident))? $now:ident $sent:ident $future:ident ($($value:ident)?) -> $output:ty;)*) => {
        impl<C, M> At<'_, C, M>
        where
            M: ValueMap,
            C: Client<M::Stored>,
        {$(
            /// An operation of the client, waited for.
            pub fn $now<K: Serialize + ?Sized>(&self, key: &K $(, $value: M::Value)?) -> $output {
                operations!(@now self key $name ($($value)?) $($at_once)?)
            }
        )*}

        impl<'a, C, M> At<'a, C, M>
        where
            M: ValueMap + 'a,
            C: Client<M::Stored> + 'a,
            M::Value: Send,
        {$(
            /// The same operation, by value.
            pub fn $sent(self, key: Prepared $(, $value: M::Value)?) -> Boxed<'a, $output> {
                Box::pin(async move { self.$name(key $(, $value)?).await })
            }
        )*}

        impl<C, M> At<'static, C, M>
        where
            M: ValueMap<Value: for<'a> Movable<'a>> + 'static,
            C: Client<M::Stored> + 'static,
        {$(
            /// The same operation, without blocking.
            pub fn $future(self, key: Prepared $(, $value: M::Value)?) -> CacheFuture<$output> {
                CacheFuture::operation(self.$sent(key $(, $value)?))
            }
        )*}
    };
}

operations! {
    peek (peek_at_once) peek_now sent_peek future_peek() -> Option<M::Value>;
    get_ttl (get_ttl_at_once) get_ttl_now sent_get_ttl future_get_ttl() -> Option<Entry<M::Value>>;
    put put_now sent_put future_put(value) -> Result<()>;
    invalidate invalidate_now sent_invalidate future_invalidate() -> Result<()>;
    expire expire_now sent_expire future_expire() -> Result<()>;
}

impl<'a, C, M> At<'a, C, M>
where
    M: ValueMap + 'a,
    C: Client<M::Stored> + 'a,
    M::Value: Send,
{
    /// [`lazy`](Self::lazy), by value, with the job at hand.
    pub fn sent_lazy(self, key: Prepared, job: Job) -> Boxed<'a, Option<M::Value>> {
        Box::pin(async move { self.lazy(key, (), Some(move |()| job)).await })
    }
}

impl<C, M> At<'static, C, M>
where
    M: ValueMap<Value: for<'a> Movable<'a>> + 'static,
    C: Client<M::Stored> + 'static,
{
    /// The same, without blocking.
    pub fn future_lazy(self, key: Prepared, job: Job) -> CacheFuture<Option<M::Value>> {
        CacheFuture::operation(self.sent_lazy(key, job))
    }
}
