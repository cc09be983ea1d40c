//! `--processes` from the side of one of them: it is told its part on standard input, and tells there is to know on
//! standard output, a line of JSON each.

use std::collections::BTreeMap;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::run::Watch;
use super::{LoadArgs, RunOptions};
use crate::bench::clock::Nanos;
use crate::bench::engine::{Live, Outcome};
use crate::bench::gate::{Gate, GateState};
use crate::bench::plan::Shard;
use crate::bench::result::{Interval, Messages, Report};
use crate::error::{Error, Kind, Result};
use crate::output;

/// The variable by which a process knows that it is one of several.
pub(super) const PART: &str = "IOTCTL_BENCH_PART";

/// How often a process looks whether there is something to tell.
const LOOK: Duration = Duration::from_millis(10);

/// What a process is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) shard: Shard,
    pub(super) run_id: u64,
    pub(super) seed: u64,
    /// Where the peer is that was started for the run.
    pub(super) url: Option<String>,
    /// Instead of the rate of the flags, in messages a second.
    pub(super) rate: Option<f64>,
}

/// What it is told later.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// All are ready: begin at this moment.
    Begin(Nanos),
    /// All that was sent has come.
    HasAll,
    /// Send nothing more.
    Stop,
}

/// What it tells.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum News {
    /// How it stands, after each change.
    State(GateState),
    /// A point of the time series.
    Point(Box<Point>),
    /// What it has found; the last word.
    Done(Box<Report>, Option<Failure>),
    /// It could not do its part; the last word.
    Failed(Failure),
}

/// [`Live`], as it is sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) interval: Interval,
    pub(super) length_s: f64,
    pub(super) messages: Messages,
    pub(super) errors: BTreeMap<String, (u64, Option<String>)>,
    pub(super) progress: Option<f64>,
}

/// An error, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    code: u8,
    text: String,
    hint: Option<String>,
}

/// The part of this process.
#[derive(Debug)]
pub(crate) struct Part {
    /// Where the peer is that was started for the run.
    pub(super) url: Option<String>,
    pub(super) gate: Arc<Gate>,
    stop: Notify,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            code: error.exit_code(),
            text: error.text().to_owned(),
            hint: error.hint_text().map(str::to_owned),
        }
    }
}

impl Failure {
    /// The error again, with `whose` in front.
    pub(super) fn error(self, whose: &str) -> Error {
        let mut kinds = Kind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.exit_code() == self.code);
        let error = Error::new(kind.unwrap_or(Kind::Local), format!("{whose}{}", self.text));
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<&Live<'_>> for Point {
    fn from(live: &Live<'_>) -> Self {
        Self {
            interval: live.interval.clone(),
            length_s: live.length_s,
            messages: live.messages.clone(),
            errors: live.errors.clone(),
            progress: live.progress,
        }
    }
}

/// Takes over this process's part, if it is one of several.
///
/// # Errors
/// [`Kind::Local`] when the process that started it is gone.
pub(super) fn join(course: &mut RunOptions, load: &mut LoadArgs) -> Result<()> {
    if std::env::var_os(PART).is_none() {
        return Ok(());
    }
    end_with_parent()?;
    let mut first = String::new();
    // What cannot be read is no order.
    let _ = io::stdin().read_line(&mut first);
    let order: Order = serde_json::from_str(&first).map_err(|_| {
        Error::new(
            Kind::Local,
            format!("{PART} is set, but this process has no part in a run"),
        )
    })?;
    let part = Arc::new(Part {
        url: order.url,
        gate: Arc::default(),
        stop: Notify::new(),
    });
    let hears = Arc::clone(&part);
    thread::Builder::new()
        .name(String::from("control"))
        .spawn(move || hears.hear(io::stdin().lines()))
        .map_err(|cause| Error::local("cannot start a thread", &cause))?;
    course.shard = Some(order.shard);
    course.run_id = Some(order.run_id);
    course.seed = Some(order.seed);
    // One machine, one clock.
    course.clock_error = Some(Duration::ZERO);
    course.start_at = None;
    course.processes = 1;
    course.find_max = None;
    course.style.quiet = true;
    course.part = Some(part);
    if let Some(rate) = order.rate {
        *load = load.at(rate);
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn end_with_parent() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|cause| Error::local("cannot watch the parent process", &cause.into()))
}

/// Elsewhere the end of standard input stops it.
#[cfg(not(target_os = "linux"))]
fn end_with_parent() -> Result<()> {
    Ok(())
}

impl Part {
    fn hear(&self, lines: impl Iterator<Item = io::Result<String>>) {
        for line in lines.map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(Word::Begin(at)) => self.gate.open(at),
                Ok(Word::HasAll) => self.gate.has_all(),
                Ok(Word::Stop) | Err(_) => self.stop.notify_one(),
            }
        }
        self.stop.notify_one();
    }

    /// Does this part, and tells what comes of it.
    ///
    /// # Errors
    /// Nobody listens.
    pub(super) async fn carry_out(
        &self,
        load: LoadArgs,
        measure: impl AsyncFn(LoadArgs, Pin<&mut dyn Future<Output = ()>>, Watch<'_>) -> Result<Outcome>,
    ) -> Result<()> {
        let stopped = pin!(self.stop.notified());
        let watch: Watch<'_> = &mut |live| say(&News::Point(Box::new(live.into()))).is_ok();
        let measured = measure(load, stopped, watch);
        let last = tokio::select! {
            measured = measured => match measured {
                Ok(Outcome { report, trouble }) => {
                    News::Done(Box::new(report), trouble.as_ref().map(Failure::from))
                }
                Err(error) => News::Failed((&error).into()),
            },
            gone = self.tell() => return gone,
        };
        say(&last)
    }

    /// Tells how this process stands, whenever that changes.
    async fn tell(&self) -> Result<()> {
        let mut told = GateState::default();
        loop {
            let state = self.gate.state();
            if state != told {
                say(&News::State(state))?;
                told = state;
            }
            sleep(LOOK).await;
        }
    }
}

fn say(news: &News) -> Result<()> {
    let mut line = serde_json::to_vec(news)
        .map_err(|cause| Error::new(Kind::Local, format!("cannot tell what was found: {cause}")))?;
    line.push(b'\n');
    output::print(&line)
}
