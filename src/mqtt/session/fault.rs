//! What ends a connection to a server.

use std::fmt;

use crate::error::brief;
use crate::mqtt::packet::{
    ConnAck, Disconnect, Malformed, Packet, Place, Properties, ReasonCode, Unencodable, Version,
};

/// Why a connection cannot go on.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The server sent bytes that are no MQTT packet.
    #[error("{text}")]
    Malformed {
        /// The reason code to tell the server.
        reason: ReasonCode,
        /// What was wrong.
        text: String,
    },
    /// The server sent a packet that it must not send.
    #[error("{text}")]
    Protocol {
        /// The reason code to tell the server.
        reason: ReasonCode,
        /// What was wrong.
        text: String,
    },
    /// CONNACK with a failure.
    #[error("{}", words(.0.ack.reason.in_connack(.0.form), &.0.ack.properties))]
    Refused(Box<Refusal>),
    /// The server said DISCONNECT.
    #[error("{}", words(.0.reason.in_packet(Place::Disconnect), &.0.properties))]
    Closed(Disconnect),
    /// A PINGREQ was not answered for a whole keep-alive interval.
    #[error("no PINGRESP within the keep-alive interval")]
    KeepAlive,
    /// Too much waits to be taken; the server sends it again.
    #[error("more messages came than can wait")]
    Overrun,
    /// Something of ours does not fit into a packet.
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
}

/// A server does not let the client in.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its answer.
    pub ack: ConnAck,
    /// The version that CONNECT asked for.
    pub asked: Version,
    /// The version that the answer has the form of: a server that knows no other than an older one answers in that.
    pub form: Version,
}

impl Fault {
    /// A protocol error by the server, with the reason code that names it.
    pub fn protocol(reason: ReasonCode, text: impl Into<String>) -> Self {
        Self::Protocol {
            reason,
            text: text.into(),
        }
    }

    /// A packet at the wrong moment or in the wrong direction.
    pub fn unexpected(packet: &Packet, when: &str) -> Self {
        Self::protocol(
            ReasonCode::PROTOCOL_ERROR,
            format!("unexpected {} {when}", packet.name()),
        )
    }

    /// The server that is to be used instead, if this one names it (MQTT 5.0 §4.11): the first of several.
    pub(crate) fn other_server(&self) -> Option<String> {
        let said = match self {
            Self::Refused(refusal) => &refusal.ack.properties,
            Self::Closed(disconnect) => &disconnect.properties,
            _ => return None,
        };
        let reference = said.server_reference()?;
        let first = reference.split_ascii_whitespace().next()?;
        // Anything else is no address, and nothing that a user should be told to type.
        let is_of_address = |it: u8| it.is_ascii_alphanumeric() || b".:-_[]".contains(&it);
        first.bytes().all(is_of_address).then(|| first.to_owned())
    }

    /// Whether the server does not speak the version that it was asked for.
    pub(crate) fn is_about_the_version(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.ack.reason == ReasonCode::UNSUPPORTED_PROTOCOL_VERSION)
    }

    /// What the user can do, where it is another version that helps.
    pub(crate) fn other_version(&self) -> Option<&'static str> {
        let too_new = self.is_about_the_version()
            && matches!(self, Self::Refused(refusal) if refusal.asked == Version::V5);
        too_new.then_some("connect with MQTT 3.1.1: -V 311")
    }

    /// Whether it may be about a message that the server was sent, and not about who sent it. A server may give the same reason
    /// for a topic that is not allowed as for a login that is not.
    pub(crate) fn is_about_a_message(&self) -> bool {
        let Self::Closed(disconnect) = self else {
            return false;
        };
        disconnect.reason == ReasonCode::NOT_AUTHORIZED || is_about_a_message(disconnect.reason)
    }

    /// Whether connecting again could help. Another client that took our session over, or a server that
    /// does not want us, would only send us away again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::KeepAlive | Self::Overrun => true,
            Self::Refused(refusal) => is_temporary(refusal.ack.reason),
            Self::Closed(disconnect) => is_temporary(disconnect.reason),
            Self::Malformed { .. } | Self::Protocol { .. } | Self::Unencodable(_) => false,
        }
    }
}

/// Whether a server that gives this reason ends the connection because of a PUBLISH (MQTT 5.0 §3.14.2.1).
pub(crate) fn is_about_a_message(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::MALFORMED_PACKET
            | ReasonCode::PROTOCOL_ERROR
            | ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR
            | ReasonCode::TOPIC_NAME_INVALID
            | ReasonCode::TOPIC_ALIAS_INVALID
            | ReasonCode::PACKET_TOO_LARGE
            | ReasonCode::PAYLOAD_FORMAT_INVALID
            | ReasonCode::RETAIN_NOT_SUPPORTED
            | ReasonCode::QOS_NOT_SUPPORTED
    )
}

fn is_temporary(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::SUCCESS
            | ReasonCode::UNSPECIFIED_ERROR
            | ReasonCode::SERVER_UNAVAILABLE
            | ReasonCode::SERVER_BUSY
            | ReasonCode::SERVER_SHUTTING_DOWN
            | ReasonCode::KEEP_ALIVE_TIMEOUT
            | ReasonCode::QUOTA_EXCEEDED
            | ReasonCode::MESSAGE_RATE_TOO_HIGH
            | ReasonCode::CONNECTION_RATE_EXCEEDED
            | ReasonCode::MAXIMUM_CONNECT_TIME
    )
}

/// The reason, the other server that is to be used, and the server's own words.
fn words(reason: impl fmt::Display, said: &Properties) -> String {
    let mut words = reason.to_string();
    let texts = [said.server_reference(), said.reason_string()];
    for text in texts.into_iter().flatten() {
        words.push_str(": ");
        words.push_str(&brief(&text).to_string());
    }
    words
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed {
            reason: malformed.reason,
            text: malformed.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::Property;

    #[test]
    fn the_other_server_is_the_first_that_is_named() {
        let other = |reference: &'static str| {
            let reference = Property::ServerReference(reference.into());
            Fault::Closed(Disconnect {
                reason: ReasonCode(0x9d),
                properties: [reference].into_iter().collect(),
            })
        };
        for (reference, found) in [
            ("a.example:1884 b.example", Some("a.example:1884")),
            ("[::1]:1884", Some("[::1]:1884")),
            ("$(reboot)", None),
            ("", None),
        ] {
            assert_eq!(other(reference).other_server().as_deref(), found);
        }
    }

    #[test]
    fn the_end_of_a_connection_may_be_about_a_message() {
        let closed = |code| {
            Fault::Closed(Disconnect {
                reason: ReasonCode(code),
                ..Disconnect::default()
            })
        };
        for code in [0x81, 0x82, 0x87, 0x90, 0x95, 0x99, 0x9a, 0x9b] {
            let fault = closed(code);
            assert!(fault.is_about_a_message() && !fault.may_pass(), "{code:x}");
        }
        for code in [0x00, 0x8b, 0x8e, 0x98, 0x9c] {
            assert!(!closed(code).is_about_a_message(), "{code:x}");
        }
    }

    #[test]
    fn a_refusal_is_shown_as_it_was_sent() {
        let (new, old) = (Version::V5, Version::V311);
        for (asked, form, words, hint) in [
            (new, new, "unsupported protocol version (0x84)", true),
            (
                new,
                old,
                "unsupported protocol version (return code 1)",
                true,
            ),
            (
                old,
                old,
                "unsupported protocol version (return code 1)",
                false,
            ),
        ] {
            let ack = ConnAck {
                reason: ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
                ..ConnAck::default()
            };
            let fault = Fault::Refused(Box::new(Refusal { ack, asked, form }));
            assert_eq!(fault.to_string(), words);
            assert_eq!(fault.other_version().is_some(), hint, "{asked:?} {form:?}");
        }
    }

    #[test]
    fn a_reason_string_is_shown_in_a_line() {
        let said = Property::ReasonString("x".repeat(65_000).into());
        let text = words(ReasonCode::NOT_AUTHORIZED, &[said].into_iter().collect());
        assert!(
            text.ends_with("x… (65000 bytes)") && text.len() < 300,
            "{text}"
        );
    }
}
