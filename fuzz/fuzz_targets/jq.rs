//! Expressions of jq on arbitrary JSON: no panic, and no end of the program; where the text begins with another line, that is the
//! expression.
//!
//! Run with `cargo +nightly fuzz run jq`.
#![no_main]

use iotctl::message::Message;
use iotctl::payload::jq::{Filter, Input};
use libfuzzer_sys::fuzz_target;

const USUAL: [&str; 4] = [
    "select(.value > 35) | {v: .value, all: [.. | numbers]}",
    "[paths], tojson, (tostring | fromjson)",
    "walk(if type == \"string\" then ascii_upcase | @base64 else . end)",
    "to_entries | sort_by(.value) | group_by(.key) | map(add)",
];

fuzz_target!(|data: &str| {
    let (code, body) = data.split_once('\n').unwrap_or(("", data));
    let message = Message {
        payload: body.to_owned().into(),
        ..Message::default()
    };
    let input = Input {
        message: &message,
        captures: None,
        now: None,
    };
    let json = serde_json::from_str(body).ok();
    for code in USUAL.into_iter().chain([code]) {
        if let Ok(filter) = Filter::compile(code) {
            let _ = filter.map(input, json.as_ref());
        }
    }
});
