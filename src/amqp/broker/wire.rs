//! What the broker reads and writes (AMQP 0-9-1 §2.3). Methods are amq-protocol's; the few that every message needs are
//! written by hand.

use amq_protocol::frame::{AMQPFrame, WriteContext, gen_frame};
use amq_protocol::protocol::{AMQPClass, basic, parse_class};
use bytes::{BufMut, BytesMut};

use super::super::frame::{
    METHOD, Refusal, methods, nesting, put_body, put_frame, put_header, put_short,
};

/// Reads the payload of a method frame.
///
/// # Errors
/// 502: it is cut short, too long, or its tables are wrong or too deep; 503: nobody knows this method.
pub(super) fn method(payload: &[u8]) -> Result<AMQPClass, Refusal> {
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
pub(super) fn put_method(out: &mut BytesMut, channel: u16, method: AMQPClass) {
    let frame = AMQPFrame::Method(channel, method);
    // Memory takes all that is written to it.
    if let Ok(written) = gen_frame(&frame)(WriteContext::from(Vec::new())) {
        out.put_slice(&written.into_inner().0);
    }
}

/// Appends basic.ack or basic.nack for published messages.
pub(super) fn put_confirm(out: &mut BytesMut, channel: u16, tag: u64, multiple: bool, taken: bool) {
    match taken {
        true => methods::ack(channel, tag, multiple, out),
        false => methods::nack(channel, tag, multiple, false, out),
    }
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
    put_frame(METHOD, channel, out, |out| {
        out.put_u16(60);
        match head {
            Head::Deliver {
                consumer,
                tag,
                redelivered,
            } => {
                out.put_u16(60);
                put_short(consumer, out);
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
                put_short(text, out);
            }
        }
        put_short(content.exchange, out);
        put_short(content.routing_key, out);
        if let Head::GetOk { left, .. } = head {
            out.put_u32(left);
        }
    });
    put_header(channel, content.body.len(), out, |out| {
        out.put_slice(content.properties)
    });
    put_body(channel, content.body, largest, out);
}
