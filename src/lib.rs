//! Annotate a function and it is cached.
//!
//! ```
//! use std::sync::LazyLock;
//!
//! use chorde::InprocClient;
//! use chorde::prelude::*;
//!
//! static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10_000));
//!
//! #[cached(client = CACHE, ttl = 300, async_ttl = -60)]
//! fn expensive(x: u64) -> u64 {
//!     x * x
//! }
//!
//! # fn main() -> Result<(), chorde::Error> {
//! assert_eq!(expensive(4), 16); // computes
//! assert_eq!(expensive(4), 16); // the same value
//! assert_eq!(expensive::peek(5), None); // only looks, never computes
//! expensive::put(5, 26)?; // stores a value
//! assert_eq!(expensive::future(5).wait()?, 26); // or `.await`, on any executor
//! # Ok(())
//! # }
//! ```
//!
//! However many callers miss one key at once, the function computes once. From the age of a minute on, a value is still
//! served at once and recomputed in the background; after five minutes it is never served. Errors are returned and never
//! stored, and what fails in the cache never fails the call.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | the attribute, its arguments, and the companions that it makes | [`macro@cached`], [`Companions`], [`AsyncCompanions`] |
//! | a cache in this process: capacity, weight, eviction policy, clock | [`InprocClient`], [`inproc`] |
//! | a near cache in front of a far one; one cache for many users | [`TieredClient`], [`NamespaceClient`] |
//! | one cache for many processes, on memcached (feature `memcache`) | `MemcachedClient`, `memcache` |
//! | the same on Amazon ElastiCache, whose nodes are found and followed (feature `elasticache`) | `ElastiCacheClient`, `elasticache` |
//! | using a client directly | [`CacheExt`], [`Entry`], [`ReadOptions`] |
//! | calls that do not block, and plain code that waits | [`CacheFuture`], [`Wait`] |
//! | what goes on | [`Stats`], [`functions`], [`inproc::stats`] |
//! | work in the background, its bounds and its end | [`background`], [`drain`] |
//! | tests in which time stands still, caches fail and servers die | [`testing`] |
//! | a client for a store of your own | [`Cache`], [`Client`], [`testing::conformance`] |
//! | errors | [`Error`], [`ErrorKind`] |
//!
//! The words used throughout: a value is *valid* up to its *ttl* and *stale* afterwards; *due* when it is valid but past
//! its refresh point. To *refresh* is to recompute now, to *renew* to lengthen a life; *near* and *far* are the *tiers* of
//! a [`TieredClient`], and to *promote* is to copy nearer.

#![forbid(unsafe_code)]

#[doc(inline)]
pub use chorde_core::{
    AsKey, AsyncCompanions, Cache, CacheExt, CacheFuture, CallPolicy, Claim, ClaimOptions, Client, ClientId, Clock,
    Companions, Computed, Digest, DigestHasher, DynClient, Entry, Error, ErrorKind, FunctionInfo, HeldBack, Identity,
    InprocClient, InstanceInfo, Key, LogLimit, Lookup, ManualClock, Namespace, NamespaceClient, OnPromote, Path, Probe,
    ReadOptions, RefreshPoint, Result, Revision, Sleep, Stats, TieredClient, TimingBin, Timings, Token, Value, Wait,
    Warm, WarmFailure, WarmProgress, WarmReport, WriteOptions, background, drain, forward_client, functions, inproc,
    is_waiting, tiered,
};

#[cfg(feature = "elasticache")]
#[doc(inline)]
pub use chorde_elasticache as elasticache;
#[cfg(feature = "elasticache")]
#[doc(inline)]
pub use chorde_elasticache::ElastiCacheClient;
#[cfg(feature = "memcache")]
#[doc(inline)]
pub use chorde_memcache as memcache;
#[cfg(feature = "memcache")]
#[doc(inline)]
pub use chorde_memcache::MemcachedClient;

pub mod testing;

#[doc = include_str!("cached.md")]
#[doc(inline)]
pub use chorde_macros::cached;

#[doc(hidden)]
pub use chorde_core::__private;

/// Brings in what most users need: `use chorde::prelude::*;`.
///
/// The attribute, the operations of clients, and `.wait()`.
pub mod prelude {
    pub use chorde_core::{CacheExt as _, Wait as _};
    pub use chorde_macros::cached;
}

/// Runs the examples of the README.
#[cfg(all(doctest, feature = "elasticache", feature = "tls"))]
#[doc = include_str!("../README.md")]
struct Readme;
