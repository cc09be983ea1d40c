//! What went wrong with a connection, in the user's words.

use std::io;

use bytestring::ByteString;

use crate::connect::{self, Target, diagnose};
use crate::error::{Cause, Error, Kind, brief};
use crate::mqtt::packet::ReasonCode;
use crate::mqtt::session::fault::Fault;

/// The server took the connection and did not answer CONNECT, or what was asked once it is online, in time.
pub(crate) fn no_answer(target: &Target, online: bool) -> Error {
    let patience = humantime::format_duration(target.connect_timeout);
    if online {
        let text = format!("no response from {target} within {patience}");
        return Error::new(Kind::TimedOut, text).hint("use --connect-timeout TIME to wait longer");
    }
    Error::new(
        Kind::TimedOut,
        format!(
            "{target} accepted the connection but did not respond to CONNECT within {patience}"
        ),
    )
    .hint("the port may not speak MQTT; use --connect-timeout TIME to wait longer")
}

/// The server closed the connection without a word.
pub(super) async fn closed(
    target: &Target,
    online: bool,
    first_bytes: Option<&bytes::Bytes>,
) -> Error {
    if online {
        return Error::new(Kind::Lost, format!("{target} closed the connection"));
    }
    if let Some(error) = first_bytes.and_then(|bytes| foreign(target, bytes)) {
        return error;
    }
    // Over WebSocket it has answered the handshake before: there is nothing left to find out.
    let unheard = !target.transport.is_websocket();
    if unheard && let Some(hint) = diagnose::silent_close(target).await {
        return Error::new(
            Kind::Unreachable,
            format!("{target} closed the connection without responding to CONNECT"),
        )
        .because(Cause::NoAnswer)
        .hint(hint);
    }
    Error::new(
        Kind::Lost,
        format!("{target} closed the connection without responding to CONNECT"),
    )
    .because(Cause::NoAnswer)
}

/// The same failure, with the answer that did not come and for which filters.
pub(super) fn unanswered(error: Error, awaited: Option<(&str, Vec<ByteString>)>) -> Error {
    let Some((answer, filters)) = awaited else {
        return error;
    };
    let Some((first, others)) = filters.split_first() else {
        return error;
    };
    let others = match others.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!("{error}; no {answer} for {}{others}", brief(first));
    error.reworded(text)
}

/// Reading or writing failed.
pub(super) async fn broken(target: &Target, cause: &io::Error, online: bool) -> Error {
    let abrupt = matches!(
        cause.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof
    );
    if abrupt && !online && !target.transport.is_encrypted() {
        return closed(target, false, None).await;
    }
    connect::failure(target, cause)
}

/// The session cannot go on.
pub(crate) fn fault(target: &Target, fault: &Fault, first_bytes: Option<&bytes::Bytes>) -> Error {
    match fault {
        Fault::Malformed { text, .. } => first_bytes
            .and_then(|bytes| foreign(target, bytes))
            .unwrap_or_else(|| {
                Error::new(
                    Kind::Lost,
                    format!("{target} sent a malformed packet: {text}"),
                )
                .because(Cause::Violation)
            }),
        Fault::Protocol { text, .. } => Error::new(
            Kind::Lost,
            format!("protocol violation by {target}: {text}"),
        )
        .because(Cause::Violation),
        Fault::Refused(refusal) => {
            elsewhere(target, fault, refused(target, fault, refusal.ack.reason))
        }
        Fault::Closed(disconnect) => {
            let kind = match disconnect.reason.kind() {
                Kind::Unauthorized => Kind::Unauthorized,
                _ => Kind::Lost,
            };
            let error = Error::new(kind, format!("{target} ended the connection: {fault}"));
            match disconnect.reason {
                ReasonCode::SESSION_TAKEN_OVER => error.hint(
                    "another client connects with the same identifier: give one of them another, by -i ID or, for a bridge, --name NAME",
                ),
                _ => elsewhere(target, fault, error),
            }
        }
        Fault::KeepAlive => Error::new(Kind::Lost, format!("no response from {target}: {fault}")),
        Fault::Overrun => Error::new(Kind::Lost, format!("{target}: {fault}")),
        Fault::Unencodable(cause) => Error::usage(cause.to_string()),
    }
}

fn refused(target: &Target, fault: &Fault, reason: ReasonCode) -> Error {
    let text = format!("{target} refused the connection: {fault}");
    let error = Error::new(reason.kind(), text).because(Cause::ConnectionRefused(reason.0));
    if let Some(hint) = fault.other_version() {
        return error.hint(hint);
    }
    match reason {
        ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::NOT_AUTHORIZED
            if target.username.is_none() =>
        {
            error.hint("use -u NAME and --password-file FILE to log in")
        }
        _ => error,
    }
}

/// The same error, with the way to the server that is to be used instead.
fn elsewhere(target: &Target, fault: &Fault, error: Error) -> Error {
    match way_elsewhere(&target.to_string(), fault) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The way to the server that is to be used instead of the one with this URL, for a hint.
pub(crate) fn way_elsewhere(url: &str, fault: &Fault) -> Option<String> {
    let (scheme, _) = url.split_once("://")?;
    let other = fault.other_server()?;
    Some(format!("connect to {scheme}://{other}"))
}

/// The first bytes belong to another protocol.
fn foreign(target: &Target, bytes: &[u8]) -> Option<Error> {
    let found = diagnose::first_bytes(bytes)?;
    let error = Error::new(
        Kind::Unreachable,
        format!("{target} speaks {}, not MQTT", found.what),
    );
    Some(match found.hint {
        Some(hint) => error.hint(hint),
        None => error,
    })
}
