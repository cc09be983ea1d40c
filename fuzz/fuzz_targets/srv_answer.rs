//! Arbitrary answers of a name server: no panic, and every name in them is one that may be shown.
//!
//! Run with `cargo +nightly fuzz run srv_answer`.
#![no_main]

use iotctl::connect::parsers::{SrvAnswer, srv_answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let id = data.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    if let Some(SrvAnswer::Records(records)) = srv_answer(data, id, "_mqtt._tcp.example.com") {
        for record in records {
            assert!(record.host.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
});
