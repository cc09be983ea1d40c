//! The record of one received message, the same for every protocol.
//!
//! It is what every output format shows, what `--output json` writes, and what the `--ndjson`
//! inputs read back, so a recording can be published again.

use std::time::SystemTime;

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
}

impl Detail {
    /// The protocol's name in records: `mqtt`.
    pub const fn protocol(&self) -> &'static str {
        match self {
            Self::Mqtt(_) => "mqtt",
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
