//! What all `bench` commands share: phases, limits, and what is done with the report.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::bench_results::{missed, write};
use crate::bench::engine::{self, Outcome};
use crate::bench::plan::{Coalesce, Phases, Shard};
use crate::bench::report::{Form, text};
use crate::bench::result::Report;
use crate::bench::threshold::Assert;
use crate::error::{Error, Result};
use crate::output::{Live, Style};
use crate::stop::{Asked, Stop};

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
    /// `--run-id`: the same for all shards of a run, so that they know each other's messages; `None`: a new one.
    pub run_id: Option<u64>,
    /// `--seed`; `None`: another one each time.
    pub seed: Option<u64>,
    /// `--output`: what standard output gets.
    pub form: Form,
    /// `--html FILE` and the like: more forms, each into a file.
    pub files: Vec<(Form, PathBuf)>,
    /// `--assert`
    pub asserts: Vec<Assert>,
    /// `--abort-on-miss`: a threshold missed in an interval ends the run.
    pub abort_on_miss: bool,
    /// `--find-max`: search the highest rate that keeps the thresholds, beginning with this one.
    pub find_max: Option<f64>,
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
            run_id: None,
            seed: None,
            form: Form::Text,
            files: Vec::new(),
            asserts: Vec::new(),
            abort_on_miss: false,
            find_max: None,
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

/// The live view of a run.
pub(super) struct Watch<'a> {
    course: &'a Course,
    live: Live,
    last_s: f64,
}

impl<'a> Watch<'a> {
    pub(super) fn start(course: &'a Course) -> Self {
        Self {
            course,
            live: Live::start(course.style),
            last_s: 0.0,
        }
    }

    /// Shows an interval and says whether to go on.
    pub(super) fn see(&mut self, seen: &engine::Live<'_>) -> bool {
        let interval = seen.interval;
        let length = interval.at_s - self.last_s;
        self.last_s = interval.at_s;
        let line = if self.live.is_in_place() {
            text::live_line(interval, length)
        } else {
            text::interval_line(interval, length)
        };
        self.live.show(&line, seen.progress);
        if !self.course.abort_on_miss || interval.phase != "measure" {
            return true;
        }
        let judged = |assert: &Assert| assert.evaluate_interval(interval);
        let asserts = self
            .course
            .asserts
            .iter()
            .filter(|assert| assert.can_abort());
        asserts.filter_map(judged).all(|threshold| threshold.kept)
    }

    pub(super) fn finish(self) {
        self.live.finish();
    }
}

/// Runs `measuring` until its end; the first signal is passed on to it, a second one ends the process.
pub(super) async fn until_asked<T>(
    measuring: impl AsyncFnOnce(oneshot::Receiver<()>) -> Result<T>,
) -> Result<(T, Option<Asked>)> {
    let mut stop = Stop::watch()?;
    let asked = Cell::new(None);
    let (tell, told) = oneshot::channel();
    let mut tell = Some(tell);
    let watching = async {
        loop {
            asked.set(Some(stop.asked().await));
            if let Some(tell) = tell.take() {
                // A run that has just ended need not be told.
                let _ = tell.send(());
            }
        }
    };
    let measured = tokio::select! {
        measured = measuring(told) => measured,
        // It goes round for ever, or ends the process.
        () = watching => return Err(Error::usage("interrupted")),
    };
    Ok((measured?, asked.get()))
}

impl Course {
    /// Judges a report by the thresholds, and enters the verdicts.
    pub(super) fn judge(&self, report: &mut Report) {
        let judged = |assert: &Assert| assert.evaluate(report);
        report.thresholds = self.asserts.iter().map(judged).collect();
    }

    /// Writes every form that was asked for.
    ///
    /// # Errors
    /// A file or standard output that cannot be written.
    pub(super) async fn show(&self, report: &Report) -> Result<()> {
        for (form, path) in &self.files {
            fs::write(path, form.render(report)?).map_err(|cause| {
                Error::local(format_args!("cannot write {}", path.display()), &cause)
            })?;
        }
        write(&self.form.render(report)?, self.style).await
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
    missed(&report.thresholds).map_or(Ok(()), Err)
}
