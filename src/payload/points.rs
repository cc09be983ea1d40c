//! Messages as points of a time series, in InfluxDB's line protocol: `weather,site=a t=21.5,ok=t 1795208400000000000`.
//!
//! Numbers are floats unless a field is said to be whole: the first value of a field fixes its type, and a sensor that sends
//! `21` now and `21.5` later would be refused from then on.
//!
//! A backslash at the end of a name or a tag would take the meaning from what separates it from the next, and has no escape: it is
//! left out. What cannot be written at all, such as a field without a name, is left out and counted.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::IgnoredAny;

use super::captures::Pattern;
use super::layout::values;
use super::media;
use super::select::{Found, Look, Selector};
use crate::message::Message;

/// The field of a body that is one value.
const VALUE: &str = "value";

/// What of a message makes a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Points {
    /// What is measured.
    pub measurement: Selector,
    /// By what points are told apart, by name.
    pub tags: Vec<(String, Selector)>,
    /// What is stored, by name; without any, all values of a payload that is JSON, or the payload as `value`.
    pub fields: Vec<(String, Selector)>,
    /// The names of fields that are whole numbers.
    pub whole: Vec<String>,
    /// What topics are matched by, for what stands for wildcards.
    pub patterns: Vec<Pattern>,
}

/// What a field is counted as that has no name.
const NAMELESS: &str = "a name of a field";

/// What a message is counted as whose time is not between the years 1677 and 2262.
const NO_TIME: &str = "a time that InfluxDB knows";

/// How many messages had nothing for what was asked for, by its name.
pub(crate) type Missing = BTreeMap<String, u64>;

impl Points {
    /// Appends the line of a message, with its line feed; nothing for one without a field or a measurement.
    pub fn push(&self, message: &Message, missing: &mut Missing, into: &mut Vec<u8>) {
        let mut count = |what: &str| *missing.entry(what.to_owned()).or_default() += 1;
        let look = Look::at(message, true, &self.patterns);
        let find = |selector: &Selector| text(&selector.find_in(&look)?, message.time);
        let start = into.len();
        let Some(time) = nanoseconds(message.time) else {
            return count(NO_TIME);
        };
        // A line that begins with # is a comment.
        let measurement = find(&self.measurement).filter(|name| !name.starts_with('#'));
        if !measurement.is_some_and(|name| push_escaped(&name, b", ", into)) {
            return count("a measurement");
        }
        self.push_tags(find, &mut count, into);
        let mut separator = b' ';
        let mut field = |name: &str, found: Option<Found<'_>>, into: &mut Vec<u8>| {
            let before = into.len();
            into.push(separator);
            if !push_pair(name, into) {
                into.truncate(before);
                count(NAMELESS);
                return separator == b',';
            }
            let whole = self.whole.iter().any(|it| it == name);
            match found.is_some_and(|it| push_value(&it, whole, message.time, into)) {
                true => separator = b',',
                false => {
                    into.truncate(before);
                    count(name);
                }
            }
            separator == b','
        };
        let mut any = false;
        for (name, selector) in &self.fields {
            any = field(name, selector.find_in(&look), into);
        }
        if self.fields.is_empty() {
            for (name, found) in self.usual(message) {
                any |= field(&name, Some(found), into);
            }
        }
        if !any {
            into.truncate(start);
            return count("a field");
        }
        into.extend_from_slice(format!(" {time}\n").as_bytes());
    }

    fn push_tags(
        &self,
        find: impl Fn(&Selector) -> Option<String>,
        mut count: impl FnMut(&str),
        into: &mut Vec<u8>,
    ) {
        for (name, selector) in &self.tags {
            let before = into.len();
            into.push(b',');
            let value = find(selector);
            let whole = push_pair(name, into)
                && value.is_some_and(|value| push_escaped(&value, b",= ", into));
            if !whole {
                into.truncate(before);
                count(name);
            }
        }
    }

    /// All values, but for those that tags are made of.
    fn usual<'a>(&self, message: &'a Message) -> Vec<(String, Found<'a>)> {
        let found = values(message);
        let json = message.payload.trim_ascii_start().starts_with(b"{")
            && media::json_text(message, None)
                .is_some_and(|it| serde_json::from_slice::<IgnoredAny>(&it).is_ok());
        if found.is_empty() && !json {
            return vec![(String::from(VALUE), Found::Bytes(&message.payload))];
        }
        let last = message.topic.rsplit('/').next().unwrap_or_default();
        let is_scalar = !message.payload.trim_ascii_start().starts_with(b"{")
            && matches!(&*found, [(name, _)] if name == last);
        let named = |(name, found): (String, Found<'static>)| match is_scalar {
            true => (String::from(VALUE), found),
            false => (name, found),
        };
        let used: Vec<&str> = self
            .tags
            .iter()
            .map(|(_, selector)| selector)
            .chain([&self.measurement])
            .flat_map(Selector::pointers)
            .collect();
        let found = found.into_iter().map(named);
        found
            .filter(|(name, _)| !used.iter().any(|it| it[1..] == *name))
            .collect()
    }
}

/// A value as text, for names and tags; `None`: a time that cannot be told.
fn text(found: &Found<'_>, time: SystemTime) -> Option<String> {
    Some(match found {
        Found::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Found::Text(text) | Found::Number(text) => text.to_string(),
        Found::Instead(text) => (*text).to_owned(),
        Found::Bool(value) => value.to_string(),
        Found::Time(_) | Found::Delta => nanoseconds(time)?.to_string(),
    })
}

/// Appends a name and what separates it from its value; false for one that nothing is left of.
fn push_pair(name: &str, into: &mut Vec<u8>) -> bool {
    let named = push_escaped(name, b",= ", into);
    into.push(b'=');
    named
}

/// Appends a name or the value of a tag; a line feed, which has no escape there, becomes `\n`. False for one that nothing is left
/// of.
fn push_escaped(text: &str, special: &[u8], into: &mut Vec<u8>) -> bool {
    let text = text.trim_end_matches('\\');
    for byte in text.bytes() {
        match byte {
            b'\n' => into.extend_from_slice(b"\\n"),
            byte => {
                if special.contains(&byte) {
                    into.push(b'\\');
                }
                into.push(byte);
            }
        }
    }
    !text.is_empty()
}

/// Appends the value of a field; false for one that cannot be stored: NaN, an infinity, a fraction where it is to be whole.
fn push_value(found: &Found<'_>, whole: bool, time: SystemTime, into: &mut Vec<u8>) -> bool {
    match found {
        Found::Number(digits) => push_number(digits, whole, into).unwrap_or(false),
        Found::Bool(value) => {
            into.push(if *value { b't' } else { b'f' });
            true
        }
        Found::Bytes(bytes) => match str::from_utf8(bytes) {
            Ok(text) => {
                push_number(text.trim(), whole, into).unwrap_or_else(|| push_text(text, into))
            }
            Err(_) => push_text(&data_encoding::BASE64.encode(bytes), into),
        },
        Found::Text(text) => push_text(text, into),
        Found::Instead(text) => {
            push_number(text, whole, into).unwrap_or_else(|| push_text(text, into))
        }
        Found::Time(_) | Found::Delta => {
            nanoseconds(time).is_some_and(|time| push_text(&time.to_string(), into))
        }
    }
}

/// Appends a number; `None`: it is none.
fn push_number(digits: &str, whole: bool, into: &mut Vec<u8>) -> Option<bool> {
    let number: f64 = digits.parse().ok()?;
    if !number.is_finite() {
        return Some(false);
    }
    if !whole {
        // A sign before it is no part of JSON, and not of every reader.
        into.extend_from_slice(digits.trim_start_matches('+').as_bytes());
        return Some(true);
    }
    let exact = digits.parse::<i64>().ok();
    let exact = exact.or_else(|| {
        let fits = number.fract() == 0.0 && number.abs() < 9e15;
        fits.then_some(number as i64)
    });
    Some(exact.is_some_and(|exact| {
        into.extend_from_slice(format!("{exact}i").as_bytes());
        true
    }))
}

fn push_text(text: &str, into: &mut Vec<u8>) -> bool {
    into.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            into.push(b'\\');
        }
        into.push(byte);
    }
    into.push(b'"');
    true
}

/// Since 1970, as far as InfluxDB knows times.
fn nanoseconds(time: SystemTime) -> Option<i64> {
    let time = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).ok()?,
        Err(before) => -i64::try_from(before.duration().as_nanos()).ok()?,
    };
    // The ends of the range mean that there is no time.
    (i64::MIN + 2..i64::MAX).contains(&time).then_some(time)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn points_of(measurement: &str, tags: &[(&str, &str)], fields: &[(&str, &str)]) -> Points {
        let named = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, words)| ((*name).to_owned(), words.parse().unwrap()))
                .collect()
        };
        Points {
            measurement: measurement.parse().unwrap(),
            tags: named(tags),
            fields: named(fields),
            whole: vec![String::from("n")],
            patterns: vec!["sensors/{device}/+".parse().unwrap()],
        }
    }

    fn line(points: &Points, topic: &'static str, payload: &'static str) -> (String, String) {
        let message = Message {
            time: UNIX_EPOCH + Duration::from_nanos(5),
            topic: topic.into(),
            payload: payload.into(),
            ..Message::default()
        };
        let (mut missing, mut line) = (Missing::new(), Vec::new());
        points.push(&message, &mut missing, &mut line);
        let missing: Vec<_> = missing.into_keys().collect();
        (String::from_utf8(line).unwrap(), missing.join(" "))
    }

    #[test]
    fn numbers_are_floats_unless_they_are_said_to_be_whole() {
        let points = points_of("\"w\"", &[], &[]);
        for (payload, expected, missing) in [
            (r#"{"t":21,"u":21.50,"n":3}"#, "w t=21,u=21.50,n=3i 5\n", ""),
            (
                r#"{"n":3.0,"ok":true,"off":false}"#,
                "w n=3i,ok=t,off=f 5\n",
                "",
            ),
            (r#"{"n":3.5,"t":1e3}"#, "w t=1e3 5\n", "n"),
            (
                r#"{"s":"a \"b\" \\","x":null}"#,
                "w s=\"a \\\"b\\\" \\\\\" 5\n",
                "",
            ),
            (r#"{"a":{"b c":[1]}}"#, "w a/b\\ c/0=1 5\n", ""),
            ("21.5", "w value=21.5 5\n", ""),
            ("on", "w value=\"on\" 5\n", ""),
            ("NaN", "", "a field value"),
            ("-inf", "", "a field value"),
            ("{}", "", "a field"),
            ("{on", "w value=\"{on\" 5\n", ""),
            (r#"{"":1,"t":2}"#, "w t=2 5\n", "a name of a field"),
            (r#"{"":1}"#, "", "a field a name of a field"),
            (r#"{"k\\":1,"t":2}"#, "w k=1,t=2 5\n", ""),
            (r#"{"\\":1,"t":2}"#, "w t=2 5\n", "a name of a field"),
        ] {
            assert_eq!(
                line(&points, "sensors/d/x", payload),
                (expected.into(), missing.into()),
                "{payload}"
            );
        }
    }

    #[test]
    fn names_and_tags_are_escaped() {
        let tags = [("de vice", "{device}"), ("k=", "/k"), ("none", "/none")];
        let points = points_of("/m", &tags, &[("v", "/v")]);
        let payload = r#"{"m":"a b,c=d","k":"x=y, z\n\\","v":1}"#;
        assert_eq!(
            line(&points, "sensors/d 7/x", payload),
            (
                String::from("a\\ b\\,c=d,de\\ vice=d\\ 7,k\\==x\\=y\\,\\ z\\n v=1 5\n"),
                String::from("none")
            )
        );
        assert_eq!(line(&points, "other", "{}").1, "a measurement");
        for (measurement, expected) in [("a\\\\", "a,k\\==x v=1 5\n"), ("#a", ""), ("\\\\", "")] {
            let tags = [("k=\\", "/k")];
            let payload = format!(r#"{{"m":"{measurement}","k":"x","v":1}}"#);
            let points = points_of("/m", &tags, &[("v", "/v")]);
            assert_eq!(line(&points, "other", payload.leak()).0, expected);
        }
        assert_eq!(line(&points, "other", "{\"m\":\"a\"}").0, "");
    }

    #[test]
    fn a_time_beyond_the_range_is_no_time() {
        let points = points_of("\"w\"", &[], &[]);
        let mut message = Message::plain("1".into());
        for (seconds, fits) in [(9_223_372_036, true), (9_223_372_037, false)] {
            message.time = UNIX_EPOCH + Duration::from_secs(seconds);
            let (mut missing, mut line) = (Missing::new(), Vec::new());
            points.push(&message, &mut missing, &mut line);
            assert_eq!(
                (line.is_empty(), missing.contains_key(NO_TIME)),
                (!fits, !fits)
            );
        }
    }
}
