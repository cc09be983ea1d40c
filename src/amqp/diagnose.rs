//! What went wrong with a connection or a request, in the user's words.

use std::io;
use std::time::Duration;

use lapin::ErrorKind;
use lapin::protocol::{AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError};

use crate::connect::{self, Target, diagnose};
use crate::error::{Cause, Error, Kind, brief, plain};

use super::client::{Login, SMALLEST_FRAME};
use super::heard::{Greeting, Heard};

/// The server took the connection and did not get as far as it should in time.
pub(super) fn no_answer(target: &Target, limit: Duration) -> Error {
    let limit = humantime::format_duration(limit);
    Error::new(
        Kind::TimedOut,
        format!("{target} accepted the connection but did not complete the login within {limit}"),
    )
    .hint("the port may not speak AMQP; use --connect-timeout TIME to wait longer")
}

/// The login failed.
pub(super) async fn login(
    target: &Target,
    login: &Login,
    heard: &Heard,
    cause: &lapin::Error,
) -> Error {
    let greeting = heard.greeting();
    if let ErrorKind::ProtocolError(error) = cause.kind() {
        return match greeting.tune {
            None => login_refused(target, login, error),
            Some(_) => connection_refused(target, error),
        };
    }
    // With TLS 1.3 a server refuses our certificate, or that there is none, only now.
    if let ErrorKind::IOError(cause) = cause.kind()
        && let refused = connect::failure(target, cause)
        && refused.kind() == Kind::Unreachable
    {
        return refused;
    }
    let bytes = heard.bytes();
    if let Some(error) =
        foreign(target, &bytes, NINE).or_else(|| objection(target, login, &greeting))
    {
        return error;
    }
    if let Some(error) = hung_up(target, &greeting) {
        return error;
    }
    if bytes.is_empty() {
        return closed(target, NINE).await;
    }
    let why = match cause.kind() {
        ErrorKind::IOError(cause) => plain(cause),
        _ => cause.to_string(),
    };
    let text = format!("{target} does not conform to AMQP 0-9-1: {why}");
    Error::new(Kind::Lost, text)
}

/// The server has greeted, and then ended the connection without a word.
fn hung_up(target: &Target, greeting: &Greeting) -> Option<Error> {
    let text = format!("{target} closed the connection during the login");
    Some(match greeting {
        Greeting { tune: Some(_), .. } => Error::new(
            Kind::Lost,
            format!("{target} accepted the login, but closed the connection while opening the virtual host"),
        )
        .hint("the virtual host may be wrong: it is the path of the URL; %2f is the default one"),
        Greeting {
            tells_refusals: true,
            ..
        } => Error::new(Kind::Lost, text),
        // Others that hang up after Connection.Start did not like who we are (AMQP 0-9-1 §2.2.4).
        Greeting {
            mechanisms: Some(_),
            ..
        } => Error::new(Kind::Unauthorized, text).hint("user name or password may be wrong"),
        Greeting { .. } => return None,
    })
}

/// What in the server's greeting makes it useless to go on.
pub(super) fn objection(target: &Target, login: &Login, greeting: &Greeting) -> Option<Error> {
    let wanted = login.mechanism.name();
    let offered = greeting.mechanisms.as_ref()?;
    if !offered.split_whitespace().any(|name| name == wanted) {
        return Some(not_offered(target, wanted, offered));
    }
    match greeting.tune?.frame_max {
        0 | SMALLEST_FRAME.. => None,
        small => Some(Error::new(
            Kind::Lost,
            format!(
                "{target} allows frames of at most {small} bytes; AMQP 0-9-1 requires {SMALLEST_FRAME}"
            ),
        )),
    }
}

/// The server knows no such login.
pub(super) fn not_offered(target: &Target, wanted: &str, offered: &str) -> Error {
    let offered = match offered.trim() {
        "" => "none",
        some => some,
    };
    let text = format!(
        "{target} does not offer the SASL mechanism {wanted}; it offers {}",
        brief(offered)
    );
    Error::new(Kind::Unauthorized, text)
}

/// The server does not let this login in.
pub(super) fn denied(target: &Target, login: &Login) -> Error {
    let text = format!("{target} refused the login of {}", login.who());
    let refused = Error::new(Kind::Unauthorized, text);
    match login.guest {
        true => refused.hint("use -u NAME and --password-file FILE to log in"),
        false => refused,
    }
}

fn login_refused(target: &Target, login: &Login, error: &AMQPError) -> Error {
    let text = server_words(error.get_message().as_str());
    let kind = match error.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => return denied(target, login),
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => Kind::Unauthorized,
        _ => kind_of(error),
    };
    Error::new(kind, format!("{target} refused the login: {text}"))
}

/// The server has taken the login; it does not agree to the virtual host, or to the limits of the connection.
fn connection_refused(target: &Target, error: &AMQPError) -> Error {
    let text = server_words(error.get_message().as_str());
    let with = |kind| Error::new(kind, format!("{target} refused the connection: {text}"));
    // RabbitMQ says 530 both for a virtual host that is not there and for one that is closed to us.
    if text.contains("vhost") && text.contains("not found") {
        return with(Kind::Refused)
            .hint("the virtual host is the path of the URL; %2f is the default one");
    }
    if text.contains("access to vhost") {
        return with(Kind::Unauthorized);
    }
    with(kind_of(error))
}

/// What we speak.
pub(super) const NINE: &str = "AMQP 0-9-1";

/// The other protocol by that name.
pub(super) const ONE: &str = "AMQP 1.0";

/// The first bytes belong to another protocol than `ours`, or to another version of AMQP.
pub(super) fn foreign(target: &Target, bytes: &[u8], ours: &str) -> Option<Error> {
    let (what, hint) = match bytes {
        [b'A', b'M', b'Q', b'P', 0 | 3, 1, 0, 0, ..] if ours == ONE => return None,
        [b'A', b'M', b'Q', b'P', 0 | 3, 1, 0, 0, ..] => {
            let hint = "AMQP 1.0 is a different protocol; publish, consume and ping support it with --protocol 1.0";
            (String::from(ONE), Some(hint.to_owned()))
        }
        [b'A', b'M', b'Q', b'P', 0, 0, 9, 1, ..] if ours == NINE => {
            let text = format!(
                "{target} refused the protocol header of {NINE}, and names the same version"
            );
            return Some(Error::new(Kind::Unreachable, text));
        }
        [b'A', b'M', b'Q', b'P', 0, 0, 9, 1, ..] => {
            (String::from(NINE), Some(String::from("--protocol 0-9-1")))
        }
        [b'A', b'M', b'Q', b'P', _, major, minor, revision, ..] => {
            (format!("AMQP {major}-{minor}-{revision}"), None)
        }
        [0x15 | 0x16, 0x03, ..] => {
            let hint = format!(
                "this looks like a TLS port; use amqps://{}",
                target.authority()
            );
            (String::from("TLS"), Some(hint))
        }
        // An answer to what was taken for a CONNECT, or its refusal.
        [0x20, 2 | 3, 0, ..] => return Some(mqtt(target, ours)),
        _ => {
            let found = diagnose::first_bytes(bytes)?;
            (found.what, found.hint.map(str::to_owned))
        }
    };
    let text = format!("{target} speaks {what}, not {ours}");
    let error = Error::new(Kind::Unreachable, text);
    let error = match what == ONE {
        true => error.because(Cause::SpeaksAmqp10),
        false => error,
    };
    Some(match hint {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

/// There is a server of MQTT.
fn mqtt(target: &Target, ours: &str) -> Error {
    let text = format!("{target} speaks MQTT, not {ours}");
    Error::new(Kind::Unreachable, text).hint(diagnose::MQTT_PORT)
}

/// The connection was closed before its first byte.
pub(super) async fn closed(target: &Target, ours: &str) -> Error {
    let silent = format!("{target} closed the connection without sending anything");
    match diagnose::silent_close(target).await {
        Some(hint) => Error::new(Kind::Unreachable, silent).hint(hint),
        // Nor does it say what else it is to who does not speak it first.
        None if diagnose::speaks_mqtt(target).await => mqtt(target, ours),
        None => Error::new(Kind::Lost, silent),
    }
}

/// A request failed; `what` completes "the server refused …".
pub(super) fn request(target: &Target, what: &str, cause: &lapin::Error) -> Error {
    match cause.kind() {
        ErrorKind::ProtocolError(error) => {
            let text = server_words(error.get_message().as_str());
            let kind = kind_of(error);
            // RabbitMQ says so of streams and quorum queues as long as it is starting.
            let starting = text.contains("is down or inaccessible");
            let kind = if starting { Kind::Lost } else { kind };
            let text = match kind {
                Kind::Lost if !starting => format!("{target} ended the connection: {text}"),
                _ => format!("{target} refused {what}: {text}"),
            };
            match is_in_use(error) {
                true => Error::new(kind, text).because(Cause::InUse),
                false => Error::new(kind, text),
            }
        }
        ErrorKind::IOError(cause) => lost(target, cause),
        ErrorKind::MissingHeartbeatError => Error::new(
            Kind::Lost,
            format!("no reply from {target}: no heartbeat received"),
        ),
        ErrorKind::InvalidChannelState(..)
        | ErrorKind::InvalidConnectionState(_)
        | ErrorKind::InvalidChannel(_) => {
            Error::new(Kind::Lost, format!("connection to {target} lost"))
        }
        ErrorKind::ChannelsLimitReached => Error::new(
            Kind::Refused,
            format!("{target} allows no more channels on this connection"),
        ),
        _ => Error::new(
            Kind::Lost,
            format!("protocol violation by {target}: {cause}"),
        ),
    }
}

fn lost(target: &Target, cause: &io::Error) -> Error {
    match cause.kind() {
        // What lapin says when the server closes its side.
        io::ErrorKind::ConnectionAborted => Error::new(
            Kind::Lost,
            format!("connection to {target} lost: closed by the server"),
        ),
        _ => connect::failure(target, cause),
    }
}

/// No answer came within the deadline.
pub(super) fn silent(target: &Target, what: &str, limit: Duration, blocked: Option<&str>) -> Error {
    let limit = humantime::format_duration(limit);
    let text = match blocked {
        Some(reason) => format!(
            "{target} is blocked ({reason}) and did not respond to the request {what} within {limit}"
        ),
        None => format!("no reply from {target} to the request {what} within {limit}"),
    };
    Error::new(Kind::TimedOut, text)
}

/// lapin's thread panicked.
pub(super) fn panicked(target: &Target, text: &str) -> Error {
    Error::new(
        Kind::Lost,
        format!("{target} sent something that the AMQP library cannot handle: {text}"),
    )
}

/// Whether somebody else has the queue for himself: it is his, or he alone may consume from it, for which RabbitMQ has the code
/// of missing rights.
fn is_in_use(error: &AMQPError) -> bool {
    match error.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::RESOURCELOCKED) => true,
        AMQPErrorKind::Soft(_) => error.get_message().as_str().contains("in exclusive use"),
        AMQPErrorKind::Hard(_) => false,
    }
}

fn kind_of(error: &AMQPError) -> Kind {
    use AMQPHardError as Hard;
    match error.kind() {
        AMQPErrorKind::Soft(_) if is_in_use(error) => Kind::Refused,
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Kind::Unauthorized,
        AMQPErrorKind::Soft(_) => Kind::Refused,
        AMQPErrorKind::Hard(
            Hard::NOTALLOWED
            | Hard::NOTIMPLEMENTED
            | Hard::RESOURCEERROR
            | Hard::COMMANDINVALID
            | Hard::INVALIDPATH,
        ) => Kind::Refused,
        AMQPErrorKind::Hard(_) => Kind::Lost,
    }
}

/// RabbitMQ puts the code's name before its words: `NOT_FOUND - no queue 'x' in vhost '/'`.
pub(super) fn server_words(text: &str) -> &str {
    match text.split_once(" - ") {
        Some((name, words)) if name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => words,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Protocol;

    fn target() -> Target {
        Target::tcp(Protocol::Amqp, "h", 5672)
    }

    fn protocol(code: u16, text: &str) -> lapin::Error {
        let error = AMQPError::from_id(code, text.into()).unwrap();
        ErrorKind::ProtocolError(error).into()
    }

    #[test]
    fn what_the_server_refuses_has_its_exit_code() {
        for (code, kind) in [
            (404, Kind::Refused),
            (405, Kind::Refused),
            (406, Kind::Refused),
            (403, Kind::Unauthorized),
            (530, Kind::Refused),
            (503, Kind::Refused),
            (320, Kind::Lost),
            (541, Kind::Lost),
        ] {
            let error = request(&target(), "to work", &protocol(code, "no"));
            assert_eq!(error.kind(), kind, "{code}");
        }
    }

    #[test]
    fn a_queue_that_is_not_up_yet_is_worth_another_try() {
        let words =
            "NOT_FOUND - home node 'r@h' of durable queue 'q' in vhost '/' is down or inaccessible";
        let error = request(&target(), "to consume", &protocol(404, words));
        assert_eq!(error.kind(), Kind::Lost);
        assert!(error.text().contains("refused to consume: home node"));
    }

    #[test]
    fn the_servers_words_stand_without_its_code() {
        let cause = protocol(404, "NOT_FOUND - no queue 'x' in vhost '/'");
        let error = request(&target(), "to purge the queue \"x\"", &cause);
        assert_eq!(
            error.text(),
            "amqp://h:5672 refused to purge the queue \"x\": no queue 'x' in vhost '/'"
        );
        assert_eq!(server_words("a - b"), "a - b");
    }

    #[test]
    fn other_protocols_are_named() {
        for (bytes, words) in [
            (&b"AMQP\0\x01\0\0"[..], "speaks AMQP 1.0, not"),
            (b"AMQP\x03\x01\0\0", "speaks AMQP 1.0, not"),
            (b"AMQP\0\0\x08\0", "speaks AMQP 0-8-0, not"),
            (b"HTTP/1.1 400 Bad Request\r\n", "speaks HTTP"),
            (&[0x15, 3, 3, 0, 2, 2, 40], "speaks TLS, not"),
        ] {
            let error = foreign(&target(), bytes, NINE).unwrap();
            assert_eq!(error.kind(), Kind::Unreachable);
            assert!(error.text().contains(words), "{error}");
        }
        assert!(foreign(&target(), &[1, 0, 0, 0, 0, 1, 0, 0, 10, 0, 10], NINE).is_none());
    }
}
