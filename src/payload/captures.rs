//! Topic filters whose wildcards have names: `sensors/{device}/{metric}`, `logs/{host}/{path...}`.
//!
//! | level | matches | what stands for it |
//! |---|---|---|
//! | `+`, `{name}` | one level | that level, which may be empty |
//! | `#`, `{name...}` | this level and all below; none too | what is left of the topic, without the slash before it |
//!
//! What stands for a wildcard is found by its name and by its number: the first one from the left, with or without a name,
//! is `1`. A wildcard in the first level does not match a topic that begins with `$` (MQTT 5.0 §4.7.2).

use std::fmt;
use std::str::FromStr;

use bytestring::ByteString;

use crate::message::topic::{self, InvalidTopic};

/// A filter, and what its wildcards are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    words: String,
    filter: ByteString,
    wildcards: Vec<Wildcard>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wildcard {
    /// The level, counted from 0.
    level: usize,
    name: Option<String>,
    /// Whether it stands for all further levels too.
    rest: bool,
}

impl Pattern {
    /// What is subscribed to: a filter of MQTT, `$share/GROUP/` included.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The filter that a topic is compared with.
    fn plain(&self) -> &str {
        topic::shared(&self.filter).map_or(&*self.filter, |(_, plain)| plain)
    }

    /// Whether a topic matches.
    pub fn is_match(&self, topic: &str) -> bool {
        topic::matches(self.plain(), topic)
    }

    /// What stands for the wildcards in a topic that matches.
    pub fn matches<'t>(&'t self, topic: &'t str) -> Option<Captures<'t>> {
        self.is_match(topic).then(|| {
            let mut rest = Some(topic);
            let mut at = 0;
            let value = |wildcard: &Wildcard| {
                while at < wildcard.level {
                    rest = rest.and_then(|rest| Some(rest.split_once('/')?.1));
                    at += 1;
                }
                // `#` stands for no level too.
                let rest = rest.unwrap_or_default();
                match rest.split_once('/') {
                    Some((level, _)) if !wildcard.rest => level,
                    _ => rest,
                }
            };
            Captures {
                values: self.wildcards.iter().map(value).collect(),
                wildcards: &self.wildcards,
            }
        })
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.wildcards.iter().filter_map(|it| it.name.as_deref())
    }

    /// Whether each topic that matches has something by this name or number.
    pub fn has(&self, key: &str) -> bool {
        place(&self.wildcards, key).is_some()
    }
}

/// Which wildcard is called so.
fn place(wildcards: &[Wildcard], key: &str) -> Option<usize> {
    if key.starts_with(|digit: char| digit.is_ascii_digit()) {
        let number: usize = key.parse().ok()?;
        return number.checked_sub(1).filter(|at| *at < wildcards.len());
    }
    let named = |it: &Wildcard| it.name.as_deref() == Some(key);
    wildcards.iter().position(named)
}

impl FromStr for Pattern {
    type Err = InvalidTopic;

    fn from_str(text: &str) -> Result<Self, InvalidTopic> {
        let refuse = |why: String| InvalidTopic::new(text, &why);
        let (prefix, plain) = match topic::shared(text) {
            Some((_, plain)) => text.split_at(text.len() - plain.len()),
            None => ("", text),
        };
        let mut wildcards: Vec<Wildcard> = Vec::new();
        let mut levels = Vec::new();
        for (at, level) in plain.split('/').enumerate() {
            let (wildcard, name) = match level {
                "+" | "#" => (level, None),
                _ if level.contains(['{', '}']) => capture(level).map_err(refuse)?,
                _ => {
                    levels.push(level);
                    continue;
                }
            };
            let rest = wildcard == "#";
            let known = |it: &Wildcard| it.name.as_deref() == name;
            if let Some(name) = name {
                if wildcards.iter().any(known) {
                    return Err(refuse(format!("{{{name}}} occurs twice")));
                }
                if rest && plain.split('/').count() > at + 1 {
                    return Err(refuse(format!("{level} must be the last level")));
                }
            }
            wildcards.push(Wildcard {
                level: at,
                name: name.map(str::to_owned),
                rest,
            });
            levels.push(wildcard);
        }
        let filter = format!("{prefix}{}", levels.join("/"));
        topic::check_filter(&filter)?;
        Ok(Self {
            words: text.to_owned(),
            filter: filter.into(),
            wildcards,
        })
    }
}

/// The wildcard that a level such as `{name}` stands for, and the name.
///
/// # Errors
/// It is no capture.
fn capture(level: &str) -> Result<(&'static str, Option<&str>), String> {
    let inner = level.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    let Some(inner) = inner.filter(|it| !it.contains(['{', '}'])) else {
        return Err(format!(
            "{level:?} is not a capture: {{name}} occupies an entire level"
        ));
    };
    let (name, wildcard) = match inner.strip_suffix("...") {
        Some(name) => (name, "#"),
        None => (inner, "+"),
    };
    let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    match name.chars().next() {
        None => Err(format!("{level} has no name")),
        Some(first) if !first.is_alphabetic() && first != '_' => {
            Err(format!("{level}: a name begins with a letter"))
        }
        Some(_) if !name.chars().all(is_letter) => Err(format!(
            "{level}: a name consists of letters, digits, _ and -"
        )),
        Some(_) => Ok((wildcard, Some(name))),
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// What stands for the wildcards of a [`Pattern`] in one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures<'t> {
    wildcards: &'t [Wildcard],
    /// One for each wildcard.
    values: Vec<&'t str>,
}

impl<'t> Captures<'t> {
    /// What stands for a name such as `device`, or for a number such as `1`; `None`: nothing is called so.
    pub fn get(&self, key: &str) -> Option<&'t str> {
        Some(self.values[place(self.wildcards, key)?])
    }

    /// Whether there is no level in `topic`, which was matched, for this name: of `s/{rest...}` in `s`, which is not `s/`.
    pub fn lacks(&self, key: &str, topic: &str) -> bool {
        let lacks = |at: usize| self.wildcards[at].rest && self.values[at].is_empty();
        place(self.wildcards, key).is_some_and(lacks) && !topic.ends_with('/')
    }

    /// The names, with what stands for them.
    pub fn named(&self) -> impl Iterator<Item = (&'t str, &'t str)> {
        let values = self.values.iter().copied();
        let pairs = self.wildcards.iter().zip(values);
        pairs.filter_map(|(it, value)| Some((it.name.as_deref()?, value)))
    }

    /// What stands for each wildcard, from the left.
    pub fn values(&self) -> &[&'t str] {
        &self.values
    }

    /// Appends what stands for a place of a template, see [`Template::with_names`](super::template::Template::with_names);
    /// whether there is one.
    pub fn append(&self, key: &str, into: &mut String) -> bool {
        self.get(key).map(|value| into.push_str(value)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::template::{Filler, Template};

    fn pattern(text: &str) -> Pattern {
        let pattern: Pattern = text.parse().expect(text);
        assert_eq!(pattern.to_string(), text);
        pattern
    }

    #[test]
    fn no_level_is_not_an_empty_one() {
        let pattern = pattern("s/{id}/{rest...}");
        for (topic, lacks) in [
            ("s/a", true),
            ("s/a/", false),
            ("s/a/b", false),
            ("s/", false),
        ] {
            let captures = pattern.matches(topic).expect(topic);
            assert_eq!(captures.lacks("rest", topic), lacks, "{topic}");
            assert!(!captures.lacks("id", topic) && !captures.lacks("no", topic));
        }
    }

    #[test]
    fn names_stand_for_wildcards() {
        let pattern = pattern("$share/g/gpio/{pin}/+/{rest...}");
        assert_eq!(pattern.filter(), "$share/g/gpio/+/+/#");
        assert_eq!(pattern.names().collect::<Vec<_>>(), ["pin", "rest"]);
        assert!(pattern.is_match("gpio/17/x") && !pattern.is_match("gpio/17"));
        assert_eq!(pattern.matches("gpio/17"), None);
        for (topic, pin, second, rest) in [
            ("gpio/17/x/a/b", "17", "x", "a/b"),
            ("gpio//x", "", "x", ""),
            ("gpio/17/x/", "17", "x", ""),
            ("gpio/17//a", "17", "", "a"),
        ] {
            let captures = pattern.matches(topic).expect(topic);
            assert_eq!(captures.get("pin"), Some(pin), "{topic}");
            assert_eq!(captures.get("rest"), Some(rest), "{topic}");
            assert_eq!(captures.values(), [pin, second, rest], "{topic}");
            let named: Vec<_> = captures.named().collect();
            assert_eq!(named, [("pin", pin), ("rest", rest)]);
        }
    }

    #[test]
    fn wildcards_have_numbers() {
        let plain = pattern("{a}/+/x/#");
        let captures = plain.matches("p/q/x/y/z").unwrap();
        for (key, value) in [
            ("1", Some("p")),
            ("2", Some("q")),
            ("3", Some("y/z")),
            ("a", Some("p")),
            ("0", None),
            ("4", None),
            ("b", None),
            ("", None),
            ("+1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(captures.get(key), value, "{key}");
            assert_eq!(plain.has(key), value.is_some(), "{key}");
        }
        assert_eq!(pattern("a/b").matches("a/b").unwrap().get("1"), None);
    }

    #[test]
    fn the_rules_of_mqtt_hold() {
        for (text, topic, expected) in [
            ("{a}/b", "$SYS/b", false),
            ("{a...}", "$SYS/b", false),
            ("$SYS/{a}", "$SYS/b", true),
            ("sport/{a...}", "sport", true),
            ("sport/{a}", "sport", false),
            ("{a}", "a/b", false),
            ("{a}", "ä", true),
        ] {
            assert_eq!(pattern(text).is_match(topic), expected, "{text} {topic}");
        }
        assert_eq!(
            pattern("sport/{a...}").matches("sport").unwrap().get("a"),
            Some("")
        );
    }

    #[test]
    fn wrong_patterns_are_refused_in_words() {
        for (text, why) in [
            ("", "filter is empty"),
            ("a/#/c", "filter \"a/#/c\": # must be the last level"),
            (
                "a/{b...}/c",
                "filter \"a/{b...}/c\": {b...} must be the last level",
            ),
            ("{a}/{a}", "filter \"{a}/{a}\": {a} occurs twice"),
            ("{a}/{a...}", "filter \"{a}/{a...}\": {a} occurs twice"),
            ("a/{}", "filter \"a/{}\": {} has no name"),
            ("a/{...}", "filter \"a/{...}\": {...} has no name"),
            (
                "a/{1}",
                "filter \"a/{1}\": {1}: a name begins with a letter",
            ),
            (
                "a/{b c}",
                "filter \"a/{b c}\": {b c}: a name consists of letters, digits, _ and -",
            ),
            (
                "a/x{b}",
                "filter \"a/x{b}\": \"x{b}\" is not a capture: {name} occupies an entire level",
            ),
            (
                "{",
                "filter \"{\": \"{\" is not a capture: {name} occupies an entire level",
            ),
            (
                "{a}{b}",
                "filter \"{a}{b}\": \"{a}{b}\" is not a capture: {name} occupies an entire level",
            ),
            ("a/b+", "filter \"a/b+\": + must occupy an entire level"),
        ] {
            assert_eq!(text.parse::<Pattern>().unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn a_template_is_filled_in_from_them() {
        let pattern = pattern("sensors/{device}/+");
        let template =
            Template::of_topic("site1/{device}/{2}/{seq:03}", |key| pattern.has(key)).unwrap();
        let captures = pattern.matches("sensors/d7/temp").unwrap();
        let text = Filler::default().fill(&template, |key, into| {
            captures.append(key, into);
        });
        assert_eq!(text, "site1/d7/temp/000");
        assert_eq!(
            Template::of_topic("site1/{devise}", |key| pattern.has(key)),
            Err(String::from("{devise}"))
        );
    }
}
