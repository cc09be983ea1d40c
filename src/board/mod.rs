//! What is known of topics, devices and alerts: the latest of each, how much comes, and how old it is. Pure: time is passed in.
//! Everything is bounded, in number and in bytes.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Board`] | takes messages, and knows the rest |
//! | [`topics`] | the tree of topics with their latest messages |
//! | [`children`] | the levels below one of them |
//! | `filter` | which messages are let through |
//! | [`rate`] | rates that decay |
//! | [`fleet`] | devices: online or offline, and what they measured |
//! | [`alerts`] | alerts that are active |
//! | `removed` | what was taken away of late |
//! | [`history`] | what came for the topics that somebody looks at |
//! | [`snapshot`], [`table`], [`metrics`] | the board as JSON, as lines of text, for Prometheus |
//! | [`expectation`] | conditions on the whole board |
//! | [`text`] | words for cells |

pub mod alerts;
mod children;
pub mod expectation;
mod filter;
pub mod fleet;
pub mod history;
pub mod metrics;
pub mod rate;
mod removed;
pub mod snapshot;
pub mod table;
pub mod text;
pub mod topics;

#[cfg(test)]
mod tests;

use std::time::{Instant, SystemTime};

use crate::message::{Detail, Message};
use crate::payload::captures::Pattern;
use crate::payload::expect::Condition;
use crate::payload::readable::Reader;

use alerts::Alerts;
pub use expectation::Expectation;
use filter::Filter;
use fleet::{DevicePattern, Fleet};
use history::{Entry, Histories};
use rate::Traffic;
use topics::{Arrival, Limits, Topic, Topics};

/// Where brokers speak of themselves.
pub const SYS: &str = "$SYS/";

/// What of the messages is looked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Topics that say whether a device is there.
    pub devices: Vec<DevicePattern>,
    /// Topics that say what a device measured.
    pub values: Vec<DevicePattern>,
    /// Topics of alerts.
    pub alerts: Vec<Pattern>,
    /// Only messages that fulfil all of these count.
    pub filter: Vec<Condition>,
    /// How much is kept.
    pub limits: Limits,
}

impl Options {
    /// Whether nothing but topics is looked for.
    pub fn are_bare(&self) -> bool {
        self.devices.is_empty() && self.values.is_empty() && self.alerts.is_empty()
    }
}

/// All that is known.
#[derive(Clone, Debug)]
pub struct Board {
    /// What came from where.
    source: String,
    topics: Topics,
    /// What the broker says of itself.
    sys: Topics,
    fleet: Fleet,
    alerts: Alerts,
    histories: Histories,
    reader: Reader,
    filter: Filter,
    traffic: Traffic,
    messages: u64,
    /// What the source waits for.
    awaits: Option<String>,
    /// Nothing more comes.
    ended: bool,
    /// When the connection was lost last: what has not come since then may be out of date.
    lost: Option<Instant>,
    /// The change that was.
    lost_change: u64,
    began: (Instant, SystemTime),
    changed: u64,
}

impl Board {
    /// Of what comes from `source`; it is `time` by the clock.
    pub fn new(source: String, options: Options, now: Instant, time: SystemTime) -> Self {
        Self {
            source,
            topics: Topics::new(options.limits, now),
            sys: Topics::new(
                Limits {
                    topics: 1_000,
                    bytes: 4 << 20,
                    ..options.limits
                },
                now,
            ),
            fleet: Fleet::new(options.devices, options.values),
            alerts: Alerts::new(options.alerts),
            histories: Histories::default(),
            reader: Reader::default(),
            filter: Filter::new(options.filter),
            traffic: Traffic::new(now),
            messages: 0,
            awaits: Some(String::from("no connection yet")),
            ended: false,
            lost: None,
            lost_change: 0,
            began: (now, time),
            changed: 0,
        }
    }

    /// Takes a message under the topic that MQTT would call it by. A body that is compressed, or in a binary form that its
    /// message names, is decoded first. Whether the message counts: others are forgotten at once.
    pub fn take(&mut self, topic: &str, message: &Message, now: Instant) -> bool {
        let time = self.clock(now);
        let (retained, qos) = match &message.detail {
            Detail::Mqtt(mqtt) => (mqtt.retain, mqtt.qos),
            Detail::Plain | Detail::Coap(_) | Detail::Amqp(_) => (false, 0),
        };
        let read = self.reader.read(topic, message);
        let (came, payload) = match &read {
            Some((came, body)) => (Some(*came), &**body),
            None => (None, &*message.payload),
        };
        let decoded = came.map(|_| payload);
        if !self.filter.passes(message, decoded, time) {
            return false;
        }
        let size = message.payload.len();
        self.changed += 1;
        let arrival = Arrival {
            name: topic,
            payload,
            size,
            came,
            time: message.time,
            retained,
            qos,
            change: self.changed,
        };
        if !self.histories.is_empty() {
            let kept = &payload[..payload.len().min(Limits::default().payload)];
            self.histories.take(topic, || Entry {
                at: now,
                time: message.time,
                payload: kept.to_vec(),
                cut: kept.len() < payload.len(),
            });
        }
        if topic.starts_with(SYS) {
            self.sys.take(&arrival, now);
            return true;
        }
        self.messages += 1;
        if !retained {
            self.traffic.add(size, now);
        }
        self.fleet.set_change(self.changed);
        self.fleet.take(topic, payload, retained, now);
        self.alerts.take(topic, payload, message.time, now);
        self.topics.take(&arrival, now);
        true
    }

    /// The connection is gone: until a topic is heard of again, what is known of it may be out of date.
    pub fn connection_lost(&mut self, now: Instant) {
        self.lost = Some(now);
        self.filter.forget();
        self.changed += 1;
        self.lost_change = self.changed;
    }

    /// What the source waits for before messages can come.
    pub fn set_awaits(&mut self, awaits: Option<String>) {
        if self.awaits != awaits {
            self.awaits = awaits;
            self.changed += 1;
        }
    }

    /// All has come: what is known stays as it is.
    pub fn end(&mut self) {
        self.ended = true;
        self.changed += 1;
    }

    /// Whether nothing more comes.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// The topic of that name, one of the server itself too.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name).or_else(|| self.sys.get(name))
    }

    /// Remembers from now on what comes for a topic.
    pub fn look_at(&mut self, topic: &str) {
        let first = self.topic(topic).map(|it| Entry {
            at: it.updated,
            time: it.time,
            payload: it.payload.clone(),
            cut: it.is_cut(),
        });
        self.histories.look(topic, first);
    }

    /// Whether nothing of a topic was heard since the connection was lost.
    pub fn is_stale(&self, topic: &Topic) -> bool {
        self.lost.is_some_and(|lost| topic.updated <= lost)
    }

    /// A number that grows with everything that happens.
    pub const fn changed(&self) -> u64 {
        self.changed
    }

    /// Where messages come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the source waits for; `None`: it is connected.
    pub fn awaits(&self) -> Option<&str> {
        self.awaits.as_deref()
    }

    /// The topics, without those of the broker.
    pub const fn topics(&self) -> &Topics {
        &self.topics
    }

    /// What the broker says of itself.
    pub const fn sys(&self) -> &Topics {
        &self.sys
    }

    /// The devices.
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The alerts.
    pub const fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// What came for the topics that somebody looks at.
    pub const fn histories(&self) -> &Histories {
        &self.histories
    }

    /// How much comes.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// How many messages came.
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// What the clock shows, as far as it was not set since the beginning.
    fn clock(&self, now: Instant) -> SystemTime {
        let (began, time) = self.began;
        time + now.saturating_duration_since(began)
    }
}
