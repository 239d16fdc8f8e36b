//! What the code of `#[cached]` refers to; not for anybody else, and free to change in any release.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use crate::engine::background::{Job, Ticket};
pub use crate::engine::runtime::wait;
pub use crate::function::calls::*;
pub use crate::function::*;
pub use crate::key::argument::*;
pub use crate::key::arguments::Arguments;
pub use crate::site::{
    AnyKind, Description, Fallible, IsResult, IsSaid, Kind, Known, Maps, Naming, NoResult, Plain, Returned, Shape,
    Share, ShareClone, ShareDebug, ShareNone, ShareTold, SharedKind, Sharing, Site, StoredWhole, Tag, ValueMap,
    stored_whole,
};
pub use crate::warm::Warming;
pub use crate::{CacheFuture, CallPolicy, Client, Entry, Error, Key, RefreshPoint, Stats, Warm};
pub use std::future::ready;

/// Reads what a setting of the attribute says about time.
#[inline]
pub fn duration(of: impl Time) -> Duration {
    of.duration()
}

/// Holds for what says how long something takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time",
    label = "neither a `Duration` nor a whole number of seconds",
    note = "write an expression of type `Duration`, a number of seconds of type `u64`, or a text such as `\"5m\"`"
)]
pub trait Time {
    /// Returns the time.
    fn duration(self) -> Duration;
}

impl Time for Duration {
    #[inline]
    fn duration(self) -> Duration {
        self
    }
}

/// Whole numbers are seconds; what is negative has passed.
macro_rules! seconds {
    ($($number:ty)*) => {$(
        impl Time for $number {
            #[inline]
            fn duration(self) -> Duration {
                Duration::from_secs(u64::try_from(self).unwrap_or_default())
            }
        }
    )*};
}

seconds!(u8 u16 u32 u64 usize i32 i64);

/// Keeps the miss path out of its caller's future.
pub fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// States what a future yields, where nothing else does.
pub fn typed<R, F: Future<Output = R>>(future: F) -> F {
    future
}
