//! What happens to a message between its source and its target.

use std::time::SystemTime;

use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::Console;
use crate::payload::captures::{Captures, Pattern};
use crate::payload::expect::{Changes, Condition, Scope};
use crate::payload::jq::Input;
use crate::payload::map::Map;

use super::decode::{self, Decode};
use super::decompress::Decompress;
use super::findings::Checks;
use super::mapped::refusal;
use super::select::Select;

/// How bodies are read, which messages pass, what every one of those must be, and how its body is shown.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    /// Compressed bodies become what they were (`--decompress`); first of all.
    pub decompress: Option<Decompress>,
    /// Only messages that fulfil all of these pass (`--filter`).
    pub filter: Vec<Condition>,
    /// What conditions know the wildcards of topics by; the first that a topic matches counts.
    pub patterns: Vec<Pattern>,
    /// What becomes of those that were let through, last of all (`--map`).
    pub map: Option<Map>,
    /// What is found out about those that pass.
    pub checks: Option<Checks>,
    /// Which of those that pass are passed on.
    pub select: Select,
    /// Every message that passes must fulfil all of these (`--expect`).
    pub expect: Vec<Condition>,
    /// The target gets bodies as text (`--decode`); conditions look at them as they came, but for those that are prepared
    /// ([`Decode::prepare`]).
    pub decode: Option<Decode>,
    /// For what is no message.
    pub console: Option<Console>,
}

impl Stages {
    /// Reads the files that decoding needs, before anything is sent.
    ///
    /// # Errors
    /// Those of [`Decode::load`].
    pub fn load(&self) -> Result<()> {
        self.decode.as_ref().map_or(Ok(()), Decode::load)
    }

    /// How many bodies could not be decoded.
    pub fn undecoded(&self) -> u64 {
        self.decode.as_ref().map_or(0, Decode::left)
    }

    /// Whether every message passes as it is.
    pub fn are_bare(&self) -> bool {
        let conditions = self.filter.is_empty() && self.expect.is_empty();
        let bodies = self.decompress.is_none() && self.decode.is_none();
        conditions && bodies && self.map.is_none() && self.select.is_bare() && self.checks.is_none()
    }

    /// Makes the body what its sender meant, before anything looks at it.
    pub fn prepare(&self, message: &mut Message) {
        if let Some(decompress) = &self.decompress {
            decompress.undo(message);
        }
        if let Some(decode) = &self.decode {
            decode.prepare(message);
        }
    }

    /// What stands for the wildcards in the topic of a message, where anything may ask.
    pub fn captures<'a>(&'a self, message: &'a Message) -> Option<Captures<'a>> {
        let mut patterns = self.patterns.iter();
        patterns.find_map(|pattern| pattern.matches(&message.topic))
    }

    /// The memory that these conditions need, and one more.
    pub(super) fn changes(&self, until: Option<&Condition>) -> Option<Changes> {
        Changes::of(self.conditions(until))
    }

    /// Whether these conditions, or one more, ask what time it is.
    pub(super) fn ask_time(&self, until: Option<&Condition>) -> bool {
        self.conditions(until).any(Condition::asks_time)
    }

    /// Whether these conditions, or one more, may ask what stands for wildcards of topics.
    pub(super) fn ask_captures(&self, until: Option<&Condition>) -> bool {
        self.conditions(until).any(Condition::asks_captures)
    }

    fn conditions<'a>(
        &'a self,
        until: Option<&'a Condition>,
    ) -> impl Iterator<Item = &'a Condition> {
        self.filter.iter().chain(&self.expect).chain(until)
    }

    /// Whether the message passes.
    pub fn pass(&self, message: &Message, scope: &Scope<'_>) -> bool {
        self.filter
            .iter()
            .all(|it| self.fulfils(it, message, scope))
    }

    /// Checks a message that passed.
    ///
    /// # Errors
    /// [`Kind::Missed`], naming the first condition that it does not fulfil.
    pub fn check(&self, message: &Message, scope: &Scope<'_>) -> Result<()> {
        let mut expected = self.expect.iter();
        match expected.find(|it| !self.fulfils(it, message, scope)) {
            None => Ok(()),
            Some(missed) => Err(Error::new(
                Kind::Missed,
                format!("{}: condition not met: {missed}", message.topic),
            )),
        }
    }

    /// Whether a message fulfils a condition; a payload that is JSON or CBOR is looked into.
    pub fn fulfils(&self, condition: &Condition, message: &Message, scope: &Scope<'_>) -> bool {
        condition.holds_in(message, scope, || self.json(message))
    }

    /// Says once of each condition that it failed on a message, and so was not met.
    pub fn tell_failures(&self, until: Option<&Condition>) {
        if let Some(console) = &self.console {
            let failures = self.conditions(until).filter_map(Condition::failure);
            failures.for_each(|text| {
                console.warn(format_args!("{text}; such messages do not meet it"));
            });
        }
    }

    /// The body as JSON, where it is JSON or CBOR.
    pub fn json(&self, message: &Message) -> Option<Value> {
        decode::json(message, self.decode.as_ref())
    }

    /// The message as its target gets it; a map gets it as it is, and reads it itself.
    pub fn decoded(&self, message: Message) -> Message {
        match &self.decode {
            Some(decode) if self.map.is_none() => decode.decoded(message),
            _ => message,
        }
    }

    /// The messages that become of one; `now` is for the map.
    ///
    /// # Errors
    /// [`Kind::Refused`]: the map fails on it.
    pub fn mapped(&self, message: Message, now: SystemTime) -> Result<Vec<Message>> {
        let Some(map) = &self.map else {
            return Ok(vec![self.decoded(message)]);
        };
        let captures = self.captures(&message);
        let input = Input {
            message: &message,
            captures: captures.as_ref(),
            now: Some(now),
        };
        map.apply(input, self.json(&message).as_ref())
            .map_err(|why| refusal(&message.topic, &why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Detail, MqttDetail};

    fn message(topic: &'static str, payload: &'static str) -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH,
            topic: topic.into(),
            payload: payload.into(),
            detail: Detail::Mqtt(MqttDetail::default()),
        }
    }

    #[test]
    fn all_conditions_count() {
        let stages = Stages {
            filter: vec![
                "/t > 20".parse().unwrap(),
                "topic contains kitchen".parse().unwrap(),
            ],
            expect: vec!["/t < 30".parse().unwrap()],
            ..Stages::default()
        };
        let scope = Scope::default();
        assert!(stages.pass(&message("home/kitchen", "{\"t\":21}"), &scope));
        assert!(!stages.pass(&message("home/bath", "{\"t\":21}"), &scope));
        assert!(!stages.pass(&message("home/kitchen", "{\"t\":19}"), &scope));
        assert!(stages.check(&message("a", "{\"t\":21}"), &scope).is_ok());
        let missed = stages
            .check(&message("a", "{\"t\":31}"), &scope)
            .unwrap_err();
        assert_eq!(
            (missed.exit_code(), missed.text()),
            (7, "a: condition not met: /t < 30")
        );
    }
}
