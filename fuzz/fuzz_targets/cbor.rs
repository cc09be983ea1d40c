//! Whatever bytes or text come: CBOR's readers and writers, MessagePack's writer, SenML and conditions do not panic, and what is written
//! from the notation of something reads as the same notation again.

#![no_main]

use std::time::SystemTime;

use iotctl::message::{Detail, Message};
use iotctl::payload::{cbor, expect::Condition, msgpack, senml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = cbor::diagnostic(bytes, false) {
        let written = cbor::from_diagnostic(&text).expect("our own notation");
        assert_eq!(cbor::diagnostic(&written, false), Ok(text));
    }
    let _ = (cbor::sequence(bytes), msgpack::from_json(bytes));
    if let Ok(written) = cbor::from_json(bytes) {
        assert!(cbor::diagnostic(&written, false).is_ok());
    }
    if let Ok(json) = cbor::json(bytes) {
        let _ = senml::lines(&json);
    }
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = cbor::from_diagnostic(text);
        if let Ok(condition) = text.parse::<Condition>() {
            let message = Message {
                time: SystemTime::UNIX_EPOCH,
                topic: "a".into(),
                payload: bytes.to_vec().into(),
                detail: Detail::Plain,
            };
            condition.holds(&message, || cbor::json(bytes).ok());
        }
    }
});
