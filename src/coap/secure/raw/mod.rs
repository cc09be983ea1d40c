//! DTLS 1.2 with raw public keys (RFC 7250), as RFC 7252 §9.1.3.2 has it: `TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8` with P-256
//! and SHA-256, and nothing else. `rtc-dtls` knows no certificate types; a version that does takes the place of this.
//!
//! | part | what it is for |
//! |---|---|
//! | `wire` | reading and writing handshake messages |
//! | `keys` | key agreement, derivation, and the protection of records |
//! | `channel` | records, fragments, flights and their repetition |
//! | `session` | one association of either side |
//! | `client`, `server` | what each side says when |

mod channel;
mod client;
mod keys;
mod server;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::record;
use super::{SecureDatagram, Trouble};
use crate::connect::Rpk;

use client::Client;
pub(super) use server::{is_wanted, new as accept};
pub(super) use session::Happened;
use session::Session;
pub(super) use wire::alert_name;

/// A server's side of an association.
pub(super) type Accepted = Session<server::Server>;

/// How long a client waits before it repeats a flight, at first (RFC 6347 §4.2.4.1).
const CLIENT_WAIT: Duration = Duration::from_secs(1);

/// The same for a server; see `INTERVAL` of the secrets.
const SERVER_WAIT: Duration = Duration::from_millis(1500);

/// The client's side of an association.
pub(super) fn client(rpk: &Rpk) -> Box<dyn SecureDatagram> {
    Box::new(Connecting {
        rpk: Arc::new(rpk.clone()),
        session: None,
        closed: None,
    })
}

struct Connecting {
    rpk: Arc<Rpk>,
    session: Option<Session<Client>>,
    closed: Option<u8>,
}

impl SecureDatagram for Connecting {
    fn begin(&mut self, now: Instant) -> Result<(), Trouble> {
        self.session = Some(client::begin(now, Arc::clone(&self.rpk))?);
        Ok(())
    }

    fn feed(&mut self, now: Instant, datagram: &[u8]) -> Result<Vec<Bytes>, Trouble> {
        let Some(session) = &mut self.session else {
            return Ok(Vec::new());
        };
        let mut plain = Vec::new();
        for record in record::records(datagram) {
            match session.read(now, &record) {
                Ok(Happened::Data(data)) => plain.push(data),
                Ok(Happened::Closed(alert)) => {
                    self.closed = Some(alert);
                    break;
                }
                Ok(_) => {}
                Err(trouble) => {
                    if matches!(trouble, Trouble::Other(_)) {
                        // It may have been forged, and the peer need not hear of it.
                        session.drop_alert();
                    }
                    return Err(trouble);
                }
            }
        }
        Ok(plain)
    }

    fn write(&mut self, _now: Instant, plain: &[u8]) -> Result<(), Trouble> {
        let session = self.session.as_mut().filter(|_| self.closed.is_none());
        let written = session.is_some_and(|it| it.write(plain));
        let failed = || Trouble::Other(String::from("there is no association"));
        written.then_some(()).ok_or_else(failed)
    }

    fn poll_transmit(&mut self) -> Option<Bytes> {
        self.session.as_mut()?.poll_transmit()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.session.as_ref()?.poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.handle_timeout(now);
        }
    }

    fn is_established(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_established)
    }

    fn closed(&self) -> Option<u8> {
        self.closed
    }

    fn close(&mut self, _now: Instant) {
        // Who has ended it has been answered.
        if let Some(session) = self.session.as_mut().filter(|_| self.closed.is_none()) {
            session.close();
        }
    }
}
