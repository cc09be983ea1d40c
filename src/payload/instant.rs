//! When something was, as a message says it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Up to these a number counts seconds, milliseconds and microseconds since 1970, until the year 5138; above them nanoseconds.
const UNITS: [(f64, u32); 3] = [(1e11, 9), (1e14, 6), (1e17, 3)];

/// A time as ISO 8601 has it, UTC unless it says otherwise; or a number since 1970, whose unit is told by its magnitude.
pub fn read(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    if let Some(time) = as_recorded(text) {
        return Some(time.into());
    }
    if let Some(nanos) = nanoseconds(text) {
        let magnitude = Duration::from_nanos(u64::try_from(nanos.unsigned_abs()).ok()?);
        return match nanos < 0 {
            true => UNIX_EPOCH.checked_sub(magnitude),
            false => UNIX_EPOCH.checked_add(magnitude),
        };
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.into());
    }
    let civil: DateTime = text.parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(civil).ok()?.into())
}

/// `2026-01-02T03:04:05.123456Z`, which is how almost all times come: the full grammar takes five times as long.
fn as_recorded(text: &str) -> Option<Timestamp> {
    let (second, fraction) = text.strip_suffix('Z')?.split_at_checked(19)?;
    let [
        year @ ..,
        b'-',
        m1,
        m0,
        b'-',
        d1,
        d0,
        b'T',
        h1,
        h0,
        b':',
        n1,
        n0,
        b':',
        s1,
        s0,
    ] = second.as_bytes()
    else {
        return None;
    };
    let two = |tens: &u8, ones: &u8| number(&[*tens, *ones]).and_then(|it| i8::try_from(it).ok());
    let nanos = match fraction.as_bytes() {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10i32.pow(9 - digits.len() as u32)
        }
        _ => return None,
    };
    let (month, day) = (two(m1, m0)?, two(d1, d0)?);
    let (hour, minute, second) = (two(h1, h0)?, two(n1, n0)?, two(s1, s0)?);
    let year = number(year)?.try_into().ok()?;
    let civil = DateTime::new(year, month, day, hour, minute, second, nanos).ok()?;
    Offset::UTC.to_timestamp(civil).ok()
}

/// Up to nine decimal digits.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i32::from(digit - b'0'))?;
        Some(number * 10 + digit)
    })
}

/// The nanoseconds since 1970 that a number means.
fn nanoseconds(text: &str) -> Option<i128> {
    let magnitude = text.parse::<f64>().ok().filter(|it| it.is_finite())?.abs();
    let unit = UNITS.iter().find(|(most, _)| magnitude < *most);
    let power = unit.map_or(0, |(_, power)| *power);
    if text.contains(['e', 'E']) {
        // A double has no more digits than this.
        return Some((text.parse::<f64>().ok()? * 10f64.powi(power.cast_signed())) as i128);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).collect();
    let digits = &digits[..power as usize];
    let number = format!("{whole}{digits}").parse::<i128>().ok()?;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_told_by_the_magnitude() {
        let expected = UNIX_EPOCH + Duration::from_nanos(1_795_208_400_123_456_789);
        let micros = UNIX_EPOCH + Duration::from_micros(1_795_208_400_123_456);
        let millis = UNIX_EPOCH + Duration::from_millis(1_795_208_400_123);
        let seconds = UNIX_EPOCH + Duration::from_secs(1_795_208_400);
        for (text, time) in [
            ("1795208400", seconds),
            ("1795208400.123", millis),
            ("1795208400.1234567899", expected),
            ("1795208400123", millis),
            ("1795208400123.456", micros),
            ("1795208400123456", micros),
            ("1795208400123456789", expected),
            ("1.7952084e9", seconds),
            ("2026-11-20T21:00:00Z", seconds),
            ("2026-11-20T22:00:00+01:00", seconds),
            ("2026-11-20 21:00:00", seconds),
            ("2026-11-20T21:00:00.123", millis),
            ("0", UNIX_EPOCH),
            ("-1", UNIX_EPOCH - Duration::from_secs(1)),
        ] {
            assert_eq!(read(text), Some(time), "{text}");
        }
        for text in [
            "",
            "now",
            "NaN",
            "inf",
            "1e300",
            "2026-13-01T00:00:00Z",
            "12:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_short_way_agrees_with_the_grammar() {
        for text in [
            "2026-01-02T03:04:05Z",
            "2024-02-29T23:59:59.1Z",
            "2023-02-29T23:59:59Z",
            "1969-12-31T23:59:59.999999999Z",
            "0000-01-01T00:00:00.5Z",
            "2026-01-02T03:04:05.123456Z",
            "2026-01-02T24:04:05Z",
            "2026-00-02T03:04:05Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05.1234567890Z",
            "2026-01-02T03:04:+5Z",
            "2026-01-02T03:04:0\u{e4}Z",
        ] {
            assert_eq!(as_recorded(text), text.parse().ok(), "{text}");
        }
    }
}
