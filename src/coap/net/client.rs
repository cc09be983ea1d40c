//! One endpoint towards one peer or group.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use super::LARGEST_DATAGRAM;
use super::dtls::Secured;
use super::group::Group;
use super::sequence::{self, Sequence};
use super::stream::{Streamed, loss};
use super::tap::{Direction, Tap};
use super::udp::Udp;
use super::wire::{Received, Wire};
use crate::coap::endpoint::{
    Arrived, Cancel, Closing, Config, Endpoint, Event, Exchange, Handle, Loss, Peer, Refused,
    Request, Response, Transport,
};
use crate::connect::{self, Target};
use crate::error::{Error, Result};

/// How long the end of a connection may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// An endpoint and what carries its messages. It works while [`Client::next`] is awaited.
pub(crate) struct Client {
    endpoint: Endpoint,
    wire: Wire,
    /// The endpoint's name for the other side.
    peer: Peer,
    tap: Option<Tap>,
    /// Before then the peer does not want to be connected to again.
    held_off: Option<Instant>,
    /// Where the sequence numbers of OSCORE are reserved.
    sequence: Option<Sequence>,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects to `target`. Over UDP that sends nothing yet.
    ///
    /// # Errors
    /// [`crate::error::Kind::Unreachable`] and what else [`connect::dial()`] says.
    pub(crate) async fn connect(
        target: &Target,
        mut config: Config,
        mut tap: Option<Tap>,
    ) -> Result<Self> {
        config.transport = transport(target);
        config.csm_deadline = Some(target.connect_timeout);
        if let Some(tap) = &mut tap {
            tap.set_transport(config.transport);
        }
        let largest = config.max_message_size;
        let protection = match &target.oscore {
            Some(oscore) => Some(sequence::open(oscore, target.connect_timeout).await?),
            None => None,
        };
        let (wire, peer) = if target.transport.is_datagram() {
            open_datagrams(target).await?
        } else {
            let stream = connect::dial(target).await?;
            let websocket = target.transport.is_websocket();
            let peer = address_of(&stream);
            let streamed = Streamed::new(stream, websocket, largest);
            (Wire::Stream(Box::new(streamed)), peer)
        };
        let mut endpoint = Endpoint::new(config);
        if endpoint.config().transport.is_reliable() {
            endpoint.connected(Instant::now(), peer);
        }
        let sequence = protection.map(|(context, sequence)| {
            endpoint.protect(peer, context);
            sequence
        });
        Ok(Self {
            endpoint,
            wire,
            peer,
            tap,
            held_off: None,
            sequence,
            buffer: vec![0; LARGEST_DATAGRAM],
        })
    }

    /// What a request must name as its peer.
    pub(crate) const fn peer(&self) -> Peer {
        self.peer
    }

    /// The address that is in use: of several addresses of a name, the first that was not refused.
    pub(crate) const fn remote(&self) -> SocketAddr {
        match &self.wire {
            Wire::Udp(udp) => udp.address(),
            Wire::Dtls(dtls) => dtls.address(),
            _ => self.peer.address(),
        }
    }

    /// Before when the peer does not want to be connected to again (Hold-Off, RFC 8323 §5.5).
    pub(crate) const fn held_off(&self) -> Option<Instant> {
        self.held_off
    }

    /// Whether the connection has ended: nothing can be asked over it any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.wire.is_over()
    }

    /// Whether many may answer.
    pub(crate) const fn is_group(&self) -> bool {
        matches!(self.wire, Wire::Group(_))
    }

    /// Whether messages have a type and an id.
    pub(crate) const fn is_datagram(&self) -> bool {
        !self.endpoint.config().transport.is_reliable()
    }

    /// Begins a request; its answer is an event of [`Client::next`].
    ///
    /// # Errors
    /// It cannot be begun; nothing was sent.
    pub(crate) fn request(&mut self, request: Request) -> Result<Handle, Refused> {
        self.reserve();
        self.endpoint.request(Instant::now(), request)
    }

    fn reserve(&mut self) {
        let context = self.endpoint.protection(self.peer);
        if let (Some(sequence), Some(context)) = (&mut self.sequence, context) {
            sequence.top_up(context);
        }
    }

    /// What has come so far of the body of a response.
    pub(crate) fn arrived(&self, handle: Handle) -> Option<Arrived<'_>> {
        self.endpoint.arrived(handle)
    }

    /// Sends a ping; its answer is an event of [`Client::next`].
    pub(crate) fn ping(&mut self, deadline: Duration) -> Handle {
        self.endpoint.ping(Instant::now(), self.peer, deadline)
    }

    /// Answers a request of the peer's, which is an event where [`Config::serve`] is set.
    pub(crate) fn respond(&mut self, exchange: Exchange, response: Response) {
        self.endpoint.respond(Instant::now(), exchange, response);
    }

    /// Ends a request.
    pub(crate) fn cancel(&mut self, handle: Handle, how: Cancel) {
        self.endpoint.cancel(Instant::now(), handle, how);
    }

    /// The next event. When it comes, all that was to be sent before it is sent. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            self.flush().await;
            self.reserve();
            match self.endpoint.poll_event() {
                Some(Event::Close { closing, .. }) => {
                    if let Closing::Released { hold_off, .. } = closing {
                        self.held_off = Some(Instant::now() + hold_off);
                    }
                    self.hang_up((&closing).into()).await;
                    continue;
                }
                Some(event) => return event,
                None => {}
            }
            let due = self.endpoint.poll_timeout();
            let far_away = Instant::now() + Duration::from_secs(3600);
            tokio::select! {
                heard = self.wire.hear(self.peer, &mut self.buffer) => self.take(heard),
                () = sleep_until(due.unwrap_or(far_away).into()) => {
                    self.endpoint.handle_timeout(Instant::now());
                }
            }
        }
    }

    /// Closes a connection in an orderly way (RFC 8323 §5.5); sends what is left on a socket.
    pub(crate) async fn close(&mut self) {
        if self.endpoint.config().transport.is_reliable() {
            self.endpoint.release(self.peer);
        }
        self.flush().await;
        match &mut self.wire {
            Wire::Stream(stream) => stream.close().await,
            Wire::Dtls(dtls) => dtls.close().await,
            _ => {}
        }
    }

    /// Ends a connection that cannot go on; what is under way on it fails with `why`.
    async fn hang_up(&mut self, why: Loss) {
        self.endpoint.disconnected(Instant::now(), self.peer, why);
        if let Wire::Stream(mut stream) = std::mem::replace(&mut self.wire, Wire::Gone) {
            // A peer that does not read cannot hold us.
            let _ = timeout(GOODBYE, stream.close()).await;
        }
    }

    async fn flush(&mut self) {
        while let Some((peer, bytes)) = self.endpoint.poll_transmit() {
            if let Some(tap) = &mut self.tap {
                tap.see(Direction::Out, self.wire.ends(peer), &bytes);
            }
            self.wire.queue(peer, bytes);
        }
        if let Err(cause) = self.wire.flush().await {
            self.failed(&cause);
        }
    }

    fn take(&mut self, heard: Received) {
        let now = Instant::now();
        match heard {
            Received::Datagram(peer, length) => {
                self.see(peer, length);
                let datagram = &self.buffer[..length];
                self.endpoint.handle_datagram(now, peer, datagram);
            }
            Received::Bytes(length) => {
                self.see(self.peer, length);
                let bytes = &self.buffer[..length];
                self.endpoint.handle_stream(now, self.peer, bytes);
            }
            Received::Frame(frame) => {
                if let Some(tap) = &mut self.tap {
                    tap.see(Direction::In, self.wire.ends(self.peer), &frame);
                }
                self.endpoint.handle_frame(now, self.peer, &frame);
            }
            Received::Undelivered(cause) => self.failed(&cause),
            Received::Ended(why) => {
                self.wire = Wire::Gone;
                self.endpoint.disconnected(now, self.peer, why);
            }
        }
    }

    fn see(&mut self, peer: Peer, length: usize) {
        if let Some(tap) = &mut self.tap {
            let ends = self.wire.ends(peer);
            tap.see(Direction::In, ends, &self.buffer[..length]);
        }
    }

    fn failed(&mut self, cause: &io::Error) {
        let now = Instant::now();
        if self.is_datagram() {
            self.endpoint.handle_unreachable(now, self.peer);
        } else {
            self.wire = Wire::Gone;
            self.endpoint.disconnected(now, self.peer, loss(cause));
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let context = self.endpoint.protection(self.peer);
        if let (Some(sequence), Some(context)) = (&mut self.sequence, context) {
            sequence.give_back(context.sequence());
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.peer)
    }
}

const fn transport(target: &Target) -> Transport {
    if target.transport.is_datagram() {
        Transport::Datagram
    } else if target.transport.is_websocket() {
        Transport::WebSocket
    } else {
        Transport::Stream
    }
}

async fn open_datagrams(target: &Target) -> Result<(Wire, Peer)> {
    let addresses = connect::udp::addresses(target).await?;
    // There is one at least.
    let first = addresses[0];
    if first.ip().is_multicast() {
        let socket = connect::udp::unconnected(target, first)?;
        if target.oscore.is_some() {
            return Err(Error::usage("OSCORE cannot protect multicast requests"));
        }
        return Ok((Wire::Group(Group::new(socket)), first.into()));
    }
    if target.transport.is_encrypted() {
        let secured = Secured::open(target, &addresses).await?;
        return Ok((Wire::Dtls(Box::new(secured)), first.into()));
    }
    let udp = Udp::open(target, &addresses).await?;
    Ok((Wire::Udp(udp), first.into()))
}

/// On reliable transports the address only names the connection.
fn address_of(stream: &connect::Stream) -> Peer {
    let unknown = SocketAddr::from(([0; 16], 0));
    stream.peer().parse().unwrap_or(unknown).into()
}
