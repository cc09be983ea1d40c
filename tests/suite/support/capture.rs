//! Captures, read byte by byte: pcapng, IP, UDP and TCP, and CoAP in it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use iotctl::coap::frame::Decoder;
use iotctl::coap::message::Message;

/// The port by which Wireshark knows CoAP.
pub const COAP: u16 = 5683;

/// A packet of a capture, whose checksums are right.
#[derive(Debug)]
pub struct Packet {
    /// Since 1970.
    pub nanos: u64,
    pub outbound: bool,
    pub comment: String,
    pub from: (IpAddr, u16),
    pub to: (IpAddr, u16),
    /// Sequence and acknowledgement, on a stream.
    pub tcp: Option<(u32, u32)>,
    pub payload: Vec<u8>,
}

impl Packet {
    pub fn message(&self) -> Message {
        match self.tcp {
            None => Message::decode(&self.payload).unwrap(),
            Some(_) => {
                let mut decoder = Decoder::new(usize::MAX);
                decoder.push(&self.payload);
                decoder.take().unwrap().expect("a whole message")
            }
        }
    }
}

/// All packets of a file, every byte of which is looked at.
pub fn capture(file: &Path) -> Vec<Packet> {
    let bytes = fs::read(file).unwrap();
    let (mut rest, mut kinds, mut packets) = (&bytes[..], Vec::new(), Vec::new());
    while !rest.is_empty() {
        let length = word(rest, 4) as usize;
        assert_eq!(word(rest, length - 4) as usize, length);
        let (block, next) = rest.split_at(length);
        kinds.push(word(block, 0));
        match word(block, 0) {
            0x0a0d_0d0a => assert_eq!(block[8..16], [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0]),
            1 => {
                // Raw IP, of any length, in nanoseconds.
                assert_eq!(block[8..16], [101, 0, 0, 0, 0, 0, 0, 0]);
                assert_eq!(options(&block[16..length - 4]), [(9, vec![9])]);
            }
            6 => packets.push(enhanced(&block[8..length - 4])),
            other => panic!("a block of type {other}"),
        }
        rest = next;
    }
    assert_eq!(kinds[..2], [0x0a0d_0d0a, 1]);
    packets
}

fn enhanced(body: &[u8]) -> Packet {
    assert_eq!((word(body, 0), word(body, 12)), (0, word(body, 16)));
    let end = 20 + word(body, 12) as usize;
    let options = options(&body[end.next_multiple_of(4)..]);
    let text = |number| {
        let found = options.iter().find(|(it, _)| *it == number);
        found.map(|(_, value)| value.clone())
    };
    let direction = text(2).expect("a direction");
    assert!(matches!(direction[..], [1 | 2, 0, 0, 0]));
    Packet {
        nanos: u64::from(word(body, 4)) << 32 | u64::from(word(body, 8)),
        outbound: direction[0] == 2,
        comment: String::from_utf8(text(1).unwrap_or_default()).unwrap(),
        ..packet(&body[20..end])
    }
}

fn options(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut options = Vec::new();
    loop {
        let number = u16::from_le_bytes([bytes[0], bytes[1]]);
        let length = usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
        if number == 0 {
            assert_eq!((length, bytes.len()), (0, 4));
            return options;
        }
        options.push((number, bytes[4..4 + length].to_vec()));
        bytes = &bytes[4 + length.next_multiple_of(4)..];
    }
}

fn packet(bytes: &[u8]) -> Packet {
    let (header, protocol, addresses) = match bytes[0] >> 4 {
        4 => {
            assert_eq!(
                (bytes[0], usize::from(short(bytes, 2))),
                (0x45, bytes.len())
            );
            assert_eq!(sum(&bytes[..20]), 0xffff, "the checksum of IP");
            (20, bytes[9], 12..20)
        }
        6 => {
            assert_eq!(usize::from(short(bytes, 4)), bytes.len() - 40);
            (40, bytes[6], 8..40)
        }
        other => panic!("IP of version {other}"),
    };
    let segment = &bytes[header..];
    let mut whole = bytes[addresses.clone()].to_vec();
    whole.extend([0, protocol]);
    whole.extend((segment.len() as u16).to_be_bytes());
    whole.extend_from_slice(segment);
    assert_eq!(sum(&whole), 0xffff, "the checksum of the segment");
    let (tcp, head) = match protocol {
        17 => {
            assert_eq!(usize::from(short(segment, 4)), segment.len());
            (None, 8)
        }
        6 => {
            // Its length in words, PSH and ACK.
            assert_eq!(segment[12..14], [0x50, 0x18]);
            let number = |at: usize| u32::from_be_bytes(segment[at..at + 4].try_into().unwrap());
            (Some((number(4), number(8))), 20)
        }
        other => panic!("protocol {other}"),
    };
    let (from, to) = bytes[addresses.clone()].split_at(addresses.len() / 2);
    Packet {
        nanos: 0,
        outbound: false,
        comment: String::new(),
        from: (address(from), short(segment, 0)),
        to: (address(to), short(segment, 2)),
        tcp,
        payload: segment[head..].to_vec(),
    }
}

fn address(bytes: &[u8]) -> IpAddr {
    match <[u8; 4]>::try_from(bytes) {
        Ok(four) => four.into(),
        Err(_) => <[u8; 16]>::try_from(bytes).unwrap().into(),
    }
}

/// In the file's order.
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// In the network's order.
fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// The sum that is all ones where a checksum among the words is right (RFC 1071).
fn sum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|it| u32::from(u16::from_be_bytes([it[0], it.get(1).copied().unwrap_or(0)])));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    ((folded & 0xffff) + (folded >> 16)) as u16
}
