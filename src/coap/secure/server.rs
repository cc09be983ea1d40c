//! The server's side of DTLS: many associations on one socket, with keys, certificates, or both.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc_dtls::config::ClientAuthType;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error as DtlsError;
use rustls::pki_types::CertificateDer;

use super::certificate::certificate;
use super::dtls::{CERTIFICATE_SUITES, PSK_SUITES, builder, cannot_set_up, verify};
use super::flight::Flight;
use crate::connect::{Psk, ServerTls};
use crate::error::Result;

/// Associations at most; beyond it, the first flight of newcomers is not answered.
const MOST: usize = 4096;

/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// An association that is silent for longer may make room for a newcomer.
const SILENCE: Duration = Duration::from_secs(300);

/// What proves who is who.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// A key and its name; without a name the client may use any.
    pub psk: Option<Psk>,
    /// The server's certificate, and whose certificates clients must show.
    pub tls: Option<ServerTls>,
}

/// All associations of one socket, sans-I/O.
pub struct SecureServer {
    endpoint: Endpoint,
    peers: HashMap<SocketAddr, Association>,
    out: VecDeque<(SocketAddr, Bytes)>,
}

/// What we remember of one.
struct Association {
    established: bool,
    since: Instant,
    heard: Instant,
    flight: Flight,
}

impl SecureServer {
    /// A server on the socket bound to `local`.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for certificates that cannot be used.
    pub fn new(local: SocketAddr, secrets: &Secrets) -> Result<Self> {
        let mut builder = builder()?;
        let mut suites = Vec::new();
        if let Some(psk) = secrets.psk.clone() {
            suites.extend(PSK_SUITES);
            builder = builder.with_psk(Some(Arc::new(move |identity: &[u8]| key(&psk, identity))));
        }
        if let Some(tls) = &secrets.tls {
            suites.extend(CERTIFICATE_SUITES);
            builder = builder.with_certificates(vec![certificate(&tls.identity()?)]);
            if let Some(verifier) = tls.client_verifier()? {
                let check = move |chain: &[Vec<u8>], _: &[CertificateDer<'static>]| {
                    let verified = verify(chain, |own, others, now| {
                        verifier.verify_client_cert(own, others, now).map(drop)
                    });
                    verified.map_err(|_| DtlsError::ErrClientCertificateNotVerified)
                };
                builder = builder
                    // Whether it is to be trusted is decided by what decides it for TLS.
                    .with_client_auth(ClientAuthType::RequireAnyClientCert)
                    .with_verify_peer_certificate(Some(Arc::new(check)));
            }
        }
        let builder = builder.with_cipher_suites(suites);
        let config = builder.build(false, None).map_err(cannot_set_up)?;
        let config = Some(Arc::new(config));
        Ok(Self {
            endpoint: Endpoint::new(local, TransportProtocol::UDP, config),
            peers: HashMap::new(),
            out: VecDeque::new(),
        })
    }

    /// Takes a datagram; returns what was in it.
    pub fn feed(&mut self, now: Instant, peer: SocketAddr, datagram: &[u8]) -> Vec<Bytes> {
        if !self.peers.contains_key(&peer) && !self.makes_room(now) {
            return Vec::new();
        }
        let association = self.peers.entry(peer).or_insert(Association {
            established: false,
            since: now,
            heard: now,
            flight: Flight::new(),
        });
        association.heard = now;
        association.flight.turn();
        let datagram = BytesMut::from(datagram);
        let read = self.endpoint.read(now, peer, None, datagram);
        if let Ok(events) = &read {
            let done = |it: &EndpointEvent| matches!(it, EndpointEvent::HandshakeComplete);
            association.established |= events.iter().any(done);
        }
        let established = association.established;
        self.drain(now, peer);
        let Ok(events) = read else {
            // Anyone can send garbage in the name of a peer: only an unfinished handshake ends by it.
            if !established {
                self.forget(now, peer);
            }
            return Vec::new();
        };
        let mut plain = Vec::new();
        for event in events {
            match event {
                EndpointEvent::ApplicationData(data) => plain.push(data.freeze()),
                EndpointEvent::PeerClosed => {
                    self.peers.remove(&peer);
                    break;
                }
                _ => {}
            }
        }
        plain
    }

    /// Protects a datagram for a peer; one that is not there any more gets none.
    pub fn write(&mut self, now: Instant, peer: SocketAddr, plain: &[u8]) {
        let _ = self.endpoint.write(now, peer, plain);
        self.drain(now, peer);
    }

    /// The next datagram to be sent.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, Bytes)> {
        self.out.pop_front()
    }

    /// When [`SecureServer::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let open = self.peers.iter().filter(|(_, it)| !it.established);
        let ends = open.flat_map(|(peer, it)| {
            let end = Some(it.since + HANDSHAKE);
            let library = self.endpoint.poll_timeout(peer);
            library.or_else(|| it.flight.due()).into_iter().chain(end)
        });
        ends.min()
    }

    /// Sends again what was not answered, and gives up what takes too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        let open = self.peers.iter_mut().filter(|(_, it)| !it.established);
        let mut times = Vec::new();
        for (peer, it) in open {
            let again = it.flight.again(now).iter();
            self.out.extend(again.map(|bytes| (*peer, bytes.clone())));
            it.flight.turn();
            times.push((*peer, it.since));
        }
        for (peer, since) in times {
            if now >= since + HANDSHAKE || self.endpoint.handle_timeout(peer, now).is_err() {
                self.forget(now, peer);
            }
            self.drain(now, peer);
        }
    }

    fn forget(&mut self, now: Instant, peer: SocketAddr) {
        self.endpoint.stop(now, peer);
        self.peers.remove(&peer);
        self.drain(now, peer);
    }

    /// Takes what the library wants to send to a peer, and sees to it that its handshake has a timer.
    fn drain(&mut self, now: Instant, peer: SocketAddr) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            let (to, datagram) = (transmit.transport.peer_addr, transmit.message.freeze());
            let open = self.peers.get_mut(&to).filter(|it| !it.established);
            if let Some(association) = open {
                association.flight.sent(&datagram);
            }
            self.out.push_back((to, datagram));
        }
        let library = self.endpoint.poll_timeout(&peer);
        if let Some(it) = self.peers.get_mut(&peer) {
            it.flight.watch(now, library, it.established);
        }
    }

    /// Whether there is room for one more; the one that was silent longest may have to go.
    fn makes_room(&mut self, now: Instant) -> bool {
        if self.peers.len() < MOST {
            return true;
        }
        let oldest = self.peers.iter().min_by_key(|(_, it)| it.heard);
        let oldest = oldest.filter(|(_, it)| now > it.heard + SILENCE);
        let Some(peer) = oldest.map(|(peer, _)| *peer) else {
            return false;
        };
        self.forget(now, peer);
        true
    }
}

fn key(psk: &Psk, identity: &[u8]) -> std::result::Result<Vec<u8>, DtlsError> {
    if psk.identity.is_empty() || psk.identity.as_bytes() == identity {
        Ok(psk.key.reveal().to_vec())
    } else {
        Err(DtlsError::ErrPskAndIdentityMustBeSetForClient)
    }
}
