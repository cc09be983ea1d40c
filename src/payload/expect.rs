//! Conditions on a message: `payload == 21.5`, `/temp > 20`, `/state/name == "on"`, `topic contains kitchen`.
//!
//! What is compared is the body as text (`payload`), what a JSON pointer (RFC 6901) finds in it, or a detail of the message
//! ([`fields`]: `topic`, `qos`, `header.NAME`). Where both sides
//! are numbers, numbers are compared, so that `21.50` equals `21.5`; otherwise texts. What is not there, or is no
//! number where one is needed, fulfils nothing but `!=`.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::comparison::Comparison;
use crate::message::Message;
use crate::message::fields::{self, Fields};

/// A condition on a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    words: String,
    subject: Subject,
    comparison: Comparison,
    value: String,
}

/// What of a message is looked at: `payload`, a JSON pointer such as `/temp`, or a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The body as text.
    Payload,
    /// A detail of the message.
    Field(String),
    /// What a JSON pointer finds in the body.
    Pointer(String),
}

impl Subject {
    /// Its value as text, where the message has one; `json` gives the body as JSON where a pointer asks for it.
    pub fn find(&self, message: &Message, json: impl FnOnce() -> Option<Value>) -> Option<String> {
        match self {
            Self::Field(name) => fields::value(message, name),
            Self::Payload => str::from_utf8(&message.payload).ok().map(String::from),
            Self::Pointer(pointer) => json().and_then(|json| json.pointer(pointer).map(text_of)),
        }
    }

    /// Checks that messages of one protocol have it.
    ///
    /// # Errors
    /// The wrong name, and the one that was probably meant.
    pub fn check(&self, fields: &Fields) -> Result<(), String> {
        match self {
            Self::Field(name) => fields::check(fields, name),
            Self::Payload | Self::Pointer(_) => Ok(()),
        }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "payload" => Ok(Self::Payload),
            _ if word.starts_with('/') => Ok(Self::Pointer(word.to_owned())),
            _ => {
                fields::known(word).map_err(|hint| {
                    format!("{word:?} is neither payload, a JSON pointer such as /temp nor a field such as topic{hint}")
                })?;
                Ok(Self::Field(word.to_owned()))
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Payload => "payload",
            Self::Field(name) | Self::Pointer(name) => name,
        })
    }
}

impl Condition {
    /// Whether a message fulfils it; `json` gives the body as JSON where a pointer asks for it.
    pub fn holds(&self, message: &Message, json: impl FnOnce() -> Option<Value>) -> bool {
        match self.subject.find(message, json) {
            Some(found) => holds(self.comparison, &found, &self.value),
            None => self.comparison == Comparison::Unequal,
        }
    }

    /// Checks that messages of one protocol have what is compared.
    ///
    /// # Errors
    /// The wrong name, and the one that was probably meant.
    pub fn check(&self, fields: &Fields) -> Result<(), String> {
        self.subject.check(fields)
    }
}

/// A text without its quotes, anything else as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How a value is compared with another, as text where one of them is no number.
fn holds(comparison: Comparison, found: &str, value: &str) -> bool {
    match (comparison, number(found).zip(number(value))) {
        (Comparison::Contains, _) => found.contains(value),
        (_, Some((found, value))) => comparison.holds(&found, &value),
        (Comparison::Equal, None) => found == value,
        (Comparison::Unequal, None) => found != value,
        (_, None) => false,
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let Some((at, sign, comparison)) = Comparison::find(words) else {
            return Err(format!(
                "{words:?} has none of ==, !=, <, <=, >, >= and contains"
            ));
        };
        let (subject, value) = (words[..at].trim(), words[at + sign.len()..].trim());
        let subject = subject.parse()?;
        let value = unquoted(value)?;
        let ordered = !matches!(
            comparison,
            Comparison::Equal | Comparison::Unequal | Comparison::Contains
        );
        if ordered && number(&value).is_none() {
            return Err(format!("{value:?} is not a number, which {sign} needs"));
        }
        Ok(Self {
            words: words.to_owned(),
            subject,
            comparison,
            value,
        })
    }
}

fn unquoted(value: &str) -> Result<String, String> {
    if value.starts_with('"') {
        return serde_json::from_str(value).map_err(|_| format!("{value} is not a JSON string"));
    }
    Ok(value.to_owned())
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::message::{Detail, MqttDetail};

    fn message(body: &[u8]) -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH,
            topic: "a/b".into(),
            payload: body.to_vec().into(),
            detail: Detail::Mqtt(MqttDetail {
                qos: 1,
                ..MqttDetail::default()
            }),
        }
    }

    #[track_caller]
    fn holds(words: &str, body: &str) -> bool {
        let condition: Condition = words.parse().expect(words);
        assert_eq!(condition.to_string(), words);
        condition.holds(&message(body.as_bytes()), || {
            serde_json::from_str(body).ok()
        })
    }

    #[test]
    fn a_body_is_a_number_or_a_text() {
        for words in [
            "payload == 21.5",
            "payload==21.50",
            "payload >= 21.5",
            "payload < 30",
            "payload != 21",
            "payload contains 1.",
            "payload != on",
        ] {
            assert!(holds(words, "21.5"), "{words}");
        }
        for words in ["payload > 21.5", "payload == \"21\"", "payload <= 21"] {
            assert!(!holds(words, "21.5"), "{words}");
        }
        assert!(holds("payload == on", "on") && !holds("payload == on", "off"));
        assert!(holds("payload == \"a == b\"", "a == b"));
        assert!(holds("topic == a/b", "") && !holds("topic contains x", "x"));
        assert!(holds("payload == \" \"", " ") && holds("payload ==", ""));
        assert!(!holds("payload > 1", "on") && !holds("payload < 1", "NaN"));
    }

    #[test]
    fn a_pointer_finds_what_is_compared() {
        let body = r#"{"temp": 21.5, "a/b": [{"name": "x"}], "on": true, "none": null}"#;
        for words in [
            "/temp > 20",
            "/a~1b/0/name == x",
            "/a~1b/0/name == \"x\"",
            "/on == true",
            "/none == null",
            "/missing != 1",
        ] {
            assert!(holds(words, body), "{words}");
        }
        for words in ["/missing == 1", "/temp == x", "/on > 0", "/a~1b/7 == 1"] {
            assert!(!holds(words, body), "{words}");
        }
        assert!(!holds("/temp > 20", "no JSON"));
    }

    #[test]
    fn bytes_that_are_no_text_fulfil_nothing() {
        let condition: Condition = "payload == x".parse().unwrap();
        assert!(!condition.holds(&message(b"\xff"), || None));
        let condition: Condition = "payload != x".parse().unwrap();
        assert!(condition.holds(&message(b"\xff"), || None));
    }

    #[test]
    fn a_detail_of_the_message_is_compared_and_must_be_one() {
        assert!(holds("qos == 1", "") && holds("retain == false", "") && !holds("qos > 1", ""));
        assert!(holds("content-type != x", "") && !holds("property.a == x", ""));
        let condition: Condition = "redelivered == true".parse().unwrap();
        assert!(condition.check(&fields::AMQP).is_ok());
        assert!(condition.check(&fields::MQTT).is_err());
        let refused = "retian == true".parse::<Condition>().unwrap_err();
        assert!(refused.ends_with("; did you mean retain?"), "{refused}");
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for words in [
            "",
            "payload",
            "payload = 1",
            "temp > 20",
            "payload > warm",
            "payload == \"x",
            "/a >",
        ] {
            assert!(words.parse::<Condition>().is_err(), "{words}");
        }
    }
}
