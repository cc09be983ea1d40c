//! Scripted AMQP servers, frame by frame (AMQP 0-9-1 §4.2).

use std::io::{Read, Write};
use std::net::TcpStream;

/// A method frame: type 1, channel, size, class, method, arguments, 0xCE.
pub(super) fn method(channel: u16, class: u16, id: u16, arguments: &[u8]) -> Vec<u8> {
    let mut frame = vec![1];
    frame.extend(channel.to_be_bytes());
    frame.extend((arguments.len() as u32 + 4).to_be_bytes());
    frame.extend(class.to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend(arguments);
    frame.push(0xCE);
    frame
}

/// A short string.
pub(super) fn short(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

/// Connection.Start that offers `mechanisms`.
pub(super) fn start(mechanisms: &str) -> Vec<u8> {
    let mut arguments = vec![0, 9, 0, 0, 0, 0];
    for text in [mechanisms, "en_US"] {
        arguments.extend((text.len() as u32).to_be_bytes());
        arguments.extend(text.as_bytes());
    }
    method(0, 10, 10, &arguments)
}

/// Connection.Tune.
pub(super) fn tune(frame_max: u32, heartbeat: u16) -> Vec<u8> {
    let mut arguments = 100u16.to_be_bytes().to_vec();
    arguments.extend(frame_max.to_be_bytes());
    arguments.extend(heartbeat.to_be_bytes());
    method(0, 10, 30, &arguments)
}

/// Basic.Deliver to the consumer `c`, with its header and body.
pub(super) fn deliver(tag: u64, redelivered: bool, body: &[u8]) -> Vec<u8> {
    let mut arguments = short("c");
    arguments.extend(tag.to_be_bytes());
    arguments.push(redelivered.into());
    arguments.extend([short(""), short("k")].concat());
    let mut frames = method(1, 60, 60, &arguments);
    let mut header = vec![0, 60, 0, 0];
    header.extend((body.len() as u64).to_be_bytes());
    header.extend([0, 0]);
    for (kind, payload) in [(2, &header[..]), (3, body)] {
        frames.extend([kind, 0, 1]);
        frames.extend((payload.len() as u32).to_be_bytes());
        frames.extend(payload);
        frames.push(0xCE);
    }
    frames
}

/// Reads a frame: its type, and its payload with the end mark.
pub(super) fn frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 7];
    stream.read_exact(&mut head).ok()?;
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let mut body = vec![0; size as usize + 1];
    stream.read_exact(&mut body).ok()?;
    Some((head[0], body))
}

/// Reads frames until a method of this class and id; `None` at the end of the connection.
pub(super) fn until(stream: &mut TcpStream, class: u16, id: u16) -> Option<Vec<u8>> {
    let wanted = [class.to_be_bytes(), id.to_be_bytes()].concat();
    loop {
        let (kind, body) = frame(stream)?;
        if kind == 1 && body.starts_with(&wanted) {
            return Some(body);
        }
    }
}

/// Reads so many messages, each with a body of one frame, to their end.
pub(super) fn messages(stream: &mut TcpStream, count: usize) -> Option<Vec<Vec<u8>>> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let (kind, mut body) = frame(stream)?;
        body.pop();
        if kind == 3 {
            bodies.push(body);
        }
    }
    Some(bodies)
}

/// Goes through the login; the tuned frame size is `frame_max`.
pub(super) fn welcome(stream: &mut TcpStream, frame_max: u32) -> Option<()> {
    stream.read_exact(&mut [0; 8]).ok()?;
    stream.write_all(&start("PLAIN")).ok()?;
    until(stream, 10, 11)?;
    stream.write_all(&tune(frame_max, 0)).ok()?;
    until(stream, 10, 40)?;
    stream.write_all(&method(0, 10, 41, &[0])).ok()
}

/// Goes through everything up to the consumer `c`.
pub(super) fn consumer(stream: &mut TcpStream) -> Option<()> {
    welcome(stream, 131_072)?;
    open_channel(stream)?;
    until(stream, 60, 10)?;
    stream.write_all(&method(1, 60, 11, &[])).ok()?;
    until(stream, 60, 20)?;
    stream.write_all(&method(1, 60, 21, &short("c"))).ok()
}

/// The tag and the multiple flag of the next Basic.Ack.
pub(super) fn next_ack(stream: &mut TcpStream) -> Option<(u64, bool)> {
    let ack = until(stream, 60, 80)?;
    let tag = ack[4..12].try_into().map(u64::from_be_bytes).ok()?;
    Some((tag, ack[12] & 1 == 1))
}

/// Answers the goodbye, which shows that all that came before it was read.
pub(super) fn goodbye(stream: &mut TcpStream) -> Option<()> {
    until(stream, 10, 50)?;
    stream.write_all(&method(0, 10, 51, &[])).ok()
}

/// Opens the channel that is asked for.
pub(super) fn open_channel(stream: &mut TcpStream) -> Option<()> {
    until(stream, 20, 10)?;
    stream.write_all(&method(1, 20, 11, &[0; 4])).ok()
}
