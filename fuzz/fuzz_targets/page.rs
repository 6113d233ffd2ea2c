#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ai_fuzz::parsers::page(bytes));
