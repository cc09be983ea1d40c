//! A connected UDP socket whose datagrams DTLS protects.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::time::{sleep_until, timeout, timeout_at};

use super::LARGEST_DATAGRAM;
use super::wire::Received;
use crate::coap::endpoint::Peer;
use crate::coap::secure::{self, SecureDatagram, Trouble};
use crate::connect::{Target, failure, udp};
use crate::error::{Error, Kind, Result};

/// How long a handshake goes on after something that no server would have sent: it may have been forged (RFC 6347
/// §4.1.2.7).
const DOUBT: Duration = Duration::from_secs(1);

/// Protected datagrams to and from one peer.
pub(super) struct Secured {
    socket: UdpSocket,
    address: SocketAddr,
    channel: Box<dyn SecureDatagram>,
    queue: VecDeque<Bytes>,
    /// What was in a datagram and is not handed over yet.
    plain: VecDeque<Bytes>,
    encrypted: Vec<u8>,
    /// Datagrams that came before the association was there.
    heard: usize,
}

/// A protected association and the socket that it goes over, for whoever moves many datagrams at once.
pub(crate) struct Association {
    /// Connected to the peer.
    pub socket: UdpSocket,
    /// Past its handshake.
    pub channel: Box<dyn SecureDatagram>,
}

/// Connects, with the whole handshake, within the target's `connect_timeout`.
///
/// # Errors
/// [`Kind::Unreachable`] and [`Kind::TimedOut`], with what most likely went wrong.
pub(crate) async fn associate(target: &Target, addresses: &[SocketAddr]) -> Result<Association> {
    let Secured {
        socket, channel, ..
    } = Secured::open(target, addresses).await?;
    Ok(Association { socket, channel })
}

impl Secured {
    /// Connects, with the whole handshake, within the target's `connect_timeout`.
    pub(super) async fn open(target: &Target, addresses: &[SocketAddr]) -> Result<Self> {
        let deadline = Instant::now() + target.connect_timeout;
        let mut failure = None;
        for address in addresses {
            let mut heard = 0;
            match Self::try_address(target, *address, deadline, &mut heard).await {
                // Who said something told more than where nobody listens; of two alike the first counts.
                Err(error) if error.kind() == Kind::Unreachable => {
                    let better = failure.as_ref().is_none_or(|(said, _)| !said && heard > 0);
                    if better {
                        failure = Some((heard > 0, error));
                    }
                }
                other => return other,
            }
        }
        let failure = failure.map(|(_, error)| error);
        Err(failure.unwrap_or_else(|| Error::new(Kind::Unreachable, "there is no address")))
    }

    async fn try_address(
        target: &Target,
        address: SocketAddr,
        deadline: Instant,
        heard: &mut usize,
    ) -> Result<Self> {
        let mut secured = Self {
            socket: udp::connected(target, address).await?,
            address,
            channel: secure::client(target, address)?,
            queue: VecDeque::new(),
            plain: VecDeque::new(),
            encrypted: vec![0; LARGEST_DATAGRAM],
            heard: 0,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let done = timeout(left, secured.handshake(target, deadline)).await;
        *heard = secured.heard;
        match done {
            Ok(Ok(())) => Ok(secured),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(secured.timed_out(target)),
        }
    }

    async fn handshake(&mut self, target: &Target, deadline: Instant) -> Result<()> {
        let failed = |trouble| said(target, trouble);
        self.channel.begin(Instant::now()).map_err(failed)?;
        // The first trouble that may have been forged, and how long the handshake may still come to its end.
        let mut doubt: Option<(Instant, Trouble)> = None;
        while !self.channel.is_established() {
            self.send_all()
                .await
                .map_err(|cause| udp::unreachable(target, &cause))?;
            let until = doubt.as_ref().map_or_else(far_away, |(until, _)| *until);
            let turned = timeout_at(until.into(), self.turn()).await;
            let cause = match (turned, doubt.take()) {
                (Ok(Ok(())), before) => {
                    doubt = before;
                    continue;
                }
                // Nothing protects an alert in a handshake, so that anyone may have sent it (RFC 6347 §4.1.2.7).
                (Ok(Err(Ended::Channel(it @ (Trouble::Other(_) | Trouble::Alert(_))))), before) => {
                    let until = deadline.min(Instant::now() + DOUBT);
                    doubt = before.or(Some((until, it)));
                    continue;
                }
                // A server that has said why may be gone after that.
                (Ok(Err(Ended::Socket(_))) | Err(_), Some((_, trouble))) => Ended::Channel(trouble),
                (Ok(Err(cause)), _) => cause,
                (Err(_), None) => continue,
            };
            // The alert that says why is a courtesy to the server.
            let _ = self.send_all().await;
            return Err(match cause {
                Ended::Socket(cause) => udp::unreachable(target, &cause),
                Ended::Channel(trouble) => said(target, trouble),
            });
        }
        self.send_all()
            .await
            .map_err(|cause| udp::unreachable(target, &cause))
    }

    /// Waits for a datagram or for the time to send again.
    async fn turn(&mut self) -> Result<(), Ended> {
        let due = self.channel.poll_timeout().unwrap_or_else(far_away);
        let length = tokio::select! {
            received = self.socket.recv(&mut self.encrypted) => received.map_err(Ended::Socket)?,
            () = sleep_until(due.into()) => {
                self.channel.handle_timeout(Instant::now());
                return Ok(());
            }
        };
        self.heard += 1;
        let datagram = &self.encrypted[..length];
        if !self.channel.is_established() && !is_record(datagram) {
            let words = String::from("the peer does not speak DTLS");
            return Err(Ended::Channel(Trouble::Other(words)));
        }
        let plain = self.channel.feed(Instant::now(), datagram);
        self.plain.extend(plain.map_err(Ended::Channel)?);
        Ok(())
    }

    async fn send_all(&mut self) -> io::Result<()> {
        while let Some(bytes) = self.channel.poll_transmit() {
            self.queue.push_back(bytes);
        }
        while let Some(next) = self.queue.front() {
            let sent = self.socket.send(next).await;
            self.queue.pop_front();
            sent?;
        }
        Ok(())
    }

    fn timed_out(&self, target: &Target) -> Error {
        let limit = humantime::format_duration(target.connect_timeout);
        let (why, hint) = match (self.heard, &target.psk) {
            (1.., None) if target.rpk.is_some() => (
                "the server responds, but does not complete the handshake",
                "it may not support raw public keys, or not allow this one",
            ),
            (0, _) => (
                "no DTLS response",
                "the port may not use DTLS: try coap://, or another port",
            ),
            (_, Some(_)) => (
                "the server stopped responding during the handshake",
                CHECK_KEY,
            ),
            (_, None) => (
                "the server responds, but does not complete the handshake",
                "it may require a pre-shared key (--psk-identity, --psk) or a client certificate (--cert, --key)",
            ),
        };
        let text = format!("cannot connect to {target}: timed out after {limit}: {why}");
        Error::new(Kind::TimedOut, text).hint(hint)
    }

    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether the peer has ended the association.
    pub(super) fn is_over(&self) -> bool {
        self.channel.closed().is_some()
    }

    pub(super) fn queue(&mut self, plain: &[u8]) {
        // It fails only when the association has ended, which the next `hear` says.
        let _ = self.channel.write(Instant::now(), plain);
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let sent = self.send_all().await;
        // Who has said goodbye need not be there any more.
        if self.is_over() { Ok(()) } else { sent }
    }

    pub(super) async fn hear(&mut self, peer: Peer, buffer: &mut [u8]) -> Received {
        loop {
            if let Some(plain) = self.plain.pop_front() {
                let length = plain.len().min(buffer.len());
                buffer[..length].copy_from_slice(&plain[..length]);
                return Received::Datagram(peer, length);
            }
            // Whether our own goodbye still reaches the peer is no matter.
            if let Some(alert) = self.channel.closed() {
                let _ = self.send_all().await;
                return Received::Ended(Trouble::Closed(alert).to_string().into());
            }
            match self.turn().await {
                Ok(()) if self.is_over() => continue,
                Ok(()) => {}
                Err(Ended::Socket(cause)) => return Received::Undelivered(cause),
                Err(Ended::Channel(trouble)) => {
                    return Received::Ended(trouble.to_string().into());
                }
            }
            if let Err(cause) = self.send_all().await {
                return Received::Undelivered(cause);
            }
        }
    }

    /// Says goodbye; that the peer is gone already is no matter.
    pub(super) async fn close(&mut self) {
        self.channel.close(Instant::now());
        let _ = self.send_all().await;
    }
}

fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

/// Whether a datagram begins as records do: with a content type of RFC 6347 §4.1.
fn is_record(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(20..=26))
}

/// Why an association is over.
enum Ended {
    Socket(io::Error),
    Channel(Trouble),
}

/// A server that knows no such identity, or has another key for it, may say so, say nothing, or say something else.
const CHECK_KEY: &str =
    "check --psk-identity and --psk: the server may have another key, or not know the identity";

fn said(target: &Target, trouble: Trouble) -> Error {
    match trouble {
        Trouble::Certificate(cause) => {
            let cause = io::Error::new(io::ErrorKind::InvalidData, cause);
            failure::handshake(target, &cause)
        }
        Trouble::Alert(words) if target.rpk.is_some() => {
            let has_key = target.rpk.as_ref().is_some_and(|it| it.own.is_some());
            let hint = if has_key {
                "the server may not support raw public keys, or not allow that of --rpk-key"
            } else {
                "the server may require a raw public key (--rpk-key), a pre-shared key, or a certificate"
            };
            let text = format!("cannot connect to {target}: {words}");
            Error::new(Kind::Unreachable, text).hint(hint)
        }
        Trouble::Key(_) => {
            let text = format!("cannot connect to {target}: {trouble}");
            Error::new(Kind::Unreachable, text).hint(
                "add the key to the file of --rpk-peer only if it is known to be the server's",
            )
        }
        Trouble::Alert(words) => {
            let text = format!("cannot connect to {target}: {words}");
            let hint = match &target.psk {
                Some(_) => CHECK_KEY,
                None => {
                    "it may require a pre-shared key (--psk-identity, --psk) or another client certificate (--cert, --key)"
                }
            };
            Error::new(Kind::Unreachable, text).hint(hint)
        }
        other => {
            let text = format!("cannot connect to {target}: {other}");
            Error::new(Kind::Unreachable, text)
        }
    }
}
