#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chorde_elasticache::__fuzz::configuration(data));
