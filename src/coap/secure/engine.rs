//! What a server's association runs on: the library, or our own where raw public keys are offered.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error as DtlsError;

use super::Trouble;
use super::cookie::Cookie;
use super::raw::{self, Accepted, Happened};
use super::record::{ClientHello, Record};
use super::secrets::{Config, LiveSecrets};

pub(super) enum Engine {
    /// With the client's address, by which it knows the association.
    Library(Box<Endpoint>, SocketAddr),
    Raw(Box<Accepted>),
}

/// What a record has brought about.
pub(super) enum Event {
    /// The handshake is done.
    Established,
    Data(Bytes),
    /// The client has ended the association.
    Closed,
}

/// Why a record could not be read.
pub(super) enum Cause {
    Library(DtlsError),
    Raw(String),
}

impl Engine {
    /// Begins an association with a client whose ClientHello, which is to be read next, has the cookie.
    pub(super) fn begin(
        now: Instant,
        (local, client): (SocketAddr, SocketAddr),
        live: &LiveSecrets,
        hello: &ClientHello<'_>,
        cookie: Cookie,
    ) -> Self {
        let Config {
            library,
            certificates,
            rpk,
        } = live.config();
        let is_raw = library.is_none() || raw::is_wanted(hello.body, certificates);
        if let Some(rpk) = rpk.filter(|_| is_raw) {
            return Self::Raw(Box::new(raw::accept(rpk)));
        }
        let mut endpoint = Endpoint::new(local, TransportProtocol::UDP, library);
        // The library wants to see both hellos; that it asks for the cookie is not sent again.
        live.deal(cookie);
        let first = BytesMut::from(&hello.without_cookie()[..]);
        let _ = endpoint.read(now, client, None, first);
        while endpoint.poll_transmit().is_some() {}
        Self::Library(Box::new(endpoint), client)
    }

    /// Takes a record.
    ///
    /// # Errors
    /// It could not be read, or the handshake has failed.
    pub(super) fn read(&mut self, now: Instant, record: &Record<'_>) -> Result<Vec<Event>, Cause> {
        match self {
            Self::Library(endpoint, client) => {
                match record.bare_alert() {
                    Some(true) => return Err(Cause::Library(DtlsError::ErrAlertFatalOrClose)),
                    Some(false) => return Ok(Vec::new()),
                    None => {}
                }
                let bytes = BytesMut::from(record.bytes());
                let read = endpoint.read(now, *client, None, bytes);
                let events = read.map_err(Cause::Library)?.into_iter();
                Ok(events.filter_map(Event::of_library).collect())
            }
            Self::Raw(session) => match session.read(now, record) {
                Ok(Happened::Nothing) => Ok(Vec::new()),
                Ok(Happened::Established) => Ok(vec![Event::Established]),
                Ok(Happened::Data(data)) => Ok(vec![Event::Data(data)]),
                Ok(Happened::Closed(_)) => Ok(vec![Event::Closed]),
                Err(Trouble::Alert(why) | Trouble::Other(why)) => Err(Cause::Raw(why)),
                // What a client alone meets.
                Err(other) => Err(Cause::Raw(format!("{other:?}"))),
            },
        }
    }

    /// Protects a datagram; before the handshake is done it is lost.
    pub(super) fn write(&mut self, now: Instant, plain: &[u8]) {
        match self {
            Self::Library(endpoint, client) => {
                let _ = endpoint.write(now, *client, plain);
            }
            Self::Raw(session) => {
                session.write(plain);
            }
        }
    }

    /// The next datagram to be sent.
    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        match self {
            Self::Library(endpoint, _) => Some(endpoint.poll_transmit()?.message.freeze()),
            Self::Raw(session) => session.poll_transmit(),
        }
    }

    /// When [`Engine::handle_timeout`] is to be called; the library sometimes forgets it.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Library(endpoint, client) => endpoint.poll_timeout(client),
            Self::Raw(session) => session.poll_timeout(),
        }
    }

    /// Sends again what was not answered; whether there is a point in it.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        match self {
            Self::Library(endpoint, client) => endpoint.handle_timeout(*client, now).is_ok(),
            Self::Raw(session) => {
                session.handle_timeout(now);
                true
            }
        }
    }
}

impl Event {
    fn of_library(event: EndpointEvent) -> Option<Self> {
        Some(match event {
            EndpointEvent::HandshakeComplete => Self::Established,
            EndpointEvent::ApplicationData(data) => Self::Data(data.freeze()),
            EndpointEvent::PeerClosed => Self::Closed,
            _ => return None,
        })
    }
}
