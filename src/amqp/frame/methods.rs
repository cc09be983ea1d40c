//! The numbers of methods, and the methods that clients send (AMQP 0-9-1 §1.4 and on), as frames.

use bytestring::ByteString;

use super::{Buffer, END, METHOD, put_body, put_frame, put_header, put_long, put_short, table};
use crate::message::AmqpValue;

/// The queue that stands for the channel of who consumes from it (RabbitMQ).
pub(crate) const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// What we understand beyond the specification.
const CAPABILITIES: [&str; 5] = [
    "authentication_failure_close",
    "basic.nack",
    "connection.blocked",
    "consumer_cancel_notify",
    "publisher_confirms",
];

/// Class and method number.
pub(crate) type Name = (u16, u16);

pub(crate) const START: Name = (10, 10);
pub(crate) const START_OK: Name = (10, 11);
pub(crate) const TUNE: Name = (10, 30);
pub(crate) const TUNE_OK: Name = (10, 31);
pub(crate) const OPEN: Name = (10, 40);
pub(crate) const OPEN_OK: Name = (10, 41);
pub(crate) const CLOSE: Name = (10, 50);
pub(crate) const CLOSE_OK: Name = (10, 51);
pub(crate) const BLOCKED: Name = (10, 60);
pub(crate) const UNBLOCKED: Name = (10, 61);
pub(crate) const CHANNEL_OPEN: Name = (20, 10);
pub(crate) const CHANNEL_OPEN_OK: Name = (20, 11);
pub(crate) const FLOW: Name = (20, 20);
pub(crate) const FLOW_OK: Name = (20, 21);
pub(crate) const CHANNEL_CLOSE: Name = (20, 40);
pub(crate) const CHANNEL_CLOSE_OK: Name = (20, 41);
pub(crate) const EXCHANGE_DECLARE: Name = (40, 10);
pub(crate) const EXCHANGE_DECLARE_OK: Name = (40, 11);
pub(crate) const EXCHANGE_BIND: Name = (40, 30);
pub(crate) const EXCHANGE_BIND_OK: Name = (40, 31);
pub(crate) const DECLARE: Name = (50, 10);
pub(crate) const DECLARE_OK: Name = (50, 11);
pub(crate) const BIND: Name = (50, 20);
pub(crate) const BIND_OK: Name = (50, 21);
pub(crate) const DELETE: Name = (50, 40);
pub(crate) const DELETE_OK: Name = (50, 41);
pub(crate) const UNBIND: Name = (50, 50);
pub(crate) const UNBIND_OK: Name = (50, 51);
pub(crate) const QOS: Name = (60, 10);
pub(crate) const QOS_OK: Name = (60, 11);
pub(crate) const CONSUME: Name = (60, 20);
pub(crate) const CONSUME_OK: Name = (60, 21);
pub(crate) const CANCEL: Name = (60, 30);
pub(crate) const CANCEL_OK: Name = (60, 31);
pub(crate) const PUBLISH: Name = (60, 40);
pub(crate) const RETURN: Name = (60, 50);
pub(crate) const DELIVER: Name = (60, 60);
pub(crate) const GET: Name = (60, 70);
pub(crate) const GET_OK: Name = (60, 71);
pub(crate) const GET_EMPTY: Name = (60, 72);
pub(crate) const ACK: Name = (60, 80);
pub(crate) const REJECT: Name = (60, 90);
pub(crate) const NACK: Name = (60, 120);
pub(crate) const CONFIRM: Name = (85, 10);
pub(crate) const CONFIRM_OK: Name = (85, 11);

/// Appends a method with the fields that `fields` appends.
#[inline]
pub(crate) fn method<B: Buffer>(
    channel: u16,
    name: Name,
    out: &mut B,
    fields: impl FnOnce(&mut B),
) {
    put_frame(METHOD, channel, out, |out| {
        out.put_slice(&name.0.to_be_bytes());
        out.put_slice(&name.1.to_be_bytes());
        fields(out);
    });
}

/// Appends a method whose fields are these bytes.
pub(crate) fn plain(channel: u16, name: Name, fields: &[u8], out: &mut impl Buffer) {
    method(channel, name, out, |out| out.put_slice(fields));
}

/// Connection.Start-Ok: who we are, and what we understand beyond the specification.
pub(crate) fn start_ok(mechanism: &str, response: &[u8], name: &str, out: &mut impl Buffer) {
    let capabilities = CAPABILITIES.map(|name| (name.into(), AmqpValue::Bool(true)));
    let text = |text: &str| AmqpValue::Text(text.into());
    let properties = [
        ("product".into(), text("iotctl")),
        ("version".into(), text(env!("CARGO_PKG_VERSION"))),
        ("connection_name".into(), text(name)),
        ("capabilities".into(), AmqpValue::Table(capabilities.into())),
    ];
    method(0, START_OK, out, |out| {
        table::put(&properties, out);
        put_short(mechanism, out);
        put_long(response, out);
        put_short("en_US", out);
    });
}

/// Connection.Tune-Ok.
pub(crate) fn tune_ok(channels: u16, frame_max: u32, heartbeat: u16, out: &mut impl Buffer) {
    method(0, TUNE_OK, out, |out| {
        out.put_slice(&channels.to_be_bytes());
        out.put_slice(&frame_max.to_be_bytes());
        out.put_slice(&heartbeat.to_be_bytes());
    });
}

/// Connection.Open.
pub(crate) fn open(vhost: &str, out: &mut impl Buffer) {
    method(0, OPEN, out, |out| {
        put_short(vhost, out);
        // Two fields that are not used any more.
        out.put_slice(&[0, 0]);
    });
}

/// Connection.Close or Channel.Close, without a reproach.
pub(crate) fn close(channel: u16, out: &mut impl Buffer) {
    let name = if channel == 0 { CLOSE } else { CHANNEL_CLOSE };
    method(channel, name, out, |out| {
        out.put_slice(&200_u16.to_be_bytes());
        put_short("done", out);
        out.put_slice(&[0; 4]);
    });
}

/// Channel.Open.
pub(crate) fn open_channel(channel: u16, out: &mut impl Buffer) {
    plain(channel, CHANNEL_OPEN, &[0], out);
}

/// Basic.Qos for each consumer of the channel. The answer also proves that the server has read all before it.
pub(crate) fn qos(channel: u16, prefetch: u16, out: &mut impl Buffer) {
    method(channel, QOS, out, |out| {
        out.put_slice(&[0; 4]);
        out.put_slice(&prefetch.to_be_bytes());
        out.put_u8(0);
    });
}

/// What Basic.Consume may say besides its queue (§1.8.3.3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Consume<'a> {
    /// Empty: the server makes up the consumer's name.
    pub(crate) tag: &'a str,
    /// The server counts a message as done when it has sent it.
    pub(crate) auto_ack: bool,
    /// Nobody else may consume from the queue.
    pub(crate) exclusive: bool,
    pub(crate) arguments: &'a [(ByteString, AmqpValue)],
}

/// Basic.Consume.
pub(crate) fn consume(channel: u16, queue: &str, how: Consume<'_>, out: &mut impl Buffer) {
    method(channel, CONSUME, out, |out| {
        out.put_u16(0);
        put_short(queue, out);
        put_short(how.tag.as_bytes(), out);
        out.put_u8(u8::from(how.auto_ack) << 1 | u8::from(how.exclusive) << 2);
        table::put(how.arguments, out);
    });
}

/// Basic.Cancel.
pub(crate) fn cancel(channel: u16, tag: impl AsRef<[u8]>, out: &mut impl Buffer) {
    method(channel, CANCEL, out, |out| {
        put_short(tag, out);
        out.put_u8(0);
    });
}

/// Basic.Get.
pub(crate) fn get(channel: u16, queue: &str, auto_ack: bool, out: &mut impl Buffer) {
    method(channel, GET, out, |out| {
        out.put_slice(&[0, 0]);
        put_short(queue, out);
        out.put_u8(u8::from(auto_ack));
    });
}

/// Queue.Declare of one that goes with its connection.
pub(crate) fn declare_exclusive(channel: u16, queue: &str, out: &mut impl Buffer) {
    const EXCLUSIVE: u8 = 4;
    declare(channel, queue, EXCLUSIVE, &[], out);
}

/// Queue.Declare; the bits of `flags` from the lowest: passive, durable, exclusive, auto-delete.
pub(crate) fn declare(
    channel: u16,
    queue: &str,
    flags: u8,
    arguments: &[(ByteString, AmqpValue)],
    out: &mut impl Buffer,
) {
    method(channel, DECLARE, out, |out| {
        out.put_u16(0);
        put_short(queue, out);
        out.put_u8(flags);
        table::put(arguments, out);
    });
}

/// Queue.Delete.
pub(crate) fn delete(channel: u16, queue: &str, out: &mut impl Buffer) {
    method(channel, DELETE, out, |out| {
        out.put_slice(&[0, 0]);
        put_short(queue, out);
        out.put_u8(0);
    });
}

/// Queue.Bind, or Exchange.Bind, which has the same fields, with the destination first.
pub(crate) fn bind(
    channel: u16,
    name: Name,
    [destination, source, key]: [&str; 3],
    arguments: &[(ByteString, AmqpValue)],
    out: &mut impl Buffer,
) {
    method(channel, name, out, |out| {
        out.put_u16(0);
        for text in [destination, source, key] {
            put_short(text, out);
        }
        out.put_u8(0);
        table::put(arguments, out);
    });
}

/// Queue.Unbind.
pub(crate) fn unbind(channel: u16, [queue, exchange, key]: [&str; 3], out: &mut impl Buffer) {
    method(channel, UNBIND, out, |out| {
        out.put_slice(&[0, 0]);
        for text in [queue, exchange, key] {
            put_short(text, out);
        }
        out.put_slice(&[0; 4]);
    });
}

/// Basic.Ack.
#[inline]
pub(crate) fn ack(channel: u16, tag: u64, multiple: bool, out: &mut impl Buffer) {
    let [high, low] = channel.to_be_bytes();
    let mut frame = [
        METHOD, high, low, 0, 0, 0, 13, 0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, END,
    ];
    frame[11..19].copy_from_slice(&tag.to_be_bytes());
    frame[19] = multiple.into();
    out.put_slice(&frame);
}

/// An answer, whole, to the queue `to` by way of the default exchange.
pub(crate) fn answer(channel: u16, to: &str, body: &[u8], out: &mut impl Buffer) {
    method(channel, PUBLISH, out, |out| {
        // The default exchange has no name.
        out.put_slice(&[0, 0, 0]);
        put_short(to, out);
        out.put_u8(0);
    });
    put_header(channel, body.len(), out, |out| out.put_u16(0));
    put_body(channel, body, usize::MAX, out);
}

/// Basic.Nack, for all deliveries up to this one where `multiple` says so.
pub(crate) fn nack(channel: u16, tag: u64, multiple: bool, requeue: bool, out: &mut impl Buffer) {
    method(channel, NACK, out, |out| {
        out.put_u64(tag);
        out.put_u8(u8::from(multiple) | u8::from(requeue) << 1);
    });
}

/// Basic.Reject, which drops the message or makes it a dead letter.
pub(crate) fn reject(channel: u16, tag: u64, out: &mut impl Buffer) {
    method(channel, REJECT, out, |out| {
        out.put_u64(tag);
        out.put_u8(0);
    });
}
