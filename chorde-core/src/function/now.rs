//! What a plain function and its companions do, waited for: the futures are seen here once, and not again in the user's crate
//! for each function and companion. What belongs to one function comes as pointers, so that functions of one signature share
//! one copy of the engine.

use super::at::{At, Prepared};
use crate::client::Client;
use crate::engine::background::Job;
use crate::engine::runtime::wait;
use crate::error::Result;
use crate::site::ValueMap;

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// [`lazy`](Self::lazy)
    pub fn lazy_now<A>(&self, key: Prepared, args: A, behind: Option<fn(A) -> Job>) -> Option<M::Value> {
        wait(self.lazy(key, args, behind))
    }

    /// [`clear`](Self::clear)
    ///
    /// # Errors
    ///
    /// As for [`clear`](Self::clear).
    pub fn clear_now(&self) -> Result<()> {
        wait(self.clear())
    }
}
