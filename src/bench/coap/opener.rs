//! Opens sockets and streams for a load: many, and from chosen addresses.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::super::dial::Dialer;
use super::super::driver::{Broken, Dialing, End, How, Link};
use super::super::result::Connections;
use super::super::system::SHARDED;
use super::dtls::DtlsLink;
use super::udp::UdpLink;
use crate::coap::net::associate;
use crate::coap::wire::Framing;
use crate::connect::{LocalAddress, Target, Transport, udp};
use crate::error::{Error, Kind, Result};

/// An empty confirmable message with id 0, which a server answers by a reset (RFC 7252 §4.3).
const GREETING: [u8; 4] = [0x40, 0, 0, 0];
/// How long to wait for it, each time. Who is silent then is asked all the same.
const WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(750)];
/// Sockets that one source address has ports for.
const PORTS: usize = 64_000;

/// Opens the connections of a load to one target.
#[derive(Debug)]
pub struct Opener {
    way: Way,
}

#[derive(Debug)]
enum Way {
    Datagrams {
        /// The target, once for each source address.
        targets: Vec<Target>,
        addresses: Vec<SocketAddr>,
        /// Which of the addresses has answered.
        known: AtomicUsize,
        /// DTLS handshakes done. A session is never gone on with.
        handshakes: AtomicU64,
    },
    Stream(Arc<Dialer>),
}

impl Opener {
    /// Looks the target up, and tries what can be tried without the network. `sources`: local addresses to send from, in turn; none: the kernel chooses.
    /// `connections`: how many will be open at once.
    ///
    /// # Errors
    /// An unknown host; more connections than there are ports; a transport that this load cannot use.
    pub async fn new(
        target: Target,
        sources: Vec<LocalAddress>,
        connections: usize,
    ) -> Result<Self> {
        if target.transport.is_websocket() {
            return Err(Error::usage("bench coap does not support WebSocket")
                .hint("the schemes are coap, coaps, coap+tcp and coaps+tcp"));
        }
        if !target.transport.is_datagram() {
            let dialer = Dialer::new(target, sources, (connections, SHARDED)).await?;
            return Ok(Self {
                way: Way::Stream(Arc::new(dialer)),
            });
        }
        check_ports(&target, sources.len(), connections)?;
        let mut target = target;
        target.bind = sources.first().copied();
        let addresses = udp::addresses(&target).await?;
        let from = |source: LocalAddress| Target {
            bind: Some(source),
            ..target.clone()
        };
        let targets = match sources.is_empty() {
            true => vec![target],
            false => sources.into_iter().map(from).collect(),
        };
        Ok(Self {
            way: Way::Datagrams {
                targets,
                addresses,
                known: AtomicUsize::new(0),
                handshakes: AtomicU64::new(0),
            },
        })
    }

    /// How messages follow one another on what it opens.
    pub(super) const fn framing(&self) -> Framing {
        match self.way {
            Way::Datagrams { .. } => Framing::Datagrams,
            Way::Stream(_) => Framing::Stream,
        }
    }

    /// Opens connection `number`.
    pub(super) fn dial(self: &Arc<Self>, number: usize) -> Dialing {
        if let Way::Stream(dialer) = &self.way {
            return dialer.dial(number);
        }
        let opener = Arc::clone(self);
        Box::pin(async move { opener.open(number).await })
    }

    /// Enters the TLS and DTLS handshakes that were done.
    pub fn report(&self, connections: &mut Connections) {
        match &self.way {
            Way::Stream(dialer) => dialer.report(connections),
            Way::Datagrams { handshakes, .. } => {
                connections.tls_full = handshakes.load(Ordering::Relaxed);
            }
        }
    }

    /// How long the server may take to greet.
    pub(super) fn patience(&self) -> Duration {
        match &self.way {
            Way::Stream(dialer) => dialer.patience(),
            Way::Datagrams { targets, .. } => targets[0].connect_timeout,
        }
    }

    /// See [`Dialer::unusable`].
    pub(super) fn unusable(&self, end: End<'_>) -> Broken {
        match &self.way {
            Way::Stream(dialer) => dialer.unusable(end),
            Way::Datagrams { targets, .. } => match end.how {
                How::Broken(broken) => broken,
                How::Failed(cause) => udp::unreachable(&targets[0], cause).into(),
                How::Closed | How::Silent => {
                    let limit = humantime::format_duration(targets[0].connect_timeout);
                    let text = format!("no response from {} within {limit}", targets[0]);
                    Broken::of(Kind::TimedOut, text)
                }
            },
        }
    }

    /// See [`Dialer::explain`].
    pub async fn explain(&self, trouble: &mut Option<Error>) {
        if let Way::Stream(dialer) = &self.way {
            dialer.explain(trouble).await;
        }
    }

    async fn open(&self, number: usize) -> Result<Box<dyn Link>> {
        let Way::Datagrams {
            targets,
            addresses,
            known,
            handshakes,
        } = &self.way
        else {
            // Streams are the dialer's.
            return Err(Error::usage("a stream is not a datagram socket"));
        };
        let target = &targets[number % targets.len()];
        let first = known.load(Ordering::Relaxed);
        let mut refused = None;
        for at in (0..addresses.len()).map(|at| (first + at) % addresses.len()) {
            match link(target, addresses[at]).await {
                Ok(link) => {
                    known.store(at, Ordering::Relaxed);
                    let dtls = target.transport == Transport::Dtls;
                    handshakes.fetch_add(u64::from(dtls), Ordering::Relaxed);
                    return Ok(link);
                }
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        Err(refused.unwrap_or_else(|| Error::new(Kind::Unreachable, "there is no address")))
    }
}

fn check_ports(target: &Target, sources: usize, connections: usize) -> Result<()> {
    if connections <= PORTS * sources.max(1) {
        return Ok(());
    }
    let text = format!(
        "{connections} sockets to {target} need {} source addresses, but there are {}",
        connections.div_ceil(PORTS),
        sources.max(1)
    );
    Err(Error::new(Kind::Local, text).hint(format!("add --bind ADDRESS,ADDRESS,…{SHARDED}")))
}

async fn link(target: &Target, address: SocketAddr) -> Result<Box<dyn Link>> {
    match target.transport {
        Transport::Dtls => {
            let association = associate(target, &[address]).await?;
            Ok(Box::new(DtlsLink::new(association)))
        }
        _ => {
            let socket = udp::connected(target, address).await?;
            let greeted = greet(&socket).await;
            greeted.map_err(|cause| udp::unreachable(target, &cause))?;
            Ok(Box::new(UdpLink::new(socket)))
        }
    }
}

/// Asks whether anybody is there. Only the operating system's word counts as a no.
async fn greet(socket: &UdpSocket) -> io::Result<()> {
    for wait in WAITS {
        socket.send(&GREETING).await?;
        if let Ok(heard) = timeout(wait, socket.recv(&mut [0; 16])).await {
            return heard.map(drop);
        }
    }
    Ok(())
}
