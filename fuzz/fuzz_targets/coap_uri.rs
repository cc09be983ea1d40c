//! Arbitrary CoAP URIs and references to them: no panic, and what is read survives being written again.
//!
//! The two are separated by the first line feed. Run with `cargo +nightly fuzz run coap_uri`.
#![no_main]

use iotctl::coap::option::Options;
use iotctl::coap::uri::{self, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (absolute, reference) = data.split_once('\n').unwrap_or((data, ""));
    let Ok(base) = Uri::parse(absolute) else {
        return;
    };
    check(&base);
    if let Ok(joined) = base.join(reference) {
        check(&joined);
    }
});

fn check(uri: &Uri) {
    let written = uri.to_string();
    assert_eq!(Uri::parse(&written).as_ref(), Ok(uri), "{written}");
    let mut options = Options::new();
    uri.add_to(&mut options);
    assert_eq!(uri::path_of(&options), uri::local_text(&uri.path, &[]));
    let _ = uri::location_of(&options);
}
