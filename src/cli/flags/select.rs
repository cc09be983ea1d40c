//! The flags that pass on only a part of the messages, and those about what is found out about all of them; the same for every
//! command that receives.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use crate::error::{Error, Result};
use crate::flow::findings::{Checks, Report};
use crate::flow::select::{Sample, Select};
use crate::flow::{Stages, Summary};
use crate::message::fields::Fields;
use crate::output::{Console, Style};
use crate::payload::expect::Subject;
use crate::payload::map::Map;

use crate::cli::syntax::numbers::Wait;
use crate::cli::syntax::values;

/// Which messages are passed on, and what is found out about those that pass the filters.
#[derive(Args, Debug)]
#[command(next_help_heading = "Conditions")]
pub(crate) struct SelectFlags {
    /// Pass on only a part of the messages: 10% for a random share, 1/10 for every tenth; the others are acknowledged and counted
    #[arg(long, value_name = "SHARE")]
    sample: Option<Sample>,

    /// Pass on a message only if its payload, or what SUBJECT names as in --filter, differs from the last one passed on of its topic
    #[arg(long, value_name = "SUBJECT", num_args = 0..=1, require_equals = true, default_missing_value = "payload")]
    on_change: Option<Subject>,

    /// Pass on at most one message per topic in this time, the first
    #[arg(long, value_name = "TIME")]
    throttle: Option<Wait>,

    /// Show, or hand to the command, what this makes of each message that passes: 'jq: EXPRESSION' of its payload as JSON; a string is shown as its text, anything else as JSON; no output drops the message, and each of several outputs is one message; --filter, --until, --expect and -C look at the message before
    #[arg(long, value_name = "MAP")]
    map: Option<Map>,

    /// Fail with exit code 7 unless the messages of each topic are numbered without gaps: SUBJECT names the number, as in --filter (payload, /n, property.n); missing, late, repeated and restarted numbers are reported and counted
    #[arg(long, value_name = "SUBJECT")]
    sequence: Option<Subject>,

    /// Report how old the messages were when they arrived: SUBJECT names when they were sent, as in --filter, in RFC 3339 or as a number since 1970 in s, ms, us or ns (`mqtt pub --template '{unix_ms}'`)
    #[arg(long, value_name = "SUBJECT", help_heading = "Output")]
    latency: Option<Subject>,

    /// Report at the end, on standard error, how many messages of which sizes and topics arrived, as text or json
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text", help_heading = "Output")]
    stats: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What is shown instead of messages.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct SummaryFlags {
    /// Show only how many messages arrive, each second
    #[arg(long, conflicts_with = "exec")]
    message_rate: bool,

    /// Show only the tree of topics, at the end: how many messages arrived, and the last payload; with --output json an object for each topic
    #[arg(long, conflicts_with_all = ["exec", "message_rate"])]
    tree: bool,
}

impl SelectFlags {
    /// The stages with what is selected and found out, for messages with these fields.
    pub(crate) fn stages(&self, fields: &Fields, style: Style, stages: Stages) -> Result<Stages> {
        let subjects = [
            ("--on-change", &self.on_change),
            ("--sequence", &self.sequence),
            ("--latency", &self.latency),
        ];
        for (flag, subject) in subjects {
            let checked = subject.as_ref().map_or(Ok(()), |it| it.check(fields));
            checked.map_err(|why| Error::usage(format!("{flag}: {why}")))?;
        }
        let console = Console::new(style);
        let checks = Checks {
            sequence: self.sequence.clone(),
            latency: self.latency.clone(),
            statistics: self.stats.map(|format| match format {
                Format::Text => Report::Text,
                Format::Json => Report::Json,
            }),
            console,
        };
        let looks = self.sequence.is_some() || self.latency.is_some() || self.stats.is_some();
        Ok(Stages {
            map: self.map.clone(),
            checks: looks.then_some(checks),
            select: Select {
                sample: self.sample,
                on_change: self.on_change.clone(),
                throttle: self.throttle.map(|Wait(time)| time),
            },
            ..stages
        })
    }
}

impl SummaryFlags {
    /// What is shown instead of messages; `json`, where that is asked for, `text`: as text.
    pub(crate) fn summary(&self, json: bool, text: bool) -> Result<Option<Summary>> {
        values::needs("--message-rate", self.message_rate, "--output text", text)?;
        values::needs("--tree", self.tree, "--output text or json", text || json)?;
        Ok(match (self.message_rate, self.tree) {
            (true, _) => Some(Summary::Rate),
            (_, true) => Some(Summary::Tree { json }),
            _ => None,
        })
    }
}

impl FromStr for Sample {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a share such as 10% or 1/10";
        if let Some(number) = word.strip_prefix("1/") {
            let number = number.parse().ok().filter(|number| *number > 0);
            return number.map(Self::Each).ok_or(EXPECTED);
        }
        let percent = word.strip_suffix('%').and_then(|it| it.parse().ok());
        match percent {
            Some(percent) if percent > 0.0 && percent <= 100.0 => Ok(Self::percent(percent)),
            _ => Err(EXPECTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_share_or_each_so_manieth() {
        assert_eq!("1/10".parse(), Ok(Sample::Each(10)));
        assert_eq!("100%".parse(), Ok(Sample::Share(u64::MAX)));
        assert_eq!("50%".parse(), Ok(Sample::Share(1 << 63)));
        assert_eq!("0.1%".parse(), Ok(Sample::percent(0.1)));
        for word in [
            "", "0%", "101%", "-1%", "nan%", "10", "1/0", "2/3", "1/x", "%",
        ] {
            assert!(word.parse::<Sample>().is_err(), "{word}");
        }
    }
}
