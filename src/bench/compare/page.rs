//! The comparison as a page, with the runs in the same pictures.

use crate::bench::report::html::page::Page;
use crate::bench::report::html::plots;
use crate::bench::report::rows;
use crate::bench::report::units::{count, rate};
use crate::bench::result::Report;
use crate::error::{Error, Result};

use super::Comparison;
use super::render::{HEAD, headline, row};

/// A page that needs nothing else; `runs` are the names of the runs and what they found, those before first.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage) when a distribution is damaged.
pub(crate) fn html(comparison: &Comparison, runs: &[(String, &Report)]) -> Result<String> {
    let damaged = |why| Error::usage(format!("the comparison cannot be rendered: {why}"));
    let mut page = Page::new("Comparison of load tests");
    let regressed = comparison.figures.iter().filter(|one| one.regressed);
    match (comparison.is_repeated(), regressed.count()) {
        (false, _) => page.badge("warn", "too few runs to judge"),
        (true, 0) => page.badge("good", "no regression"),
        (true, 1) => page.badge("bad", "one figure has regressed"),
        (true, more) => page.badge("bad", &format!("{more} figures have regressed")),
    }
    page.list("Warnings", "warn wide", &comparison.warnings);
    let rows: Vec<Vec<String>> = comparison
        .figures
        .iter()
        .map(|figure| row(figure).into())
        .collect();
    page.table(&headline(comparison), &HEAD, &rows, comparison.confidence());
    for plot in plots::overlaid(runs).map_err(damaged)? {
        page.figure(&plot);
    }
    let rows: Vec<Vec<String>> = runs.iter().map(of_run).collect();
    page.table("Runs", &RUN_HEAD, &rows, "");
    Ok(page.end(concat!("iotctl ", env!("CARGO_PKG_VERSION"))))
}

const RUN_HEAD: [&str; 7] = [
    "run",
    "accepted",
    "delivered",
    "p50",
    "p99",
    "max",
    "missing",
];

fn of_run((name, report): &(String, &Report)) -> Vec<String> {
    let latency = rows::quantities(report).into_iter().next();
    let [p50, _, p99, _, max, _] = latency.map_or_else(
        || [(); 6].map(|()| String::from("–")),
        |(_, latency)| rows::latency_row(latency),
    );
    let Report {
        rates, messages, ..
    } = report;
    let (accepted, delivered) = (rate(rates.accepted_per_s), rate(rates.delivered_per_s));
    let missing = count(messages.missing);
    vec![name.clone(), accepted, delivered, p50, p99, max, missing]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::compare::compare;
    use crate::bench::report::sample;

    #[test]
    fn runs_stand_in_the_same_pictures() {
        let runs = [sample::report(), sample::report()];
        let comparison = compare(&runs[..1], &runs[1..], Some(0.05)).unwrap();
        let names = ["<a>.json", "b.json"].map(String::from);
        let runs: Vec<(String, &Report)> = names.into_iter().zip(&runs).collect();
        let page = html(&comparison, &runs).unwrap();
        assert_eq!(page.matches("<svg").count(), 3);
        assert_eq!(page.matches("&lt;a&gt;.json</span>").count(), 3);
        assert!(page.contains("too few runs to judge"), "{page}");
        assert!(page.contains("cannot tell a difference from chance"));
        for outside in ["<a>", "<script", "http://", "https://"] {
            assert!(!page.contains(outside), "{outside}");
        }
        let two: Vec<Report> = vec![sample::report(); 2];
        let same = compare(&two, &two, None).unwrap();
        let page = html(&same, &[]).unwrap();
        assert!(page.contains("no regression"));
    }
}
