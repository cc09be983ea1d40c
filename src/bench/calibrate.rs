//! A peer that does nothing but answer: what the generator reaches against it is the generator's own limit.
//!
//! It speaks just enough of a protocol: it accepts every connection, acknowledges everything and delivers nothing. It is one
//! thread with one loop, and reads and answers in batches.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::epoll;
use socket2::{Domain, Socket, Type};

use super::answering::Answering;
use super::{amqp, mqtt};
use crate::connect::Protocol;
use crate::error::Result;

/// Read at once from one connection.
const READ: usize = 256 * 1024;
const LISTENER: u64 = u64::MAX;

/// A running null peer; it ends when it is dropped.
#[derive(Debug)]
pub struct NullPeer(Answering);

impl NullPeer {
    /// Starts it on a free port of the loopback interface; of [`Protocol`]s it speaks AMQP, and MQTT for the others.
    ///
    /// # Errors
    /// The port or the thread cannot be had.
    pub fn start(protocol: Protocol) -> Result<Self> {
        let serve = move |listener: &TcpListener, over: &AtomicBool| {
            // A peer that cannot go on closes its connections, which the report then shows.
            let _ = serve(listener, protocol, over);
        };
        Answering::start("null peer", listen, wake, serve).map(Self)
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Many connections may come at once: the standard library's queue of 128 would make them wait a second.
fn listen() -> std::io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(4096)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// A connection wakes it up; should that fail it is awake.
fn wake(address: SocketAddr) -> bool {
    let _ = TcpStream::connect(address);
    true
}

/// One connection: the stream, what is half read, and what is half written.
struct Peer {
    stream: TcpStream,
    rest: Vec<u8>,
    answers: Vec<u8>,
    speaks: Speaks,
}

/// The protocol, and what of the connection it must remember.
enum Speaks {
    Mqtt {
        /// Its CONNECT asked for MQTT 5.
        version_5: bool,
    },
    Amqp(amqp::Null),
}

impl Speaks {
    fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Amqp => Self::Amqp(amqp::Null::default()),
            _ => Self::Mqtt { version_5: false },
        }
    }

    fn answer(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        match self {
            Self::Mqtt { version_5 } => mqtt::answer(bytes, version_5, out),
            Self::Amqp(null) => null.answer(bytes, out),
        }
    }
}

fn serve(listener: &TcpListener, protocol: Protocol, over: &AtomicBool) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let readable = epoll::EventFlags::IN;
    epoll::add(
        &poll,
        listener,
        epoll::EventData::new_u64(LISTENER),
        readable,
    )?;
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut events = Vec::with_capacity(256);
    let mut input = vec![0; READ];
    while !over.load(Ordering::SeqCst) {
        events.clear();
        match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(cause.into()),
        }
        for event in &events {
            if event.data.u64() == LISTENER {
                accept(listener, &poll, protocol, &mut peers)?;
                continue;
            }
            let slot = &mut peers[event.data.u64() as usize];
            if slot.as_mut().is_some_and(|peer| !peer.serve(&mut input)) {
                *slot = None;
            }
        }
    }
    Ok(())
}

fn accept(
    listener: &TcpListener,
    poll: &impl std::os::fd::AsFd,
    protocol: Protocol,
    peers: &mut Vec<Option<Peer>>,
) -> std::io::Result<()> {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let data = epoll::EventData::new_u64(peers.len() as u64);
        let events = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(poll, &stream, data, events)?;
        peers.push(Some(Peer {
            stream,
            rest: Vec::new(),
            answers: Vec::new(),
            speaks: Speaks::new(protocol),
        }));
    }
    Ok(())
}

impl Peer {
    /// Reads all there is and answers it; whether the connection goes on.
    fn serve(&mut self, input: &mut Vec<u8>) -> bool {
        loop {
            let rest = self.rest.len();
            if input.len() < 2 * rest {
                input.resize(2 * rest, 0);
            }
            input[..rest].copy_from_slice(&self.rest);
            let read = match self.stream.read(&mut input[rest..]) {
                Ok(0) => return false,
                Ok(read) => read,
                Err(cause) => {
                    let waits = cause.kind() == std::io::ErrorKind::WouldBlock;
                    return waits && self.write();
                }
            };
            let bytes = &input[..rest + read];
            let Some(taken) = self.speaks.answer(bytes, &mut self.answers) else {
                return false;
            };
            self.rest.clear();
            self.rest.extend_from_slice(&bytes[taken..]);
            if !self.write() {
                return false;
            }
        }
    }

    fn write(&mut self) -> bool {
        while !self.answers.is_empty() {
            match self.stream.write(&self.answers) {
                Ok(written) => drop(self.answers.drain(..written)),
                Err(cause) => return cause.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
        true
    }
}
