//! The clients of this crate.

pub mod inproc;
pub(crate) mod namespaced;
pub mod tiered;
