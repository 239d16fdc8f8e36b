//! Servers for tests: a real one under control, one that misbehaves as told, and a network that does.
//!
//! * [`MemcachedServer`] runs the program `memcached`: stopped, continued, killed and started again by the test.
//! * [`FakeServer`] plays a server: by a script of the test's own, with a [`Fault`], or as the old memcached 1.4.15.
//! * [`ChaosProxy`] stands in front of a server and delays, cuts, swallows, resets or refuses ([`Chaos`]).
//! * With the feature `tls`, `TlsFront` stands in front of a server and encrypts.
//!
//! All of them listen on a port of their own, at 127.0.0.1 unless told otherwise, and end when they are dropped. Their methods block and need no
//! runtime, so that any test can use them: plain ones and those of `tokio` alike. What a test has to wait for can be waited
//! for (`await_commands`, `await_connections`, `await_bytes`, [`FakeServer::hold`]), so that no test needs to sleep.
//!
//! This module exists on unix systems only, behind the feature `testing`.
//!
//! # Examples
//!
//! ```
//! use chorde_memcache::testing::{Chaos, ChaosProxy, MemcachedServer};
//!
//! let server = MemcachedServer::start()?;
//! let proxy = ChaosProxy::start(&server.address())?;
//! // Here a client of the servers `[proxy.address()]` is built and used; then the network fails under it:
//! proxy.set(Chaos::Blackhole)?;
//! proxy.set(Chaos::Pass)?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod fake;
mod ports;
mod proxy;
mod server;
#[cfg(feature = "tls")]
mod tls_front;
mod watched;

use std::time::Duration;

pub use fake::{FakeServer, Fault, Peer, Request};
pub use proxy::{Chaos, ChaosProxy, Direction};
pub use server::{MemcachedServer, MemcachedServerBuilder};
#[cfg(feature = "tls")]
pub use tls_front::TlsFront;

/// How long anything here is waited for before it counts as broken: long enough for a machine that is busy elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to rest between two looks at something that cannot be waited for.
const PAUSE: Duration = Duration::from_millis(3);

/// Returns how many tasks run on the thread that chorde keeps for itself, for all clients of the process: connections of
/// callers without a runtime, sources of servers, probes. For tests that nothing is left behind.
#[must_use]
pub fn alive_tasks() -> usize {
    crate::node::tasks()
}
