//! Frames in and out (AMQP 0-9-1 §2.3). Methods are amq-protocol's; the few that every message needs are written by hand.

use amq_protocol::frame::{AMQPFrame, WriteContext, gen_frame};
use amq_protocol::protocol::{AMQPClass, basic, parse_class};
use bytes::{BufMut, BytesMut};

use super::nesting;
use super::refusal::Refusal;

pub(in crate::amqp) const METHOD: u8 = 1;
pub(in crate::amqp) const HEADER: u8 = 2;
pub(in crate::amqp) const BODY: u8 = 3;
pub(super) const HEARTBEAT: u8 = 8;
const END: u8 = 0xCE;

/// Type, channel and length before the payload, and the end mark behind it.
pub(in crate::amqp) const OVERHEAD: usize = 8;

/// What a client says first (§4.2.2).
pub(in crate::amqp) const PROTOCOL: [u8; 8] = *b"AMQP\0\0\x09\x01";

/// One frame of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::amqp) struct Frame<'a> {
    pub(in crate::amqp) kind: u8,
    pub(in crate::amqp) channel: u16,
    pub(in crate::amqp) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first frame of `input`, and its length in bytes; `None`: it is not whole yet.
    ///
    /// # Errors
    /// 501: longer than `largest`, without its end mark, or of an unknown type.
    pub(in crate::amqp) fn split(
        input: &'a [u8],
        largest: usize,
    ) -> Result<Option<(Self, usize)>, Refusal> {
        let [kind, c1, c0, l3, l2, l1, l0, rest @ ..] = input else {
            return Ok(None);
        };
        if !matches!(*kind, METHOD | HEADER | BODY | HEARTBEAT) {
            return Err(Refusal::frame(format!("type {kind} is no frame type")));
        }
        let length = u32::from_be_bytes([*l3, *l2, *l1, *l0]) as usize;
        if length.saturating_add(OVERHEAD) > largest {
            return Err(Refusal::frame(format!(
                "frame of {length} bytes is larger than the negotiated maximum of {largest}"
            )));
        }
        let Some((payload, end)) = rest.split_at_checked(length) else {
            return Ok(None);
        };
        match end.first() {
            None => Ok(None),
            Some(&END) => {
                let channel = u16::from_be_bytes([*c1, *c0]);
                let frame = Self {
                    kind: *kind,
                    channel,
                    payload,
                };
                Ok(Some((frame, length + OVERHEAD)))
            }
            Some(other) => Err(Refusal::frame(format!("a frame ends with {other:#04x}"))),
        }
    }

    /// The numbers of class and method.
    pub(in crate::amqp) const fn method_ids(&self) -> (u16, u16) {
        match self.payload {
            [c1, c0, m1, m0, ..] => (
                u16::from_be_bytes([*c1, *c0]),
                u16::from_be_bytes([*m1, *m0]),
            ),
            _ => (0, 0),
        }
    }
}

/// Reads the payload of a method frame.
///
/// # Errors
/// 502: it is cut short, too long, or its tables are wrong or too deep; 503: nobody knows this method.
pub(in crate::amqp) fn method(payload: &[u8]) -> Result<AMQPClass, Refusal> {
    if let Some(quick) = quick_method(payload) {
        return Ok(quick);
    }
    // amq-protocol drops the prefetch size, the first argument of basic.qos.
    if let [0, 60, 0, 10, s3, s2, s1, s0, ..] = payload {
        let size = u32::from_be_bytes([*s3, *s2, *s1, *s0]);
        if size != 0 {
            let text = format!("prefetch_size!=0 ({size})");
            return Err(Refusal::not_implemented(text));
        }
    }
    nesting::check_method(payload)?;
    match parse_class(payload) {
        Ok(([], method)) => Ok(method),
        Ok(_) => Err(Refusal::syntax("bytes follow the arguments of a method")),
        Err(_) if nesting::is_known(payload) => {
            Err(Refusal::syntax("the arguments of a method cannot be read"))
        }
        Err(_) => Err(Refusal::invalid("no such method")),
    }
}

/// basic.ack, which comes once a message.
fn quick_method(payload: &[u8]) -> Option<AMQPClass> {
    let [0, 60, 0, 80, tag @ .., flags] = payload else {
        return None;
    };
    let delivery_tag = u64::from_be_bytes(tag.try_into().ok()?);
    Some(AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack {
        delivery_tag,
        multiple: flags & 1 != 0,
    })))
}

/// basic.publish, without a copy of its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Publish<'a> {
    pub(super) exchange: &'a str,
    pub(super) routing_key: &'a str,
    pub(super) mandatory: bool,
    pub(super) immediate: bool,
}

impl<'a> Publish<'a> {
    /// Reads the payload of a method frame; `None`: it is another method, or broken.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let [0, 60, 0, 40, _, _, rest @ ..] = payload else {
            return None;
        };
        let (exchange, rest) = nesting::short_string(rest)?;
        let (routing_key, rest) = nesting::short_string(rest)?;
        let [flags] = rest else { return None };
        Some(Self {
            exchange,
            routing_key,
            mandatory: flags & 1 != 0,
            immediate: flags & 2 != 0,
        })
    }
}

/// Appends a method frame.
pub(in crate::amqp) fn put_method(out: &mut BytesMut, channel: u16, method: AMQPClass) {
    let frame = AMQPFrame::Method(channel, method);
    // Memory takes all that is written to it.
    if let Ok(written) = gen_frame(&frame)(WriteContext::from(Vec::new())) {
        out.put_slice(&written.into_inner().0);
    }
}

/// Appends a heartbeat (§4.2.7).
pub(in crate::amqp) fn put_heartbeat(out: &mut BytesMut) {
    out.put_slice(&[HEARTBEAT, 0, 0, 0, 0, 0, 0, END]);
}

/// Appends basic.ack or basic.nack for published messages.
pub(super) fn put_confirm(out: &mut BytesMut, channel: u16, tag: u64, multiple: bool, taken: bool) {
    out.put_u8(METHOD);
    out.put_u16(channel);
    out.put_u32(13);
    out.put_u16(60);
    out.put_u16(if taken { 80 } else { 120 });
    out.put_u64(tag);
    out.put_u8(multiple.into());
    out.put_u8(END);
}

/// A message as it goes out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    pub(super) exchange: &'a str,
    pub(super) routing_key: &'a str,
    /// Property flags and values, as in the content header.
    pub(super) properties: &'a [u8],
    pub(super) body: &'a [u8],
}

/// The method that goes before a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Head<'a> {
    Deliver {
        consumer: &'a str,
        tag: u64,
        redelivered: bool,
    },
    GetOk {
        tag: u64,
        redelivered: bool,
        left: u32,
    },
    Return {
        code: u16,
        text: &'a str,
    },
}

/// Appends a method with its content, in frames of at most `largest` bytes.
pub(super) fn put_content(
    out: &mut BytesMut,
    channel: u16,
    head: Head<'_>,
    content: Content<'_>,
    largest: usize,
) {
    let frame = begin(out, METHOD, channel);
    out.put_u16(60);
    match head {
        Head::Deliver {
            consumer,
            tag,
            redelivered,
        } => {
            out.put_u16(60);
            put_short(out, consumer);
            out.put_u64(tag);
            out.put_u8(redelivered.into());
        }
        Head::GetOk {
            tag, redelivered, ..
        } => {
            out.put_u16(71);
            out.put_u64(tag);
            out.put_u8(redelivered.into());
        }
        Head::Return { code, text } => {
            out.put_u16(50);
            out.put_u16(code);
            put_short(out, text);
        }
    }
    put_short(out, content.exchange);
    put_short(out, content.routing_key);
    if let Head::GetOk { left, .. } = head {
        out.put_u32(left);
    }
    end(out, frame);
    put_header_and_body(out, channel, content, largest);
}

fn put_header_and_body(out: &mut BytesMut, channel: u16, content: Content<'_>, largest: usize) {
    let frame = begin(out, HEADER, channel);
    out.put_u16(60);
    out.put_u16(0);
    out.put_u64(content.body.len() as u64);
    out.put_slice(content.properties);
    end(out, frame);
    for part in content.body.chunks(largest.saturating_sub(OVERHEAD).max(1)) {
        out.put_u8(BODY);
        out.put_u16(channel);
        // A chunk is not longer than a frame, whose length is a u32.
        out.put_u32(part.len() as u32);
        out.put_slice(part);
        out.put_u8(END);
    }
}

/// Starts a frame whose length is not known yet; its place is what [`end`] needs.
fn begin(out: &mut BytesMut, kind: u8, channel: u16) -> usize {
    out.put_u8(kind);
    out.put_u16(channel);
    out.put_u32(0);
    out.len()
}

fn end(out: &mut BytesMut, start: usize) {
    // Methods and headers are far smaller than 4 GiB: they came in a frame themselves.
    let length = (out.len() - start) as u32;
    out[start - 4..start].copy_from_slice(&length.to_be_bytes());
    out.put_u8(END);
}

/// Texts come from short strings or are made to fit one.
fn put_short(out: &mut BytesMut, text: &str) {
    let text = &text.as_bytes()[..text.len().min(255)];
    out.put_u8(text.len() as u8);
    out.put_slice(text);
}
