//! What carries the messages of a client.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;

use super::dtls::Secured;
use super::group::Group;
use super::stream::Streamed;
use super::udp::Udp;
use crate::coap::endpoint::{Loss, Peer};

/// What came from the wire.
pub(super) enum Received {
    /// A datagram; its bytes are the first ones of the buffer.
    Datagram(Peer, usize),
    /// Bytes of a stream, in the buffer.
    Bytes(usize),
    /// A whole WebSocket message.
    Frame(Bytes),
    /// The operating system says that a datagram could not be delivered.
    Undelivered(io::Error),
    /// The connection has ended.
    Ended(Loss),
}

/// What carries the messages of a client.
pub(super) enum Wire {
    Udp(Udp),
    Dtls(Box<Secured>),
    Group(Group),
    Stream(Box<Streamed>),
    /// A connection that has ended.
    Gone,
}

impl Wire {
    /// Our address, where it is known, and that of whom the endpoint calls `peer`.
    pub(super) fn ends(&self, peer: Peer) -> (Option<SocketAddr>, SocketAddr) {
        match self {
            Self::Udp(udp) => (udp.local(), udp.address()),
            Self::Dtls(dtls) => (dtls.local(), dtls.address()),
            Self::Group(group) => (group.local(peer), peer.address()),
            Self::Stream(stream) => (stream.local(), peer.address()),
            Self::Gone => (None, peer.address()),
        }
    }

    /// Whether nothing can be asked over it any more, though the endpoint may not have heard of its end yet.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Dtls(dtls) => dtls.is_over(),
            Self::Gone => true,
            _ => false,
        }
    }

    /// Takes what is to be sent; it goes out with the next [`Wire::flush`].
    pub(super) fn queue(&mut self, peer: Peer, bytes: Bytes) {
        match self {
            Self::Udp(udp) => udp.queue(bytes),
            Self::Dtls(dtls) => dtls.queue(&bytes),
            Self::Group(group) => group.queue(peer, bytes),
            Self::Stream(stream) => stream.queue(bytes),
            Self::Gone => {}
        }
    }

    /// Sends what is queued. Cancel-safe.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Udp(udp) => udp.flush().await,
            Self::Dtls(dtls) => dtls.flush().await,
            Self::Group(group) => group.flush().await,
            Self::Stream(stream) => stream.flush().await,
            Self::Gone => Ok(()),
        }
    }

    /// Waits for what comes next. Cancel-safe.
    pub(super) async fn hear(&mut self, peer: Peer, buffer: &mut [u8]) -> Received {
        match self {
            Self::Udp(udp) => udp.hear(peer, buffer).await,
            Self::Dtls(dtls) => dtls.hear(peer, buffer).await,
            Self::Group(group) => group.hear(buffer).await,
            Self::Stream(stream) => stream.hear(buffer).await,
            Self::Gone => std::future::pending().await,
        }
    }
}
