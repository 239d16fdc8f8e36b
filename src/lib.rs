//! Annotate a function and it is cached.
//!
//! (The front page is written with the README.)

#[doc(no_inline)]
pub use chorde_core::{
    AsKey, Cache, CacheExt, CacheFuture, CallPolicy, Claim, ClaimOptions, Client, ClientId, Clock, Digest, DynClient,
    Entry, Error, ErrorKind, FunctionInfo, Identity, InprocClient, Key, Lookup, ManualClock, Namespace,
    NamespaceClient, OnPromote, Path, Probe, ReadOptions, RefreshPoint, Result, Stats, TieredClient, Timings, Token,
    Value, Wait, WriteOptions, background, drain, functions, inproc, testing, tiered,
};
pub use chorde_macros::cached;

#[doc(hidden)]
pub use chorde_core::__private;

/// Brings in what most users need: `use chorde::prelude::*;`.
pub mod prelude {
    pub use chorde_core::{CacheExt as _, Wait as _};
    pub use chorde_macros::cached;
}
