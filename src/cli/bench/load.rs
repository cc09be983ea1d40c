//! The flags that say when messages are sent, the same for every protocol.

use std::time::Duration;

use clap::Args;

use crate::bench::plan::Stage;
use crate::command::bench::{ArrivalArgs, LoadArgs};
use crate::error::{Error, Result};

use super::syntax::{StageWord, arrivals};
use crate::cli::syntax::numbers::{Span, Wait, whole};
use crate::cli::syntax::rate::Rate;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Load")]
pub(crate) struct LoadFlags {
    /// Total message rate per second, sent on schedule, regardless of how fast the server responds (open loop): 1000, 10k, 0.5, 30/m
    #[arg(long, value_name = "RATE", conflicts_with_all = ["max", "stage"])]
    rate: Option<Rate>,

    /// Send as fast as --window allows [default without --rate and --stage]
    #[arg(long, conflicts_with = "stage")]
    max: bool,

    /// Search for the highest rate that passes every --assert and loses no message, in runs of --duration, starting at --rate [default: 1k]
    #[arg(long, conflicts_with_all = ["max", "stage", "ramp", "count", "start_at", "shard", "think"])]
    find_max: bool,

    /// Ramp up linearly from 0 to --rate in this time
    #[arg(long, value_name = "TIME", requires = "rate")]
    ramp: Option<Span>,

    /// Load stage: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE until the end; may be repeated
    #[arg(long, value_name = "STAGE", allow_hyphen_values = true)]
    stage: Vec<StageWord>,

    /// Distribution of send times: constant, uniform, poisson, devices, bursts:TIME, or recorded:FILE with one gap, or one record with its time, per line
    #[arg(
        long, value_name = "KIND", default_value = "constant", value_parser = arrivals,
        hide_default_value = false
    )]
    arrivals: ArrivalArgs,

    /// Maximum number of unacknowledged messages per connection, 1 to 65535
    #[arg(
        short = 'M', long, visible_alias = "max-inflight", value_name = "COUNT", default_value = "100",
        value_parser = whole(1..=u16::MAX)
    )]
    window: u16,

    /// Time out a message that is not acknowledged after this long, and free its place in the window
    #[arg(long, value_name = "TIME", default_value = "30s")]
    ack_timeout: Wait,

    /// Pause between an acknowledgement and the next message, with --max
    #[arg(long, value_name = "TIME", default_value = "0", conflicts_with_all = ["rate", "stage"])]
    think: Span,
}

impl LoadFlags {
    /// Where to start the search for the highest rate, if one is requested.
    pub(crate) fn find_max(&self) -> Option<f64> {
        let Rate(first) = self.rate.unwrap_or(Rate(1000.0));
        self.find_max.then_some(first)
    }

    /// The total duration of the stages, where each has one.
    pub(crate) fn stages_last(&self) -> Option<Duration> {
        if self.stage.is_empty() {
            return None;
        }
        self.stage.iter().map(|StageWord(stage)| stage.lasts).sum()
    }

    pub(crate) fn words(self) -> Result<LoadArgs> {
        let stages = self.stages()?;
        let recorded = matches!(self.arrivals, ArrivalArgs::Recorded(_));
        if recorded && (stages.is_some() || self.max) {
            return Err(Error::usage(
                "--arrivals recorded has its own rate and excludes --rate, --stage and --max",
            ));
        }
        if !recorded && self.arrivals != ArrivalArgs::Constant {
            values::needs("--arrivals", true, "--rate or --stage", stages.is_some())?;
        }
        let steady = |rate| Stage {
            lasts: None,
            from: rate,
            to: rate,
        };
        Ok(LoadArgs {
            // What is recorded has gaps, not a rate.
            stages: stages.or_else(|| recorded.then(|| vec![steady(1.0)])),
            arrivals: self.arrivals,
            window: self.window.into(),
            ack_timeout: self.ack_timeout.0,
            think: self.think.0,
        })
    }

    fn stages(&self) -> Result<Option<Vec<Stage>>> {
        let rate = self.rate.map(|Rate(rate)| rate);
        if let Some(rate) = rate.or_else(|| self.find_max()) {
            let ramp = self
                .ramp
                .map(|Span(time)| time)
                .filter(|time| !time.is_zero());
            let ramp = ramp.map(|lasts| Stage {
                lasts: Some(lasts),
                from: 0.0,
                to: rate,
            });
            let steady = Stage {
                lasts: None,
                from: rate,
                to: rate,
            };
            return Ok(Some(ramp.into_iter().chain([steady]).collect()));
        }
        let stages: Vec<Stage> = self
            .stage
            .iter()
            .map(|StageWord(stage)| stage.clone())
            .collect();
        let Some((_, before)) = stages.split_last() else {
            return Ok(None);
        };
        if before.iter().any(|stage| stage.lasts.is_none()) {
            return Err(
                Error::usage("only the last --stage may omit the time").hint("write it as 30s:10k")
            );
        }
        if stages
            .iter()
            .all(|stage| stage.from == 0.0 && stage.to == 0.0)
        {
            return Err(Error::usage("all stages have rate 0"));
        }
        Ok(Some(stages))
    }
}
