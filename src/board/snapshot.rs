//! The board as JSON: one whole snapshot, or what has changed.

use std::time::Instant;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::Board;
use super::fleet::Device;
use super::topics::Topic;
use crate::payload::readable::Came;

/// Rates have no more decimals than this.
const DECIMALS: f64 = 1_000.0;

/// Alerts in it; all of them are counted.
const MOST_ALERTS: usize = 1_000;

/// How far somebody was told of changes, as their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Of topics, in the order in which they changed.
    topics: u64,
    /// Of everything else.
    others: u64,
}

impl Board {
    /// The counts by name.
    pub fn counts(&self, now: Instant) -> Value {
        let [online, offline, unknown] = self.fleet.counts();
        let stale = match self.lost {
            Some(_) => self
                .topics
                .latest()
                .filter(|topic| self.is_stale(topic))
                .count(),
            None => 0,
        };
        json!({
            "devices": self.fleet.devices().len(),
            "online": online,
            "offline": offline,
            "unknown": unknown,
            "alerts": self.alerts.active().len(),
            "topics": self.topics.len(),
            "messages": self.messages,
            "rate": rounded(self.traffic.messages(now)),
            "bytes_per_second": rounded(self.traffic.bytes(now)),
            "stale": stale,
            "forgotten": self.topics.forgotten(),
            "left_out": self.fleet.left_out() + self.alerts.left_out(),
        })
    }

    /// Everything, with as many topics at most, the ones that changed last.
    pub fn snapshot(&self, most: usize, now: Instant) -> Value {
        let mut all = self.head(now);
        all.insert(String::from("fleet"), self.fleet_json(None, now));
        let topics: Vec<Value> = if most < self.topics.len() {
            let latest = self.topics.latest().take(most);
            latest.map(|topic| self.topic_json(topic, now)).collect()
        } else {
            let sorted = self.topics.sorted().into_iter();
            sorted.map(|topic| self.topic_json(topic, now)).collect()
        };
        all.insert(String::from("topics"), topics.into());
        Value::Object(all)
    }

    /// Where somebody stands who has a snapshot of now.
    pub const fn cursor(&self) -> Cursor {
        Cursor {
            topics: self.changed,
            others: self.changed,
        }
    }

    /// Whether topics have changed that somebody was not told of.
    pub fn is_ahead_of(&self, cursor: Cursor) -> bool {
        let newest = self.topics.latest().next();
        newest.is_some_and(|topic| topic.change > cursor.topics)
    }

    /// What somebody was not told of yet, who stands at `cursor` and then stands further on. Of topics only the `window` that
    /// changed last count, as in a snapshot; of those come the `most` that wait for longest, in the order in which they changed: the
    /// rest comes with the next call. Of a fleet of more than `most` devices only those that have changed. `None`: what was taken
    /// away is no longer known, or everything is stale: a snapshot is due.
    pub fn delta(
        &self,
        cursor: &mut Cursor,
        window: usize,
        most: usize,
        now: Instant,
    ) -> Option<Value> {
        if self.lost_change > cursor.others {
            return None;
        }
        let topics_removed = self.topics.removed_since(cursor.others)?;
        let fleet_removed = self.fleet.removed_since(cursor.others)?;
        let mut all = self.head(now);
        let large = self.fleet.devices().len() > most;
        let since = large.then_some(cursor.others);
        all.insert(String::from("fleet"), self.fleet_json(since, now));
        all.insert(String::from("fleet_is_whole"), (!large).into());
        for (name, removed) in [
            ("fleet_removed", fleet_removed),
            ("topics_removed", topics_removed),
        ] {
            if !removed.is_empty() {
                let names = removed.iter().map(|name| Value::from(&***name));
                all.insert(String::from(name), names.collect());
            }
        }
        let latest = self.topics.latest().take(window);
        let mut told: Vec<&Topic> = latest
            .take_while(|topic| topic.change > cursor.topics)
            .collect();
        // The oldest changes first, of which the rest is told the next time.
        told.reverse();
        told.truncate(most);
        if let Some(last) = told.last() {
            cursor.topics = last.change;
        }
        cursor.others = self.changed;
        let topics = told.into_iter().map(|topic| self.topic_json(topic, now));
        all.insert(String::from("topics"), topics.collect());
        Some(Value::Object(all))
    }

    fn head(&self, now: Instant) -> Map<String, Value> {
        let alerts = self
            .alerts
            .active()
            .iter()
            .take(MOST_ALERTS)
            .map(|(topic, alert)| {
                json!({
                    "topic": &**topic,
                    "severity": alert.severity,
                    "text": alert.text,
                    "since": humantime::format_rfc3339_seconds(alert.time).to_string(),
                    "age_seconds": seconds(now, alert.since),
                })
            });
        let mut all = Map::new();
        all.insert(
            String::from("time"),
            humantime::format_rfc3339_millis(self.clock(now))
                .to_string()
                .into(),
        );
        all.insert(String::from("source"), self.source.clone().into());
        all.insert(String::from("connected"), self.awaits.is_none().into());
        if let Some(awaits) = &self.awaits {
            all.insert(String::from("waiting"), awaits.clone().into());
        }
        if self.ended {
            all.insert(String::from("ended"), true.into());
        }
        all.insert(String::from("counts"), self.counts(now));
        all.insert(String::from("alerts"), alerts.collect());
        all
    }

    /// The devices, or those that have changed since then.
    fn fleet_json(&self, since: Option<u64>, now: Instant) -> Value {
        let fleet = self.fleet.devices().iter();
        let fleet = fleet.filter(|(_, device)| since.is_none_or(|since| device.change > since));
        let fleet = fleet.map(|(id, device)| (id.to_string(), device_json(device, now)));
        Value::Object(fleet.collect())
    }

    fn topic_json(&self, topic: &Topic, now: Instant) -> Value {
        let (name, payload) = match str::from_utf8(&topic.payload) {
            Ok(text) => ("payload", text.to_owned()),
            Err(fault) if topic.is_cut() && fault.error_len().is_none() => {
                let text = String::from_utf8_lossy(&topic.payload[..fault.valid_up_to()]);
                ("payload", text.into_owned())
            }
            Err(_) => ("payload_base64", BASE64.encode(&topic.payload)),
        };
        let mut all = json!({
            "topic": &*topic.name,
            name: payload,
            "size_bytes": topic.size,
            "retained": topic.retained,
            "qos": topic.qos,
            "messages": topic.messages,
            "rate": rounded(topic.traffic.messages(now)),
            "bytes_per_second": rounded(topic.traffic.bytes(now)),
            "age_seconds": seconds(now, topic.updated),
        });
        if let Some(came) = topic.came.filter(Came::is_decoded) {
            all["decoded"] = came.to_string().into();
        }
        for (name, is) in [("cut", topic.is_cut()), ("stale", self.is_stale(topic))] {
            if is {
                all[name] = true.into();
            }
        }
        all
    }
}

fn device_json(device: &Device, now: Instant) -> Value {
    let mut values = Map::new();
    let mut spelled = Map::new();
    for (name, value) in &device.values {
        let text = &*value.text;
        let number = text.parse::<serde_json::Number>().map(Value::Number);
        if number.is_ok() && !is_plain(text) {
            spelled.insert(name.to_string(), text.into());
        }
        values.insert(name.to_string(), number.unwrap_or_else(|_| text.into()));
    }
    let mut all = json!({
        "status": device.status.words(),
        "since_seconds": device.since.map(|since| seconds(now, since)),
        "seen_seconds": seconds(now, device.seen),
        "values": values,
    });
    if !spelled.is_empty() {
        all["spelled"] = spelled.into();
    }
    all
}

/// Whether every program that reads a number and writes it again has the same text.
fn is_plain(text: &str) -> bool {
    let is_same = |it: f64| it.to_string() == text && (it.abs() >= 1e-3 || text == "0");
    text.len() <= 15 && text.parse().is_ok_and(is_same)
}

fn seconds(now: Instant, then: Instant) -> f64 {
    rounded(now.saturating_duration_since(then).as_secs_f64())
}

fn rounded(value: f64) -> f64 {
    (value * DECIMALS).round() / DECIMALS
}
