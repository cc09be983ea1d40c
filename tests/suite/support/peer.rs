//! Scripted servers that behave as badly as a test wants.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::PATIENCE;

/// A server on a free port that treats each connection as its script says.
pub struct Peer<T = ()> {
    pub port: u16,
    results: Receiver<T>,
}

impl<T: Send + 'static> Peer<T> {
    /// Runs `script` for one connection after the other, with the connection's number from 0; it reads at most
    /// for [`PATIENCE`], and the connection is closed when the script ends.
    pub fn start(mut script: impl FnMut(&mut TcpStream, usize) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, results) = channel();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                let result = script(&mut stream, number);
                drop(stream);
                if sender.send(result).is_err() {
                    return;
                }
            }
        });
        Self { port, results }
    }

    /// What the script made of the next connection.
    #[track_caller]
    pub fn result(&self) -> T {
        let result = self.results.recv_timeout(PATIENCE);
        result.expect("the script has come to an end")
    }

    /// How many connections have come to their end and were not asked for by `result`.
    pub fn others(&self) -> usize {
        self.results.try_iter().count()
    }
}

/// Reads one MQTT packet: its first byte and its body. `None` at the end of the connection.
pub fn read_packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let first = byte[0];
    let (mut length, mut shift) = (0usize, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first, body))
}

/// Reads packets up to one of this type (the upper half of its first byte); `None` if it does not come.
pub fn read_until(stream: &mut TcpStream, kind: u8) -> Option<Vec<u8>> {
    loop {
        let (first, body) = read_packet(stream)?;
        if first & 0xf0 == kind {
            return Some(body);
        }
    }
}

/// Reads until the other side closes, whatever comes.
pub fn drain(stream: &mut TcpStream) {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
}

/// The first bytes of the packets that came until the other side closed.
pub fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let Some((first, _)) = read_packet(stream) {
        kinds.push(first);
    }
    kinds
}

/// Reads CONNECT and accepts it; returns its body.
pub fn welcome(stream: &mut TcpStream) -> Vec<u8> {
    refuse(stream, 0)
}

/// Reads CONNECT and answers it with a return code or reason code; returns its body.
pub fn refuse(stream: &mut TcpStream, code: u8) -> Vec<u8> {
    let (first, body) = read_packet(stream).expect("a CONNECT");
    assert_eq!(first, 0x10);
    if level(&body) == 5 {
        send(stream, &[0x20, 3, 0, code, 0]);
    } else {
        send(stream, &[0x20, 2, 0, code]);
    }
    body
}

/// The protocol level of a CONNECT: 3, 4 or 5.
pub fn level(connect: &[u8]) -> u8 {
    connect[2 + usize::from(connect[1])]
}

/// Accepts an MQTT 5 CONNECT and answers its SUBSCRIBE with one reason code for each filter.
pub fn subscribed(stream: &mut TcpStream, codes: &[u8]) {
    welcome(stream);
    let subscribe = read_until(stream, 0x80).expect("a SUBSCRIBE");
    let answer = [&subscribe[..2], &[0], codes].concat();
    send(stream, &packet(0x90, &answer));
}

/// A packet of at most 16,383 bytes with this first byte.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    if length < 128 {
        return [&[first, length as u8], body].concat();
    }
    assert!(length < 16_384);
    [&[first, length as u8 | 0x80, (length >> 7) as u8], body].concat()
}

/// An MQTT 5 PUBLISH without properties.
pub fn publish(topic: &str, qos: u8, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = [&[0, topic.len() as u8], topic.as_bytes()].concat();
    if qos > 0 {
        body.extend(id.to_be_bytes());
    }
    body.push(0);
    body.extend(payload);
    packet(0x30 | qos << 1, &body)
}

/// Writes all of it; a peer that has gone away is no matter.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// Reads a request of HTTP with a length: what stands before its body, and that. `None` at the end of the connection.
pub fn read_request(stream: &mut TcpStream) -> Option<(String, String)> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).unwrap()))
}

/// Answers it; `more`: further lines of the head, each with its end.
pub fn answer(stream: &mut TcpStream, status: &str, more: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}\r\n{body}");
    send(stream, text.as_bytes());
}
