//! memcached for `chorde`.

#![allow(dead_code, reason = "while the parts are put together")]

#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod __bench;
mod client;
mod cluster;
mod command;
mod compression;
mod envelope;
mod lease;
mod life;
mod node;
mod race;
mod resolve;
mod revisions;
mod ring;
mod server;
mod stats;
mod store;
#[cfg(all(unix, feature = "testing"))]
pub mod testing;
mod wire_key;

pub use client::{MemcachedBuilder, MemcachedClient};
pub use compression::Compression;
pub use node::Transport;
pub use resolve::{DnsServers, Endpoint, Following, ServerSource, Servers, StaticServers, Watch};
pub use ring::Placement;
pub use server::{Address, Server};
pub use stats::MemcachedStats;
