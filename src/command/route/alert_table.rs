//! An alert of a routes file, as it is written. Its keys are the long flags of `alert`, which reads their words.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::file::Names;

/// The table of an alert, whose keys are flags of `alert`: words that stay as they are while it is at work, words and switches
/// that may change, and what is no word of these.
macro_rules! alert_table {
    (fixed { $($fixed:ident = $fixed_key:literal,)* } limits { $($limit:ident = $limit_key:literal,)* }) => {
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
            $(
                #[serde(skip_serializing_if = "Option::is_none", rename = $limit_key)]
                pub(crate) $limit: Option<Word>,
            )*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) changed: Option<bool>,
            $(
                #[serde(skip_serializing_if = "Option::is_none", rename = $fixed_key)]
                pub(crate) $fixed: Option<Word>,
            )*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) state: Option<PathBuf>,
            /// The targets of its notices.
            #[serde(default, skip_serializing_if = "Names::is_empty")]
            pub(crate) to: Names,
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
            /// What happens to one that fires on and is not acknowledged.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub(crate) escalate: Vec<StepTable>,
        }

        impl AlertTable {
            /// The flags that have a word here, each with it.
            fn pairs(&self) -> impl Iterator<Item = (&'static str, &Word)> {
                let pairs = [
                    $(($fixed_key, &self.$fixed),)*
                    $(($limit_key, &self.$limit),)*
                ];
                let pairs = pairs.into_iter();
                pairs.filter_map(|(key, word)| Some((key, word.as_ref()?)))
            }

            /// What cannot change while it is at work: what it is about, and who is told.
            pub(super) fn without_limits(&self) -> Self {
                Self {
                    $($limit: None,)*
                    changed: None,
                    ..self.clone()
                }
            }
        }
    };
}

alert_table! {
    fixed {
        value = "value",
        time = "time",
        unless = "unless",
        status_topic = "status-topic",
        max_keys = "max-keys",
        ack_topic = "ack-topic",
        topic_out = "topic-out",
        webhook_format = "webhook-format",
    }
    limits {
        above = "above",
        below = "below",
        outside = "outside",
        inside = "inside",
        equal = "equal",
        rate = "rate",
        when = "when",
        clear_below = "clear-below",
        clear_above = "clear-above",
        hold = "for",
        clear_for = "clear-for",
        count = "count",
        stale = "stale",
        flapping = "flapping",
        severity = "severity",
        repeat = "repeat",
        limit = "limit",
    }
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
        let pairs = self.pairs();
        words.extend(pairs.map(|(flag, word)| format!("--{flag}={word}")));
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

    /// Paths are from the folder of the file.
    pub(super) fn beneath(&mut self, folder: &Path) {
        if let Some(state) = &mut self.state {
            *state = folder.join(&*state);
        }
    }
}
