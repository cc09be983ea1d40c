//! `mqtt pub`: publishes messages and waits until each is acknowledged.

use std::time::Duration;

use bytestring::ByteString;

use crate::command::mqtt_session::SessionWords;
use crate::mqtt::packet::{Properties, QoS};
use crate::output::Style;
use crate::payload::{Encoding, Source};

/// What to publish, where and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionWords,
    /// Valid topic names; each message goes to each. Empty when the records of `--ndjson` or the
    /// path of the URL name it; which of them does is known only once the URL is resolved.
    pub topics: Vec<ByteString>,
    /// For messages that do not say their own.
    pub qos: QoS,
    /// Whether the messages are retained; records may say so themselves.
    pub retain: bool,
    /// MQTT 5 properties of each message.
    pub properties: Properties,
    /// Where the bodies come from.
    pub source: Source,
    /// How the bodies are written there.
    pub encoding: Encoding,
    /// How often all is published; at least 1.
    pub repeat: u64,
    /// Between two rounds of `repeat`.
    pub delay: Duration,
    /// How long no acknowledgement at all may come while some are awaited; `None`: for ever.
    pub ack_timeout: Option<Duration>,
    /// What the terminal shows.
    pub style: Style,
}
