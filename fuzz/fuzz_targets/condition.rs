//! Arbitrary conditions on arbitrary payloads: no panic, and a condition is read again as it is written.
//!
//! Both are separated by a line feed. Run with `cargo +nightly fuzz run condition`.
#![no_main]

use iotctl::message::Message;
use iotctl::payload::expect::{Changes, Condition, Scope};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let Some((words, body)) = data.split_once('\n') else {
        return;
    };
    // Expressions of jq have a target of their own.
    if words.trim_start().starts_with("jq:") {
        return;
    }
    let Ok(condition) = words.parse::<Condition>() else {
        return;
    };
    assert_eq!(condition.to_string(), words);
    let message = Message {
        payload: body.to_owned().into(),
        ..Message::default()
    };
    let json = || serde_json::from_str(body).ok();
    let mut changes = Changes::of([&condition]);
    if let Some(changes) = &mut changes {
        changes.see(&message, json);
    }
    let scope = Scope {
        changes: changes.as_ref(),
        ..Scope::default()
    };
    condition.holds_in(&message, &scope, json);
});
