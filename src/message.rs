//! The record of one received message, the same for every protocol.
//!
//! It is what every output format shows, what `--output json` writes, and what the `--ndjson`
//! inputs read back, so a recording can be published again.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use bytestring::ByteString;

/// One message, as it was received or as it is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was received.
    pub time: SystemTime,
    /// The MQTT topic, the CoAP path, the AMQP routing key.
    pub topic: ByteString,
    /// The body, byte for byte.
    pub payload: Bytes,
    /// What only its protocol knows.
    pub detail: Detail,
}

/// The part of a record that belongs to one protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// An MQTT application message.
    Mqtt(MqttDetail),
    /// A CoAP response or notification.
    Coap(Box<CoapDetail>),
}

impl Detail {
    /// The protocol's name in records: `mqtt`, `coap`.
    pub const fn protocol(&self) -> &'static str {
        match self {
            Self::Mqtt(_) => "mqtt",
            Self::Coap(_) => "coap",
        }
    }

    /// What a format made for MQTT shows of the message: for other protocols the properties that mean the same.
    pub fn as_mqtt(&self) -> Cow<'_, MqttDetail> {
        match self {
            Self::Mqtt(mqtt) => Cow::Borrowed(mqtt),
            Self::Coap(coap) => Cow::Owned(coap.as_mqtt()),
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
    pub took: Option<Duration>,
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
