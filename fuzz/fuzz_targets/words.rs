//! Arbitrary words on the command line: no panic, and every refusal is one line with exit code 2.
//!
//! Words are separated by line feeds. Run with `cargo +nightly fuzz run words`.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let words = data.split(|&byte| byte == b'\n').map(|word| OsString::from_vec(word.to_vec()));
    if let Err(refused) = iotctl::cli::parse(std::iter::once("iotctl".into()).chain(words)) {
        assert_eq!(refused.exit_code(), 2, "{refused}");
    }
});
