//! What all `bench` commands share: the load in words, the course, and what is done with the report.

pub(crate) mod amqp;
pub(crate) mod coap;
pub(crate) mod compare;
mod load;
mod measured;
pub(crate) mod merge;
pub(crate) mod mqtt;
mod part;
mod peer;
mod processes;
mod rate_search;
pub(crate) mod report;
mod results;
mod run;
mod shard;
mod show;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::bench::plan::{Coalesce, Phases, Shard};
use crate::bench::report::Form;
use crate::bench::threshold::Assert;
use crate::command::Running;
use crate::output::Style;

pub(crate) use load::{ArrivalArgs, LoadArgs};
pub(crate) use measured::Measured;
pub(crate) use part::Part;
pub(crate) use processes::{can_share, share};
use rate_search::RateSearch;
pub(crate) use run::{TARGET, carry_out, complete, perform, sources, span};
pub(crate) use shard::{Identity, MOST_RUN_ID, identity};
use show::{Show, stopped};

/// A command of `bench`, ready to run.
#[derive(Clone, Debug)]
pub enum Command {
    /// `bench mqtt`
    Mqtt(Box<mqtt::Plan>),
    /// `bench coap`
    Coap(Box<coap::Plan>),
    /// `bench amqp`
    Amqp(Box<amqp::Plan>),
    /// `bench report`
    Report(Box<report::Plan>),
    /// `bench merge`
    Merge(Box<merge::Plan>),
    /// `bench compare`
    Compare(Box<compare::Plan>),
}

impl Command {
    /// Runs it to its end.
    ///
    /// # Errors
    /// Whatever kept it from being done in full.
    pub fn run(self) -> Running {
        match self {
            Self::Mqtt(plan) => Box::pin(mqtt::run(*plan)),
            Self::Coap(plan) => Box::pin(coap::run(*plan)),
            Self::Amqp(plan) => Box::pin(amqp::run(*plan)),
            Self::Report(plan) => Box::pin(report::run(*plan)),
            Self::Merge(plan) => Box::pin(merge::run(*plan)),
            Self::Compare(plan) => Box::pin(compare::run(*plan)),
        }
    }
}

/// What every `bench` command can be told about its course.
#[derive(Clone, Debug)]
pub struct RunOptions {
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
    /// `--shard`; `None`: as the environment says, or the whole.
    pub shard: Option<Shard>,
    /// `--start-at`
    pub start_at: Option<SystemTime>,
    /// `--run-id`: the same for all shards of a run, so that they know each other's messages; `None`: as the
    /// environment says, or a new one.
    pub run_id: Option<u64>,
    /// `--clock-error`: how far the clocks of the shards' machines are apart at most; `None`: not known.
    pub clock_error: Option<Duration>,
    /// `--no-resumption`: each TLS handshake is a full one.
    pub full_handshakes: bool,
    /// `--seed`; `None`: another one each time.
    pub seed: Option<u64>,
    /// `--processes` that share the load.
    pub processes: usize,
    /// The part of this process, where it is one of those.
    pub(crate) part: Option<Arc<Part>>,
    /// `--find-max`: search the highest rate that is kept, beginning with this one, in messages a second.
    pub find_max: Option<f64>,
    /// What is done with the report.
    pub results: Results,
    /// What the terminal shows.
    pub style: Style,
}

/// Where the report goes, and what it must say.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// `--output`
    pub form: Form,
    /// `--save-json`, `--html` and the like.
    pub files: Vec<(Form, PathBuf)>,
    /// `--assert`
    pub thresholds: Vec<Assert>,
    /// `--abort-on-miss`
    pub abort_on_miss: bool,
    /// `--prometheus-listen`
    pub prometheus: Option<SocketAddr>,
}

impl Default for RunOptions {
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
            shard: None,
            start_at: None,
            run_id: None,
            clock_error: None,
            full_handshakes: false,
            seed: None,
            processes: 1,
            part: None,
            find_max: None,
            results: Results::default(),
            style: Style::default(),
        }
    }
}

impl RunOptions {
    fn phases(&self) -> Phases {
        Phases {
            warmup: self.warmup,
            duration: self.duration,
            count: self.count,
            drain: self.drain,
            interval: self.interval,
            start_at: self.start_at,
            gate: self.part.as_ref().map(|part| Arc::clone(&part.gate)),
        }
    }
}
