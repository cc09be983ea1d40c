//! The time series as CSV (RFC 4180): one row an interval, names with units in the first.

use std::collections::BTreeSet;

use crate::bench::result::{Interval, Report};

/// The columns that every row has.
const COLUMNS: &str =
    "at_s,phase,planned,sent,acknowledged,received,errors,connections,cpu_percent";

/// All intervals, warm-up and drain included. Counts are of the interval; a latency that was not
/// measured in one is empty.
pub(crate) fn render(report: &Report) -> String {
    let quantities: BTreeSet<&str> = report
        .intervals
        .iter()
        .flat_map(|interval| interval.latency.keys().map(String::as_str))
        .collect();
    let mut text = String::from(COLUMNS);
    for name in &quantities {
        for figure in ["p50_ms", "p99_ms", "max_ms"] {
            text += &format!(",{}", field(&format!("{name}_{figure}")));
        }
    }
    text.push('\n');
    for interval in &report.intervals {
        text += &row(interval, &quantities);
    }
    text
}

fn row(interval: &Interval, quantities: &BTreeSet<&str>) -> String {
    let mut row = format!(
        "{},{},{},{},{},{},{},{},{}",
        interval.at_s,
        field(&interval.phase),
        interval.planned,
        interval.sent,
        interval.acknowledged,
        interval.received,
        interval.errors,
        interval.connections,
        interval.cpu_percent
    );
    for name in quantities {
        match interval.latency.get(*name) {
            Some([p50, p99, max]) => row += &format!(",{p50},{p99},{max}"),
            None => row += ",,,",
        }
    }
    row.push('\n');
    row
}

/// A field, in quotes where it needs them.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_an_interval_and_gaps_where_nothing_was_measured() {
        let mut first = Interval {
            at_s: 0.5,
            phase: String::from("warmup"),
            sent: 5,
            ..Interval::default()
        };
        first
            .latency
            .insert(String::from("response"), [0.1, 2.5, 3.0]);
        let second = Interval {
            at_s: 1.0,
            phase: String::from("a, \"b\""),
            ..Interval::default()
        };
        let report = Report {
            intervals: vec![first, second],
            ..Report::default()
        };
        assert_eq!(
            render(&report),
            "at_s,phase,planned,sent,acknowledged,received,errors,connections,cpu_percent,\
             response_p50_ms,response_p99_ms,response_max_ms\n\
             0.5,warmup,0,5,0,0,0,0,0,0.1,2.5,3\n\
             1,\"a, \"\"b\"\"\",0,0,0,0,0,0,0,,,\n"
        );
    }
}
