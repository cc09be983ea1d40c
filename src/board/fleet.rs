//! The fleet: which devices there are, whether they are online, and what they measured last.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value as Json;

use super::removed::Removed;
use super::text;
use crate::payload::captures::Pattern;
use crate::payload::pointer;

/// What stands for a device in a pattern.
const ID: &str = "id";

/// What stands for the name of a value.
const METRIC: &str = "metric";

/// Devices that are kept; what more there are is counted only.
const MOST_DEVICES: usize = 50_000;

/// Values of all devices together.
const MOST_VALUES: usize = 250_000;

/// Names of values, which are columns.
const MOST_METRICS: usize = 100;

/// Characters of a status or a value.
const LONGEST: usize = 64;

/// Bytes of a name. A longer one is left out and counted: its beginning might be the name of another.
const LONGEST_NAME: usize = 1_024;

/// Members of an object that say whether a device is there, the first one that is found.
const MEMBERS: [&str; 4] = ["status", "state", "online", "connected"];

const ONLINE: [&str; 12] = [
    "online",
    "on",
    "up",
    "true",
    "1",
    "connected",
    "alive",
    "ready",
    "ok",
    "running",
    "active",
    "yes",
];

const OFFLINE: [&str; 13] = [
    "offline",
    "off",
    "down",
    "false",
    "0",
    "disconnected",
    "dead",
    "lost",
    "gone",
    "stopped",
    "inactive",
    "no",
    "unreachable",
];

/// Which topics say something of a device, and what of their payload: `devices/{id}/status`, `sensors/{id}/{metric}=/value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePattern {
    pattern: Pattern,
    pointer: Option<String>,
}

impl DevicePattern {
    /// Whether topics tell the names of values.
    pub fn has_metric(&self) -> bool {
        self.pattern.has(METRIC)
    }

    /// What is to be subscribed to for it.
    pub fn filter(&self) -> &str {
        self.pattern.filter()
    }

    /// What a value is called where the topic does not tell: the last name of the pointer, else the last level.
    fn metric<'a>(&'a self, topic: &'a str) -> &'a str {
        let pointer = self.pointer.as_deref().filter(|it| !it.is_empty());
        let last = |text: &'a str| text.rsplit('/').next().unwrap_or(text);
        pointer.map_or_else(|| last(topic), last)
    }
}

impl FromStr for DevicePattern {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let (topic, pointer) = match words.rsplit_once('=') {
            Some((topic, pointer)) if pointer.is_empty() || pointer.starts_with('/') => {
                (topic, Some(pointer.to_owned()))
            }
            Some((_, pointer)) if !pointer.contains('/') => {
                return Err(format!(
                    "{words:?}: {pointer:?} is not a JSON pointer such as /value"
                ));
            }
            _ => (words, None),
        };
        let pattern: Pattern = topic.parse().map_err(|why| format!("{why}"))?;
        if !pattern.has(ID) {
            return Err(format!(
                "{topic:?} has no {{id}}, which stands for the device"
            ));
        }
        Ok(Self { pattern, pointer })
    }
}

/// Whether a device is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// It has not said so.
    #[default]
    Unknown,
    /// It is.
    Online,
    /// It is not.
    Offline,
    /// It has said something else.
    Other(Arc<str>),
}

impl Status {
    /// As it is shown.
    pub fn words(&self) -> &str {
        match self {
            Self::Unknown => "unknown",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Other(words) => words,
        }
    }

    /// What a payload says, or what this pointer finds in it; `None`: it is empty, as a status that was taken away.
    pub fn read(payload: &[u8], pointer: Option<&str>) -> Option<Self> {
        if payload.trim_ascii().is_empty() {
            return None;
        }
        let plain = || String::from_utf8_lossy(payload).trim().to_owned();
        let found = match pointer {
            Some(pointer) => pointer::find(payload, pointer).map(unquoted),
            None if payload.trim_ascii_start().starts_with(b"{") => MEMBERS
                .iter()
                .find_map(|name| pointer::find(payload, &format!("/{name}")).map(unquoted)),
            None => Some(unquoted(&plain())),
        };
        let Some(words) = found else {
            return Some(Self::Unknown);
        };
        let lower = words.to_lowercase();
        Some(if ONLINE.contains(&&*lower) {
            Self::Online
        } else if OFFLINE.contains(&&*lower) {
            Self::Offline
        } else {
            Self::Other(text::cell(&words, LONGEST).into())
        })
    }
}

/// A text without the quotes of JSON, anything else as it is spelled.
fn unquoted(json: &str) -> String {
    match serde_json::from_str(json) {
        Ok(Json::String(text)) => text,
        _ => json.to_owned(),
    }
}

/// A measured value.
#[derive(Clone, Debug)]
pub struct Value {
    /// As it is spelled.
    pub text: String,
    /// When it came.
    pub updated: Instant,
}

/// One device.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whether it is there.
    pub status: Status,
    /// Since when its status is what it is; `None`: that was retained, or is not known.
    pub since: Option<Instant>,
    /// When something of it came last.
    pub seen: Instant,
    /// The number of the change of the board that it came with.
    pub(super) change: u64,
    /// What it measured, by name.
    pub values: BTreeMap<Arc<str>, Value>,
}

/// All devices.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    statuses: Vec<DevicePattern>,
    values: Vec<DevicePattern>,
    devices: BTreeMap<Arc<str>, Device>,
    metrics: BTreeSet<Arc<str>>,
    kept: usize,
    left_out: u64,
    /// Which change of the board is being made.
    change: u64,
    removed: Removed,
}

impl Fleet {
    pub(super) fn new(statuses: Vec<DevicePattern>, values: Vec<DevicePattern>) -> Self {
        Self {
            statuses,
            values,
            ..Self::default()
        }
    }

    /// Whether devices were asked for.
    pub fn is_wanted(&self) -> bool {
        !self.statuses.is_empty() || !self.values.is_empty()
    }

    /// The devices by name.
    pub const fn devices(&self) -> &BTreeMap<Arc<str>, Device> {
        &self.devices
    }

    /// The names of what any of them measured.
    pub const fn metrics(&self) -> &BTreeSet<Arc<str>> {
        &self.metrics
    }

    /// What came of devices and values for which there was no room.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many are online, offline, and neither.
    pub fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for device in self.devices.values() {
            counts[match device.status {
                Status::Online => 0,
                Status::Offline => 1,
                Status::Unknown | Status::Other(_) => 2,
            }] += 1;
        }
        counts
    }

    /// The devices that were taken away by changes after this one; `None`: that is no longer known.
    pub(super) fn removed_since(&self, change: u64) -> Option<Vec<&Arc<str>>> {
        let names = self.removed.since(change)?;
        let gone = names.filter(|name| !self.devices.contains_key(*name));
        Some(gone.collect())
    }

    /// Which change of the board comes next.
    pub(super) fn set_change(&mut self, change: u64) {
        self.change = change;
    }

    /// Takes what came, if it says something of a device.
    pub(super) fn take(&mut self, topic: &str, payload: &[u8], retained: bool, now: Instant) {
        let said = self.statuses.iter().find_map(|one| {
            let captures = one.pattern.matches(topic)?;
            let status = Status::read(payload, one.pointer.as_deref());
            Some((captures.get(ID)?.to_owned(), status))
        });
        if let Some((id, status)) = said {
            match self.named(&id) {
                Some(id) => self.status(id, status, retained, now),
                None => self.left_out += 1,
            }
            return;
        }
        for at in 0..self.values.len() {
            let one = &self.values[at];
            let Some(captures) = one.pattern.matches(topic) else {
                continue;
            };
            let found = match &one.pointer {
                Some(pointer) => pointer::find(payload, pointer).map(unquoted),
                None => Some(String::from_utf8_lossy(payload).into_owned()),
            };
            let (Some(id), Some(found)) = (captures.get(ID), found) else {
                continue;
            };
            let metric = captures.get(METRIC).unwrap_or_else(|| one.metric(topic));
            match (self.named(id), self.named(metric)) {
                (Some(id), Some(metric)) => {
                    self.value(id, metric, text::cell(&found, LONGEST), now);
                }
                _ => self.left_out += 1,
            }
        }
    }

    /// A name in full, as it is cut only where it is shown; `None`: it is too long to be kept.
    fn named(&self, name: &str) -> Option<Arc<str>> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        let known = self.devices.get_key_value(name).map(|(known, _)| known);
        let known = known.or_else(|| self.metrics.get(name));
        Some(known.map_or_else(|| name.into(), Arc::clone))
    }

    fn status(&mut self, id: Arc<str>, status: Option<Status>, retained: bool, now: Instant) {
        let Some(status) = status else {
            // Its status was taken away: what has measured something stays.
            match self.devices.get_mut(&id) {
                Some(device) if !device.values.is_empty() => {
                    device.status = Status::Unknown;
                    device.since = Some(now);
                    device.change = self.change;
                }
                Some(_) => {
                    self.devices.remove(&id);
                    self.removed.add(self.change, id);
                }
                None => {}
            }
            return;
        };
        let Some(device) = self.device(id, now) else {
            return;
        };
        device.seen = now;
        if device.status != status {
            device.status = status;
            device.since = (!retained).then_some(now);
        }
    }

    fn value(&mut self, id: Arc<str>, metric: Arc<str>, text: String, now: Instant) {
        if !self.metrics.contains(&metric) {
            if self.metrics.len() >= MOST_METRICS {
                self.left_out += 1;
                return;
            }
            self.metrics.insert(Arc::clone(&metric));
        }
        let has_room = self.kept < MOST_VALUES;
        let Some(device) = self.device(id, now) else {
            return;
        };
        device.seen = now;
        let value = Value { text, updated: now };
        match device.values.get_mut(&metric) {
            Some(known) => *known = value,
            None if has_room => {
                device.values.insert(metric, value);
                self.kept += 1;
            }
            None => self.left_out += 1,
        }
    }

    fn device(&mut self, id: Arc<str>, now: Instant) -> Option<&mut Device> {
        if !self.devices.contains_key(&id) && self.devices.len() >= MOST_DEVICES {
            self.left_out += 1;
            return None;
        }
        let change = self.change;
        let device = self.devices.entry(id).or_insert_with(|| Device {
            status: Status::Unknown,
            since: None,
            seen: now,
            change,
            values: BTreeMap::new(),
        });
        device.change = change;
        Some(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(statuses: &[&str], values: &[&str]) -> Fleet {
        let read = |words: &[&str]| words.iter().map(|it| it.parse().unwrap()).collect();
        Fleet::new(read(statuses), read(values))
    }

    fn status(payload: &str, pointer: Option<&str>) -> Option<String> {
        Status::read(payload.as_bytes(), pointer).map(|it| it.words().to_owned())
    }

    #[test]
    fn a_status_is_read_in_the_ways_that_devices_spell_it() {
        for (payload, meant) in [
            ("online", "online"),
            ("OFFLINE\n", "offline"),
            ("\"online\"", "online"),
            ("1", "online"),
            ("false", "offline"),
            ("{\"status\":\"offline\",\"reason\":\"lwt\"}", "offline"),
            (" {\"online\":true}", "online"),
            ("{\"state\":\"up\"}", "online"),
            ("{\"device\":1}", "unknown"),
            ("sleeping\x1b[2J", "sleeping\\x1b[2J"),
        ] {
            assert_eq!(status(payload, None).as_deref(), Some(meant), "{payload}");
        }
        assert_eq!(
            status("{\"a\":{\"b\":0}}", Some("/a/b")).as_deref(),
            Some("offline")
        );
        assert_eq!(status("{}", Some("/a")).as_deref(), Some("unknown"));
        assert_eq!(status(" ", None), None);
    }

    #[test]
    fn patterns_name_the_device_and_perhaps_the_value() {
        for (words, why) in [
            (
                "devices/+/status",
                "\"devices/+/status\" has no {id}, which stands for the device",
            ),
            (
                "a/{id}=value",
                "\"a/{id}=value\": \"value\" is not a JSON pointer such as /value",
            ),
            ("a/{id", "is not a capture"),
        ] {
            let refused = words.parse::<DevicePattern>().unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
        let one: DevicePattern = "s/{id}/{metric}=/value".parse().unwrap();
        assert!(one.has_metric());
        assert_eq!(one.filter(), "s/+/+");
        let two: DevicePattern = "s/{id}/env=/air/temp".parse().unwrap();
        assert_eq!(two.metric("s/1/env"), "temp");
        let three: DevicePattern = "s/{id}/temp".parse().unwrap();
        assert_eq!(three.metric("s/1/temp"), "temp");
    }

    #[test]
    fn devices_have_a_status_and_values_and_lose_the_first() {
        let now = Instant::now();
        let mut fleet = fleet(
            &["devices/{id}/status"],
            &["sensors/{id}/{metric}=/value", "raw/{id}/volts"],
        );
        fleet.take("devices/d1/status", b"online", true, now);
        fleet.take("devices/d2/status", b"{\"status\":\"offline\"}", false, now);
        fleet.take(
            "sensors/d1/temp",
            b"{\"value\":21.50,\"unit\":\"C\"}",
            false,
            now,
        );
        fleet.take("sensors/d1/temp", b"no JSON", false, now);
        fleet.take("raw/d3/volts", b"3.3", false, now);
        fleet.take("other/d4", b"1", false, now);
        assert_eq!(fleet.counts(), [1, 1, 1]);
        let d1 = &fleet.devices()["d1"];
        assert_eq!(d1.values["temp"].text, "21.50");
        assert_eq!(d1.since, None);
        assert_eq!(fleet.devices()["d2"].since, Some(now));
        assert_eq!(fleet.devices()["d3"].values["volts"].text, "3.3");
        fleet.take("devices/d1/status", b"", true, now);
        fleet.take("devices/d2/status", b"", true, now);
        assert_eq!(fleet.devices()["d1"].status, Status::Unknown);
        assert!(!fleet.devices().contains_key("d2"));
    }

    #[test]
    fn long_names_that_begin_alike_are_different_devices_and_values() {
        let now = Instant::now();
        let mut fleet = fleet(&["d/{id}"], &["s/{id}/{metric}"]);
        let long = "x".repeat(LONGEST_NAME - 1);
        for (end, status) in [("1", "online"), ("2", "offline")] {
            fleet.take(&format!("d/{long}{end}"), status.as_bytes(), false, now);
            fleet.take(&format!("s/a/{long}{end}"), end.as_bytes(), false, now);
        }
        // What a terminal would show alike is not the same either.
        fleet.take("d/\\x1b", b"online", false, now);
        fleet.take("d/\x1b", b"online", false, now);
        assert_eq!(fleet.counts(), [3, 1, 1]);
        let values: Vec<_> = fleet.devices()["a"].values.values().collect();
        assert_eq!((&*values[0].text, &*values[1].text), ("1", "2"));
        assert_eq!((fleet.metrics().len(), fleet.left_out()), (2, 0));
        // A name that is longer than what is kept is counted, and is none of those.
        fleet.take(&format!("d/{long}12"), b"online", false, now);
        fleet.take(&format!("s/{long}12/m"), b"1", false, now);
        assert_eq!((fleet.devices().len(), fleet.left_out()), (5, 2));
    }

    #[test]
    fn floods_of_names_are_bounded() {
        let now = Instant::now();
        let mut fleet = fleet(&["d/{id}"], &["s/{id}/{metric}"]);
        for at in 0..200 {
            fleet.take(&format!("s/one/{at}"), b"1", false, now);
        }
        assert_eq!(fleet.metrics().len(), MOST_METRICS);
        assert_eq!(fleet.left_out(), 100);
        for at in 0..MOST_DEVICES + 10 {
            fleet.take(&format!("d/{at}"), b"1", false, now);
        }
        assert_eq!(fleet.devices().len(), MOST_DEVICES);
        assert_eq!(fleet.left_out(), 111);
    }
}
