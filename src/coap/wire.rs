//! Messages in place: what is read of them without a copy, and their parts as they are written.
//!
//! Client and server have coap-lite's codec ([`super::message`]); this is for the load generator, which must not allocate for
//! a message, and for what the codec does not judge or know: lone payload markers, the lengths of RFC 8323.

use super::code::Code;
use super::option;

/// Confirmable; the two bits of the type (RFC 7252 §3).
pub const CON: u8 = 0;
/// Non-confirmable.
pub const NON: u8 = 1;
/// Acknowledgement.
pub const ACK: u8 = 2;
/// Reset.
pub const RST: u8 = 3;

/// The bytes in front of each datagram that say how long it is, so that a stream of bytes carries datagrams.
pub const PREFIX: usize = 2;
/// The largest message of a peer on a stream, in bytes: more is no answer to our requests.
const LARGEST: usize = 16 << 20;

/// How messages follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Datagrams, each behind its length in two bytes.
    Datagrams,
    /// RFC 8323 §3.2.
    Stream,
}

/// A stream that is no CoAP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("protocol error: malformed message")]
pub struct NotCoap;

/// A message in place. On a stream type and message id have no meaning and are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    /// [`CON`], [`NON`], [`ACK`] or [`RST`].
    pub kind: u8,
    /// The method, response or signal.
    pub code: Code,
    /// The message id.
    pub mid: u16,
    /// At most 8 bytes.
    pub token: &'a [u8],
    /// Options, marker and payload.
    pub rest: &'a [u8],
}

/// What the options of a response say, as far as a load cares, and its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content<'a> {
    /// The number of a notification.
    pub observe: Option<u32>,
    /// Seconds.
    pub max_age: Option<u32>,
    /// Further blocks of the body follow (RFC 7959 §2.2).
    pub more: bool,
    /// What the server wants to see again, if the response is a challenge (RFC 9175 §2.2).
    pub echo: Option<&'a [u8]>,
    /// Empty when there is none.
    pub payload: &'a [u8],
}

/// What stands next behind a token (RFC 7252 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// An option: its number less that of the one before, its value, and what follows.
    Option(usize, &'a [u8], &'a [u8]),
    /// The payload, which is not empty.
    Payload(&'a [u8]),
    /// Nothing more.
    End,
}

/// Why nothing can stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPart {
    /// An option runs over the end, or uses the reserved 15.
    Option,
    /// A payload marker without payload.
    Marker,
}

impl<'a> Part<'a> {
    /// Reads what `rest` begins with.
    ///
    /// # Errors
    /// It is a message format error.
    #[inline]
    pub fn read(rest: &'a [u8]) -> Result<Self, BadPart> {
        let Some((&first, behind)) = rest.split_first() else {
            return Ok(Self::End);
        };
        if first == 0xFF {
            return match behind {
                [] => Err(BadPart::Marker),
                payload => Ok(Self::Payload(payload)),
            };
        }
        read_option(first, behind).ok_or(BadPart::Option)
    }
}

#[inline]
fn read_option(first: u8, behind: &[u8]) -> Option<Part<'_>> {
    let (delta, behind) = extended(first >> 4, behind)?;
    let (length, behind) = extended(first & 15, behind)?;
    let (value, rest) = behind.split_at_checked(length)?;
    Some(Part::Option(delta, value, rest))
}

impl Framing {
    /// The next message and the bytes it takes in all; `None` within it: it is no CoAP message and to be ignored
    /// (RFC 7252 §3). `None` while it has not come whole.
    ///
    /// # Errors
    /// The stream is no CoAP stream.
    #[inline]
    pub fn next(self, bytes: &[u8]) -> Result<Option<(usize, Option<Seen<'_>>)>, NotCoap> {
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

fn frame(bytes: &[u8]) -> Result<Option<(usize, Option<Seen<'_>>)>, NotCoap> {
    let Some(head) = Head::read(bytes) else {
        return Ok(None);
    };
    if head.token > 8 || head.body > LARGEST as u64 {
        return Err(NotCoap);
    }
    let Some(whole) = bytes.get(..head.total() as usize) else {
        return Ok(None);
    };
    let (token, rest) = whole[head.size..].split_at(usize::from(head.token));
    let seen = Seen {
        kind: CON,
        code: Code(whole[head.size - 1]),
        mid: 0,
        token,
        rest,
    };
    Ok(Some((whole.len(), Some(seen))))
}

/// What comes before the token of a message on a stream (RFC 8323 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the token; more than 8 are malformed.
    pub token: u8,
    /// Bytes up to and including the code.
    pub size: usize,
    /// Bytes of options, marker and payload.
    pub body: u64,
}

impl Head {
    /// `None` while it is not complete.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let (body, behind) = match first >> 4 {
            15 => {
                let (bytes, rest) = rest.split_first_chunk()?;
                (u64::from(u32::from_be_bytes(*bytes)) + 65_805, rest)
            }
            nibble => {
                let (body, rest) = extended(nibble, rest)?;
                (body as u64, rest)
            }
        };
        // The code.
        behind.first()?;
        Some(Self {
            token: first & 15,
            size: bytes.len() - behind.len() + 1,
            body,
        })
    }

    /// Bytes of the whole message.
    pub const fn total(&self) -> u64 {
        self.size as u64 + self.token as u64 + self.body
    }
}

impl<'a> Seen<'a> {
    /// Reads the options; `None` when they are malformed.
    #[inline]
    pub fn content(&self) -> Option<Content<'a>> {
        let mut content = Content::default();
        let (mut rest, mut number) = (self.rest, 0_u16);
        loop {
            match Part::read(rest).ok()? {
                Part::Option(delta, value, behind) => {
                    number = number.checked_add(u16::try_from(delta).ok()?)?;
                    content.take(number, value);
                    rest = behind;
                }
                Part::Payload(payload) => {
                    content.payload = payload;
                    return Some(content);
                }
                Part::End => return Some(content),
            }
        }
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
pub fn write_empty(kind: u8, mid: u16, out: &mut Vec<u8>) {
    let [high, low] = mid.to_be_bytes();
    out.extend_from_slice(&[0, 4, 0x40 | kind << 4, 0, high, low]);
}

/// Writes delta and length of an option, which its value follows; both at most 65,804 (RFC 7252 §3.1).
pub fn push_option(delta: u16, length: usize, out: &mut Vec<u8>) {
    let (first, more) = split(usize::from(delta));
    let (second, behind) = split(length);
    out.push(first << 4 | second);
    push_extension(first, more, out);
    push_extension(second, behind, out);
}

/// Writes the length of a message on a stream, and that of its token; code and token follow (RFC 8323 §3.2). `body` is the
/// bytes of options, marker and payload.
pub fn push_length(body: u32, token: u8, out: &mut Vec<u8>) {
    if let Some(more) = body.checked_sub(65_805) {
        out.push(0xF0 | token);
        out.extend_from_slice(&more.to_be_bytes());
        return;
    }
    let (nibble, more) = split(body as usize);
    out.push(nibble << 4 | token);
    push_extension(nibble, more, out);
}

const fn split(number: usize) -> (u8, usize) {
    match number {
        0..13 => (number as u8, 0),
        13..269 => (13, number - 13),
        _ => (14, number - 269),
    }
}

fn push_extension(nibble: u8, more: usize, out: &mut Vec<u8>) {
    match nibble {
        13 => out.push(more as u8),
        14 => out.extend_from_slice(&(more as u16).to_be_bytes()),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
