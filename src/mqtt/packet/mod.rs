//! The MQTT control packets of 3.1, 3.1.1 and 5 and their codec.
//!
//! One set of types serves the three versions: an older version simply has no properties and fewer
//! reason codes, and the codec maps its return codes to those of MQTT 5 and back. The codec is strict:
//! whatever the specification calls malformed is reported as an error, never repaired or skipped.

mod properties;
mod read;
mod reason;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

pub use properties::{Place, Properties, Property, PropertyId};
pub use read::{Decoder, Malformed};
pub use reason::ReasonCode;
pub use write::{Unencodable, encode, encode_publish, encoded_len, publish_len};

/// The largest packet the protocol can express: 1 type byte, 4 length bytes, 268,435,455 bytes (MQTT 5.0 §2.1.4).
pub const LARGEST_PACKET: u32 = 268_435_460;

/// A protocol version, by the level byte of its CONNECT packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// MQTT 3.1: name `MQIsdp`, level 3.
    V31,
    /// MQTT 3.1.1: level 4.
    V311,
    /// MQTT 5.0: level 5.
    #[default]
    V5,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V31 => "MQTT 3.1",
            Self::V311 => "MQTT 3.1.1",
            Self::V5 => "MQTT 5",
        })
    }
}

/// Quality of service (MQTT 5.0 §4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// At most once.
    #[default]
    AtMostOnce = 0,
    /// At least once.
    AtLeastOnce = 1,
    /// Exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// The level for 0, 1 or 2.
    pub const fn from_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// 0, 1 or 2.
    pub const fn level(self) -> u8 {
        self as u8
    }
}

/// One MQTT control packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Connection request.
    Connect(Box<Connect>),
    /// Connection acknowledgement.
    ConnAck(ConnAck),
    /// An application message.
    Publish(Publish),
    /// QoS 1 acknowledgement.
    PubAck(Ack),
    /// QoS 2, part 1: received.
    PubRec(Ack),
    /// QoS 2, part 2: release.
    PubRel(Ack),
    /// QoS 2, part 3: complete.
    PubComp(Ack),
    /// Subscribe request.
    Subscribe(Subscribe),
    /// Subscribe acknowledgement.
    SubAck(SubAck),
    /// Unsubscribe request.
    Unsubscribe(Unsubscribe),
    /// Unsubscribe acknowledgement.
    UnsubAck(UnsubAck),
    /// Ping request.
    PingReq,
    /// Ping response.
    PingResp,
    /// Disconnect notification; sent by a server in MQTT 5 only.
    Disconnect(Disconnect),
    /// Authentication exchange, MQTT 5 only.
    Auth(Auth),
}

impl Packet {
    /// The name in the words of the specification: `PUBLISH`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => "CONNECT",
            Self::ConnAck(_) => "CONNACK",
            Self::Publish(_) => "PUBLISH",
            Self::PubAck(_) => "PUBACK",
            Self::PubRec(_) => "PUBREC",
            Self::PubRel(_) => "PUBREL",
            Self::PubComp(_) => "PUBCOMP",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::SubAck(_) => "SUBACK",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::UnsubAck(_) => "UNSUBACK",
            Self::PingReq => "PINGREQ",
            Self::PingResp => "PINGRESP",
            Self::Disconnect(_) => "DISCONNECT",
            Self::Auth(_) => "AUTH",
        }
    }
}

/// CONNECT (MQTT 5.0 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    /// What the connection will speak.
    pub version: Version,
    /// May be empty: the server assigns one (3.1.1: only with a clean session).
    pub client_id: ByteString,
    /// Clean Start; before MQTT 5, Clean Session.
    pub clean_start: bool,
    /// Seconds between packets at most; 0 turns it off.
    pub keep_alive: u16,
    /// User name.
    pub username: Option<ByteString>,
    /// Any bytes; before MQTT 5 only together with a user name.
    pub password: Option<Bytes>,
    /// What the server publishes when this client vanishes.
    pub will: Option<Will>,
    /// MQTT 5 properties.
    pub properties: Properties,
    /// Before MQTT 5: the client is a bridge, which the highest bit of the level tells. Servers that know this send it nothing of
    /// what it has published, and leave RETAIN as it was published.
    pub bridge: bool,
}

/// The Will Message of a CONNECT (MQTT 5.0 §3.1.2.5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Will {
    /// Where it is published.
    pub topic: ByteString,
    /// Its body.
    pub payload: Bytes,
    /// Its quality of service.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// MQTT 5 will properties.
    pub properties: Properties,
}

/// CONNACK (MQTT 5.0 §3.2). Return codes before MQTT 5 are given as the MQTT 5 reason codes of the same meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnAck {
    /// Whether the server resumed a session.
    pub session_present: bool,
    /// Success, or why not.
    pub reason: ReasonCode,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// PUBLISH (MQTT 5.0 §3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// DUP: may have been sent before.
    pub duplicate: bool,
    /// Quality of service.
    pub qos: QoS,
    /// RETAIN.
    pub retain: bool,
    /// May be empty in MQTT 5 when a topic alias stands for it.
    pub topic: ByteString,
    /// 0 at QoS 0, otherwise 1 to 65,535.
    pub packet_id: u16,
    /// The body.
    pub payload: Bytes,
    /// MQTT 5 properties.
    pub properties: Properties,
}

impl Publish {
    /// The memory that the message holds, in bytes; a payload counts in full even where it is shared.
    pub fn held(&self) -> usize {
        size_of::<Self>() + self.topic.len() + self.payload.len() + self.properties.held()
    }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5.0 §3.4 to §3.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Of the PUBLISH it answers.
    pub packet_id: u16,
    /// Always success before MQTT 5.
    pub reason: ReasonCode,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// What a server does with retained messages at subscription (MQTT 5.0 §3.8.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RetainHandling {
    /// Send them at every subscribe.
    #[default]
    Always = 0,
    /// Send them only if the subscription is new.
    New = 1,
    /// Never send them.
    Never = 2,
}

/// One filter of a SUBSCRIBE with its options (MQTT 5.0 §3.8.3.1). Before MQTT 5 only `qos` travels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// The topic filter, `$share/NAME/FILTER` included.
    pub filter: ByteString,
    /// The highest QoS to be delivered.
    pub qos: QoS,
    /// Do not send back what this client published.
    pub no_local: bool,
    /// Keep the RETAIN flag as it was published.
    pub retain_as_published: bool,
    /// When to send retained messages.
    pub retain_handling: RetainHandling,
}

/// SUBSCRIBE (MQTT 5.0 §3.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscribe {
    /// 1 to 65,535.
    pub packet_id: u16,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// SUBACK (MQTT 5.0 §3.9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubAck {
    /// Of the SUBSCRIBE it answers.
    pub packet_id: u16,
    /// One for each filter, in its order: the granted QoS (0, 1, 2) or a failure.
    pub reasons: Vec<ReasonCode>,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// UNSUBSCRIBE (MQTT 5.0 §3.10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsubscribe {
    /// 1 to 65,535.
    pub packet_id: u16,
    /// At least one.
    pub filters: Vec<ByteString>,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// UNSUBACK (MQTT 5.0 §3.11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnsubAck {
    /// Of the UNSUBSCRIBE it answers.
    pub packet_id: u16,
    /// One for each filter in MQTT 5; empty before.
    pub reasons: Vec<ReasonCode>,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// DISCONNECT (MQTT 5.0 §3.14).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disconnect {
    /// Normal, with the will, or why.
    pub reason: ReasonCode,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// AUTH (MQTT 5.0 §3.15).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// Success, continue, or re-authenticate.
    pub reason: ReasonCode,
    /// The method and its data.
    pub properties: Properties,
}
