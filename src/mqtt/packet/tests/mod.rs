//! The codec as a whole: there and back, malformed input, arbitrary bytes, and against an independent codec.

mod malformed;
mod mutation;
mod peer;
mod round_trip;
mod samples;

use bytes::BytesMut;

use super::{Decoder, LARGEST_PACKET, Malformed, Packet, Version, encode};

const VERSIONS: [Version; 3] = [Version::V31, Version::V311, Version::V5];

/// As a server does, which judges the sender.
fn decode(bytes: &[u8], version: Version) -> Result<Option<Packet>, Malformed> {
    let packet = Decoder::new(version, LARGEST_PACKET).decode(&mut BytesMut::from(bytes))?;
    if let Some(Packet::Publish(publish)) = &packet {
        publish.check_values()?;
    }
    Ok(packet)
}

fn encoded(packet: &Packet, version: Version) -> BytesMut {
    let mut out = BytesMut::new();
    encode(packet, version, &mut out).unwrap();
    out
}
