//! A file of messages for Wireshark, in the pcapng format (draft-ietf-opsawg-pcapng).
//!
//! A packet is a message as its endpoint saw it, decrypted where DTLS or TLS carried it, behind headers of IP and of
//! UDP or TCP (link type 101, raw IP) that say who sent it to whom. Messages of WebSockets stand there as on TCP. The
//! beginning and end of connections and the bare acknowledgements of TCP are not there.
//!
//! Wireshark knows CoAP by port 5683 only, and by the lower of two ports first. So where the peer has another one, it
//! gets that port if its own is lower or 5684, which is that of DTLS; otherwise our own end gets it. The packet's
//! comment says so.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::headers::{self, Ends, Numbers};
use super::tap::{Direction, Seen};
use crate::coap::frame;

/// Raw IP, of the version that its first byte says.
const LINK_TYPE: u16 = 101;

/// The port of CoAP over UDP and TCP (RFC 7252 §6.1), and of CoAP over DTLS and TLS.
const COAP: u16 = 5683;
const SECURE: u16 = 5684;

/// What is said of the whole file.
const ABOUT: &str =
    "CoAP messages as seen by the endpoint, decrypted; the IP, UDP and TCP headers are synthetic";

/// Block types.
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

/// Options of blocks.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const PACKET_FLAGS: u16 = 2;
    pub(super) const APPLICATION: u16 = 4;
    pub(super) const TIME_RESOLUTION: u16 = 9;
}

/// A file that messages are added to.
#[derive(Debug)]
pub struct Capture {
    file: File,
    streams: Streams,
}

/// The bytes that went from one address to another so far, on reliable transports.
type Streams = HashMap<(SocketAddr, SocketAddr), u32>;

impl Capture {
    /// A new file at `path`, or an empty one in place of what is there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(&head())?;
        let streams = Streams::new();
        Ok(Self { file, streams })
    }

    /// Adds one message, whole: the file can be read whenever the command ends.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, time: SystemTime, seen: &Seen<'_>) -> io::Result<()> {
        self.file.write_all(&blocks(time, seen, &mut self.streams))
    }
}

fn head() -> Vec<u8> {
    let mut section = 0x1A2B_3C4D_u32.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    // The length of the section is not known beforehand.
    section.extend([0xFF; 8]);
    put(&mut section, option::COMMENT, ABOUT.as_bytes());
    let name = concat!("iotctl ", env!("CARGO_PKG_VERSION"));
    put(&mut section, option::APPLICATION, name.as_bytes());
    put(&mut section, option::END, &[]);
    let mut interface = LINK_TYPE.to_le_bytes().to_vec();
    interface.extend([0; 6]);
    // Nanoseconds.
    put(&mut interface, option::TIME_RESOLUTION, &[9]);
    put(&mut interface, option::END, &[]);
    [block(SECTION, &section), block(INTERFACE, &interface)].concat()
}

fn blocks(time: SystemTime, seen: &Seen<'_>, streams: &mut Streams) -> Vec<u8> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    // Enough until the year 2554.
    let nanos = since.as_nanos() as u64;
    let options = options(seen);
    let packets = packets(seen, streams);
    let blocks = packets.iter().map(|data| {
        // A packet is far smaller than 4 GiB.
        let length = (data.len() as u32).to_le_bytes();
        let mut body = vec![0; 4];
        body.extend(((nanos >> 32) as u32).to_le_bytes());
        body.extend((nanos as u32).to_le_bytes());
        body.extend([length, length].concat());
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(&options);
        block(PACKET, &body)
    });
    blocks.flatten().collect()
}

fn packets(seen: &Seen<'_>, streams: &mut Streams) -> Vec<Vec<u8>> {
    let ends = ends(seen);
    if !seen.transport.is_reliable() {
        return vec![headers::udp(ends, seen.bytes)];
    }
    let as_it_is = || Bytes::copy_from_slice(seen.bytes);
    let bytes = match &seen.message {
        Ok(message) => frame::encode_stream(message).unwrap_or_else(|_| as_it_is()),
        Err(_) => as_it_is(),
    };
    let so_far = |from, to| streams.get(&(from, to)).copied().unwrap_or(1);
    let mut numbers = Numbers {
        sequence: so_far(ends.from, ends.to),
        acknowledged: so_far(ends.to, ends.from),
    };
    let packets = headers::tcp(ends, &mut numbers, &bytes);
    streams.insert((ends.from, ends.to), numbers.sequence);
    packets
}

/// Whose message it is, with the ports by which Wireshark knows it.
fn ends(seen: &Seen<'_>) -> Ends {
    let (mut local, mut peer) = (local(seen), canonical(seen.peer));
    match peer.port() {
        COAP => {}
        ..=SECURE => peer.set_port(COAP),
        _ => local.set_port(COAP),
    }
    match seen.direction {
        Direction::Out => Ends {
            from: local,
            to: peer,
        },
        Direction::In => Ends {
            from: peer,
            to: local,
        },
    }
}

/// Our own address, of the peer's family.
fn local(seen: &Seen<'_>) -> SocketAddr {
    let peer = canonical(seen.peer);
    let unknown: IpAddr = match peer.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    match seen.local.map(canonical) {
        Some(local) if local.is_ipv4() == peer.is_ipv4() => local,
        Some(local) => SocketAddr::new(unknown, local.port()),
        None => SocketAddr::new(unknown, 0),
    }
}

const fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Which way it went, and what its ports really were.
fn options(seen: &Seen<'_>) -> Vec<u8> {
    let mut options = Vec::new();
    let direction = match seen.direction {
        Direction::In => 1_u32,
        Direction::Out => 2,
    };
    put(&mut options, option::PACKET_FLAGS, &direction.to_le_bytes());
    let (local, peer) = (local(seen).port(), seen.peer.port());
    let comment = match peer {
        COAP => None,
        ..=SECURE => Some(format!("the peer's port was {peer}")),
        _ if local == 0 => None,
        _ => Some(format!("our port was {local}")),
    };
    if let Some(comment) = comment {
        put(&mut options, option::COMMENT, comment.as_bytes());
    }
    put(&mut options, option::END, &[]);
    options
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    // All of its parts are padded to words of 4 bytes.
    let length = ((12 + body.len()) as u32).to_le_bytes();
    let mut block = kind.to_le_bytes().to_vec();
    block.extend(length);
    block.extend_from_slice(body);
    block.extend(length);
    block
}

/// Values are padded to words of 4 bytes, which their length does not count.
fn put(options: &mut Vec<u8>, number: u16, value: &[u8]) {
    options.extend(number.to_le_bytes());
    // Ours are short.
    options.extend((value.len() as u16).to_le_bytes());
    options.extend_from_slice(value);
    options.resize(options.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::coap::code::Code;
    use crate::coap::endpoint::Transport;
    use crate::coap::message::{Message, Token, Type};

    fn seen<'a>(direction: Direction, peer: &str, bytes: &'a [u8]) -> Seen<'a> {
        Seen {
            direction,
            local: Some("127.0.0.1:40000".parse().unwrap()),
            peer: peer.parse().unwrap(),
            transport: Transport::Datagram,
            bytes,
            message: Err(String::new()),
        }
    }

    fn ports(seen: &Seen<'_>) -> (u16, u16) {
        let ends = ends(seen);
        (ends.from.port(), ends.to.port())
    }

    #[test]
    fn a_file_is_a_row_of_blocks_that_say_their_length_twice() {
        let bytes = [0x40, 1, 0, 7, 0xb1, b'a'];
        let seen = seen(Direction::Out, "127.0.0.1:5683", &bytes);
        let time = UNIX_EPOCH + Duration::from_nanos((3 << 32) | 5);
        let file = [head(), blocks(time, &seen, &mut Streams::new())].concat();
        let mut rest = &file[..];
        let mut kinds = Vec::new();
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let length = word(4) as usize;
            assert_eq!(word(length - 4), word(4));
            assert_eq!(length % 4, 0);
            kinds.push(word(0));
            if word(0) == PACKET {
                assert_eq!((word(12), word(16)), (3, 5));
                let captured = &rest[28..28 + word(20) as usize];
                assert_eq!(captured.len(), 34);
                assert_eq!(&captured[28..], bytes);
                // The direction, and the end of the options.
                assert_eq!(rest[64..76], [2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
            }
            rest = &rest[length..];
        }
        assert_eq!(kinds, [SECTION, INTERFACE, PACKET]);
    }

    #[test]
    fn one_port_is_that_of_coap_and_no_lower_one_hides_it() {
        use Direction::{In, Out};
        for (direction, peer, expected, comment) in [
            (Out, "127.0.0.1:5683", (40_000, 5683), ""),
            (In, "127.0.0.1:5683", (5683, 40_000), ""),
            (Out, "127.0.0.1:5684", (40_000, 5683), "port was 5684"),
            (Out, "127.0.0.1:80", (40_000, 5683), "port was 80"),
            (Out, "127.0.0.1:23100", (5683, 23_100), "our port was 40000"),
            (In, "127.0.0.1:23100", (23_100, 5683), "our port was 40000"),
        ] {
            let seen = seen(direction, peer, b"");
            assert_eq!(ports(&seen), expected);
            let options = options(&seen);
            let said = String::from_utf8_lossy(&options);
            assert!(said.contains(comment), "{said}");
            assert_eq!(said.contains("port"), !comment.is_empty());
        }
    }

    #[test]
    fn an_address_of_ours_that_is_not_known_is_of_the_peers_family() {
        let mut seen = seen(Direction::Out, "[::1]:5683", b"");
        assert_eq!(ends(&seen).from.to_string(), "[::]:40000");
        seen.local = None;
        assert_eq!(ends(&seen).from.to_string(), "[::]:0");
        seen.peer = "[::ffff:10.0.0.2]:5683".parse().unwrap();
        seen.local = Some("[::ffff:10.0.0.1]:40000".parse().unwrap());
        assert_eq!(ends(&seen).from.to_string(), "10.0.0.1:40000");
        assert_eq!(ends(&seen).to.to_string(), "10.0.0.2:5683");
    }

    #[test]
    fn both_directions_of_a_connection_acknowledge_each_other() {
        let message = Message::new(Type::Con, Code::GET, 9, Token::EMPTY);
        let mut streams = Streams::new();
        let mut one = |direction| {
            let seen = Seen {
                transport: Transport::WebSocket,
                message: Ok(&message),
                ..seen(direction, "127.0.0.1:5683", b"\0\x01")
            };
            let packets = packets(&seen, &mut streams);
            let number = |at: usize| u32::from_be_bytes(packets[0][at..at + 4].try_into().unwrap());
            assert_eq!(packets[0][40..], [0, 1]);
            (number(24), number(28))
        };
        assert_eq!(one(Direction::Out), (1, 1));
        assert_eq!(one(Direction::In), (1, 3));
        assert_eq!(one(Direction::Out), (3, 3));
    }
}
