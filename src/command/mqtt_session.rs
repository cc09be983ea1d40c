//! What every MQTT client command says about its session.

use bytestring::ByteString;

use crate::connect;
use crate::mqtt::packet::{Properties, QoS, Version};
use crate::payload;

/// The words about one MQTT session, as the command line gave them.
///
/// Nothing is looked up here: the address, the secrets and the context are resolved when the
/// command runs.
#[derive(Clone, Debug, Default)]
pub struct SessionWords {
    /// Where to, and how.
    pub connect: connect::Words,
    /// The one version to speak; `None`: MQTT 5, and 3.1.1 with a server that does not know 5.
    pub version: Option<Version>,
    /// The client identifier as given; excludes `id_prefix`.
    pub client_id: Option<ByteString>,
    /// What a made-up client identifier starts with.
    pub id_prefix: Option<ByteString>,
    /// Seconds; 0 turns the keep-alive off.
    pub keep_alive: u16,
    /// Resume the server's session, and leave one behind: no Clean Start.
    pub persistent: bool,
    /// Seconds for which the server keeps the session; `u32::MAX` is for ever (MQTT 5.0 §3.1.2.11.2).
    pub session_expiry: Option<u32>,
    /// What the server publishes when this client vanishes.
    pub will: Option<WillWords>,
    /// How many QoS 1 and 2 messages may be under way at once, beside what the server allows.
    pub max_inflight: Option<u16>,
    /// Bytes; larger packets from the server are refused.
    pub max_packet_size: Option<u32>,
    /// For CONNECT, beside what the fields above say.
    pub connect_properties: Properties,
    /// For DISCONNECT.
    pub disconnect_properties: Properties,
}

/// The words about the will message (MQTT 5.0 §3.1.2.5).
#[derive(Clone, Debug)]
pub struct WillWords {
    /// A valid topic name.
    pub topic: ByteString,
    /// The body: text, a file, or empty.
    pub payload: payload::Source,
    /// Its quality of service.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// MQTT 5 will properties.
    pub properties: Properties,
}
