//! An alert of a file of routes, as it is written. Its keys are the long flags of `alert`, which reads their words.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::file::Names;

/// One alert.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AlertTable {
    /// What it is called.
    pub(crate) name: String,
    /// The sources of the readings; all of them where it is not said.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub(crate) from: Names,
    /// The topics of the readings.
    pub(crate) topic: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) above: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) below: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outside: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inside: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) equal: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clear_below: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clear_above: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "for")]
    pub(crate) hold: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clear_for: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stale: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unless: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flapping: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_keys: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_topic: Option<Word>,
    /// The targets of its notices.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub(crate) to: Names,
    /// Their topic there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic_out: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) qos: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retain: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) forget: Option<bool>,
    /// A command and its words.
    #[serde(
        default,
        deserialize_with = "command",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) exec: Vec<String>,
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub(crate) webhook: Names,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook_format: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) severity: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repeat: Option<Word>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<Word>,
    /// What happens to one that fires on and is not acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) escalate: Vec<StepTable>,
}

/// A step of an escalation. Without anybody of its own all are told.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct StepTable {
    /// Since it fires.
    pub(crate) after: Word,
    /// How bad it is from then on.
    pub(crate) severity: String,
    /// The targets of the notice.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub(crate) to: Names,
    /// A command and its words.
    #[serde(
        default,
        deserialize_with = "command",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) exec: Vec<String>,
    /// URLs to post to.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub(crate) webhook: Names,
}

/// The words of a command, of which there is at least one.
fn command<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(from)?;
    match words.is_empty() {
        true => Err(D::Error::custom("exec: the command is empty")),
        false => Ok(words),
    }
}

/// A value that is spelled as on the command line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Word {
    Whole(i64),
    Number(f64),
    Bool(bool),
    Text(String),
}

impl Default for Word {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl AlertTable {
    /// The words of `alert`, but for where messages come from and go.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![
            format!("--name={}", self.name),
            format!("--topic={}", self.topic),
        ];
        let pairs = [
            ("value", &self.value),
            ("time", &self.time),
            ("above", &self.above),
            ("below", &self.below),
            ("outside", &self.outside),
            ("inside", &self.inside),
            ("equal", &self.equal),
            ("rate", &self.rate),
            ("when", &self.when),
            ("clear-below", &self.clear_below),
            ("clear-above", &self.clear_above),
            ("for", &self.hold),
            ("clear-for", &self.clear_for),
            ("count", &self.count),
            ("stale", &self.stale),
            ("unless", &self.unless),
            ("flapping", &self.flapping),
            ("max-keys", &self.max_keys),
            ("ack-topic", &self.ack_topic),
            ("topic-out", &self.topic_out),
            ("webhook-format", &self.webhook_format),
            ("severity", &self.severity),
            ("repeat", &self.repeat),
            ("limit", &self.limit),
        ];
        let given = pairs
            .iter()
            .filter_map(|(flag, word)| Some((flag, word.as_ref()?)));
        words.extend(given.map(|(flag, word)| format!("--{flag}={word}")));
        words.extend(self.qos.map(|qos| format!("--qos={qos}")));
        words.extend(
            self.state
                .as_ref()
                .map(|path| format!("--state={}", path.display())),
        );
        let flags = [
            ("changed", self.changed),
            ("retain", self.retain),
            ("forget", self.forget),
        ];
        let set = flags.iter().filter(|(_, value)| *value == Some(true));
        words.extend(set.map(|(flag, _)| format!("--{flag}")));
        let webhooks = self.webhook.all().iter();
        words.extend(webhooks.map(|url| format!("--webhook={url}")));
        let steps = self.escalate.iter();
        words.extend(steps.map(|step| format!("--escalate={}={}", step.after, step.severity)));
        words
    }

    /// What cannot change while it is at work: what it is about, and who is told.
    pub(super) fn without_limits(&self) -> Self {
        Self {
            above: None,
            below: None,
            outside: None,
            inside: None,
            equal: None,
            changed: None,
            rate: None,
            when: None,
            clear_below: None,
            clear_above: None,
            hold: None,
            clear_for: None,
            count: None,
            stale: None,
            flapping: None,
            severity: None,
            repeat: None,
            limit: None,
            ..self.clone()
        }
    }

    /// Paths are from the folder of the file.
    pub(super) fn beneath(&mut self, folder: &Path) {
        if let Some(state) = &mut self.state {
            *state = folder.join(&*state);
        }
    }
}
