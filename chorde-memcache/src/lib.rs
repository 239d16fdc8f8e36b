//! memcached for `chorde`: one cache for all processes of a fleet.
//!
//! Users depend on the crate `chorde` with its feature `memcache`, which re-exports this one; most need
//! [`MemcachedClient`] alone.
//!
//! # What it does
//!
//! * **One computation in the fleet.** A cached function that misses a key claims it on the server: the first process is
//!   given a lease and computes, the others wait for the value. The same for refreshes. A process that dies is replaced
//!   when its lease ends.
//! * **Servers may fail.** An operation ends within the [deadline](MemcachedBuilder::deadline). A server that cannot be
//!   reached, or leaves three operations in a row unanswered, is taken out of use: the next in the order of the key takes over, and what was written meanwhile is removed from the first
//!   before it comes back.
//! * **Nothing but what was stored.** Values are signed together with their keys ([`checksum_key`](MemcachedBuilder::checksum_key)),
//!   and compressed where that helps. Keys of any length, values of any size.
//! * **Encrypted**, with the feature `tls` and the builder's `tls`: the servers' certificates are checked.
//! * **Fast.** One connection for each server carries all that tasks of one runtime ask, many questions in one write.
//!
//! # How it is built
//!
//! From the outside in; modules use only those further down this list.
//!
//! * `client`: core's traits, over `store`: what an operation on one key asks the servers, on bytes. `revisions`: clearing.
//! * `behind`: writes put off. `memory`: what this process has lately seen. Both off by default.
//! * `cluster`: which server is asked. `node`: one server, its connections (`mux` for the meta commands, `classic` for older
//!   servers), its `breaker`, its `prober`.
//! * `resolve`: how the servers are found. `ring`: which server has which key.
//! * `lease`, `envelope`, `wire_key`, `life`: the decisions and formats, without I/O.
//! * `command`, `server`, `tls`, `stats`: the words that the others share.
//!
//! # What is stored
//!
//! Under a wire key, which is the beginning of the innermost namespace's name and 160 bits of a SHA-256 of all namespaces,
//! their revisions and the key, lies an envelope: a header, an HMAC-SHA256 of header, key and payload, and the payload in
//! [postcard](https://postcard.jamesmunns.com/wire-format), compressed by zstd if that is shorter. The item is kept for half
//! a minute longer than the value is valid. Versions of this crate that change the format read each other's values as
//! misses.
//!
//! # Limits
//!
//! * Times are whole seconds on the server's clock: a ttl is rounded up, and what is stored for T seconds is valid for T - 1
//!   to T of them. A life of more than 30 days is sent as a date, by the clock of the host that stores.
//! * A value is read back as the type that it was written as, by its name: renamed or moved, it is a miss. postcard does not
//!   describe what it writes, so that types with serde's `untagged`, `flatten` or `skip_serializing_if` may be written and
//!   never read back: misses.
//! * A refresh that takes longer than what is left of the old value's life and half a minute is not waited for: somebody
//!   else computes as well, whatever the lease.
//! * One computation per key is what leases give while the key's server is up. One that fails, restarts, or evicts a lease
//!   may cause a second one; wrong values it cannot cause.
//! * A clear is noticed by other processes within [`clear_delay`](MemcachedBuilder::clear_delay). It is forgotten if both
//!   servers that remember it are lost before anybody who knows of it asks again; entries then show up to their ttl.
//! * While servers fail, two processes may hold different opinions of which one is in use: an older value may be served, up
//!   to its ttl, or a key computed twice.
//! * A write that failed, or was sent again because its connection was lost, may still lie with a proxy or a server that
//!   hangs. Where that carries it out only after a later write of the same key, the older value shows up to its ttl.
//! * A server that leaves the list and comes back, or one that inherits the keys of another that left, may still hold what
//!   it held before: such values show up to their ttl.
//! * Of more than 65,536 keys changed while their server is away, the rest is not removed from it when it comes back
//!   ([`replays_lost`](MemcachedStats::replays_lost)).
//! * Whoever can reach memcached can delete, replay and delay values, though not make them up: keep its port to yourself.
//!   Encryption keeps others from reading along, and from standing between; it does not say who may connect, unless the
//!   server asks clients for certificates.

#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod __bench;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod __fuzz;
mod behind;
mod client;
mod cluster;
mod command;
mod compression;
mod envelope;
#[cfg(feature = "testing")]
mod input;
mod lease;
mod life;
mod memory;
mod node;
mod race;
mod resolve;
mod revisions;
mod ring;
mod server;
mod stats;
mod store;
mod sync;
#[cfg(all(unix, feature = "testing"))]
pub mod testing;
#[cfg(feature = "tls")]
mod tls;
mod wall_clock;
mod wire_key;

pub use behind::WriteBehind;
pub use client::{MemcachedBuilder, MemcachedClient};
pub use compression::Compression;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub use node::probe::Probe as __Probe;
pub use node::{Connection, Dialer, Transport};
pub use resolve::{
    Addresses, DnsServers, Endpoint, Endpoints, Following, LookingUp, Resolver, ServerSource, Servers, StaticServers,
    SystemResolver, Watch,
};
pub use ring::Placement;
pub use server::{Address, Server, ServerState};
pub use stats::MemcachedStats;
#[cfg(feature = "tls")]
pub use tls::Tls;
/// The version of rustls that [`Tls::with_config`] takes.
#[cfg(feature = "tls")]
pub use tokio_rustls::rustls;
