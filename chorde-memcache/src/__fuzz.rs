//! The targets for fuzzers that see the inside of this crate. No part of the interface.
//!
//! Each takes any bytes and panics if a promise is broken. `fuzz/` runs them guided by coverage, `tests/fuzz` on what
//! that has found.
#![allow(missing_docs, reason = "for the fuzzers of this crate only; documented where they are")]

pub fn meta_decode(data: &[u8]) {
    crate::node::fuzz::decode(data);
}

pub fn meta_encode(data: &[u8]) {
    crate::node::fuzz::encode(data);
}

pub fn classic_guard(data: &[u8]) {
    crate::node::fuzz::guard(data);
}

pub fn envelope(data: &[u8]) {
    crate::envelope::fuzz::envelope(data);
}

pub fn pages(data: &[u8]) {
    crate::envelope::fuzz::pages(data);
}

pub fn wire_keys(data: &[u8]) {
    crate::wire_key::fuzz::wire_keys(data);
}
