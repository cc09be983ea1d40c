//! One page that needs nothing else: tables, and plots as inline SVG; light or dark as the reader likes it.

mod axis;
pub(in crate::bench) mod page;
pub(in crate::bench) mod plot;
pub(in crate::bench) mod plots;

use crate::bench::failure::Failure;
use crate::bench::result::Report;
use crate::error::{Error, Result};

use super::{rows, terms};
use page::Page;

/// The page.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage) when a distribution is damaged.
pub(crate) fn render(report: &Report) -> Result<String> {
    let damaged = |why| Error::usage(format!("the report cannot be rendered: {why}"));
    let mut page = Page::new(&title(report));
    headline(report, &mut page);
    tiles(report, &mut page);
    maximum(report, &mut page);
    thresholds(report, &mut page);
    generator(report, &mut page);
    page.list("Warnings", "warn wide", &rows::warnings(report));
    for plot in plots::all(report).map_err(damaged)? {
        page.figure(&plot);
    }
    latency(report, &mut page);
    messages(report, &mut page);
    connections(report, &mut page);
    errors(report, &mut page);
    setup(report, &mut page);
    Ok(page.end(&rows::title(report)))
}

/// The page of what is no load test: what was asserted and whether it was met, the account in lines, and each counter.
pub(crate) fn account(
    title: &str,
    assertions: &[(String, bool)],
    lines: &[String],
    counters: &[(&str, &str, u64)],
    footer: &str,
) -> String {
    let mut page = Page::new(title);
    let missed = assertions.iter().filter(|(_, met)| !met).count();
    match (missed, assertions.len()) {
        (_, 0) => {}
        (0, all) => page.badge("good", &format!("all {all} assertions met")),
        (missed, all) => page.badge("bad", &format!("{missed} of {all} assertions missed")),
    }
    let asserted = assertions.iter().map(|(words, met)| {
        let sign = if *met { "✓" } else { "✗" };
        vec![sign.to_owned(), words.clone()]
    });
    let asserted: Vec<_> = asserted.collect();
    page.table("Assertions", &["", "assertion"], &asserted, "");
    page.list("Account", "wide", lines);
    let counted = counters.iter().filter(|(.., count)| *count > 0);
    let counted = counted.map(|(name, what, count)| {
        let count = super::units::count(*count);
        vec![(*name).to_owned(), count, (*what).to_owned()]
    });
    let counted: Vec<_> = counted.collect();
    page.table("Counters", &["name", "count", "what"], &counted, "");
    page.end(footer)
}

fn title(report: &Report) -> String {
    match (report.setup.get("scenario"), report.setup.get("target")) {
        (Some(scenario), Some(target)) => format!("{scenario} · {target}"),
        (_, Some(target)) => target.clone(),
        (Some(scenario), _) => scenario.clone(),
        _ => String::from("Load test"),
    }
}

fn headline(report: &Report, page: &mut Page) {
    if let Some((is_good, words)) = rows::headline(report) {
        page.badge(if is_good { "good" } else { "bad" }, &words);
    }
}

/// The figures that most people come for.
fn tiles(report: &Report, page: &mut Page) {
    let mut tiles: Vec<(String, String)> = rows::rates(report)
        .into_iter()
        .filter(|(name, _)| *name != "planned")
        .map(|(name, rate)| (name.to_owned(), rate))
        .collect();
    if let Some((name, latency)) = rows::quantities(report).first() {
        let [p50, _, p99, ..] = rows::latency_row(latency);
        tiles.push((format!("{name} p50"), p50));
        tiles.push((format!("{name} p99"), p99));
    }
    let missing = rows::other_counters(&report.messages)
        .into_iter()
        .filter(|(name, _)| *name == "missing");
    tiles.extend(missing.map(|(name, number)| (name.to_owned(), super::units::count(number))));
    page.tiles(&tiles);
}

fn maximum(report: &Report, page: &mut Page) {
    if let Some((found, steps)) = rows::maximum(report) {
        let lines: Vec<String> = std::iter::once(found).chain(steps).collect();
        page.list("Highest rate", "", &lines);
    }
}

fn thresholds(report: &Report, page: &mut Page) {
    let rows: Vec<Vec<String>> = report
        .thresholds
        .iter()
        .map(|one| {
            let sign = if one.passed { "✓" } else { "✗" };
            vec![sign.to_owned(), one.expression.clone(), rows::outcome(one)]
        })
        .collect();
    page.table("Thresholds", &["", "threshold", "outcome"], &rows, "");
}

fn latency(report: &Report, page: &mut Page) {
    let mut head = vec![""];
    head.extend(rows::LATENCY_COLUMNS);
    let rows: Vec<Vec<String>> = rows::quantities(report)
        .into_iter()
        .map(|(name, latency)| {
            let mut row = vec![name.to_owned()];
            row.extend(rows::latency_row(latency));
            row
        })
        .collect();
    page.table(
        "Latency",
        &head,
        &rows,
        &terms::line(rows::latency_terms(report)),
    );
}

fn messages(report: &Report, page: &mut Page) {
    let number = super::units::count;
    let identities = rows::identities(report).into_iter().map(|row| {
        vec![
            row.name.to_owned(),
            number(row.whole),
            row.terms().join(" "),
        ]
    });
    let others = rows::other_counters(&report.messages)
        .into_iter()
        .chain(rows::counts(report))
        .map(|(name, count)| vec![name.to_owned(), number(count), String::new()]);
    let traffic = vec![
        String::from("traffic"),
        String::new(),
        rows::traffic(&report.messages),
    ];
    let rows: Vec<Vec<String>> = identities.chain(others).chain([traffic]).collect();
    let rates = rows::rates(report);
    let names = rates.iter().map(|(name, _)| *name);
    let words = terms::line(names.chain(rows::message_terms(report)));
    page.table("Messages", &["", "", ""], &rows, &words);
}

fn connections(report: &Report, page: &mut Page) {
    page.pairs("Connections", rows::connections(report));
}

fn errors(report: &Report, page: &mut Page) {
    let rows: Vec<Vec<String>> = report
        .errors
        .iter()
        .map(|error| {
            vec![
                super::units::count(error.count),
                error.cause.clone(),
                error.hint.clone().unwrap_or_default(),
            ]
        })
        .collect();
    page.table("Errors", &["count", "cause", "hint"], &rows, "");
}

fn generator(report: &Report, page: &mut Page) {
    let failed = Failure::of(report).is_some();
    let doubtful = failed || report.generator.limited || !report.generator.steady;
    // Beside the thresholds, where there are some.
    let tone = match (doubtful, report.thresholds.is_empty()) {
        (true, true) => "warn wide",
        (true, false) => "warn",
        (false, true) => "wide",
        (false, false) => "",
    };
    let lines = [
        rows::verdict(report),
        rows::generator_line(&report.generator),
    ];
    page.list("Verdict", tone, &lines);
}

fn setup(report: &Report, page: &mut Page) {
    let phases = rows::phases(report)
        .into_iter()
        .map(|(name, time)| (name.to_owned(), time));
    let setup = rows::setup(report).map(|(name, value)| (name.to_owned(), value.to_owned()));
    page.pairs("Setup", setup.chain(phases));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    #[test]
    fn the_page_needs_nothing_else_and_runs_nothing() {
        let html = render(&sample::report()).unwrap();
        for outside in [
            "http://", "https://", "<script", "<link", "<img", "url(", "@import", "src=",
        ] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(html.contains("default-src 'none'"));
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; co"));
        assert_eq!(html.matches("<svg").count(), 4);
        assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    }

    #[test]
    fn only_columns_of_numbers_stand_on_the_right() {
        let html = render(&sample::report()).unwrap();
        assert!(
            html.contains("<td class=\"n\">1,500,000</td><td>= sent "),
            "{html}"
        );
        assert!(html.contains("<td>response</td><td class=\"n\">"), "{html}");
    }

    #[test]
    fn every_string_of_the_report_is_escaped() {
        let evil = "\"'><i>";
        let mut report = sample::report();
        report.tool = evil.to_owned();
        report.started_at = evil.to_owned();
        report.generator.verdict = evil.to_owned();
        report.generator.coalesce = evil.to_owned();
        report.setup.insert(evil.to_owned(), evil.to_owned());
        report.setup.insert(String::from("target"), evil.to_owned());
        let latency = report.latency["response"].clone();
        report.latency.insert(evil.to_owned(), latency);
        report.errors[0].cause = evil.to_owned();
        report.errors[0].hint = Some(evil.to_owned());
        report.thresholds[0].expression = evil.to_owned();
        report.intervals[0].phase = evil.to_owned();
        assert!(!render(&report).unwrap().contains("<i>"));
    }

    #[test]
    fn a_damaged_distribution_is_told() {
        let mut report = sample::report();
        report.latency.get_mut("lag").unwrap().histogram = String::new();
        assert_eq!(
            render(&report).unwrap_err().text(),
            "the report cannot be rendered: latency lag has no histogram"
        );
    }
}
