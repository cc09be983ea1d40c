//! Runs a plan: worker threads, phases, and the report.
//!
//! | file | what it holds |
//! |---|---|
//! | `run` | the coordinator: connect, warm up, measure, drain |
//! | `worker` | a thread with a loop: reads, makes due, writes |
//! | `connection` | one socket, and where it stands |
//! | `load`, `coalesce` | what a worker sends; when it reads |
//! | `control` | what coordinator and workers tell each other |
//! | `points` | the time series, cut where phases begin and end |
//! | `summary` | from counters to a report |

mod coalesce;
mod connection;
mod control;
mod load;
mod points;
mod run;
mod summary;
mod worker;

pub(crate) use run::{Live, Outcome, coalesce_for, run};

use std::sync::Arc;

use super::driver::Driver;
use super::plan::Plan;

/// What to run.
pub(crate) struct Run<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// One for each group of the plan.
    pub drivers: Vec<Arc<dyn Driver>>,
    /// The run's number, as the drivers write it into their messages.
    pub run_id: u64,
}
