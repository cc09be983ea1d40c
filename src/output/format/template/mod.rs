//! `-F`: mosquitto's format language, parsed once and filled per message.
//!
//! | sequence | stands for | sequence | stands for |
//! |---|---|---|---|
//! | `%p` | payload | `%t` | topic |
//! | `%x` `%X` | payload in hexadecimal digits | `%l` | length of the payload in bytes |
//! | `%f` `%d` | payload as a 4-byte float, an 8-byte double | `%q` `%r` `%m` | QoS, retain (0, 1), packet identifier |
//! | `%j` | JSON with the payload as text | `%J` | JSON with the payload embedded |
//! | `%I` | local time, `2026-11-20T21:00:00+0000` | `%U` | Unix time with nanoseconds |
//! | `%C` | content type | `%R` | response topic |
//! | `%D` | correlation data | `%P` | user properties, `k:v k:v` |
//! | `%A` | topic alias | `%S` | first subscription identifier |
//! | `%E` | message expiry interval | `%F` | payload format indicator |
//! | `@X` | strftime's `%X` in local time | `@N` | nanoseconds, nine digits |
//! | `%%` `@@` | `%` `@` | `\\ \0 \a \e \n \r \t \v` | as in C; `\e` is ESC |
//!
//! Of our own is `%{NAME}`: a field of the message, or what a JSON pointer finds in its payload (see
//! [`select`](crate::payload::select)). Only `{x` and `{X` are mosquitto's: hexadecimal digits with a brace between groups.
//!
//! Between `%` and the letter may stand `-` (left-aligned), `0` (padded with zeros), a width and
//! `.precision`. The precision is the most characters of a text, the decimals of `%f` and `%d` (6), and
//! the digits of a group in `%x`, which a space or the character after the precision separates:
//! `%.2x` is `32 31`, `%.2:x` is `32:31`. The width of `%p` and `%x` is also the most bytes shown.
//!
//! A property that is not there is shown as blanks of the width. `%f` and `%d` read the
//! little-endian bytes of a number and show nothing for a payload of another length. `%J` shows a
//! payload that is not JSON as `%j` does. Times are the message's own.

mod fill;
mod json;
mod moment;
mod parse;

use std::str::FromStr;

use crate::error::Error;
use crate::payload::select::Selector;

pub(super) use fill::Filled;
pub use parse::Flaw;

/// A format in mosquitto's language: read from text, then filled by every message.
///
/// A new one ends each message with a line feed and has no indentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// A line feed follows each message, as mosquitto_sub has it without `-N`.
    pub newline: bool,
    /// `%j` and `%J` are indented over several lines (`--pretty`).
    pub pretty: bool,
    /// `%{time}` is local, with its offset from UTC (`--local-time`).
    pub local: bool,
    parts: Vec<Part>,
}

impl Template {
    /// What stands in braces.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        self.parts.iter().filter_map(|part| match part {
            Part::Selected(selector, _) => Some(selector),
            _ => None,
        })
    }

    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        Ok(Self {
            newline: true,
            pretty: false,
            local: false,
            parts: parse::parse(text)?,
        })
    }
}

impl FromStr for Template {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text).map_err(|flaw| Error::usage(format!("in the format, {flaw}")))
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Bytes as they are.
    Text(Vec<u8>),
    /// A part of the message.
    Field(Field, Layout),
    /// What stands in braces.
    Selected(Selector, Layout),
    /// A strftime conversion, `%` included.
    Clock(String),
    /// The nanoseconds of the second.
    Nanos,
}

/// What a `%` sequence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    TopicAlias,
    ContentType,
    Double,
    CorrelationData,
    MessageExpiry,
    Float,
    PayloadFormat,
    LocalTime,
    Json,
    JsonEmbedded,
    Length,
    PacketId,
    UserProperties,
    Payload,
    Qos,
    ResponseTopic,
    Retain,
    SubscriptionId,
    Topic,
    UnixTime,
    HexLower,
    HexUpper,
}

/// How a `%` sequence is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Layout {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    /// Stands between the groups of hexadecimal digits.
    separator: Option<u8>,
}

#[cfg(test)]
mod tests;
