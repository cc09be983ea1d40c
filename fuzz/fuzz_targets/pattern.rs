//! Arbitrary filters with named wildcards, topics and templates: no panic; what is captured stands in the topic, and a valid
//! pattern matches as its filter does.
//!
//! The three are separated by line feeds. Run with `cargo +nightly fuzz run pattern`.
#![no_main]

use iotctl::mqtt::pattern::Pattern;
use iotctl::mqtt::topic;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let Some((text, name)) = data.split_once('\n') else {
        return;
    };
    let Ok(pattern) = Pattern::parse(text) else {
        return;
    };
    let filter = &**pattern.filter();
    let plain = topic::shared(filter).map_or(filter, |(_, plain)| plain);
    assert_eq!(pattern.matches(name), topic::matches(plain, name));
    for known in pattern.names() {
        let captured = pattern.capture(known, name).expect("the name is known");
        assert!(name.contains(captured), "{captured:?} is not in {name:?}");
    }
});
