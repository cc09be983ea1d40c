//! The names of files that hold one message each, made from what the message says.
//!
//! Names come from peers: whatever they hold, a file lies below the folder that the user has named. What no file is called by is
//! written as `%` and two hexadecimal digits, so that different values have different names.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;

use super::escape::drives_terminal;
use crate::message::{Detail, Message};
use crate::payload::select::{Found, Selector};

/// The longest part of a path that is not shortened; file systems take 255 bytes.
const LONGEST: usize = 200;

/// As many parts a path may have below its folder; all further ones are one.
const DEEPEST: usize = 32;

/// What files are called by, such as `out/{topic}/{seq}.bin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The folder, which the user has named.
    pub(super) folder: PathBuf,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// 1, 2, 3 …
    Number,
    Selected(Selector),
}

/// What stands around the number in its part of a path.
pub(super) struct Numbered<'a> {
    before: &'a str,
    /// Whether nothing else stands before it.
    starts: bool,
    after: &'a str,
    /// Whether nothing else follows.
    ends: bool,
}

impl Numbered<'_> {
    /// The number in this part of a path, if it is one with a number; the largest where it is not certain which it is.
    pub(super) fn number(&self, part: &str) -> Option<u64> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut found = None;
        let mut at = 0;
        while let Some(next) = part[at..].find(|it: char| it.is_ascii_digit()) {
            let start = at + next;
            at = start + digits(&part[start..]);
            let begins = match self.starts {
                true => part[..start] == *self.before,
                false => part[..start].ends_with(self.before),
            };
            let ends = match self.ends {
                true => part[at..] == *self.after,
                false => part[at..].starts_with(self.after),
            };
            if begins && ends {
                found = found.max(part[start..at].parse().ok());
            }
        }
        found
    }
}

/// What the name of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// The file itself.
    Plain(PathBuf),
    /// Names for files.
    Names(Names),
}

impl FromStr for Name {
    type Err = String;

    /// `{{` and `}}` are braces.
    fn from_str(text: &str) -> Result<Self, String> {
        let pieces = pieces(text)?;
        let mut folder = match pieces.first() {
            Some(Piece::Text(first)) => first.clone(),
            _ => String::new(),
        };
        if text.is_empty() {
            return Err(String::from("the name is empty"));
        }
        if pieces.iter().all(|it| matches!(it, Piece::Text(_))) {
            return Ok(Self::Plain(folder.into()));
        }
        let rest = folder.split_off(folder.rfind('/').map_or(0, |at| at + 1));
        let mut pieces = pieces;
        if let Some(Piece::Text(first)) = pieces.first_mut() {
            *first = rest;
        }
        let folder = match &*folder {
            "" => PathBuf::from("."),
            folder => folder.into(),
        };
        Ok(Self::Names(Names { folder, pieces }))
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut rest = text.chars().peekable();
    let mut pieces = Vec::new();
    let mut plain = String::new();
    while let Some(letter) = rest.next() {
        match letter {
            '{' | '}' if rest.next_if_eq(&letter).is_some() => plain.push(letter),
            '}' => {
                return Err(String::from(
                    "there is a } without {; write }} for the character",
                ));
            }
            '{' => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                let left: String = rest.clone().collect();
                if !left.contains('}') {
                    return Err(format!("{{{left} has no closing brace"));
                }
                if left.starts_with("seq}") {
                    rest.nth(3);
                    pieces.push(Piece::Number);
                } else {
                    pieces.push(Piece::Selected(Selector::read(&mut rest, '}')?.0));
                }
            }
            _ => plain.push(letter),
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

impl Names {
    /// What stands in braces, but for the number.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Selected(selector) => Some(selector),
            _ => None,
        })
    }

    /// Where the number stands in a part of the path, if there is one.
    pub(super) fn numbered(&self) -> Option<Numbered<'_>> {
        let at = self.pieces.iter().position(|it| *it == Piece::Number)?;
        // Text never follows text, so that nothing or a selected piece is beyond it.
        let (before, starts) = match &self.pieces[..at] {
            [] => ("", true),
            [Piece::Text(text)] => (text.as_str(), true),
            [.., Piece::Text(text)] => (text.as_str(), text.contains('/')),
            _ => ("", false),
        };
        let (after, ends) = match &self.pieces[at + 1..] {
            [] => ("", true),
            [Piece::Text(text)] => (text.as_str(), true),
            [Piece::Text(text), ..] => (text.as_str(), text.contains('/')),
            _ => ("", false),
        };
        Some(Numbered {
            before: before.rsplit('/').next().unwrap_or_default(),
            starts,
            after: after.split('/').next().unwrap_or_default(),
            ends,
        })
    }

    /// The parts of the path below the folder; there is one at least.
    pub(super) fn path(&self, message: &Message, number: u64) -> Vec<String> {
        let mut parts = vec![String::new()];
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => {
                    push_levels(text, &mut parts, |level, part| part.push_str(level))
                }
                Piece::Number => push_levels(&number.to_string(), &mut parts, encode),
                Piece::Selected(selector) => {
                    let text = match selector.find(message, true) {
                        None | Some(Found::Delta) => String::new(),
                        Some(Found::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                        Some(Found::Text(text) | Found::Number(text)) => text.into_owned(),
                        Some(Found::Instead(text)) => text.to_owned(),
                        Some(Found::Time(time)) => compact(time),
                    };
                    match selector.is_topic() {
                        true => push_levels(path_of(message, &text), &mut parts, encode),
                        // One level, whatever it holds.
                        false => parts
                            .last_mut()
                            .into_iter()
                            .for_each(|part| encode(&text, part)),
                    }
                }
            }
        }
        if parts.len() > DEEPEST {
            let rest = parts.split_off(DEEPEST - 1).join("%2F");
            parts.push(rest);
        }
        parts.into_iter().map(safe).collect()
    }
}

/// Every path of CoAP begins with a slash, which says nothing.
fn path_of<'a>(message: &Message, topic: &'a str) -> &'a str {
    match &message.detail {
        Detail::Coap(_) => topic.strip_prefix('/').unwrap_or(topic),
        Detail::Plain | Detail::Mqtt(_) | Detail::Amqp(_) => topic,
    }
}

/// Appends text whose slashes divide it.
fn push_levels(text: &str, parts: &mut Vec<String>, push: impl Fn(&str, &mut String)) {
    for (at, level) in text.split('/').enumerate() {
        if at > 0 {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            push(level, part);
        }
    }
}

/// Appends a value without anything that has a meaning in a path or on a terminal.
fn encode(value: &str, into: &mut String) {
    for letter in value.chars() {
        if !drives_terminal(letter) && !matches!(letter, '/' | '%') {
            into.push(letter);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in letter.encode_utf8(&mut bytes).bytes() {
            // Writing to a String cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// A part that names a file in its folder, and is not too long.
fn safe(part: String) -> String {
    match &*part {
        "" => return String::from("%"),
        "." => return String::from("%2E"),
        ".." => return String::from("%2E%2E"),
        _ if part.len() <= LONGEST => return part,
        _ => {}
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, part.as_bytes());
    let mark = data_encoding::HEXLOWER.encode(&digest.as_ref()[..8]);
    let end = part.floor_char_boundary(LONGEST - 18);
    format!("{}%~{mark}", &part[..end])
}

/// A time for names: `20261120T210000.123456Z`.
pub(super) fn compact(time: SystemTime) -> String {
    let moment = Timestamp::try_from(time).unwrap_or_default();
    moment.strftime("%Y%m%dT%H%M%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn names(text: &str) -> Names {
        match text.parse().unwrap() {
            Name::Names(names) => names,
            Name::Plain(path) => panic!("{path:?}"),
        }
    }

    fn path(text: &str, topic: &str, payload: &'static str) -> String {
        let message = Message {
            time: UNIX_EPOCH + Duration::from_micros(1),
            topic: topic.into(),
            payload: payload.into(),
            ..Message::default()
        };
        names(text).path(&message, 7).join("|")
    }

    #[test]
    fn a_folder_is_what_stands_before_the_first_brace() {
        for (text, folder) in [
            ("out/{topic}/{seq}.bin", "out/"),
            ("/var/x-{seq}", "/var/"),
            ("{seq}", "."),
            ("a/b/c{seq}/d", "a/b/"),
        ] {
            assert_eq!(names(text).folder, PathBuf::from(folder), "{text}");
        }
        assert_eq!("a{{b}}/c".parse(), Ok(Name::Plain("a{b}/c".into())));
        for (text, why) in [
            ("", "the name is empty"),
            ("a}", "there is a } without {; write }} for the character"),
            ("{n", "{n has no closing brace"),
            ("{}", "a name is missing"),
        ] {
            assert_eq!(text.parse::<Name>(), Err(why.into()), "{text}");
        }
    }

    #[test]
    fn names_say_what_the_message_says() {
        assert_eq!(path("out/{topic}/{seq}.bin", "a/b c", ""), "a|b c|7.bin");
        assert_eq!(
            path("x-{seq}-{time}", "a", ""),
            "x-7-19700101T000000.000001Z"
        );
        assert_eq!(
            path("{/id|\"none\"}.json", "a", "{\"id\":\"d/1\"}"),
            "d%2F1.json"
        );
        assert_eq!(path("{/id|\"none\"}.json", "a", ""), "none.json");
        assert_eq!(path("{topic}{seq}", "a/", ""), "a|7");
        let coap = Message {
            topic: "/sensors/1".into(),
            detail: Detail::Coap(Box::default()),
            ..Message::default()
        };
        assert_eq!(names("{topic}").path(&coap, 1), ["sensors", "1"]);
    }

    #[test]
    fn the_number_of_a_name_is_found_again() {
        for (text, part, number) in [
            ("out/{topic}/{seq}.bin", "12.bin", Some(12)),
            ("out/{topic}/{seq}.bin", "x12.bin", None),
            ("out/{topic}/{seq}.bin", "12.bin.x", None),
            ("out/{topic}/{seq}.bin", "99999999999999999999.bin", None),
            ("{seq}", "7", Some(7)),
            ("{seq}", "topic", None),
            ("a-{seq}/{topic}", "a-3", Some(3)),
            ("{time}-{seq}.x", "20261120T210000.123456Z-41.x", Some(41)),
            ("{topic}{seq}", "a1b22", Some(22)),
            ("{seq}-{topic}", "5-77", Some(5)),
        ] {
            let names = names(text);
            let numbered = names.numbered().unwrap();
            assert_eq!(numbered.number(part), number, "{text} {part}");
        }
        assert!(names("{topic}").numbered().is_none());
    }

    #[test]
    fn no_name_leaves_the_folder() {
        for (topic, expected) in [
            ("../../etc/passwd", "%2E%2E|%2E%2E|etc|passwd"),
            ("/etc/passwd", "%|etc|passwd"),
            ("a//b", "a|%|b"),
            ("a/./b", "a|%2E|b"),
            ("a/...", "a|..."),
            ("a\0b\x1b\n\u{202e}%2F", "a%00b%1B%0A%E2%80%AE%252F"),
        ] {
            assert_eq!(path("{topic}", topic, ""), expected, "{topic:?}");
        }
        // Also where the pieces make such a part.
        assert_eq!(
            path("{topic}/../.{/x|\".\"}/y", "a", ""),
            "a|%2E%2E|%2E%2E|y"
        );
        let long = path("{topic}.bin", &"ü".repeat(1000), "");
        assert!(long.len() <= LONGEST && long.contains("%~"), "{long}");
        assert_ne!(long, path("{topic}.bin", &"ü".repeat(1001), ""));
        let deep = path("{topic}", &"a/".repeat(10_000), "");
        assert_eq!(deep.matches('|').count(), DEEPEST - 1);
    }
}
