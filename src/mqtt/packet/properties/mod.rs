//! MQTT 5 properties (MQTT 5.0 §2.2.2): one list type for every packet.
//!
//! A list keeps the order and the repeats of user properties and costs no memory when empty.
//! Which property may stand in which packet, and how often, is checked by the codec on reading
//! and by [`Properties::check`] for what a user asks to send.

mod table;
mod words;

use bytes::Bytes;
use bytestring::ByteString;

pub use table::{Place, PropertyId};
pub(super) use table::{Source, Target};

/// One property with its value. The names are those of MQTT 5.0 table 2-4.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Property {
    PayloadFormatIndicator(u8),
    MessageExpiryInterval(u32),
    ContentType(ByteString),
    ResponseTopic(ByteString),
    CorrelationData(Bytes),
    SubscriptionIdentifier(u32),
    SessionExpiryInterval(u32),
    AssignedClientIdentifier(ByteString),
    ServerKeepAlive(u16),
    AuthenticationMethod(ByteString),
    AuthenticationData(Bytes),
    RequestProblemInformation(u8),
    WillDelayInterval(u32),
    RequestResponseInformation(u8),
    ResponseInformation(ByteString),
    ServerReference(ByteString),
    ReasonString(ByteString),
    ReceiveMaximum(u16),
    TopicAliasMaximum(u16),
    TopicAlias(u16),
    MaximumQos(u8),
    RetainAvailable(u8),
    UserProperty(ByteString, ByteString),
    MaximumPacketSize(u32),
    WildcardSubscriptionAvailable(u8),
    SubscriptionIdentifierAvailable(u8),
    SharedSubscriptionAvailable(u8),
}

/// The properties of one packet, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(Vec<Property>);

impl Properties {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The properties in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Property> {
        self.0.iter()
    }

    /// None, with room for so many.
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Adds one at the end.
    pub fn push(&mut self, property: Property) {
        self.0.push(property);
    }

    /// Takes the last one away.
    pub fn pop(&mut self) -> Option<Property> {
        self.0.pop()
    }

    /// The memory that the list and its texts hold, in bytes.
    pub fn held(&self) -> usize {
        let texts: usize = self.0.iter().map(Property::text_len).sum();
        self.0.capacity() * size_of::<Property>() + texts
    }

    /// A copy that shares no memory with the packet it came in.
    pub fn detached(&self) -> Self {
        self.0.iter().map(Property::detached).collect()
    }

    /// Keeps those for which `keep` holds.
    pub fn retain(&mut self, keep: impl FnMut(&Property) -> bool) {
        self.0.retain(keep);
    }
}

impl Property {
    /// The length of its texts, in bytes; 0 for a number.
    fn text_len(&self) -> usize {
        match self {
            Self::ContentType(text)
            | Self::ResponseTopic(text)
            | Self::AssignedClientIdentifier(text)
            | Self::AuthenticationMethod(text)
            | Self::ResponseInformation(text)
            | Self::ServerReference(text)
            | Self::ReasonString(text) => text.len(),
            Self::CorrelationData(bytes) | Self::AuthenticationData(bytes) => bytes.len(),
            Self::UserProperty(name, value) => name.len() + value.len(),
            _ => 0,
        }
    }

    /// A copy with texts of its own, where a message carries texts; the others only travel with a connection's
    /// first and last packets, which nobody keeps.
    fn detached(&self) -> Self {
        let own = |text: &ByteString| ByteString::from(&**text);
        match self {
            Self::ContentType(text) => Self::ContentType(own(text)),
            Self::ResponseTopic(text) => Self::ResponseTopic(own(text)),
            Self::CorrelationData(bytes) => Self::CorrelationData(Bytes::copy_from_slice(bytes)),
            Self::UserProperty(name, value) => Self::UserProperty(own(name), own(value)),
            other => other.clone(),
        }
    }
}

impl FromIterator<Property> for Properties {
    fn from_iter<I: IntoIterator<Item = Property>>(properties: I) -> Self {
        Self(properties.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Properties {
    type Item = &'a Property;
    type IntoIter = std::slice::Iter<'a, Property>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Declares a reader for each property of which a packet carries at most one.
macro_rules! single {
    ($($(#[$doc:meta])* $name:ident $variant:ident $type:ty;)*) => {
        impl Properties {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> Option<$type> {
                    self.0.iter().find_map(|property| match property {
                        Property::$variant(value) => Some(value.clone()),
                        _ => None,
                    })
                }
            )*
        }
    };
}

single! {
    /// 0: bytes, 1: UTF-8 text.
    payload_format_indicator PayloadFormatIndicator u8;
    /// Seconds.
    message_expiry_interval MessageExpiryInterval u32;
    /// MIME type of the payload.
    content_type ContentType ByteString;
    /// Where an answer is expected.
    response_topic ResponseTopic ByteString;
    /// What an answer must carry.
    correlation_data CorrelationData Bytes;
    /// Seconds; 0xffff_ffff: never.
    session_expiry_interval SessionExpiryInterval u32;
    /// The client identifier that the server chose.
    assigned_client_identifier AssignedClientIdentifier ByteString;
    /// Seconds; overrides the client's.
    server_keep_alive ServerKeepAlive u16;
    /// Name of the authentication method.
    authentication_method AuthenticationMethod ByteString;
    /// Data of the authentication method.
    authentication_data AuthenticationData Bytes;
    /// Seconds.
    will_delay_interval WillDelayInterval u32;
    /// 0 or 1.
    request_response_information RequestResponseInformation u8;
    /// 0 or 1.
    request_problem_information RequestProblemInformation u8;
    /// Basis for response topics.
    response_information ResponseInformation ByteString;
    /// Another server to use.
    server_reference ServerReference ByteString;
    /// For humans.
    reason_string ReasonString ByteString;
    /// How many QoS 1 and 2 messages the sender of this takes at once; never 0.
    receive_maximum ReceiveMaximum u16;
    /// The highest alias that the sender of this takes.
    topic_alias_maximum TopicAliasMaximum u16;
    /// The alias that stands for the topic.
    topic_alias TopicAlias u16;
    /// 0 or 1.
    maximum_qos MaximumQos u8;
    /// 0 or 1.
    retain_available RetainAvailable u8;
    /// Bytes; never 0.
    maximum_packet_size MaximumPacketSize u32;
    /// 0 or 1.
    wildcard_subscription_available WildcardSubscriptionAvailable u8;
    /// 0 or 1.
    subscription_identifier_available SubscriptionIdentifierAvailable u8;
    /// 0 or 1.
    shared_subscription_available SharedSubscriptionAvailable u8;
}

impl Properties {
    /// The subscription identifiers, in order.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter_map(|property| match property {
            Property::SubscriptionIdentifier(id) => Some(*id),
            _ => None,
        })
    }

    /// The user properties, in order, repeats kept.
    pub fn user_properties(&self) -> impl Iterator<Item = (&ByteString, &ByteString)> {
        self.0.iter().filter_map(|property| match property {
            Property::UserProperty(name, value) => Some((name, value)),
            _ => None,
        })
    }
}
