//! A connected UDP socket: only the peer is heard, and nobody listening there is known at once.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::net::UdpSocket;

use super::wire::Received;
use crate::coap::endpoint::Peer;
use crate::connect::happy::telling;
use crate::connect::{Target, udp};
use crate::error::Result;

/// Datagrams to and from one peer. As long as it has not answered, a refusal makes us try its next address.
pub(super) struct Udp {
    socket: UdpSocket,
    /// Where the socket is connected to.
    address: SocketAddr,
    others: VecDeque<SocketAddr>,
    queue: VecDeque<Bytes>,
    /// The failure of the addresses before that tells most.
    failure: Option<io::Error>,
    /// What was sent before anything was heard; goes to the next address too.
    unheard: Option<Vec<Bytes>>,
}

impl Udp {
    /// Opens a socket to the first address.
    pub(super) async fn open(target: &Target, addresses: &[SocketAddr]) -> Result<Self> {
        let mut others: VecDeque<_> = addresses.iter().copied().collect();
        loop {
            // `addresses` has one at least, and the loop ends with the last.
            let Some(address) = others.pop_front() else {
                return Err(crate::error::Error::new(
                    crate::error::Kind::Unreachable,
                    format!("cannot connect to {target}: no address"),
                ));
            };
            match udp::connected(target, address).await {
                Ok(socket) => {
                    let unheard = (!others.is_empty()).then(Vec::new);
                    return Ok(Self {
                        socket,
                        address,
                        others,
                        queue: VecDeque::new(),
                        failure: None,
                        unheard,
                    });
                }
                // A machine without IPv6 has no route to the first address of many names.
                Err(_) if !others.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn queue(&mut self, bytes: Bytes) {
        if let Some(unheard) = &mut self.unheard {
            unheard.push(bytes.clone());
        }
        self.queue.push_back(bytes);
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while let Some(next) = self.queue.front() {
            let sent = self.socket.send(next).await;
            match sent {
                Ok(_) => drop(self.queue.pop_front()),
                Err(cause) => self.undelivered(cause).await?,
            }
        }
        Ok(())
    }

    pub(super) async fn hear(&mut self, peer: Peer, buffer: &mut [u8]) -> Received {
        loop {
            match self.socket.recv(buffer).await {
                Ok(length) => {
                    self.unheard = None;
                    return Received::Datagram(peer, length);
                }
                Err(cause) => {
                    if let Err(cause) = self.undelivered(cause).await {
                        return Received::Undelivered(cause);
                    }
                    if let Err(cause) = Box::pin(self.flush()).await {
                        return Received::Undelivered(cause);
                    }
                }
            }
        }
    }

    /// Turns to the next address, if there is one and nothing was heard so far.
    async fn undelivered(&mut self, cause: io::Error) -> io::Result<()> {
        self.failure = Some(match self.failure.take() {
            Some(before) => telling(before, cause),
            None => cause,
        });
        while let Some(unheard) = &self.unheard
            && let Some(next) = self.others.pop_front()
        {
            // An address that this machine cannot send to tells less than a refusal.
            if let Ok(socket) = udp::again(&self.socket, next)
                && socket.connect(next).await.is_ok()
            {
                self.socket = socket;
                self.address = next;
                self.queue = unheard.iter().cloned().collect();
                return Ok(());
            }
        }
        self.queue.clear();
        Err(self
            .failure
            .take()
            .unwrap_or_else(|| io::ErrorKind::Other.into()))
    }
}
