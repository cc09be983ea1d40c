//! Arbitrary bytes into the MQTT decoder: no panic, and what is accepted survives being written again.
//!
//! The first byte chooses the version. Run with `cargo +nightly fuzz run decode`.
#![no_main]

use bytes::BytesMut;
use iotctl::mqtt::packet::{Decoder, LARGEST_PACKET, Packet, Version, encode, encoded_len};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&first, stream)) = data.split_first() else {
        return;
    };
    let version = match first % 3 {
        0 => Version::V31,
        1 => Version::V311,
        _ => Version::V5,
    };
    let decoder = Decoder::new(version, LARGEST_PACKET);
    let mut input = BytesMut::from(stream);
    while let Ok(Some(packet)) = decoder.decode(&mut input) {
        check(&packet, version);
    }
});

fn check(packet: &Packet, version: Version) {
    let spoken = match packet {
        Packet::Connect(connect) => connect.version,
        _ => version,
    };
    let mut out = BytesMut::new();
    encode(packet, spoken, &mut out).expect("what was read can be written");
    assert_eq!(encoded_len(packet, spoken), Ok(out.len() as u32));
    let again = Decoder::new(spoken, LARGEST_PACKET).decode(&mut out);
    assert_eq!(again.as_ref(), Ok(&Some(packet.clone())));
}
