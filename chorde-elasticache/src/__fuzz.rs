//! The target for fuzzers that sees the inside of this crate; see `fuzz/`. No part of the interface.
#![allow(missing_docs, reason = "for the fuzzers of this crate only; documented where it is")]

pub fn configuration(data: &[u8]) {
    crate::config::fuzz::configuration(data);
}
