//! Reason codes (MQTT 5.0 §2.4), with their names and the return codes of MQTT 3.1 and 3.1.1.

use std::fmt;

use super::{Place, Version};
use crate::error::Kind;

/// A reason code; 0x80 and above is a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReasonCode(pub u8);

/// Declares the constants and their names from one table.
macro_rules! reason_codes {
    ($($code:literal $constant:ident $name:literal;)*) => {
        impl ReasonCode {
            $(#[doc = concat!("0x", stringify!($code), ": ", $name, ".")] pub const $constant: Self = Self($code);)*

            /// The name in the words of the specification; `None` for a code it does not define.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

reason_codes! {
    0x00 SUCCESS "success";
    0x01 GRANTED_QOS_1 "granted QoS 1";
    0x02 GRANTED_QOS_2 "granted QoS 2";
    0x04 DISCONNECT_WITH_WILL "disconnect with will message";
    0x10 NO_MATCHING_SUBSCRIBERS "no matching subscribers";
    0x11 NO_SUBSCRIPTION_EXISTED "no subscription existed";
    0x18 CONTINUE_AUTHENTICATION "continue authentication";
    0x19 REAUTHENTICATE "re-authenticate";
    0x80 UNSPECIFIED_ERROR "unspecified error";
    0x81 MALFORMED_PACKET "malformed packet";
    0x82 PROTOCOL_ERROR "protocol error";
    0x83 IMPLEMENTATION_SPECIFIC_ERROR "implementation specific error";
    0x84 UNSUPPORTED_PROTOCOL_VERSION "unsupported protocol version";
    0x85 CLIENT_IDENTIFIER_NOT_VALID "client identifier not valid";
    0x86 BAD_USER_NAME_OR_PASSWORD "bad user name or password";
    0x87 NOT_AUTHORIZED "not authorized";
    0x88 SERVER_UNAVAILABLE "server unavailable";
    0x89 SERVER_BUSY "server busy";
    0x8a BANNED "banned";
    0x8b SERVER_SHUTTING_DOWN "server shutting down";
    0x8c BAD_AUTHENTICATION_METHOD "bad authentication method";
    0x8d KEEP_ALIVE_TIMEOUT "keep alive timeout";
    0x8e SESSION_TAKEN_OVER "session taken over";
    0x8f TOPIC_FILTER_INVALID "topic filter invalid";
    0x90 TOPIC_NAME_INVALID "topic name invalid";
    0x91 PACKET_IDENTIFIER_IN_USE "packet identifier in use";
    0x92 PACKET_IDENTIFIER_NOT_FOUND "packet identifier not found";
    0x93 RECEIVE_MAXIMUM_EXCEEDED "receive maximum exceeded";
    0x94 TOPIC_ALIAS_INVALID "topic alias invalid";
    0x95 PACKET_TOO_LARGE "packet too large";
    0x96 MESSAGE_RATE_TOO_HIGH "message rate too high";
    0x97 QUOTA_EXCEEDED "quota exceeded";
    0x98 ADMINISTRATIVE_ACTION "administrative action";
    0x99 PAYLOAD_FORMAT_INVALID "payload format invalid";
    0x9a RETAIN_NOT_SUPPORTED "retain not supported";
    0x9b QOS_NOT_SUPPORTED "QoS not supported";
    0x9c USE_ANOTHER_SERVER "use another server";
    0x9d SERVER_MOVED "server moved";
    0x9e SHARED_SUBSCRIPTIONS_NOT_SUPPORTED "shared subscriptions not supported";
    0x9f CONNECTION_RATE_EXCEEDED "connection rate exceeded";
    0xa0 MAXIMUM_CONNECT_TIME "maximum connect time";
    0xa1 SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED "subscription identifiers not supported";
    0xa2 WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED "wildcard subscriptions not supported";
}

impl ReasonCode {
    /// Whether the code reports a failure (MQTT 5.0 §2.4).
    pub const fn is_failure(self) -> bool {
        self.0 >= 0x80
    }

    /// Whether a packet may carry the code (MQTT 5.0 §2.4, table 2-6).
    pub const fn allowed_in(self, place: Place) -> bool {
        match place {
            Place::ConnAck => matches!(
                self.0,
                0 | 0x80..=0x8a | 0x8c | 0x90 | 0x95 | 0x97 | 0x99..=0x9d | 0x9f
            ),
            Place::PubAck | Place::PubRec => matches!(
                self.0,
                0 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99
            ),
            Place::PubRel | Place::PubComp => matches!(self.0, 0 | 0x92),
            Place::SubAck => matches!(
                self.0,
                0..=2 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91 | 0x97 | 0x9e | 0xa1 | 0xa2
            ),
            Place::UnsubAck => {
                matches!(self.0, 0 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91)
            }
            Place::Disconnect => matches!(
                self.0,
                0 | 4 | 0x80..=0x83 | 0x87 | 0x89 | 0x8b..=0x90 | 0x93..=0xa2
            ),
            Place::Auth => matches!(self.0, 0 | 0x18 | 0x19),
            Place::Connect
            | Place::Will
            | Place::Publish
            | Place::Subscribe
            | Place::Unsubscribe => false,
        }
    }

    /// The reason code that means what a CONNACK return code of MQTT 3.1 or 3.1.1 means
    /// (MQTT 3.1.1 §3.2.2.3); `None` for a reserved one.
    pub const fn from_return_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::SUCCESS),
            1 => Some(Self::UNSUPPORTED_PROTOCOL_VERSION),
            2 => Some(Self::CLIENT_IDENTIFIER_NOT_VALID),
            3 => Some(Self::SERVER_UNAVAILABLE),
            4 => Some(Self::BAD_USER_NAME_OR_PASSWORD),
            5 => Some(Self::NOT_AUTHORIZED),
            _ => None,
        }
    }

    /// The CONNACK return code of MQTT 3.1 and 3.1.1 nearest in meaning.
    pub const fn to_return_code(self) -> u8 {
        match self {
            Self::SUCCESS => 0,
            Self::UNSUPPORTED_PROTOCOL_VERSION => 1,
            Self::CLIENT_IDENTIFIER_NOT_VALID => 2,
            Self::BAD_USER_NAME_OR_PASSWORD => 4,
            Self::NOT_AUTHORIZED | Self::BANNED | Self::BAD_AUTHENTICATION_METHOD => 5,
            _ => 3,
        }
    }
}

impl ReasonCode {
    /// The code in words as a packet means it: 0x00 is granted QoS 0 in SUBACK, a normal disconnection in DISCONNECT
    /// (MQTT 5.0 §2.4, table 2-6).
    pub(crate) fn in_packet(self, place: Place) -> impl fmt::Display {
        fmt::from_fn(move |f| match (self, place) {
            (Self::SUCCESS, Place::SubAck) => f.write_str("granted QoS 0 (0x00)"),
            (Self::SUCCESS, Place::Disconnect) => f.write_str("normal disconnection (0x00)"),
            _ => fmt::Display::fmt(&self, f),
        })
    }

    /// The code of a CONNACK in words. Before MQTT 5 the server has sent a return code (MQTT 3.1.1 §3.2.2.3).
    pub(crate) fn in_connack(self, version: Version) -> impl fmt::Display {
        fmt::from_fn(move |f| match self.name() {
            Some(name) if version < Version::V5 => {
                write!(f, "{name} (return code {})", self.to_return_code())
            }
            _ => fmt::Display::fmt(&self, f),
        })
    }

    /// The class of a failure, which fixes the exit code.
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::BAD_USER_NAME_OR_PASSWORD
            | Self::NOT_AUTHORIZED
            | Self::BANNED
            | Self::BAD_AUTHENTICATION_METHOD => Kind::Unauthorized,
            _ => Kind::Refused,
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:02x})", self.0),
            None => write!(f, "reason code 0x{:02x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_is_named_by_its_packet() {
        let words = |place| ReasonCode::SUCCESS.in_packet(place).to_string();
        assert_eq!(words(Place::SubAck), "granted QoS 0 (0x00)");
        assert_eq!(words(Place::Disconnect), "normal disconnection (0x00)");
        assert_eq!(words(Place::PubAck), "success (0x00)");
        let taken = ReasonCode::SESSION_TAKEN_OVER.in_packet(Place::Disconnect);
        assert_eq!(taken.to_string(), "session taken over (0x8e)");
    }
}
