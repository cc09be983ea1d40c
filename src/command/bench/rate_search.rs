//! `--find-max`: one run after another, to find the highest rate that is passed.

use super::Show;
use crate::bench::engine::Outcome;
use crate::bench::find_max::Search;
use crate::bench::report::rows::{MAX_RATE, MAX_RATE_LIMIT, MAX_RATE_STEPS};
use crate::bench::result::Report;
use crate::error::{Error, Result};

/// How near the answer must be.
const PRECISION: f64 = 0.05;
/// Rates at most.
const TRIES: u32 = 20;
/// Runs that must agree on a rate: one can be spoilt by chance, the same way or the other.
const AGREE: usize = 2;
/// What of its messages a run must bring through, in percent: the rest may be under way at its end.
const ENOUGH: u64 = 99;

/// A search under way.
pub(crate) struct RateSearch {
    search: Search,
    best: Option<Outcome>,
    /// The runs of this rate that passed and that missed it.
    runs: [Vec<Outcome>; 2],
    /// Each rate with what came of it.
    steps: Vec<String>,
    /// The lowest rate that was missed, when that was the generator's doing.
    limited_at: Option<f64>,
}

impl RateSearch {
    /// Begins at `first` messages a second.
    pub(crate) const fn new(first: f64) -> Self {
        Self {
            search: Search::new(first, PRECISION, TRIES),
            best: None,
            runs: [Vec::new(), Vec::new()],
            steps: Vec::new(),
            limited_at: None,
        }
    }

    /// The rate to run next, in messages a second.
    pub(crate) fn next(&self) -> Option<f64> {
        self.search.next()
    }

    /// Enters what came of a run at this rate.
    pub(crate) fn enter(&mut self, mut outcome: Outcome, cut_short: bool, show: &mut Show) {
        show.judge(&mut outcome.report);
        let Some(rate) = self.search.next().filter(|_| !cut_short) else {
            self.best.get_or_insert(outcome);
            return;
        };
        let why = misses(&outcome.report);
        let (place, said) = match why.is_empty() {
            true => (0, String::from("passed")),
            false => (1, format!("failed: {}", why.join(", "))),
        };
        let number = self.runs.iter().map(Vec::len).sum::<usize>() + 1;
        show.note(&format!("{rate:.0}/s, run {number}: {said}"));
        self.runs[place].push(outcome);
        if self.runs[place].len() == AGREE {
            self.decide(rate, place == 0, show);
        }
    }

    fn decide(&mut self, rate: f64, passed: bool, show: &Show) {
        let [good, bad] = std::mem::take(&mut self.runs);
        let all = good.len() + bad.len();
        let limited = |run: &Outcome| run.report.generator.limited;
        let by_generator = !passed && bad.iter().all(limited);
        let word = if passed { "passed" } else { "failed" };
        let limit = match by_generator {
            true => " (the generator was the limit)",
            false => "",
        };
        show.note(&format!(
            "{rate:.0}/s {word} in {AGREE} of {all} runs{limit}"
        ));
        self.steps.push(format!("{rate:.0}/s {word}{limit}"));
        self.search.enter(passed);
        if !passed {
            self.limited_at = by_generator.then_some(rate);
        }
        let runs = if passed { good } else { bad };
        if passed || self.best.is_none() {
            self.best = runs.into_iter().next();
        }
    }

    /// The outcome of the highest rate that was passed, or of the first run when none was.
    ///
    /// # Errors
    /// When nothing was run.
    pub(crate) fn end(mut self) -> Result<Outcome> {
        let mut others = self.runs.into_iter().flatten();
        let nothing = || Error::usage("no rate to start the search with");
        let mut outcome = self
            .best
            .take()
            .or_else(|| others.next())
            .ok_or_else(nothing)?;
        let best = self.search.best();
        let found = best.map_or_else(|| String::from("none"), |rate| format!("{rate:.0}/s"));
        if let Some(missed) = self.limited_at {
            outcome.report.warnings.push(format!(
                "{missed:.0}/s failed because the generator, not the server, was the limit: the highest rate may be above {found}"
            ));
            let limit = String::from("the generator");
            outcome
                .report
                .setup
                .insert(MAX_RATE_LIMIT.to_owned(), limit);
        }
        let setup = &mut outcome.report.setup;
        setup.insert(MAX_RATE.to_owned(), found);
        setup.insert(MAX_RATE_STEPS.to_owned(), self.steps.join(", "));
        Ok(outcome)
    }
}

/// Why a run has not kept its rate and its thresholds; nothing when it has.
fn misses(report: &Report) -> Vec<String> {
    let messages = &report.messages;
    let missed = report
        .thresholds
        .iter()
        .filter(|threshold| !threshold.passed);
    let mut why: Vec<String> = missed
        .map(|threshold| format!("{} by {}", threshold.expression, threshold.missed_by))
        .collect();
    let mut enough = |what: &str, part: u64, whole: u64| {
        if part.saturating_mul(100) < whole.saturating_mul(ENOUGH) {
            why.push(format!("{} of {whole} messages {what}", whole - part));
        }
    };
    enough("were not accepted", messages.acknowledged, messages.planned);
    enough("were not received", messages.unique, messages.expected);
    if messages.unsent > 0 {
        let (unsent, planned) = (messages.unsent, messages.planned);
        why.push(format!("{unsent} of {planned} messages were not sent"));
    }
    why
}
