//! Reads a template's text.

use std::str::Chars;

use jiff::Timestamp;

use crate::payload::select::Selector;

use super::{Field, Layout, Part};

/// No terminal is wider, and no template may make a message huge.
const WIDEST: usize = 9_999;

/// What may separate groups of hexadecimal digits.
const SEPARATORS: &str = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~ ";

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A sequence that has no end.
    #[error("\"{0}\" is incomplete")]
    Incomplete(String),
    /// A sequence that means nothing.
    #[error("\"{0}\" is unknown")]
    Unknown(String),
    /// A layout that makes no sense.
    #[error("{0}")]
    Layout(String),
}

/// The conversions of strftime that the C library knows.
const CLOCK: &str = "aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%";

/// The parts of `text`.
///
/// # Errors
/// The sequence that is unknown or incomplete.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, Flaw> {
    let mut parts = Parts::default();
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '%' => percent(&mut rest, &mut parts)?,
            '@' => clock(&mut rest, &mut parts)?,
            '\\' => parts.text(escape(&mut rest)?),
            _ => parts.text(letter),
        }
    }
    Ok(parts.0)
}

/// The parts so far; neighbouring characters are one part.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, letter: char) {
        let mut buffer = [0; 4];
        let bytes = letter.encode_utf8(&mut buffer).as_bytes();
        if let Some(Part::Text(text)) = self.0.last_mut() {
            text.extend_from_slice(bytes);
        } else {
            self.0.push(Part::Text(bytes.to_vec()));
        }
    }
}

fn percent(rest: &mut Chars<'_>, parts: &mut Parts) -> Result<(), Flaw> {
    let start = rest.as_str();
    let layout = layout(rest)?;
    let letter = rest.next();
    let sequence = &start[..start.len() - rest.as_str().len()];
    let Some(letter) = letter else {
        return Err(Flaw::Incomplete(format!("%{sequence}")));
    };
    if letter == '%' {
        parts.text('%');
        return Ok(());
    }
    if letter == '{' {
        parts.0.push(selected(rest, layout)?);
        return Ok(());
    }
    let field = field(letter).ok_or_else(|| Flaw::Unknown(format!("%{sequence}")))?;
    if layout.separator.is_some() && !matches!(field, Field::HexLower | Field::HexUpper) {
        return Err(Flaw::Layout(format!(
            "\"%{sequence}\": only %x and %X have a separator"
        )));
    }
    parts.0.push(Part::Field(field, layout));
    Ok(())
}

/// What stands in braces, which has been opened.
fn selected(rest: &mut Chars<'_>, layout: Layout) -> Result<Part, Flaw> {
    let start = rest.as_str();
    if !start.contains('}') {
        return Err(Flaw::Incomplete(format!("%{{{start}")));
    }
    let mut ahead = rest.clone().peekable();
    let selector = Selector::read(&mut ahead, '}');
    let left: usize = ahead.map(char::len_utf8).sum();
    let (words, after) = start.split_at(start.len() - left);
    *rest = after.chars();
    let selector = selector
        .map(|(selector, _)| selector)
        .map_err(|why| Flaw::Layout(format!("\"%{{{words}\": {why}")))?;
    Ok(Part::Selected(selector, layout))
}

fn layout(rest: &mut Chars<'_>) -> Result<Layout, Flaw> {
    let left = take(rest, |letter| letter == '-').is_some();
    let zeros = take(rest, |letter| letter == '0').is_some();
    let width = number(rest)?.unwrap_or(0);
    let precision = match take(rest, |letter| letter == '.') {
        Some(_) => Some(number(rest)?.unwrap_or(0)),
        None => None,
    };
    let mut ahead = rest.as_str().chars().skip(1);
    let is_brace = rest.as_str().starts_with('{') && !matches!(ahead.next(), Some('x' | 'X'));
    let separator = take(rest, |letter| !is_brace && SEPARATORS.contains(letter));
    Ok(Layout {
        left,
        zeros,
        width,
        precision,
        // All separators are ASCII.
        separator: separator.map(|letter| letter as u8),
    })
}

fn take(rest: &mut Chars<'_>, wanted: impl Fn(char) -> bool) -> Option<char> {
    let mut ahead = rest.clone();
    let letter = ahead.next().filter(|&letter| wanted(letter))?;
    *rest = ahead;
    Some(letter)
}

fn number(rest: &mut Chars<'_>) -> Result<Option<usize>, Flaw> {
    let mut number = None;
    while let Some(digit) = take(rest, |letter| letter.is_ascii_digit()) {
        // The digits of one number; the check below keeps it small.
        let value = number.unwrap_or(0) * 10 + (digit as usize - '0' as usize);
        if value > WIDEST {
            let text = format!("a width or precision is over {WIDEST}");
            return Err(Flaw::Layout(text));
        }
        number = Some(value);
    }
    Ok(number)
}

const fn field(letter: char) -> Option<Field> {
    Some(match letter {
        'A' => Field::TopicAlias,
        'C' => Field::ContentType,
        'd' => Field::Double,
        'D' => Field::CorrelationData,
        'E' => Field::MessageExpiry,
        'f' => Field::Float,
        'F' => Field::PayloadFormat,
        'I' => Field::LocalTime,
        'j' => Field::Json,
        'J' => Field::JsonEmbedded,
        'l' => Field::Length,
        'm' => Field::PacketId,
        'P' => Field::UserProperties,
        'p' => Field::Payload,
        'q' => Field::Qos,
        'R' => Field::ResponseTopic,
        'r' => Field::Retain,
        'S' => Field::SubscriptionId,
        't' => Field::Topic,
        'U' => Field::UnixTime,
        'x' => Field::HexLower,
        'X' => Field::HexUpper,
        _ => return None,
    })
}

fn clock(rest: &mut Chars<'_>, parts: &mut Parts) -> Result<(), Flaw> {
    match rest.next() {
        None => return Err(Flaw::Incomplete(String::from("@"))),
        Some('@') => parts.text('@'),
        Some('N') => parts.0.push(Part::Nanos),
        Some(letter) => {
            let conversion = format!("%{letter}");
            let known = CLOCK.contains(letter)
                && super::moment::strftime(&conversion, &Timestamp::UNIX_EPOCH.to_zoned(UTC))
                    .is_some();
            if !known {
                return Err(Flaw::Unknown(format!("@{letter}")));
            }
            parts.0.push(Part::Clock(conversion));
        }
    }
    Ok(())
}

/// Any time zone will do to try a conversion.
const UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;

fn escape(rest: &mut Chars<'_>) -> Result<char, Flaw> {
    Ok(match rest.next() {
        Some('\\') => '\\',
        Some('0') => '\0',
        Some('a') => '\x07',
        Some('e') => '\x1b',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('v') => '\x0b',
        Some(letter) => return Err(Flaw::Unknown(format!("\\{letter}"))),
        None => return Err(Flaw::Incomplete(String::from("\\"))),
    })
}
