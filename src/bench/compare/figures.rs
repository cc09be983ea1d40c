//! The figures that are worth comparing.

use crate::bench::result::{Latency, Report};

use super::Sides;

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Counts of what should not happen.
    Fewer,
}

impl Better {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Lower | Self::Fewer => "lower",
            Self::Higher => "higher",
        }
    }
}

type Percentile = fn(&Latency) -> f64;

/// With the number of values that it needs: of fewer it is the largest, whatever its name.
const PERCENTILES: [(&str, u64, Percentile); 3] = [
    ("p50", 1, |latency| latency.p50_ms),
    ("p99", 100, |latency| latency.p99_ms),
    ("p99.9", 1_000, |latency| latency.p999_ms),
];

/// `service` and `lag` explain a response time and are not judged by themselves.
const LATENCIES: [&str; 6] = [
    "response",
    "end_to_end",
    "connect",
    "handshake",
    "subscribe",
    "catch_up",
];

/// Every figure that all runs of both sides have measured.
pub(super) fn common(before: &[Report], after: &[Report]) -> Vec<Sides> {
    let mut figures = rates();
    for name in LATENCIES {
        let count = |run: &Report| run.latency.get(name).map_or(0, |one| one.count);
        let fewest = before.iter().chain(after).map(count).min();
        figures.extend(latencies(name, fewest.unwrap_or(0)));
    }
    figures.extend(costs());
    figures
        .into_iter()
        .map(|figure| figure.sides(before, after))
        .filter(|sides| {
            let mut values = sides.before.iter().chain(&sides.after);
            sides.better == Better::Fewer || values.any(|value| *value > 0.0)
        })
        .collect()
}

struct Reading {
    name: String,
    unit: &'static str,
    better: Better,
    read: Box<dyn Fn(&Report) -> f64>,
}

impl Reading {
    fn new(
        name: impl Into<String>,
        unit: &'static str,
        better: Better,
        read: impl Fn(&Report) -> f64 + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            better,
            read: Box::new(read),
        }
    }

    fn sides(self, before: &[Report], after: &[Report]) -> Sides {
        Sides {
            name: self.name,
            unit: self.unit,
            better: self.better,
            before: before.iter().map(&self.read).collect(),
            after: after.iter().map(&self.read).collect(),
        }
    }
}

fn rates() -> Vec<Reading> {
    let rate = |name, read: fn(&Report) -> f64| Reading::new(name, "per_s", Better::Higher, read);
    vec![
        rate("accepted rate", |run| run.rates.accepted_per_s),
        rate("delivered rate", |run| run.rates.delivered_per_s),
    ]
}

/// The percentiles that `count` values have.
fn latencies(name: &'static str, count: u64) -> Vec<Reading> {
    let reading = |(word, _, read): (&str, u64, Percentile)| {
        Reading::new(format!("{name} {word}"), "ms", Better::Lower, move |run| {
            run.latency.get(name).map_or(0.0, read)
        })
    };
    let has = |(_, least, _): &(&str, u64, Percentile)| count >= *least;
    PERCENTILES.into_iter().filter(has).map(reading).collect()
}

fn costs() -> Vec<Reading> {
    let count =
        |name, read: fn(&Report) -> f64| Reading::new(name, "messages", Better::Fewer, read);
    let cost = |name, unit, read: fn(&Report) -> f64| Reading::new(name, unit, Better::Lower, read);
    vec![
        cost("generator CPU", "s_per_million", |run| {
            run.generator.cpu_s_per_million
        }),
        cost("generator memory", "bytes", |run| {
            run.generator.max_rss_bytes as f64
        }),
        count("missing", |run| run.messages.missing as f64),
        count("errors", |run| {
            run.errors
                .iter()
                .map(|error| error.count as f64)
                .sum::<f64>()
        }),
    ]
}
