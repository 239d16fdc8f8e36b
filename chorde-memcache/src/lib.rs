//! memcached for `chorde`.

#![allow(dead_code, reason = "while the parts are put together")]

mod command;
mod server;
#[cfg(all(unix, feature = "testing"))]
pub mod testing;

pub use server::{Address, Server};
