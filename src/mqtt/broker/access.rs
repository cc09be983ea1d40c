//! Who may read and write what.

use std::borrow::Cow;
use std::collections::HashMap;

use super::subscriptions::Asked;
use crate::file::Flaw;
use crate::mqtt::topic;
use crate::server::significant;

/// Which topics clients may read and write, in mosquitto's file format.
///
/// What no line grants is refused, and `deny` wins over every grant. `topic` lines before the first
/// `user` line are for clients without a user name; `pattern` lines are for everyone.
#[derive(Clone, Debug, Default)]
pub struct Acl {
    anonymous: Vec<Rule>,
    users: HashMap<String, Vec<Rule>>,
    patterns: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    read: bool,
    write: bool,
    /// Takes the right away instead of granting it.
    deny: bool,
    filter: String,
}

/// What a client wants to do with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Read,
    Write,
}

/// Whom the list is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client<'a> {
    pub(super) username: Option<&'a str>,
    pub(super) client_id: &'a str,
    /// The index of what holds for its listener in [`super::Options::access`].
    pub(super) access: usize,
}

impl Acl {
    /// Reads lines of `topic [read|write|readwrite|deny] FILTER`, `user NAME` and `pattern …` with
    /// `%u` and `%c`; empty lines and those that begin with `#` are passed over.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let mut acl = Self::default();
        let mut user: Option<String> = None;
        for (number, line) in significant(text) {
            let wrong = |what: &str| Flaw::in_line(number, what);
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            match (word, rest.trim()) {
                (_, "") => return Err(wrong(&format!("`{word}` needs a value"))),
                ("user", name) => user = Some(name.to_owned()),
                ("topic", rest) => acl
                    .rules_of(user.as_deref())
                    .push(Rule::parse(rest).map_err(wrong)?),
                ("pattern", rest) => acl.patterns.push(Rule::parse(rest).map_err(wrong)?),
                _ => return Err(wrong("expected user, topic or pattern")),
            }
        }
        Ok(acl)
    }

    fn rules_of(&mut self, user: Option<&str>) -> &mut Vec<Rule> {
        match user {
            None => &mut self.anonymous,
            Some(name) => self.users.entry(name.to_owned()).or_default(),
        }
    }

    /// Whether `client` may read or write `topic`.
    pub(super) fn allows(&self, client: Client<'_>, right: Right, name: &str) -> bool {
        let rules = self.rules_for(client, right);
        let mut matching = rules
            .filter(|(_, filter)| topic::matches(filter, name))
            .peekable();
        matching.peek().is_some() && matching.all(|(rule, _)| !rule.deny)
    }

    /// Whether `client` may subscribe to `filter`: some of it is readable and no denial covers all of it.
    pub(super) fn allows_filter(&self, client: Client<'_>, filter: &str) -> bool {
        let filter = Asked::parse(filter).filter;
        let mut granted = false;
        for (rule, own) in self.rules_for(client, Right::Read) {
            if rule.deny && topic::covers(&own, filter) {
                return false;
            }
            granted |= !rule.deny && overlaps(&own, filter);
        }
        granted
    }

    fn rules_for<'a>(
        &'a self,
        client: Client<'a>,
        right: Right,
    ) -> impl Iterator<Item = (&'a Rule, Cow<'a, str>)> {
        let own = match client.username {
            None => self.anonymous.as_slice(),
            Some(name) => self.users.get(name).map_or(&[][..], Vec::as_slice),
        };
        let own = own.iter().map(|rule| (rule, Cow::Borrowed(&*rule.filter)));
        let patterns = self.patterns.iter();
        let patterns = patterns.filter_map(move |rule| Some((rule, filled(&rule.filter, client)?)));
        own.chain(patterns).filter(move |(rule, _)| match right {
            Right::Read => rule.read,
            Right::Write => rule.write,
        })
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (read, write, deny, filter) = match (word, rest.trim()) {
            ("read" | "write" | "readwrite" | "deny", "") => {
                return Err("a topic filter is missing");
            }
            ("read", filter) => (true, false, false, filter),
            ("write", filter) => (false, true, false, filter),
            ("readwrite", filter) => (true, true, false, filter),
            ("deny", filter) => (true, true, true, filter),
            _ => (true, true, false, text),
        };
        topic::check_filter(filter).map_err(|_| "the topic filter is not valid")?;
        Ok(Self {
            read,
            write,
            deny,
            filter: filter.to_owned(),
        })
    }
}

/// A pattern with the client's names put in; `None` if it does not apply: there is no name to put
/// in, or the name would add wildcards.
fn filled<'a>(pattern: &'a str, client: Client<'_>) -> Option<Cow<'a, str>> {
    let mut filter = Cow::Borrowed(pattern);
    for (mark, name) in [("%u", client.username), ("%c", Some(client.client_id))] {
        if pattern.contains(mark) {
            let name = name.filter(|name| !name.contains(['+', '#']))?;
            filter = Cow::Owned(filter.replace(mark, name));
        }
    }
    Some(filter)
}

/// Whether some topic matches both filters.
fn overlaps(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    loop {
        match (one.next(), other.next()) {
            (None, None) | (Some("#"), _) | (_, Some("#")) => return true,
            (None, _) | (_, None) => return false,
            (Some("+"), _) | (_, Some("+")) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Client<'_> = Client {
        username: Some("ann"),
        client_id: "c1",
        access: 0,
    };
    const NOBODY: Client<'_> = Client {
        username: None,
        client_id: "c2",
        access: 0,
    };

    #[test]
    fn rights_follow_the_lines() {
        let acl = Acl::parse(
            "topic read public/#\nuser ann\ntopic a/#\ntopic deny a/secret\ntopic write w\npattern readwrite dev/%c/%u",
        )
        .unwrap();
        let table = [
            (NOBODY, Right::Read, "public/x", true),
            (NOBODY, Right::Write, "public/x", false),
            (NOBODY, Right::Read, "dev/c2/ann", false),
            (ANN, Right::Read, "public/x", false),
            (ANN, Right::Write, "a/b", true),
            (ANN, Right::Read, "a/secret", false),
            (ANN, Right::Write, "w", true),
            (ANN, Right::Read, "w", false),
            (ANN, Right::Read, "dev/c1/ann", true),
            (ANN, Right::Read, "dev/c2/ann", false),
        ];
        for (client, right, topic, expected) in table {
            assert_eq!(
                acl.allows(client, right, topic),
                expected,
                "{client:?} {right:?} {topic}"
            );
        }
    }

    #[test]
    fn a_filter_is_refused_when_nothing_in_it_is_readable() {
        let acl = Acl::parse("topic read a/+/c\ntopic deny a/x/#\ntopic write b").unwrap();
        let table = [
            ("#", true),
            ("a/#", true),
            ("a/b/c", true),
            ("a/b", false),
            ("a/x/c", false),
            ("b", false),
            ("$share/g/a/b/c", true),
            ("$share/g/b", false),
        ];
        for (filter, expected) in table {
            assert_eq!(acl.allows_filter(NOBODY, filter), expected, "{filter}");
        }
    }

    #[test]
    fn wrong_lines_are_named() {
        let table = [
            ("user", "f:1: `user` needs a value"),
            ("\ntopic read", "f:2: a topic filter is missing"),
            ("topic a/#/b", "f:1: the topic filter is not valid"),
            ("allow x", "f:1: expected user, topic or pattern"),
        ];
        for (text, expected) in table {
            assert_eq!(Acl::parse(text).unwrap_err().told_of("f"), expected);
        }
    }

    #[test]
    fn an_empty_list_grants_nothing() {
        let acl = Acl::parse("").unwrap();
        assert!(!acl.allows(NOBODY, Right::Read, "a"));
        assert!(!acl.allows_filter(NOBODY, "#"));
    }
}
