//! Whether one set of runs is better or worse than another, and how sure that is.
//!
//! Figures are compared as ratios of geometric means. With at least two runs on both sides Welch's t-test on
//! the logarithms gives the range in which the true ratio lies with 95 % confidence; one run on a side
//! gives none. A figure has regressed when it is worse by more than the bound and that cannot be chance: over all
//! figures of a comparison together, at most 2 % of the comparisons of runs that do not differ find a regression
//! (Holm's correction). Without repeated runs nothing can be told from chance, and nothing has regressed.

mod figures;
mod page;
mod render;
mod statistics;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::error::{Error, Kind, Result};

use super::failure::Failure;
use super::result::Report;
use figures::Better;
pub(crate) use page::html;
pub(crate) use render::{json, markdown, text};
use statistics::{Ratio, Values, chance, holm, ratio};

/// The version of the JSON form; raised when a name changes its meaning or goes away.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// What a run of another kind has another value of in its setup.
const SCENARIO: &str = "scenario";

/// How probable a regression that is none may be, over all figures together.
const ERROR: f64 = 0.02;

/// Two sets of runs beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Runs on the first side.
    pub runs_before: usize,
    /// Runs on the second side.
    pub runs_after: usize,
    /// How much worse a figure may be, in percent; `None`: nothing is a regression.
    pub bound_percent: Option<f64>,
    /// Figure by figure.
    pub figures: Vec<Figure>,
    /// Caveats about the comparison.
    pub warnings: Vec<String>,
}

/// One figure on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// `response p99`, `accepted rate`.
    pub name: String,
    /// `ms`, `per_s`, `s_per_million`, `bytes` or `messages`.
    pub unit: &'static str,
    /// Which way is good: `lower` or `higher`.
    pub better: &'static str,
    /// Geometric mean of the first side; of counts, the mean.
    pub before: f64,
    /// The same of the second side.
    pub after: f64,
    /// After by before; `None` when one of them is zero.
    pub ratio: Option<f64>,
    /// The range of the ratio with 95 % confidence; `None` when nothing can be said.
    pub ratio_range: Option<[f64; 2]>,
    /// How probable it is that chance alone makes it this much worse, corrected for the number of figures; `None` without
    /// repeated runs, and when nothing differs.
    pub chance: Option<f64>,
    /// Whether it is worse by more than the bound, and not by chance.
    pub regressed: bool,
    /// All this in a sentence.
    pub verdict: String,
}

/// Compares runs `before` with runs `after`; `bound` is how much worse a figure may be: 0.05 is 5 %.
///
/// # Errors
/// [`Kind::Usage`] when a side has no run, or the two have no figure in common.
pub(crate) fn compare(
    before: &[Report],
    after: &[Report],
    bound: Option<f64>,
) -> Result<Comparison> {
    if before.is_empty() || after.is_empty() {
        return Err(Error::usage("there is no result to compare with"));
    }
    let sides = figures::common(before, after);
    let chances: Vec<Option<f64>> = sides.iter().map(Sides::chance).collect();
    let figures: Vec<Figure> = sides
        .iter()
        .zip(holm(&chances))
        .map(|(figure, chance)| judge(figure, chance, bound))
        .collect();
    if figures.is_empty() {
        return Err(Error::usage("the results have no figures in common"));
    }
    Ok(Comparison {
        schema_version: SCHEMA_VERSION,
        runs_before: before.len(),
        runs_after: after.len(),
        bound_percent: bound.map(|bound| bound * 100.0),
        figures,
        warnings: warnings(before, after),
    })
}

impl Comparison {
    /// What has regressed, as the failure that ends the command; `None` when nothing has.
    pub(crate) fn failure(&self) -> Option<Error> {
        let worse: Vec<&Figure> = self.figures.iter().filter(|one| one.regressed).collect();
        let first = worse.first()?;
        let others = match worse.len() - 1 {
            0 => String::new(),
            1 => String::from(", and one more figure has regressed"),
            more => format!(", and {more} more figures have regressed"),
        };
        let said = format!("{} is {}{others}", first.name, first.verdict);
        Some(Error::new(Kind::Missed, said))
    }

    /// Whether both sides were repeated, without which nothing can be told from chance.
    pub(crate) const fn is_repeated(&self) -> bool {
        self.runs_before > 1 && self.runs_after > 1
    }

    /// What the number of runs allows to say.
    pub(crate) const fn confidence(&self) -> &'static str {
        if self.is_repeated() {
            "ranges are 95 % confidence intervals of the ratio (Welch's t-test on logarithms); regressions are significant at 2 % over all figures (Holm)"
        } else {
            "cannot tell a difference from chance: with one run on a side significance cannot be tested; repeat the runs"
        }
    }
}

/// One figure of both sides, run by run.
struct Sides {
    name: String,
    unit: &'static str,
    better: Better,
    before: Vec<f64>,
    after: Vec<f64>,
}

impl Sides {
    /// How probable it is that chance alone makes this figure as much worse as it is.
    fn chance(&self) -> Option<f64> {
        match self.better {
            Better::Higher => chance(&self.after, &self.before, Values::Measured),
            Better::Lower => chance(&self.before, &self.after, Values::Measured),
            Better::Fewer => chance(&self.before, &self.after, Values::Counted),
        }
    }
}

/// What a figure is judged by.
#[derive(Clone, Copy)]
struct Judge {
    better: Better,
    bound: Option<f64>,
    chance: Option<f64>,
}

fn judge(sides: &Sides, chance: Option<f64>, bound: Option<f64>) -> Figure {
    let found = match sides.better {
        Better::Fewer => None,
        _ => ratio(&sides.before, &sides.after),
    };
    let (before, after) = match &found {
        Some(ratio) => (ratio.before, ratio.after),
        None => (
            statistics::mean(&sides.before),
            statistics::mean(&sides.after),
        ),
    };
    let judge = Judge {
        better: sides.better,
        bound,
        chance,
    };
    let (regressed, verdict) = match &found {
        Some(ratio) => judge.ratio(ratio),
        None => judge.means(before, after),
    };
    Figure {
        name: sides.name.clone(),
        unit: sides.unit,
        better: sides.better.word(),
        before,
        after,
        ratio: found.as_ref().map(|ratio| ratio.point),
        ratio_range: found.and_then(|ratio| ratio.range),
        chance,
        regressed,
        verdict,
    }
}

/// How much worse a ratio is: 0.1 is 10 % worse, -0.1 is 10 % better.
fn worse_by(ratio: f64, better: Better) -> f64 {
    match better {
        Better::Higher => 1.0 - ratio,
        Better::Lower | Better::Fewer => ratio - 1.0,
    }
}

impl Judge {
    fn ratio(self, ratio: &Ratio) -> (bool, String) {
        let worse = worse_by(ratio.point, self.better);
        if worse == 0.0 && ratio.range.is_none_or(|[low, high]| low == high) {
            return (false, String::from("unchanged"));
        }
        let (regressed, bound) = self.beyond(self.bound.is_some_and(|bound| worse > bound));
        let Some([low, high]) = ratio.range else {
            return (regressed, format!("{}{bound}", change(worse)));
        };
        let mut range = [worse_by(low, self.better), worse_by(high, self.better)];
        range.sort_by(f64::total_cmp);
        let [best, worst] = range;
        if !regressed && best <= 0.0 && worst >= 0.0 {
            let between = format!("{} to {}", change(best), change(worst));
            return (false, format!("no significant difference ({between})"));
        }
        let (least, most) = (best.abs().min(worst.abs()), best.abs().max(worst.abs()));
        let between = format!("{} to {}", percent(least), percent(most));
        (regressed, format!("{} ({between}){bound}", change(worse)))
    }

    /// Counts, and figures that are zero on a side.
    fn means(self, before: f64, after: f64) -> (bool, String) {
        if before == after {
            return (false, String::from("unchanged"));
        }
        let is_worse = (after > before) != (self.better == Better::Higher);
        let far = |bound| is_worse && (after - before).abs() > before * bound;
        let (regressed, bound) = self.beyond(self.bound.is_some_and(far));
        let word = match (after > before, is_worse) {
            (true, true) => "increased, worse",
            (false, true) => "decreased, worse",
            (true, false) => "increased, better",
            (false, false) => "decreased, better",
        };
        (regressed, format!("{word}{bound}"))
    }

    /// Whether a figure that is `over` the bound or not has regressed, and the text about the bound.
    fn beyond(self, over: bool) -> (bool, String) {
        let Some(bound) = self.bound.filter(|_| over) else {
            return (false, String::new());
        };
        let bound = format!(", over the bound of {}", percent(bound));
        match self.chance {
            Some(chance) if chance < ERROR => (true, bound),
            Some(_) => (
                false,
                format!("{bound}, but not significant among this many figures"),
            ),
            None => (
                false,
                format!("{bound}, but one run per side proves nothing"),
            ),
        }
    }
}

fn change(worse: f64) -> String {
    let word = if worse > 0.0 { "worse" } else { "better" };
    format!("{} {word}", percent(worse.abs()))
}

fn percent(part: f64) -> String {
    let percent = part * 100.0;
    if percent < 9.95 && percent.fract() != 0.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// Runs that should not be compared, or not believed.
fn warnings(before: &[Report], after: &[Report]) -> Vec<String> {
    let mut warnings = Vec::new();
    let first = &before[0];
    let others = || before.iter().chain(after).skip(1);
    let differs =
        |name: &&String| others().any(|run| run.setup.get(*name) != first.setup.get(*name));
    let names: BTreeSet<&String> = before
        .iter()
        .chain(after)
        .flat_map(|run| run.setup.keys())
        .collect();
    let mut differing: Vec<&str> = names
        .into_iter()
        .filter(differs)
        .map(String::as_str)
        .collect();
    // Such runs have not done the same, whatever else they differ in.
    if let Some(at) = differing.iter().position(|name| *name == SCENARIO) {
        differing.remove(at);
        let runs = before.iter().chain(after);
        let scenarios: BTreeSet<&str> = runs
            .filter_map(|run| run.setup.get(SCENARIO).map(String::as_str))
            .collect();
        let scenarios: Vec<&str> = scenarios.into_iter().collect();
        let scenarios = scenarios.join(", ");
        warnings.push(format!("the runs are of different scenarios: {scenarios}"));
    }
    if !differing.is_empty() {
        warnings.push(format!("the runs differ in {}", differing.join(", ")));
    }
    let mut failed = before.iter().chain(after).filter_map(Failure::of);
    if let Some(first) = failed.next() {
        let count = 1 + failed.count();
        warnings.push(format!("{count} of the runs failed: {}", first.text));
    }
    let counted = |what: fn(&&Report) -> bool| before.iter().chain(after).filter(what).count();
    let limited = counted(|run| run.generator.limited);
    if limited > 0 {
        warnings.push(format!(
            "the generator, not the server, was the limit in {limited} of the runs"
        ));
    }
    let unsteady = counted(|run| !run.generator.steady);
    if unsteady > 0 {
        warnings.push(format!("{unsteady} of the runs were not stable"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;
    use crate::random::Random;

    /// Runs whose response p99 and accepted rate are these times the sample's.
    fn runs(factors: &[(f64, f64)]) -> Vec<Report> {
        let run = |(p99, rate): &(f64, f64)| {
            let mut run = sample::report();
            run.latency.get_mut("response").unwrap().p99_ms = p99 * 10.0;
            run.rates.accepted_per_s = rate * 50_000.0;
            run
        };
        factors.iter().map(run).collect()
    }

    fn figure<'a>(comparison: &'a Comparison, name: &str) -> &'a Figure {
        let found = comparison.figures.iter().find(|one| one.name == name);
        found.unwrap()
    }

    #[test]
    fn one_run_each_proves_nothing() {
        let (before, after) = (runs(&[(1.0, 1.0)]), runs(&[(1.1, 0.96)]));
        let found = compare(&before, &after, Some(0.05)).unwrap();
        assert!(found.confidence().contains("significance cannot be tested"));
        let p99 = figure(&found, "response p99");
        assert_eq!(
            (p99.regressed, p99.ratio_range, p99.chance),
            (false, None, None)
        );
        assert_eq!(
            p99.verdict,
            "10 % worse, over the bound of 5 %, but one run per side proves nothing"
        );
        assert_eq!(figure(&found, "accepted rate").verdict, "4.0 % worse");
        assert!(found.failure().is_none());
        // Nor does one against many.
        let before = runs(&[(1.0, 1.0), (1.01, 1.0), (0.99, 1.01)]);
        let found = compare(&before, &after, Some(0.05)).unwrap();
        assert!(found.failure().is_none());
    }

    #[test]
    fn runs_that_have_failed_are_told() {
        let mut after = runs(&[(1.0, 1.0), (1.0, 1.0)]);
        after[1].connections.reopened = 1;
        let found = compare(&runs(&[(1.0, 1.0)]), &after, None).unwrap();
        let said = "1 of the runs failed: 1 of 101 connections was lost and not reopened";
        assert!(found.warnings[0].starts_with(said), "{:?}", found.warnings);
    }

    #[test]
    fn repeated_runs_give_a_range() {
        let before = runs(&[(1.0, 1.0), (1.01, 1.0), (0.99, 1.01)]);
        let after = runs(&[(1.2, 1.2), (1.21, 1.21), (1.19, 1.2)]);
        let found = compare(&before, &after, Some(0.05)).unwrap();
        let p99 = figure(&found, "response p99");
        let [low, high] = p99.ratio_range.unwrap();
        assert!(low > 1.15 && low < 1.2 && high > 1.2 && high < 1.25);
        assert!(p99.regressed && p99.chance.unwrap() < ERROR);
        assert_eq!(
            p99.verdict,
            "20 % worse (17 % to 23 %), over the bound of 5 %"
        );
        let failure = found.failure().unwrap();
        assert_eq!(failure.kind(), Kind::Missed);
        assert_eq!(
            failure.text(),
            "response p99 is 20 % worse (17 % to 23 %), over the bound of 5 %"
        );
        let rate = figure(&found, "accepted rate");
        assert!(
            !rate.regressed && rate.verdict.starts_with("20 % better"),
            "{}",
            rate.verdict
        );
    }

    #[test]
    fn runs_that_scatter_prove_nothing() {
        let before = runs(&[(1.0, 1.0), (1.6, 1.0)]);
        let after = runs(&[(1.2, 1.0), (2.0, 1.0)]);
        let found = compare(&before, &after, Some(0.05)).unwrap();
        let p99 = figure(&found, "response p99");
        assert!(!p99.regressed);
        assert!(p99.verdict.starts_with("no significant difference ("));
        assert!(found.failure().is_none());
    }

    #[test]
    fn without_a_bound_nothing_fails() {
        let found = compare(&runs(&[(1.0, 1.0)]), &runs(&[(9.0, 0.1)]), None).unwrap();
        assert!(found.failure().is_none());
        assert_eq!(figure(&found, "accepted rate").verdict, "90 % worse");
    }

    #[test]
    fn new_losses_are_a_regression_unless_they_are_few() {
        let losing = |missing: [u64; 3]| {
            let mut runs = runs(&[(1.0, 1.0); 3]);
            for (run, missing) in runs.iter_mut().zip(missing) {
                run.messages.missing = missing;
            }
            runs
        };
        let found = compare(&losing([0; 3]), &losing([90, 110, 100]), Some(0.05)).unwrap();
        let missing = figure(&found, "missing");
        assert!(missing.regressed);
        assert_eq!(missing.verdict, "increased, worse, over the bound of 5 %");
        assert_eq!(figure(&found, "errors").verdict, "unchanged");
        let found = compare(&losing([0; 3]), &losing([0, 1, 0]), Some(0.05)).unwrap();
        assert!(!figure(&found, "missing").regressed);
    }

    /// Runs of a peer that is `slower` (1.1: all it does takes 10 % longer), with the scatter of real ones: what a whole
    /// run is off by, and each figure by itself; rare errors besides.
    fn scattered(one: &Report, random: &mut Random, slower: f64, count: usize) -> Vec<Report> {
        let mut normal = |deviation: f64| {
            let radius = (-2.0 * (1.0 - random.fraction()).ln()).sqrt();
            let angle = std::f64::consts::TAU * random.fraction();
            (radius * angle.cos() * deviation).exp()
        };
        let mut run = || {
            let mut run = one.clone();
            let whole = normal(0.01);
            run.rates.accepted_per_s *= normal(0.015) / whole / slower;
            run.rates.delivered_per_s *= normal(0.015) / whole / slower;
            for latency in run.latency.values_mut() {
                latency.p50_ms *= whole * normal(0.02) * slower;
                latency.p99_ms *= whole * normal(0.10) * slower;
                latency.p999_ms *= whole * normal(0.30) * slower;
            }
            run.generator.cpu_s_per_million *= normal(0.02);
            run.generator.max_rss_bytes = (5e7 * normal(0.02)) as u64;
            run.messages.missing = u64::from(normal(1.0) > 3.0);
            run
        };
        (0..count).map(|_| run()).collect()
    }

    #[test]
    fn chance_is_a_regression_in_one_of_twenty_comparisons_at_most_and_ten_percent_are_found() {
        const COMPARISONS: u64 = 100;
        let mut one = sample::report();
        // Nothing that is compared, and long.
        one.intervals.clear();
        for latency in one.latency.values_mut() {
            latency.histogram.clear();
        }
        let regressions = |slower: f64, count: usize| {
            let compared = (0..COMPARISONS).filter(|number| {
                let mut random = Random::new(*number, count as u64);
                let before = scattered(&one, &mut random, 1.0, count);
                let after = scattered(&one, &mut random, slower, count);
                // The strictest bound there is.
                let bound = if slower > 1.0 { 0.05 } else { 0.0 };
                let found = compare(&before, &after, Some(bound)).unwrap();
                found.failure().is_some()
            });
            compared.count() as u64
        };
        for count in [2, 5, 10] {
            let alarms = regressions(1.0, count);
            assert!(alarms <= COMPARISONS / 20, "{alarms} with {count} runs");
        }
        let found = regressions(1.1, 5);
        assert!(found >= COMPARISONS * 99 / 100, "{found}");
        assert_eq!(regressions(1.0, 1) + regressions(2.0, 1), 0, "one run");
    }

    #[test]
    fn doubtful_runs_are_told() {
        let mut after = runs(&[(1.0, 1.0)]);
        after[0].generator.limited = true;
        after[0].generator.steady = false;
        after[0]
            .setup
            .insert(String::from("qos"), String::from("2"));
        let found = compare(&runs(&[(1.0, 1.0)]), &after, None).unwrap();
        assert_eq!(
            found.warnings,
            [
                "the runs differ in qos",
                "the generator, not the server, was the limit in 1 of the runs",
                "1 of the runs were not stable",
            ]
        );
    }

    #[test]
    fn other_scenarios_are_told_before_all_other_settings() {
        let mut after = runs(&[(1.0, 1.0)]);
        for (name, value) in [("arrivals", "devices"), (SCENARIO, "fan-out")] {
            after[0].setup.insert(name.to_owned(), value.to_owned());
        }
        let found = compare(&runs(&[(1.0, 1.0)]), &after, None).unwrap();
        assert_eq!(
            found.warnings,
            [
                "the runs are of different scenarios: fan-in, fan-out",
                "the runs differ in arrivals",
            ]
        );
    }

    #[test]
    fn nothing_cannot_be_compared() {
        assert!(compare(&[], &runs(&[(1.0, 1.0)]), None).is_err());
    }
}
