//! Checks for those who write clients of their own, and trouble for those who use them.

pub mod chaos;
pub mod conformance;

pub use chaos::{ChaosClient, FaultCounts, FaultKind, Faults, Operation};
