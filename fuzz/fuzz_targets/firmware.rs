//! Whatever bytes come as a manifest, an image, a request or a state: nothing panics, and nothing that nobody has signed is
//! taken.

#![no_main]

use iotctl::firmware::device::State;
use iotctl::firmware::mcuboot::Image;
use iotctl::firmware::suit::Envelope;
use iotctl::firmware::wire::Request;
use iotctl::firmware::{Identity, Trusted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let trusted = Trusted::default();
    if let Ok(envelope) = Envelope::split(bytes) {
        let _ = envelope.claims();
        let device = Identity::new("example.com", "a");
        let _ = envelope.unverified().map(|manifest| manifest.update(&device, Some(1)));
        assert!(envelope.verified(&trusted).is_err());
    }
    if let Ok(image) = Image::read(bytes) {
        assert!(image.signer(&trusted).is_err());
    }
    if let Ok(request) = Request::decode(bytes) {
        assert_eq!(Request::decode(&request.encode()), Ok(request));
    }
    let _ = State::decode(bytes);
});
