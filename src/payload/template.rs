//! Bodies that differ from message to message: a text with places to fill in.
//!
//! | place | what it becomes |
//! |---|---|
//! | `{client}` | the number of the sender |
//! | `{seq}` | the number of its message |
//! | `{time}` | the time now: RFC 3339, UTC, in milliseconds |
//! | `{unix_ms}` | the same in milliseconds since 1970 |
//! | `{random:LOW-HIGH}` | a whole number from LOW to HIGH |
//! | `{uuid}` | a random UUID (RFC 9562, version 4) |
//!
//! A text that is filled in for a message has more places, by names that its command knows, such as `{topic}`; and `{/POINTER}`
//! where that message is JSON. A word in braces that is no place is a slip, and `{{word}}` the text `{word}`; all other braces are
//! text, so that JSON needs no escapes.
//!
//! A place whose value is a number may say how it is spelled: `{seq:04}` with zeros up to four characters, `{value:.2}` with two
//! decimals, `{value:06.1}` with both. What is no number stays as it is.

use std::fmt::Write;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::error::{Error, Result, brief, meant};
use crate::random::Random;

/// The places of every text, as hints name them.
const PLACES: [&str; 6] = ["client", "seq", "time", "unix_ms", "uuid", RANDOM];
const RANDOM: &str = "random:LOW-HIGH";

/// A text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Client,
    Sequence,
    Time,
    UnixMilliseconds,
    Random {
        low: u64,
        high: u64,
    },
    Uuid,
    /// Known to the caller.
    Named(String),
    /// Another one, spelled in a way of its own.
    Spelled(Box<Self>, Spelling),
}

/// How a number is spelled: `04`, `.2`, `06.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spelling {
    /// Zeros are put before it up to so many characters.
    width: usize,
    decimals: Option<usize>,
}

impl Spelling {
    /// Each of its numbers has at most two digits.
    fn parse(word: &str) -> Option<Self> {
        let number = |digits: &str| -> Option<usize> {
            let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
            digits.parse().ok().filter(|_| plain && digits.len() <= 2)
        };
        let (whole, decimals) = match word.split_once('.') {
            Some((whole, decimals)) => (whole, Some(number(decimals)?)),
            None => (word, None),
        };
        let width = match whole.strip_prefix('0') {
            Some(width) => number(width)?,
            None if whole.is_empty() && decimals.is_some() => 0,
            None => return None,
        };
        Some(Self { width, decimals })
    }

    /// Spells what stands in `text` from `start` on anew.
    fn apply(self, text: &mut String, start: usize) {
        let found = &text[start..];
        let Some(number) = found.parse().ok().filter(|it: &f64| it.is_finite()) else {
            return;
        };
        if let Some(decimals) = self.decimals {
            text.truncate(start);
            // Writing to a string cannot fail.
            let _ = write!(text, "{number:.decimals$}");
        }
        let missing = self.width.saturating_sub(text.len() - start);
        let signed = text[start..].starts_with(['-', '+']);
        text.insert_str(start + usize::from(signed), &"0".repeat(missing));
    }
}

/// What is filled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filling {
    /// The number of the sender.
    pub client: usize,
    /// The number of its message.
    pub sequence: u64,
    /// Nanoseconds since 1970.
    pub now: u64,
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// As [`Template::with_names`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::with_names(text, |_| false)
    }

    /// Whether `{word}` is filled in wherever it stands.
    pub(crate) fn is_place(word: &str) -> bool {
        piece(word).is_some()
    }

    /// A text without places, whatever is in it.
    pub fn plain(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// Reads a text with places of further names.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] that names a word in braces which is no place.
    pub fn with_names(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Self> {
        Self::read(text, is_name).map_err(unknown)
    }

    /// The same with the word alone as the error.
    fn read(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Self, &str> {
        let plain =
            |word: &str| piece(word).or_else(|| is_name(word).then(|| Piece::Named(word.into())));
        let piece = |word: &str| {
            plain(word).or_else(|| {
                let (word, spelling) = word.rsplit_once(':')?;
                let spelling = Spelling::parse(spelling)?;
                Some(Piece::Spelled(plain(word)?.into(), spelling))
            })
        };
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            let inside = &rest[at + 1..];
            let doubled = inside.strip_prefix('{').and_then(|it| it.split_once("}}"));
            if let Some((word, behind)) = doubled
                && (piece(word).is_some() || is_word(word))
            {
                plain.extend(["{", word, "}"]);
                rest = behind;
                continue;
            }
            match inside
                .split_once('}')
                .map(|(word, rest)| (word, piece(word), rest))
            {
                Some((_, Some(piece), behind)) => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(piece);
                    rest = behind;
                }
                Some((word, None, _)) if is_word(word) => return Err(word),
                _ => {
                    plain.push('{');
                    rest = inside;
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The text, where nothing is filled in.
    pub(super) fn fixed(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Reads a topic, in which no brace is text.
    ///
    /// # Errors
    /// The first place that is not known, in its braces; or the brace that belongs to none.
    pub fn of_topic(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Self, String> {
        let template = Self::read(text, is_name).map_err(|word| format!("{{{word}}}"))?;
        let texts = template.0.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text),
            _ => None,
        });
        for text in texts {
            if let Some(at) = text.find(['{', '}']) {
                let end = text[at..].find('}').map_or(text.len(), |end| at + end + 1);
                return Err(text[at..end].to_owned());
            }
        }
        Ok(template)
    }

    /// Whether anything is filled in.
    pub fn has_places(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// Whether a place with a name is filled in.
    pub fn has_names(&self) -> bool {
        let is_named = |piece: &Piece| match piece {
            Piece::Spelled(piece, _) => matches!(**piece, Piece::Named(_)),
            piece => matches!(piece, Piece::Named(_)),
        };
        self.0.iter().any(is_named)
    }

    /// Appends a body; `random` gives any 64 bits at each call.
    pub fn fill(&self, filling: &Filling, random: impl FnMut() -> u64, into: &mut String) {
        self.fill_names(filling, random, |_, _| {}, into);
    }

    /// The same where `named` appends what is called by a name.
    pub(crate) fn fill_names(
        &self,
        filling: &Filling,
        mut random: impl FnMut() -> u64,
        mut named: impl FnMut(&str, &mut String),
        into: &mut String,
    ) {
        for piece in &self.0 {
            piece.fill(filling, &mut random, &mut named, into);
        }
    }
}

impl Piece {
    fn fill(
        &self,
        filling: &Filling,
        random: &mut impl FnMut() -> u64,
        named: &mut impl FnMut(&str, &mut String),
        into: &mut String,
    ) {
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Text(text) => {
                into.push_str(text);
                Ok(())
            }
            Self::Client => write!(into, "{}", filling.client),
            Self::Sequence => write!(into, "{}", filling.sequence),
            Self::Time => write!(into, "{:.3}", time(filling.now)),
            Self::UnixMilliseconds => write!(into, "{}", filling.now / 1_000_000),
            Self::Random { low, high } => {
                let drawn = random();
                let wide = (high - low).checked_add(1);
                write!(into, "{}", low + wide.map_or(drawn, |wide| drawn % wide))
            }
            Self::Uuid => write_uuid(random(), random(), into),
            Self::Named(name) => {
                named(name, into);
                Ok(())
            }
            Self::Spelled(piece, spelling) => {
                let start = into.len();
                piece.fill(filling, random, named, into);
                spelling.apply(into, start);
                Ok(())
            }
        };
    }
}

/// Fills templates in, one after the other.
#[derive(Debug)]
pub(crate) struct Filler {
    sequence: u64,
    random: Random,
}

impl Filler {
    /// The same texts again for the same seed, but for the time.
    pub(crate) fn seeded(seed: Option<u64>) -> Self {
        Self {
            sequence: 0,
            random: seed.map_or_else(Random::from_system, |seed| Random::new(seed, 0)),
        }
    }

    /// The next text; `named` appends what is called by a name.
    pub(crate) fn fill(
        &mut self,
        template: &Template,
        named: impl FnMut(&str, &mut String),
    ) -> String {
        let text = self.fill_more(template, named);
        self.advance();
        text
    }

    /// What is filled in from now on is for the next message.
    pub(crate) const fn advance(&mut self) {
        self.sequence += 1;
    }

    /// Any 64 bits but zero.
    pub(crate) const fn draw(&mut self) -> u64 {
        self.random.next()
    }

    /// Another text for the same message.
    pub(crate) fn fill_more(
        &mut self,
        template: &Template,
        named: impl FnMut(&str, &mut String),
    ) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let filling = Filling {
            client: 0,
            sequence: self.sequence,
            now: now.map_or(0, |since| since.as_nanos() as u64),
        };
        let mut text = String::new();
        template.fill_names(&filling, || self.random.next(), named, &mut text);
        text
    }
}

impl Default for Filler {
    fn default() -> Self {
        Self::seeded(None)
    }
}

fn piece(word: &str) -> Option<Piece> {
    Some(match word {
        "client" => Piece::Client,
        "seq" => Piece::Sequence,
        "time" => Piece::Time,
        "unix_ms" => Piece::UnixMilliseconds,
        "uuid" => Piece::Uuid,
        _ => {
            let (low, high) = word.strip_prefix("random:")?.split_once('-')?;
            let (low, high) = (low.parse().ok()?, high.parse().ok()?);
            (low <= high).then_some(Piece::Random { low, high })?
        }
    })
}

/// Whether a word in braces can only be meant as a place: JSON and most other formats have none.
fn is_word(word: &str) -> bool {
    let of_name = |it: char| it.is_ascii_alphanumeric() || "_-".contains(it);
    let begins = word.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
    let (name, format) = match word.split_once(':') {
        Some((name, format)) => (name, Some(format)),
        None => (word, None),
    };
    let fits = |format: &str| name == "random" || is_format(format);
    begins && name.chars().all(of_name) && format.is_none_or(fits)
}

/// Whether it is `.2`, `04` or `1-9`, as what follows the colon in a place.
fn is_format(text: &str) -> bool {
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    let range = text.split_once('-');
    is_spelling(text) || range.is_some_and(|(low, high)| is_number(low) && is_number(high))
}

/// Whether it is meant as `.2`, `04` or `06.1`, with however many digits: more than [`Spelling`] takes are a slip.
fn is_spelling(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let has_width = whole.strip_prefix('0').is_some_and(is_digits);
    (has_width || whole.is_empty() && decimals.is_some()) && decimals.is_none_or(is_digits)
}

fn unknown(word: &str) -> Error {
    let near = match word.starts_with("random") {
        true => vec![RANDOM],
        false => meant(word, PLACES),
    };
    let near = near.first().map(|it| format!("did you mean {{{it}}}? "));
    let word = brief(word);
    Error::usage(format!("unknown placeholder {{{word}}}")).hint(format!(
        "{}write {{{{{word}}}}} for the text {{{word}}}",
        near.unwrap_or_default()
    ))
}

fn time(nanoseconds: u64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or_default()
}

fn write_uuid(high: u64, low: u64, into: &mut String) -> std::fmt::Result {
    let high = high & !0xF000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    write!(
        into,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let filling = Filling {
            client: 3,
            sequence: 9,
            now: 1_795_208_400_123_456_789,
        };
        let mut into = String::new();
        let template = Template::parse(text).unwrap();
        template.fill(&filling, || u64::MAX, &mut into);
        into
    }

    #[test]
    fn places_are_filled_in() {
        assert_eq!(
            filled(
                r#"{"id":"d{client}","n":{seq},"t":{random:15-30},"at":"{time}","ms":{unix_ms}}"#
            ),
            r#"{"id":"d3","n":9,"t":30,"at":"2026-11-20T21:00:00.123Z","ms":1795208400123}"#
        );
        assert_eq!(filled("{uuid}"), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            filled("{random:0-18446744073709551615}"),
            u64::MAX.to_string()
        );
    }

    #[test]
    fn names_are_filled_in_by_who_knows_them() {
        let template = Template::with_names("{pin}/{seq}/{{other}}", |name| name == "pin");
        let template = template.unwrap();
        assert!(template.has_names() && !Template::parse("x/{seq}").unwrap().has_names());
        let mut filler = Filler::default();
        let mut fill = |value| filler.fill(&template, |_, into| into.push_str(value));
        assert_eq!(fill("17"), "17/0/{other}");
        assert_eq!(fill("{pin}"), "{pin}/1/{other}");
    }

    #[test]
    fn numbers_are_spelled_as_is_said() {
        assert_eq!(
            filled("{seq:04}|{client:.2}|{unix_ms:02}|{random:1-9:03}|{seq:05.1}"),
            "0009|3.00|1795208400123|007|009.0"
        );
        let template = Template::with_names("{v:.1}/{v:07.2}/{v:04}", |name| name == "v").unwrap();
        assert!(template.has_names());
        let mut filler = Filler::default();
        for (value, text) in [
            ("21.55", "21.6/0021.55/21.55"),
            ("-3", "-3.0/-003.00/-003"),
            ("on", "on/on/on"),
            ("", "//"),
            ("NaN", "NaN/NaN/NaN"),
            (
                "18446744073709551615",
                "18446744073709551616.0/18446744073709551616.00/18446744073709551615",
            ),
        ] {
            assert_eq!(filler.fill(&template, |_, into| into.push_str(value)), text);
        }
    }

    #[test]
    fn no_brace_of_a_topic_is_text() {
        let known = |name: &str| name == "a";
        assert!(Template::of_topic("x/{a}/{a:03}/{seq}", known).is_ok());
        for (text, wrong) in [
            ("x/{b}/y", "{b}"),
            ("x/{a", "{a"),
            ("a}/x", "}"),
            ("x/{a:x}", "{a:x}"),
            ("{{a}}", "{a}"),
        ] {
            assert_eq!(Template::of_topic(text, known), Err(wrong.into()), "{text}");
        }
    }

    #[test]
    fn other_braces_are_text() {
        for text in [
            "{seq:}",
            "{seq:4}",
            "{seq:0x}",
            "{seq:.}",
            "{x:4}",
            "{seq:04:04}",
            "",
            "{",
            "{}",
            "{21}",
            "{{seq",
            "{temp:21}",
            "{ x }",
            "{{ value }}",
            "{x,y}",
            "a}b",
        ] {
            assert_eq!(filled(text), text);
            assert!(!Template::parse(text).unwrap().has_places(), "{text}");
        }
        assert_eq!(filled("{{seq}} {{x}} {{{seq}}}"), "{seq} {x} {{seq}}");
        assert_eq!(filled(r#"{"a":{"b":{seq}}}"#), r#"{"a":{"b":9}}"#);
    }

    #[test]
    fn a_place_that_is_unknown_is_a_slip() {
        for (text, word, near) in [
            ("a/{tiem}", "tiem", "did you mean {time}? "),
            (r#"{"a":{sequence}}"#, "sequence", "did you mean {seq}? "),
            (
                "{random:9-1}",
                "random:9-1",
                "did you mean {random:LOW-HIGH}? ",
            ),
            ("{{seq}} {nothing}", "nothing", ""),
            (r#"{"a":{tiem:.2}}"#, "tiem:.2", ""),
            ("{nothing:04}", "nothing:04", ""),
            ("{seq:.200}", "seq:.200", "did you mean {seq}? "),
            ("{seq:0100}", "seq:0100", "did you mean {seq}? "),
            ("{randm:1-9}", "randm:1-9", ""),
        ] {
            let slip = Template::parse(text).unwrap_err();
            assert_eq!(slip.text(), format!("unknown placeholder {{{word}}}"));
            let hint = format!("{near}write {{{{{word}}}}} for the text {{{word}}}");
            assert_eq!(slip.hint_text(), Some(&*hint));
        }
    }
}
