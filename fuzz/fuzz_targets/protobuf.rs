//! Whatever bytes come, as a message, as a schema or as both: protobuf's readers do not panic, and what they make is JSON.

#![no_main]

use iotctl::payload::protobuf::{self, Schema};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (set, body) = input;
    let schema = Schema::read(&set, None).ok();
    for schema in [None, schema.as_ref()] {
        if let Ok(text) = protobuf::json(&body, schema) {
            serde_json::from_str::<&serde_json::value::RawValue>(&text).expect("JSON");
        }
    }
});
