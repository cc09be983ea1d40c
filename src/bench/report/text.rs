//! The summary that a person sees: aligned, readable without colour and within 80 columns.

use std::fmt::Display;

use crate::bench::result::{Interval, Report};

use super::units::{brief_rate, count, percent, seconds, time};
use super::{rows, terms};

/// Columns that the summary fits into.
const WIDTH: usize = 80;

/// Columns of the names on the left.
const MARGIN: usize = 12;

/// The summary, ending with a line feed.
pub(crate) fn render(report: &Report) -> String {
    let mut page = Page::default();
    page.line(rows::title(report));
    page.gap();
    outcome(report, &mut page);
    page.gap();
    rates(report, &mut page);
    page.gap();
    messages(report, &mut page);
    page.gap();
    latency(report, &mut page);
    page.gap();
    page.pairs("connections", rows::connections(report));
    errors(report, &mut page);
    page.section("generator", [rows::generator_line(&report.generator)]);
    page.gap();
    setup(report, &mut page);
    page.0
}

/// What decides: the answer of a search, the thresholds, and how far the figures can be believed.
fn outcome(report: &Report, page: &mut Page) {
    if let Some((found, steps)) = rows::maximum(report) {
        page.section("max. rate", [found]);
        page.section("", steps);
    }
    thresholds(report, page);
    page.section("verdict", [rows::verdict(report)]);
    for (at, warning) in rows::warnings(report).into_iter().enumerate() {
        page.section(if at == 0 { "warnings" } else { "" }, [warning]);
    }
}

/// The numbers that a live line has: of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    /// Messages are sent.
    pub(crate) sent: bool,
    /// The server acknowledges or answers them.
    pub(crate) acknowledged: bool,
    /// There are receivers.
    pub(crate) received: bool,
}

/// One line for an interval of `length_s` seconds, for a live view; it fits 80 columns:
/// `12.0 s  sent 50.0k/s acked 49.9k/s recv 49.9k/s p50 123µs p99 1.90ms errors 12`.
pub(crate) fn live_line(interval: &Interval, length_s: f64, columns: Columns) -> String {
    let mut line = format!("{} ", seconds(interval.at_s));
    for (name, shown, number) in [
        ("sent", columns.sent, interval.sent),
        ("acked", columns.acknowledged, interval.acknowledged),
        ("recv", columns.received, interval.received),
    ] {
        if shown {
            let rate = brief_rate(number as f64 / length_s.max(1e-3));
            line += &format!(" {name} {rate}");
        }
    }
    line += &live_latency(interval);
    if interval.errors > 0 {
        line += &format!(" errors {}", count(interval.errors));
    }
    if interval.phase != "measure" {
        line += &format!("  ({})", interval.phase);
    }
    line
}

/// The median and p99 of what people look at first; named unless it is the response time.
fn live_latency(interval: &Interval) -> String {
    let known = ["response", "end_to_end"].into_iter().find_map(|name| {
        let figures = interval.latency.get(name)?;
        Some((name, figures))
    });
    let Some((name, [p50, p99, _])) = known else {
        return String::new();
    };
    let name = match name {
        "response" => String::new(),
        other => format!(" {other}"),
    };
    let brief = |ms: f64| time(ms).replace(' ', "");
    format!("{name} p50 {} p99 {}", brief(*p50), brief(*p99))
}

/// The line of an interval with all that it holds, as `--interval` writes it to a pipe.
pub(crate) fn interval_line(interval: &Interval, length_s: f64, columns: Columns) -> String {
    format!(
        "{}  connections {}  CPU {}",
        live_line(interval, length_s, columns),
        count(interval.connections),
        percent(interval.cpu_percent)
    )
}

fn setup(report: &Report, page: &mut Page) {
    let keys = rows::setup(report).map(|(key, _)| width(key));
    let widest = keys.max().unwrap_or(0);
    for (at, (key, value)) in rows::setup(report).enumerate() {
        let name = if at == 0 { "setup" } else { "" };
        page.section(name, [format!("{key:widest$}  {value}")]);
    }
    page.pairs("time", rows::phases(report));
}

fn rates(report: &Report, page: &mut Page) {
    let rates = rows::rates(report);
    if rates.is_empty() {
        return;
    }
    page.row("rates", rates.iter().map(|(name, _)| *name), 12);
    page.row("", rates.iter().map(|(_, rate)| rate.as_str()), 12);
    page.section("", [terms::line(rates.iter().map(|(name, _)| *name))]);
}

fn messages(report: &Report, page: &mut Page) {
    let identities = rows::identities(report);
    let largest = identities.iter().map(|row| width(&count(row.whole))).max();
    let largest = largest.unwrap_or(0);
    for (at, identity) in identities.iter().enumerate() {
        let name = if at == 0 { "messages" } else { "" };
        let whole = format!("{:<9}{:>largest$}", identity.name, count(identity.whole));
        let hang = MARGIN + width(&whole) + 1;
        page.flow(name, &whole, " ", hang, &identity.terms());
    }
    let others = rows::other_counters(&report.messages);
    let name = if identities.is_empty() {
        "messages"
    } else {
        ""
    };
    if !others.is_empty() {
        let others = others.into_iter();
        page.pairs(name, others.map(|(name, number)| (name, count(number))));
    }
    let explained = terms::line(rows::message_terms(report));
    if !explained.is_empty() {
        page.section("", [explained]);
    }
    page.section("traffic", [rows::traffic(&report.messages)]);
    if !report.counts.is_empty() {
        let counts = rows::counts(report);
        page.pairs("counts", counts.map(|(name, number)| (name, count(number))));
    }
}

fn latency(report: &Report, page: &mut Page) {
    if report.latency.is_empty() {
        return page.section("latency", ["nothing was measured"]);
    }
    page.row("latency", rows::LATENCY_COLUMNS, 10);
    for (name, latency) in rows::quantities(report) {
        page.row(&format!("  {name}"), rows::latency_row(latency), 10);
    }
    page.section("", [terms::line(rows::latency_terms(report))]);
}

fn errors(report: &Report, page: &mut Page) {
    if report.errors.is_empty() {
        return page.section("errors", ["none"]);
    }
    for (at, error) in report.errors.iter().enumerate() {
        page.section(
            if at == 0 { "errors" } else { "" },
            [rows::error_line(error)],
        );
        if let Some(hint) = &error.hint {
            page.section("", [format!("hint: {hint}")]);
        }
    }
}

fn thresholds(report: &Report, page: &mut Page) {
    for (at, threshold) in report.thresholds.iter().enumerate() {
        let name = if at == 0 { "thresholds" } else { "" };
        let outcome = rows::outcome(threshold);
        page.section(name, [format!("{}  {outcome}", threshold.expression)]);
    }
}

/// The lines made so far.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: impl AsRef<str>) {
        self.0.push_str(text.as_ref().trim_end());
        self.0.push('\n');
    }

    fn gap(&mut self) {
        if !self.0.ends_with("\n\n") {
            self.line("");
        }
    }

    /// Cells under one another: a name, then columns of `size` aligned on the right.
    fn row(&mut self, name: &str, cells: impl IntoIterator<Item = impl AsRef<str>>, size: usize) {
        let mut line = pad(name, MARGIN);
        for cell in cells {
            let cell = cell.as_ref();
            line.push_str(&" ".repeat(size.saturating_sub(width(cell)).max(1)));
            line.push_str(cell);
        }
        self.line(line);
    }

    /// A name and its text, wrapped at spaces.
    fn section(&mut self, name: &str, text: impl IntoIterator<Item = impl AsRef<str>>) {
        for text in text {
            let words: Vec<&str> = text.as_ref().split(' ').collect();
            self.flow(name, "", "", MARGIN, &words);
        }
    }

    /// A name, and `name value` of each pair, which stay together, with commas between them.
    fn pairs<N: Display>(
        &mut self,
        name: &str,
        pairs: impl IntoIterator<Item = (N, String), IntoIter: ExactSizeIterator>,
    ) {
        let pairs = pairs.into_iter();
        let last = pairs.len().saturating_sub(1);
        let word = |(at, (name, value)): (usize, (N, String))| {
            let comma = if at < last { "," } else { "" };
            format!("{name} {value}{comma}")
        };
        let words: Vec<String> = pairs.enumerate().map(word).collect();
        self.flow(name, "", "", MARGIN, &words);
    }

    /// A name, a beginning, and words that go on at column `hang` where a line is full.
    fn flow(&mut self, name: &str, start: &str, gap: &str, hang: usize, words: &[impl AsRef<str>]) {
        let mut line = format!("{}{start}{gap}", pad(name, MARGIN));
        let mut fresh = true;
        for word in words {
            let word = word.as_ref();
            if !fresh && width(&line) + 1 + width(word) > WIDTH {
                self.line(&line);
                line = " ".repeat(hang);
                fresh = true;
            }
            if !fresh {
                line.push(' ');
            }
            line.push_str(word);
            fresh = false;
        }
        self.line(line);
    }
}

fn pad(text: &str, size: usize) -> String {
    let missing = size
        .saturating_sub(width(text))
        .max(usize::from(!text.is_empty()));
    format!("{text}{}", " ".repeat(missing))
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    const ALL: Columns = Columns {
        sent: true,
        acknowledged: true,
        received: true,
    };

    #[test]
    fn the_summary_fits_80_columns_and_shows_everything() {
        let text = render(&sample::report());
        for line in text.lines() {
            assert!(width(line) <= WIDTH, "{line}");
            assert_eq!(line, line.trim_end());
        }
        for part in [
            "rates            planned     offered    accepted   delivered\n",
            "               50.00 k/s   50.00 k/s   49.96 k/s   49.96 k/s\n",
            "messages    planned  1,500,000 = sent 1,499,990 + unsent 10\n",
            "            sent     1,499,990 = acknowledged 1,498,800 + refused 150\n",
            "                               + timed out 40 + lost with connection 1,000\n",
            "            received 1,498,732 = unique 1,498,720 + duplicate 12\n",
            "            expected 1,499,990, missing 1,270, reordered 3, late 25, repeated 12\n",
            "latency            p50       p90       p99     p99.9       max     count\n",
            "            response: from due to answered; end_to_end: from due to received;\n",
            "errors      1,002 × connection lost: reset by peer\n",
            "            hint: the broker limits the messages of one client; raise its limit\n",
            "thresholds  p50 < 20ms  passed\n",
            "            lost == 0  missed by 1,270\n",
            "and latency were stable\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn what_decides_stands_above_the_tables() {
        let mut report = sample::report();
        for (name, value) in [
            ("max_rate", "4000/s"),
            ("max_rate_limit", "the generator"),
            ("max_rate_steps", "4000/s passed, 5000/s failed"),
        ] {
            report.setup.insert(name.to_owned(), value.to_owned());
        }
        let text = render(&report);
        let head = "\n\nmax. rate   4000/s; the generator was the limit: the server may take more\n            4000/s passed\n            5000/s failed\n\
                    thresholds  p50 < 20ms  passed\n            lost == 0  missed by 1,270\n\
                    verdict     1,270 of 1,499,990 expected messages were not received";
        assert!(text.contains(head), "{text}");
        let place = |word: &str| text.find(word).unwrap();
        assert!(place("warnings") < place("\nrates"), "{text}");
        assert!(place("generator   CPU") < place("\nsetup"), "{text}");
        assert_eq!(text.matches("max_rate").count(), 0);
    }

    #[test]
    fn a_live_line_counts_only_what_was_asked_for() {
        let stalled = &sample::report().intervals[20];
        let columns = Columns {
            sent: true,
            acknowledged: false,
            received: false,
        };
        let line = live_line(stalled, 1.0, columns);
        assert!(line.starts_with("21.0 s  sent 50.0k/s p50"), "{line}");
    }

    #[test]
    fn a_live_line_has_rates_percentiles_and_errors() {
        let stalled = &sample::report().intervals[20];
        assert_eq!(
            live_line(stalled, 1.0, ALL),
            "21.0 s  sent 50.0k/s acked 26.0k/s recv 26.0k/s p50 143µs p99 490ms errors 1,190"
        );
        let warming = Interval {
            at_s: 0.5,
            phase: String::from("warmup"),
            connections: 7,
            ..Interval::default()
        };
        assert_eq!(
            interval_line(&warming, 0.5, ALL),
            "500 ms  sent 0/s acked 0/s recv 0/s  (warmup)  connections 7  CPU 0 %"
        );
    }

    #[test]
    fn a_word_longer_than_the_page_stands_alone() {
        let mut page = Page::default();
        page.section("errors", [format!("a {} b", "x".repeat(90))]);
        assert_eq!(
            page.0,
            format!(
                "errors      a\n            {}\n            b\n",
                "x".repeat(90)
            )
        );
    }
}
