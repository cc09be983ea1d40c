//! Arbitrary `-F` templates: no panic on reading them.
//!
//! Run with `cargo +nightly fuzz run template`.
#![no_main]

use iotctl::output::Template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = text.parse::<Template>();
});
