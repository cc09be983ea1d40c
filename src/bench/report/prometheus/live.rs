//! The figures of a run that goes on.

use crate::bench::result::Interval;

use super::Page;

/// What the intervals so far add up to; counters only grow, warm-up and drain included.
#[derive(Clone, Debug, Default)]
pub struct Live {
    planned: u64,
    sent: u64,
    acknowledged: u64,
    received: u64,
    errors: u64,
    last: Interval,
}

impl Live {
    /// Takes in the interval that has just ended.
    pub fn add(&mut self, interval: &Interval) {
        self.planned += interval.planned;
        self.sent += interval.sent;
        self.acknowledged += interval.acknowledged;
        self.received += interval.received;
        self.errors += interval.errors;
        self.last = interval.clone();
    }

    /// The page that the endpoint serves until the next interval ends.
    pub fn render(&self) -> String {
        let mut page = Page::default();
        page.family(
            "messages_total",
            "counter",
            "Messages by what became of them.",
        );
        for (state, number) in [
            ("planned", self.planned),
            ("sent", self.sent),
            ("acknowledged", self.acknowledged),
            ("received", self.received),
        ] {
            page.sample("messages_total", &[("state", state)], number as f64);
        }
        page.family("errors_total", "counter", "Failures of any kind.");
        page.sample("errors_total", &[], self.errors as f64);
        page.family("connections", "gauge", "Open connections.");
        page.sample("connections", &[], self.last.connections as f64);
        page.family("generator_cpu_ratio", "gauge", "CPU time, 1 is one core.");
        page.sample("generator_cpu_ratio", &[], self.last.cpu_percent / 100.0);
        page.family(
            "interval_latency_seconds",
            "gauge",
            "Latency in the last interval by quantity.",
        );
        for (name, figures) in &self.last.latency {
            for (quantile, ms) in ["0.5", "0.99", "1"].into_iter().zip(figures) {
                let labels = [("quantity", name.as_str()), ("quantile", quantile)];
                page.sample("interval_latency_seconds", &labels, ms / 1e3);
            }
        }
        page.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    #[test]
    fn counters_grow_and_gauges_are_the_last() {
        let mut live = Live::default();
        for interval in &sample::report().intervals[..2] {
            live.add(interval);
        }
        let text = live.render();
        for sample in [
            "iotctl_bench_messages_total{state=\"sent\"} 100000\n",
            "iotctl_bench_errors_total 0\n",
            "iotctl_bench_connections 101\n",
            "iotctl_bench_interval_latency_seconds{quantity=\"response\",quantile=\"0.99\"} 0.00",
        ] {
            assert!(text.contains(sample), "{sample} is not in\n{text}");
        }
    }
}
