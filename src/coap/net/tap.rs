//! Shows every message that passes, whatever carries it.

use crate::coap::endpoint::{Peer, Transport};
use crate::coap::frame::{self, Decoder};
use crate::coap::message::Message;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From us.
    Out,
    /// To us.
    In,
}

/// What passed: a message, or what is wrong with the bytes.
pub type Seen<'a> = Result<&'a Message, String>;

type Show = Box<dyn FnMut(Direction, Peer, Seen<'_>) + Send>;

/// Looks at the bytes between endpoint and wire.
pub struct Tap {
    show: Show,
    transport: Transport,
    out: Decoder,
    incoming: Decoder,
}

impl Tap {
    /// A tap that hands each message to `show`.
    pub fn new(show: impl FnMut(Direction, Peer, Seen<'_>) + Send + 'static) -> Self {
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

    pub(super) fn see(&mut self, direction: Direction, peer: Peer, bytes: &[u8]) {
        let message = match self.transport {
            Transport::Datagram => Message::decode(bytes).map_err(|fault| fault.to_string()),
            Transport::WebSocket => {
                frame::decode_websocket(bytes).map_err(|fault| fault.to_string())
            }
            Transport::Stream => return self.see_stream(direction, peer, bytes),
        };
        (self.show)(direction, peer, message.as_ref().map_err(Clone::clone));
    }

    fn see_stream(&mut self, direction: Direction, peer: Peer, bytes: &[u8]) {
        let decoder = match direction {
            Direction::Out => &mut self.out,
            Direction::In => &mut self.incoming,
        };
        decoder.push(bytes);
        loop {
            match decoder.take() {
                Ok(Some(message)) => (self.show)(direction, peer, Ok(&message)),
                Ok(None) => return,
                Err(fault) => return (self.show)(direction, peer, Err(fault.to_string())),
            }
        }
    }
}
