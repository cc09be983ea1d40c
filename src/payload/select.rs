//! What of a message is shown, by name: a field, the payload, or what a JSON pointer finds in it. `%{…}` in format
//! strings, `--columns` and the names of files share this syntax.
//!
//! Alternatives are separated by `|`: the first that the message has is shown. One in quotation marks is a text, such as
//! `/temp|/temperature|"-"`. A backslash takes the meaning from what follows it. The name of a field may begin with a `$`, as
//! variables do elsewhere. `jq: EXPRESSION` is the last of several, up to a comma outside its parentheses and strings: the first
//! of its outputs is shown. Where topics are matched by patterns, `{device}` and `{1}` are what stands for their wildcards.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};
use std::time::SystemTime;

use serde_json::Value;

use super::captures::{Captures, Pattern};
use super::jq::{Filter, Input};
use super::media;
use super::pointer::{self, Members};
use crate::message::Message;
use crate::message::fields::{self, Fields};

/// Those that are no fields, and what they are, for the help pages.
pub(crate) const OTHERS: [(&str, &str); 5] = [
    (
        "payload",
        "the payload; in columns base64 where it is not UTF-8",
    ),
    (
        "encoding",
        "utf-8 or base64: how the column payload is to be read",
    ),
    ("size", "length of the payload in bytes"),
    (
        "delta",
        "time since the message before, in seconds; nothing for the first",
    ),
    (
        "/temp",
        "a JSON pointer into the payload, which is JSON, CBOR or MessagePack; nothing for null",
    ),
];

/// What an expression of jq begins with.
const JQ: &str = "jq:";

/// One value of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    choices: Vec<Choice>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    Time,
    Topic,
    Payload,
    Encoding,
    /// By the name that was given.
    Size(&'static str),
    Delta,
    Field(String),
    Pointer(String),
    Capture(String),
    Jq(Jq),
    Text(String),
}

/// An expression of jq.
#[derive(Clone)]
struct Jq(Filter);

impl PartialEq for Jq {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl Eq for Jq {}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{JQ} {}", self.0)
    }
}

impl Jq {
    /// Reads one up to `end` outside of its parentheses and strings; whether it was `end`.
    fn read(from: &mut Peekable<Chars<'_>>, end: char) -> Result<(Self, Option<char>), String> {
        let (mut code, mut depth, mut quoted) = (String::new(), 0_usize, false);
        let last = loop {
            let Some(letter) = from.next() else {
                break None;
            };
            match letter {
                _ if letter == end && depth == 0 && !quoted => break Some(letter),
                '"' => quoted = !quoted,
                '\\' if quoted => {
                    code.push(letter);
                    code.extend(from.next());
                    continue;
                }
                '(' | '[' | '{' if !quoted => depth += 1,
                ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            code.push(letter);
        };
        Ok((Self(Filter::compile(code.trim())?), last))
    }

    /// The first output; nothing for none, for `null` and for an error.
    fn find(&self, look: &Look<'_>) -> Option<Found<'static>> {
        let message = look.message;
        let json = look.value.get_or_init(|| {
            media::json_text(message, None).and_then(|it| serde_json::from_slice(&it).ok())
        });
        let input = Input {
            message,
            captures: look.captures.as_ref(),
            now: Some(message.time),
        };
        let output = self.0.map(input, json.as_ref()).ok()?.into_iter().next()?;
        let text = String::from_utf8(output).ok()?;
        Some(match &*text {
            "null" => return None,
            "true" | "false" => Found::Bool(text == "true"),
            _ if serde_json::from_str::<serde_json::Number>(&text).is_ok() => {
                Found::Number(text.into())
            }
            _ => Found::Text(text.into()),
        })
    }
}

/// A message that is looked into for several values, and read once for all of them.
pub struct Look<'a> {
    message: &'a Message,
    /// No message came before it.
    first: bool,
    /// What stands for the wildcards of its topic.
    captures: Option<Captures<'a>>,
    /// The members of a payload that is a JSON object.
    members: OnceCell<Option<Members<'a>>>,
    /// The payload as jq has it.
    value: OnceCell<Option<Value>>,
}

impl<'a> Look<'a> {
    /// At a message, whose topic is matched by the first of `patterns` that does; `first`: no message came before it.
    pub fn at(message: &'a Message, first: bool, patterns: &'a [Pattern]) -> Self {
        let mut patterns = patterns.iter();
        Self {
            message,
            first,
            captures: patterns.find_map(|it| it.matches(&message.topic)),
            members: OnceCell::new(),
            value: OnceCell::new(),
        }
    }

    /// What a pointer finds in the payload; `null` is nothing.
    fn pointed(&self, pointer: &str) -> Option<Found<'a>> {
        let json = media::json_text(self.message, None)?;
        let value: Cow<'a, str> = match json {
            Cow::Borrowed(json) => match self.members.get_or_init(|| Members::of(json)) {
                Some(members) => members.find(pointer)?.into(),
                None => pointer::find(json, pointer)?.into(),
            },
            Cow::Owned(json) => String::from(pointer::find(&json, pointer)?).into(),
        };
        match value.as_bytes().first()? {
            b'n' => None,
            // Half a character (`"\ud800"`) stays as it is spelled.
            b'"' => Some(Found::Text(
                serde_json::from_str(&value).map_or(value, |text: String| text.into()),
            )),
            b'-' | b'0'..=b'9' => Some(Found::Number(value)),
            b't' => Some(Found::Bool(true)),
            b'f' => Some(Found::Bool(false)),
            _ => Some(Found::Text(value)),
        }
    }
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A payload.
    Bytes(&'a [u8]),
    /// Text.
    Text(Cow<'a, str>),
    /// What stands there instead of what is missing.
    Instead(&'a str),
    /// A number, as it is spelled.
    Number(Cow<'a, str>),
    /// `true` or `false`.
    Bool(bool),
    /// When the message was received.
    Time(SystemTime),
    /// How long after the message before.
    Delta,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands in the header.
    pub name: String,
    /// What stands in its cells.
    pub selector: Selector,
}

impl Selector {
    /// Reads one up to `end`, which is taken, or the end of the text; whether it was `end`.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub(crate) fn read(from: &mut Peekable<Chars<'_>>, end: char) -> Result<(Self, bool), String> {
        let mut choices = Vec::new();
        loop {
            let (choice, last) = Choice::read(from, end)?;
            choices.push(choice);
            if last != Some('|') {
                return Ok((Self { choices }, last.is_some()));
            }
        }
    }

    /// Checks that messages of one protocol have its fields.
    ///
    /// # Errors
    /// The wrong name, and the one that was probably meant.
    pub fn check(&self, fields: &Fields) -> Result<(), String> {
        self.choices.iter().try_for_each(|choice| match choice {
            Choice::Field(name) => fields::check(fields, name),
            Choice::Capture(name) => Err(format!("{{{name}}} needs a pattern of topics")),
            _ => Ok(()),
        })
    }

    /// Checks that each of `patterns` has the wildcards that are named, and that there is one.
    ///
    /// # Errors
    /// The pattern without such a wildcard.
    pub fn check_captures(&self, patterns: &[Pattern]) -> Result<(), String> {
        self.choices.iter().try_for_each(|choice| {
            let Choice::Capture(name) = choice else {
                return Ok(());
            };
            match patterns.iter().find(|it| !it.has(name)) {
                Some(pattern) => Err(format!("{{{name}}} is not in {pattern}")),
                None if patterns.is_empty() => Err(format!("{{{name}}} needs a pattern of topics")),
                None => Ok(()),
            }
        })
    }

    /// The pointers among the alternatives.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().filter_map(|choice| match choice {
            Choice::Pointer(pointer) => Some(&**pointer),
            _ => None,
        })
    }

    /// A fixed text.
    pub fn text(text: &str) -> Self {
        Self {
            choices: vec![Choice::Text(text.to_owned())],
        }
    }

    /// Whether the payload is looked into.
    pub fn has_pointer(&self) -> bool {
        let mut choices = self.choices.iter();
        choices.any(|choice| matches!(choice, Choice::Pointer(_)))
    }

    /// Whether what is found is the topic, with its levels.
    pub(crate) fn is_topic(&self) -> bool {
        self.choices == [Choice::Topic]
    }

    /// The first of the alternatives that the message has; `first`: no message came before it.
    pub fn find<'a>(&'a self, message: &'a Message, first: bool) -> Option<Found<'a>> {
        self.find_in(&Look::at(message, first, &[]))
    }

    /// The first of the alternatives that a message has which is looked into for others, too.
    pub fn find_in<'a, 'm: 'a>(&'a self, look: &Look<'m>) -> Option<Found<'a>> {
        self.choices.iter().find_map(|choice| choice.find(look))
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // No text holds this one.
        Self::read(&mut text.chars().peekable(), '\0').map(|(selector, _)| selector)
    }
}

impl Choice {
    /// One alternative, and what ended it.
    fn read(from: &mut Peekable<Chars<'_>>, end: char) -> Result<(Self, Option<char>), String> {
        if from.clone().take(JQ.len()).eq(JQ.chars()) {
            from.nth(JQ.len() - 1);
            return Jq::read(from, end).map(|(jq, last)| (Self::Jq(jq), last));
        }
        let quoted = from.next_if_eq(&'"').is_some();
        let mut text = String::new();
        let last = loop {
            match from.next() {
                None if quoted => return Err(format!("\"{text} has no closing quotation mark")),
                Some('"') if quoted => match from.next() {
                    Some(other) if other != end && other != '|' => {
                        return Err(format!("{other:?} follows the text \"{text}\""));
                    }
                    last => break last,
                },
                Some('\\') => text.extend(from.next()),
                Some(last) if !quoted && (last == end || last == '|') => break Some(last),
                None => break None,
                Some(letter) => text.push(letter),
            }
        };
        match quoted {
            true => Ok((Self::Text(text), last)),
            false => Self::named(&text).map(|choice| (choice, last)),
        }
    }

    fn named(text: &str) -> Result<Self, String> {
        let capture = |text: &str| Some(text.strip_prefix('{')?.strip_suffix('}')?.to_owned());
        if let Some(name) = capture(text.trim()) {
            return Ok(Self::Capture(name));
        }
        let name = text.trim();
        Ok(match name.strip_prefix('$').unwrap_or(name) {
            "time" => Self::Time,
            "topic" => Self::Topic,
            "payload" => Self::Payload,
            "encoding" => Self::Encoding,
            "size" => Self::Size("size"),
            // What it was called once.
            "length" => Self::Size("length"),
            "delta" => Self::Delta,
            "" => return Err(String::from("a name is missing")),
            _ if text.starts_with('/') => Self::Pointer(text.to_owned()),
            name => {
                fields::known(name).map_err(|hint| {
                    format!("{name:?} is neither payload, a JSON pointer such as /temp nor a field such as topic{hint}")
                })?;
                Self::Field(name.to_owned())
            }
        })
    }

    /// What stands in a header.
    fn name(&self) -> &str {
        match self {
            Self::Time => "time",
            Self::Topic => "topic",
            Self::Payload => "payload",
            Self::Encoding => "encoding",
            Self::Size(name) => name,
            Self::Delta => "delta",
            Self::Field(name) => name,
            Self::Pointer(pointer) => &pointer[1..],
            Self::Capture(text) | Self::Text(text) => text,
            Self::Jq(_) => "jq",
        }
    }

    fn find<'a, 'm: 'a>(&'a self, look: &Look<'m>) -> Option<Found<'a>> {
        let message = look.message;
        let text = |text: &'a str| Some(Found::Text(Cow::Borrowed(text)));
        match self {
            Self::Time => Some(Found::Time(message.time)),
            Self::Topic => text(&message.topic),
            Self::Payload => Some(Found::Bytes(&message.payload)),
            Self::Encoding if str::from_utf8(&message.payload).is_ok() => text("utf-8"),
            Self::Encoding => text("base64"),
            Self::Size(_) => Some(Found::Number(message.payload.len().to_string().into())),
            Self::Delta => (!look.first).then_some(Found::Delta),
            Self::Field(name) => fields::value(message, name).map(|it| Found::Text(it.into())),
            Self::Pointer(pointer) => look.pointed(pointer),
            Self::Capture(name) => {
                let found = look.captures.as_ref()?.get(name);
                found.map(|it| Found::Text(it.into()))
            }
            Self::Jq(jq) => jq.find(look),
            Self::Text(words) => Some(Found::Instead(words)),
        }
    }
}

impl Column {
    /// Reads a list such as `time,topic,temperature=/temp`.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        let mut rest = text.chars().peekable();
        let mut columns: Vec<Self> = Vec::new();
        loop {
            let given = Self::name(&mut rest)?;
            let before = rest.clone();
            let (selector, more) = Selector::read(&mut rest, ',')?;
            let name = given.unwrap_or_else(|| match selector.choices.first() {
                Some(Choice::Text(_)) | None => before.collect(),
                Some(choice) => choice.name().to_owned(),
            });
            if columns.iter().any(|column| column.name == name) {
                return Err(format!("{name:?} stands twice; name a column by NAME=…"));
            }
            columns.push(Self { name, selector });
            if !more {
                return Ok(columns);
            }
        }
    }

    /// The name before `=`, if there is one.
    fn name(rest: &mut Peekable<Chars<'_>>) -> Result<Option<String>, String> {
        let mut ahead = rest.clone();
        let plain = |letter: &char| !matches!(letter, '=' | ',' | '|' | '/' | '"' | '\\');
        let mut name = String::new();
        while let Some(letter) = ahead.next_if(plain) {
            name.push(letter);
        }
        if ahead.next() != Some('=') {
            return Ok(None);
        }
        if name.trim().is_empty() {
            return Err(String::from("there is no name before ="));
        }
        *rest = ahead;
        Ok(Some(name))
    }

    /// Those of a table of which nothing was said, where messages have these fields.
    pub fn usual(fields: &Fields) -> Vec<Self> {
        let column = |choice: Choice, other: Option<&str>| Self {
            name: choice.name().to_owned(),
            selector: Selector {
                choices: [choice]
                    .into_iter()
                    .chain(other.map(|text| Choice::Text(text.to_owned())))
                    .collect(),
            },
        };
        let all = [
            Choice::Time,
            Choice::Topic,
            Choice::Payload,
            Choice::Encoding,
        ];
        let all = all.into_iter().map(|choice| column(choice, None));
        let own = fields.columns.iter();
        let own = own.map(|(name, other)| column(Choice::Field((*name).to_owned()), *other));
        all.chain(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Detail, MqttDetail};

    fn message(payload: &'static [u8]) -> Message {
        Message {
            topic: "a/b".into(),
            payload: payload.into(),
            detail: Detail::Mqtt(MqttDetail::default()),
            ..Message::default()
        }
    }

    fn found(words: &str, payload: &'static [u8]) -> Option<String> {
        let (selector, message) = (words.parse::<Selector>().unwrap(), message(payload));
        Some(match selector.find(&message, false)? {
            Found::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Found::Text(text) => format!("{text}"),
            Found::Instead(text) => text.to_owned(),
            Found::Number(text) => format!("number {text}"),
            Found::Bool(value) => value.to_string(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn the_first_alternative_that_is_there_is_found() {
        let json =
            br#"{"t":21.50,"s":"x \"y\"","n":null,"o":{"a":[1]},"b":true,"p|q":1,"half":"\ud800"}"#;
        for (words, value) in [
            ("topic", Some("a/b")),
            ("qos", Some("0")),
            ("size", Some("number 81")),
            ("length", Some("number 81")),
            ("encoding", Some("utf-8")),
            ("delta", Some("Delta")),
            ("/t", Some("number 21.50")),
            ("/s", Some("x \"y\"")),
            ("/o", Some("{\"a\":[1]}")),
            ("/b", Some("true")),
            ("/n", None),
            ("/x|/y", None),
            ("/x|/n|/o/a/0", Some("number 1")),
            ("content-type|\"none, or\\\"so\"", Some("none, or\"so")),
            ("/p\\|q", Some("number 1")),
            ("/half", Some("\"\\ud800\"")),
            ("property.a|/t", Some("number 21.50")),
            ("{1}|$topic", Some("a/b")),
        ] {
            assert_eq!(found(words, json).as_deref(), value, "{words}");
        }
        assert_eq!(found("encoding", b"\xff").as_deref(), Some("base64"));
        assert_eq!(found("/t", b"no JSON"), None);
    }

    #[test]
    fn what_stands_for_a_wildcard_is_found() {
        let pattern: Pattern = "{room}/+".parse().unwrap();
        let message = message(b"");
        let patterns = [pattern.clone()];
        let look = Look::at(&message, true, &patterns);
        for (words, value) in [("{room}", "a"), ("{2}", "b"), ("{3}|{1}", "a")] {
            let selector: Selector = words.parse().unwrap();
            let found = selector.find_in(&look);
            assert_eq!(found, Some(Found::Text(value.into())), "{words}");
        }
        let check = |words: &str, patterns: &[Pattern]| {
            let selector: Selector = words.parse().unwrap();
            selector.check_captures(patterns)
        };
        let patterns = [pattern, "#".parse().unwrap()];
        assert_eq!(check("{1}", &patterns), Ok(()));
        assert_eq!(check("{2}", &patterns), Err("{2} is not in #".into()));
        assert_eq!(
            check("{1}", &[]),
            Err("{1} needs a pattern of topics".into())
        );
    }

    #[cfg(feature = "jq")]
    #[test]
    fn an_expression_may_have_commas_and_pipes() {
        let columns = Column::list(
            r#"a=/x|jq: [.t, (.u | tostring)] | join(",") ,b=jq: .t * 2,s=jq: "a,\"b",topic"#,
        );
        let columns = columns.unwrap();
        let message = message(br#"{"t":1.5,"u":2}"#);
        let found: Vec<_> = columns
            .iter()
            .map(|it| it.selector.find(&message, true).unwrap())
            .collect();
        let text = |text: &'static str| Found::Text(text.into());
        assert_eq!(
            found,
            [
                text("1.5,2"),
                Found::Number("3.0".into()),
                text("a,\"b"),
                text("a/b")
            ]
        );
        let missing: Selector = "jq: .x".parse().unwrap();
        assert_eq!(missing.find(&message, true), None);
        assert!("jq: .[".parse::<Selector>().is_err());
    }

    #[test]
    fn columns_have_names() {
        let columns = Column::list(
            "$time,/a/b,t=/temp|/temperature,c=\"x,y\",property.k,{room},r={1},size,length",
        )
        .unwrap();
        let names: Vec<&str> = columns.iter().map(|it| &*it.name).collect();
        assert_eq!(
            names,
            [
                "time",
                "a/b",
                "t",
                "c",
                "property.k",
                "room",
                "r",
                "size",
                "length"
            ]
        );
        assert!(columns[1].selector.has_pointer() && !columns[0].selector.has_pointer());
        assert!(columns[4].selector.check(&fields::MQTT).is_ok());
        assert!(columns[4].selector.check(&fields::AMQP).is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (words, why) in [
            ("", "a name is missing"),
            ("time,", "a name is missing"),
            ("time,,topic", "a name is missing"),
            ("=time", "there is no name before ="),
            (
                "time,time",
                "\"time\" stands twice; name a column by NAME=…",
            ),
            ("\"x", "\"x has no closing quotation mark"),
            ("\"x\"y", "'y' follows the text \"x\""),
            (
                "retian",
                "\"retian\" is neither payload, a JSON pointer such as /temp nor a field such as topic; did you mean retain?",
            ),
        ] {
            assert_eq!(Column::list(words), Err(why.into()), "{words}");
        }
    }

    #[test]
    fn a_table_has_the_columns_of_its_protocol() {
        let names = |fields| {
            let columns = Column::usual(fields).into_iter();
            columns.map(|it| it.name).collect::<Vec<_>>().join(",")
        };
        let shared = "time,topic,payload,encoding";
        assert_eq!(names(&fields::MQTT), format!("{shared},qos,retain"));
        assert_eq!(names(&fields::ANY), format!("{shared},qos,retain"));
        assert_eq!(
            names(&fields::AMQP),
            format!("{shared},exchange,redelivered")
        );
        assert_eq!(names(&fields::COAP), format!("{shared},code"));
    }
}
