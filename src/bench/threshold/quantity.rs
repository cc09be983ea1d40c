//! What can be judged, by name.

use std::str::FromStr;

use crate::bench::report::distribution::{NANOSECOND, decode};
use crate::bench::result::{Interval, Latency, Messages, Report};

use crate::error::meant;

use super::number::Unit;

/// The latency that a figure without a prefix is of.
const RESPONSE: &str = "response";

/// Latencies by name.
const LATENCIES: [&str; 8] = [
    RESPONSE,
    "service",
    "lag",
    "end_to_end",
    "connect",
    "handshake",
    "subscribe",
    "catch_up",
];

/// A number of a report by its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Quantity {
    Latency { of: &'static str, figure: Figure },
    Number(&'static Number),
}

/// A figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Figure {
    Percentile(f64),
    Min,
    Mean,
    Stdev,
    Max,
}

/// One row of [`NUMBERS`].
#[derive(Debug)]
pub(super) struct Number {
    name: &'static str,
    unit: Unit,
    /// Whether it only grows while a run goes on.
    grows: bool,
    read: fn(&Report) -> f64,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const fn number(name: &'static str, unit: Unit, read: fn(&Report) -> f64) -> Number {
    let grows = matches!(unit, Unit::Count);
    Number {
        name,
        unit,
        grows,
        read,
    }
}

const fn count(name: &'static str, read: fn(&Report) -> f64) -> Number {
    number(name, Unit::Count, read)
}

/// Everything but latencies.
static NUMBERS: [Number; 37] = [
    number("rate", Unit::Rate, rate),
    number("rate.planned", Unit::Rate, |r| r.rates.planned_per_s),
    number("rate.offered", Unit::Rate, |r| r.rates.offered_per_s),
    number("rate.accepted", Unit::Rate, |r| r.rates.accepted_per_s),
    number("rate.delivered", Unit::Rate, |r| r.rates.delivered_per_s),
    count("errors", errors),
    count("lost", |r| lost(&r.messages) as f64),
    number("loss", Unit::Percent, loss),
    count("planned", |r| r.messages.planned as f64),
    count("unsent", |r| r.messages.unsent as f64),
    count("sent", |r| r.messages.sent as f64),
    count("acknowledged", |r| r.messages.acknowledged as f64),
    count("refused", |r| r.messages.refused as f64),
    count("timed_out", |r| r.messages.timed_out as f64),
    count("lost_with_connection", |r| {
        r.messages.lost_with_connection as f64
    }),
    count("repeated", |r| r.messages.repeated as f64),
    count("expected", |r| r.messages.expected as f64),
    count("received", |r| r.messages.received as f64),
    count("unique", |r| r.messages.unique as f64),
    count("duplicate", |r| r.messages.duplicate as f64),
    count("undecided", |r| r.messages.undecided as f64),
    count("missing", |r| r.messages.missing as f64),
    count("reordered", |r| r.messages.reordered as f64),
    count("late", |r| r.messages.late as f64),
    count("foreign", |r| r.messages.foreign as f64),
    count("retransmissions", |r| {
        r.counts.get("retransmissions").copied().unwrap_or(0) as f64
    }),
    count("connections.planned", |r| r.connections.planned as f64),
    count("connections.opened", |r| r.connections.opened as f64),
    count("connections.failed", |r| r.connections.failed as f64),
    count("connections.lost", |r| r.connections.lost as f64),
    count("connections.reopened", |r| r.connections.reopened as f64),
    number("connections.rate", Unit::Rate, |r| r.connections.rate_per_s),
    number("connections.away", Unit::Time, |r| {
        r.connections.away_s * 1e3
    }),
    count("tls.full", |r| r.connections.tls_full as f64),
    count("tls.resumed", |r| r.connections.tls_resumed as f64),
    number("cpu", Unit::Percent, |r| r.generator.cpu_percent),
    number("rss", Unit::Bytes, |r| r.generator.max_rss_bytes as f64),
];

fn rate(report: &Report) -> f64 {
    if report.messages.sent == 0 && report.messages.planned == 0 {
        report.rates.delivered_per_s
    } else {
        report.rates.accepted_per_s
    }
}

fn errors(report: &Report) -> f64 {
    report.errors.iter().map(|error| error.count).sum::<u64>() as f64
}

fn lost(messages: &Messages) -> u64 {
    if messages.expected > 0 {
        messages.missing
    } else {
        messages.timed_out + messages.lost_with_connection
    }
}

fn loss(report: &Report) -> f64 {
    let messages = &report.messages;
    let whole = if messages.expected > 0 {
        messages.expected
    } else {
        messages.sent
    };
    lost(messages) as f64 / whole.max(1) as f64 * 100.0
}

impl Quantity {
    pub(super) fn unit(&self) -> Unit {
        match self {
            Self::Latency { .. } => Unit::Time,
            Self::Number(number) => number.unit,
        }
    }

    pub(super) const fn latency(&self) -> Option<&'static str> {
        match self {
            Self::Latency { of, .. } => Some(of),
            Self::Number(_) => None,
        }
    }

    pub(super) fn grows(&self) -> bool {
        match self {
            Self::Latency { .. } => false,
            Self::Number(number) => number.grows,
        }
    }

    /// The number in its unit.
    ///
    /// # Errors
    /// In words, when it was not measured.
    pub(super) fn of(&self, report: &Report) -> Result<f64, String> {
        match self {
            Self::Number(number) => Ok((number.read)(report)),
            Self::Latency { of, figure } => match report.latency.get(*of) {
                Some(latency) if latency.count > 0 => figure.of(latency, &Missing::of(report, of)),
                _ => Err(format!("no {of} was measured")),
            },
        }
    }

    /// The number in one interval, where it holds it.
    pub(super) fn in_interval(&self, interval: &Interval) -> Option<f64> {
        match self {
            Self::Latency { of, figure } => {
                let [p50, p99, max] = interval.latency.get(*of)?;
                match figure {
                    Figure::Percentile(50.0) => Some(*p50),
                    Figure::Percentile(99.0) => Some(*p99),
                    Figure::Percentile(100.0) | Figure::Max => Some(*max),
                    _ => None,
                }
            }
            Self::Number(number) if number.name == "errors" => Some(interval.errors as f64),
            Self::Number(_) => None,
        }
    }
}

impl Figure {
    /// The figure of what was measured and what is `missing`, in milliseconds.
    ///
    /// # Errors
    /// In words, when the distribution is damaged, or the figure is that of something missing.
    fn of(self, latency: &Latency, missing: &Missing) -> Result<f64, String> {
        let of_missing = || Err(missing.words(latency.count));
        let is_whole = missing.count == 0;
        Ok(match self {
            Self::Min => latency.min_ms,
            Self::Mean | Self::Stdev | Self::Max if !is_whole => return of_missing(),
            Self::Mean => latency.mean_ms,
            Self::Stdev => latency.stdev_ms,
            Self::Max => latency.max_ms,
            Self::Percentile(percentile) => match percentile {
                50.0 if is_whole => latency.p50_ms,
                90.0 if is_whole => latency.p90_ms,
                95.0 if is_whole => latency.p95_ms,
                99.0 if is_whole => latency.p99_ms,
                99.9 if is_whole => latency.p999_ms,
                99.99 if is_whole => latency.p9999_ms,
                100.0 if is_whole => latency.max_ms,
                other => match missing.place(other, latency.count) {
                    None => return of_missing(),
                    Some(quantile) => value_at(latency, quantile)
                        .map_err(|why| format!("latency {} {why}", missing.of))?,
                },
            },
        })
    }
}

fn value_at(latency: &Latency, quantile: f64) -> Result<f64, String> {
    Ok(match decode(latency)? {
        Some(values) => values.value_at_quantile(quantile) as f64 * NANOSECOND,
        None => 0.0,
    })
}

/// What a latency was not measured of, as it never came to its end: infinitely late.
struct Missing {
    of: &'static str,
    count: u64,
    /// `messages were not answered`.
    what: &'static str,
}

impl Missing {
    fn of(report: &Report, of: &'static str) -> Self {
        let messages = &report.messages;
        let (count, what) = match of {
            RESPONSE | "service" => (
                messages.unsent + messages.timed_out + messages.lost_with_connection,
                "messages were not answered",
            ),
            "lag" => (messages.unsent, "messages were not sent"),
            // What was sent elsewhere and came here is not known of one shard.
            "end_to_end" if report.shard.count <= 1 => {
                (undelivered(messages), "messages were not received")
            }
            "connect" => (report.connections.failed, "connections could not be opened"),
            _ => (0, ""),
        };
        Self { of, count, what }
    }

    /// Where a percentile lies among `known` values, from 0 to 1; `None`: above them.
    fn place(&self, percentile: f64, known: u64) -> Option<f64> {
        if self.count == 0 {
            return Some(percentile / 100.0);
        }
        let whole = (known + self.count) as f64;
        let rank = (percentile / 100.0 * whole).ceil().max(1.0);
        // In the middle of the rank, so that no rounding makes it the next one.
        (rank <= known as f64).then(|| (rank - 0.5) / known as f64)
    }

    fn words(&self, known: u64) -> String {
        let (count, whole) = (self.count, known + self.count);
        format!(
            "too many {} ({count} of {whole}): they count as infinitely late",
            self.what
        )
    }
}

/// Deliveries that did not come: those of messages that were sent, and as many of each that was not.
fn undelivered(messages: &Messages) -> u64 {
    let unsent = u128::from(messages.unsent) * u128::from(messages.expected);
    messages.missing + (unsent / u128::from(messages.sent.max(1))) as u64
}

impl FromStr for Figure {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "min" => return Ok(Self::Min),
            "mean" => return Ok(Self::Mean),
            "stdev" => return Ok(Self::Stdev),
            "max" => return Ok(Self::Max),
            // As the names of the JSON form have them.
            "p999" => return Ok(Self::Percentile(99.9)),
            "p9999" => return Ok(Self::Percentile(99.99)),
            _ => {}
        }
        let digits = word.strip_prefix('p').ok_or(())?;
        if !digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return Err(());
        }
        let percentile: f64 = digits.parse().map_err(|_| ())?;
        if percentile > 100.0 {
            return Err(());
        }
        Ok(Self::Percentile(percentile))
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if let Some(number) = NUMBERS.iter().find(|number| number.name == word) {
            return Ok(Self::Number(number));
        }
        if let Ok(figure) = word.parse() {
            return Ok(Self::Latency {
                of: RESPONSE,
                figure,
            });
        }
        let latency = word.split_once('.').and_then(|(of, figure)| {
            let of = LATENCIES.into_iter().find(|name| *name == of)?;
            let figure = figure.parse().ok()?;
            Some(Self::Latency { of, figure })
        });
        latency.ok_or_else(|| unknown(word))
    }
}

/// The names that people look for first, for completions; other percentiles and figures are possible.
pub(crate) fn names() -> Vec<String> {
    let figures = ["p50", "p90", "p99", "p99.9", "min", "mean", "stdev", "max"];
    let prefixes = LATENCIES[1..].iter().map(|name| format!("{name}.p99"));
    let numbers = NUMBERS.iter().map(|number| number.name.to_owned());
    let figures = figures.into_iter().map(str::to_owned);
    figures.chain(prefixes).chain(numbers).collect()
}

/// What other load generators and people call the usual percentile.
const LATENCY: [&str; 4] = ["latency", "response", "http_req_duration", "duration"];

fn unknown(word: &str) -> String {
    // k6 writes p(95).
    let plain = word.replace(['(', ')'], "");
    let names = names();
    let names = names.iter().map(String::as_str);
    let near = match plain.parse::<Figure>() {
        Ok(_) => vec![plain.as_str()],
        Err(()) if LATENCY.contains(&word) => vec!["p99"],
        Err(()) => meant(word, names),
    };
    if !near.is_empty() {
        let near = near.join(" or ");
        return format!("{word:?} is unknown; did you mean {near}?");
    }
    let numbers = NUMBERS.iter().map(|number| number.name);
    let prefixes = LATENCIES[1..].iter().map(|name| format!("{name}.p99"));
    format!(
        "{word:?} is not one of p50, p99, p99.9 and any other percentile, min, mean, stdev, max (also as {}), {}",
        prefixes.collect::<Vec<_>>().join(", "),
        numbers.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    #[test]
    fn every_name_is_in_the_documented_table() {
        let documented = include_str!("../threshold.rs");
        let table: String = documented
            .lines()
            .filter(|line| line.starts_with("//! |"))
            .collect();
        for number in &NUMBERS {
            let name = number.name;
            let short = name.split_once('.').map_or(name, |(_, short)| short);
            let written = [format!("`{name}`"), format!("`.{short}`")];
            assert!(written.iter().any(|word| table.contains(word)), "{name}");
        }
        for name in &LATENCIES[1..] {
            assert!(table.contains(&format!("`{name}.")), "{name}");
        }
    }

    #[test]
    fn any_percentile_comes_from_the_histogram() {
        let mut report = sample::report();
        report.messages = Messages::default();
        let of = |word: &str| word.parse::<Quantity>().unwrap().of(&report).unwrap();
        assert!(of("p99") <= of("p99.5") && of("p99.5") <= of("p99.9"));
        assert_eq!(of("p999"), of("response.p99.9"));
        assert_eq!(of("p100"), of("max"));
        assert_eq!(of("service.p50"), report.latency["service"].p50_ms);
    }

    #[test]
    fn a_receiver_is_judged_by_what_was_delivered() {
        let mut report = sample::report();
        assert_eq!(rate(&report), 49_960.0);
        report.messages = Messages::default();
        assert_eq!(rate(&report), 49_957.3);
    }
}
