//! Where a part of a recording begins or ends: a point in time, a time of day, or a time after the beginning.

use std::str::FromStr;
use std::time::Duration;

use super::moment::Moment;
use super::numbers::Span;
use crate::flow::replay::Bound;

/// The syntax of one.
const SYNTAX: &str = "expected a time such as 2026-11-20T21:00:00Z, a time of day in UTC such as 21:00 or 21:00:30, or +90s after the first record";

/// Where a part begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At(pub(crate) Bound);

impl FromStr for At {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if let Some(after) = word.strip_prefix('+') {
            let Ok(Span(after)) = after.parse() else {
                return Err(SYNTAX);
            };
            return Ok(Self(Bound::After(after)));
        }
        if let Some(time) = of_day(word) {
            return Ok(Self(Bound::OfDay(time)));
        }
        match word.parse() {
            Ok(Moment(time)) => Ok(Self(Bound::At(time))),
            Err(_) => Err(SYNTAX),
        }
    }
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.FRACTION`, since midnight.
fn of_day(word: &str) -> Option<Duration> {
    let (hours, rest) = word.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "00"));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let number = |digits: &str, most: u64| {
        let number: u64 = digits.parse().ok()?;
        (digits.len() == 2 && number <= most).then_some(number)
    };
    let whole = number(hours, 23)? * 3600 + number(minutes, 59)? * 60 + number(seconds, 59)?;
    let digits = fraction.bytes().all(|digit| digit.is_ascii_digit());
    let fraction = format!("0.{fraction}").parse().ok().filter(|_| digits);
    Some(Duration::from_secs(whole) + Duration::from_secs_f64(fraction?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling() {
        let day = |time: f64| At(Bound::OfDay(Duration::from_secs_f64(time)));
        for (word, bound) in [
            ("21:00", day(75_600.0)),
            ("00:00:01.5", day(1.5)),
            ("23:59:59", day(86_399.0)),
            ("+90s", At(Bound::After(Duration::from_secs(90)))),
            ("+1m30s", At(Bound::After(Duration::from_secs(90)))),
        ] {
            assert_eq!(word.parse(), Ok(bound), "{word}");
        }
        let At(at) = "2026-11-20T21:00:00Z".parse().unwrap();
        assert!(matches!(at, Bound::At(_)));
        for wrong in [
            "",
            "24:00",
            "9:00",
            "21:60",
            "21:00:",
            "21:00:00.x",
            "+",
            "noon",
            "-5s",
        ] {
            assert_eq!(wrong.parse::<At>(), Err(SYNTAX), "{wrong}");
        }
    }
}
