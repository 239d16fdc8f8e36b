//! What tests of your own program need: time that stands still, caches that fail, servers that die.
//!
//! Whatever a cache may do to a program (show old values, be down, be slow, forget) can be had here in milliseconds, by
//! a seed, as often as it takes:
//!
//! | for a test of | there is | needs |
//! |---|---|---|
//! | staleness: what is served at which age, and when it is refreshed | [`ManualClock`] | |
//! | outages, slowness, losses of any cache, by odds | [`ChaosClient`], [`Faults`] | |
//! | a client of your own, whether it keeps the rules | [`conformance`] | |
//! | a real memcached, that is stopped, killed and started again | `MemcachedServer` | unix, features `memcache` and `testing` |
//! | a server that hangs, lies, or answers by a script | `FakeMemcached` | the same |
//! | a network that delays, cuts, swallows, resets | `ChaosProxy` | the same |
//! | a cluster that grows, shrinks and is replaced | `FakeCluster` | unix, features `elasticache` and `testing` |
//!
//! What needs no server is always there: it brings no dependencies, and a program that does not use it does not contain it.
//! `examples/outage_in_tests.rs` shows tests of a program that uses it.
//!
//! # Time
//!
//! ```
//! use std::sync::LazyLock;
//! use std::time::Duration;
//!
//! use chorde::InprocClient;
//! use chorde::prelude::*;
//! use chorde::testing::ManualClock;
//!
//! static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
//! static CACHE: LazyLock<InprocClient> =
//!     LazyLock::new(|| InprocClient::builder().capacity(100).clock(CLOCK.clone()).build().expect("a capacity will do"));
//!
//! // Lives are not shortened by chance, so that the end can be told to the second.
//! #[cached(client = CACHE, ttl = "5m", ttl_spread = none)]
//! fn price(item: u32) -> u32 {
//!     item * 3
//! }
//!
//! assert_eq!(price(7), 21);
//! CLOCK.advance(Duration::from_secs(299));
//! assert_eq!(price::peek(7), Some(21));
//! CLOCK.advance(Duration::from_secs(1));
//! assert_eq!(price::peek(7), None);
//! ```
//!
//! # A cache that fails
//!
//! ```
//! use std::sync::LazyLock;
//!
//! use chorde::InprocClient;
//! use chorde::prelude::*;
//! use chorde::testing::{ChaosClient, FaultKind, Faults};
//!
//! static CACHE: LazyLock<ChaosClient<InprocClient>> =
//!     LazyLock::new(|| ChaosClient::new(InprocClient::new(100), 1));
//!
//! #[cached(client = CACHE, ttl = "5m")]
//! fn price(item: u32) -> u32 {
//!     item * 3
//! }
//!
//! assert_eq!(price(7), 21);
//! CACHE.set(Faults::none().errors(1.0));
//! assert_eq!(price(7), 21); // computed again: callers do not see that the cache is down
//! assert_eq!(price::stats().computes, 2);
//!
//! CACHE.set(Faults::none().errors(0.1).misses(0.1).lost_writes(0.1));
//! assert!((0..1000).all(|item| price(item % 10) == item % 10 * 3));
//! assert!(CACHE.counts().faults(FaultKind::Loss) > 0);
//! ```
//!
//! # Servers and networks that fail
//!
//! ```
//! # #[cfg(all(unix, feature = "memcache", feature = "testing"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use chorde::MemcachedClient;
//! use chorde::prelude::*;
//! use chorde::testing::{Chaos, ChaosProxy, FakeMemcached, MemcachedServer};
//!
//! let server = MemcachedServer::start()?; // the program `memcached`, at a port of its own
//! let proxy = ChaosProxy::start(&server.address())?;
//! let client = MemcachedClient::builder().servers([proxy.address()]).checksum_key("a test").build()?;
//! client.put(&1, "one".to_owned(), Duration::from_secs(60)).wait()?;
//!
//! proxy.set(Chaos::Refuse)?; // the network fails; `server.kill()`, and the server does
//! assert_eq!(client.get::<String>(&1).wait().unwrap_or_default(), None);
//!
//! let liar = FakeMemcached::canned("1.6.18", "not what was stored")?; // each key holds this
//! let client = MemcachedClient::builder().servers([liar.address()]).checksum_key("a test").build()?;
//! assert_eq!(client.get::<String>(&1).wait()?, None); // it is not signed: a miss
//! # Ok(())
//! # }
//! # #[cfg(not(all(unix, feature = "memcache", feature = "testing")))]
//! # fn main() {}
//! ```
//!
//! # A client of your own
//!
//! ```
//! use chorde::InprocClient;
//! use chorde::testing::conformance::Suite;
//!
//! let suite = Suite::new(|| InprocClient::new(10_000)); // here yours
//! suite.only("what was put is a hit for every operation").check::<String>();
//! ```

#[doc(inline)]
pub use chorde_core::ManualClock;
#[doc(inline)]
pub use chorde_core::testing::{ChaosClient, FaultCounts, FaultKind, Faults, Operation, conformance};

#[cfg(all(unix, feature = "memcache", feature = "testing"))]
#[doc(inline)]
pub use chorde_memcache::testing::{
    Chaos, ChaosProxy, Direction, FakeServer as FakeMemcached, Fault as FakeFault, MemcachedServer,
    MemcachedServerBuilder,
};

#[cfg(all(unix, feature = "elasticache", feature = "testing"))]
#[doc(inline)]
pub use chorde_elasticache::testing::FakeCluster;
