#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::component_outline(bytes));
