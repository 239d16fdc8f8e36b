//! memcached for `chorde`.

#![allow(dead_code, reason = "while the parts are put together")]

mod node;
mod ring;
mod command;
mod server;

pub use ring::Placement;
pub use server::{Address, Server};
