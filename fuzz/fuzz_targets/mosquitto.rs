//! Arbitrary command lines of mosquitto's clients, with an arbitrary file of options: no panic, and every refusal has
//! their exit code.
//!
//! The first byte chooses the client; the file ends at a NUL, and the words behind it are separated by line feeds. Run with
//! `cargo +nightly fuzz run mosquitto`.
#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use iotctl::cli::{self, Parsed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let client = ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"][usize::from(*first) % 3];
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let file = parts.next().unwrap_or_default();
    let words = parts.next().unwrap_or_default().split(|byte| *byte == b'\n');
    let words = words.map(|word| OsString::from_vec(word.to_vec()));
    let Ok(Parsed::Mosquitto(call)) = cli::parse(std::iter::once(client.into()).chain(words)) else {
        panic!("not taken for {client}");
    };
    if let Err(refused) = call.parse(Some(Ok(file.to_vec()))) {
        assert_eq!(refused.exit_code(), 1, "{refused}");
    }
});
