//! `--find-max`: one run after another, to find the highest rate that is kept.

use super::Show;
use crate::bench::engine::Outcome;
use crate::bench::find_max::Search;
use crate::bench::result::Report;
use crate::error::{Error, Result};

/// How near the answer must be.
const PRECISION: f64 = 0.05;
/// Runs at most.
const TRIES: u32 = 20;
/// What of its messages a run must bring through, in percent: the rest may be under way at its end.
const ENOUGH: u64 = 99;

/// A search under way.
pub(in crate::command) struct Hunt {
    search: Search,
    best: Option<Outcome>,
}

impl Hunt {
    /// Begins at `first` messages a second.
    pub(in crate::command) const fn new(first: f64) -> Self {
        Self {
            search: Search::new(first, PRECISION, TRIES),
            best: None,
        }
    }

    /// The rate to run next, in messages a second.
    pub(in crate::command) fn next(&self) -> Option<f64> {
        self.search.next()
    }

    /// Enters what came of a run at this rate.
    pub(in crate::command) fn enter(&mut self, rate: f64, mut outcome: Outcome, show: &mut Show) {
        show.judge(&mut outcome.report);
        let kept = is_kept(&outcome.report);
        show.note(&format!(
            "{rate:.0}/s {}",
            if kept { "kept" } else { "missed" }
        ));
        self.search.enter(kept);
        if kept || self.best.is_none() {
            self.best = Some(outcome);
        }
    }

    /// The outcome of the highest rate that was kept, or of the first run when none was.
    ///
    /// # Errors
    /// When nothing was run.
    pub(in crate::command) fn end(self) -> Result<Outcome> {
        let nothing = || Error::usage("no rate to begin the search with");
        let mut outcome = self.best.ok_or_else(nothing)?;
        let found = match self.search.best() {
            Some(rate) => format!("{rate:.0}/s"),
            None => String::from("none"),
        };
        outcome.report.setup.insert(String::from("max_rate"), found);
        Ok(outcome)
    }
}

/// Whether a run has kept its rate and its thresholds.
fn is_kept(report: &Report) -> bool {
    let messages = &report.messages;
    report.thresholds.iter().all(|threshold| threshold.kept)
        && messages.unsent == 0
        && messages.acknowledged >= messages.planned / 100 * ENOUGH
        && messages.unique >= messages.expected / 100 * ENOUGH
}
