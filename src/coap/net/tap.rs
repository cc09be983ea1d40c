//! Shows every message that passes, whatever carries it.

use std::net::SocketAddr;

use crate::coap::endpoint::Transport;
use crate::coap::frame::{self, Decoder};
use crate::coap::message::Message;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From us.
    Out,
    /// To us.
    In,
}

/// What passed.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    /// Which way.
    pub direction: Direction,
    /// Our address, where it is known.
    pub local: Option<SocketAddr>,
    /// The other side's.
    pub peer: SocketAddr,
    /// How its bytes are framed.
    pub transport: Transport,
    /// The bytes that it came or went in: a datagram, a piece of a stream, a WebSocket message.
    pub bytes: &'a [u8],
    /// The message, or what is wrong with the bytes.
    pub message: Result<&'a Message, String>,
}

/// Our address, where it is known, and the other side's.
type Ends = (Option<SocketAddr>, SocketAddr);

type Show = Box<dyn FnMut(Seen<'_>) + Send>;

/// Looks at the bytes between endpoint and wire.
pub(crate) struct Tap {
    show: Show,
    transport: Transport,
    out: Decoder,
    incoming: Decoder,
}

impl Tap {
    /// A tap that hands each message to `show`.
    pub(crate) fn new(show: impl FnMut(Seen<'_>) + Send + 'static) -> Self {
        Self {
            show: Box::new(show),
            transport: Transport::Datagram,
            out: Decoder::new(usize::MAX),
            incoming: Decoder::new(usize::MAX),
        }
    }

    pub(super) const fn set_transport(&mut self, transport: Transport) {
        self.transport = transport;
    }

    pub(super) fn see(&mut self, direction: Direction, ends: Ends, bytes: &[u8]) {
        let message = match self.transport {
            Transport::Datagram => Message::decode(bytes).map_err(|fault| fault.to_string()),
            Transport::WebSocket => {
                frame::decode_websocket(bytes).map_err(|fault| fault.to_string())
            }
            Transport::Stream => return self.see_stream(direction, ends, bytes),
        };
        let message = message.as_ref().map_err(Clone::clone);
        self.tell(direction, ends, bytes, message);
    }

    fn tell(
        &mut self,
        direction: Direction,
        (local, peer): Ends,
        bytes: &[u8],
        message: Result<&Message, String>,
    ) {
        (self.show)(Seen {
            direction,
            local,
            peer,
            transport: self.transport,
            bytes,
            message,
        });
    }

    fn see_stream(&mut self, direction: Direction, ends: Ends, bytes: &[u8]) {
        match direction {
            Direction::Out => self.out.push(bytes),
            Direction::In => self.incoming.push(bytes),
        }
        loop {
            let taken = match direction {
                Direction::Out => self.out.take(),
                Direction::In => self.incoming.take(),
            };
            match taken {
                Ok(Some(message)) => {
                    self.tell(direction, ends, bytes, Ok(&message));
                }
                Ok(None) => return,
                Err(fault) => return self.tell(direction, ends, bytes, Err(fault.to_string())),
            }
        }
    }
}
