//! memcached for `chorde`.

#![allow(dead_code, reason = "while the parts are put together")]

mod command;
mod node;
mod resolve;
mod ring;
mod server;

pub use resolve::{DnsServers, Endpoint, Following, ServerSource, Servers, StaticServers, Watch};
pub use ring::Placement;
pub use server::{Address, Server};
