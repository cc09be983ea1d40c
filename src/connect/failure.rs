//! What an error on a stream means, in words.

use std::io;
use std::time::{Duration, Instant};

use crate::error::{Cause, Error, Kind, plain};

use super::target::Target;
use super::tls::ClientTls;
use super::tls_errors::{self, Explanation, Identity};

/// What `cause`, seen while reading or writing the stream to `target`, means to the user.
///
/// With TLS 1.3 a server refuses our certificate only after the handshake: its alert arrives with
/// the first read, and is [`Kind::Unreachable`] like every other failed handshake. Everything else
/// is a lost connection.
pub fn failure(target: &Target, cause: &io::Error) -> Error {
    match rustls_cause(cause) {
        Some(rustls::Error::AlertReceived(_)) => tls_failure(target, cause),
        Some(other) => lost(target, tls_errors::reason(other)),
        None if cause.kind() == io::ErrorKind::UnexpectedEof => {
            lost(target, "closed by the server")
        }
        None => lost(target, plain(cause)),
    }
}

/// The reason alone, in words.
pub(crate) fn reason(cause: &io::Error) -> String {
    match rustls_cause(cause) {
        Some(cause) => tls_errors::reason(cause),
        None => plain(cause),
    }
}

/// The alert that the peer ended the connection with, if that is the cause.
pub(crate) fn alert(cause: &io::Error) -> Option<u8> {
    match rustls_cause(cause) {
        Some(rustls::Error::AlertReceived(alert)) => Some((*alert).into()),
        _ => None,
    }
}

/// What an alert means that came with the first read, as [`failure`] has it.
pub fn refused(target: &Target, alert: u8) -> Error {
    let cause = rustls::Error::AlertReceived(alert.into());
    tls_failure(target, &io::Error::other(cause))
}

/// The words for a connection that is there again after it was lost.
pub(crate) fn reconnected(target: &Target, lost: Instant) -> String {
    let away = Duration::from_millis(lost.elapsed().as_millis() as u64);
    let away = humantime::format_duration(away);
    format!("reconnected to {target} after {away}")
}

/// What became of a connection that was lost before its end; for [`unacknowledged`].
pub(crate) const LOST_ACKNOWLEDGEMENTS: &str = "was lost before it had the last acknowledgements";

/// What became of a connection whose server did not say within this time that it has the last acknowledgements.
pub(crate) fn unconfirmed(limit: Duration) -> String {
    let limit = humantime::format_duration(limit);
    format!("did not confirm the last acknowledgements within {limit}")
}

/// The server may not have got what was acknowledged last; `what` completes `mqtt://h:1883 …`.
pub(crate) fn unacknowledged(target: &Target, kind: Kind, what: &str) -> Error {
    let text = format!("{target} {what}; messages may be redelivered");
    Error::new(kind, text)
}

fn lost(target: &Target, reason: impl AsRef<str>) -> Error {
    Error::new(
        Kind::Lost,
        format!("connection to {target} lost: {}", reason.as_ref()),
    )
}

/// `cannot connect to mqtt://h:1: …`.
pub(super) fn cannot_connect(target: &Target, reason: impl AsRef<str>) -> Error {
    Error::new(
        Kind::Unreachable,
        format!("cannot connect to {target}: {}", reason.as_ref()),
    )
}

/// A failure before the connection was usable: [`Kind::Unreachable`].
pub(crate) fn handshake(target: &Target, cause: &io::Error) -> Error {
    match rustls_cause(cause) {
        Some(_) => tls_failure(target, cause),
        None => cannot_connect(target, plain(cause)),
    }
}

/// A TLS handshake that failed.
pub(super) fn tls_failure(target: &Target, cause: &io::Error) -> Error {
    let identity = Identity {
        given: target.tls.as_ref().is_some_and(ClientTls::has_identity),
        asked: target.tls.as_ref().is_some_and(ClientTls::was_asked),
    };
    let Explanation { reason, hint } = match rustls_cause(cause) {
        Some(cause) => tls_errors::client(cause, identity),
        None => hung_up(cause),
    };
    let error = cannot_connect(target, reason).because(Cause::Tls);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// A plain server closes the connection when it sees the first TLS record.
fn hung_up(cause: &io::Error) -> Explanation {
    match cause.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => tls_errors::not_tls(
            "server does not speak TLS or rejected it: it closed the connection during the handshake",
        ),
        _ => Explanation {
            reason: plain(cause),
            hint: None,
        },
    }
}

fn rustls_cause(cause: &io::Error) -> Option<&rustls::Error> {
    cause.get_ref()?.downcast_ref()
}
