//! Numbers as people write them: `10k`, `64KiB`, `250ms`, `1m30s`; plain numbers are units or seconds.
//!
//! One type for each syntax. All are read exactly, in integers, and refused rather than rounded
//! to something else.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// A count: `5`, `10k`, `1.5M`, `2G` (powers of 1,000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Count(pub(crate) u64);

/// A number of bytes: `65536`, `64KiB`, `64Ki`, `1.5MB`, `10k` (powers of 1,000; with `i`, of 1,024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

/// A length of time: `5` and `0.5` are seconds; `250ms`, `1m30s`, `2h`, `1day`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) Duration);

/// A length of time greater than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wait(pub(crate) Duration);

/// A limit in time that can be lifted: a [`Wait`], or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts(pub(crate) Option<Duration>);

/// Whole seconds on the wire, `u32::MAX` standing for `never` (MQTT 5.0 §3.1.2.11.2): a [`Span`], `never`, `-1` or `∞`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiry(pub(crate) u32);

const COUNTS: &[(&str, u128)] = &[
    ("", 1),
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
];

const SIZES: &[(&str, u128)] = &[
    ("", 1),
    ("b", 1),
    ("k", 1_000),
    ("kb", 1_000),
    ("m", 1_000_000),
    ("mb", 1_000_000),
    ("g", 1_000_000_000),
    ("gb", 1_000_000_000),
    ("ki", 1 << 10),
    ("kib", 1 << 10),
    ("mi", 1 << 20),
    ("mib", 1 << 20),
    ("gi", 1 << 30),
    ("gib", 1 << 30),
];

/// In nanoseconds. What is not here, such as `1m30s`, humantime reads.
const SPANS: &[(&str, u128)] = &[
    ("", 1_000_000_000),
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

impl FromStr for Count {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        exactly(word, COUNTS)
            .and_then(|count| u64::try_from(count).ok())
            .map(Self)
            .ok_or("expected a whole number such as 5, 10k or 1M")
    }
}

/// Reads a whole number within `range`, and says so of what is none.
pub(crate) fn whole<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + fmt::Display + Clone + Send + Sync + 'static,
{
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| format!("expected a whole number from {least} to {most}"))
    }
}

/// Any number, which may have a fraction.
pub(crate) fn number(word: &str) -> Result<f64, String> {
    word.parse()
        .map_err(|_| format!("{word:?} is not a number"))
}

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        exactly(&word.to_ascii_lowercase(), SIZES)
            .and_then(|size| u64::try_from(size).ok())
            .map(Self)
            .ok_or("expected a number of bytes such as 65536, 64KiB or 1MB")
    }
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        exactly(word, SPANS)
            .and_then(from_nanos)
            .or_else(|| humantime::parse_duration(word).ok())
            .map(Self)
            .ok_or("expected a time such as 5, 0.5, 250ms or 1m30s; a plain number is seconds")
    }
}

impl FromStr for Wait {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.parse()? {
            Span(Duration::ZERO) => Err("it must be more than 0"),
            Span(wait) => Ok(Self(wait)),
        }
    }
}

/// How often a table is printed.
pub(crate) fn interval(word: &str) -> Result<Duration, &'static str> {
    match word.parse()? {
        Wait(every) if every < Duration::from_millis(100) => {
            Err("a table is printed every 100ms at most")
        }
        Wait(every) => Ok(every),
    }
}

impl FromStr for Timeouts {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "never" => Ok(Self(None)),
            word => word.parse().map(|Wait(wait)| Self(Some(wait))),
        }
    }
}

impl FromStr for Expiry {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if matches!(word, "never" | "-1" | "∞") {
            return Ok(Self(u32::MAX));
        }
        let Span(span) = word.parse()?;
        if span.subsec_nanos() != 0 {
            return Err("it must be a whole number of seconds");
        }
        match u32::try_from(span.as_secs()) {
            Ok(seconds) if seconds < u32::MAX => Ok(Self(seconds)),
            _ => Err("it must be at most 4294967294 seconds; use `never` for no expiry"),
        }
    }
}

fn from_nanos(nanos: u128) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanos / SECOND).ok()?;
    let rest = u32::try_from(nanos % SECOND).ok()?;
    Some(Duration::new(seconds, rest))
}

/// `DIGITS[.DIGITS]UNIT` times the unit's size; `None` when it is no such word, no whole number, or too large.
fn exactly(word: &str, units: &[(&str, u128)]) -> Option<u128> {
    let number = word
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(number);
    let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (number, ""),
    };
    if whole.is_empty() || fraction.contains('.') {
        return None;
    }
    let parts = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scaled = digits.checked_mul(*size)?;
    (scaled % parts == 0).then_some(scaled / parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(word: &str) -> Option<u64> {
        word.parse().ok().map(|Count(count)| count)
    }

    fn size(word: &str) -> Option<u64> {
        word.parse().ok().map(|Size(size)| size)
    }

    fn span(word: &str) -> Option<Duration> {
        word.parse().ok().map(|Span(span)| span)
    }

    fn expiry(word: &str) -> Option<u32> {
        word.parse().ok().map(|Expiry(seconds)| seconds)
    }

    #[test]
    fn a_number_that_is_none_or_out_of_range_is_told_the_range() {
        let port = whole(1..=u16::MAX);
        assert_eq!(port("65535"), Ok(65_535));
        for wrong in ["", "abc", "0", "65536", "1.5", "-1"] {
            let told = port(wrong).unwrap_err();
            assert_eq!(told, "expected a whole number from 1 to 65535", "{wrong}");
        }
    }

    #[test]
    fn a_number_is_one_as_a_whole() {
        assert_eq!(number("-3.5"), Ok(-3.5));
        assert_eq!(number("30C"), Err(String::from("\"30C\" is not a number")));
    }

    #[test]
    fn counts() {
        assert_eq!(count("0"), Some(0));
        assert_eq!(count("5"), Some(5));
        assert_eq!(count("10k"), Some(10_000));
        assert_eq!(count("1.5M"), Some(1_500_000));
        assert_eq!(count("18446744073709551615"), Some(u64::MAX));
        for wrong in [
            "", "k", ".5k", "5.", "1.2.3", "0.5", "-1", "+1", "5x", "1 k",
        ] {
            assert_eq!(count(wrong), None, "{wrong}");
        }
        assert_eq!(count("18446744073709551616"), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(size("65536"), Some(65_536));
        assert_eq!(size("64KiB"), Some(65_536));
        assert_eq!(size("64ki"), Some(65_536));
        assert_eq!(size("1.5MB"), Some(1_500_000));
        assert_eq!(size("256MiB"), Some(268_435_456));
        assert_eq!(size("10k"), Some(10_000));
        assert_eq!(size("7B"), Some(7));
        for wrong in ["", "KiB", "0.3KiB", "1TiBs", "-5k", "64 KiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn spans() {
        assert_eq!(span("5"), Some(Duration::from_secs(5)));
        assert_eq!(span("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(span("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(span("1.5h"), Some(Duration::from_secs(5400)));
        assert_eq!(span("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(span("1m 30s"), Some(Duration::from_secs(90)));
        assert_eq!(span("2days"), Some(Duration::from_secs(172_800)));
        assert_eq!(span("0"), Some(Duration::ZERO));
        for wrong in ["", "s", "-5", "1e3", "5x", "inf", "0.0000000001"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_wait_is_longer_than_nothing() {
        assert_eq!("1ns".parse(), Ok(Wait(Duration::from_nanos(1))));
        assert_eq!("0".parse::<Wait>(), Err("it must be more than 0"));
    }

    #[test]
    fn patience_can_be_endless() {
        assert_eq!("never".parse(), Ok(Timeouts(None)));
        assert_eq!("3".parse(), Ok(Timeouts(Some(Duration::from_secs(3)))));
        assert!("0".parse::<Timeouts>().is_err());
    }

    #[test]
    fn expiries() {
        assert_eq!(expiry("3600"), Some(3600));
        assert_eq!(expiry("1h"), Some(3600));
        for endless in ["never", "-1", "∞"] {
            assert_eq!(expiry(endless), Some(u32::MAX));
        }
        assert_eq!(expiry("4294967294"), Some(u32::MAX - 1));
        for wrong in ["4294967295", "1.5", "-2", ""] {
            assert_eq!(expiry(wrong), None, "{wrong}");
        }
    }
}
