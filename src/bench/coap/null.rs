//! A server that does nothing but answer: what the generator reaches against it is the generator's own limit.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, Socket, Type};

use super::super::answering::Answering;
use crate::coap::code::Code;
use crate::coap::wire::{ACK, CON, NON, RST};
use crate::error::Result;

/// Header, token, Content-Format 0, marker, and a value.
const BODY: &[u8] = b"\xC0\xFF21.5";
const LARGEST: usize = 65_535;

/// A running one on UDP; it ends when it is dropped.
#[derive(Debug)]
pub struct NullServer(Answering);

impl NullServer {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    /// The port or the thread cannot be had.
    pub fn start() -> Result<Self> {
        Answering::start("null server", listen, wake, serve).map(Self)
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Clients may ask for much at once: what there is no room for would be lost.
fn listen() -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_recv_buffer_size(1 << 20)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let socket = UdpSocket::from(socket);
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// An empty datagram wakes it up.
fn wake(address: SocketAddr) -> bool {
    let woken =
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.send_to(&[], address));
    woken.is_ok()
}

fn serve(socket: &UdpSocket, over: &AtomicBool) {
    let mut datagram = vec![0; LARGEST];
    let mut mid = 0;
    while !over.load(Ordering::Relaxed) {
        // An ICMP refusal from a client that is gone is no matter.
        let Ok((length, from)) = socket.recv_from(&mut datagram) else {
            continue;
        };
        if let Some(length) = answer(&mut datagram, length, &mut mid) {
            let _ = socket.send_to(&datagram[..length], from);
        }
    }
}

/// Turns a request into its response; its length, `None`: no response.
fn answer(datagram: &mut [u8], length: usize, mid: &mut u16) -> Option<usize> {
    let first = *datagram[..length].first()?;
    let head = 4 + usize::from(first & 15);
    if length < 4 || length < head || first >> 6 != 1 {
        return None;
    }
    let (kind, code) = (first >> 4 & 3, Code(datagram[1]));
    if code == Code::EMPTY && kind == CON {
        datagram[0] = 0x40 | RST << 4;
        return Some(4);
    }
    if !code.is_request() || !matches!(kind, CON | NON) {
        return None;
    }
    let kind = if kind == CON { ACK } else { NON };
    if kind == NON {
        *mid = mid.wrapping_add(1);
        datagram[2..4].copy_from_slice(&mid.to_be_bytes());
    }
    datagram[0] = 0x40 | kind << 4 | first & 15;
    datagram[1] = match code {
        Code::GET | Code::FETCH => Code::CONTENT.0,
        Code::DELETE => Code::DELETED.0,
        _ => Code::CHANGED.0,
    };
    if datagram[1] != Code::CONTENT.0 {
        return Some(head);
    }
    datagram[head..head + BODY.len()].copy_from_slice(BODY);
    Some(head + BODY.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coap::message::{Message, Token, Type};

    fn answered(request: &Message) -> Option<Message> {
        let bytes = request.encode().unwrap();
        let mut datagram = vec![0; 64];
        datagram[..bytes.len()].copy_from_slice(&bytes);
        let length = answer(&mut datagram, bytes.len(), &mut 0)?;
        Some(Message::decode(&datagram[..length]).unwrap())
    }

    #[test]
    fn requests_are_answered_as_they_came_and_all_else_is_not() {
        let token = Token::new(&[1, 2, 3]).unwrap();
        for (kind, code, answers) in [
            (Type::Con, Code::GET, (Type::Ack, Code::CONTENT)),
            (Type::Con, Code::PUT, (Type::Ack, Code::CHANGED)),
            (Type::Non, Code::DELETE, (Type::Non, Code::DELETED)),
        ] {
            let request = Message::new(kind, code, 77, token);
            let response = answered(&request).unwrap();
            assert_eq!((response.kind, response.code), answers);
            assert_eq!(response.token, token);
            assert_eq!(response.mid, if kind == Type::Con { 77 } else { 1 });
        }
        let ping = answered(&Message::empty(Type::Con, 5)).unwrap();
        assert_eq!(ping, Message::empty(Type::Rst, 5));
        assert_eq!(answered(&Message::empty(Type::Ack, 5)), None);
        let response = Message::new(Type::Con, Code::CONTENT, 1, token);
        assert_eq!(answered(&response), None);
        for datagram in [&[0x40, 1, 0][..], &[0x4F, 1, 0, 0], &[0x80, 1, 0, 0], &[]] {
            let mut space = [0; 16];
            space[..datagram.len()].copy_from_slice(datagram);
            assert_eq!(answer(&mut space, datagram.len(), &mut 0), None);
        }
    }
}
