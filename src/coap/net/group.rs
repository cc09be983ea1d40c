//! An unconnected UDP socket: the members of a group answer from their own addresses.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::net::UdpSocket;

use super::wire::Received;
use crate::coap::endpoint::Peer;
use crate::connect::udp;

/// Datagrams to a group, and from its members.
pub(super) struct Group {
    socket: UdpSocket,
    queue: VecDeque<(Peer, Bytes)>,
}

impl Group {
    pub(super) const fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            queue: VecDeque::new(),
        }
    }

    /// Our address as this member, or the group, sees it.
    pub(super) fn local(&self, peer: Peer) -> Option<SocketAddr> {
        let mut local = self.socket.local_addr().ok()?;
        if local.ip().is_unspecified()
            && let Some(source) = udp::source_towards(peer.address())
        {
            local.set_ip(source);
        }
        Some(local)
    }

    pub(super) fn queue(&mut self, peer: Peer, bytes: Bytes) {
        self.queue.push_back((peer, bytes));
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while let Some((peer, bytes)) = self.queue.front() {
            let sent = self.socket.send_to(bytes, peer.address()).await;
            self.queue.pop_front();
            sent?;
        }
        Ok(())
    }

    pub(super) async fn hear(&mut self, buffer: &mut [u8]) -> Received {
        loop {
            // A refusal by one member says nothing about the others.
            if let Ok((length, peer)) = self.socket.recv_from(buffer).await {
                return Received::Datagram(peer.into(), length);
            }
        }
    }
}
