//! One server: how to reach it, and what is said on a connection to it.

pub(crate) mod dial;
pub(crate) mod meta;
pub(crate) mod mux;
#[cfg(feature = "testing")]
pub(crate) mod probe;
