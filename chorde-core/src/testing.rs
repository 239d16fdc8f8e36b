//! Checks for those who write clients of their own.

pub mod conformance;
