//! What went wrong over AMQP 1.0, in the user's words.

use std::io;
use std::time::Duration;

use fe2o3_amqp::connection::{self, ConnectionStopReason, OpenError};
use fe2o3_amqp::link::{
    DetachError, IllegalLinkStateError, LinkStateError, ReceiverAttachError, RecvError, SendError,
    SenderAttachError, SessionStopReason,
};
use fe2o3_amqp::session::BeginError;
use fe2o3_amqp::transport;
use fe2o3_amqp::types::definitions::{self, ErrorCondition};
use fe2o3_amqp::types::primitives::Symbol;

use super::super::client::Login;
use super::super::diagnose as v091;
use super::super::heard::Heard;
use super::sasl::Refusal;
use crate::connect::{self, Target};
use crate::error::{Error, Kind, brief};

/// Why a connection, a session or a link is of no use any more.
#[derive(Debug)]
pub(super) enum End {
    /// The server ended it with this condition.
    Told(definitions::Error),
    /// The server ended it without a word.
    Closed,
    /// The connection broke.
    Broke(io::Error),
    /// Nothing came for as long as was agreed on.
    Silent,
    /// What came makes no sense.
    Nonsense(String),
    /// It ended, and why is known elsewhere.
    Gone,
}

impl End {
    /// In one line; `what` completes "the server refused …".
    pub(super) fn words(self, target: &Target, what: &str) -> Error {
        let lost = |text: String| Error::new(Kind::Lost, text);
        match self {
            Self::Told(error) => told(target, what, &error),
            Self::Closed => lost(format!("connection to {target} lost: closed by the server")),
            Self::Gone => lost(format!("connection to {target} lost")),
            Self::Silent => lost(format!(
                "nothing received from {target} within the negotiated idle timeout"
            )),
            Self::Nonsense(text) => lost(format!("protocol violation by {target}: {text}")),
            Self::Broke(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                lost(format!("connection to {target} lost: closed by the server"))
            }
            Self::Broke(cause) => connect::failure(target, &cause),
        }
    }
}

/// The server's refusal: its description and its condition.
fn told(target: &Target, what: &str, error: &definitions::Error) -> Error {
    let kind = kind_of(&condition(error));
    let words = described(error);
    Error::new(
        kind,
        match kind {
            Kind::Lost => format!("{target} ended the connection: {words}"),
            _ => format!("{target} refused {what}: {words}"),
        },
    )
}

/// `no queue 'x' in vhost '/' (amqp:not-found)`, in one line.
pub(super) fn described(error: &definitions::Error) -> String {
    let condition = condition(error);
    let description = error.description.as_deref().unwrap_or_default();
    let description = v091::server_words(description);
    let words: Vec<&str> = description.split_whitespace().collect();
    match words.is_empty() {
        true => condition,
        false => format!("{} ({condition})", brief(&words.join(" "))),
    }
}

fn condition(error: &definitions::Error) -> String {
    let symbol = match &error.condition {
        ErrorCondition::AmqpError(known) => Symbol::from(known),
        ErrorCondition::ConnectionError(known) => Symbol::from(known),
        ErrorCondition::SessionError(known) => Symbol::from(known),
        ErrorCondition::LinkError(known) => Symbol::from(known),
        ErrorCondition::Custom(symbol) => symbol.clone(),
    };
    brief(&symbol.into_inner()).to_string()
}

fn kind_of(condition: &str) -> Kind {
    match condition.strip_prefix("amqp:").unwrap_or(condition) {
        "unauthorized-access" => Kind::Unauthorized,
        "internal-error" | "decode-error" | "illegal-state" | "frame-size-too-small" => Kind::Lost,
        other if other.starts_with("connection:") || other.starts_with("session:") => Kind::Lost,
        _ => Kind::Refused,
    }
}

/// The login failed.
pub(super) async fn login(target: &Target, login: &Login, heard: &Heard, why: Refusal) -> Error {
    let wanted = login.mechanism.name();
    match why {
        Refusal::Denied => v091::denied(target, login),
        Refusal::Offers(offered) => v091::not_offered(target, wanted, &offered),
        Refusal::Unready => Error::new(
            Kind::Lost,
            format!("{target} cannot verify the login at the moment"),
        ),
        Refusal::Nonsense(text) => End::Nonsense(text).words(target, "the login"),
        Refusal::Broke | Refusal::Foreign => early(target, heard).await,
    }
}

/// It ended before anybody could log in.
async fn early(target: &Target, heard: &Heard) -> Error {
    let bytes = heard.bytes();
    if let Some(error) = v091::foreign(target, &bytes, v091::ONE) {
        return error;
    }
    match &bytes[..] {
        [] => {}
        // The header of a server that wants to go on without SASL (AMQP 1.0 part 2 §2.2).
        b"AMQP\0\x01\0\0" => {
            let text = format!("{target} speaks {} without a login (SASL)", v091::ONE);
            return Error::new(Kind::Unreachable, text)
                .hint("iotctl always logs in with SASL, also as ANONYMOUS");
        }
        _ => {
            return Error::new(
                Kind::Unauthorized,
                format!("{target} closed the connection during the login"),
            );
        }
    }
    v091::closed(target, v091::ONE).await
}

/// No answer came within the deadline.
pub(super) fn silent(target: &Target, what: &str, limit: Duration) -> Error {
    v091::silent(target, what, limit, None)
}

impl From<OpenError> for End {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(cause) => Self::Broke(cause),
            OpenError::TransportError(error) => error.into(),
            OpenError::RemoteClosed => Self::Closed,
            OpenError::RemoteClosedWithError(error) => Self::Told(error),
            OpenError::ProtocolHeaderMismatch(_) => {
                Self::Nonsense(String::from("another protocol header came after the login"))
            }
            other => Self::Nonsense(other.to_string()),
        }
    }
}

impl From<transport::Error> for End {
    fn from(error: transport::Error) -> Self {
        match error {
            transport::Error::Io(cause) => Self::Broke(cause),
            transport::Error::IdleTimeoutElapsed => Self::Silent,
            transport::Error::DecodeError(text) => Self::Nonsense(text),
            other => Self::Nonsense(other.to_string()),
        }
    }
}

impl From<connection::Error> for End {
    fn from(error: connection::Error) -> Self {
        use connection::Error as Cause;
        match error {
            Cause::TransportError(error) => error.into(),
            Cause::RemoteClosedWithError(error) => Self::Told(error),
            Cause::RemoteClosed => Self::Closed,
            Cause::JoinError(_) | Cause::IllegalState => Self::Gone,
            other => Self::Nonsense(other.to_string()),
        }
    }
}

impl From<BeginError> for End {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::ConnectionStopped(reason) => reason.into(),
            BeginError::RemoteEndedWithError(error) => Self::Told(error),
            BeginError::RemoteEnded => Self::Closed,
            _ => Self::Gone,
        }
    }
}

impl From<ConnectionStopReason> for End {
    fn from(reason: ConnectionStopReason) -> Self {
        match reason {
            ConnectionStopReason::RemoteClosedWithError(error) => Self::Told(error),
            ConnectionStopReason::RemoteClosed => Self::Closed,
            // What broke is told where the connection is closed.
            ConnectionStopReason::Closed | ConnectionStopReason::ClosedWithError(_) => Self::Gone,
        }
    }
}

impl From<SessionStopReason> for End {
    fn from(reason: SessionStopReason) -> Self {
        match reason {
            SessionStopReason::RemoteEndedWithError(error) => Self::Told(error),
            SessionStopReason::RemoteEnded => Self::Closed,
            SessionStopReason::ConnectionStopped(reason) => reason.into(),
            SessionStopReason::EndedWithError(error) => Self::Nonsense(described(&error)),
            SessionStopReason::Ended => Self::Gone,
        }
    }
}

impl From<LinkStateError> for End {
    fn from(error: LinkStateError) -> Self {
        match error {
            LinkStateError::SessionStopped(reason) => reason.into(),
            LinkStateError::RemoteDetachedWithError(error)
            | LinkStateError::RemoteClosedWithError(error) => Self::Told(error),
            LinkStateError::RemoteDetached | LinkStateError::RemoteClosed => Self::Closed,
            LinkStateError::IllegalState | LinkStateError::ExpectImmediateDetach => Self::Gone,
        }
    }
}

impl From<DetachError> for End {
    fn from(error: DetachError) -> Self {
        LinkStateError::from(error).into()
    }
}

impl From<IllegalLinkStateError> for End {
    fn from(error: IllegalLinkStateError) -> Self {
        match error {
            IllegalLinkStateError::SessionStopped(reason) => reason.into(),
            _ => Self::Gone,
        }
    }
}

impl From<SenderAttachError> for End {
    fn from(error: SenderAttachError) -> Self {
        match error {
            SenderAttachError::SessionStopped(reason) => reason.into(),
            SenderAttachError::RemoteClosedWithError(error) => Self::Told(error),
            other => Self::Nonsense(other.to_string()),
        }
    }
}

impl From<ReceiverAttachError> for End {
    fn from(error: ReceiverAttachError) -> Self {
        match error {
            ReceiverAttachError::SessionStopped(reason) => reason.into(),
            ReceiverAttachError::RemoteClosedWithError(error) => Self::Told(error),
            other => Self::Nonsense(other.to_string()),
        }
    }
}

impl From<SendError> for End {
    fn from(error: SendError) -> Self {
        match error {
            SendError::LinkStateError(error) => error.into(),
            SendError::Detached(error) => error.into(),
            other => Self::Nonsense(other.to_string()),
        }
    }
}

impl From<RecvError> for End {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::LinkStateError(error) => error.into(),
            RecvError::MessageDecode(error) => {
                Self::Nonsense(format!("a message that cannot be read: {}", error.source))
            }
            other => Self::Nonsense(other.to_string()),
        }
    }
}
