//! One alarm: its state, and what a reading or the time makes of it.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Millis;
use super::rule::{Rule, Verdict};

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// Anything else, as text.
    Text(Box<str>),
    /// No reading has come.
    #[default]
    Nothing,
}

impl Value {
    /// A number where the text is one.
    pub fn read(text: &str) -> Self {
        match number(text) {
            Some(number) => Self::Number(number),
            None => Self::Text(text.into()),
        }
    }

    /// Whether it is this value; numbers are compared as numbers.
    pub(super) fn equals(&self, other: &str) -> bool {
        match self {
            Self::Number(own) => number(other) == Some(*own),
            Self::Text(own) => **own == *other,
            Self::Nothing => false,
        }
    }

    /// Whole numbers without a decimal point.
    pub(super) fn json(&self) -> Json {
        match self {
            // All of these are whole in 64 bits.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Json::from(*number as i64)
            }
            Self::Number(number) => Json::from(*number),
            Self::Text(text) => Json::from(&**text),
            Self::Nothing => Json::Null,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    let parsed = text.trim().parse::<f64>();
    parsed.ok().filter(|number| number.is_finite())
}

/// What has come for a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What was read.
    pub value: Value,
    /// When, as far as is known; not later than now.
    pub at: Millis,
    /// Who says so.
    pub clock: Clock,
    /// Whether it fulfils the condition of [`super::Test::When`]; `None`: that cannot be said of it.
    pub holds: Option<bool>,
}

/// Who says when a reading was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The message: the same time again is the same reading again.
    Message,
    /// The recording that it is from.
    Recording,
    /// We, as it came; a clock that was set back makes none late.
    Arrival,
}

impl Reading {
    /// Whether it says nothing new after one at `last`.
    pub(super) const fn is_late(&self, last: Millis) -> bool {
        match self.clock {
            Clock::Message => self.at <= last,
            Clock::Recording => self.at < last,
            Clock::Arrival => false,
        }
    }
}

/// Where an alarm is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    #[default]
    Ok,
    Pending,
    Firing,
    Clearing,
}

/// What of an alarm is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// All is well, or not bad for long enough.
    #[default]
    Ok,
    /// It is bad, or not good for long enough.
    Firing,
    /// No readings come, so that nobody knows.
    Stale,
    /// It changes too often to be told each time.
    Flapping,
    /// No state of one alarm: what was left out because of a limit.
    Summary,
}

impl State {
    /// As notices have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Firing => "firing",
            Self::Stale => "stale",
            Self::Flapping => "flapping",
            Self::Summary => "summary",
        }
    }
}

/// The alarm of one key, but for its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Alarm {
    pub(super) value: Value,
    /// The same from when it fires until it fires anew.
    #[serde(with = "hexadecimal")]
    pub(super) id: u64,
    /// Since when it fires, or is ok.
    pub(super) since: Millis,
    /// Of the newest reading: when it was.
    pub(super) last: Millis,
    /// Of the newest reading: when it came.
    pub(super) seen: Millis,
    /// Pending and clearing: the first reading that meant it.
    pub(super) from: Millis,
    /// Pending and clearing: when the time is over if nothing else is read.
    pub(super) due: Millis,
    /// When it was told of last.
    pub(super) notified: Millis,
    /// Since when its changes are counted.
    pub(super) counted: Millis,
    /// The verdicts on the last readings, the newest in the lowest bit.
    pub(super) verdicts: u64,
    pub(super) changes: u32,
    /// How many steps of the escalation were taken.
    pub(super) step: u8,
    pub(super) phase: Phase,
    /// What was told last.
    pub(super) shown: State,
    pub(super) stale: bool,
    pub(super) acknowledged: bool,
    pub(super) flapping: bool,
    /// What was told last has not arrived everywhere.
    pub(super) untold: bool,
    /// Nothing else than before was told since this number: notices are told apart by it.
    #[serde(skip)]
    pub(super) emission: u32,
    /// In how many places the last notice has not arrived.
    #[serde(skip)]
    pub(super) waiting: u32,
    /// The time of its entry among the timers.
    #[serde(skip)]
    pub(super) armed: Millis,
}

/// An id as 16 digits, which no reader of JSON rounds.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(id: &u64, into: S) -> Result<S::Ok, S::Error> {
        into.collect_str(&format_args!("{id:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// An alarm as it is kept on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) alarm: Alarm,
}

impl Saved {
    /// Whose alarm it is.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is told of it.
    pub fn state(&self) -> State {
        self.alarm.view()
    }

    /// Since when it is firing or ok.
    pub fn since(&self) -> Millis {
        self.alarm.since
    }

    /// The last value that is known of it, as JSON.
    pub fn value(&self) -> Json {
        self.alarm.value.json()
    }

    /// Whether somebody has taken care of it.
    pub fn is_acknowledged(&self) -> bool {
        self.alarm.acknowledged
    }

    /// What names this occurrence.
    pub fn id(&self) -> String {
        format!("{:016x}", self.alarm.id)
    }
}

impl Alarm {
    /// What is to be told of it.
    pub(super) fn view(&self) -> State {
        match self.phase {
            _ if self.flapping => State::Flapping,
            _ if self.stale => State::Stale,
            Phase::Ok | Phase::Pending => State::Ok,
            Phase::Firing | Phase::Clearing => State::Firing,
        }
    }

    /// Whether nothing of it need be remembered.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Ok
            && self.view() == State::Ok
            && self.shown == State::Ok
            && !self.untold
    }

    /// Counts this reading among the last ones, and says what they mean together.
    pub(super) fn counted(&mut self, rule: &Rule, verdict: Verdict) -> Verdict {
        let Some((bad, of)) = rule.count else {
            return verdict;
        };
        let fires = matches!(self.phase, Phase::Firing | Phase::Clearing);
        let is_bad = verdict == Verdict::Bad || verdict == Verdict::Between && fires;
        self.verdicts = self.verdicts << 1 | u64::from(is_bad);
        // 1 to 64 of them.
        let last = self.verdicts & (u64::MAX >> (64 - of));
        match last.count_ones() >= bad {
            true => Verdict::Bad,
            false => Verdict::Good,
        }
    }

    /// Goes on by what the readings mean at `at`, known at `now`.
    pub(super) fn go_on(
        &mut self,
        rule: &Rule,
        key: &str,
        verdict: Verdict,
        at: Millis,
        now: Millis,
    ) {
        match (self.phase, verdict) {
            (Phase::Ok, Verdict::Bad) => {
                (self.phase, self.from, self.due) = (Phase::Pending, at, now + rule.hold);
            }
            (Phase::Pending, Verdict::Good | Verdict::Between) => self.phase = Phase::Ok,
            (Phase::Firing, Verdict::Good) => {
                (self.phase, self.from, self.due) = (Phase::Clearing, at, now + rule.clear_hold);
            }
            (Phase::Clearing, Verdict::Bad | Verdict::Between) => self.phase = Phase::Firing,
            _ => {}
        }
        let held = at.saturating_sub(self.from);
        match self.phase {
            Phase::Pending if held >= rule.hold => self.fire(rule, key, at),
            Phase::Clearing if held >= rule.clear_hold => self.clear(rule, at),
            _ => {}
        }
    }

    /// Ends what has lasted for long enough at `now`.
    pub(super) fn hold_over(&mut self, rule: &Rule, key: &str, now: Millis) {
        match self.phase {
            Phase::Pending if now >= self.due => self.fire(rule, key, self.due),
            Phase::Clearing if now >= self.due => self.clear(rule, self.due),
            _ => {}
        }
    }

    fn fire(&mut self, rule: &Rule, key: &str, at: Millis) {
        self.phase = Phase::Firing;
        // The same for the same reading, should that come again.
        self.id = id(&rule.name, key, self.from);
        (self.acknowledged, self.step) = (false, 0);
        self.changed(rule, at);
    }

    fn clear(&mut self, rule: &Rule, at: Millis) {
        self.phase = Phase::Ok;
        self.changed(rule, at);
    }

    fn changed(&mut self, rule: &Rule, at: Millis) {
        self.since = at;
        let Some((most, time)) = rule.flapping else {
            return;
        };
        if at.saturating_sub(self.counted) > time {
            (self.counted, self.changes) = (at, 0);
        }
        self.changes += 1;
        self.flapping |= self.changes > most;
    }

    /// No reading has come for too long: what was not certain yet did not happen.
    pub(super) fn expire(&mut self, rule: &Rule, key: &str) {
        self.stale = true;
        match self.phase {
            Phase::Ok | Phase::Pending => {
                self.phase = Phase::Ok;
                self.id = id(&rule.name, key, self.last);
            }
            Phase::Firing | Phase::Clearing => self.phase = Phase::Firing,
        }
    }
}

/// FNV-1a over what names an occurrence.
fn id(name: &str, key: &str, from: Millis) -> u64 {
    let bytes = name.bytes().chain([0]).chain(key.bytes()).chain([0]);
    let bytes = bytes.chain(from.to_be_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
