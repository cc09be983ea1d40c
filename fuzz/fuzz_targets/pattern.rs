//! Arbitrary filters with named wildcards, topics and templates: no panic; what is captured stands in the topic, and a valid
//! pattern matches as its filter does.
//!
//! The three are separated by line feeds. Run with `cargo +nightly fuzz run pattern`.
#![no_main]

use iotctl::message::topic;
use iotctl::payload::captures::Pattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let Some((text, name)) = data.split_once('\n') else {
        return;
    };
    let Ok(pattern) = text.parse::<Pattern>() else {
        return;
    };
    assert_eq!(pattern.to_string(), text);
    let filter = pattern.filter();
    let plain = topic::shared(filter).map_or(filter, |(_, plain)| plain);
    let captures = pattern.matches(name);
    assert_eq!(captures.is_some(), topic::matches(plain, name));
    let Some(captures) = captures else {
        return;
    };
    for known in pattern.names() {
        let captured = captures.get(known).expect("the name is known");
        assert!(name.contains(captured), "{captured:?} is not in {name:?}");
    }
    for (at, value) in captures.values().iter().enumerate() {
        assert_eq!(captures.get(&(at + 1).to_string()), Some(*value));
    }
});
