//! The flags that say when messages are sent, the same for every protocol.

use std::time::Duration;

use clap::Args;

use crate::bench::plan::Stage;
use crate::command::bench::{ArrivalArgs, LoadArgs};
use crate::error::{Error, Result};

use super::syntax::{LoadRate, StageWord, arrivals};
use crate::cli::syntax::numbers::{Span, Wait, whole};
use crate::cli::syntax::rate::HIGHEST_RATE;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Load")]
pub(crate) struct LoadFlags {
    /// Total message rate per second, sent on schedule, regardless of how fast the server responds (open loop): 1000, 10k, 0.5, 30/m; or of each sending client: 10/client, 30/m/client
    #[arg(long, value_name = "RATE", conflicts_with_all = ["max", "stage"])]
    rate: Option<LoadRate>,

    /// Send as fast as --window allows [default without --rate and --stage]
    #[arg(long, conflicts_with = "stage")]
    max: bool,

    /// Search for the highest rate that passes every --assert and loses no message, in runs of --duration, starting at --rate [default: 1k]
    #[arg(long, conflicts_with_all = ["max", "stage", "ramp", "count", "start_at", "shard", "think"])]
    find_max: bool,

    /// Ramp up linearly from 0 to --rate in this time
    #[arg(long, value_name = "TIME", requires = "rate")]
    ramp: Option<Span>,

    /// Load stage: TIME:RATE, TIME:RATE-RATE for a ramp, or RATE until the end, with /client behind it for each client; may be repeated
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
    /// Where to start the search for the highest rate over so many sending clients, if one is requested.
    ///
    /// # Errors
    /// A rate that is too high, or of clients that there are not.
    pub(crate) fn find_max(&self, clients: usize) -> Result<Option<f64>> {
        let usual = LoadRate {
            rate: 1000.0,
            per_client: false,
        };
        let LoadRate { rate, per_client } = self.rate.unwrap_or(usual);
        match self.find_max {
            true => total(rate, per_client, clients).map(Some),
            false => Ok(None),
        }
    }

    /// The total duration of the stages, where each has one.
    pub(crate) fn stages_last(&self) -> Option<Duration> {
        if self.stage.is_empty() {
            return None;
        }
        self.stage.iter().map(|one| one.stage.lasts).sum()
    }

    /// The load of so many sending clients.
    ///
    /// # Errors
    /// What does not fit together; a rate that is too high, or of clients that there are not.
    pub(crate) fn words(self, clients: usize) -> Result<LoadArgs> {
        let stages = self.stages(clients)?;
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
            clients: self.is_per_client().then_some(clients),
            stages: stages.or_else(|| recorded.then(|| vec![steady(1.0)])),
            arrivals: self.arrivals,
            window: self.window.into(),
            ack_timeout: self.ack_timeout.0,
            think: self.think.0,
        })
    }

    /// Whether all rates are those of each client.
    fn is_per_client(&self) -> bool {
        let each = self.stage.iter().map(|stage| stage.per_client);
        let mut all = each.chain(self.rate.map(|rate| rate.per_client)).peekable();
        all.peek().is_some() && all.all(|per_client| per_client)
    }

    fn stages(&self, clients: usize) -> Result<Option<Vec<Stage>>> {
        let rate = self
            .rate
            .map(|rate| total(rate.rate, rate.per_client, clients))
            .transpose()?;
        if let Some(rate) = rate.or(self.find_max(clients)?) {
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
        let whole = |one: &StageWord| -> Result<Stage> {
            Ok(Stage {
                lasts: one.stage.lasts,
                from: total(one.stage.from, one.per_client, clients)?,
                to: total(one.stage.to, one.per_client, clients)?,
            })
        };
        let stages: Vec<Stage> = self.stage.iter().map(whole).collect::<Result<_>>()?;
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

/// Messages per second of all clients together.
fn total(rate: f64, per_client: bool, clients: usize) -> Result<f64> {
    if !per_client {
        return Ok(rate);
    }
    if clients == 0 {
        return Err(Error::usage("a rate per client needs clients that send"));
    }
    let total = rate * clients as f64;
    if total > HIGHEST_RATE {
        return Err(Error::usage(format!(
            "{rate}/client is {total} messages per second over {clients} clients; a rate is at most {HIGHEST_RATE}"
        )));
    }
    Ok(total)
}
