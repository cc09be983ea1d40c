//! `bench`: the load tests, and the commands on their results.

mod amqp;
mod coap;
pub(crate) mod file;
pub(crate) mod help;
mod load;
pub(crate) mod mqtt;
mod run;
mod syntax;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use crate::bench::report::Form;
use crate::bench::threshold::Assert;
use crate::command::Command;
use crate::command::bench::{self, compare, merge, report};
use crate::error::{Error, Result};

use self::amqp::BenchAmqpFlags;
use self::coap::BenchCoapFlags;
use self::file::RunFlags;
use self::mqtt::BenchMqttFlags;
use self::run::form;
use super::Parsed;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::help::below;

#[derive(Subcommand, Debug)]
pub(crate) enum Bench {
    /// Load-test an MQTT broker
    #[command(disable_help_flag = true, after_help = below("bench mqtt"))]
    Mqtt(Box<BenchMqttFlags>),

    /// Load-test an AMQP broker
    #[command(disable_help_flag = true, after_help = below("bench amqp"))]
    Amqp(Box<BenchAmqpFlags>),
    /// Load-test a CoAP server
    #[command(disable_help_flag = true, after_help = below("bench coap"))]
    Coap(Box<BenchCoapFlags>),

    /// Run the load test that a file describes
    #[command(disable_help_flag = true, after_help = below("bench run"))]
    Run(RunFlags),

    /// Show a saved result in any format
    #[command(disable_help_flag = true, after_help = below("bench report"))]
    Report(ReportFlags),

    /// Compare two sets of runs
    #[command(disable_help_flag = true, after_help = below("bench compare"))]
    Compare(CompareFlags),

    /// Merge the results of several workers into one
    #[command(disable_help_flag = true, after_help = below("bench merge"))]
    Merge(MergeFlags),
}

#[derive(Args, Debug)]
pub(crate) struct ReportFlags {
    /// Result written by --save-json or --output json; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORM", default_value = "text", value_parser = form())]
    output: Form,

    /// Threshold, such as 'p99 < 20ms'; exit code 7 if it is not met; may be repeated
    #[arg(long, value_name = "THRESHOLD")]
    assert: Vec<Assert>,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
pub(crate) struct MergeFlags {
    /// Results of the workers; a directory stands for its .json files, - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Merge incomplete sets: shards may be missing or may not have run at the same time
    #[arg(long)]
    partial: bool,

    /// Output format; json keeps everything
    #[arg(short = 'o', long, value_name = "FORM", default_value = "json", value_parser = form())]
    output: Form,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
#[command(
    override_usage = "iotctl bench compare [OPTIONS] BEFORE AFTER\n       iotctl bench compare [OPTIONS] BEFORE... -- AFTER..."
)]
pub(crate) struct CompareFlags {
    /// Results before the change, one file per run; a directory stands for its .json files
    #[arg(value_name = "BEFORE", required = true)]
    before: Vec<PathBuf>,

    /// Results after the change
    #[arg(value_name = "AFTER", last = true)]
    after: Vec<PathBuf>,

    /// Tolerated regression of a figure, such as 5%; exit code 7 if a larger one is statistically significant
    #[arg(long, value_name = "PERCENT")]
    bound: Option<compare::Bound>,

    /// Output format
    #[arg(short = 'o', long, value_name = "FORM", default_value = "text", value_parser = comparison_form())]
    output: compare::Form,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl Bench {
    /// The plan, or the file to read it from.
    pub(crate) fn parsed(self) -> Result<Parsed> {
        Ok(Parsed::Command(Command::Bench(match self {
            Self::Run(flags) => return Ok(Parsed::Scenario(flags.scenario())),
            Self::Mqtt(flags) => bench::Command::Mqtt(Box::new(flags.plan()?)),
            Self::Amqp(flags) => bench::Command::Amqp(Box::new(flags.plan()?)),
            Self::Coap(flags) => bench::Command::Coap(Box::new(flags.plan()?)),
            Self::Report(flags) => bench::Command::Report(Box::new(flags.plan())),
            Self::Compare(flags) => bench::Command::Compare(Box::new(flags.plan()?)),
            Self::Merge(flags) => bench::Command::Merge(Box::new(flags.plan())),
        })))
    }
}

impl ReportFlags {
    fn plan(self) -> report::Plan {
        report::Plan {
            input: self.file,
            form: self.output,
            asserts: self.assert,
            style: self.terminal.style(),
        }
    }
}

impl MergeFlags {
    fn plan(self) -> merge::Plan {
        merge::Plan {
            inputs: self.files,
            partial: self.partial,
            form: self.output,
            style: self.terminal.style(),
        }
    }
}

impl CompareFlags {
    fn plan(self) -> Result<compare::Plan> {
        let (mut before, mut after) = (self.before, self.after);
        if after.is_empty() && before.len() == 2 {
            after = before.split_off(1);
        }
        if after.is_empty() {
            return Err(Error::usage("there is no result to compare with")
                .hint("give two results, or several on each side of --"));
        }
        Ok(compare::Plan {
            before,
            after,
            bound: self.bound,
            form: self.output,
            style: self.terminal.style(),
        })
    }
}

fn comparison_form() -> impl TypedValueParser<Value = compare::Form> {
    let names = compare::Form::ALL.map(compare::Form::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<compare::Form>())
}
