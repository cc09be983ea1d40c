//! One CoAP message on a datagram (RFC 7252 §3), decoded strictly.
//!
//! The packet codec is coap-lite's; what it lets pass and the RFC calls a format error is checked here.

use std::collections::LinkedList;
use std::fmt;

use bytes::Bytes;
use coap_lite::error::MessageError;
use coap_lite::{CoapOption, MessageType, Packet};

use super::code::Code;
use super::option::{LONGEST_VALUE, Options};
use super::wire::{BadPart, Part};

/// Options that a message may have: an option of one byte takes a hundred bytes of memory.
pub const MOST_OPTIONS: usize = 1024;

/// The type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Confirmable: sent again until acknowledged.
    Con,
    /// Non-confirmable.
    Non,
    /// Acknowledgement.
    Ack,
    /// Reset.
    Rst,
}

/// A token of 0 to 8 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    length: u8,
    bytes: [u8; 8],
}

impl Token {
    /// The token without bytes.
    pub const EMPTY: Self = Self {
        length: 0,
        bytes: [0; 8],
    };

    /// `None` for more than 8 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut token = Self::EMPTY;
        token.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        token.length = bytes.len() as u8;
        Some(token)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Display for Token {
    /// Hexadecimal; nothing for the empty token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({self})")
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Con, Non, Ack or Rst. Without meaning on reliable transports.
    pub kind: Type,
    /// The method, response or signal; [`Code::EMPTY`] for an empty message.
    pub code: Code,
    /// The message id. Without meaning on reliable transports.
    pub mid: u16,
    /// The token.
    pub token: Token,
    /// The options.
    pub options: Options,
    /// The payload; empty when there is none.
    pub payload: Bytes,
}

/// Why a datagram or frame is no CoAP message. The texts are for a line of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than a header.
    #[error("shorter than a CoAP header")]
    Short,
    /// A version other than 1: to be ignored silently (RFC 7252 §3).
    #[error("CoAP version {0} instead of 1")]
    Version(u8),
    /// A token length of 9 to 15, or more than there is.
    #[error("invalid token length {0}")]
    TokenLength(u8),
    /// An option runs over the end, or uses the reserved 15.
    #[error("invalid option delta or length")]
    Option,
    /// More than [`MOST_OPTIONS`].
    #[error("more than {MOST_OPTIONS} options")]
    Options,
    /// A payload marker without payload.
    #[error("a payload marker without payload")]
    Marker,
    /// An empty message (code 0.00) with token, options or payload.
    #[error("an empty message with content")]
    Content,
    /// A code of a class that is not for this transport: 1, 3, 6, and 7 on datagrams.
    #[error("the code {0} is reserved")]
    Code(Code),
}

/// Why a message cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// An option's value is longer than [`LONGEST_VALUE`].
    #[error("option {number} has {length} bytes, more than a message can carry")]
    OptionTooLong {
        /// The option.
        number: u16,
        /// The length of its value in bytes.
        length: usize,
    },
    /// The peer takes shorter messages only (RFC 8323 §5.3.1).
    #[error("it has {length} bytes, but the server accepts messages of at most {limit}")]
    TooLarge {
        /// The length of the message in bytes.
        length: usize,
        /// The peer's Max-Message-Size in bytes.
        limit: usize,
    },
    /// The packet codec refused for another reason.
    #[error("the message cannot be encoded")]
    Refused,
}

impl Message {
    /// A message with neither options nor payload.
    pub const fn new(kind: Type, code: Code, mid: u16, token: Token) -> Self {
        Self {
            kind,
            code,
            mid,
            token,
            options: Options::new(),
            payload: Bytes::new(),
        }
    }

    /// An empty message (0.00): an acknowledgement, a reset, or a ping where `kind` is Con.
    pub const fn empty(kind: Type, mid: u16) -> Self {
        Self::new(kind, Code::EMPTY, mid, Token::EMPTY)
    }

    /// Decodes a datagram.
    ///
    /// # Errors
    /// What the RFC calls a message format error. Options are not judged here: see [`Options::settle`].
    pub fn decode(datagram: &[u8]) -> Result<Self, Malformed> {
        let &[first, code, _, _, ..] = datagram else {
            return Err(Malformed::Short);
        };
        if first >> 6 != 1 {
            return Err(Malformed::Version(first >> 6));
        }
        let code = Code(code);
        if matches!(code.class(), 1 | 3 | 6 | 7) {
            return Err(Malformed::Code(code));
        }
        Self::decode_any(datagram)
    }

    /// Decodes a message whose code may be a signal (RFC 8323).
    pub(super) fn decode_any(datagram: &[u8]) -> Result<Self, Malformed> {
        let (first, code) = match datagram {
            [first, code, _, _, ..] => (*first, Code(*code)),
            _ => return Err(Malformed::Short),
        };
        if code == Code::EMPTY && datagram.len() != 4 {
            return Err(Malformed::Content);
        }
        let token = usize::from(first & 15);
        if let Some(rest) = datagram.get(4 + token..) {
            check_options(rest)?;
        }
        let packet = Packet::from_bytes(datagram).map_err(|fault| malformed(fault, first))?;
        Ok(Self::from_packet(packet))
    }

    /// The bytes of a datagram.
    ///
    /// # Errors
    /// An option's value is too long.
    pub fn encode(&self) -> Result<Bytes, Unwritable> {
        let long = |(_, value): &(u16, &Bytes)| value.len() > LONGEST_VALUE;
        if let Some((number, value)) = self.options.iter().find(long) {
            let length = value.len();
            return Err(Unwritable::OptionTooLong { number, length });
        }
        let packet = self.packet();
        let bytes = packet.to_bytes_unlimited();
        bytes.map(Bytes::from).map_err(|_| Unwritable::Refused)
    }

    fn from_packet(packet: Packet) -> Self {
        let kind = match packet.header.get_type() {
            MessageType::Confirmable => Type::Con,
            MessageType::NonConfirmable => Type::Non,
            MessageType::Acknowledgement => Type::Ack,
            MessageType::Reset => Type::Rst,
        };
        let mut options = Options::new();
        for (number, values) in packet.options() {
            for value in values {
                options.push(*number, Bytes::copy_from_slice(value));
            }
        }
        Self {
            kind,
            code: Code(packet.header.code.into()),
            mid: packet.header.message_id,
            token: Token::new(packet.get_token()).unwrap_or_default(),
            options,
            payload: packet.payload.into(),
        }
    }

    fn packet(&self) -> Packet {
        let mut packet = Packet::new();
        packet.header.set_version(1);
        packet.header.set_type(match self.kind {
            Type::Con => MessageType::Confirmable,
            Type::Non => MessageType::NonConfirmable,
            Type::Ack => MessageType::Acknowledgement,
            Type::Rst => MessageType::Reset,
        });
        packet.header.code = self.code.0.into();
        packet.header.message_id = self.mid;
        packet.set_token(self.token.bytes().to_vec());
        for (number, value) in self.options.iter() {
            match packet.get_option(CoapOption::from(number)) {
                Some(_) => packet.add_option(CoapOption::from(number), value.to_vec()),
                None => {
                    let one = LinkedList::from([value.to_vec()]);
                    packet.set_option(CoapOption::from(number), one);
                }
            }
        }
        packet.payload = self.payload.to_vec();
        packet
    }
}

const fn malformed(fault: MessageError, first: u8) -> Malformed {
    match fault {
        MessageError::InvalidTokenLength => Malformed::TokenLength(first & 15),
        MessageError::InvalidHeader | MessageError::InvalidPacketLength => Malformed::Short,
        _ => Malformed::Option,
    }
}

/// Looks for what the codec lets pass: too many options, and a marker with nothing behind it.
fn check_options(mut rest: &[u8]) -> Result<(), Malformed> {
    for _ in 0..=MOST_OPTIONS {
        match Part::read(rest) {
            Ok(Part::Option(_, _, behind)) => rest = behind,
            Ok(Part::Payload(_) | Part::End) => return Ok(()),
            Err(BadPart::Option) => return Err(Malformed::Option),
            Err(BadPart::Marker) => return Err(Malformed::Marker),
        }
    }
    Err(Malformed::Options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coap::option;

    fn sample() -> Message {
        let mut message = Message::new(
            Type::Con,
            Code::PUT,
            0x1234,
            Token::new(&[1, 2, 3]).expect("3 bytes"),
        );
        message.options.push_text(option::URI_PATH, "a");
        message.options.push_text(option::URI_PATH, "b");
        message.options.push(65_000, vec![9; 300]);
        message.payload = Bytes::from_static(b"hello");
        message
    }

    #[test]
    fn what_is_written_is_read() {
        let message = sample();
        let bytes = message.encode().expect("encodes");
        assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn every_code_survives() {
        for code in (0..=255)
            .map(Code)
            .filter(|code| code.class() == 2 || code.is_request())
        {
            let message = Message::new(Type::Non, code, 7, Token::EMPTY);
            let bytes = message.encode().expect("encodes");
            assert_eq!(bytes[1], code.0);
            assert_eq!(Message::decode(&bytes).map(|it| it.code), Ok(code));
        }
    }

    #[test]
    fn a_message_has_so_many_options_and_no_more() {
        let mut datagram = vec![0x40, 1, 0, 1, 0xb0];
        datagram.resize(4 + MOST_OPTIONS, 0);
        datagram.extend([0xFF; 2000]);
        let decoded = Message::decode(&datagram).map(|it| (it.options.len(), it.payload.len()));
        assert_eq!(decoded, Ok((MOST_OPTIONS, 1999)));
        datagram.insert(5, 0x00);
        assert_eq!(Message::decode(&datagram), Err(Malformed::Options));
        // Long values count once.
        let mut long = vec![0x40, 1, 0, 1, 0xbe, 0x0f, 0];
        long.resize(7 + 0x0f00 + 269, 0);
        assert_eq!(Message::decode(&long).map(|it| it.options.len()), Ok(1));
    }

    #[test]
    fn a_ping_is_four_bytes() {
        let ping = Message::empty(Type::Con, 0xABCD);
        assert_eq!(ping.encode().expect("encodes"), &[0x40, 0, 0xAB, 0xCD][..]);
    }

    #[test]
    fn versions_other_than_one_are_refused() {
        for version in [0, 2, 3] {
            let decoded = Message::decode(&[version << 6, 1, 0, 0]);
            assert_eq!(decoded, Err(Malformed::Version(version)));
        }
    }

    #[test]
    fn impossible_token_lengths_are_refused() {
        for length in 9..=15 {
            let mut datagram = vec![0x40 | length, 1, 0, 0];
            datagram.extend([0; 16]);
            assert_eq!(
                Message::decode(&datagram),
                Err(Malformed::TokenLength(length))
            );
        }
        assert_eq!(
            Message::decode(&[0x44, 1, 0, 0, 1]),
            Err(Malformed::TokenLength(4))
        );
    }

    #[test]
    fn a_lone_marker_is_refused_and_an_option_that_ends_alike_is_not() {
        assert_eq!(
            Message::decode(&[0x40, 1, 0, 0, 0xFF]),
            Err(Malformed::Marker)
        );
        let with_value = [0x40, 1, 0, 0, 0x41, 0xFF];
        assert!(Message::decode(&with_value).is_ok());
        assert_eq!(
            Message::decode(&[&with_value[..], &[0xFF]].concat()),
            Err(Malformed::Marker)
        );
    }

    #[test]
    fn empty_messages_are_empty() {
        assert!(Message::decode(&[0x60, 0, 0, 1]).is_ok());
        assert_eq!(
            Message::decode(&[0x61, 0, 0, 1, 9]),
            Err(Malformed::Content)
        );
        assert_eq!(
            Message::decode(&[0x60, 0, 0, 1, 0xFF, 1]),
            Err(Malformed::Content)
        );
    }

    #[test]
    fn reserved_classes_are_refused() {
        for class in [1, 3, 6, 7] {
            let code = Code::new(class, 1);
            assert_eq!(
                Message::decode(&[0x40, code.0, 0, 0]),
                Err(Malformed::Code(code))
            );
        }
    }

    #[test]
    fn options_that_run_over_are_refused() {
        for options in [
            &[0xF0][..],
            &[0x0F],
            &[0xB5, b'a'],
            &[0xD0],
            &[0xE0, 1],
            &[0x0D],
        ] {
            let datagram = [&[0x40, 1, 0, 0], options].concat();
            assert_eq!(
                Message::decode(&datagram),
                Err(Malformed::Option),
                "{options:x?}"
            );
        }
    }

    #[test]
    fn a_value_that_would_wrap_is_not_written() {
        let mut message = sample();
        message.options.set(65_000, vec![0; LONGEST_VALUE + 1]);
        let refused = Unwritable::OptionTooLong {
            number: 65_000,
            length: 65_805,
        };
        assert_eq!(message.encode(), Err(refused));
    }

    #[test]
    fn nothing_from_the_network_panics() {
        let mut random = crate::coap::random::Random::seeded(3);
        let valid = sample().encode().expect("encodes");
        for _ in 0..20_000 {
            let mut bytes = valid.to_vec();
            for _ in 0..random.next() % 4 {
                let at = random.next() as usize % bytes.len();
                bytes[at] = random.next() as u8;
            }
            bytes.truncate(random.next() as usize % (bytes.len() + 1));
            if let Ok(message) = Message::decode(&bytes) {
                assert_eq!(message.encode().expect("encodes"), bytes);
            }
        }
    }
}
