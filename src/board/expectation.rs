//! Conditions on the whole board: `offline == 0 and devices >= 3`, `/fleet/boiler/status == online`.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::message::Message;
use crate::payload::comparison::Comparison;
use crate::payload::expect::{Condition, JQ};

/// What can be compared by name; all of it stands below `/counts` of a snapshot.
pub const NAMES: [&str; 12] = [
    "devices",
    "online",
    "offline",
    "unknown",
    "alerts",
    "topics",
    "messages",
    "rate",
    "bytes_per_second",
    "stale",
    "forgotten",
    "left_out",
];

/// A condition on a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    words: String,
    condition: Condition,
}

impl Expectation {
    /// Whether a snapshot fulfils it.
    pub fn holds(&self, snapshot: &Value) -> bool {
        let message = Message::plain(snapshot.to_string().into());
        self.condition.holds(&message, || Some(snapshot.clone()))
    }

    /// What stands in the snapshot for the names that it has.
    pub fn found(&self, snapshot: &Value) -> String {
        let named = NAMES
            .iter()
            .filter(|name| names(&self.words).any(|(_, word)| word == **name));
        let pairs = named.map(|name| format!("{name} is {}", snapshot["counts"][*name]));
        pairs.collect::<Vec<_>>().join(", ")
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        if words.trim_start().starts_with(JQ) {
            return Ok(Self {
                words: words.to_owned(),
                condition: words.parse()?,
            });
        }
        let signs = ["==", "!=", "<=", ">=", "<", ">", " contains"];
        if let Some(sign) = signs.iter().find(|it| words.trim_end().ends_with(**it)) {
            return Err(format!("a value is missing after {:?}", sign.trim()));
        }
        let mut pointed = String::new();
        let mut done = 0;
        for (at, name) in names(words) {
            if !NAMES.contains(&name) {
                let all = NAMES.join(", ");
                return Err(format!(
                    "{name:?} is neither one of {all} nor a JSON pointer such as /fleet/DEVICE/status"
                ));
            }
            pointed.push_str(&words[done..at]);
            pointed.push_str("/counts/");
            done = at;
        }
        pointed.push_str(&words[done..]);
        Ok(Self {
            words: words.to_owned(),
            condition: pointed.parse().map_err(|why: String| own_words(&why))?,
        })
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// A refusal of the condition with pointers in the words that were given: its columns are not those of the user.
fn own_words(why: &str) -> String {
    let placed = why
        .strip_prefix("column ")
        .and_then(|rest| rest.split_once(": "));
    placed.map_or(why, |(_, why)| why).replace("/counts/", "")
}

/// The plain words before an operator, and where they stand.
fn names(words: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_letter = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(letter) = words[at..].chars().next() {
            let begin = at;
            match letter {
                '"' => at = quoted(words, at),
                // Up to the end of a pointer.
                '/' => at += words[at..].find([' ', ')']).unwrap_or(words.len() - at),
                _ if is_letter(letter) => {
                    let rest = &words[at..];
                    at += rest.find(|it| !is_letter(it)).unwrap_or(rest.len());
                    let word = &words[begin..at];
                    if is_subject(&words[at..]) && !matches!(word, "and" | "or" | "not") {
                        return Some((begin, word));
                    }
                }
                _ => at += letter.len_utf8(),
            }
        }
        None
    })
}

/// Where a text in quotes ends that begins at `at`.
fn quoted(words: &str, at: usize) -> usize {
    let mut escaped = false;
    for (index, letter) in words[at + 1..].char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1 + index + 1,
            _ => {}
        }
    }
    words.len()
}

/// Whether an operator comes next.
fn is_subject(rest: &str) -> bool {
    let begins = rest.trim_start();
    matches!(Comparison::find(rest), Some((at, sign, _)) if rest[..at].trim().is_empty() && !sign.is_empty())
        || begins.starts_with("contains ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(words: &str) -> bool {
        let snapshot = json!({
            "counts": {"devices": 3, "online": 2, "offline": 1, "rate": 0.5},
            "fleet": {"d1": {"status": "online"}, "d2": {"status": "offline"}},
        });
        let expectation: Expectation = words.parse().unwrap();
        expectation.holds(&snapshot)
    }

    #[test]
    fn counts_go_by_their_names_and_the_rest_by_pointers() {
        assert!(holds("devices == 3"));
        assert!(!holds("offline==0"));
        assert!(holds("offline <= 1 and (online > 1 or devices < 2)"));
        assert!(holds("not offline == 0"));
        assert!(holds("/fleet/d1/status == online and devices == 3"));
        assert!(holds("/fleet/d2/status == \"offline\" and online == 2"));
        assert!(!holds("exists(/fleet/d3)"));
        assert!(holds("rate < 1"));
    }

    #[test]
    fn wrong_words_are_told() {
        for (words, why) in [
            (
                "oflin == 0",
                "\"oflin\" is neither one of devices, online, offline",
            ),
            ("qos == 0", "\"qos\" is neither one of"),
            ("offline ==", "a value is missing after \"==\""),
            (
                "devices > 1 and offline >= ",
                "a value is missing after \">=\"",
            ),
            ("offline = 0", "has none of =="),
            ("offline < many", "\"many\" is not a number"),
            ("offline == 0 and", "a condition is missing after \"and\""),
        ] {
            let refused = words.parse::<Expectation>().unwrap_err();
            assert!(refused.contains(why), "{words}: {refused}");
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let one: Expectation = "offline == 0 and /a == online".parse().unwrap();
        assert_eq!(
            one.found(&json!({"counts": {"offline": 2, "online": 1}})),
            "offline is 2"
        );
    }

    #[cfg(feature = "jq")]
    #[test]
    fn jq_sees_the_snapshot() {
        assert!(holds("jq: .fleet | length == 2"));
    }
}
