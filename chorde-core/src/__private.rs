//! What the code of `#[cached]` refers to; not for anybody else, and free to change in any release.

use std::future::Future;
use std::pin::Pin;

pub use crate::engine::background::{Job, Ticket};
pub use crate::engine::runtime::wait;
pub use crate::function::calls::*;
pub use crate::function::*;
pub use crate::key::argument::*;
pub use crate::key::arguments::Arguments;
pub use crate::site::{
    AnyKind, Description, Fallible, IsResult, IsSaid, Kind, Maps, Naming, NoResult, Plain, Returned, Shape, Share,
    ShareClone, ShareNone, SharedKind, Sharing, Site, StoredWhole, Tag, ValueMap,
};
pub use crate::{CacheFuture, CallPolicy, Client, Entry, Error, Key, RefreshPoint, Stats};
pub use std::future::ready;

/// Keeps the miss path out of its caller's future.
pub fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// States what a future yields, where nothing else does.
pub fn typed<R, F: Future<Output = R>>(future: F) -> F {
    future
}
