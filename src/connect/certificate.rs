//! The few fields of an X.509 certificate that an error message needs (RFC 5280 §4.1).
//!
//! Nothing is verified here: rustls does that. These are for telling the user what was wrong.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::pki_types::UnixTime;

/// A certificate's outer fields, as DER slices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Certificate<'a> {
    version_1: bool,
    pub(super) issuer: &'a [u8],
    validity: &'a [u8],
    pub(super) subject: &'a [u8],
}

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xA0;

/// Attribute types of a name (RFC 5280 §4.1.2.4): 2.5.4.x, with the letters people know them by.
const ATTRIBUTES: [(&[u8], &str); 3] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x0A], "O"),
    (&[0x55, 0x04, 0x0B], "OU"),
];

impl<'a> Certificate<'a> {
    /// Finds the fields; `None` when `der` is no certificate.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut fields = Der(Der(Der(der).expect(SEQUENCE)?).expect(SEQUENCE)?);
        let version_1 = fields.peek()? != VERSION;
        if !version_1 {
            fields.expect(VERSION)?;
        }
        fields.expect(INTEGER)?;
        fields.expect(SEQUENCE)?;
        Some(Self {
            version_1,
            issuer: fields.expect(SEQUENCE)?,
            validity: fields.expect(SEQUENCE)?,
            subject: fields.expect(SEQUENCE)?,
        })
    }

    pub(super) const fn is_version_1(&self) -> bool {
        self.version_1
    }

    pub(super) fn is_self_signed(&self) -> bool {
        self.issuer == self.subject
    }

    /// `CN=…`, or what else the issuer is called.
    pub(super) fn issuer_name(&self) -> String {
        name(self.issuer)
    }

    /// From when until when it is valid.
    pub(super) fn validity(&self) -> Option<(UnixTime, UnixTime)> {
        let mut times = Der(self.validity);
        Some((time(times.next()?)?, time(times.next()?)?))
    }
}

fn name(der: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut sets = Der(der);
    while let Some(set) = sets.expect(SET) {
        if let Some(part) = attribute(set) {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        return String::from("without a name");
    }
    parts.join(", ")
}

fn attribute(set: &[u8]) -> Option<String> {
    let mut pair = Der(Der(set).expect(SEQUENCE)?);
    let kind = pair.expect(OBJECT_IDENTIFIER)?;
    let (_, value) = pair.next()?;
    let (_, letters) = ATTRIBUTES.iter().find(|(oid, _)| *oid == kind)?;
    // The name comes from a stranger: what could steer a terminal is left out.
    let text: String = String::from_utf8_lossy(value)
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    Some(format!("{letters}={text}"))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5).
fn time((tag, text): (u8, &[u8])) -> Option<UnixTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let full = match tag {
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let number = |range: std::ops::Range<usize>| full.get(range)?.parse::<i8>().ok();
    let year = full.get(..4)?.parse().ok()?;
    let moment = DateTime::new(
        year,
        number(4..6)?,
        number(6..8)?,
        number(8..10)?,
        number(10..12)?,
        number(12..14)?,
        0,
    )
    .ok()?;
    let seconds = moment.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    Some(UnixTime::since_unix_epoch(Duration::from_secs(
        u64::try_from(seconds).unwrap_or(0),
    )))
}

/// A reader of DER elements, one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7F);
            if count > 4 || count > rest.len() {
                return None;
            }
            let (digits, rest) = rest.split_at(count);
            (
                digits
                    .iter()
                    .fold(0, |sum, &digit| sum << 8 | usize::from(digit)),
                rest,
            )
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The next element's content if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|(found, _)| *found == tag)
            .map(|(_, content)| content)
    }
}
