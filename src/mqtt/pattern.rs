//! Topic filters whose wildcards have names: `gpio/{pin}/command`, `logs/{host}/{path...}`.

use bytestring::ByteString;

use super::topic::{self, InvalidTopic};

/// A filter, and what the levels that match its wildcards are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    filter: ByteString,
    /// The level, counted from 0, and its name.
    names: Vec<(usize, String)>,
    /// Whether the last of them is that of `#`.
    open: bool,
}

impl Pattern {
    /// Reads a filter in which a level `{name}` stands for `+`, and a last level `{name...}` for `#`.
    ///
    /// # Errors
    /// What is wrong with the filter; a name that stands twice.
    pub fn parse(text: &str) -> Result<Self, InvalidTopic> {
        let (prefix, plain) = match topic::shared(text) {
            Some((_, plain)) => text.split_at(text.len() - plain.len()),
            None => ("", text),
        };
        let mut names: Vec<(usize, String)> = Vec::new();
        let mut levels = Vec::new();
        let mut open = false;
        for (at, level) in plain.split('/').enumerate() {
            let Some((name, wildcard)) = wildcard(level) else {
                levels.push(level);
                continue;
            };
            if names.iter().any(|(_, known)| known == name) {
                return Err(InvalidTopic::new(text, &format!("{{{name}}} occurs twice")));
            }
            names.push((at, name.to_owned()));
            open = wildcard == "#";
            levels.push(wildcard);
        }
        let filter = format!("{prefix}{}", levels.join("/"));
        topic::check_filter(&filter)?;
        Ok(Self {
            filter: filter.into(),
            names,
            open,
        })
    }

    /// What is subscribed to.
    pub const fn filter(&self) -> &ByteString {
        &self.filter
    }

    /// Whether a topic matches.
    pub fn matches(&self, name: &str) -> bool {
        let plain = topic::shared(&self.filter).map_or(&*self.filter, |(_, plain)| plain);
        topic::matches(plain, name)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(_, name)| &**name)
    }

    /// What stands for a name in a topic that matches; `None`: there is no such name.
    pub fn capture<'a>(&self, name: &str, topic: &'a str) -> Option<&'a str> {
        let (at, _) = self.names.iter().find(|(_, known)| known == name)?;
        let mut rest = topic;
        for _ in 0..*at {
            // `#` stands for no level too.
            rest = rest.split_once('/').map_or("", |(_, rest)| rest);
        }
        let is_last = self.open && self.names.last().is_some_and(|(last, _)| last == at);
        Some(match rest.split_once('/') {
            Some((level, _)) if !is_last => level,
            _ => rest,
        })
    }
}

/// The name in a level that is nothing else, and the wildcard that it stands for.
fn wildcard(level: &str) -> Option<(&str, &'static str)> {
    let inner = level.strip_prefix('{')?.strip_suffix('}')?;
    let (name, wildcard) = match inner.strip_suffix("...") {
        Some(name) => (name, "#"),
        None => (inner, "+"),
    };
    let begins = name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    (begins && name.chars().all(is_letter)).then_some((name, wildcard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_wildcards() {
        let pattern = Pattern::parse("$share/g/gpio/{pin}/+/{rest...}").unwrap();
        assert_eq!(&**pattern.filter(), "$share/g/gpio/+/+/#");
        assert_eq!(pattern.names().collect::<Vec<_>>(), ["pin", "rest"]);
        assert!(pattern.matches("gpio/17/x") && !pattern.matches("gpio/17"));
        for (topic, pin, rest) in [
            ("gpio/17/x/a/b", "17", "a/b"),
            ("gpio//x", "", ""),
            ("gpio/17/x/", "17", ""),
        ] {
            assert_eq!(pattern.capture("pin", topic), Some(pin));
            assert_eq!(pattern.capture("rest", topic), Some(rest));
        }
        assert_eq!(pattern.capture("other", "gpio/17/x"), None);
        let anonymous = Pattern::parse("{a}/#").unwrap();
        assert_eq!(anonymous.capture("a", "x/y/z"), Some("x"));
    }

    #[test]
    fn other_braces_are_text() {
        for text in ["a/{}", "a/{1}", "a/x{b}", "a/{b c}", "{", "a/{...}"] {
            assert_eq!(&**Pattern::parse(text).unwrap().filter(), text);
        }
    }

    #[test]
    fn wrong_patterns_are_refused_in_words() {
        for (text, why) in [
            ("", "filter is empty"),
            (
                "a/{b...}/c",
                r##"filter "a/#/c": # must be the last level"##,
            ),
            ("{a}/{a}", r#"filter "{a}/{a}": {a} occurs twice"#),
        ] {
            assert_eq!(Pattern::parse(text).unwrap_err().to_string(), why);
        }
    }
}
