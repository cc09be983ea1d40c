//! Arbitrary filters and topics: no panic, and matching agrees with a plain second implementation.
//!
//! The two are separated by the first line feed. Run with `cargo +nightly fuzz run topic`.
#![no_main]

use iotctl::message::topic;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let Some((filter, name)) = data.split_once('\n') else {
        return;
    };
    let shared = topic::shared(filter);
    let valid = topic::check_filter(filter).is_ok() && topic::check_name(name).is_ok();
    let matched = topic::matches(filter, name);
    if valid && shared.is_none() {
        assert_eq!(matched, plain(filter, name), "{filter:?} against {name:?}");
    }
});

/// MQTT 5.0 §4.7, level by level.
fn plain(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let filter: Vec<&str> = filter.split('/').collect();
    let name: Vec<&str> = name.split('/').collect();
    let (levels, open) = match filter.split_last() {
        Some((&"#", levels)) => (levels, true),
        _ => (&filter[..], false),
    };
    let enough = if open { name.len() >= levels.len() } else { name.len() == levels.len() };
    enough && levels.iter().zip(&name).all(|(wanted, level)| *wanted == "+" || wanted == level)
}
