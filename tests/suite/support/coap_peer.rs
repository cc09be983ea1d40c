//! CoAP servers that answer as a test says, byte by byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};

use super::PATIENCE;

/// A UDP server that answers the Nth datagram as its script says; its URI.
pub fn peer(mut script: impl FnMut(&[u8], usize) -> Vec<Vec<u8>> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let uri = format!("coap://{}/x", socket.local_addr().unwrap());
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        let mut number = 0;
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            for answer in script(&buffer[..length], number) {
                let _ = socket.send_to(&answer, from);
            }
            number += 1;
        }
    });
    uri
}

/// A TCP server that says this to whoever comes, and then reads until the other side closes, or closes at once.
pub fn stream_peer(says: &'static [u8], stays: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("coap+tcp://{}/x", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.set_read_timeout(Some(PATIENCE));
            let _ = stream.write_all(says);
            let mut buffer = [0; 1024];
            // What was sent must be read, or closing resets the connection.
            while stays || says.is_empty() {
                match stream.read(&mut buffer) {
                    Ok(1..) if stays => {}
                    _ => break,
                }
            }
        }
    });
    uri
}

/// The token of a request, and its message id.
pub fn parts(request: &[u8]) -> (&[u8], [u8; 2]) {
    let length = usize::from(request[0] & 15);
    (&request[4..4 + length], [request[2], request[3]])
}

/// A message of this type (0 CON, 1 NON, 2 ACK, 3 RST) with the request's token and id.
pub fn message(kind: u8, code: u8, request: &[u8], rest: &[u8]) -> Vec<u8> {
    let (token, mid) = parts(request);
    let head = [0x40 | kind << 4 | token.len() as u8, code, mid[0], mid[1]];
    [&head, token, rest].concat()
}

/// An acknowledgement with a response.
pub fn ack(code: u8, request: &[u8], rest: &[u8]) -> Vec<u8> {
    message(2, code, request, rest)
}

/// An empty message of this type with the request's id.
pub fn empty(kind: u8, request: &[u8]) -> Vec<u8> {
    vec![0x40 | kind << 4, 0, request[2], request[3]]
}

/// Options, which stand in the order of their numbers, and a payload, as they follow the token.
pub fn content(options: &[(u16, &[u8])], payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut last = 0;
    for (number, value) in options {
        let delta = number - last;
        last = *number;
        assert!(value.len() < 13, "long enough for tests");
        let short = value.len() as u8;
        match delta {
            0..13 => bytes.push((delta as u8) << 4 | short),
            13..269 => bytes.extend([0xd0 | short, (delta - 13) as u8]),
            _ => {
                bytes.push(0xe0 | short);
                bytes.extend((delta - 269).to_be_bytes());
            }
        }
        bytes.extend_from_slice(value);
    }
    if !payload.is_empty() {
        bytes.push(0xff);
        bytes.extend_from_slice(payload);
    }
    bytes
}

/// The value of an option of a request, the first of this number.
pub fn option_of(request: &[u8], wanted: u16) -> Option<Vec<u8>> {
    let mut bytes = request[4 + usize::from(request[0] & 15)..].iter().copied();
    let mut number = 0;
    loop {
        let first = bytes.next().filter(|byte| *byte != 0xff)?;
        number += extended(&mut bytes, first >> 4);
        let length = extended(&mut bytes, first & 15).into();
        let value: Vec<u8> = bytes.by_ref().take(length).collect();
        if number == wanted {
            return Some(value);
        }
    }
}

fn extended(bytes: &mut impl Iterator<Item = u8>, nibble: u8) -> u16 {
    let mut next = || u16::from(bytes.next().unwrap());
    match nibble {
        13 => next() + 13,
        14 => (next() << 8 | next()) + 269,
        small => small.into(),
    }
}

/// A message of a stream peer: its code and its token.
pub fn frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut bytes = |count: usize| {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let first = bytes(1)?[0];
    let length = match first >> 4 {
        13 => 13 + usize::from(bytes(1)?[0]),
        length => length.into(),
    };
    let code = bytes(1)?[0];
    let token = bytes(usize::from(first & 15))?;
    bytes(length)?;
    Some((code, token))
}
