//! One application message on its way through the broker, shared by all who get it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;

use crate::mqtt::packet::{Properties, Property, Publish, QoS, Version, Will};
use crate::server::Key;

/// The longest payload that is copied out of the buffer it was read into, in bytes. The buffer is some hundred kilobytes
/// large: a longer payload holds little more than itself, a shorter one many times that.
const COPIED: usize = 64 * 1024;

/// A message as it was published.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: ByteString,
    pub(super) payload: Bytes,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    /// Those that travel on to subscribers (MQTT 5.0 §3.3.2.3).
    properties: Properties,
    /// When its Message Expiry Interval has passed.
    pub(super) expires: Option<Instant>,
    /// Who published it, for No Local.
    pub(super) source: Option<Key>,
}

impl Message {
    /// A message that a client published.
    pub(super) fn published(publish: Publish, source: Key, now: Instant) -> Self {
        Self {
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos,
            retain: publish.retain,
            expires: expiry(&publish.properties, now),
            properties: travelling(publish.properties),
            source: Some(source),
        }
    }

    /// A Will Message at the moment of its publication (MQTT 5.0 §3.1.2.5).
    pub(super) fn will(will: Will, source: Key, now: Instant) -> Self {
        Self {
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            expires: expiry(&will.properties, now),
            properties: travelling(will.properties),
            source: Some(source),
        }
    }

    /// A message that one member of a shared subscription had and another one is to get, until the same moment.
    pub(super) fn handed_on(publish: Publish, expires: Option<Instant>) -> Self {
        Self {
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos,
            retain: publish.retain,
            expires,
            properties: travelling(publish.properties),
            source: None,
        }
    }

    /// A retained message of the broker itself.
    pub(super) fn own(topic: &str, payload: String) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            qos: QoS::AtMostOnce,
            retain: true,
            properties: Properties::default(),
            expires: None,
            source: None,
        }
    }

    /// A copy that holds no slice of a read buffer, which is many times larger: for what is kept for long.
    pub(super) fn detached(&self) -> Self {
        Self {
            topic: ByteString::from(&*self.topic),
            payload: Bytes::copy_from_slice(&self.payload),
            properties: self.properties.detached(),
            ..*self
        }
    }

    /// Lets go of the read buffer, for a message that may have to wait for its subscribers. `topic` is the same topic
    /// as a text of its own.
    pub(super) fn detach(&mut self, topic: &ByteString) {
        self.topic = topic.clone();
        if self.payload.len() <= COPIED {
            self.payload = Bytes::copy_from_slice(&self.payload);
        }
        if !self.properties.is_empty() {
            self.properties = self.properties.detached();
        }
    }

    /// Whether its Message Expiry Interval has passed (MQTT 5.0 §3.3.2.3.3).
    pub(super) fn expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }

    /// The memory charged for it, in bytes.
    pub(super) fn cost(&self) -> usize {
        size_of::<Self>() + self.topic.len() + self.payload.len() + self.properties.held()
    }

    fn forwarded(&self, version: Version, ids: &[u32], now: Instant) -> Properties {
        if version < Version::V5 || (self.properties.is_empty() && ids.is_empty()) {
            return Properties::default();
        }
        let own = (self.properties.iter()).map(|property| remaining(property, self.expires, now));
        own.chain(ids.iter().copied().map(Property::SubscriptionIdentifier))
            .collect()
    }
}

/// A property as it is told `now`: less is left of a Message Expiry Interval (MQTT 5.0 §3.3.2.3.3).
fn remaining(property: &Property, expires: Option<Instant>, now: Instant) -> Property {
    match (property, expires) {
        (Property::MessageExpiryInterval(_), Some(at)) => {
            Property::MessageExpiryInterval(whole_seconds(at.saturating_duration_since(now)))
        }
        _ => property.clone(),
    }
}

/// Rounded up, so that a message forwarded at once carries the interval it came with.
fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn expiry(properties: &Properties, now: Instant) -> Option<Instant> {
    if properties.is_empty() {
        return None;
    }
    let seconds = properties.message_expiry_interval()?;
    now.checked_add(Duration::from_secs(seconds.into()))
}

fn travelling(mut properties: Properties) -> Properties {
    if !properties.is_empty() {
        properties.retain(|property| {
            !matches!(
                property,
                Property::TopicAlias(_)
                    | Property::WillDelayInterval(_)
                    | Property::SubscriptionIdentifier(_)
            )
        });
    }
    properties
}

/// What a session keeps of a message that its client has not acknowledged, besides the PUBLISH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    /// The shared subscription it came by.
    pub(super) group: Option<Key>,
    /// When its Message Expiry Interval has passed.
    pub(super) expires: Option<Instant>,
}

impl Flight {
    /// Whether the message is not to be sent again. One of QoS 2 that was sent once has to be, however old it is
    /// ([MQTT-4.3.3-7]): the client may have it, and wait for the rest of the exchange.
    pub(super) fn is_over(&self, publish: &Publish, now: Instant) -> bool {
        publish.qos < QoS::ExactlyOnce && self.expires.is_some_and(|at| at <= now)
    }

    /// Tells how long the message is still of use, as it is sent again.
    pub(super) fn shorten(&self, publish: &mut Publish, now: Instant) {
        if self.expires.is_some() && !publish.properties.is_empty() {
            let properties = publish.properties.iter();
            let left = properties.map(|property| remaining(property, self.expires, now));
            publish.properties = left.collect();
        }
    }
}

/// A message for one session, with what its subscriptions make of it.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) message: Rc<Message>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    /// The identifiers of the subscriptions that matched.
    pub(super) ids: Vec<u32>,
    /// The shared subscription it came by.
    pub(super) group: Option<Key>,
    /// Whether it waited in another queue before: it is not to be lost on the way to this one.
    pub(super) accepted: bool,
}

/// Lets a PUBLISH that waits for a slow reader let go of the read buffer that it is a slice of.
pub(super) fn detach(publish: &mut Publish) {
    publish.topic = ByteString::from(&*publish.topic);
    if publish.payload.len() <= COPIED {
        publish.payload = Bytes::copy_from_slice(&publish.payload);
    }
    if !publish.properties.is_empty() {
        publish.properties = publish.properties.detached();
    }
}

/// Copies a will out of its CONNECT, which may be many times larger.
pub(super) fn detached_will(will: &Will) -> Will {
    Will {
        topic: ByteString::from(&*will.topic),
        payload: Bytes::copy_from_slice(&will.payload),
        properties: will.properties.detached(),
        ..*will
    }
}

impl Delivery {
    /// The memory charged for it while it waits, in bytes.
    pub(super) fn cost(&self) -> usize {
        size_of::<Self>() + self.ids.capacity() * size_of::<u32>() + self.message.cost()
    }

    /// The PUBLISH as it goes to a client; the packet identifier is still missing.
    pub(super) fn publish(&self, version: Version, now: Instant) -> Publish {
        Publish {
            duplicate: false,
            qos: self.qos,
            retain: self.retain,
            topic: self.message.topic.clone(),
            packet_id: 0,
            payload: self.message.payload.clone(),
            properties: self.message.forwarded(version, &self.ids, now),
        }
    }
}
