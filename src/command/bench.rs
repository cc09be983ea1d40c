//! What all `bench` commands share: phases, limits, and what is done with the report.

use std::time::{Duration, SystemTime};

use crate::bench::engine::Outcome;
use crate::bench::plan::{Coalesce, Phases, Shard};
use crate::error::{Error, Kind, Result};
use crate::output::Style;
use crate::stop::Asked;

/// What every `bench` command can be told about its course.
#[derive(Clone, Debug)]
pub struct Course {
    /// `--warmup`
    pub warmup: Duration,
    /// `--duration`; `None`: until `count`.
    pub duration: Option<Duration>,
    /// `--count`
    pub count: Option<u64>,
    /// `--drain`
    pub drain: Duration,
    /// `--interval`
    pub interval: Duration,
    /// `--threads`
    pub threads: usize,
    /// `--coalesce`; `None`: as the load wants it.
    pub coalesce: Option<Coalesce>,
    /// `--connect-rate`, connections in a second.
    pub connect_rate: Option<f64>,
    /// `--shard`
    pub shard: Shard,
    /// `--start-at`
    pub start_at: Option<SystemTime>,
    /// `--seed`; `None`: another one each time.
    pub seed: Option<u64>,
    /// What the terminal shows.
    pub style: Style,
}

impl Default for Course {
    /// Ten seconds at once, on one thread.
    fn default() -> Self {
        Self {
            warmup: Duration::ZERO,
            duration: Some(Duration::from_secs(10)),
            count: None,
            drain: Duration::from_secs(5),
            interval: Duration::from_secs(1),
            threads: 1,
            coalesce: None,
            connect_rate: None,
            shard: Shard { index: 0, count: 1 },
            start_at: None,
            seed: None,
            style: Style::default(),
        }
    }
}

impl Course {
    pub(super) const fn phases(&self) -> Phases {
        Phases {
            warmup: self.warmup,
            duration: self.duration,
            count: self.count,
            drain: self.drain,
            interval: self.interval,
            start_at: self.start_at,
        }
    }
}

/// How a run ends the command, once its report has been shown.
///
/// # Errors
/// A signal; no connection at all; thresholds that were missed.
pub(super) fn verdict(outcome: Outcome, asked: Option<Asked>) -> Result<()> {
    let Outcome { report, trouble } = outcome;
    if let Some(asked) = asked {
        return Err(Error::new(
            asked.kind(),
            "interrupted; the report is about what was done",
        ));
    }
    let connections = &report.connections;
    if let Some(trouble) = trouble.filter(|_| connections.failed > 0) {
        if connections.opened == 0 {
            return Err(trouble);
        }
        let text = format!(
            "{} of {} connections could not be opened: {trouble}",
            connections.failed, connections.planned
        );
        return Err(Error::new(trouble.kind(), text));
    }
    let missed: Vec<_> = report.thresholds.iter().filter(|one| !one.kept).collect();
    if missed.is_empty() {
        return Ok(());
    }
    let words: Vec<_> = missed
        .iter()
        .map(|one| format!("{} ({})", one.expression, one.missed_by))
        .collect();
    let text = format!("missed: {}", words.join(", "));
    Err(Error::new(Kind::Missed, text))
}
