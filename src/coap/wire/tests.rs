//! Against coap-lite, datagram by datagram.

use coap_lite::{CoapOption, MessageType, Packet};

use super::*;
use crate::coap::frame::encode_stream;
use crate::coap::message::{Message, Token, Type};
use crate::coap::random::Random;

fn response() -> Message {
    let token = Token::new(&[1, 2, 3, 4]).unwrap();
    let mut response = Message::new(Type::Ack, Code::CONTENT, 0x1234, token);
    response.options.push_uint(option::OBSERVE, 700);
    response.options.push_uint(option::MAX_AGE, 9);
    response.options.push_uint(option::BLOCK2, 8 | 6);
    response.options.push(2000, vec![0; 300]);
    response.payload = b"21.5".to_vec().into();
    response
}

fn prefixed(datagram: &[u8]) -> Vec<u8> {
    let length = (datagram.len() as u16).to_be_bytes();
    [&length[..], datagram].concat()
}

#[test]
fn a_response_is_read_in_place_on_both_framings() {
    let encoded = response().encode().unwrap();
    let stream = encode_stream(&response()).unwrap();
    for (framing, bytes) in [
        (Framing::Datagrams, prefixed(&encoded)),
        (Framing::Stream, stream.to_vec()),
    ] {
        for length in 0..bytes.len() {
            assert_eq!(framing.next(&bytes[..length]), Ok(None), "{length}");
        }
        let (taken, seen) = framing.next(&bytes).unwrap().unwrap();
        let seen = seen.unwrap();
        assert_eq!(taken, bytes.len());
        assert_eq!((seen.code, seen.token), (Code::CONTENT, &[1, 2, 3, 4][..]));
        let content = seen.content().unwrap();
        assert_eq!((content.observe, content.max_age), (Some(700), Some(9)));
        assert_eq!((content.more, content.payload), (true, &b"21.5"[..]));
        if framing == Framing::Datagrams {
            assert_eq!((seen.kind, seen.mid), (ACK, 0x1234));
        }
    }
}

#[test]
fn what_is_no_message_is_passed_over() {
    for datagram in [
        &[][..],
        &[0x40, 1, 0],
        &[0x80, 69, 0, 1],
        &[0x49, 69, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x44, 69, 0, 1, 9],
        &[0x41, 0, 0, 1, 9],
        &[0x40, 0xE1, 0, 1],
    ] {
        let bytes = prefixed(datagram);
        let passed = Framing::Datagrams.next(&bytes);
        assert_eq!(passed, Ok(Some((bytes.len(), None))), "{datagram:x?}");
    }
}

#[test]
fn malformed_options_are_noticed() {
    for rest in [
        &[0xFF][..],
        &[0xF0],
        &[0x0F],
        &[0xB5, b'a'],
        &[0xD0],
        &[0xE0, 1],
        &[0xE0, 0xFF, 0xFF, 0xE0, 0xFF, 0xFF],
    ] {
        let seen = Seen {
            kind: ACK,
            code: Code::CONTENT,
            mid: 0,
            token: &[],
            rest,
        };
        assert_eq!(seen.content(), None, "{rest:x?}");
    }
}

#[test]
fn a_stream_that_is_none_is_broken() {
    assert!(Framing::Stream.next(b"\x0fHTTP/1.1 400 Bad").is_err());
    assert!(
        Framing::Stream
            .next(&[0xF0, 255, 255, 255, 255, 1])
            .is_err()
    );
}

#[test]
fn nothing_from_the_network_panics() {
    let mut random = Random::seeded(3);
    let valid = response().encode().unwrap();
    for framing in [Framing::Datagrams, Framing::Stream] {
        for _ in 0..20_000 {
            let mut bytes = prefixed(&valid);
            for _ in 0..random.next() % 4 {
                let at = random.next() as usize % bytes.len();
                bytes[at] = random.next() as u8;
            }
            if let Ok(Some((taken, seen))) = framing.next(&bytes) {
                assert!(taken <= bytes.len());
                let _ = seen.and_then(|seen| seen.content());
            }
        }
    }
}

/// A datagram that coap-lite writes, with up to 20 options of any number and length.
fn generated(random: &mut Random) -> (Packet, Vec<u8>) {
    let mut draw = |below: u64| random.next() % below;
    let mut packet = Packet::new();
    packet.header.set_version(1);
    packet.header.set_type(match draw(4) {
        0 => MessageType::Confirmable,
        1 => MessageType::NonConfirmable,
        2 => MessageType::Acknowledgement,
        _ => MessageType::Reset,
    });
    packet.header.message_id = draw(65_536) as u16;
    packet.header.code = [0x01, 0x45, 0x84, 0xA3][draw(4) as usize].into();
    packet.set_token((0..draw(9)).map(|_| draw(256) as u8).collect());
    for _ in 0..draw(20) {
        let number = match draw(4) {
            0 => [
                option::OBSERVE,
                option::MAX_AGE,
                option::BLOCK2,
                option::ECHO,
            ][draw(4) as usize],
            1 => draw(30) as u16,
            2 => draw(600) as u16,
            _ => draw(65_536) as u16,
        };
        let length = [draw(5), draw(20), draw(300), draw(700)][draw(4) as usize];
        let value = (0..length).map(|_| draw(256) as u8).collect();
        packet.add_option(CoapOption::from(number), value);
    }
    packet.payload = (0..draw(4)).map(|_| draw(256) as u8).collect();
    let bytes = packet.to_bytes_unlimited().unwrap();
    (packet, bytes)
}

/// What the codec and the RFC make of a datagram: the strict judgement of [`Message::decode`], without its bound on options.
fn judged(datagram: &[u8]) -> Option<Packet> {
    Message::decode(datagram).ok()?;
    Packet::from_bytes(datagram).ok()
}

fn number(packet: &Packet, number: u16) -> Option<u32> {
    let value = packet.get_option(CoapOption::from(number))?.back()?;
    option::uint(value).and_then(|it| u32::try_from(it).ok())
}

fn same(datagram: &[u8]) {
    let bytes = prefixed(datagram);
    let (taken, seen) = Framing::Datagrams.next(&bytes).unwrap().unwrap();
    assert_eq!(taken, bytes.len());
    let read = seen.and_then(|seen| Some((seen, seen.content()?)));
    let packet = judged(datagram);
    let (Some((seen, content)), Some(packet)) = (read, &packet) else {
        assert_eq!(read.is_some(), packet.is_some(), "{datagram:x?}");
        return;
    };
    let kind = match packet.header.get_type() {
        MessageType::Confirmable => CON,
        MessageType::NonConfirmable => NON,
        MessageType::Acknowledgement => ACK,
        MessageType::Reset => RST,
    };
    assert_eq!((seen.kind, seen.mid), (kind, packet.header.message_id));
    assert_eq!(seen.code.0, u8::from(packet.header.code));
    assert_eq!(seen.token, packet.get_token());
    assert_eq!(content.payload, packet.payload);
    let last = |number| {
        let values = packet.get_option(CoapOption::from(number));
        values.and_then(|it| it.back())
    };
    assert_eq!(content.observe, number(packet, option::OBSERVE));
    assert_eq!(content.max_age, number(packet, option::MAX_AGE));
    assert_eq!(content.echo, last(option::ECHO).map(|it| &it[..]));
    let more = last(option::BLOCK2).and_then(|it| it.last()).copied();
    assert_eq!(content.more, more.is_some_and(|last| last & 8 != 0));
}

#[test]
fn what_the_codec_reads_is_read_in_place() {
    let mut random = Random::seeded(11);
    for _ in 0..5_000 {
        let (_, mut datagram) = generated(&mut random);
        same(&datagram);
        for _ in 0..1 + random.next() % 4 {
            let at = random.next() as usize % datagram.len();
            datagram[at] = match random.next() % 3 {
                0 => 0xFF,
                _ => random.next() as u8,
            };
        }
        same(&datagram);
        datagram.truncate(random.next() as usize % (datagram.len() + 1));
        same(&datagram);
    }
}

#[test]
fn what_is_written_in_parts_is_what_the_codec_writes() {
    let mut random = Random::seeded(12);
    for _ in 0..5_000 {
        let (packet, datagram) = generated(&mut random);
        let (mut parts, mut before) = (datagram[..4 + packet.get_token().len()].to_vec(), 0);
        for (number, values) in packet.options() {
            for value in values {
                push_option(number - before, value.len(), &mut parts);
                parts.extend_from_slice(value);
                before = *number;
            }
        }
        if !packet.payload.is_empty() {
            parts.push(0xFF);
            parts.extend_from_slice(&packet.payload);
        }
        assert_eq!(parts, datagram);
    }
}

#[test]
fn lengths_of_streams_are_read_as_they_are_written() {
    for body in [0, 12, 13, 268, 269, 65_804, 65_805, 16 << 20, u32::MAX] {
        let mut head = Vec::new();
        push_length(body, 5, &mut head);
        assert_eq!(Head::read(&head), None, "without its code");
        head.push(0x45);
        let (token, size) = (5, head.len());
        let body = u64::from(body);
        assert_eq!(Head::read(&head), Some(Head { token, size, body }));
    }
}
