//! Numbers as people write them in a threshold, by the unit of its quantity.

use crate::bench::report::units;

/// What a quantity is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Milliseconds.
    Time,
    /// Messages, connections, errors.
    Count,
    /// In a second.
    Rate,
    /// Percent.
    Percent,
    /// Bytes.
    Bytes,
}

const TIMES: &[(&str, f64)] = &[
    ("", 1.0),
    ("ns", 1e-6),
    ("us", 1e-3),
    ("µs", 1e-3),
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 60e3),
    ("min", 60e3),
    ("h", 3_600e3),
];

const COUNTS: &[(&str, f64)] = &[("", 1.0), ("k", 1e3), ("K", 1e3), ("M", 1e6), ("G", 1e9)];

const BYTES: &[(&str, f64)] = &[
    ("", 1.0),
    ("b", 1.0),
    ("k", 1e3),
    ("kb", 1e3),
    ("m", 1e6),
    ("mb", 1e6),
    ("g", 1e9),
    ("gb", 1e9),
    ("ki", 1024.0),
    ("kib", 1024.0),
    ("mi", 1_048_576.0),
    ("mib", 1_048_576.0),
    ("gi", 1_073_741_824.0),
    ("gib", 1_073_741_824.0),
];

impl Unit {
    /// The number in this unit; `None` when it is none.
    pub(super) fn read(self, word: &str) -> Option<f64> {
        match self {
            Self::Time => scaled(word, TIMES),
            Self::Count => scaled(word, COUNTS),
            Self::Rate => scaled(word.strip_suffix("/s").unwrap_or(word), COUNTS),
            Self::Percent => scaled(
                word.strip_suffix('%').unwrap_or(word).trim_end(),
                &[("", 1.0)],
            ),
            Self::Bytes => scaled(&word.to_ascii_lowercase(), BYTES),
        }
    }

    /// The unit that a number needs, as without one it could be meant in several.
    pub(super) const fn required(self) -> Option<&'static str> {
        match self {
            Self::Time => Some("ms"),
            Self::Percent => Some("%"),
            Self::Bytes => Some("MB"),
            Self::Count | Self::Rate => None,
        }
    }

    /// What such a number looks like.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Time => "20ms",
            Self::Count => "0 or 10k",
            Self::Rate => "50k",
            Self::Percent => "80%",
            Self::Bytes => "64MiB",
        }
    }

    /// The number for people.
    pub(super) fn show(self, number: f64) -> String {
        match self {
            Self::Time => units::time(number),
            Self::Count if number.fract() == 0.0 => units::count(number as u64),
            Self::Count => units::three(number),
            Self::Rate => units::rate(number),
            Self::Percent => units::percent(number),
            Self::Bytes => units::bytes(number),
        }
    }
}

/// `DIGITS[.DIGITS]`, then a unit of the table, with or without a space before it.
fn scaled(word: &str, table: &[(&str, f64)]) -> Option<f64> {
    let end = word
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(word.len());
    let (digits, unit) = word.split_at(end);
    let (_, size) = table.iter().find(|(name, _)| *name == unit.trim_start())?;
    if !digits.starts_with(|first: char| first.is_ascii_digit()) || digits.ends_with('.') {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    let scaled = number * size;
    scaled.is_finite().then_some(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units() {
        assert_eq!(Unit::Time.read("20ms"), Some(20.0));
        assert_eq!(Unit::Time.read("1.5 s"), Some(1_500.0));
        assert_eq!(Unit::Time.read("300µs"), Some(0.3));
        assert_eq!(Unit::Time.read("20"), Some(20.0));
        assert_eq!(Unit::Rate.read("50k/s"), Some(50_000.0));
        assert_eq!(Unit::Percent.read("0.1 %"), Some(0.1));
        assert_eq!(Unit::Bytes.read("64MiB"), Some(67_108_864.0));
        assert_eq!(Unit::Count.read("1M"), Some(1_000_000.0));
    }

    #[test]
    fn what_is_no_number() {
        for wrong in ["", "ms", ".5", "5.", "-1", "1e3", "1.2.3", "5x", "1%"] {
            assert_eq!(Unit::Time.read(wrong), None, "{wrong}");
        }
        assert_eq!(Unit::Count.read("5/s"), None);
        let huge = "9".repeat(400);
        assert_eq!(Unit::Count.read(&huge), None);
    }
}
