//! Arbitrary link-format: no panic, and what is read survives being written again.
//!
//! A filter stands before the first line feed. Run with `cargo +nightly fuzz run coap_link`.
#![no_main]

use iotctl::payload::link::{self, Filter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (argument, text) = data.split_once('\n').unwrap_or(("", data));
    let filter = Filter::parse(argument);
    let Ok(links) = link::parse(text) else {
        return;
    };
    let written = link::write(&links);
    assert_eq!(link::parse(&written).as_ref(), Ok(&links), "{written}");
    for link in &links {
        let _ = (filter.matches(link), link.formats(), link.words("rt").count());
    }
});
