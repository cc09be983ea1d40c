//! Arbitrary PKCS#12 files and encrypted keys: no panic.
//!
//! Run with `cargo +nightly fuzz run keystore`.
#![no_main]

use iotctl::connect::parsers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| parsers::keystore(data));
