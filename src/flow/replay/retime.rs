//! Times within payloads, moved as far as their messages are.

use std::time::SystemTime;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimePrinter, Pieces};
use jiff::tz::Offset;
use serde_json::Value;

use crate::message::Message;
use crate::payload::jq::Input;
use crate::payload::map::Map;
use crate::payload::{media, pointer};

/// Where a payload has times.
#[derive(Clone, Debug)]
pub(crate) enum Retime {
    /// At a JSON pointer (RFC 6901), such as `/ts`: RFC 3339, or seconds, milli-, micro- or nanoseconds since 1970.
    Pointer(String),
    /// Wherever an expression puts them: `$time` is when the message was recorded, and `now` when it is sent.
    Map(Map),
}

impl Retime {
    /// Moves the times of a message as far as from one time to the other; what has none there stays as it is.
    ///
    /// # Errors
    /// The expression fails on this message, or has no output, or several.
    pub(super) fn retime(
        &self,
        message: &mut Message,
        from: SystemTime,
        to: SystemTime,
    ) -> Result<(), String> {
        match self {
            Self::Pointer(pointer) => {
                if let Some(moved) = moved(&message.payload, pointer, from, to) {
                    message.payload = moved;
                }
            }
            Self::Map(map) => {
                let json = media::json_text(message, None);
                let json: Option<Value> = json.and_then(|it| serde_json::from_slice(&it).ok());
                let input = Input {
                    message,
                    captures: None,
                    now: Some(to),
                };
                let [made] = <[Message; 1]>::try_from(map.apply(input, json.as_ref())?)
                    .map_err(|made| format!("--retime has {} outputs, and not one", made.len()))?;
                message.payload = made.payload;
            }
        }
        Ok(())
    }
}

/// The payload with the time at a pointer moved; `None`: it has none there.
fn moved(payload: &Bytes, pointer: &str, from: SystemTime, to: SystemTime) -> Option<Bytes> {
    let found = pointer::find(payload, pointer)?;
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
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let payload = Bytes::from_static(payload.as_bytes());
        let moved = super::moved(&payload, pointer, from, from + by)?;
        Some(String::from_utf8(moved.to_vec()).unwrap())
    }

    #[cfg(feature = "jq")]
    #[test]
    fn an_expression_moves_what_it_will() {
        let from = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_500);
        let retimed = |words: &str, payload: &'static str| {
            let mut message = Message {
                time: from,
                payload: Bytes::from_static(payload.as_bytes()),
                ..Message::default()
            };
            let retime = Retime::Map(words.parse().unwrap());
            let to = from + Duration::from_secs(60);
            retime.retime(&mut message, from, to)?;
            Ok(String::from_utf8(message.payload.to_vec()).unwrap())
        };
        let both = "jq: (now - ($time | fromdate)) as $by | .a += $by | .b[].t += $by";
        let payload = r#"{"a":5,"b":[{"t":6},{"t":7.5}]}"#;
        let moved: Result<_, String> = retimed(both, payload);
        let moved: Value = serde_json::from_str(&moved.unwrap()).unwrap();
        let wanted = serde_json::json!({"a": 65.0, "b": [{"t": 66.0}, {"t": 67.5}]});
        assert_eq!(moved, wanted);
        let none = retimed("jq: empty", payload).unwrap_err();
        assert_eq!(none, "--retime has 0 outputs, and not one");
        assert!(retimed("jq: .a.b", payload).is_err());
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
