//! Scripted servers that behave as badly as a test wants.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// A server on a free port that treats each connection as `script` says, with the connection's number from 0.
pub struct Peer {
    pub port: u16,
    _thread: JoinHandle<()>,
}

impl Peer {
    pub fn start(script: impl Fn(TcpStream, usize) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                script(stream.unwrap(), number);
            }
        });
        Self {
            port,
            _thread: thread,
        }
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

/// Reads CONNECT and answers it with success; returns the body of the CONNECT.
pub fn welcome(stream: &mut TcpStream) -> Vec<u8> {
    let (first, body) = read_packet(stream).expect("a CONNECT");
    assert_eq!(first, 0x10);
    // The level byte follows the protocol name "MQTT".
    let answer: &[u8] = if body[6] == 5 {
        &[0x20, 3, 0, 0, 0]
    } else {
        &[0x20, 2, 0, 0]
    };
    stream.write_all(answer).unwrap();
    body
}

/// Reads until the other side closes.
pub fn drain(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
}
