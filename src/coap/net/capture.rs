//! A file of messages for Wireshark, in the pcapng format (draft-ietf-opsawg-pcapng).
//!
//! A packet is a message as its endpoint saw it, decrypted where DTLS or TLS carried it, with the two addresses and
//! the name of the dissector in front (link type 252, "Wireshark upper PDU"): so it is shown as CoAP whatever its
//! port and transport. Those of streams and WebSockets stand there as on UDP, non-confirmable and with the id 0, as
//! the dissectors of RFC 8323 want more of a connection than there is.

use std::fs::File;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::tap::{Direction, Seen};
use crate::coap::message::{Message, Type};

const LINK_TYPE: u16 = 252;

/// Block types.
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

/// Tags of the link type; wireshark's `exported_pdu_tlvs.h`.
mod tag {
    pub(super) const END: u16 = 0;
    pub(super) const DISSECTOR: u16 = 12;
    pub(super) const IPV4_SOURCE: u16 = 20;
    pub(super) const IPV4_DESTINATION: u16 = 21;
    pub(super) const IPV6_SOURCE: u16 = 22;
    pub(super) const IPV6_DESTINATION: u16 = 23;
    pub(super) const PORT_TYPE: u16 = 24;
    pub(super) const SOURCE_PORT: u16 = 25;
    pub(super) const DESTINATION_PORT: u16 = 26;
}

/// A file that messages are added to.
#[derive(Debug)]
pub struct Capture {
    file: File,
}

impl Capture {
    /// A new file at `path`, or an empty one in place of what is there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(&head())?;
        Ok(Self { file })
    }

    /// Adds one message, whole: the file can be read whenever the command ends.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, time: SystemTime, seen: &Seen<'_>) -> io::Result<()> {
        self.file.write_all(&packet(time, seen))
    }
}

fn head() -> Vec<u8> {
    let mut section = 0x1A2B_3C4D_u32.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    // The length of the section is not known beforehand.
    section.extend([0xFF; 8]);
    let mut interface = LINK_TYPE.to_le_bytes().to_vec();
    interface.extend([0; 6]);
    [block(SECTION, &section), block(INTERFACE, &interface)].concat()
}

fn packet(time: SystemTime, seen: &Seen<'_>) -> Vec<u8> {
    let mut data = tags(seen);
    data.extend_from_slice(&datagram(seen));
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = since.as_micros() as u64;
    // A message is far smaller than 4 GiB.
    let length = (data.len() as u32).to_le_bytes();
    let mut body = vec![0; 4];
    body.extend(((micros >> 32) as u32).to_le_bytes());
    body.extend((micros as u32).to_le_bytes());
    body.extend(length);
    body.extend(length);
    body.extend(data);
    block(PACKET, &body)
}

fn datagram(seen: &Seen<'_>) -> Bytes {
    let as_it_is = || Bytes::copy_from_slice(seen.bytes);
    match &seen.message {
        Ok(message) if seen.transport.is_reliable() => {
            let message = Message {
                kind: Type::Non,
                mid: 0,
                ..(*message).clone()
            };
            message.encode().unwrap_or_else(|_| as_it_is())
        }
        _ => as_it_is(),
    }
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let length = ((12 + body.len() + padding) as u32).to_le_bytes();
    let mut block = kind.to_le_bytes().to_vec();
    block.extend(length);
    block.extend_from_slice(body);
    block.extend(&[0; 3][..padding]);
    block.extend(length);
    block
}

/// Type, length and value of each, in network order.
fn tags(seen: &Seen<'_>) -> Vec<u8> {
    let peer = SocketAddr::new(seen.peer.ip().to_canonical(), seen.peer.port());
    let unknown = SocketAddr::new(
        match peer.ip() {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        },
        0,
    );
    let local = seen.local.unwrap_or(unknown);
    let (from, to) = match seen.direction {
        Direction::Out => (local, peer),
        Direction::In => (peer, local),
    };
    let mut tags = Vec::new();
    put(&mut tags, tag::DISSECTOR, b"coap");
    address(&mut tags, [tag::IPV4_SOURCE, tag::IPV6_SOURCE], from.ip());
    address(
        &mut tags,
        [tag::IPV4_DESTINATION, tag::IPV6_DESTINATION],
        to.ip(),
    );
    // 3 is UDP.
    put(&mut tags, tag::PORT_TYPE, &3_u32.to_be_bytes());
    put(
        &mut tags,
        tag::SOURCE_PORT,
        &u32::from(from.port()).to_be_bytes(),
    );
    put(
        &mut tags,
        tag::DESTINATION_PORT,
        &u32::from(to.port()).to_be_bytes(),
    );
    put(&mut tags, tag::END, b"");
    tags
}

fn address(tags: &mut Vec<u8>, [v4, v6]: [u16; 2], address: IpAddr) {
    match address {
        IpAddr::V4(address) => put(tags, v4, &address.octets()),
        IpAddr::V6(address) => put(tags, v6, &address.octets()),
    }
}

/// Values are padded to words of 4 bytes.
fn put(tags: &mut Vec<u8>, tag: u16, value: &[u8]) {
    let length = value.len().next_multiple_of(4);
    tags.extend(tag.to_be_bytes());
    tags.extend((length as u16).to_be_bytes());
    tags.extend_from_slice(value);
    tags.resize(tags.len() + length - value.len(), 0);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::coap::endpoint::Transport;

    #[test]
    fn a_file_is_a_row_of_blocks_that_say_their_length_twice() {
        let seen = Seen {
            direction: Direction::Out,
            local: Some(([127, 0, 0, 1], 40_000).into()),
            peer: ([127, 0, 0, 1], 5683).into(),
            transport: Transport::Datagram,
            bytes: &[0x40, 1, 0, 7, 0xb1, b'a'],
            message: Err(String::new()),
        };
        let time = UNIX_EPOCH + Duration::from_micros((3 << 32) | 5);
        let file = [head(), packet(time, &seen)].concat();
        let mut rest = &file[..];
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let length = word(4) as usize;
            assert_eq!(word(length - 4), word(4));
            kinds.push(word(0));
            if word(0) == PACKET {
                assert_eq!((word(12), word(16)), (3, 5));
                let captured = &rest[28..28 + word(20) as usize];
                assert!(captured.ends_with(seen.bytes));
                assert_eq!(&captured[..8], b"\0\x0c\0\x04coap");
            }
            rest = &rest[length..];
        }
        assert_eq!(kinds, [SECTION, INTERFACE, PACKET]);
    }
}
