//! Messages as they stand in what has arrived, read in place, and the empty ones that answer them.

use super::super::driver::Broken;
use crate::coap::code::Code;
use crate::coap::option;

/// Confirmable; the two bits of the type (RFC 7252 §3).
pub(super) const CON: u8 = 0;
/// Non-confirmable.
pub(super) const NON: u8 = 1;
/// Acknowledgement.
pub(super) const ACK: u8 = 2;
/// Reset.
pub(super) const RST: u8 = 3;

/// The bytes in front of each datagram that say how long it is, so that a stream of bytes carries datagrams.
pub(super) const PREFIX: usize = 2;
/// The largest message of a peer on a stream, in bytes: more is no answer to our requests.
const LARGEST: usize = 16 << 20;

/// How messages follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Datagrams, each behind its length in two bytes.
    Datagrams,
    /// RFC 8323 §3.2.
    Stream,
}

/// A message in place. On a stream type and message id have no meaning and are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    pub(super) kind: u8,
    pub(super) code: Code,
    pub(super) mid: u16,
    pub(super) token: &'a [u8],
    /// Options, marker and payload.
    pub(super) rest: &'a [u8],
}

/// What the options of a response say, as far as a load cares, and its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Content<'a> {
    pub(super) observe: Option<u32>,
    /// Seconds.
    pub(super) max_age: Option<u32>,
    /// Further blocks of the body follow (RFC 7959 §2.2).
    pub(super) more: bool,
    /// What the server wants to see again, if the response is a challenge (RFC 9175 §2.2).
    pub(super) echo: Option<&'a [u8]>,
    pub(super) payload: &'a [u8],
}

impl Framing {
    /// The next message and the bytes it takes in all; `None` within it: it is no CoAP message and to be ignored
    /// (RFC 7252 §3). `None` while it has not come whole.
    ///
    /// # Errors
    /// The stream is no CoAP stream.
    #[inline]
    pub(super) fn next(self, bytes: &[u8]) -> Result<Option<(usize, Option<Seen<'_>>)>, Broken> {
        match self {
            Self::Datagrams => Ok(datagram(bytes)),
            Self::Stream => frame(bytes),
        }
    }
}

#[inline]
fn datagram(bytes: &[u8]) -> Option<(usize, Option<Seen<'_>>)> {
    let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
    let length = usize::from(u16::from_be_bytes(*prefix));
    let datagram = rest.get(..length)?;
    Some((PREFIX + length, message(datagram)))
}

#[inline]
fn message(datagram: &[u8]) -> Option<Seen<'_>> {
    let (&[first, code, high, low], rest) = datagram.split_first_chunk::<4>()?;
    let code = Code(code);
    if first >> 6 != 1 || matches!(code.class(), 1 | 3 | 6 | 7) {
        return None;
    }
    let (token, rest) = token(first, rest)?;
    // An empty message is only its header (RFC 7252 §4.1).
    if code == Code::EMPTY && datagram.len() != 4 {
        return None;
    }
    Some(Seen {
        kind: first >> 4 & 3,
        code,
        mid: u16::from_be_bytes([high, low]),
        token,
        rest,
    })
}

fn token(first: u8, rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(first & 15);
    (length <= 8).then(|| rest.split_at_checked(length))?
}

fn frame(bytes: &[u8]) -> Result<Option<(usize, Option<Seen<'_>>)>, Broken> {
    let Some((head, body)) = head(bytes) else {
        return Ok(None);
    };
    let first = bytes[0];
    if first & 15 > 8 || body > LARGEST {
        return Err(Broken::new("protocol error: malformed message"));
    }
    let total = head + 1 + usize::from(first & 15) + body;
    let Some(whole) = bytes.get(..total) else {
        return Ok(None);
    };
    let (token, rest) = whole[head + 1..].split_at(usize::from(first & 15));
    let seen = Seen {
        kind: CON,
        code: Code(whole[head]),
        mid: 0,
        token,
        rest,
    };
    Ok(Some((total, Some(seen))))
}

/// Bytes up to the code, and bytes of options and payload.
fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    let byte = |at: usize| bytes.get(at).map(|byte| usize::from(*byte));
    let extended =
        |count: usize| (1..=count).try_fold(0, |number, at| Some(number << 8 | byte(at)?));
    Some(match byte(0)? >> 4 {
        13 => (2, extended(1)? + 13),
        14 => (3, extended(2)? + 269),
        15 => (5, extended(4)? + 65_805),
        length => (1, length),
    })
}

impl<'a> Seen<'a> {
    /// Reads the options; `None` when they are malformed.
    #[inline]
    pub(super) fn content(&self) -> Option<Content<'a>> {
        let mut content = Content::default();
        let (mut rest, mut number) = (self.rest, 0_u16);
        while let Some((&first, behind)) = rest.split_first() {
            if first == 0xFF {
                content.payload = behind;
                // A marker without payload is a format error.
                return (!behind.is_empty()).then_some(content);
            }
            let (delta, behind) = extended(first >> 4, behind)?;
            let (length, behind) = extended(first & 15, behind)?;
            let (value, behind) = behind.split_at_checked(length)?;
            number = number.checked_add(u16::try_from(delta).ok()?)?;
            content.take(number, value);
            rest = behind;
        }
        Some(content)
    }
}

impl<'a> Content<'a> {
    #[inline]
    fn take(&mut self, number: u16, value: &'a [u8]) {
        match number {
            option::OBSERVE => self.observe = uint(value),
            option::MAX_AGE => self.max_age = uint(value),
            option::ECHO => self.echo = Some(value),
            option::BLOCK2 => self.more = value.last().is_some_and(|last| last & 8 != 0),
            _ => {}
        }
    }
}

fn uint(value: &[u8]) -> Option<u32> {
    option::uint(value).and_then(|number| u32::try_from(number).ok())
}

/// A delta or length with its extension (RFC 7252 §3.1).
#[inline]
fn extended(nibble: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    match nibble {
        13 => {
            let (byte, rest) = rest.split_first()?;
            Some((usize::from(*byte) + 13, rest))
        }
        14 => {
            let (bytes, rest) = rest.split_first_chunk()?;
            Some((usize::from(u16::from_be_bytes(*bytes)) + 269, rest))
        }
        15 => None,
        nibble => Some((usize::from(nibble), rest)),
    }
}

/// Writes an empty message as a datagram: an acknowledgement, a reset, a ping.
pub(super) fn write_empty(kind: u8, mid: u16, out: &mut Vec<u8>) {
    let [high, low] = mid.to_be_bytes();
    out.extend_from_slice(&[0, 4, 0x40 | kind << 4, 0, high, low]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coap::frame::encode_stream;
    use crate::coap::message::{Message, Token, Type};

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
        let mut random = crate::random::Random::new(3, 0);
        let valid = response().encode().unwrap();
        for framing in [Framing::Datagrams, Framing::Stream] {
            for _ in 0..20_000 {
                let mut bytes = prefixed(&valid);
                for _ in 0..random.next() % 4 {
                    let at = random.between(0, bytes.len() - 1);
                    bytes[at] = random.next() as u8;
                }
                if let Ok(Some((taken, seen))) = framing.next(&bytes) {
                    assert!(taken <= bytes.len());
                    let _ = seen.and_then(|seen| seen.content());
                }
            }
        }
    }
}
