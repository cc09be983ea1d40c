//! The figures of a run that goes on.

use std::collections::BTreeMap;

use crate::bench::result::{Interval, Messages};

use super::{Page, errors, messages};

/// The page that the endpoint serves until the next interval ends: messages and failures so far, which the page of the
/// finished run goes on from, and the last interval.
pub(crate) fn render(
    so_far: &Messages,
    causes: &BTreeMap<String, (u64, Option<String>)>,
    last: &Interval,
) -> String {
    let mut page = Page::default();
    messages(so_far, false, &mut page);
    let causes = causes.iter();
    errors(
        causes.map(|(cause, (count, _))| (cause.as_str(), *count)),
        &mut page,
    );
    page.family("connections", "gauge", "Open connections.");
    page.sample("connections", &[], last.connections as f64);
    page.family("generator_cpu_ratio", "gauge", "CPU time, 1 is one core.");
    page.sample("generator_cpu_ratio", &[], last.cpu_percent / 100.0);
    page.family(
        "interval_latency_seconds",
        "gauge",
        "Latency in the last interval by quantity.",
    );
    for (name, figures) in &last.latency {
        for (quantile, ms) in ["0.5", "0.99", "1"].into_iter().zip(figures) {
            let labels = [("quantity", name.as_str()), ("quantile", quantile)];
            page.sample("interval_latency_seconds", &labels, ms / 1e3);
        }
    }
    page.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::prometheus;
    use crate::bench::report::sample;

    #[test]
    fn counters_are_those_of_the_finished_run_and_gauges_are_the_last() {
        let report = sample::report();
        let causes = report.errors.iter();
        let causes = causes.map(|one| (one.cause.clone(), (one.count, None)));
        let text = render(&report.messages, &causes.collect(), &report.intervals[1]);
        let finished = prometheus::render(&report);
        let counters = |text: &str| {
            let all = text.lines().filter(|line| line.contains("_total{"));
            all.map(str::to_owned)
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert!(counters(&text).is_subset(&counters(&finished)), "{text}");
        for sample in [
            "iotctl_bench_messages_total{state=\"sent\"} 1499990\n",
            "iotctl_bench_errors_total{cause=\"connection lost: reset by peer\"} 1002\n",
            "iotctl_bench_connections 101\n",
            "iotctl_bench_interval_latency_seconds{quantity=\"response\",quantile=\"0.99\"} 0.00",
        ] {
            assert!(text.contains(sample), "{sample} is not in\n{text}");
        }
    }
}
