//! Whatever is asked of whatever payload: names, columns and JSON pointers do not panic, and names of files stay names.

#![no_main]

use iotctl::message::Message;
use iotctl::payload::select::{Column, Selector};
use iotctl::payload::senml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, Vec<u8>)| {
    let (words, payload) = input;
    if let Ok(list) = serde_json::from_slice(&payload) {
        let _ = senml::resolved(&list);
    }
    let message = Message {
        payload: payload.into(),
        ..Message::default()
    };
    if let Ok(selector) = words.parse::<Selector>() {
        selector.find(&message, false);
    }
    for column in Column::list(&words).unwrap_or_default() {
        column.selector.find(&message, true);
    }
    let _ = words.parse::<iotctl::output::Name>();
});
