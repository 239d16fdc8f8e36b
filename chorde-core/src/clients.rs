//! The clients of this crate.

pub mod inproc;
pub mod namespaced;
pub mod tiered;
