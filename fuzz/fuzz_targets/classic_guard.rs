#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chorde_memcache::__fuzz::classic_guard(data));
