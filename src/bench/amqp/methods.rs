//! The methods we send (AMQP 0-9-1 §1.4 and on), as frames.

use super::scan::{BODY, END, HEADER, METHOD};
use crate::amqp::consumer::Offset;
use crate::message::AmqpValue;

/// What each side says first: AMQP 0-9-1.
pub(super) const PROTOCOL: &[u8] = b"AMQP\0\0\x09\x01";
/// A frame that only says that we are there.
pub(super) const HEARTBEAT: &[u8] = &[super::scan::HEARTBEAT, 0, 0, 0, 0, 0, 0, END];

/// The queue that stands for the channel of who consumes from it (RabbitMQ).
pub(super) const DIRECT_REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// Class and method number.
pub(super) type Name = (u16, u16);

pub(super) const START: Name = (10, 10);
pub(super) const START_OK: Name = (10, 11);
pub(super) const TUNE: Name = (10, 30);
pub(super) const TUNE_OK: Name = (10, 31);
pub(super) const OPEN: Name = (10, 40);
pub(super) const OPEN_OK: Name = (10, 41);
pub(super) const CLOSE: Name = (10, 50);
pub(super) const CLOSE_OK: Name = (10, 51);
pub(super) const BLOCKED: Name = (10, 60);
pub(super) const UNBLOCKED: Name = (10, 61);
pub(super) const CHANNEL_OPEN: Name = (20, 10);
pub(super) const CHANNEL_OPEN_OK: Name = (20, 11);
pub(super) const FLOW: Name = (20, 20);
pub(super) const FLOW_OK: Name = (20, 21);
pub(super) const CHANNEL_CLOSE: Name = (20, 40);
pub(super) const CHANNEL_CLOSE_OK: Name = (20, 41);
pub(super) const DECLARE: Name = (50, 10);
pub(super) const BIND: Name = (50, 20);
pub(super) const DELETE: Name = (50, 40);
pub(super) const DELETE_OK: Name = (50, 41);
pub(super) const UNBIND: Name = (50, 50);
pub(super) const UNBIND_OK: Name = (50, 51);
pub(super) const QOS: Name = (60, 10);
pub(super) const QOS_OK: Name = (60, 11);
pub(super) const CONSUME: Name = (60, 20);
pub(super) const CONSUME_OK: Name = (60, 21);
pub(super) const CANCEL: Name = (60, 30);
pub(super) const CANCEL_OK: Name = (60, 31);
pub(super) const PUBLISH: Name = (60, 40);
pub(super) const RETURN: Name = (60, 50);
pub(super) const DELIVER: Name = (60, 60);
pub(super) const GET: Name = (60, 70);
pub(super) const GET_OK: Name = (60, 71);
pub(super) const GET_EMPTY: Name = (60, 72);
pub(super) const ACK: Name = (60, 80);
pub(super) const NACK: Name = (60, 120);
pub(super) const CONFIRM: Name = (85, 10);
pub(super) const CONFIRM_OK: Name = (85, 11);

/// Appends a frame with what `payload` appends.
pub(super) fn frame(kind: u8, channel: u16, out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
    out.push(kind);
    out.extend_from_slice(&channel.to_be_bytes());
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    payload(out);
    let size = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&size.to_be_bytes());
    out.push(END);
}

/// Appends a method with the fields that `fields` appends.
pub(super) fn method(
    channel: u16,
    name: Name,
    out: &mut Vec<u8>,
    fields: impl FnOnce(&mut Vec<u8>),
) {
    frame(METHOD, channel, out, |out| {
        out.extend_from_slice(&name.0.to_be_bytes());
        out.extend_from_slice(&name.1.to_be_bytes());
        fields(out);
    });
}

/// Appends a method whose fields are these bytes.
pub(super) fn plain(channel: u16, name: Name, fields: &[u8], out: &mut Vec<u8>) {
    method(channel, name, out, |out| out.extend_from_slice(fields));
}

/// Appends a short string; what is longer than one can be was refused before.
pub(super) fn short(text: &str, out: &mut Vec<u8>) {
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a string or table with its length in four bytes.
fn long(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Connection.Start-Ok: who we are, and what we understand beyond the specification.
pub(super) fn start_ok(mechanism: &str, response: &[u8], name: &str, out: &mut Vec<u8>) {
    let mut capabilities = Vec::new();
    for name in [
        "authentication_failure_close",
        "basic.nack",
        "connection.blocked",
        "consumer_cancel_notify",
        "publisher_confirms",
    ] {
        short(name, &mut capabilities);
        capabilities.extend_from_slice(b"t\x01");
    }
    let mut properties = Vec::new();
    for (key, value) in [("product", "iotctl"), ("connection_name", name)] {
        short(key, &mut properties);
        properties.push(b'S');
        long(value.as_bytes(), &mut properties);
    }
    short("capabilities", &mut properties);
    properties.push(b'F');
    long(&capabilities, &mut properties);
    method(0, START_OK, out, |out| {
        long(&properties, out);
        short(mechanism, out);
        long(response, out);
        short("en_US", out);
    });
}

/// Connection.Tune-Ok.
pub(super) fn tune_ok(channels: u16, frame_max: u32, heartbeat: u16, out: &mut Vec<u8>) {
    method(0, TUNE_OK, out, |out| {
        out.extend_from_slice(&channels.to_be_bytes());
        out.extend_from_slice(&frame_max.to_be_bytes());
        out.extend_from_slice(&heartbeat.to_be_bytes());
    });
}

/// Connection.Open.
pub(super) fn open(vhost: &str, out: &mut Vec<u8>) {
    method(0, OPEN, out, |out| {
        short(vhost, out);
        // Two fields that are not used any more.
        out.extend_from_slice(&[0, 0]);
    });
}

/// Connection.Close or Channel.Close, without a reproach.
pub(super) fn close(channel: u16, out: &mut Vec<u8>) {
    let name = if channel == 0 { CLOSE } else { CHANNEL_CLOSE };
    method(channel, name, out, |out| {
        out.extend_from_slice(&200_u16.to_be_bytes());
        short("done", out);
        out.extend_from_slice(&[0; 4]);
    });
}

/// Channel.Open.
pub(super) fn open_channel(channel: u16, out: &mut Vec<u8>) {
    plain(channel, CHANNEL_OPEN, &[0], out);
}

/// Basic.Qos for each consumer of the channel. The answer also proves that the server has read all before it.
pub(super) fn qos(channel: u16, prefetch: u16, out: &mut Vec<u8>) {
    method(channel, QOS, out, |out| {
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&prefetch.to_be_bytes());
        out.push(0);
    });
}

/// A table with the one argument that says where in a stream to begin, without its length.
pub(super) fn stream_offset(offset: &Offset) -> Vec<u8> {
    let mut table = Vec::new();
    short("x-stream-offset", &mut table);
    match offset.value() {
        AmqpValue::Int(number) => {
            table.push(b'l');
            table.extend_from_slice(&number.to_be_bytes());
        }
        AmqpValue::Timestamp(seconds) => {
            table.push(b'T');
            table.extend_from_slice(&seconds.to_be_bytes());
        }
        text => {
            table.push(b'S');
            long(text.to_string().as_bytes(), &mut table);
        }
    }
    table
}

/// Basic.Consume; an empty `tag` leaves the consumer's name to the server, `arguments` are a table without its length.
pub(super) fn consume(
    channel: u16,
    queue: &str,
    tag: &str,
    auto_ack: bool,
    arguments: &[u8],
    out: &mut Vec<u8>,
) {
    method(channel, CONSUME, out, |out| {
        out.extend_from_slice(&[0, 0]);
        short(queue, out);
        short(tag, out);
        out.push(u8::from(auto_ack) << 1);
        long(arguments, out);
    });
}

/// Basic.Cancel.
pub(super) fn cancel(channel: u16, tag: &str, out: &mut Vec<u8>) {
    method(channel, CANCEL, out, |out| {
        short(tag, out);
        out.push(0);
    });
}

/// Basic.Get.
pub(super) fn get(channel: u16, queue: &str, auto_ack: bool, out: &mut Vec<u8>) {
    method(channel, GET, out, |out| {
        out.extend_from_slice(&[0, 0]);
        short(queue, out);
        out.push(u8::from(auto_ack));
    });
}

/// Queue.Declare of one that goes with its connection.
pub(super) fn declare_exclusive(channel: u16, queue: &str, out: &mut Vec<u8>) {
    const EXCLUSIVE: u8 = 4;
    method(channel, DECLARE, out, |out| {
        out.extend_from_slice(&[0, 0]);
        short(queue, out);
        out.push(EXCLUSIVE);
        out.extend_from_slice(&[0; 4]);
    });
}

/// Queue.Delete.
pub(super) fn delete(channel: u16, queue: &str, out: &mut Vec<u8>) {
    method(channel, DELETE, out, |out| {
        out.extend_from_slice(&[0, 0]);
        short(queue, out);
        out.push(0);
    });
}

/// Queue.Bind.
pub(super) fn bind(channel: u16, [queue, exchange, key]: [&str; 3], out: &mut Vec<u8>) {
    method(channel, BIND, out, |out| {
        out.extend_from_slice(&[0, 0]);
        for text in [queue, exchange, key] {
            short(text, out);
        }
        out.extend_from_slice(&[0; 5]);
    });
}

/// Queue.Unbind.
pub(super) fn unbind(channel: u16, [queue, exchange, key]: [&str; 3], out: &mut Vec<u8>) {
    method(channel, UNBIND, out, |out| {
        out.extend_from_slice(&[0, 0]);
        for text in [queue, exchange, key] {
            short(text, out);
        }
        out.extend_from_slice(&[0; 4]);
    });
}

/// Basic.Ack.
#[inline]
pub(super) fn ack(channel: u16, tag: u64, multiple: bool, out: &mut Vec<u8>) {
    let [high, low] = channel.to_be_bytes();
    let mut frame = [
        METHOD, high, low, 0, 0, 0, 13, 0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, END,
    ];
    frame[11..19].copy_from_slice(&tag.to_be_bytes());
    frame[19] = multiple.into();
    out.extend_from_slice(&frame);
}

/// An answer, whole, to the queue `to` by way of the default exchange.
pub(super) fn answer(channel: u16, to: &str, body: &[u8], out: &mut Vec<u8>) {
    method(channel, PUBLISH, out, |out| {
        // The default exchange has no name.
        out.extend_from_slice(&[0, 0, 0]);
        short(to, out);
        out.push(0);
    });
    frame(HEADER, channel, out, |out| {
        out.extend_from_slice(&[0, 60, 0, 0]);
        out.extend_from_slice(&(body.len() as u64).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
    });
    if !body.is_empty() {
        frame(BODY, channel, out, |out| out.extend_from_slice(body));
    }
}

/// Basic.Nack of one delivery.
pub(super) fn nack(channel: u16, tag: u64, requeue: bool, out: &mut Vec<u8>) {
    const REQUEUE: u8 = 2;
    method(channel, NACK, out, |out| {
        out.extend_from_slice(&tag.to_be_bytes());
        out.push(if requeue { REQUEUE } else { 0 });
    });
}
