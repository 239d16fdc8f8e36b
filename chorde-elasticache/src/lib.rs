//! Amazon ElastiCache for `chorde`: the nodes of a memcached cluster are found and followed by themselves.
//!
//! Users depend on the crate `chorde` with its feature `elasticache`, which re-exports this one; most need
//! [`ElastiCacheClient`] alone.
//!
//! # What it does
//!
//! * **Discovery.** The cluster's configuration endpoint is asked for the nodes when the client is made and once a minute
//!   from then on; each poll goes to one of the nodes, which know the cluster as well, and to the endpoint if they do not
//!   answer. Nobody waits for it.
//! * **Changes lose nothing.** A node that is added takes over its share of the keys and no other key moves; one that is
//!   replaced keeps its keys' places under another address; one that is removed ends what is under way. See the limits of
//!   [`chorde_memcache`] for what a cache may still show then.
//! * **The last known list stays** while the endpoint is down, its name cannot be looked up, or what it tells cannot be
//!   understood or is older than what is known.
//! * **All the rest is [`chorde_memcache`]**: leases, failover, signed values, and every setting.
//!
//! # How it is built
//!
//! From the outside in; modules use only those further down this list.
//!
//! * `testing`: a cluster for tests.
//! * `client`: a [`MemcachedClient`](chorde_memcache::MemcachedClient) and its settings.
//! * `discover`: a [`ServerSource`](chorde_memcache::ServerSource) that carries out what the others decide.
//! * `ask`: one question to one server.
//! * `turns`: who is asked next, and when. `versions`: which configuration is believed. `config`: what a server said. Pure.
//! * `stats`, `kind`: what users are told.
//!
//! # Which configuration is believed
//!
//! One with a higher version than the one in use, whoever tells it. One with a lower version, or with other nodes under the
//! same one, only when the endpoint has told so three times in a row while no node told the version in use: then the cluster
//! was deleted and made anew under its old name. An answer with anything malformed is rejected whole.

#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod __fuzz;
mod ask;
mod client;
mod config;
mod discover;
mod kind;
mod stats;
#[cfg(all(unix, feature = "testing"))]
pub mod testing;
mod turns;
mod versions;

pub use client::{ElastiCacheBuilder, ElastiCacheClient};
pub use kind::EndpointKind;
pub use stats::DiscoveryStats;
