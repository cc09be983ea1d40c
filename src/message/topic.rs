//! Topic names and topic filters (MQTT 5.0 §4.7, shared subscriptions §4.8.2).
//!
//! One set of rules for what a user types, what a peer sends and what a broker routes.

/// The longest text a packet can carry, in bytes (MQTT 5.0 §1.5.4).
const LONGEST: usize = 65_535;

/// How much of a text an error shows, in characters.
const SHOWN: usize = 80;

/// Why a topic or a filter cannot be used: one line that quotes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTopic(String);

impl InvalidTopic {
    /// What is wrong with a filter.
    pub(crate) fn new(filter: &str, why: &str) -> Self {
        Self(format!("filter {}: {why}", quoted(filter)))
    }
}

/// Checks a topic to publish to (MQTT 5.0 §4.7.1, §4.7.3).
///
/// # Errors
/// The topic is empty, longer than 65,535 bytes, or contains `+`, `#` or NUL.
pub fn check_name(topic: &str) -> Result<(), InvalidTopic> {
    check_length("topic", topic)?;
    match memchr::memchr2(b'+', b'#', topic.as_bytes()) {
        None => Ok(()),
        Some(at) => Err(InvalidTopic(format!(
            "topic {} contains the wildcard {}",
            quoted(topic),
            char::from(topic.as_bytes()[at])
        ))),
    }
}

/// Checks a filter to subscribe to, `$share/GROUP/FILTER` included (MQTT 5.0 §4.7.1, §4.8.2).
///
/// # Errors
/// The filter is empty, longer than 65,535 bytes, contains NUL, has a wildcard that does not fill its
/// level or a `#` that is not the last one, or is a shared subscription without group or filter.
pub fn check_filter(filter: &str) -> Result<(), InvalidTopic> {
    check_plain_filter(filter)?;
    let Some(rest) = filter.strip_prefix("$share/") else {
        return Ok(());
    };
    let refuse = |why: &str| Err(InvalidTopic::new(filter, why));
    match rest.split_once('/') {
        Some(("", _)) => refuse("the share name is empty"),
        Some((group, _)) if group.contains(['+', '#']) => {
            refuse("the share name contains a wildcard")
        }
        Some((_, "")) | None => refuse("no filter after the share name"),
        Some(_) => Ok(()),
    }
}

/// Checks a filter by the rules of MQTT 3.1.1, to which `$share` is a level like any other (§4.7.1).
///
/// # Errors
/// As [`check_filter`], without the rules for shared subscriptions.
pub fn check_plain_filter(filter: &str) -> Result<(), InvalidTopic> {
    check_length("filter", filter)?;
    let refuse = |why: &str| Err(InvalidTopic::new(filter, why));
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        match level {
            "+" => {}
            "#" if levels.peek().is_none() => {}
            "#" => return refuse("# must be the last level"),
            _ if level.contains('#') => return refuse("# must occupy an entire level"),
            _ if level.contains('+') => return refuse("+ must occupy an entire level"),
            _ => {}
        }
    }
    Ok(())
}

/// The rules that names and filters share: 1 to 65,535 bytes, no NUL (MQTT 5.0 §4.7.3).
fn check_length(what: &str, text: &str) -> Result<(), InvalidTopic> {
    if text.is_empty() {
        return Err(InvalidTopic(format!("{what} is empty")));
    }
    if text.len() > LONGEST {
        let length = text.len();
        return Err(InvalidTopic(format!(
            "{what} is longer than {LONGEST} bytes ({length})"
        )));
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        let quoted = quoted(text);
        return Err(InvalidTopic(format!(
            "{what} {quoted} contains a NUL character"
        )));
    }
    Ok(())
}

/// The text in quotes, control characters escaped, long ones cut.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Whether a valid filter without `$share` matches a topic name (MQTT 5.0 §4.7.1, §4.7.2).
///
/// A wildcard in the first level does not match a topic that begins with `$`; `sport/#` matches `sport`.
pub fn matches(filter: &str, name: &str) -> bool {
    let (filter, name) = (filter.as_bytes(), name.as_bytes());
    if name.first() == Some(&b'$') && matches!(filter.first(), Some(b'+' | b'#')) {
        return false;
    }
    let (mut filter, mut name) = (Some(filter), Some(name));
    while let Some(levels) = filter {
        // It is the last level of a valid filter.
        if levels == b"#" {
            return true;
        }
        let Some(left) = name else {
            return false;
        };
        let ((wanted, more), (level, rest)) = (split_level(levels), split_level(left));
        if wanted != b"+" && wanted != level {
            return false;
        }
        (filter, name) = (more, rest);
    }
    name.is_none()
}

/// Whether a topic can match both of two valid filters without `$share`.
pub fn intersect(one: &str, other: &str) -> bool {
    let wild = |filter: &str| filter.starts_with(['+', '#']);
    if one.starts_with('$') && wild(other) || other.starts_with('$') && wild(one) {
        return false;
    }
    let (mut one, mut other) = (Some(one.as_bytes()), Some(other.as_bytes()));
    loop {
        match (one.map(split_level), other.map(split_level)) {
            (Some((b"#", _)), _) | (_, Some((b"#", _))) | (None, None) => return true,
            (Some((level, rest)), Some((wanted, more)))
                if level == b"+" || wanted == b"+" || level == wanted =>
            {
                (one, other) = (rest, more);
            }
            _ => return false,
        }
    }
}

/// Whether every topic that matches `narrow` matches `wide`, as far as levels tell: `#` covers topics that begin with `$`.
pub fn covers(wide: &str, narrow: &str) -> bool {
    let (mut wide, mut narrow) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wide.next(), narrow.next()) {
            (None, None) | (Some("#"), _) => return true,
            (None, _) | (_, None) => return false,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

/// The first level, and what follows its `/` if there is one.
fn split_level(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    // Levels are short, and a search that pays for long ones takes longer to begin.
    match text.iter().position(|byte| *byte == b'/') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// The group and the filter of a valid shared subscription; `None` for every other filter (MQTT 5.0 §4.8.2).
pub fn shared(filter: &str) -> Option<(&str, &str)> {
    let (group, filter) = filter.strip_prefix("$share/")?.split_once('/')?;
    (!group.is_empty() && !filter.is_empty()).then_some((group, filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_intersect_where_a_topic_matches_both() {
        for (one, other, meant) in [
            ("#", "a/b", true),
            ("a/#", "a", true),
            ("a/+", "+/b", true),
            ("a/+", "a/b/c", false),
            ("a/b", "a/c", false),
            ("+/+", "#", true),
            ("$SYS/#", "#", false),
            ("$SYS/#", "$SYS/+", true),
            ("a/+/c", "a/b/#", true),
        ] {
            assert_eq!(intersect(one, other), meant, "{one} {other}");
            assert_eq!(intersect(other, one), meant, "{other} {one}");
        }
    }

    #[test]
    fn filters_match_as_the_specification_says() {
        let table = [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/ranking",
                true,
            ),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
                true,
            ),
            ("sport/tennis/player1/#", "sport/tennis/player2", false),
            ("sport/#", "sport", true),
            ("sport/#", "sports", false),
            ("#", "sport", true),
            ("#", "/", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+", "sport", true),
            ("+/tennis/#", "sport/tennis", true),
            ("sport/+/player1", "sport/tennis/player1", true),
            ("sport/+/player1", "sport/tennis/golf/player1", false),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/uptime", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/", true),
            ("$SYS/#", "$SYS", true),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            ("a/+/#", "a/$b", true),
            ("ACCOUNTS", "Accounts", false),
            ("a//b", "a//b", true),
            ("a/+/b", "a//b", true),
            ("a/b", "a/b/", false),
            ("a/b/", "a/b", false),
            ("a/b", "a", false),
            ("ä/+", "ä/ö", true),
        ];
        for (filter, name, expected) in table {
            assert_eq!(matches(filter, name), expected, "{filter} against {name}");
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_are_refused_in_words() {
        let long = "x".repeat(70_000);
        let table = [
            ("", "topic is empty"),
            ("a/#", r##"topic "a/#" contains the wildcard #"##),
            ("+/b", r#"topic "+/b" contains the wildcard +"#),
            ("a\0b", r#"topic "a\0b" contains a NUL character"#),
            (long.as_str(), "topic is longer than 65535 bytes (70000)"),
        ];
        for (topic, text) in table {
            assert_eq!(check_name(topic).unwrap_err().to_string(), text);
        }
        assert_eq!(check_name(&long[..LONGEST]), Ok(()));
    }

    #[test]
    fn filters_are_refused_in_words() {
        let table = [
            ("", "filter is empty"),
            ("a/#/b", r##"filter "a/#/b": # must be the last level"##),
            (
                "sport/tennis#",
                r##"filter "sport/tennis#": # must occupy an entire level"##,
            ),
            (
                "sport+",
                r#"filter "sport+": + must occupy an entire level"#,
            ),
            (
                "a/+b/c",
                r#"filter "a/+b/c": + must occupy an entire level"#,
            ),
            (
                "$share/g",
                r#"filter "$share/g": no filter after the share name"#,
            ),
            (
                "$share/g/",
                r#"filter "$share/g/": no filter after the share name"#,
            ),
            (
                "$share//a",
                r#"filter "$share//a": the share name is empty"#,
            ),
            (
                "$share/+/a",
                r#"filter "$share/+/a": the share name contains a wildcard"#,
            ),
        ];
        for (filter, text) in table {
            assert_eq!(check_filter(filter).unwrap_err().to_string(), text);
        }
        assert_eq!(check_plain_filter("$share/g"), Ok(()));
    }

    #[test]
    fn a_long_topic_is_cut_in_the_error() {
        let topic = format!("{}#", "ü".repeat(1_000));
        let text = check_name(&topic).unwrap_err().to_string();
        assert!(text.contains('…') && text.chars().count() < 150, "{text}");
    }

    #[test]
    fn a_shared_filter_falls_into_group_and_filter() {
        assert_eq!(shared("$share/g/a/#"), Some(("g", "a/#")));
        assert_eq!(shared("$share/g//a"), Some(("g", "/a")));
        for filter in ["a/b", "$share/g", "$share/g/", "$share//a", "$shared/g/a"] {
            assert_eq!(shared(filter), None, "{filter}");
        }
    }
}
