//! The record of one received message, the same for every protocol.
//!
//! It is what every output format shows, what `--output json` writes, and what the `--ndjson`
//! inputs read back, so a recording can be published again.

pub(crate) mod fields;
pub(crate) mod name;
pub mod topic;

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use bytestring::ByteString;

/// The time of a message that was not received, and whose record does not say when it was.
pub const UNTIMED: SystemTime = SystemTime::UNIX_EPOCH;

/// One message, as it was received or as it is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was received, or [`UNTIMED`].
    pub time: SystemTime,
    /// The MQTT topic, the CoAP path, the AMQP routing key. Empty for a message that is to be sent wherever its target sends
    /// those without one.
    pub topic: ByteString,
    /// The body, byte for byte.
    pub payload: Bytes,
    /// What only its protocol knows.
    pub detail: Detail,
}

impl Message {
    /// A body that is to be sent, about which nothing else is known.
    #[inline]
    pub const fn plain(payload: Bytes) -> Self {
        Self {
            time: UNTIMED,
            topic: ByteString::new(),
            payload,
            detail: Detail::Plain,
        }
    }

    /// Whether it clears what was retained before (MQTT 5.0 §3.3.1.3); it has no body that a map could look into.
    pub(crate) fn clears(&self) -> bool {
        match &self.detail {
            Detail::Mqtt(mqtt) => mqtt.retain && self.payload.is_empty(),
            Detail::Plain | Detail::Amqp(_) | Detail::Coap(_) => false,
        }
    }

    /// The same, of `now` where it does not say when it was.
    #[must_use]
    pub(crate) fn timed(mut self, now: impl FnOnce() -> SystemTime) -> Self {
        if self.time == UNTIMED {
            self.time = now();
        }
        self
    }
}

impl Default for Message {
    fn default() -> Self {
        Self::plain(Bytes::new())
    }
}

/// The part of a record that belongs to one protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// No protocol has carried it.
    #[default]
    Plain,
    /// An MQTT application message.
    Mqtt(MqttDetail),
    /// A CoAP response or notification.
    Coap(Box<CoapDetail>),
    /// An AMQP 0-9-1 message.
    Amqp(Box<AmqpDetail>),
}

impl Detail {
    /// The protocol's name in records: `mqtt`, `coap`, `amqp`; `none` for what no protocol carried.
    pub const fn protocol(&self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Mqtt(_) => "mqtt",
            Self::Coap(_) => "coap",
            Self::Amqp(_) => "amqp",
        }
    }

    /// What a format made for MQTT shows of the message: for other protocols the properties that mean the same.
    pub fn as_mqtt(&self) -> Cow<'_, MqttDetail> {
        match self {
            Self::Plain => Cow::Owned(MqttDetail::default()),
            Self::Mqtt(mqtt) => Cow::Borrowed(mqtt),
            Self::Coap(coap) => Cow::Owned(coap.as_mqtt()),
            Self::Amqp(amqp) => Cow::Owned(amqp.as_mqtt()),
        }
    }
}

/// What an MQTT PUBLISH carries besides topic and payload (MQTT 5.0 §3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MqttDetail {
    /// 0, 1 or 2.
    pub qos: u8,
    /// The RETAIN flag as received.
    pub retain: bool,
    /// The DUP flag as received.
    pub duplicate: bool,
    /// The packet identifier; 0 at QoS 0.
    pub packet_id: u16,
    /// MQTT 5 properties; `None` when there are none.
    pub properties: Option<Box<MqttProperties>>,
}

/// The MQTT 5 properties of an application message (MQTT 5.0 §3.3.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MqttProperties {
    /// 0: unspecified bytes, 1: UTF-8 text.
    pub payload_format_indicator: Option<u8>,
    /// Remaining lifetime in seconds.
    pub message_expiry_interval: Option<u32>,
    /// The MIME type, or whatever the sender calls it.
    pub content_type: Option<ByteString>,
    /// Where an answer is expected.
    pub response_topic: Option<ByteString>,
    /// What an answer must carry.
    pub correlation_data: Option<Bytes>,
    /// The alias that the topic travelled under.
    pub topic_alias: Option<u16>,
    /// Of the subscriptions that matched.
    pub subscription_identifiers: Vec<u32>,
    /// Name and value pairs, in order, repeats kept.
    pub user_properties: Vec<(ByteString, ByteString)>,
}

/// What a CoAP response carries besides path and payload (RFC 7252 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoapDetail {
    /// What was asked.
    pub uri: ByteString,
    /// `2.05`
    pub code: ByteString,
    /// The registered name of the code: `Content`.
    pub name: Option<&'static str>,
    /// `CON`, `NON`, `ACK`; `None` on reliable transports.
    pub kind: Option<&'static str>,
    /// The message id; `None` on reliable transports.
    pub message_id: Option<u16>,
    /// In hexadecimal digits.
    pub token: ByteString,
    /// Who answered.
    pub peer: SocketAddr,
    /// The Content-Format's number.
    pub content_format: Option<u16>,
    /// Its media type.
    pub media_type: Option<&'static str>,
    /// The sequence number of a notification (RFC 7641 §3.4).
    pub observe: Option<u32>,
    /// The options in order, those of block-wise transfer left out.
    pub options: Vec<CoapOption>,
    /// From the first transmission of the request to the last message of the answer; `None` for a notification.
    pub elapsed: Option<Duration>,
    /// How often messages were sent again for it.
    pub retransmitted: u32,
    /// The messages that its body came in.
    pub blocks: u32,
}

impl CoapDetail {
    fn as_mqtt(&self) -> MqttDetail {
        let content_type = self.media_type.map(ByteString::from_static);
        MqttDetail {
            properties: content_type.map(|media_type| {
                Box::new(MqttProperties {
                    content_type: Some(media_type),
                    ..MqttProperties::default()
                })
            }),
            ..MqttDetail::default()
        }
    }
}

impl Default for CoapDetail {
    /// That of a message which is to be sent: nobody has answered yet.
    fn default() -> Self {
        Self {
            uri: ByteString::new(),
            code: ByteString::new(),
            name: None,
            kind: None,
            message_id: None,
            token: ByteString::new(),
            peer: SocketAddr::from(([0, 0, 0, 0], 0)),
            content_format: None,
            media_type: None,
            observe: None,
            options: Vec::new(),
            elapsed: None,
            retransmitted: 0,
            blocks: 0,
        }
    }
}

/// One option of a CoAP message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoapOption {
    /// Its number.
    pub number: u16,
    /// Its registered name: `Uri-Path`.
    pub name: Option<&'static str>,
    /// Its value.
    pub value: CoapValue,
}

/// The value of a CoAP option, read as its number says (RFC 7252 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoapValue {
    /// No value.
    Empty,
    /// An unsigned number.
    Uint(u64),
    /// Text.
    Text(ByteString),
    /// Bytes.
    Opaque(Bytes),
}

/// What an AMQP message carries besides routing key and body (AMQP 0-9-1 §1.8.3).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AmqpDetail {
    /// The exchange it was published to; empty for the default exchange.
    pub exchange: ByteString,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// What the delivery is acknowledged by.
    pub delivery_tag: u64,
    /// Everything that its publisher and the server said about it.
    pub properties: AmqpProperties,
}

// A header may be NaN, which no test and no user compares.
impl Eq for AmqpDetail {}

impl AmqpDetail {
    fn as_mqtt(&self) -> MqttDetail {
        let properties = &self.properties;
        let headers = properties.headers.iter();
        let properties = MqttProperties {
            content_type: properties.content_type.clone(),
            response_topic: properties.reply_to.clone(),
            correlation_data: properties
                .correlation_id
                .as_ref()
                .map(|id| Bytes::copy_from_slice(id.as_bytes())),
            user_properties: headers
                .map(|(name, value)| (name.clone(), value.to_string().into()))
                .collect(),
            ..MqttProperties::default()
        };
        MqttDetail {
            properties: (properties != MqttProperties::default()).then(|| Box::new(properties)),
            ..MqttDetail::default()
        }
    }
}

/// The basic properties of an AMQP message (AMQP 0-9-1 §1.8.1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AmqpProperties {
    /// The MIME type.
    pub content_type: Option<ByteString>,
    /// Such as `gzip`.
    pub content_encoding: Option<ByteString>,
    /// Name and value pairs, sorted by name when they were received; a name that is not UTF-8 is spelled as `message::name` has
    /// it.
    pub headers: Vec<(ByteString, AmqpValue)>,
    /// 1: transient, 2: persistent.
    pub delivery_mode: Option<u8>,
    /// 0–9; a queue says how many it tells apart.
    pub priority: Option<u8>,
    /// What an answer must carry.
    pub correlation_id: Option<ByteString>,
    /// The queue where an answer is expected.
    pub reply_to: Option<ByteString>,
    /// Lifetime in milliseconds, as digits.
    pub expiration: Option<ByteString>,
    /// The application's name for the message.
    pub message_id: Option<ByteString>,
    /// Seconds since 1970.
    pub timestamp: Option<u64>,
    /// What kind of message the application sees in it (`type`).
    pub kind: Option<ByteString>,
    /// The publisher's user name, checked by the server.
    pub user_id: Option<ByteString>,
    /// The publishing application.
    pub app_id: Option<ByteString>,
    /// Deprecated, but still carried.
    pub cluster_id: Option<ByteString>,
    /// Texts that came and are not UTF-8, by their names in records; among them may be `exchange` and `routing_key`.
    pub not_text: Vec<(&'static str, Bytes)>,
}

impl AmqpProperties {
    /// The bytes of a text that is not UTF-8.
    pub fn not_text(&self, name: &str) -> Option<&Bytes> {
        let mut all = self.not_text.iter();
        all.find_map(|(known, bytes)| (*known == name).then_some(bytes))
    }
}

/// The value of an AMQP header or argument (AMQP 0-9-1 §4.2.5.5, with RabbitMQ's corrections).
#[derive(Clone, Debug, PartialEq)]
pub enum AmqpValue {
    /// `t`
    Bool(bool),
    /// `b` `B` `s` `u` `i` `l`: received with any width, sent with 64 bits.
    Int(i64),
    /// `I`
    Int32(i32),
    /// `f` `d`: sent as `d`.
    Double(f64),
    /// `D`: the digits and how many of them stand behind the point.
    Decimal {
        /// All digits, as one number.
        digits: u32,
        /// How many of them are decimals.
        scale: u8,
    },
    /// `S` that is UTF-8.
    Text(ByteString),
    /// `x`, or `S` that is not UTF-8.
    Bytes(Bytes),
    /// `T`: seconds since 1970.
    Timestamp(u64),
    /// `A`
    List(Vec<Self>),
    /// `F`
    Table(Vec<(ByteString, Self)>),
    /// `V`
    Void,
}

impl fmt::Display for AmqpValue {
    /// Text as it is, everything else as JSON has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Int32(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::Decimal { digits, scale } => f.write_str(&decimal(*digits, *scale)),
            Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Timestamp(seconds) => write!(f, "{seconds}"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Self::Table(pairs) => {
                let pair = |(name, value): &(ByteString, Self)| format!("{name}={value}");
                let pairs: Vec<String> = pairs.iter().map(pair).collect();
                write!(f, "{{{}}}", pairs.join(","))
            }
            Self::Void => f.write_str("null"),
        }
    }
}

/// A decimal as people and JSON write it: `12.34`.
pub fn decimal(digits: u32, scale: u8) -> String {
    let scale = usize::from(scale);
    let text = format!("{digits:0>width$}", width = scale + 1);
    match text.split_at(text.len() - scale) {
        (whole, "") => whole.to_owned(),
        (whole, decimals) => format!("{whole}.{decimals}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_their_point_where_it_belongs() {
        assert_eq!(decimal(1234, 2), "12.34");
        assert_eq!(decimal(5, 3), "0.005");
        assert_eq!(decimal(7, 0), "7");
    }

    #[test]
    fn a_format_made_for_mqtt_sees_what_means_the_same() {
        let detail = Detail::Amqp(Box::new(AmqpDetail {
            properties: AmqpProperties {
                content_type: Some("text/plain".into()),
                headers: vec![("retries".into(), AmqpValue::Int(3))],
                ..AmqpProperties::default()
            },
            ..AmqpDetail::default()
        }));
        let seen = detail.as_mqtt().into_owned().properties.unwrap();
        assert_eq!(seen.content_type.as_deref(), Some("text/plain"));
        assert_eq!(seen.user_properties, [("retries".into(), "3".into())]);
    }
}
