//! The table of properties (MQTT 5.0 table 2-4): number, value, name, and the packets that may carry each.
//!
//! Reading from the wire, reading from the command line and writing all follow from this one table:
//! [`Source`] says where values come from, [`Target`] where they go.

use bytes::Bytes;
use bytestring::ByteString;

use super::Property;
use crate::mqtt::packet::ReasonCode;

/// Where properties stand: a packet, or the will within a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Place {
    Connect,
    Will,
    ConnAck,
    Publish,
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    Disconnect,
    Auth,
}

impl Place {
    /// As the specification writes it: `CONNECT`; `will` for the will.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Will => "will",
            Self::ConnAck => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::PubAck => "PUBACK",
            Self::PubRec => "PUBREC",
            Self::PubRel => "PUBREL",
            Self::PubComp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubAck => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::UnsubAck => "UNSUBACK",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }
}

/// Gives the values of a property, one by one, by their type on the wire.
pub(in crate::mqtt::packet) trait Source {
    type Error;
    fn byte(&mut self) -> Result<u8, Self::Error>;
    fn two(&mut self) -> Result<u16, Self::Error>;
    fn four(&mut self) -> Result<u32, Self::Error>;
    fn variable(&mut self) -> Result<u32, Self::Error>;
    fn text(&mut self) -> Result<ByteString, Self::Error>;
    fn binary(&mut self) -> Result<Bytes, Self::Error>;
}

/// Takes the values of a property, one by one, by their type on the wire.
/// All are references, so that one table row fits every type.
pub(in crate::mqtt::packet) trait Target {
    type Error;
    fn byte(&mut self, value: &u8) -> Result<(), Self::Error>;
    fn two(&mut self, value: &u16) -> Result<(), Self::Error>;
    fn four(&mut self, value: &u32) -> Result<(), Self::Error>;
    fn variable(&mut self, value: &u32) -> Result<(), Self::Error>;
    fn text(&mut self, value: &str) -> Result<(), Self::Error>;
    fn binary(&mut self, value: &[u8]) -> Result<(), Self::Error>;
}

/// Turns the table into the identifiers and the ways in and out. `pair` is two texts.
macro_rules! table {
    ($($byte:literal $variant:ident $kind:ident $name:literal [$places:pat];)*) => {
        /// The identifier of a property (MQTT 5.0 table 2-4).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum PropertyId {
            $(#[doc = concat!("`", $name, "`")] $variant = $byte,)*
        }

        impl PropertyId {
            /// Every identifier, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The identifier with this number; `None` for one that the specification does not define.
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The identifier with this name, as [`Self::name`] writes it.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|id| id.name() == name)
            }

            /// The name in lower case with hyphens: `session-expiry-interval`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Whether such a property may stand there.
            pub const fn allowed_in(self, place: Place) -> bool {
                use Place::*;
                match self {
                    $(Self::$variant => matches!(place, $places),)*
                }
            }
        }

        impl Property {
            /// Which property this is.
            pub const fn id(&self) -> PropertyId {
                match self {
                    $(Self::$variant { .. } => PropertyId::$variant,)*
                }
            }

            /// The property `id` with the next values of `source`; [`Self::check`] has not seen them.
            pub(in crate::mqtt::packet) fn take<S: Source>(id: PropertyId, source: &mut S) -> Result<Self, S::Error> {
                Ok(match id {
                    $(PropertyId::$variant => table!(@take $variant $kind source),)*
                })
            }

            /// Hands the values to `target`, without the identifier.
            pub(in crate::mqtt::packet) fn give<T: Target>(&self, target: &mut T) -> Result<(), T::Error> {
                table!(@give self target $($variant $kind)*)
            }
        }
    };
    (@take $variant:ident pair $source:ident) => { Self::$variant($source.text()?, $source.text()?) };
    (@take $variant:ident $kind:ident $source:ident) => { Self::$variant($source.$kind()?) };
    (@give $self:ident $target:ident $($variant:ident $kind:ident)*) => {
        match $self.id() {
            $(PropertyId::$variant => table!(@one $self $target $variant $kind),)*
        }
    };
    (@one $self:ident $target:ident $variant:ident pair) => {
        match $self {
            Self::$variant(name, value) => { $target.text(name)?; $target.text(value) }
            _ => Ok(()),
        }
    };
    (@one $self:ident $target:ident $variant:ident $kind:ident) => {
        match $self {
            Self::$variant(value) => $target.$kind(value),
            _ => Ok(()),
        }
    };
}

table! {
    0x01 PayloadFormatIndicator byte "payload-format-indicator" [Publish | Will];
    0x02 MessageExpiryInterval four "message-expiry-interval" [Publish | Will];
    0x03 ContentType text "content-type" [Publish | Will];
    0x08 ResponseTopic text "response-topic" [Publish | Will];
    0x09 CorrelationData binary "correlation-data" [Publish | Will];
    0x0b SubscriptionIdentifier variable "subscription-identifier" [Publish | Subscribe];
    0x11 SessionExpiryInterval four "session-expiry-interval" [Connect | ConnAck | Disconnect];
    0x12 AssignedClientIdentifier text "assigned-client-identifier" [ConnAck];
    0x13 ServerKeepAlive two "server-keep-alive" [ConnAck];
    0x15 AuthenticationMethod text "authentication-method" [Connect | ConnAck | Auth];
    0x16 AuthenticationData binary "authentication-data" [Connect | ConnAck | Auth];
    0x17 RequestProblemInformation byte "request-problem-information" [Connect];
    0x18 WillDelayInterval four "will-delay-interval" [Will];
    0x19 RequestResponseInformation byte "request-response-information" [Connect];
    0x1a ResponseInformation text "response-information" [ConnAck];
    0x1c ServerReference text "server-reference" [ConnAck | Disconnect];
    0x1f ReasonString text "reason-string"
        [ConnAck | PubAck | PubRec | PubRel | PubComp | SubAck | UnsubAck | Disconnect | Auth];
    0x21 ReceiveMaximum two "receive-maximum" [Connect | ConnAck];
    0x22 TopicAliasMaximum two "topic-alias-maximum" [Connect | ConnAck];
    0x23 TopicAlias two "topic-alias" [Publish];
    0x24 MaximumQos byte "maximum-qos" [ConnAck];
    0x25 RetainAvailable byte "retain-available" [ConnAck];
    0x26 UserProperty pair "user-property" [_];
    0x27 MaximumPacketSize four "maximum-packet-size" [Connect | ConnAck];
    0x28 WildcardSubscriptionAvailable byte "wildcard-subscription-available" [ConnAck];
    0x29 SubscriptionIdentifierAvailable byte "subscription-identifier-available" [ConnAck];
    0x2a SharedSubscriptionAvailable byte "shared-subscription-available" [ConnAck];
}

impl PropertyId {
    /// Whether one packet may carry several (MQTT 5.0 §3.3.2.3.8 and each "user property" section).
    pub const fn repeats_in(self, place: Place) -> bool {
        match self {
            Self::UserProperty => true,
            Self::SubscriptionIdentifier => matches!(place, Place::Publish),
            _ => false,
        }
    }
}

impl Property {
    /// Whether the value is one that the specification allows; otherwise the reason code and the rule.
    pub(in crate::mqtt::packet) fn check(&self) -> Result<(), (ReasonCode, String)> {
        let name = self.id().name();
        match self {
            Self::TopicAlias(0) => Err((ReasonCode::TOPIC_ALIAS_INVALID, format!("{name} is 0"))),
            Self::ReceiveMaximum(0)
            | Self::MaximumPacketSize(0)
            | Self::SubscriptionIdentifier(0) => {
                Err((ReasonCode::PROTOCOL_ERROR, format!("{name} is 0")))
            }
            // Every byte among the properties is a choice between 0 and 1, the maximum QoS included.
            Self::PayloadFormatIndicator(value)
            | Self::RequestProblemInformation(value)
            | Self::RequestResponseInformation(value)
            | Self::MaximumQos(value)
            | Self::RetainAvailable(value)
            | Self::WildcardSubscriptionAvailable(value)
            | Self::SubscriptionIdentifierAvailable(value)
            | Self::SharedSubscriptionAvailable(value)
                if *value > 1 =>
            {
                let text = format!("{name} is {value}, neither 0 nor 1");
                Err((ReasonCode::PROTOCOL_ERROR, text))
            }
            Self::ResponseTopic(topic) => crate::mqtt::topic::check_name(topic)
                .map_err(|error| (ReasonCode::TOPIC_NAME_INVALID, format!("{name}: {error}"))),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_found_by_its_number_and_its_name() {
        assert_eq!(PropertyId::ALL.len(), 27);
        for &id in PropertyId::ALL {
            assert_eq!(PropertyId::from_byte(id as u8), Some(id));
            assert_eq!(PropertyId::from_name(id.name()), Some(id));
        }
        assert_eq!(PropertyId::from_byte(0x04), None);
        assert_eq!(PropertyId::from_name("Content-Type"), None);
    }

    #[test]
    fn each_packet_may_carry_as_many_kinds_as_the_specification_lists() {
        let count = |place| {
            PropertyId::ALL
                .iter()
                .filter(|id| id.allowed_in(place))
                .count()
        };
        let table = [
            (Place::Connect, 9),
            (Place::Will, 7),
            (Place::ConnAck, 17),
            (Place::Publish, 8),
            (Place::PubAck, 2),
            (Place::Subscribe, 2),
            (Place::SubAck, 2),
            (Place::Unsubscribe, 1),
            (Place::Disconnect, 4),
            (Place::Auth, 4),
        ];
        for (place, expected) in table {
            assert_eq!(count(place), expected, "{}", place.name());
        }
    }
}
