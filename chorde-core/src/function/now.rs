//! What a plain function and its companions do, waited for: the futures are seen here once, and not again in the user's crate
//! for each function and companion. What belongs to one function comes as pointers, so that functions of one signature share
//! one copy of the engine.

use std::future::ready;

use super::at::{At, Prepared, Slow};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::engine::runtime::wait;
use crate::error::Result;
use crate::site::ValueMap;

/// Copies arguments for callbacks, where that can be done.
type Echo<A, O> = Option<fn(&A) -> Option<O>>;

impl<C, M> At<'_, C, M>
where
    M: ValueMap,
    C: Client<M::Stored>,
{
    /// [`finish`](Self::finish)
    pub fn finish_now<A, O: 'static>(
        self,
        slow: Box<Slow<M::Stored>>,
        args: A,
        compute: fn(A) -> M::Return,
        behind: Option<fn(A) -> Job>,
        echo: Echo<A, O>,
    ) -> M::Return {
        wait(self.finish(slow, args, |args| ready(compute(args)), behind, echo))
    }

    /// [`refresh`](Self::refresh)
    pub fn refresh_now<A, O: 'static>(
        &self,
        key: Prepared,
        args: A,
        compute: fn(A) -> M::Return,
        echo: Echo<A, O>,
    ) -> M::Return {
        wait(self.refresh(key, args, |args| ready(compute(args)), echo))
    }

    /// [`behind`](Self::behind)
    pub fn behind_now<A, O: 'static>(&self, ticket: Ticket, args: A, compute: fn(A) -> M::Return, echo: Echo<A, O>) {
        wait(self.behind(ticket, args, |args| ready(compute(args)), echo));
    }

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
