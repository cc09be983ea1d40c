//! Conditions on a message: `payload == 21.5`, `/temp > 20`, `/state/name == "on" and not topic contains test`, and
//! `jq: .temp > 20`.
//!
//! ```text
//! condition  = clause *( "or" clause )            ; or "jq:" and an expression of jq
//! clause     = term *( "and" term )
//! term       = "not" term / "(" condition ")" / comparison
//!            / "exists(" subject ")" / "changed(" subject ")"
//! comparison = subject ( "==" / "!=" / "<" / "<=" / ">" / ">=" / "contains" ) value
//! ```
//!
//! | subject | what it is |
//! |---|---|
//! | `payload` | the body as text |
//! | `/POINTER` | what a JSON pointer (RFC 6901) finds in the body |
//! | `{NAME}`, `{1}` | what stands for a wildcard of the topic filter, by name or number |
//! | `size` | the length of the body in bytes |
//! | `age` | seconds since the message was sent, where it says when (AMQP timestamp), else since it was received or recorded |
//! | `topic`, `qos`, `header.NAME` … | a detail of the message ([`fields`]) |
//!
//! Where both sides are numbers, numbers are compared, so that `21.50` equals `21.5`; otherwise texts. What is not there, or is
//! no number where one is needed, fulfils nothing but `!=`. A value is a JSON string or the text up to the next `and`, `or` or
//! closing parenthesis that is not in quotes. `exists` is true of `null` too. `changed` compares with the message of the same
//! topic that came before, whether that was let through or not; the first one has changed.

mod changes;
mod failure;
mod parse;

use std::cell::LazyCell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::captures::Captures;
use super::comparison::Comparison;
use super::jq::{Filter, Input};
use crate::message::fields::{self, Fields};
use crate::message::{Detail, Message, UNTIMED};

pub use changes::Changes;
use failure::Failure;
pub(crate) use parse::JQ;

/// A condition on a message.
#[derive(Clone, Debug)]
pub struct Condition {
    words: String,
    form: Form,
}

/// A condition with one comparison is the usual one: nothing is allocated or cached for it.
#[derive(Clone, Debug)]
enum Form {
    One(Test),
    Tree(Box<Node>),
    /// Behind `jq:`.
    Jq(Filter, Arc<Failure>),
}

/// One comparison.
#[derive(Clone, Debug)]
struct Test {
    subject: Subject,
    comparison: Comparison,
    value: String,
}

#[derive(Clone, Debug)]
enum Node {
    Test(Test),
    Exists(Subject),
    Changed(Subject),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// What of a message is looked at: `payload`, a JSON pointer such as `/temp`, or a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The body as text.
    Payload,
    /// The length of the body.
    Size,
    /// How old the message is.
    Age,
    /// A detail of the message.
    Field(String),
    /// What a JSON pointer finds in the body.
    Pointer(String),
    /// What stands for a wildcard of the topic filter; its name or number.
    Capture(String),
}

/// What a condition may look at besides the message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// What stands for the wildcards of the filter that the topic matches.
    pub captures: Option<&'a Captures<'a>>,
    /// The time; without it no message has an age.
    pub now: Option<SystemTime>,
    /// What has changed, as of this message; without it everything has.
    pub changes: Option<&'a Changes>,
    /// How long the body was, where only its beginning is there.
    pub size: Option<usize>,
}

impl Subject {
    /// Its value as text, where the message has one; `json` gives the body as JSON where a pointer asks for it.
    pub fn find(&self, message: &Message, json: impl FnOnce() -> Option<Value>) -> Option<String> {
        let pointed = |pointer: &str| json().and_then(|json| json.pointer(pointer).map(text_of));
        self.find_in(message, &Scope::default(), pointed)
    }

    fn find_in(
        &self,
        message: &Message,
        scope: &Scope<'_>,
        pointed: impl FnOnce(&str) -> Option<String>,
    ) -> Option<String> {
        match self {
            Self::Field(name) => fields::value(message, name),
            Self::Payload => str::from_utf8(&message.payload).ok().map(String::from),
            Self::Size => Some(scope.size.unwrap_or(message.payload.len()).to_string()),
            Self::Age => age(message, scope.now?).map(|age| age.to_string()),
            Self::Capture(key) => scope.captures?.get(key).map(String::from),
            Self::Pointer(pointer) => pointed(pointer),
        }
    }

    /// Checks that messages of one protocol have it, whatever else is known.
    ///
    /// # Errors
    /// The wrong name, and the one that was probably meant.
    pub fn check(&self, fields: &Fields) -> Result<(), String> {
        match self {
            Self::Age => Err(String::from("age is for conditions only")),
            _ => self.check_in(fields, &|_| false),
        }
    }

    fn check_in(&self, fields: &Fields, is_capture: &dyn Fn(&str) -> bool) -> Result<(), String> {
        match self {
            Self::Field(name) => fields::check(fields, name),
            Self::Capture(key) if !is_capture(key) => {
                Err(format!("{{{key}}} is not a wildcard of the topic filter"))
            }
            _ => Ok(()),
        }
    }
}

/// In seconds; 0 for one that comes from the future, as clocks differ.
fn age(message: &Message, now: SystemTime) -> Option<f64> {
    let sent = match &message.detail {
        Detail::Amqp(amqp) => amqp.properties.timestamp,
        _ => None,
    };
    let since = |time| {
        let age = now.duration_since(time);
        age.map_or(0.0, |age| age.as_secs_f64())
    };
    match sent {
        Some(sent) => {
            let now = since(UNTIMED);
            // Seconds since 1970 need no more than 53 bits.
            Some((now - sent as f64).max(0.0))
        }
        None if message.time == UNTIMED => None,
        None => Some(since(message.time)),
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let capture = word.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        match word {
            "payload" => Ok(Self::Payload),
            // The second is what columns called it once.
            "size" | "length" => Ok(Self::Size),
            "age" => Ok(Self::Age),
            _ if word.starts_with('/') => Ok(Self::Pointer(word.to_owned())),
            _ if capture.is_some_and(|key| !key.is_empty()) => {
                Ok(Self::Capture(capture.unwrap_or_default().to_owned()))
            }
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
            Self::Size => "size",
            Self::Age => "age",
            Self::Capture(key) => return write!(f, "{{{key}}}"),
            Self::Field(name) | Self::Pointer(name) => name,
        })
    }
}

impl Condition {
    /// Whether a message fulfils it, about which nothing else is known; `json` gives the body as JSON where it is asked for.
    pub fn holds(&self, message: &Message, json: impl FnOnce() -> Option<Value>) -> bool {
        self.holds_in(message, &Scope::default(), json)
    }

    /// Whether a message fulfils it; `json` gives the body as JSON where it is asked for.
    pub fn holds_in(
        &self,
        message: &Message,
        scope: &Scope<'_>,
        json: impl FnOnce() -> Option<Value>,
    ) -> bool {
        self.judge(message, scope, json).unwrap_or(false)
    }

    /// The same; `None`: the expression fails on the message, see [`Condition::failure`].
    pub fn judge(
        &self,
        message: &Message,
        scope: &Scope<'_>,
        json: impl FnOnce() -> Option<Value>,
    ) -> Option<bool> {
        Some(match &self.form {
            Form::One(test) => test.holds(message, scope, |pointer| {
                json().and_then(|json| json.pointer(pointer).map(text_of))
            }),
            Form::Tree(node) => {
                let json = LazyCell::new(json);
                let pointed = |pointer: &str| json.as_ref()?.pointer(pointer).map(text_of);
                node.holds(message, scope, &pointed)
            }
            Form::Jq(filter, failure) => {
                let input = Input {
                    message,
                    captures: scope.captures,
                    now: scope.now,
                };
                let held = filter.holds(input, json().as_ref());
                let kept = |why: &String| failure.keep(&message.topic, why);
                return held.inspect_err(kept).ok();
            }
        })
    }

    /// Where its expression failed on a message, which so did not meet it, what is to be said of the first; once.
    pub fn failure(&self) -> Option<String> {
        let Form::Jq(_, failure) = &self.form else {
            return None;
        };
        let why = failure.take()?;
        Some(format!("{self} fails: {why}"))
    }

    /// Checks that messages of one protocol have what is compared.
    ///
    /// # Errors
    /// The wrong name, and the one that was probably meant.
    pub fn check(&self, fields: &Fields) -> Result<(), String> {
        self.check_in(fields, |_| false)
    }

    /// The same where the topic filter has wildcards; `is_capture` knows their names and numbers.
    ///
    /// # Errors
    /// Those of [`Condition::check`]; a wildcard that is not there.
    pub fn check_in(
        &self,
        fields: &Fields,
        is_capture: impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        let mut checked = Ok(());
        self.each_subject(&mut |subject, _| {
            if checked.is_ok() {
                checked = subject.check_in(fields, &is_capture);
            }
        });
        checked
    }

    /// The first subject that is not known, and whether it is one of `changed`; `is_known` is asked the same of each.
    pub fn unknown(&self, is_known: impl Fn(&Subject, bool) -> bool) -> Option<(&Subject, bool)> {
        let mut unknown = None;
        self.each_subject(&mut |subject, changed| {
            if unknown.is_none() && !is_known(subject, changed) {
                unknown = Some((subject, changed));
            }
        });
        unknown
    }

    /// Whether it asks what time it is.
    pub fn asks_time(&self) -> bool {
        let mut asks = matches!(self.form, Form::Jq(..));
        self.each_subject(&mut |subject, _| asks |= *subject == Subject::Age);
        asks
    }

    /// Whether it may ask what stands for wildcards of the topic filter.
    pub fn asks_captures(&self) -> bool {
        let mut asks = matches!(self.form, Form::Jq(..));
        self.each_subject(&mut |subject, _| asks |= matches!(subject, Subject::Capture(_)));
        asks
    }

    /// Calls `see` with each subject, and whether it is one of `changed`.
    fn each_subject<'a>(&'a self, see: &mut impl FnMut(&'a Subject, bool)) {
        match &self.form {
            Form::One(test) => see(&test.subject, false),
            Form::Tree(node) => node.each_subject(see),
            Form::Jq(..) => {}
        }
    }
}

impl Test {
    fn holds(
        &self,
        message: &Message,
        scope: &Scope<'_>,
        pointed: impl FnOnce(&str) -> Option<String>,
    ) -> bool {
        match self.subject.find_in(message, scope, pointed) {
            Some(found) => holds(self.comparison, &found, &self.value),
            None => self.comparison == Comparison::Unequal,
        }
    }
}

impl Node {
    fn holds(
        &self,
        message: &Message,
        scope: &Scope<'_>,
        pointed: &dyn Fn(&str) -> Option<String>,
    ) -> bool {
        let holds = |node: &Self| node.holds(message, scope, pointed);
        match self {
            Self::Test(test) => test.holds(message, scope, pointed),
            Self::Exists(subject) => subject.find_in(message, scope, pointed).is_some(),
            Self::Changed(subject) => scope.changes.is_none_or(|it| it.have(subject)),
            Self::Not(node) => !holds(node),
            Self::All(nodes) => nodes.iter().all(holds),
            Self::Any(nodes) => nodes.iter().any(holds),
        }
    }

    fn each_subject<'a>(&'a self, see: &mut impl FnMut(&'a Subject, bool)) {
        match self {
            Self::Test(test) => see(&test.subject, false),
            Self::Exists(subject) => see(subject, false),
            Self::Changed(subject) => see(subject, true),
            Self::Not(node) => node.each_subject(see),
            Self::All(nodes) | Self::Any(nodes) => {
                nodes.iter().for_each(|node| node.each_subject(see));
            }
        }
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
        Ok(Self {
            words: words.to_owned(),
            form: parse::form(words)?,
        })
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

#[cfg(test)]
mod tests;
