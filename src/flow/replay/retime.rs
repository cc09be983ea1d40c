//! Times within payloads, moved as far as their messages are.

use std::time::SystemTime;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimePrinter, Pieces};
use jiff::tz::Offset;

use crate::payload::pointer;

/// Where a payload has a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retime {
    /// A JSON pointer (RFC 6901), such as `/ts`: RFC 3339, or seconds, milli-, micro- or nanoseconds since 1970.
    pub(crate) pointer: String,
}

impl Retime {
    /// The payload with its time moved as far as from one time to the other; `None`: it has none there.
    pub(super) fn moved(&self, payload: &Bytes, from: SystemTime, to: SystemTime) -> Option<Bytes> {
        let found = pointer::find(payload, &self.pointer)?;
        // It is a part of the payload.
        let start = found.as_ptr() as usize - payload.as_ptr() as usize;
        let distance = nanos(to) - nanos(from);
        let moved = match found.strip_prefix('"') {
            Some(quoted) => format!("\"{}\"", text(quoted.strip_suffix('"')?, distance)?),
            None => number(found, distance)?,
        };
        let (before, behind) = (&payload[..start], &payload[start + found.len()..]);
        Some([before, moved.as_bytes(), behind].concat().into())
    }
}

/// Nanoseconds since 1970.
fn nanos(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

/// A time as RFC 3339 has it, with the same offset and as many decimals.
fn text(text: &str, distance: i128) -> Option<String> {
    let time: Timestamp = text.parse().ok()?;
    let moved = Timestamp::from_nanosecond(time.as_nanosecond() + distance).ok()?;
    let decimals = text.split_once('.').map_or(0, |(_, behind)| {
        behind.bytes().take_while(u8::is_ascii_digit).count()
    });
    // There are no more than nine.
    let printer = DateTimePrinter::new().precision(Some(decimals.min(9) as u8));
    let offset = Pieces::parse(text).ok()?.to_numeric_offset();
    Some(match offset {
        Some(offset) if offset != Offset::UTC => {
            printer.timestamp_with_offset_to_string(&moved, offset)
        }
        _ => printer.timestamp_to_string(&moved),
    })
}

/// A number since 1970 in the unit that its size tells, with as many decimals.
fn number(text: &str, distance: i128) -> Option<String> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let scale = 10_i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let value: i128 = [whole, decimals].concat().parse().ok()?;
    // The unit in nanoseconds: up to the year 5138 each is told from the next.
    let unit = match (value / scale).unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let moved = value.checked_add(distance.checked_mul(scale)?.div_euclid(unit))?;
    if decimals.is_empty() {
        return Some(moved.to_string());
    }
    let sign = if moved < 0 { "-" } else { "" };
    let (whole, rest) = ((moved / scale).abs(), (moved % scale).abs());
    Some(format!(
        "{sign}{whole}.{rest:0>width$}",
        width = decimals.len()
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn moved(payload: &'static str, pointer: &str, by: Duration) -> Option<String> {
        let retime = Retime {
            pointer: pointer.into(),
        };
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let moved = retime.moved(&Bytes::from_static(payload.as_bytes()), from, from + by)?;
        Some(String::from_utf8(moved.to_vec()).unwrap())
    }

    #[test]
    fn every_spelling_is_kept() {
        let by = Duration::from_millis(61_500);
        for (before, behind) in [
            (
                r#""2026-11-20T21:00:00.25Z""#,
                r#""2026-11-20T21:01:01.75Z""#,
            ),
            (r#""2026-11-20T21:00:00Z""#, r#""2026-11-20T21:01:01Z""#),
            (
                r#""2026-11-20T21:00:00.000+01:00""#,
                r#""2026-11-20T21:01:01.500+01:00""#,
            ),
            ("1764000000", "1764000061"),
            ("1764000000.000000", "1764000061.500000"),
            ("1764000000123", "1764000061623"),
            ("1764000000123456", "1764000061623456"),
            ("1764000000123456789", "1764000061623456789"),
        ] {
            let payload: &'static str = format!(r#"{{"v": 1.50, "ts":{before} }}"#).leak();
            let wanted = format!(r#"{{"v": 1.50, "ts":{behind} }}"#);
            assert_eq!(moved(payload, "/ts", by), Some(wanted));
        }
        assert_eq!(moved("1764000000", "", by).as_deref(), Some("1764000061"));
    }

    #[test]
    fn what_is_no_time_is_left_alone() {
        for payload in [
            "21.5",
            r#"{"v":1}"#,
            r#"{"ts":"soon"}"#,
            r#"{"ts":null}"#,
            r#"{"ts":[1]}"#,
            r#"{"ts":1e9}"#,
            r#"{"ts":99999999999999999999999999999999999999999}"#,
        ] {
            assert_eq!(
                moved(payload, "/ts", Duration::from_secs(1)),
                None,
                "{payload}"
            );
        }
    }

    #[test]
    fn times_before_1970_and_backwards() {
        assert_eq!(number("-1.5", 2_000_000_000).as_deref(), Some("0.5"));
        assert_eq!(number("0.5", -2_000_000_000).as_deref(), Some("-1.5"));
    }
}
