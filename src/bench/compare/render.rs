//! The comparison as text, JSON and Markdown.

use crate::bench::report::markdown as md;
use crate::bench::report::units;
use crate::error::counted;

use super::{Comparison, Figure};

pub(super) const HEAD: [&str; 5] = ["", "before", "after", "ratio", "verdict"];

/// For people: one row a figure, within 80 columns as long as the verdicts are.
pub(crate) fn text(comparison: &Comparison) -> String {
    let rows: Vec<[String; 5]> = comparison.figures.iter().map(row).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEAD[column].len()]).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    if !comparison.is_repeated() {
        text += &format!("{}\n\n", comparison.confidence());
    }
    text += &format!("{}\n\n", headline(comparison));
    line(&mut text, &HEAD.map(str::to_owned), &widths);
    for row in &rows {
        line(&mut text, row, &widths);
    }
    if comparison.is_repeated() || !comparison.warnings.is_empty() {
        text.push('\n');
    }
    if comparison.is_repeated() {
        text += &format!("{}\n", comparison.confidence());
    }
    for warning in &comparison.warnings {
        text += &format!("warning: {warning}\n");
    }
    text
}

/// For programs.
pub(crate) fn json(comparison: &Comparison) -> String {
    let mut text = serde_json::to_string_pretty(comparison).unwrap_or_else(|cause| {
        // The comparison has string keys only, which is all that could be refused.
        unreachable!("a comparison is always JSON: {cause}")
    });
    text.push('\n');
    text
}

/// For a comment in a code review.
pub(crate) fn markdown(comparison: &Comparison) -> String {
    let regressed = comparison
        .figures
        .iter()
        .filter(|one| one.regressed)
        .count();
    let mut page = match (comparison.bound_percent, regressed) {
        _ if !comparison.is_repeated() => {
            let why = comparison.confidence();
            format!("### Comparison of load tests: too few runs to judge\n\n{why}.\n\n")
        }
        (None, _) => String::from("### Comparison of load tests\n\n"),
        (Some(_), 0) => String::from("### ✅ No regression\n\n"),
        (Some(_), 1) => String::from("### ❌ One figure has regressed\n\n"),
        (Some(_), more) => format!("### ❌ {more} figures have regressed\n\n"),
    };
    let rows = comparison.figures.iter().map(|figure| row(figure).into());
    md::table(&mut page, &HEAD, rows.collect());
    page += &match comparison.is_repeated() {
        true => format!("{}; {}.\n", headline(comparison), comparison.confidence()),
        false => format!("{}.\n", headline(comparison)),
    };
    for warning in &comparison.warnings {
        page += &format!("\n> warning: {}\n", md::escape(warning));
    }
    page
}

pub(super) fn headline(comparison: &Comparison) -> String {
    let bound = comparison.bound_percent;
    let bound = bound.map_or_else(String::new, |bound| {
        format!(", bound {}", units::percent(bound))
    });
    format!(
        "{} before, {} after{bound}",
        runs(comparison.runs_before),
        runs(comparison.runs_after)
    )
}

fn runs(count: usize) -> String {
    counted(count as u64, "run")
}

pub(super) fn row(figure: &Figure) -> [String; 5] {
    [
        figure.name.clone(),
        show(figure, figure.before),
        show(figure, figure.after),
        figure
            .ratio
            .map_or_else(|| String::from("–"), |ratio| format!("{ratio:.3}")),
        figure.verdict.clone(),
    ]
}

fn show(figure: &Figure, value: f64) -> String {
    match figure.unit {
        "ms" => units::time(value),
        "per_s" => units::rate(value),
        "s_per_million" => format!("{} s/M", units::three(value)),
        "bytes" => units::bytes(value),
        _ if value.fract() == 0.0 => units::count(value as u64),
        _ => units::three(value),
    }
}

fn line(text: &mut String, cells: &[String; 5], widths: &[usize; 4]) {
    let [name, before, after, ratio, verdict] = cells;
    let [first, second, third, fourth] = *widths;
    let line =
        format!("{name:first$}  {before:>second$}  {after:>third$}  {ratio:>fourth$}  {verdict}");
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::compare::compare;
    use crate::bench::report::sample;
    use crate::bench::report::schema::{complaints, is_complete};
    use crate::bench::result::Report;

    fn comparison(runs: usize) -> Comparison {
        let mut slow = sample::report();
        slow.latency.get_mut("response").unwrap().p50_ms *= 2.0;
        let (before, after) = (vec![sample::report(); runs], vec![slow; runs]);
        let mut found = compare(&before, &after, Some(0.05)).unwrap();
        found.figures.retain(|figure| {
            ["accepted rate", "response p50", "missing"].contains(&figure.name.as_str())
        });
        found
    }

    #[test]
    fn rows_are_aligned() {
        assert_eq!(
            text(&comparison(2)),
            "2 runs before, 2 runs after, bound 5.00 %\n\n\
             \x20                 before      after  ratio  verdict\n\
             accepted rate  49.96 k/s  49.96 k/s  1.000  unchanged\n\
             response p50      143 µs     285 µs  2.000  100 % worse (100 % to 100 %), over the bound of 5 %\n\
             missing            1,270      1,270      –  unchanged\n\n\
             ranges are 95 % confidence intervals of the ratio (Welch's t-test on logarithms); regressions are significant at 2 % over all figures (Holm)\n"
        );
    }

    #[test]
    fn single_runs_say_first_that_they_cannot_tell() {
        let shown = text(&comparison(1));
        let head = "cannot tell a difference from chance: with one run on a side significance cannot be tested; repeat the runs\n\n\
                    1 run before, 1 run after, bound 5.00 %\n\n";
        assert!(shown.starts_with(head), "{shown}");
        assert_eq!(shown.matches("cannot tell").count(), 1);
    }

    #[test]
    fn markdown_begins_with_the_outcome() {
        let shown = markdown(&comparison(1));
        assert!(shown.starts_with("### Comparison of load tests: too few runs to judge\n"));
        let shown = markdown(&comparison(2));
        assert!(shown.starts_with("### ❌ One figure has regressed\n\n|  | before | after |"));
        assert!(shown.contains("| response p50 | 143 µs | 285 µs | 2.000 | 100 % worse"));
    }

    #[test]
    fn json_is_what_the_schema_describes() {
        let text = include_str!("../../../schema/bench-comparison.schema.json");
        let schema: serde_json::Value = serde_json::from_str(text).unwrap();
        is_complete(&schema, "");
        let one = sample::report;
        for comparison in [
            comparison(1),
            comparison(2),
            compare(&[one(), one()], &[one(), one()], None).unwrap(),
        ] {
            let value = serde_json::from_str(&json(&comparison)).unwrap();
            assert_eq!(complaints(&value, &schema, &schema, ""), [""; 0]);
        }
    }

    #[test]
    fn cpu_and_memory_of_the_generator_are_judged() {
        let mut heavy = sample::report();
        heavy.generator.cpu_s_per_million *= 2.0;
        heavy.generator.max_rss_bytes *= 3;
        let two = |one: Report| [one.clone(), one];
        let found = compare(&two(sample::report()), &two(heavy), Some(0.05)).unwrap();
        let verdict = |name: &str| {
            let one = found.figures.iter().find(|one| one.name == name).unwrap();
            (
                one.regressed,
                one.ratio.unwrap().round(),
                show(one, one.before),
            )
        };
        let (regressed, ratio, shown) = verdict("generator CPU");
        assert!(
            regressed && ratio == 2.0 && shown.ends_with(" s/M"),
            "{shown}"
        );
        let (regressed, ratio, shown) = verdict("generator memory");
        assert!(
            regressed && ratio == 3.0 && shown.ends_with("MB"),
            "{shown}"
        );
    }

    #[test]
    fn json_holds_every_figure() {
        let value: serde_json::Value = serde_json::from_str(&json(&comparison(1))).unwrap();
        assert_eq!(value["schema_version"], 1);
        assert_eq!(value["figures"][1]["name"], "response p50");
        assert_eq!(value["figures"][1]["ratio"], 2.0);
        assert_eq!(value["figures"][1]["ratio_range"], serde_json::Value::Null);
        assert_eq!(value["figures"][1]["regressed"], false);
        assert_eq!(value["bound_percent"], 5.0);
        let value: serde_json::Value = serde_json::from_str(&json(&comparison(2))).unwrap();
        assert_eq!(value["figures"][1]["chance"], 0.0);
        assert_eq!(value["figures"][1]["regressed"], true);
    }
}
