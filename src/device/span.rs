//! Lengths of time as a fleet's file has them: `30s`, and those that are drawn anew each time: `30s±2s`, `1h±20%`, `1m..5m`.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::pace::clock::{Nanos, nanos};
use crate::random::Random;

/// The longest, in nanoseconds: ten years.
const LONGEST: Nanos = 315_360_000 * 1_000_000_000;

/// A length of time, or the range that it is drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    least: Nanos,
    most: Nanos,
    /// As it was written.
    text: String,
}

impl Span {
    /// Reads one.
    ///
    /// # Errors
    /// What is expected instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("expected a time such as 30s, 1m30s, 30s±2s, 1h±20% or 1m..5m, not {text:?}")
        };
        let (least, most) = if let Some((least, most)) = text.split_once("..") {
            length(least).zip(length(most))
        } else if let Some((middle, around)) =
            text.split_once('±').or_else(|| text.split_once("+-"))
        {
            length(middle).and_then(|middle| {
                let around = match around.trim().strip_suffix('%') {
                    Some(part) => part_of(middle, part)?,
                    None => length(around)?,
                };
                Some((middle.checked_sub(around)?, middle + around))
            })
        } else {
            length(text).map(|it| (it, it))
        }
        .ok_or_else(expected)?;
        if least > most {
            return Err(format!(
                "{text:?}: the first time is longer than the second"
            ));
        }
        Ok(Self {
            least,
            most,
            text: text.to_owned(),
        })
    }

    /// One that is always the same, in seconds.
    pub(crate) fn seconds(seconds: u32) -> Self {
        let length = Nanos::from(seconds) * 1_000_000_000;
        Self {
            least: length,
            most: length,
            text: format!("{seconds}s"),
        }
    }

    /// The shortest it can be.
    pub(crate) const fn least(&self) -> Nanos {
        self.least
    }

    /// The longest it can be.
    pub(crate) const fn most(&self) -> Nanos {
        self.most
    }

    /// One of this range.
    pub(crate) fn draw(&self, random: &mut Random) -> Nanos {
        match self.most - self.least {
            0 => self.least,
            wide => self.least + (random.fraction() * wide as f64) as Nanos,
        }
    }
}

fn length(word: &str) -> Option<Nanos> {
    let word = word.trim();
    let plain = word.parse().ok().filter(|it: &f64| it.is_finite());
    let length = match plain {
        Some(seconds) => std::time::Duration::try_from_secs_f64(seconds).ok()?,
        None => humantime::parse_duration(word).ok()?,
    };
    Some(nanos(length)).filter(|length| *length <= LONGEST)
}

fn part_of(whole: Nanos, percent: &str) -> Option<Nanos> {
    let percent: f64 = percent.trim().parse().ok()?;
    let fits = (0.0..=100.0).contains(&percent);
    fits.then_some((whole as f64 * percent / 100.0) as Nanos)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Span;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time such as \"30s\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                Span::parse(text).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Span, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Span, E> {
                self.visit_str(&seconds.to_string())
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn times_and_ranges_are_read() {
        for (text, least, most) in [
            ("30s", 30, 30),
            ("5", 5, 5),
            ("30s±2s", 28, 32),
            ("30s +- 2s", 28, 32),
            ("100s±20%", 80, 120),
            ("1m..5m", 60, 300),
            ("0s", 0, 0),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(
                (span.least, span.most),
                (least * SECOND, most * SECOND),
                "{text}"
            );
            let mut random = Random::new(1, 1);
            for _ in 0..100 {
                assert!((span.least..=span.most).contains(&span.draw(&mut random)));
            }
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "x",
            "-1",
            "2s±3s",
            "5m..1m",
            "1s..",
            "±2s",
            "1h±200%",
            "NaN",
            "inf",
            "400000000000s",
        ] {
            assert!(Span::parse(text).is_err(), "{text}");
        }
    }
}
