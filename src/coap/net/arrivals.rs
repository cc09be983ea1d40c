//! The tasks of a server's sockets and connections, and what they tell it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::LARGEST_DATAGRAM;
use super::stream::Streamed;
use super::wire::Heard;
use crate::coap::endpoint::{Config, Peer};
use crate::connect::{Listener, Stream};

/// Handshakes of connections that take longer are given up.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);

/// What a task tells the server.
pub(super) struct Came {
    pub(super) port: usize,
    pub(super) peer: Peer,
    pub(super) what: What,
}

pub(super) enum What {
    Datagram(Bytes),
    /// A datagram to a group that we are in.
    Multicast(Bytes),
    /// A connection, by which it is written to.
    Connection(mpsc::UnboundedSender<Bytes>),
    Bytes(Bytes),
    Frame(Bytes),
    Ended(String),
}

/// Where a task tells it, and on whose behalf.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) port: usize,
    pub(super) sender: mpsc::Sender<Came>,
}

impl Teller {
    /// False when the server is gone.
    async fn tell(&self, peer: Peer, what: What) -> bool {
        let port = self.port;
        let came = Came { port, peer, what };
        self.sender.send(came).await.is_ok()
    }
}

/// Takes the datagrams of a socket.
pub(super) async fn receive(socket: Arc<UdpSocket>, teller: Teller) {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        // Refusals of single peers are reported here too; they say nothing about the others.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let what = What::Datagram(Bytes::copy_from_slice(&buffer[..length]));
        if !teller.tell(peer, what).await {
            return;
        }
    }
}

/// Takes the datagrams to a group. Where the answers go out by a socket of both families, `mapped` writes the peers'
/// addresses as such a socket has them.
pub(super) async fn receive_for_group(socket: UdpSocket, mapped: bool, teller: Teller) {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        let Ok((length, mut peer)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        if let (SocketAddr::V4(address), true) = (peer, mapped) {
            peer = (address.ip().to_ipv6_mapped(), address.port()).into();
        }
        let what = What::Multicast(Bytes::copy_from_slice(&buffer[..length]));
        if !teller.tell(peer, what).await {
            return;
        }
    }
}

/// Takes the connections of a listener.
pub(super) async fn accept(listener: Listener, websocket: bool, teller: Teller) {
    while let Ok(incoming) = listener.accept().await {
        let teller = teller.clone();
        tokio::spawn(async move {
            let ready = tokio::time::timeout(HANDSHAKE, incoming.ready()).await;
            if let Ok(Ok(stream)) = ready {
                converse(stream, websocket, teller).await;
            }
        });
    }
}

/// Carries one connection until either side ends it.
async fn converse(stream: Stream, websocket: bool, teller: Teller) {
    let Ok(peer) = stream.peer().parse() else {
        return;
    };
    let (writer, mut outgoing) = mpsc::unbounded_channel();
    if !teller.tell(peer, What::Connection(writer)).await {
        return;
    }
    let mut wire = Streamed::new(stream, websocket, Config::default().max_message_size);
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    let why = loop {
        tokio::select! {
            written = outgoing.recv() => match written {
                Some(bytes) => {
                    wire.queue(bytes);
                    while let Ok(more) = outgoing.try_recv() {
                        wire.queue(more);
                    }
                    if wire.flush().await.is_err() {
                        break String::from("it cannot be written to");
                    }
                }
                None => break String::from("closed by us"),
            },
            heard = wire.hear(&mut buffer) => {
                let what = match heard {
                    Heard::Bytes(length) => What::Bytes(Bytes::copy_from_slice(&buffer[..length])),
                    Heard::Frame(frame) => What::Frame(frame),
                    Heard::Ended(why) => break why,
                    Heard::Datagram(..) | Heard::Undelivered(_) => continue,
                };
                if !teller.tell(peer, what).await {
                    return;
                }
            }
        }
    };
    wire.close().await;
    teller.tell(peer, What::Ended(why)).await;
}
