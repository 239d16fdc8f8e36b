//! memcached for `chorde`.

#![allow(dead_code, reason = "while the parts are put together")]

mod command;
mod node;
mod server;

pub use server::{Address, Server};
