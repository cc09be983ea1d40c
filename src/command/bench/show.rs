//! What people see of a run: lines while it goes on, the report, files, and how it ends the command.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::{Measured, Results, RunOptions};
use crate::bench::engine::{self, Outcome};
use crate::bench::failure::Failure;
use crate::bench::report::Form;
use crate::bench::report::prometheus::{self, Endpoint};
use crate::bench::report::text::{self, Columns};
use crate::bench::result::{Report, Threshold};
use crate::command::bench::results::missed;
use crate::error::{Error, Kind, Result};
use crate::file;
use crate::output::{self, ColorChoice, Live};
use crate::stop::{Asked, Stop};

/// Watches a run and tells about it.
pub(crate) struct Show {
    results: Results,
    live: Live,
    color: ColorChoice,
    columns: Columns,
    metrics: Option<Metrics>,
    /// The threshold that ended the run.
    missed: Option<Threshold>,
}

/// The endpoint for Prometheus, while it serves.
struct Metrics {
    page: watch::Sender<String>,
    serving: JoinHandle<()>,
}

impl Show {
    /// Makes sure that everything can be written before the run begins.
    ///
    /// # Errors
    /// A file that cannot be written; an address that cannot be listened on.
    pub(crate) async fn begin(course: &RunOptions, measured: Measured) -> Result<Self> {
        let live = Live::start(course.style);
        for (_, path) in &course.results.files {
            file::check_replaceable(path)?;
        }
        let metrics = match course.results.prometheus {
            None => None,
            Some(address) => {
                let (endpoint, page) = Endpoint::bind(address).await?;
                let address = endpoint.local_addr()?;
                live.note(&format!("metrics at http://{address}/metrics"));
                Some(Metrics {
                    page,
                    serving: tokio::spawn(endpoint.serve()),
                })
            }
        };
        Ok(Self {
            results: course.results.clone(),
            live,
            color: course.style.color,
            columns: measured.columns(),
            metrics,
            missed: None,
        })
    }

    /// Tells about an interval; `false`: a threshold was missed that ends the run.
    pub(crate) fn interval(&mut self, live: &engine::Live<'_>) -> bool {
        let interval = live.interval;
        let line = match self.live.is_in_place() {
            true => text::live_line(interval, live.length_s, self.columns),
            false => text::interval_line(interval, live.length_s, self.columns),
        };
        self.live.show(&line, live.progress);
        if let Some(metrics) = &mut self.metrics {
            let page = prometheus::live(live.messages, live.errors, interval);
            metrics.page.send_replace(page);
        }
        if !self.results.abort_on_miss || interval.phase != "measure" {
            return true;
        }
        let mut judged = self
            .results
            .thresholds
            .iter()
            .filter(|threshold| threshold.can_abort())
            .filter_map(|threshold| threshold.evaluate_interval(interval));
        self.missed = judged
            .find(|threshold| !threshold.passed)
            .map(|mut missed| {
                missed.missed_by += &format!(" in the interval up to {:.1} s", interval.at_s);
                missed
            });
        self.missed.is_none()
    }

    /// Says something that stays on the terminal.
    pub(crate) fn note(&self, line: &str) {
        self.live.note(line);
    }

    /// Judges the report of the run that has just ended.
    pub(crate) fn judge(&mut self, report: &mut Report) {
        let thresholds = self.results.thresholds.iter();
        report.thresholds = thresholds.map(|one| one.evaluate(report)).collect();
        // What ended the run counts, even if the whole of it would have passed.
        let Some(missed) = self.missed.take() else {
            return;
        };
        let mut all = report.thresholds.iter_mut();
        if let Some(place) = all.find(|one| one.passed && one.expression == missed.expression) {
            *place = missed;
        }
    }

    /// Judges the report, writes it everywhere, and says how the command ends.
    ///
    /// # Errors
    /// What kept the report from being written; a signal; no connection; a threshold that was missed.
    pub(crate) fn end(mut self, mut outcome: Outcome, asked: Option<Asked>) -> Result<()> {
        if outcome.report.thresholds.is_empty() {
            self.judge(&mut outcome.report);
        }
        self.live.finish();
        let report = &outcome.report;
        for (form, path) in &self.results.files {
            let text = form.render(report)?;
            file::replace(path, text.as_bytes())?;
        }
        // Where there was no connection the reason says all.
        if !outcome.has_no_connection() {
            let text = self.results.form.render(report)?;
            match self.results.form {
                Form::Text => output::print_report(&text, self.color)?,
                _ => output::print(text.as_bytes())?,
            }
        }
        if let Some(metrics) = self.metrics {
            metrics.serving.abort();
        }
        verdict(outcome, asked)
    }
}

/// A future that is ready at the first signal, and where to read which one it was. The second one ends the process.
///
/// # Errors
/// When signals cannot be watched for.
pub(crate) fn stopped() -> Result<(impl Future<Output = ()>, Rc<Cell<Option<Asked>>>)> {
    let mut stop = Stop::watch()?;
    let (sender, first) = oneshot::channel();
    tokio::spawn(async move {
        // Nobody listens once the run is over.
        let _ = sender.send(stop.asked().await);
        stop.asked().await;
    });
    let asked = Rc::new(Cell::new(None));
    let place = Rc::clone(&asked);
    let stopped = async move {
        match first.await {
            Ok(signal) => place.set(Some(signal)),
            Err(_) => std::future::pending().await,
        }
    };
    Ok((stopped, asked))
}

/// How a run ends the command, once its report has been shown.
fn verdict(outcome: Outcome, asked: Option<Asked>) -> Result<()> {
    let none = outcome.has_no_connection();
    let Outcome { report, trouble } = outcome;
    if let Some(asked) = asked {
        let text = match none {
            true => "interrupted before a connection was opened",
            false => "interrupted; the report covers the time until then",
        };
        return Err(Error::new(asked.kind(), text));
    }
    let trouble = match trouble {
        Some(trouble) if none => return Err(trouble),
        other => other,
    };
    missed(&report.thresholds).map_or(Ok(()), Err)?;
    match (Failure::of(&report), trouble) {
        (None, _) => Ok(()),
        // Why connections could not be opened is known better than from the report.
        (Some(failure), Some(trouble)) if failure.kind == Kind::Unreachable => {
            let text = format!("{}: {trouble}", failure.text);
            Err(Error::new(trouble.kind(), text))
        }
        (Some(failure), _) => Err(failure.into()),
    }
}
