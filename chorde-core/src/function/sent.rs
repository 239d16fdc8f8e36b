//! Companions by value, as futures of one type: that they are `Send` is proved here once, and not again in the user's
//! crate for each function and companion, where it would take most of the compile time.

use super::at::{At, Prepared};
use super::parts::Boxed;
use crate::client::Client;
use crate::engine::background::Job;
use crate::entry::Entry;
use crate::error::Result;
use crate::site::ValueMap;

impl<'a, C, M> At<'a, C, M>
where
    M: ValueMap + 'a,
    C: Client<M::Stored> + 'a,
    M::Value: Send,
{
    /// [`peek`](Self::peek)
    pub fn sent_peek(self, key: Prepared) -> Boxed<'a, Option<M::Value>> {
        Box::pin(async move { self.peek(key).await })
    }

    /// [`get_ttl`](Self::get_ttl)
    pub fn sent_get_ttl(self, key: Prepared) -> Boxed<'a, Option<Entry<M::Value>>> {
        Box::pin(async move { self.get_ttl(key).await })
    }

    /// [`put`](Self::put)
    pub fn sent_put(self, key: Prepared, value: M::Value) -> Boxed<'a, Result<()>> {
        Box::pin(async move { self.put(key, value).await })
    }

    /// [`invalidate`](Self::invalidate)
    pub fn sent_invalidate(self, key: Prepared) -> Boxed<'a, Result<()>> {
        Box::pin(async move { self.invalidate(key).await })
    }

    /// [`expire`](Self::expire)
    pub fn sent_expire(self, key: Prepared) -> Boxed<'a, Result<()>> {
        Box::pin(async move { self.expire(key).await })
    }

    /// [`lazy`](Self::lazy)
    pub fn sent_lazy<A, B>(self, key: Prepared, args: A, behind: Option<B>) -> Boxed<'a, Option<M::Value>>
    where
        A: Send + 'a,
        B: FnOnce(A) -> Job + Send + 'a,
    {
        Box::pin(async move { self.lazy(key, args, behind).await })
    }
}
