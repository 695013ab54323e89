#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::native_v2(bytes));
