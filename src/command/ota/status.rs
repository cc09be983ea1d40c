//! `ota status`: what devices report, as a table, and until so many have reported what is wanted.

pub(super) mod amqp;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::agent::{at_least_once, refused, subscribe};
use super::amqp::session;
use super::direct::{Devices, STATUS};
use super::retained::Retained;
use crate::board::text::cell;
use crate::command::mqtt::session::{SessionArgs, Wants, tell};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::firmware::wire::{Topics, is_name};
use crate::mqtt::client::Client;
use crate::mqtt::packet::Disconnect;
use crate::mqtt::session::client::Event;
use crate::output::{Console, Style, print};
use crate::stop::Stop;

/// States that a device reports.
pub(crate) const STATES: [&str; 12] = [
    "idle",
    "downloading",
    "downloaded",
    "verified",
    "installed",
    "rebooting",
    "testing",
    "rolling-back",
    "updated",
    "rolled-back",
    "failed",
    "refused",
];

/// More devices than one server has.
const MOST_DEVICES: usize = 1_000_000;

/// Words of a report that are kept.
const LONGEST: usize = 512;

/// Letters of a word of a report that the table shows.
const LONGEST_SHOWN: usize = 160;

/// How many devices must be in a state: `updated == 1000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    state: &'static str,
    compare: Compare,
    count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equal,
    AtLeast,
    Above,
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let bad = || String::from("expected STATE == COUNT, >= or >, such as 'updated == 1000'");
        let words: Vec<&str> = text.split_whitespace().collect();
        let [state, compare, count] = words[..] else {
            return Err(bad());
        };
        let known = STATES.iter().find(|known| **known == state);
        let state = known
            .ok_or_else(|| format!("unknown state {state}; states are {}", STATES.join(", ")))?;
        let compare = match compare {
            "==" => Compare::Equal,
            ">=" => Compare::AtLeast,
            ">" => Compare::Above,
            _ => return Err(bad()),
        };
        let count = count.parse().map_err(|_| bad())?;
        Ok(Self {
            state,
            compare,
            count,
        })
    }
}

impl Goal {
    fn is_met(&self, counts: &BTreeMap<&str, usize>) -> bool {
        let count = counts.get(self.state).copied().unwrap_or(0);
        match self.compare {
            Compare::Equal => count == self.count,
            Compare::AtLeast => count >= self.count,
            Compare::Above => count > self.count,
        }
    }
}

/// `ota status`
#[derive(Clone, Debug)]
pub struct Plan {
    /// With the server.
    pub session: SessionArgs,
    /// Devices that are asked themselves, over CoAP; none: what they report to the server.
    pub devices: Vec<String>,
    /// Below which topics.
    pub prefix: String,
    /// One of them ends it; none: all that is retained is shown once.
    pub until: Vec<Goal>,
    /// Only devices that report this version count for them.
    pub version: Option<String>,
    /// After which it is given up.
    pub timeout: Option<Duration>,
    /// As JSON.
    pub json: bool,
    /// Of what it says.
    pub style: Style,
}

impl Plan {
    /// Whether what was waited for is so.
    pub(super) fn is_met(&self, fleet: &Fleet) -> bool {
        let version = self.version.as_deref();
        let counts = fleet
            .counts_of(|report| version.is_none_or(|version| word(report, "version") == version));
        self.until.is_empty() || self.until.iter().any(|goal| goal.is_met(&counts))
    }
}

/// What devices have reported.
#[derive(Default)]
pub(super) struct Fleet {
    pub(super) devices: BTreeMap<String, Value>,
    /// Those that have reported what is no JSON object last.
    unreadable: BTreeSet<String>,
    /// Of how many states the user was told last.
    told: usize,
    /// What the devices are called that were asked themselves, by where they are.
    names: BTreeMap<String, String>,
}

impl Fleet {
    /// A report has come; an empty one takes the device off the list.
    pub(super) fn take(&mut self, device: &str, payload: &Bytes) {
        self.unreadable.remove(device);
        if payload.is_empty() {
            self.devices.remove(device);
            return;
        }
        let report = serde_json::from_slice::<Value>(payload).ok();
        let Some(mut report) = report.filter(|it| it.is_object()) else {
            return;
        };
        if let Some(Value::String(why)) = report.get_mut("error") {
            why.truncate(why.floor_char_boundary(LONGEST));
        }
        if self.devices.len() < MOST_DEVICES || self.devices.contains_key(device) {
            self.devices.insert(device.to_owned(), report);
        }
    }

    /// The same of a device that is known by its topic: one whose report is no JSON object has one without a state.
    fn take_from(&mut self, device: &str, payload: &Bytes) {
        self.take(device, payload);
        let is_report = payload.is_empty()
            || serde_json::from_slice::<Value>(payload).is_ok_and(|it| it.is_object());
        if !is_report {
            self.take(device, &Bytes::from_static(b"{}"));
            if self.devices.contains_key(device) {
                self.unreadable.insert(device.to_owned());
            }
        }
    }

    /// Says whose reports are no JSON objects.
    fn warn_of_unreadable(&self, console: Console) {
        let Some(first) = self.unreadable.first() else {
            return;
        };
        let first = line(first);
        match self.unreadable.len() {
            1 => console.warn(format_args!("{first}: the report is no JSON object")),
            count => console.warn(format_args!(
                "{first} and {} more: the report is no JSON object",
                count - 1
            )),
        }
    }

    /// The same of a report that says itself whose it is, which is returned.
    pub(super) fn take_named(&mut self, payload: &Bytes) -> Option<String> {
        let report = serde_json::from_slice::<Value>(payload).ok()?;
        let device = report["id"].as_str().filter(|name| is_name(name))?;
        self.take(device, payload);
        Some(device.to_owned())
    }

    /// The report of a device that was asked itself: it says its name, or it is known by its address, as is another one of
    /// the same name.
    fn take_of(&mut self, place: &str, payload: &Bytes) -> bool {
        let report = serde_json::from_slice::<Value>(payload).unwrap_or_default();
        let name = report["id"].as_str().filter(|name| is_name(name));
        let is_free = |name: &&str| {
            let mut others = self.names.iter().filter(|(other, _)| *other != place);
            others.all(|(_, taken)| taken != name)
        };
        let name = name.filter(is_free).unwrap_or(place).to_owned();
        self.take(&name, payload);
        let before = self.names.insert(place.to_owned(), name.clone());
        if let Some(before) = before.filter(|before| *before != name) {
            self.devices.remove(&before);
        }
        report.is_object()
    }

    /// Shows how many devices are in which state, when there is a state more or less.
    fn tell_counts(&mut self, console: Console) {
        let counts = self.counts();
        if counts.len() != self.told {
            console.progress(words(&counts));
            self.told = counts.len();
        }
    }

    pub(super) fn counts(&self) -> BTreeMap<&str, usize> {
        self.counts_of(|_| true)
    }

    /// The same of the devices whose report is like this.
    fn counts_of(&self, is_meant: impl Fn(&Value) -> bool) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for report in self.devices.values().filter(|it| is_meant(it)) {
            *counts.entry(state(report)).or_insert(0) += 1;
        }
        counts
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let ids = self.devices.keys();
        let widest = ids.map(|id| line(id).chars().count()).max();
        let widest = widest.unwrap_or(0).max("DEVICE".len());
        let states = self.devices.values().map(|it| progress(it).chars().count());
        let wide = states.max().unwrap_or(0).max(12);
        let _ = writeln!(
            text,
            "{:<widest$}  {:<wide$}  {:<16}  {:>8}  SLOT  ERROR",
            "DEVICE", "STATE", "VERSION", "SEQUENCE"
        );
        for (id, report) in &self.devices {
            let number = |name: &str| report[name].as_u64();
            let id = line(id);
            let state = progress(report);
            let (version, slot, why) = (
                line(word(report, "version")),
                line(word(report, "slot")),
                line(word(report, "error")),
            );
            let sequence = number("sequence").unwrap_or(0);
            let row = format!(
                "{id:<widest$}  {state:<wide$}  {version:<16}  {sequence:>8}  {slot:<4}  {why}"
            );
            let _ = writeln!(text, "{}", row.trim_end());
        }
        text
    }

    fn json(&self) -> String {
        // Whose it is, says where it came from: what the report itself says may be otherwise, or missing.
        let devices = self.devices.iter().map(|(device, report)| {
            let mut report = report.clone();
            if let Some(fields) = report.as_object_mut() {
                fields.insert(String::from("device"), json!(device));
            }
            report
        });
        let devices: Vec<Value> = devices.collect();
        format!("{}\n", json!({"counts": self.counts(), "devices": devices}))
    }
}

fn words(counts: &BTreeMap<&str, usize>) -> String {
    let counts = counts.iter();
    let words: Vec<_> = counts
        .map(|(state, count)| format!("{} {count}", line(state)))
        .collect();
    words.join(", ")
}

/// The first line of what a device says, cut, with what would drive the terminal made visible.
fn line(text: &str) -> String {
    let first = text.trim_start().lines().next().unwrap_or_default();
    cell(first, LONGEST_SHOWN)
}

/// The state that a report has, or that it has none.
fn state(report: &Value) -> &str {
    match word(report, "state") {
        "" => "unknown",
        state => state,
    }
}

pub(super) fn word<'v>(report: &'v Value, name: &str) -> &'v str {
    report[name].as_str().unwrap_or_default()
}

/// How the watching ended.
enum End {
    /// All that was retained is there, or the goal is reached.
    Done,
    /// Some devices did not answer.
    Partly(Error),
    TimedOut,
}

pub(super) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let mut stop = Stop::watch()?;
    let mut fleet = Fleet::default();
    let ended = match session(&plan.session) {
        Some(session) => {
            let watching = amqp::watch(session, &plan, &mut fleet, &mut stop);
            within(plan.timeout, watching).await
        }
        None if plan.devices.is_empty() => over_mqtt(&plan, &mut fleet, &mut stop, console).await,
        None => over_coap(&plan, &mut fleet, &mut stop, console).await,
    }?;
    let text = if plan.json {
        fleet.json()
    } else {
        fleet.text()
    };
    fleet.warn_of_unreadable(console);
    print(text.as_bytes())?;
    match ended {
        End::Done => Ok(()),
        End::Partly(why) => Err(why),
        End::TimedOut => {
            let text = match fleet.devices.is_empty() {
                true => String::from("timed out: no device has reported"),
                false => format!("timed out; devices: {}", words(&fleet.counts())),
            };
            Err(Error::new(Kind::TimedOut, text))
        }
    }
}

/// Does the work, but not for longer than this.
async fn within(limit: Option<Duration>, work: impl Future<Output = Result<()>>) -> Result<End> {
    match limit {
        Some(limit) => match tokio::time::timeout(limit, work).await {
            Ok(ended) => ended.map(|()| End::Done),
            Err(_) => Ok(End::TimedOut),
        },
        None => work.await.map(|()| End::Done),
    }
}

/// Until all have answered, or a goal is reached.
async fn over_coap(
    plan: &Plan,
    fleet: &mut Fleet,
    stop: &mut Stop,
    console: Console,
) -> Result<End> {
    let connect = &plan.session.connect;
    // A device may be away for as long as the goal is waited for.
    let limit = plan.timeout.filter(|_| plan.until.is_empty());
    let devices = Devices::at(connect, &plan.devices, STATUS, limit, console)?;
    let mut take = |place: &str, report: &Bytes| {
        if !fleet.take_of(place, report) {
            console.warn(format_args!("{place}: the report is no JSON object"));
        }
        fleet.tell_counts(console);
        plan.is_met(fleet)
    };
    if !plan.until.is_empty() {
        let following = within(plan.timeout, devices.follow(take));
        return stop.unless_asked("interrupted", following).await;
    }
    let read = devices.read(|place, report| {
        take(place, report);
    });
    let ended = stop.unless_asked("interrupted", read).await;
    match ended {
        Ok(()) => Ok(End::Done),
        // Of several devices some may have answered.
        Err(why) if !fleet.devices.is_empty() => Ok(End::Partly(why)),
        Err(why) => Err(why),
    }
}

async fn over_mqtt(
    plan: &Plan,
    fleet: &mut Fleet,
    stop: &mut Stop,
    console: Console,
) -> Result<End> {
    let target = plan.session.target()?;
    let wants = Wants {
        later: if plan.until.is_empty() {
            Retry::Never
        } else {
            Retry::Forever
        },
        version_5_only: false,
        topic_aliases: 0,
    };
    let mut client = plan.session.client(target, &wants, console).await?;
    let topics = Topics::new(&plan.prefix);
    subscribe(&mut client, &[at_least_once(topics.status("+"))])?;
    let watching = watch(plan, &topics, &mut client, fleet, console);
    let watching = within(plan.timeout, watching);
    let ended = stop.unless_asked("interrupted", watching).await;
    let _ = stop.close(client.close(Disconnect::default())).await;
    ended
}

/// Until a goal is reached; without one, until the server has sent all that is retained.
async fn watch(
    plan: &Plan,
    topics: &Topics,
    client: &mut Client,
    fleet: &mut Fleet,
    console: Console,
) -> Result<()> {
    let mut retained = Retained::default();
    loop {
        let driven = client.drive().await;
        while let Some(notice) = client.poll_notice() {
            tell(notice, client.target(), console);
        }
        while let Some(event) = client.poll_event() {
            match event {
                Event::Message(publish) => {
                    retained.message(&publish);
                    if let Some(device) = topics.reporter(&publish.topic) {
                        fleet.take_from(device, &publish.payload);
                    }
                }
                Event::Subscribed(answers, _) => {
                    refused(&answers)?;
                    retained.subscribed();
                }
                Event::Pong => retained.answered(),
                _ => {}
            }
        }
        client.session().accept();
        retained.go_on(client);
        driven?;
        if retained.is_all() && plan.is_met(fleet) {
            return Ok(());
        }
        if !plan.until.is_empty() {
            fleet.tell_counts(console);
        }
    }
}

/// The state of a device, and how far it has come.
fn progress(report: &Value) -> String {
    let state = line(state(report));
    match report["progress"].as_u64() {
        Some(progress) => format!("{state} {progress}%"),
        None => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_device_says_drives_the_terminal() {
        let mut fleet = Fleet::default();
        let long = "x".repeat(1000);
        let report = json!({"state": "up\u{1b}[2J", "version": "1\u{202e}", "slot": "a\nb updated", "error": long});
        fleet.take("a\u{9b}", &Bytes::from(report.to_string()));
        let text = fleet.text();
        assert!(text.starts_with("DEVICE "), "{text}");
        let row = text.lines().nth(1).expect("a row");
        assert!(row.starts_with("a\\xc2\\x9b  up\\x1b[2J"), "{row}");
        assert!(row.contains("1\\xe2\\x80\\xae"), "{row}");
        assert!(row.ends_with("xxx…") && row.len() < 300, "{row}");
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn two_devices_of_one_name_are_two() {
        let mut fleet = Fleet::default();
        let report = Bytes::from_static(br#"{"id":"d1","state":"updated"}"#);
        for place in ["coap://a", "coap://b", "coap://a"] {
            assert!(fleet.take_of(place, &report));
        }
        assert!(fleet.take_of(
            "coap://c",
            &Bytes::from_static(br#"{"id":"a/b","state":"idle"}"#)
        ));
        assert!(!fleet.take_of("coap://d", &Bytes::from_static(b"nonsense")));
        let names: Vec<_> = fleet.devices.keys().collect();
        assert_eq!(names, ["coap://b", "coap://c", "d1"]);
        // One that is called otherwise now is still one.
        assert!(fleet.take_of(
            "coap://a",
            &Bytes::from_static(br#"{"id":"d2","state":"idle"}"#)
        ));
        let names: Vec<_> = fleet.devices.keys().collect();
        assert_eq!(names, ["coap://b", "coap://c", "d2"]);
    }

    #[test]
    fn a_device_without_a_state_is_counted_as_such() {
        let mut fleet = Fleet::default();
        for (device, report) in [
            ("a", "{}"),
            ("b", r#"{"state":""}"#),
            ("c", r#"{"state":"idle"}"#),
        ] {
            fleet.take(device, &Bytes::from_static(report.as_bytes()));
        }
        assert_eq!(words(&fleet.counts()), "idle 1, unknown 2");
    }

    #[test]
    fn whose_report_it_is_says_the_topic() {
        let mut fleet = Fleet::default();
        for (device, report) in [
            ("a", r#"{"state":"idle","id":"other","device":"x"}"#),
            ("b", r#"{"state":"idle"}"#),
            ("c", "nonsense"),
            ("d", r#"{"state":"idle"}"#),
            ("d", "[1]"),
            ("e", "nonsense"),
            ("e", r#"{"state":"idle"}"#),
            ("f", "nonsense"),
            ("f", ""),
        ] {
            fleet.take_from(device, &Bytes::from_static(report.as_bytes()));
        }
        let json: Value = serde_json::from_str(&fleet.json()).expect("JSON");
        let devices = json["devices"].as_array().expect("a list");
        let names: Vec<_> = devices.iter().map(|it| &it["device"]).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        assert_eq!(devices[0]["id"], "other");
        assert_eq!(json["counts"], json!({"idle": 3, "unknown": 2}));
        let unreadable: Vec<_> = fleet.unreadable.iter().collect();
        assert_eq!(unreadable, ["c", "d"]);
    }

    #[test]
    fn a_goal_counts_devices() {
        let goal: Goal = "updated >= 2".parse().expect("a goal");
        let mut fleet = Fleet::default();
        for (device, state) in [("a", "updated"), ("b", "failed")] {
            fleet.take(device, &Bytes::from(json!({"state": state}).to_string()));
        }
        assert!(!goal.is_met(&fleet.counts()));
        fleet.take("b", &Bytes::from_static(br#"{"state":"updated"}"#));
        assert!(goal.is_met(&fleet.counts()));
        fleet.take("b", &Bytes::new());
        fleet.take("c", &Bytes::from_static(b"nonsense"));
        assert_eq!(fleet.counts().get("updated"), Some(&1));
        for wrong in [
            "",
            "updated",
            "updated == x",
            "update == 1",
            "updated != 1",
            "updated == 1 2",
        ] {
            assert!(wrong.parse::<Goal>().is_err(), "{wrong}");
        }
    }
}
