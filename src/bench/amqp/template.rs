//! A message as frames, encoded once and patched for each: method, header, bodies.

use bytes::Bytes;

use super::super::pattern::Pattern;
use super::super::stamp::{self, Stamp};
use crate::amqp::frame::methods::{DIRECT_REPLY_TO, PUBLISH, method};
use crate::amqp::frame::{OVERHEAD, put_body, put_header, put_short};

/// The delivery mode is there (AMQP 0-9-1 §4.2.6.1).
const DELIVERY_MODE: u16 = 0x1000;
/// The queue for the answer is there.
const REPLY_TO: u16 = 0x0200;
/// Where a header frame has the size of the body: behind its own head, the class and the weight.
const SIZE: usize = OVERHEAD - 1 + 4;
/// Larger messages are put together each time: a copy for each connection would cost too much memory.
const WHOLE: usize = 4096;

/// What the messages of a group have in common.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) exchange: String,
    pub(super) mandatory: bool,
    pub(super) persistent: bool,
    /// Each asks for an answer on the channel that it is sent on.
    pub(super) reply_to: bool,
    /// As long as the longest body.
    pub(super) filling: Bytes,
    pub(super) least: usize,
    /// Of the random sizes.
    pub(super) seed: u64,
}

/// The routing key of a channel's messages.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Fixed(String),
    /// Another for each message of this client.
    Counting(Pattern, usize),
}

impl Key {
    pub(super) fn new(pattern: &Pattern, client: usize) -> Self {
        match pattern.counts() {
            true => Self::Counting(pattern.clone(), client),
            false => Self::Fixed(pattern.fill(client, 0)),
        }
    }
}

/// The messages of one channel in frames of a certain size.
#[derive(Debug)]
pub(super) struct Template {
    channel: u16,
    key: Key,
    exchange: String,
    mandatory: bool,
    /// Basic.Publish, where its key is fixed.
    method: Vec<u8>,
    header: Vec<u8>,
    /// The whole message, where all have the same size and key.
    whole: Option<Vec<u8>>,
    filling: Bytes,
    /// Of frames, in bytes.
    largest: usize,
}

impl Template {
    pub(super) fn new(kind: &Kind, key: &Key, channel: u16, frame_max: u32) -> Self {
        let mut header = Vec::new();
        put_header(channel, 0, &mut header, |out| {
            let reply_to = if kind.reply_to { REPLY_TO } else { 0 };
            out.extend_from_slice(&(DELIVERY_MODE | reply_to).to_be_bytes());
            out.push(if kind.persistent { 2 } else { 1 });
            if kind.reply_to {
                put_short(DIRECT_REPLY_TO, out);
            }
        });
        let mut template = Self {
            channel,
            key: key.clone(),
            exchange: kind.exchange.clone(),
            mandatory: kind.mandatory,
            method: Vec::new(),
            header,
            whole: None,
            filling: kind.filling.clone(),
            largest: frame_max as usize,
        };
        if let Key::Fixed(key) = key {
            template.method = template.publish(key);
            if kind.least == kind.filling.len() && kind.least <= WHOLE {
                let mut whole = Vec::new();
                template.encode(kind.least, 0, &mut whole);
                template.whole = Some(whole);
            }
        }
        template
    }

    fn publish(&self, key: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        method(self.channel, PUBLISH, &mut bytes, |out| {
            out.extend_from_slice(&[0, 0]);
            put_short(&self.exchange, out);
            put_short(key, out);
            out.push(self.mandatory.into());
        });
        bytes
    }

    /// Appends one message with a body of `size` bytes.
    #[inline]
    pub(super) fn write(&self, size: usize, stamp: &Stamp, out: &mut Vec<u8>) {
        let start = out.len();
        let body = match &self.whole {
            Some(whole) => {
                out.extend_from_slice(whole);
                start + self.method.len() + self.header.len()
            }
            None => self.encode(size, stamp.sequence, out),
        };
        if size > 0 {
            // Frames have room for a stamp: they have at least 4096 bytes.
            let begin = body + OVERHEAD - 1;
            stamp.write(&mut out[begin..begin + size.min(stamp::LENGTH)]);
        }
    }

    /// Appends a message and returns where its bodies begin.
    fn encode(&self, size: usize, sequence: u64, out: &mut Vec<u8>) -> usize {
        match &self.key {
            Key::Fixed(_) => out.extend_from_slice(&self.method),
            Key::Counting(pattern, client) => {
                let key = pattern.fill(*client, sequence);
                out.extend_from_slice(&self.publish(&key));
            }
        }
        let at = out.len() + SIZE;
        out.extend_from_slice(&self.header);
        out[at..at + 8].copy_from_slice(&(size as u64).to_be_bytes());
        let bodies = out.len();
        put_body(self.channel, &self.filling[..size], self.largest, out);
        bodies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amqp::frame::{Fields, Frame, HEADER, METHOD};

    const STAMP: Stamp = Stamp {
        measured: true,
        due: 1_795_000_000_123_456_789,
        sequence: 7,
        sender: 3,
        run: 9,
    };

    fn kind(least: usize, most: usize) -> Kind {
        Kind {
            exchange: String::from("e"),
            mandatory: true,
            persistent: true,
            reply_to: false,
            filling: Bytes::from(vec![b'x'; most]),
            least,
            seed: 1,
        }
    }

    /// Kinds of frames, the key, and the body.
    fn read(bytes: &[u8], size: usize) -> (Vec<u8>, String, Vec<u8>) {
        let (mut at, mut body, mut kinds) = (0, Vec::new(), Vec::new());
        let mut key = String::new();
        while let Some(frame) = Frame::split(&bytes[at..], 4096).unwrap() {
            assert_eq!(frame.channel, 5);
            kinds.push(frame.kind);
            let mut fields = Fields(frame.payload);
            match frame.kind {
                METHOD => {
                    let name = (fields.short().unwrap(), fields.short().unwrap());
                    assert_eq!(name, PUBLISH);
                    fields.short().unwrap();
                    assert_eq!(fields.text().unwrap(), "e");
                    key = fields.text().unwrap();
                    assert_eq!(fields.octet(), Ok(1));
                }
                HEADER => {
                    assert_eq!(Fields(&frame.payload[4..]).long_long(), Ok(size as u64));
                    assert_eq!(frame.payload[12..], [0x10, 0, 2]);
                }
                _ => body.extend_from_slice(frame.payload),
            }
            at += frame.length();
        }
        assert_eq!(at, bytes.len());
        (kinds, key, body)
    }

    #[test]
    fn a_message_has_method_header_and_as_many_bodies_as_its_size_needs() {
        for (least, size) in [
            (0, 0),
            (5, 5),
            (300, 300),
            (10, 5000),
            (5000, 5000),
            (1, 8176),
        ] {
            let key = Key::Fixed(String::from("k"));
            let template = Template::new(&kind(least, size), &key, 5, 4096);
            let mut out = Vec::new();
            template.write(size, &STAMP, &mut out);
            let (kinds, key, body) = read(&out, size);
            assert_eq!((key.as_str(), body.len()), ("k", size));
            assert_eq!(kinds[..2], [METHOD, HEADER]);
            assert_eq!(kinds.len(), 2 + size.div_ceil(4088));
            let read = Stamp::read(&body, STAMP.due);
            assert_eq!(read.is_some(), size >= 8, "{size}");
            assert!(size < 24 || read == Some(STAMP));
        }
    }

    #[test]
    fn a_key_may_count() {
        let pattern = Pattern::parse_key("--routing-key", "a.{client}.{seq}").unwrap();
        let template = Template::new(&kind(30, 30), &Key::new(&pattern, 4), 5, 4096);
        let mut out = Vec::new();
        template.write(30, &STAMP, &mut out);
        let (_, key, body) = read(&out, 30);
        assert_eq!(key, "a.4.7");
        assert_eq!(Stamp::read(&body, STAMP.due), Some(STAMP));
    }
}
