//! What protects datagrams: DTLS 1.2 (RFC 6347, RFC 7252 §9), behind a trait of ours.

mod budget;
mod certificate;
mod cookie;
mod dtls;
mod engine;
mod flight;
mod raw;
mod record;
mod secrets;
mod server;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Instant;

use bytes::Bytes;

pub(crate) use dtls::client;
pub(crate) use secrets::{LiveSecrets, Secrets};
pub(crate) use server::SecureServer;

/// One protected association, sans-I/O: datagrams and time in, datagrams and plain text out.
pub(crate) trait SecureDatagram: Send {
    /// Begins the handshake.
    ///
    /// # Errors
    /// It cannot be begun.
    fn begin(&mut self, now: Instant) -> Result<(), Trouble>;

    /// Takes a datagram of the peer's; returns what was in it. The association may have ended with it: see
    /// [`SecureDatagram::closed`].
    ///
    /// # Errors
    /// The handshake has failed. What is [`Trouble::Other`] may have been forged: the handshake may still come to its
    /// end.
    fn feed(&mut self, now: Instant, datagram: &[u8]) -> Result<Vec<Bytes>, Trouble>;

    /// Protects a datagram and puts it to what is to be sent.
    ///
    /// # Errors
    /// The association is not there.
    fn write(&mut self, now: Instant, plain: &[u8]) -> Result<(), Trouble>;

    /// The next datagram to be sent.
    fn poll_transmit(&mut self) -> Option<Bytes>;

    /// When [`SecureDatagram::handle_timeout`] is to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Sends again what was not answered.
    fn handle_timeout(&mut self, now: Instant);

    /// Whether the handshake is done.
    fn is_established(&self) -> bool;

    /// The alert by which the peer has ended the association: nothing more comes, and nothing can be said. What came before
    /// is handed over first.
    fn closed(&self) -> Option<u8>;

    /// Says goodbye.
    fn close(&mut self, now: Instant);
}

/// Why there is no association (any more).
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The peer's certificate is not accepted.
    Certificate(rustls::Error),
    /// The peer's raw public key, of which this is the hash, is not accepted.
    Key(String),
    /// The peer has ended the association with this alert; 0 is its goodbye (RFC 5246 §7.2).
    Closed(u8),
    /// The peer refuses with this alert.
    Alert(String),
    /// Something else, in words.
    Other(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(cause) => cause.fmt(f),
            Self::Key(hash) => write!(f, "the server's public key {hash} is not an expected one"),
            Self::Closed(0) => f.write_str("the peer ended the association"),
            Self::Closed(alert) => {
                let alert = raw::alert_name(*alert);
                write!(f, "the peer ended the association ({alert})")
            }
            Self::Alert(words) | Self::Other(words) => f.write_str(words),
        }
    }
}
