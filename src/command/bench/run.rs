//! The course of every load test: one run, or one after another to find the highest rate.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};

use super::{
    ArrivalArgs, Identity, LoadArgs, Measured, RateSearch, RunOptions, Show, can_share, stopped,
};
use crate::bench::driver::LoadPlan;
use crate::bench::engine::{self, Live, Outcome, Run};
use crate::bench::merge::SHARD;
use crate::bench::plan::{Plan, Shard};
use crate::bench::recorder::Quantity;
use crate::bench::result::Report;
use crate::connect::{LocalAddress, Target};
use crate::error::Result;

/// The name in the setup of what the load goes to.
pub(crate) const TARGET: &str = "target";

/// Runs the load once; `watch` sees each interval and says whether to go on.
///
/// # Errors
/// Whatever kept the load from beginning.
pub(crate) async fn perform(
    course: &RunOptions,
    identity: Identity,
    made: LoadPlan,
    stop: impl Future<Output = ()>,
    watch: impl FnMut(&Live<'_>) -> bool,
) -> Result<Outcome> {
    let loads: Vec<_> = made.groups.iter().map(|group| group.load.clone()).collect();
    let plan = Plan {
        groups: made.groups,
        phases: course.phases(),
        threads: course.threads,
        coalesce: course
            .coalesce
            .unwrap_or_else(|| engine::coalesce_for(&loads)),
        connect_rate: course.connect_rate,
        shard: identity.shard,
        seed: identity.seed,
    };
    let run = Run {
        plan: &plan,
        drivers: made.drivers,
        run_id: identity.run_id,
    };
    let mut outcome = engine::run(run, stop, watch).await?;
    if identity.shard.count > 1 {
        let Shard { index, count } = identity.shard;
        let part = format!("{index}/{count}");
        outcome.report.setup.insert(SHARD.to_owned(), part);
        state_clocks(course, &mut outcome.report);
    }
    outcome.report.warnings.extend(made.warnings);
    Ok(outcome)
}

/// Says in the report how the load was set up. Each of several processes has chosen among several servers by itself, and
/// said so.
pub(crate) fn complete(
    outcome: &mut Outcome,
    course: &RunOptions,
    setup: BTreeMap<String, String>,
) {
    let chosen = outcome.report.setup.remove(TARGET);
    outcome.report.setup.extend(setup);
    if let Some(chosen) = chosen.filter(|_| course.processes > 1) {
        outcome.report.setup.insert(TARGET.to_owned(), chosen);
    }
}

/// The local addresses to connect from: those of `--bind`, else the one that the target has.
pub(crate) fn sources(bind: &[LocalAddress], target: &Target) -> Vec<LocalAddress> {
    match bind.is_empty() {
        true => target.bind.into_iter().collect(),
        false => bind.to_vec(),
    }
}

/// Sizes from `least` to `most` bytes, as a report shows them.
pub(crate) fn span(least: usize, most: usize) -> String {
    match least == most {
        true => format!("{least} B"),
        false => format!("{least}-{most} B"),
    }
}

impl RunOptions {
    /// The target as this course connects to it.
    pub(crate) fn connecting(&self, target: Target) -> Target {
        match self.full_handshakes {
            true => target.without_resumption(),
            false => target,
        }
    }
}

/// From shard to shard a latency is the difference of two machines' clocks: it is worth as much as is known of them.
fn state_clocks(course: &RunOptions, report: &mut Report) {
    let name = Quantity::EndToEnd.name();
    if let Some(error) = course.clock_error {
        let error = humantime::format_duration(error).to_string();
        report.setup.insert(String::from("clock_error"), error);
        return;
    }
    if report.latency.remove(name).is_none() {
        return;
    }
    for interval in &mut report.intervals {
        interval.latency.remove(name);
        interval.histograms.remove(name);
    }
    report.warnings.push(format!(
        "{name} is not reported: the shards' clocks may differ, and --clock-error is not given"
    ));
}

/// Who is asked whether to go on, at each interval.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(&Live<'_>) -> bool;

/// Runs the load, shows what was found, and judges it. `measure` does one run of what it is given: this load, or the same
/// at another rate.
///
/// # Errors
/// Those of `measure`; a threshold that cannot be judged; a signal; no connection; a threshold that was missed.
pub(crate) async fn carry_out(
    course: &RunOptions,
    load: &LoadArgs,
    measured: Measured,
    measure: impl AsyncFn(LoadArgs, Pin<&mut dyn Future<Output = ()>>, Watch<'_>) -> Result<Outcome>,
) -> Result<()> {
    measured.check(&course.results.thresholds)?;
    // Before signals are watched for: it may be a pipe that nobody writes to.
    let load = load.loaded()?;
    if let Some(part) = &course.part {
        return part.carry_out(load, measure).await;
    }
    if let ArrivalArgs::Read(path, _) = &load.arrivals {
        can_share(course, path)?;
    }
    let mut show = Show::begin(course, measured).await?;
    let (stopped, asked) = stopped()?;
    let mut stopped = pin!(stopped);
    let Some(first) = course.find_max else {
        let outcome = measure(load.clone(), stopped, &mut |live| show.interval(live)).await?;
        return show.end(outcome, asked.get());
    };
    let mut hunt = RateSearch::new(first);
    while let Some(rate) = hunt.next() {
        let watch: Watch<'_> = &mut |live| show.interval(live);
        let outcome = measure(load.at(rate), stopped.as_mut(), watch).await?;
        if outcome.has_no_connection() {
            return show.end(outcome, asked.get());
        }
        // A run that was cut short says nothing of its rate, and is shown only when there is no other.
        let cut_short = asked.get().is_some();
        hunt.enter(outcome, cut_short, &mut show);
        if cut_short {
            break;
        }
    }
    show.end(hunt.end()?, asked.get())
}
