//! Which readings are bad, and what is kept of alarms.

use std::path::PathBuf;

use clap::Args;

use super::words::{of, per, range};
use crate::cli::syntax::numbers::{Count, Span, Wait, number};
use crate::error::{Error, Result};
use crate::flow::alarm::{Millis, Test};
use crate::payload::captures::Pattern;
use crate::payload::expect::Condition;

/// Which readings are bad; one of these, or `--stale` alone.
#[derive(Args, Debug)]
#[command(next_help_heading = "Alarm")]
pub(super) struct TestFlags {
    /// Readings above this are bad
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
    pub(super) above: Option<f64>,

    /// Readings below this are bad
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
    pub(super) below: Option<f64>,

    /// Readings below LOW or above HIGH are bad
    #[arg(long, value_name = "LOW..HIGH", allow_hyphen_values = true, value_parser = range)]
    pub(super) outside: Option<(f64, f64)>,

    /// Readings from LOW to HIGH are bad
    #[arg(long, value_name = "LOW..HIGH", allow_hyphen_values = true, value_parser = range)]
    pub(super) inside: Option<(f64, f64)>,

    /// Readings that equal this are bad; numbers are compared as numbers
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) equal: Option<String>,

    /// A reading that differs from the one before is bad
    #[arg(long)]
    pub(super) changed: bool,

    /// Readings that differ from the one before by more than this in so much time are bad, such as 5/m or 0.5/10s
    #[arg(long, value_name = "NUMBER/TIME", value_parser = per::<f64>)]
    pub(super) rate: Option<(f64, Millis)>,

    /// Messages that meet this condition are bad, such as '/state == "jammed"'
    #[arg(long, value_name = "CONDITION")]
    pub(super) when: Option<Condition>,

    /// Only readings below this end the alarm [default: those that are not bad]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
    pub(super) clear_below: Option<f64>,

    /// Only readings above this end the alarm [default: those that are not bad]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
    pub(super) clear_above: Option<f64>,

    /// How long readings must be bad before the alarm fires; unlike --for of other commands it does not end this one, which --duration does [default: 0]
    #[arg(long = "for", value_name = "TIME")]
    pub(super) hold: Option<Span>,

    /// How long readings must be good before it ends [default: 0]
    #[arg(long, value_name = "TIME")]
    pub(super) clear_for: Option<Span>,

    /// How many of the last readings must be bad, such as '3 of 5'
    #[arg(long, value_name = "NUMBERS", value_parser = of)]
    pub(super) count: Option<(u32, u32)>,

    /// A key without a reading for this long is stale; without any other condition, that is the alarm
    #[arg(long, value_name = "TIME")]
    pub(super) stale: Option<Wait>,

    /// A message of a topic of this pattern that says that a device is offline, such as its will (offline, 0, {"status":"offline"}), makes the alarms whose names stand for the same stale at once, or fire where --stale is the only test
    #[arg(long, value_name = "PATTERN")]
    pub(super) status_topic: Option<Pattern>,

    /// While the last message of a topic of this pattern has the state firing, no notices are sent of alarms whose names stand for the same
    #[arg(long, value_name = "PATTERN")]
    pub(super) unless: Option<Pattern>,

    /// More changes of an alarm than these in so much time are reported once, as flapping, such as 5/10m
    #[arg(long, value_name = "COUNT/TIME", value_parser = per::<u32>)]
    pub(super) flapping: Option<(u32, Millis)>,
}

/// What is kept of alarms.
#[derive(Args, Debug)]
#[command(next_help_heading = "State")]
pub(super) struct StateFlags {
    /// Name of the alert
    #[arg(long, value_name = "NAME", default_value = "alert")]
    pub(super) name: String,

    /// File that persists alarms across restarts [default: one by the name under $XDG_STATE_HOME/iotctl/alert or ~/.local/state/iotctl/alert; none when readings come from a file]
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,

    /// How many keys are known; beyond, the oldest that are ok are forgotten
    #[arg(long, value_name = "COUNT", default_value = "100k")]
    pub(super) max_keys: Count,

    /// Messages of topics of this pattern acknowledge the alarm of what stands for its wildcards
    #[arg(long, value_name = "PATTERN")]
    pub(super) ack_topic: Option<Pattern>,
}

impl TestFlags {
    /// Refuses others that no name tells alarms of: a name that is misspelt would mute every alarm.
    pub(super) fn check_names(&self, topic: &Pattern) -> Result<()> {
        let unless = self
            .unless
            .as_ref()
            .filter(|it| it.names().next().is_some());
        let others = [
            ("--unless", unless),
            ("--status-topic", self.status_topic.as_ref()),
        ];
        for (flag, other) in others {
            if let Some(other) = other
                && !other.names().any(|name| topic.names().any(|it| it == name))
            {
                let text = format!("{flag} {other} has no name of -t {topic}");
                return Err(Error::usage(text).hint(
                    "it is about the alarms with the same value for a name, such as {device}",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn test(&self) -> Result<Test> {
        let all = [
            self.above.map(Test::Above),
            self.below.map(Test::Below),
            self.outside.map(|(low, high)| Test::Outside(low, high)),
            self.inside.map(|(low, high)| Test::Inside(low, high)),
            self.equal.clone().map(Test::Equal),
            self.changed.then_some(Test::Changed),
            self.rate.map(|(by, time)| Test::Rate(by, time)),
            self.when.as_ref().map(|when| Test::When(when.to_string())),
        ];
        let mut all = all.into_iter().flatten();
        match (all.next(), all.next()) {
            (test, None) => Ok(test.unwrap_or(Test::Missing)),
            _ => Err(Error::usage(
                "only one of --above, --below, --outside, --inside, --equal, --changed, --rate and --when can be used",
            )),
        }
    }
}
