//! The tasks of a server's sockets and connections, and what they tell it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::LARGEST_DATAGRAM;
use super::seats::{Room, Seat, Seats};
use super::stream::Streamed;
use super::wire::Received;
use crate::coap::endpoint::{Config, Peer};
use crate::connect::{Addressed, Listener, Stream};
use crate::error::{Error, Kind};

/// Handshakes of connections that take longer are given up.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);

/// A connection that takes nothing of what is written to it for this long is ended.
const STALLED: Duration = Duration::from_secs(60);

/// How long the orderly end of a connection may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Bytes that are read of a connection at once.
const READ: usize = 16 << 10;

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
    /// So many bytes of what it was given to write are on their way.
    Written(usize),
    Ended(String),
    /// There is no connection, for this reason.
    NotAccepted(String),
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

    /// Tells why there is no connection; where too much waits already, the line is lost.
    fn mention(&self, error: &Error) {
        let _ = self.sender.try_send(Came {
            port: self.port,
            peer: SocketAddr::from(([0; 4], 0)).into(),
            what: What::NotAccepted(error.text().to_owned()),
        });
    }
}

/// Takes the datagrams of a socket.
pub(super) async fn receive(socket: Arc<Addressed>, teller: Teller) {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        // Refusals of single peers are reported here too; they say nothing about the others.
        let Ok((length, from, asked)) = socket.receive(&mut buffer).await else {
            continue;
        };
        let what = What::Datagram(Bytes::copy_from_slice(&buffer[..length]));
        if !teller.tell(Peer::from(from).asking(asked), what).await {
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
        if !teller.tell(peer.into(), what).await {
            return;
        }
    }
}

/// Takes the connections of a listener.
pub(super) async fn accept(listener: Listener, websocket: bool, seats: Seats, teller: Teller) {
    let trouble = |error: &Error| teller.mention(error);
    loop {
        let incoming = match listener.accept_or(trouble).await {
            Ok(incoming) => incoming,
            Err(error) => return trouble(&error),
        };
        let Ok(address) = incoming.peer().parse::<SocketAddr>() else {
            continue;
        };
        let Some(mut seat) = seats.take(address.into()) else {
            continue;
        };
        let (seats, teller) = (seats.clone(), teller.clone());
        tokio::spawn(async move {
            let ready = timeout(HANDSHAKE, incoming.ready());
            let ready = tokio::select! {
                ready = ready => ready.unwrap_or_else(|_| Err(late(address))),
                () = seat.lost() => return,
            };
            match ready {
                Ok(stream) => converse(stream, websocket, seats.room(), &mut seat, teller).await,
                Err(error) => teller.mention(&error),
            }
        });
    }
}

fn late(peer: SocketAddr) -> Error {
    let text = format!("handshake with {peer} timed out");
    Error::new(Kind::TimedOut, text)
}

/// Carries one connection until either side ends it.
async fn converse(
    stream: Stream,
    websocket: bool,
    room: Arc<Room>,
    seat: &mut Seat,
    teller: Teller,
) {
    // Of two connections from one port each is to another address of ours.
    let peer = seat.peer().asking(stream.local().map(|it| it.ip()));
    let (writer, outgoing) = mpsc::unbounded_channel();
    if !teller.tell(peer, What::Connection(writer)).await {
        return;
    }
    let largest = Config::default().max_message_size;
    let mut wire = Streamed::new(stream, websocket, largest).in_room(room);
    let why = tokio::select! {
        why = carry(&mut wire, peer, outgoing, &teller) => why,
        () = seat.lost() => Some("to make room for other clients"),
    };
    let Some(why) = why else {
        return;
    };
    // A peer that does not read cannot hold us.
    let _ = timeout(GOODBYE, wire.close()).await;
    teller.tell(peer, What::Ended(String::from(why))).await;
}

/// Carries bytes both ways; returns why it ends, nothing when the server is gone. What is written comes first: who does
/// not take its answers is not heard.
async fn carry(
    wire: &mut Streamed,
    peer: Peer,
    mut outgoing: mpsc::UnboundedReceiver<Bytes>,
    teller: &Teller,
) -> Option<&'static str> {
    let mut buffer = vec![0; READ];
    let mut moved = Instant::now();
    loop {
        let waits = wire.waits();
        let turn = async {
            match waits {
                true => Turn::Written(wire.step().await),
                false => Turn::Received(wire.hear(&mut buffer).await),
            }
        };
        let turn = tokio::select! {
            biased;
            more = outgoing.recv() => Turn::More(more),
            turn = turn => turn,
            () = sleep_until(moved + STALLED), if waits => return Some("it does not read"),
        };
        let what = match turn {
            Turn::More(None) => return Some("closed by the server"),
            Turn::More(Some(bytes)) => {
                if !waits {
                    moved = Instant::now();
                }
                wire.queue(bytes);
                continue;
            }
            Turn::Written(Err(_)) => return Some("write failed"),
            Turn::Written(Ok(length)) => {
                moved = Instant::now();
                What::Written(length)
            }
            Turn::Received(Received::Bytes(length)) => {
                What::Bytes(Bytes::copy_from_slice(&buffer[..length]))
            }
            Turn::Received(Received::Frame(frame)) => What::Frame(frame),
            Turn::Received(Received::Ended(_)) => return Some("closed by the peer"),
            Turn::Received(Received::Datagram(..) | Received::Undelivered(_)) => continue,
        };
        if !teller.tell(peer, what).await {
            return None;
        }
    }
}

/// What happened on a connection.
enum Turn {
    /// There is more to be written; nothing more ever.
    More(Option<Bytes>),
    Written(io::Result<usize>),
    Received(Received),
}
