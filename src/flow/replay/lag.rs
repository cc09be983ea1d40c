//! How late messages are handed to their target, and what that must be.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::flow::latency::{Latencies, milliseconds, rounded};
use crate::payload::comparison::Comparison;

/// What is later than this counts as late.
pub(super) const LATE: Duration = Duration::from_millis(10);

/// Times between when messages were due and when their target took them.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    times: Latencies,
    late: u64,
}

impl Lag {
    pub(super) fn record(&mut self, lag: Duration) {
        self.times.record(lag);
        self.late += u64::from(lag > LATE);
    }

    /// In milliseconds, or how many are late; `None`: nothing was due.
    fn figure(&self, figure: Figure) -> Option<f64> {
        match figure {
            Figure::Quantile(part) => self.times.quantile(part),
            Figure::Late => (self.times.count() > 0).then_some(self.late as f64),
        }
    }

    /// The figures for a JSON object.
    pub(crate) fn put(&self, object: &mut Map<String, Value>) {
        for (name, figure) in FIGURES {
            let Some(value) = self.figure(figure) else {
                continue;
            };
            match figure {
                Figure::Quantile(_) => object.insert(format!("{name}_ms"), rounded(value).into()),
                Figure::Late => object.insert(name.to_owned(), self.late.into()),
            };
        }
    }
}

impl fmt::Display for Lag {
    /// `lag p50/p99/max 0.101/0.220/0.300 ms, none later than 10 ms`; nothing where nothing was due.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quantile = |part| self.times.quantile(part).unwrap_or_default();
        if self.times.count() == 0 {
            return Ok(());
        }
        let times = [0.5, 0.99, 1.0].map(|part| format!("{:.3}", quantile(part)));
        write!(f, "lag p50/p99/max {} ms, ", times.join("/"))?;
        match self.late {
            0 => f.write_str("none later than 10 ms"),
            late => write!(f, "{late} later than 10 ms"),
        }
    }
}

/// One of the figures of a lag.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Figure {
    Quantile(f64),
    Late,
}

/// By their names.
const FIGURES: [(&str, Figure); 4] = [
    ("lag_p50", Figure::Quantile(0.5)),
    ("lag_p99", Figure::Quantile(0.99)),
    ("lag_max", Figure::Quantile(1.0)),
    ("late", Figure::Late),
];

/// What a lag must be: `lag_p99 < 5ms`, `late == 0`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assertion {
    figure: Figure,
    comparison: Comparison,
    /// In milliseconds, or a count.
    value: f64,
    words: String,
}

impl Assertion {
    /// What is found instead where it does not hold: nothing can be said of it where nothing was due.
    ///
    /// # Errors
    /// As a sentence without its end.
    pub(crate) fn check(&self, lag: &Lag) -> Result<(), String> {
        let Some(found) = lag.figure(self.figure) else {
            return Err(format!("not met: {}, as nothing was replayed", self.words));
        };
        if self.comparison.holds(&found, &self.value) {
            return Ok(());
        }
        Err(match self.figure {
            Figure::Quantile(_) => format!("not met: {}, but it is {found:.3} ms", self.words),
            Figure::Late => format!("not met: {}, but there are {found}", self.words),
        })
    }
}

impl FromStr for Assertion {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let (at, sign, comparison) = Comparison::find(words)
            .filter(|(.., comparison)| *comparison != Comparison::Contains)
            .ok_or("expected NAME OPERATOR VALUE, such as 'lag_p99 < 5ms'")?;
        let (name, value) = (words[..at].trim(), words[at + sign.len()..].trim());
        let known = FIGURES.iter().find(|(known, _)| *known == name);
        let (_, figure) = known.ok_or_else(|| {
            let names = FIGURES.map(|(name, _)| name).join(", ");
            format!("unknown figure {name:?}; there are {names}")
        })?;
        let value = match figure {
            Figure::Quantile(_) => humantime::parse_duration(value).map(milliseconds).ok(),
            Figure::Late => value.parse::<u32>().map(f64::from).ok(),
        };
        Ok(Self {
            figure: *figure,
            comparison,
            value: value.ok_or_else(|| match figure {
                Figure::Quantile(_) => format!("{name} is compared with a time such as 5ms"),
                Figure::Late => format!("{name} is compared with a whole number"),
            })?,
            words: words.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(millis: &[u64]) -> Lag {
        let mut lag = Lag::default();
        for time in millis {
            lag.record(Duration::from_millis(*time));
        }
        lag
    }

    fn holds(words: &str, lag: &Lag) -> Result<(), String> {
        words.parse::<Assertion>().expect(words).check(lag)
    }

    #[test]
    fn figures_and_what_they_must_be() {
        let lag = lag(&[1, 1, 1, 12]);
        assert_eq!(
            lag.to_string(),
            "lag p50/p99/max 1.000/12.000/12.000 ms, 1 later than 10 ms"
        );
        let mut object = Map::new();
        lag.put(&mut object);
        assert_eq!(
            Value::Object(object),
            serde_json::json!({"lag_p50_ms": 1.0, "lag_p99_ms": 12.0, "lag_max_ms": 12.0, "late": 1})
        );
        for holding in [
            "lag_p50 < 5ms",
            "lag_max <= 12ms",
            "late == 1",
            "lag_p99>1s",
        ] {
            let wanted = match holding {
                "lag_p99>1s" => Err(String::from("not met: lag_p99>1s, but it is 12.000 ms")),
                _ => Ok(()),
            };
            assert_eq!(holds(holding, &lag), wanted);
        }
        let told = "not met: late < 1, but there are 1";
        assert_eq!(holds("late < 1", &lag), Err(String::from(told)));
    }

    #[test]
    fn where_nothing_was_due_nothing_is_met() {
        let lag = lag(&[]);
        assert_eq!(lag.to_string(), "");
        let told = "not met: lag_p99 < 1ms, as nothing was replayed";
        assert_eq!(holds("lag_p99 < 1ms", &lag), Err(told.into()));
    }

    #[test]
    fn what_is_no_assertion() {
        for (words, why) in [
            ("lag_p99", "expected NAME OPERATOR VALUE"),
            ("lag contains 5ms", "expected NAME OPERATOR VALUE"),
            ("lag < 5ms", "unknown figure \"lag\"; there are lag_p50"),
            ("lag_p99 < 5", "lag_p99 is compared with a time such as 5ms"),
            ("late < 5ms", "late is compared with a whole number"),
        ] {
            let told = words.parse::<Assertion>().unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
    }
}
