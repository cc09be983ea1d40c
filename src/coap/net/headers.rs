//! IP, UDP and TCP headers, made up around a message so that a capture reads like one of the wire.

use std::net::{IpAddr, SocketAddr};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// What an IPv4 packet can carry behind its header and that of TCP; IPv6 has room for a little more.
const ROOM: usize = 65_535 - 20 - 20;

/// Who sends, and who is sent to: both of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
}

/// How far a connection has come in each direction, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    /// Of the sender's bytes: the next one.
    pub(super) sequence: u32,
    /// Of the other side's bytes: the next one.
    pub(super) acknowledged: u32,
}

/// A packet with one datagram. More than fits into a packet cannot be sent, and is cut off here too.
pub(super) fn udp(ends: Ends, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(ROOM)];
    let mut segment = ports(ends);
    // It fits: ROOM is smaller.
    segment.extend((8 + payload.len() as u16).to_be_bytes());
    segment.extend([0, 0]);
    segment.extend_from_slice(payload);
    // 0 would say that there is none (RFC 768).
    let sum = match checksum(ends, UDP, &segment) {
        0 => 0xFFFF,
        sum => sum,
    };
    segment[6..8].copy_from_slice(&sum.to_be_bytes());
    packet(ends, UDP, &segment)
}

/// Packets with a piece of a stream, which acknowledge all that came before; the sequence number goes on.
pub(super) fn tcp(ends: Ends, numbers: &mut Numbers, payload: &[u8]) -> Vec<Vec<u8>> {
    let segments = payload.chunks(ROOM).map(|piece| {
        let mut segment = ports(ends);
        segment.extend(numbers.sequence.to_be_bytes());
        segment.extend(numbers.acknowledged.to_be_bytes());
        // 5 words of header, PSH and ACK, a full window.
        segment.extend([5 << 4, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
        segment.extend_from_slice(piece);
        let sum = checksum(ends, TCP, &segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        // It fits: ROOM is smaller.
        numbers.sequence = numbers.sequence.wrapping_add(piece.len() as u32);
        packet(ends, TCP, &segment)
    });
    segments.collect()
}

fn ports(ends: Ends) -> Vec<u8> {
    [ends.from.port().to_be_bytes(), ends.to.port().to_be_bytes()].concat()
}

/// RFC 791 §3.1 and RFC 8200 §3; 64 hops, as most systems have it.
fn packet(ends: Ends, protocol: u8, segment: &[u8]) -> Vec<u8> {
    // It fits: ROOM leaves space for the headers.
    let length = segment.len() as u16;
    let mut header = Vec::with_capacity(40 + segment.len());
    if ends.from.is_ipv4() {
        header.extend([0x45, 0]);
        header.extend((20 + length).to_be_bytes());
        // No identification, and not to be cut into fragments.
        header.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        header.extend(addresses(ends));
        let sum = !fold(words(&header));
        header[10..12].copy_from_slice(&sum.to_be_bytes());
    } else {
        header.extend([0x60, 0, 0, 0]);
        header.extend(length.to_be_bytes());
        header.extend([protocol, 64]);
        header.extend(addresses(ends));
    }
    header.extend_from_slice(segment);
    header
}

fn addresses(ends: Ends) -> Vec<u8> {
    let of = |end: SocketAddr| match end.ip() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    [of(ends.from), of(ends.to)].concat()
}

/// The checksum of UDP and TCP, whose pseudo-header adds up to the same in both versions of IP (RFC 8200 §8.1).
fn checksum(ends: Ends, protocol: u8, segment: &[u8]) -> u16 {
    let length = segment.len() as u64;
    !fold(words(&addresses(ends)) + u64::from(protocol) + length + words(segment))
}

/// The sum of the words of 16 bits, the last one filled up with 0.
fn words(bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let last = rest.first().map_or(0, |byte| u64::from(*byte) << 8);
    let sum: u64 = pairs
        .iter()
        .map(|it| u64::from(u16::from_be_bytes(*it)))
        .sum();
    sum + last
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(from: &str, to: &str) -> Ends {
        Ends {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    #[test]
    fn a_header_has_the_checksum_of_the_textbook() {
        // The example of the article on the IPv4 header checksum that everybody computes along: it is b861.
        let mut header = hex("450000730000400040110000c0a80001c0a800c7");
        let sum = !fold(words(&header));
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(sum, 0xB861);
        assert_eq!(fold(words(&header)), 0xFFFF);
    }

    fn hex(digits: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
    }

    #[test]
    fn a_datagram_stands_in_a_packet_of_its_family() {
        let four = udp(ends("10.0.0.1:40000", "10.0.0.2:5683"), b"abc");
        assert_eq!(four.len(), 20 + 8 + 3);
        assert_eq!(four[..10], [0x45, 0, 0, 31, 0, 0, 0x40, 0, 64, 17]);
        assert_eq!(four[12..20], [10, 0, 0, 1, 10, 0, 0, 2]);
        assert_eq!(four[20..26], [0x9C, 0x40, 0x16, 0x33, 0, 11]);
        assert_eq!(&four[28..], b"abc");
        let six = udp(ends("[fe80::1]:40000", "[ff02::fd]:5683"), b"abc");
        assert_eq!(six[..8], [0x60, 0, 0, 0, 0, 11, 17, 64]);
        assert_eq!((six[8], six[23], six[24], six[39]), (0xFE, 1, 0xFF, 0xFD));
        // Whoever adds up the pseudo-header and all words, the checksum with them, gets ones only.
        for (packet, header) in [(&four, 20), (&six, 40)] {
            let length = (packet.len() - header) as u64;
            let pseudo = if header == 20 {
                &packet[12..20]
            } else {
                &packet[8..40]
            };
            let sum = words(pseudo) + 17 + length + words(&packet[header..]);
            assert_eq!(fold(sum), 0xFFFF);
        }
    }

    #[test]
    fn a_checksum_that_would_be_0_is_sent_as_ones() {
        let ends = ends("0.0.0.0:0", "0.0.0.0:0");
        // Protocol, length twice, and this payload add up to ones only.
        let payload = (0xFFFF_u16 - 17 - 10 - 10).to_be_bytes();
        let packet = udp(ends, &payload);
        assert_eq!(packet[26..28], [0xFF, 0xFF]);
    }

    #[test]
    fn a_stream_is_cut_into_packets_whose_numbers_go_on() {
        let ends = ends("10.0.0.1:40000", "10.0.0.2:5683");
        let mut numbers = Numbers {
            sequence: u32::MAX,
            acknowledged: 7,
        };
        let packets = tcp(ends, &mut numbers, &vec![1; ROOM + 5]);
        assert_eq!(packets.len(), 2);
        assert_eq!((packets[0].len(), packets[1].len()), (65_535, 45));
        assert_eq!(packets[0][24..32], [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 7]);
        assert_eq!(packets[1][24..28], (ROOM as u32 - 1).to_be_bytes());
        assert_eq!(numbers.sequence, ROOM as u32 + 4);
    }

    #[test]
    fn what_no_packet_can_hold_is_cut_off() {
        let packet = udp(ends("10.0.0.1:1", "10.0.0.2:2"), &[0; 70_000]);
        assert_eq!(packet.len(), ROOM + 28);
        assert_eq!(packet[2..4], (ROOM as u16 + 28).to_be_bytes());
    }
}
