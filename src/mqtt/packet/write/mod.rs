//! Writing packets (MQTT 5.0 §3, MQTT 3.1.1 §3).
//!
//! Each packet is described once and walked twice: first to count and check, then to write. What an
//! older version does not have is left out: properties, reason codes, subscription options.

mod body;
mod sink;

use bytes::BytesMut;

use super::{Packet, Publish, Version};
use sink::{Count, Sink};

/// The largest remaining length that four bytes express (MQTT 5.0 §2.1.4).
const LARGEST_BODY: usize = 268_435_455;

/// Why a packet cannot be written: one line that says what does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unencodable(Box<str>);

impl Unencodable {
    #[cold]
    fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }
}

/// Appends a packet to `out`.
///
/// # Errors
/// Something does not fit into a packet of this version; `out` is as it was.
pub fn encode(packet: &Packet, version: Version, out: &mut BytesMut) -> Result<(), Unencodable> {
    if let Packet::Publish(publish) = packet {
        return encode_publish(publish, version, out);
    }
    let length = body_len(packet, version)?;
    start(body::first_byte(packet), length, out);
    body::packet(packet, version, out)
}

/// Appends a PUBLISH to `out`: [`encode`] for the packet that goes out by the million.
///
/// # Errors
/// As [`encode`].
pub fn encode_publish(
    publish: &Publish,
    version: Version,
    out: &mut BytesMut,
) -> Result<(), Unencodable> {
    let length = publish_body_len(publish, version)?;
    start(body::publish_first_byte(publish), length, out);
    body::publish(publish, version, out)
}

/// How many bytes [`encode`] would append.
///
/// # Errors
/// As [`encode`].
pub fn encoded_len(packet: &Packet, version: Version) -> Result<u32, Unencodable> {
    body_len(packet, version).map(with_header)
}

/// How many bytes [`encode_publish`] would append.
///
/// # Errors
/// As [`encode`].
pub fn publish_len(publish: &Publish, version: Version) -> Result<u32, Unencodable> {
    publish_body_len(publish, version).map(with_header)
}

fn body_len(packet: &Packet, version: Version) -> Result<usize, Unencodable> {
    let mut count = Count(0);
    body::packet(packet, version, &mut count)?;
    check_len(count.0)
}

fn publish_body_len(publish: &Publish, version: Version) -> Result<usize, Unencodable> {
    let mut count = Count(0);
    body::publish(publish, version, &mut count)?;
    check_len(count.0)
}

fn check_len(length: usize) -> Result<usize, Unencodable> {
    if length > LARGEST_BODY {
        let text = format!("packet of {length} bytes is longer than {LARGEST_BODY}");
        return Err(Unencodable::new(text));
    }
    Ok(length)
}

/// `length` has passed [`check_len`], so the sum fits 32 bits.
const fn with_header(length: usize) -> u32 {
    (1 + sink::variable_len(length as u32) + length) as u32
}

/// Writes the fixed header and makes room for the body.
fn start(first: u8, length: usize, out: &mut BytesMut) {
    out.reserve(5 + length);
    out.put(&[first]);
    // `check_len` has made sure that the length fits.
    out.put_variable(length as u32);
}
