//! The keys of alarms: what stands for the wildcards of a topic, with slashes between.

use std::borrow::Cow;

use crate::message::topic;
use crate::payload::captures::{Captures, Pattern};

/// The key of what is about all alarms.
pub(super) const ALL: &str = "*";

/// Topics, and the keys of their alarms.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pattern: Pattern,
}

impl Keys {
    pub(super) const fn new(pattern: Pattern) -> Self {
        Self { pattern }
    }

    /// The key of a topic; the topic itself where the pattern has no wildcard. `None`: it does not match.
    pub(super) fn key<'t>(&self, topic: &'t str) -> Option<Cow<'t, str>> {
        key(&self.pattern, topic)
    }

    /// The topic that a key stands for; for [`ALL`] one with a star in each wildcard's place.
    pub(super) fn topic(&self, key: &str) -> String {
        let filter = self.pattern.filter();
        let filter = topic::shared(filter).map_or(filter, |(_, plain)| plain);
        let wildcards = filter
            .split('/')
            .filter(|it| matches!(*it, "+" | "#"))
            .count();
        let mut values = key.splitn(wildcards, '/');
        let level = |level| match level {
            "+" | "#" if key == ALL => ALL,
            "+" | "#" => values.next().unwrap_or_default(),
            level => level,
        };
        filter.split('/').map(level).collect::<Vec<_>>().join("/")
    }

    /// What stands for the wildcards of such a topic.
    pub(super) fn captures<'t>(&'t self, topic: &'t str) -> Option<Captures<'t>> {
        self.pattern.matches(topic)
    }
}

/// The key of a topic of another pattern.
pub(super) fn key<'t>(pattern: &Pattern, topic: &'t str) -> Option<Cow<'t, str>> {
    let captures = pattern.matches(topic)?;
    Some(match captures.values() {
        [] => topic.into(),
        [only] => String::from(*only).into(),
        values => values.join("/").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_for_a_topic() {
        for (pattern, topic, key) in [
            (
                "sensors/{device}/temperature",
                "sensors/d7/temperature",
                "d7",
            ),
            ("{floor}/+/t/{rest...}", "f1/r2/t/a/b", "f1/r2/a/b"),
            ("$share/g/a/{b}", "a/x", "x"),
            ("a/+", "a/", ""),
            ("a/b", "a/b", "a/b"),
        ] {
            let keys = Keys::new(pattern.parse().unwrap());
            assert_eq!(keys.key(topic).unwrap(), key, "{pattern}");
            assert_eq!(keys.topic(key), topic, "{pattern}");
            assert!(keys.captures(topic).is_some(), "{pattern}");
            assert_eq!(keys.key("other"), None);
        }
        let keys = Keys::new("{floor}/+/t/{rest...}".parse().unwrap());
        assert_eq!(keys.topic(ALL), "*/*/t/*");
        assert_eq!(keys.captures("*/*/t/*").unwrap().get("floor"), Some(ALL));
    }
}
