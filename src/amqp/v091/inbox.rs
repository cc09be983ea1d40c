//! Messages that come in several frames: the method, a header, and bodies (AMQP 0-9-1 §4.2.6).

use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::super::consumer::Delivery;
use super::super::frame::methods;
use super::super::frame::{BODY, Fields, Frame, HEADER, METHOD, properties};
use super::super::tags::Tags;
use super::link::End;
use crate::message::{AmqpDetail, AmqpProperties, Detail, Message};

/// The largest body that is taken, in bytes: what RabbitMQ can be set to at most.
pub const LARGEST_BODY: u64 = 512 * 1024 * 1024;

/// What came.
#[derive(Debug, PartialEq)]
pub enum Incoming {
    /// A message.
    Delivery(Delivery),
    /// A message whose body is too large to be kept.
    TooLarge {
        /// What it is settled by.
        tag: u64,
        /// What its header declares, in bytes.
        size: u64,
    },
    /// The queue of a basic.get has no message.
    Empty,
    /// The server has ended the consumer: its queue is gone.
    Cancelled,
}

/// What is made of a frame.
pub(super) enum Taken {
    /// It is none of a message.
    Not,
    /// There is more to come.
    Part,
    Whole(Incoming),
}

/// How far a message has come.
#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// The header is next.
    Announced(Head),
    /// So many bytes of the body are missing.
    Body(Box<Partial>, u64),
    /// The body is thrown away.
    Skipping(u64),
}

/// What the method says.
struct Head {
    tag: u64,
    redelivered: bool,
    exchange: ByteString,
    key: ByteString,
    /// Names that are not UTF-8.
    not_text: Vec<(&'static str, Bytes)>,
}

struct Partial {
    head: Head,
    properties: AmqpProperties,
    body: BytesMut,
}

/// The message that is coming, and what many have in common.
#[derive(Default)]
pub(super) struct Inbox {
    state: State,
    exchange: ByteString,
    key: ByteString,
    /// The name of our consumer, once it is known.
    pub(super) consumer: Option<Vec<u8>>,
    /// Whether it was asked for.
    pub(super) consumes: bool,
    /// Of the messages that have come.
    pub(super) tags: Tags,
}

impl Inbox {
    /// Takes a frame, if it is one of a message; `time` is when it came.
    ///
    /// # Errors
    /// What breaks the protocol.
    #[inline]
    pub(super) fn take(&mut self, frame: Frame<'_>, time: SystemTime) -> Result<Taken, End> {
        match frame.kind {
            METHOD if matches!(self.state, State::Idle) => self.method(frame),
            METHOD => self.within(frame),
            HEADER => self.header(frame.payload, time),
            BODY => self.body(frame.payload, time),
            _ => Ok(Taken::Not),
        }
    }

    fn method(&mut self, frame: Frame<'_>) -> Result<Taken, End> {
        let mut fields = Fields(frame.payload);
        match fields.name()? {
            methods::DELIVER => {
                let consumer = fields.bytes()?;
                let ours = self.consumer.as_deref();
                if !self.consumes || ours.is_some_and(|ours| ours != consumer) {
                    let text = "it delivered to a consumer that was never started";
                    return Err(End::Nonsense(String::from(text)));
                }
                self.announced(fields)
            }
            methods::GET_OK => self.announced(fields),
            methods::GET_EMPTY => Ok(Taken::Whole(Incoming::Empty)),
            methods::CANCEL => Ok(Taken::Whole(Incoming::Cancelled)),
            methods::CANCEL_OK => Ok(Taken::Part),
            methods::CONSUME_OK => {
                self.consumer = Some(fields.bytes()?.to_vec());
                Ok(Taken::Part)
            }
            _ => Ok(Taken::Not),
        }
    }

    /// A method between the frames of a message: only the end of all, or what is about the connection (§4.2.6).
    fn within(&self, frame: Frame<'_>) -> Result<Taken, End> {
        match frame.method_ids() {
            methods::CHANNEL_CLOSE => Ok(Taken::Not),
            (class, _) if class == methods::CLOSE.0 => Ok(Taken::Not),
            _ => {
                let text = "a method between the frames of a message";
                Err(End::Nonsense(String::from(text)))
            }
        }
    }

    fn announced(&mut self, mut fields: Fields<'_>) -> Result<Taken, End> {
        let (tag, redelivered) = (fields.long_long()?, fields.octet()? & 1 == 1);
        self.tags.came(tag);
        let mut not_text = Vec::new();
        let exchange = named(
            "exchange",
            fields.bytes()?,
            &mut self.exchange,
            &mut not_text,
        );
        let key = named("routing_key", fields.bytes()?, &mut self.key, &mut not_text);
        self.state = State::Announced(Head {
            tag,
            redelivered,
            exchange,
            key,
            not_text,
        });
        Ok(Taken::Part)
    }

    fn header(&mut self, payload: &[u8], time: SystemTime) -> Result<Taken, End> {
        let State::Announced(mut head) = std::mem::take(&mut self.state) else {
            return Ok(Taken::Not);
        };
        let mut fields = Fields(payload);
        // Class and weight.
        fields.long()?;
        let size = fields.long_long()?;
        if size > LARGEST_BODY {
            self.state = State::Skipping(size);
            return Ok(Taken::Whole(Incoming::TooLarge {
                tag: head.tag,
                size,
            }));
        }
        let mut properties = properties::read(fields.0).unwrap_or_else(|_| AmqpProperties {
            // What cannot be read is shown as it is.
            not_text: vec![("properties", Bytes::copy_from_slice(fields.0))],
            ..AmqpProperties::default()
        });
        properties.not_text.append(&mut head.not_text);
        if size == 0 {
            return Ok(whole(head, properties, Bytes::new(), time));
        }
        let partial = Partial {
            head,
            properties,
            body: BytesMut::new(),
        };
        self.state = State::Body(Box::new(partial), size);
        Ok(Taken::Part)
    }

    fn body(&mut self, part: &[u8], time: SystemTime) -> Result<Taken, End> {
        let size = part.len() as u64;
        let too_long = || End::Nonsense(String::from("a body is longer than its header says"));
        match std::mem::take(&mut self.state) {
            State::Body(partial, left) if left == size && partial.body.is_empty() => {
                let body = Bytes::copy_from_slice(part);
                Ok(whole(partial.head, partial.properties, body, time))
            }
            State::Body(mut partial, left) => {
                // It grows with what has come, whatever the header declares.
                partial.body.extend_from_slice(part);
                match left.checked_sub(size).ok_or_else(too_long)? {
                    0 => {
                        let body = partial.body.freeze();
                        Ok(whole(partial.head, partial.properties, body, time))
                    }
                    left => {
                        self.state = State::Body(partial, left);
                        Ok(Taken::Part)
                    }
                }
            }
            State::Skipping(left) => {
                match left.checked_sub(size).ok_or_else(too_long)? {
                    0 => {}
                    left => self.state = State::Skipping(left),
                }
                Ok(Taken::Part)
            }
            // Of a message that came back, whose body is not looked at.
            State::Idle => Ok(Taken::Not),
            State::Announced(_) => {
                let text = "a body came before its header";
                Err(End::Nonsense(String::from(text)))
            }
        }
    }
}

/// The name as text; many messages have the same as the one before.
#[inline]
fn named(
    what: &'static str,
    bytes: &[u8],
    last: &mut ByteString,
    not_text: &mut Vec<(&'static str, Bytes)>,
) -> ByteString {
    if last.as_bytes() == bytes {
        return last.clone();
    }
    match str::from_utf8(bytes) {
        Ok(text) => {
            *last = text.into();
            last.clone()
        }
        Err(_) => {
            not_text.push((what, Bytes::copy_from_slice(bytes)));
            String::from_utf8_lossy(bytes).as_ref().into()
        }
    }
}

#[inline]
fn whole(head: Head, properties: AmqpProperties, body: Bytes, time: SystemTime) -> Taken {
    Taken::Whole(Incoming::Delivery(Delivery {
        tag: head.tag,
        message: Message {
            time,
            topic: head.key,
            payload: body,
            detail: Detail::Amqp(Box::new(AmqpDetail {
                exchange: head.exchange,
                redelivered: head.redelivered,
                delivery_tag: head.tag,
                properties,
            })),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::super::super::frame::{put_frame, put_header, put_short};
    use super::*;

    /// A delivery with this key, properties and body, as frames of at most 16 bytes of body, and what comes of them.
    fn take(key: &[u8], properties: &[u8], size: usize, body: &[u8]) -> Vec<Incoming> {
        let mut bytes = Vec::new();
        methods::method(1, methods::DELIVER, &mut bytes, |out| {
            put_short("ctag", out);
            out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1]);
            put_short("", out);
            put_short(key, out);
        });
        put_header(1, size, &mut bytes, |out| out.extend_from_slice(properties));
        for part in body.chunks(16) {
            put_frame(BODY, 1, &mut bytes, |out| out.extend_from_slice(part));
        }
        let mut inbox = Inbox {
            consumes: true,
            ..Inbox::default()
        };
        let (mut at, mut came) = (0, Vec::new());
        while let Some(frame) = Frame::split(&bytes[at..], 4096).unwrap() {
            at += frame.length();
            match inbox.take(frame, SystemTime::UNIX_EPOCH) {
                Ok(Taken::Whole(incoming)) => came.push(incoming),
                Ok(Taken::Part) => {}
                Ok(Taken::Not) | Err(_) => return Vec::new(),
            }
        }
        came
    }

    fn delivery(key: &[u8], properties: &[u8], body: &[u8]) -> Message {
        match take(key, properties, body.len(), body).pop() {
            Some(Incoming::Delivery(delivery)) => {
                assert_eq!((delivery.tag, delivery.detail().redelivered), (7, true));
                delivery.message
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bodies_are_put_together() {
        for size in [0, 1, 16, 17, 50] {
            let body = vec![b'x'; size];
            let message = delivery(b"k", &[0, 0], &body);
            assert_eq!((&*message.topic, message.payload.len()), ("k", size));
        }
    }

    #[test]
    fn what_is_not_text_is_shown_and_comes_as_bytes_too() {
        let message = delivery(b"caf\xe9", &[4, 0, 1, 0xFF], b"x");
        assert_eq!(message.topic, "caf\u{fffd}");
        let Detail::Amqp(detail) = message.detail else {
            panic!("it was AMQP")
        };
        let properties = detail.properties;
        assert_eq!(&properties.not_text("routing_key").unwrap()[..], b"caf\xe9");
        assert_eq!(&properties.not_text("correlation_id").unwrap()[..], b"\xff");
    }

    #[test]
    fn properties_that_cannot_be_read_do_not_lose_the_message() {
        let message = delivery(b"k", b"\x20\0\0\0\0\x01\x09", b"x");
        let Detail::Amqp(detail) = message.detail else {
            panic!("it was AMQP")
        };
        assert!(detail.properties.not_text("properties").is_some());
    }

    #[test]
    fn a_body_declared_as_too_large_is_refused_and_thrown_away() {
        let size = 3 << 30;
        let came = take(b"k", &[0, 0], size, &[b'x'; 100]);
        let size = size as u64;
        assert_eq!(came, [Incoming::TooLarge { tag: 7, size }]);
    }

    #[test]
    fn a_body_longer_than_declared_breaks_the_protocol() {
        assert!(take(b"k", &[0, 0], 5, b"123456").is_empty());
    }
}
