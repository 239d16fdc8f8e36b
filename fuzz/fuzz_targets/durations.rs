#![no_main]

#[path = "../macros.rs"]
mod macros;
use macros::*;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::durations(data));
