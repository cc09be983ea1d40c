//! What is found out about messages beside what happens to them: their sequence, their age, how many and how large they are.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::latency::Latencies;
use super::sequence::Sequence;
use super::stages::Stages;
use super::statistics::Statistics;
use super::until::messages;
use crate::error::Result;
use crate::message::Message;
use crate::output::Console;
use crate::payload::expect::Subject;

/// What is to be found out about all messages that pass the filters.
#[derive(Clone, Debug)]
pub struct Checks {
    /// By this number their sender counts them (`--sequence`).
    pub sequence: Option<Subject>,
    /// This is when they were sent (`--latency`).
    pub latency: Option<Subject>,
    /// How many and how large they are (`--stats`).
    pub statistics: Option<Report>,
    /// Where it is said.
    pub console: Console,
}

/// How figures are shown at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// For people.
    Text,
    /// As one object.
    Json,
}

/// What was found out so far.
pub(super) struct Findings<'a> {
    checks: Option<&'a Checks>,
    sequence: Option<Sequence<'a>>,
    age: Option<Age<'a>>,
    statistics: Option<Statistics>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(checks: Option<&'a Checks>) -> Self {
        let sequence = checks.and_then(|it| Some(Sequence::new(it.sequence.as_ref()?, it.console)));
        let age = checks.and_then(|it| Some(Age::new(it.latency.as_ref()?)));
        let statistics = checks.and_then(|it| it.statistics.map(|_| Statistics::new()));
        Self {
            checks,
            sequence,
            age,
            statistics,
        }
    }

    /// A message passed the filters.
    #[inline]
    pub(super) fn see(&mut self, message: &Message, stages: &Stages, now: Instant) {
        if self.checks.is_none() {
            return;
        }
        if let Some(sequence) = &mut self.sequence {
            sequence.see(message, || stages.json(message));
        }
        if let Some(age) = &mut self.age {
            age.see(message, || stages.json(message));
        }
        if let Some(statistics) = &mut self.statistics {
            statistics.see(message, now);
        }
    }

    /// Says what was found out. A sequence with faults makes a good end a failure.
    ///
    /// # Errors
    /// Those of `ended`; [`Kind::Missed`](crate::error::Kind::Missed).
    pub(super) fn end(&self, ended: Result<()>, now: Instant) -> Result<()> {
        let Some(checks) = self.checks else {
            return ended;
        };
        let console = checks.console;
        match (&self.statistics, checks.statistics) {
            (Some(statistics), Some(Report::Json)) => {
                let mut object = statistics.json(now);
                if let Some(age) = &self.age {
                    age.put(&mut object);
                }
                console.plain(Value::Object(object));
            }
            (Some(statistics), _) => {
                for line in statistics.lines(now) {
                    console.plain(line);
                }
            }
            (None, _) => {}
        }
        if let Some(age) = self
            .age
            .as_ref()
            .filter(|_| checks.statistics != Some(Report::Json))
        {
            console.plain(age.line());
        }
        match (self.sequence.as_ref().map(Sequence::verdict), ended) {
            (None, ended) => ended,
            (Some(Err(missed)), Ok(())) => Err(missed),
            (Some(Ok(text)), ended) => {
                console.note(text);
                ended
            }
            (Some(Err(missed)), Err(ended)) => {
                console.warn(missed);
                Err(ended)
            }
        }
    }
}

/// How old messages were when they came, by the clocks of both sides.
struct Age<'a> {
    what: &'a Subject,
    times: Latencies,
    /// They were sent after they came, so that the clocks differ.
    ahead: u64,
    /// They do not say when they were sent.
    untimed: u64,
}

impl<'a> Age<'a> {
    fn new(what: &'a Subject) -> Self {
        Self {
            what,
            times: Latencies::default(),
            ahead: 0,
            untimed: 0,
        }
    }

    fn see(&mut self, message: &Message, json: impl FnOnce() -> Option<Value>) {
        let sent = self.what.find(message, json);
        let Some(sent) = sent.and_then(|text| moment(text.trim())) else {
            self.untimed += 1;
            return;
        };
        match message.time.duration_since(sent) {
            Ok(age) => self.times.record(age),
            // What was rounded to its next millisecond was not sent in the future.
            Err(cause) if cause.duration() <= Duration::from_millis(1) => {
                self.times.record(Duration::ZERO);
            }
            Err(_) => self.ahead += 1,
        }
    }

    fn line(&self) -> String {
        let mut line = format!("latency of {}", messages(self.times.count()));
        if self.times.count() > 0 {
            line.push_str(&format!(": {}", self.times));
        }
        for (count, what) in [
            (
                self.ahead,
                "sent in the future, by the clock of their sender",
            ),
            (self.untimed, "without a time"),
        ] {
            if count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        line
    }

    fn put(&self, object: &mut Map<String, Value>) {
        self.times.put("latency", object);
        let more = [
            ("latency_count", self.times.count()),
            ("latency_ahead", self.ahead),
            ("latency_untimed", self.untimed),
        ];
        for (name, count) in more {
            object.insert(name.to_owned(), json!(count));
        }
    }
}

/// A moment as senders write it: RFC 3339, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970, which
/// their size tells apart from 1973 to 5138.
fn moment(text: &str) -> Option<SystemTime> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.into());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let number: u64 = whole.parse().ok()?;
    let unit = match number {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let part = match fraction {
        "" => 0.0,
        digits if digits.bytes().all(|it| it.is_ascii_digit()) => {
            format!("0.{digits}").parse::<f64>().ok()?
        }
        _ => return None,
    };
    // Below a unit, so that it fits.
    let rest = (part * unit as f64) as u64;
    let nanos = u128::from(number) * u128::from(unit as u64) + u128::from(rest);
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    // Below 10^9.
    let rest = (nanos % 1_000_000_000) as u32;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::UNTIMED;

    #[test]
    fn moments_are_read_as_senders_write_them() {
        let expected = UNTIMED + Duration::from_millis(1_700_000_000_250);
        for text in [
            "2023-11-14T22:13:20.250Z",
            "2023-11-14T23:13:20.25+01:00",
            "1700000000.25",
            "1700000000250",
            "1700000000250000",
            "1700000000250000000",
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        for text in ["", "x", "-1", "1.x", "1700000000.", "99999999999999999999"] {
            let read = moment(text);
            assert!(read.is_none() || text == "1700000000.", "{text} {read:?}");
        }
    }

    #[test]
    fn every_message_is_timed_ahead_or_untimed() {
        let mut age = Age::new(&Subject::Payload);
        let came = UNTIMED + Duration::from_secs(1_000_000_000);
        for payload in ["999999999.5", "1000000000.0004", "1000000001", "x"] {
            let message = Message {
                time: came,
                payload: payload.into(),
                ..Message::default()
            };
            age.see(&message, || None);
        }
        let line = age.line();
        assert!(
            line.starts_with("latency of 2 messages: min/avg/"),
            "{line}"
        );
        assert!(
            line.ends_with(
                ", 1 sent in the future, by the clock of their sender, 1 without a time"
            ),
            "{line}"
        );
        let mut object = Map::new();
        age.put(&mut object);
        assert_eq!(
            (&object["latency_max_ms"], &object["latency_ahead"]),
            (&json!(500.0), &json!(1))
        );
    }
}
