//! Prometheus text exposition (version 0.0.4) of a finished run, and of one that goes on.

mod endpoint;
mod live;

pub(crate) use endpoint::Endpoint;
pub(crate) use live::render as live;

use crate::bench::failure::Failure;
use crate::bench::result::{Latency, Messages, Report};

use super::rows;

/// All figures of a finished run, with `iotctl_bench_` before their names and base units.
pub(crate) fn render(report: &Report) -> String {
    let mut page = Page::default();
    info(report, &mut page);
    messages(&report.messages, true, &mut page);
    page.family("rate", "gauge", "Messages per second while measuring.");
    for (kind, rate) in [
        ("planned", report.rates.planned_per_s),
        ("offered", report.rates.offered_per_s),
        ("accepted", report.rates.accepted_per_s),
        ("delivered", report.rates.delivered_per_s),
    ] {
        page.sample("rate", &[("kind", kind)], rate);
    }
    counts(report, &mut page);
    connections(report, &mut page);
    latencies(report, &mut page);
    errors(
        report
            .errors
            .iter()
            .map(|one| (one.cause.as_str(), one.count)),
        &mut page,
    );
    generator(report, &mut page);
    page.family("threshold_passed", "gauge", "1 if the threshold passed.");
    for threshold in &report.thresholds {
        let labels = [("expression", threshold.expression.as_str())];
        page.sample("threshold_passed", &labels, flag(threshold.passed));
    }
    page.0
}

/// The page of what is no load test: for each counter its name, what it counts, and how often that has happened.
pub(crate) fn counters<'a>(
    command: &str,
    counters: impl IntoIterator<Item = (&'a str, &'a str, u64)>,
) -> String {
    let lines = counters.into_iter().map(|(name, what, count)| {
        let name = format!("iotctl_{command}_{name}_total");
        format!("# HELP {name} {what}\n# TYPE {name} counter\n{name} {count}\n")
    });
    lines.collect()
}

fn info(report: &Report, page: &mut Page) {
    let run = report.run_id.to_string();
    let mut labels = vec![
        ("tool", report.tool.as_str()),
        ("run_id", &run),
        ("started_at", &report.started_at),
    ];
    for name in ["target", "protocol", "scenario"] {
        if let Some(value) = report.setup.get(name) {
            labels.push((name, value));
        }
    }
    page.family("info", "gauge", "Setup of the run.");
    page.sample("info", &labels, 1.0);
}

/// What has not come is missing once the run is over; before, it may be under way.
fn messages(m: &Messages, is_over: bool, page: &mut Page) {
    page.family("messages_total", "counter", "Messages by outcome.");
    for (state, number) in [
        ("planned", m.planned),
        ("unsent", m.unsent),
        ("sent", m.sent),
        ("acknowledged", m.acknowledged),
        ("refused", m.refused),
        ("timed_out", m.timed_out),
        ("lost_with_connection", m.lost_with_connection),
        ("repeated", m.repeated),
        ("expected", m.expected),
        ("received", m.received),
        ("unique", m.unique),
        ("duplicate", m.duplicate),
        ("undecided", m.undecided),
        ("reordered", m.reordered),
        ("late", m.late),
        ("foreign", m.foreign),
    ] {
        page.sample("messages_total", &[("state", state)], number as f64);
    }
    if is_over {
        let missing = [("state", "missing")];
        page.sample("messages_total", &missing, m.missing as f64);
    }
    page.family("bytes_total", "counter", "Payload and headers.");
    let bytes = [("sent", m.sent_bytes), ("received", m.received_bytes)];
    for (direction, number) in bytes {
        page.sample("bytes_total", &[("direction", direction)], number as f64);
    }
}

fn errors<'a>(causes: impl Iterator<Item = (&'a str, u64)>, page: &mut Page) {
    page.family("errors_total", "counter", "Failures by cause.");
    for (cause, count) in causes {
        page.sample("errors_total", &[("cause", cause)], count as f64);
    }
}

/// What only one protocol counts.
fn counts(report: &Report, page: &mut Page) {
    if report.counts.is_empty() {
        return;
    }
    page.family("counts", "gauge", "Protocol-specific counters.");
    for (name, number) in rows::counts(report) {
        page.sample("counts", &[("name", name)], number as f64);
    }
}

fn connections(report: &Report, page: &mut Page) {
    let c = &report.connections;
    page.family("connections_total", "counter", "Connections by outcome.");
    for (state, number) in [
        ("planned", c.planned),
        ("opened", c.opened),
        ("failed", c.failed),
        ("lost", c.lost),
        ("reopened", c.reopened),
    ] {
        page.sample("connections_total", &[("state", state)], number as f64);
    }
    page.family("tls_handshakes_total", "counter", "TLS handshakes by kind.");
    for (kind, number) in [("full", c.tls_full), ("resumed", c.tls_resumed)] {
        page.sample("tls_handshakes_total", &[("kind", kind)], number as f64);
    }
}

fn latencies(report: &Report, page: &mut Page) {
    page.family("latency_seconds", "summary", "Latency by quantity.");
    for (name, latency) in rows::quantities(report) {
        for (quantile, ms) in quantiles(latency) {
            let labels = [("quantity", name), ("quantile", quantile)];
            page.sample("latency_seconds", &labels, ms / 1e3);
        }
        let quantity = [("quantity", name)];
        let sum = latency.mean_ms / 1e3 * latency.count as f64;
        page.sample("latency_seconds_sum", &quantity, sum);
        page.sample("latency_seconds_count", &quantity, latency.count as f64);
    }
}

fn quantiles(latency: &Latency) -> [(&'static str, f64); 7] {
    [
        ("0.5", latency.p50_ms),
        ("0.9", latency.p90_ms),
        ("0.95", latency.p95_ms),
        ("0.99", latency.p99_ms),
        ("0.999", latency.p999_ms),
        ("0.9999", latency.p9999_ms),
        ("1", latency.max_ms),
    ]
}

fn generator(report: &Report, page: &mut Page) {
    let g = &report.generator;
    for (name, help, value) in [
        (
            "generator_cpu_seconds",
            "CPU time of the load generator while measuring.",
            g.cpu_s,
        ),
        (
            "generator_resident_memory_max_bytes",
            "Peak resident memory of the load generator.",
            g.max_rss_bytes as f64,
        ),
        (
            "generator_limited",
            "1 if the generator, not the server, was the limit.",
            flag(g.limited),
        ),
        (
            "steady",
            "1 if throughput and latency were stable.",
            flag(g.steady && Failure::whole(report).is_none()),
        ),
    ] {
        page.family(name, "gauge", help);
        page.sample(name, &[], value);
    }
}

fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// The lines made so far.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.0 +=
            &format!("# HELP iotctl_bench_{name} {help}\n# TYPE iotctl_bench_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let pairs: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escape(value)))
            .collect();
        let labels = match pairs.as_slice() {
            [] => String::new(),
            pairs => format!("{{{}}}", pairs.join(",")),
        };
        self.0 += &format!("iotctl_bench_{name}{labels} {value}\n");
    }
}

/// A label's value, as the exposition format escapes it.
fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    #[test]
    fn every_sample_belongs_to_a_family() {
        let text = render(&sample::report());
        let mut family = "";
        for line in text.lines() {
            if let Some(named) = line.strip_prefix("# TYPE ") {
                family = named.split(' ').next().unwrap();
            } else if !line.starts_with('#') {
                assert!(line.starts_with(family), "{line} is not of {family}");
                line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
            }
        }
        for sample in [
            "iotctl_bench_messages_total{state=\"sent\"} 1499990\n",
            "iotctl_bench_rate{kind=\"planned\"} 50000\n",
            "iotctl_bench_latency_seconds_count{quantity=\"response\"} 20000\n",
            "iotctl_bench_threshold_passed{expression=\"lost == 0\"} 0\n",
            "iotctl_bench_counts{name=\"retransmissions\"} 12\n",
            "scenario=\"fan-in\"} 1\n",
        ] {
            assert!(text.contains(sample), "{sample} is not in\n{text}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        page.sample("x", &[("cause", "a\\b\"c\nd")], 0.5);
        assert_eq!(page.0, "iotctl_bench_x{cause=\"a\\\\b\\\"c\\nd\"} 0.5\n");
    }
}
