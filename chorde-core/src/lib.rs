//! The engine of `chorde`: everything but the `#[cached]` attribute. Users depend on the crate `chorde`, which re-exports
//! this one.
//!
//! # Reading guide
//!
//! From the outside in: [`function`] is what the macro's code calls, [`engine`] is what happens then, [`client`] is what a
//! cache must be able to do, [`clients`] are those of this crate. Below them lie [`key`], [`namespace`], [`entry`],
//! [`policy`], [`stats`], [`future`], [`clock`], [`error`]. Modules use only those further down this list.
//!
//! # Glossary
//!
//! * **hit, miss**: whether a valid entry was there. **valid**: now is before its expiry.
//! * **stale**: past its ttl, or marked so, and still held. **due**: valid, but past its refresh point.
//! * **ttl**: how long a value may be served. **remaining**, **age**: how much of that is left, how long it has been.
//! * **refresh**: recompute now. **refresh-ahead**: recompute what is due behind the callers' backs. **renew**: lengthen.
//! * **flight**: one computation of one key; its **leader** computes, its **waiters** get the value.
//! * **claim**, **lease**, **fill**: how a shared store lets one process compute.
//! * **tier**: one of several caches, **near** or **far**. **promote**: copy nearer.
//! * **peek**: look only. **lazy**: look, compute behind. **compute**: run the user's function.
//! * **invalidate**: remove. **expire**: mark stale. **spread**: let equal things happen at unequal times.

#![allow(rustdoc::private_intra_doc_links, reason = "the reading guide is for those who read the source as well")]

#[doc(hidden)]
pub mod __private;
mod client;
mod client_id;
mod clients;
mod clock;
mod decide;
mod digest;
mod engine;
mod entry;
mod error;
mod events;
mod flight;
#[cfg(test)]
#[path = "flight/tests.rs"]
mod flight_tests;
mod function;
mod future;
mod key;
mod lanes;
mod life;
mod log_limit;
mod namespace;
mod policy;
mod process;
mod site;
mod stats;
mod sync;
pub mod testing;
mod user_code;
#[cfg(test)]
#[path = "user_code/tests.rs"]
mod user_code_tests;
mod warm;

pub use client::{
    Cache, CacheExt, Claim, ClaimOptions, Client, ClientId, Computed, DynClient, Identity, OnPromote, ReadOptions,
    Revision, Token, Value, WriteOptions,
};
pub use clients::inproc::{self, InprocClient};
pub use clients::namespaced::NamespaceClient;
pub use clients::tiered::{self, TieredClient};
pub use clock::{Clock, ManualClock, Sleep};
pub use digest::{Digest, DigestHasher};
pub use engine::background::{self, drain};
pub use engine::runtime::{Wait, is_waiting};
pub use entry::{Entry, Lookup};
pub use error::{Error, ErrorKind, Result};
pub use function::{AsyncCompanions, Companions};
pub use future::CacheFuture;
pub use key::{AsKey, Key, Probe};
pub use log_limit::{HeldBack, LogLimit};
pub use namespace::{Namespace, Path};
pub use policy::{CallPolicy, RefreshPoint};
pub use site::{FunctionInfo, InstanceInfo, functions};
pub use stats::{Stats, TimingBin, Timings};
pub use warm::{Warm, WarmFailure, WarmProgress, WarmReport};
