//! Whatever bytes come: MessagePack's reader does not panic, and what it makes is JSON.

#![no_main]

use iotctl::payload::msgpack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = msgpack::json(bytes) {
        serde_json::from_str::<&serde_json::value::RawValue>(&text).expect("JSON");
    }
});
