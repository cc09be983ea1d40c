//! How long answers take: the figures of requests and pings.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value};

/// Times between a question and its answer. Memory does not grow with their number.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// In nanoseconds, to three digits.
    times: Histogram<u32>,
    min: f64,
    max: f64,
    mean: f64,
    /// The sum of the squared distances from the mean (Welford).
    squares: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        let times = Histogram::new(3);
        Self {
            // Three digits are among the precisions that there are.
            times: times.expect("a histogram of three digits"),
            min: f64::INFINITY,
            max: 0.0,
            mean: 0.0,
            squares: 0.0,
        }
    }
}

impl Latencies {
    /// An answer came after this time.
    pub(crate) fn record(&mut self, time: Duration) {
        // It grows as it must; only memory could set it a limit.
        let _ = self
            .times
            .record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        let time = milliseconds(time);
        let distance = time - self.mean;
        self.mean += distance / self.count() as f64;
        self.squares += distance * (time - self.mean);
        (self.min, self.max) = (self.min.min(time), self.max.max(time));
    }

    /// How many answers came.
    pub(crate) fn count(&self) -> u64 {
        self.times.len()
    }

    /// What this part of the answers took at most, in milliseconds; `None` where nothing came.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        // A bucket of the histogram may reach beyond what came.
        let time = || (self.times.value_at_quantile(part) as f64 / 1e6).clamp(self.min, self.max);
        (self.count() > 0).then(time)
    }

    /// Name and milliseconds of each figure; none where nothing came.
    fn figures(&self) -> Option<[(&'static str, f64); 7]> {
        let count = self.count();
        let quantile = |part| self.quantile(part).unwrap_or_default();
        (count > 0).then(|| {
            [
                ("min", self.min),
                ("avg", self.mean),
                ("p50", quantile(0.5)),
                ("p90", quantile(0.9)),
                ("p99", quantile(0.99)),
                ("max", self.max),
                ("stddev", (self.squares / count as f64).sqrt()),
            ]
        })
    }

    /// The figures for a JSON object: `rtt_min_ms` and so on, where `prefix` is `rtt`.
    pub(crate) fn put(&self, prefix: &str, object: &mut Map<String, Value>) {
        for (name, time) in self.figures().into_iter().flatten() {
            object.insert(format!("{prefix}_{name}_ms"), rounded(time).into());
        }
    }
}

impl fmt::Display for Latencies {
    /// `min/avg/p50/p90/p99/max/stddev 0.101/0.220/… ms`; nothing where no answer came.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(figures) = self.figures() else {
            return Ok(());
        };
        let names = figures.map(|(name, _)| name).join("/");
        let times = figures.map(|(_, time)| format!("{time:.3}")).join("/");
        write!(f, "{names} {times} ms")
    }
}

/// A time in milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Milliseconds to the microsecond, for JSON.
pub(crate) fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_ping_and_percentiles() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.to_string(), "");
        for time in [1, 3] {
            latencies.record(Duration::from_millis(time));
        }
        assert_eq!(
            latencies.to_string(),
            "min/avg/p50/p90/p99/max/stddev 1.000/2.000/1.000/3.000/3.000/3.000/1.000 ms"
        );
        let mut object = Map::new();
        latencies.put("rtt", &mut object);
        assert_eq!(object["rtt_avg_ms"], 2.0);
        assert_eq!(object.len(), 7);
    }

    #[test]
    fn the_longest_time_there_is_can_be_recorded() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::MAX);
        latencies.record(Duration::ZERO);
        assert_eq!(latencies.count(), 2);
        assert!(latencies.to_string().contains("ms"));
    }
}
