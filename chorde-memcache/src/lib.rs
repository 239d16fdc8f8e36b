//! memcached for `chorde`.

#![allow(dead_code, reason = "while the parts are put together")]

#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod __bench;
mod command;
mod envelope;
mod life;
mod server;
mod wire_key;

pub use server::{Address, Server};
