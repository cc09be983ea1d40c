//! `bench`: the load tests, and the commands on their results.

mod amqp;
mod coap;
pub(crate) mod file;
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
use crate::cli::help;

#[derive(Subcommand, Debug)]
pub(crate) enum Bench {
    /// Load an MQTT broker
    #[command(disable_help_flag = true, after_help = help::below("bench mqtt"))]
    Mqtt(Box<BenchMqttFlags>),

    /// Load an AMQP server
    #[command(disable_help_flag = true, after_help = help::below("bench amqp"))]
    Amqp(Box<BenchAmqpFlags>),
    /// Load a CoAP server
    #[command(disable_help_flag = true, after_help = help::below("bench coap"))]
    Coap(Box<BenchCoapFlags>),

    /// Run the load test that a file describes
    #[command(disable_help_flag = true, after_help = help::below("bench run"))]
    Run(RunFlags),

    /// Show a kept result in any form
    #[command(disable_help_flag = true, after_help = help::below("bench report"))]
    Report(ReportFlags),

    /// Compare two sets of runs
    #[command(disable_help_flag = true, after_help = help::below("bench compare"))]
    Compare(CompareFlags),

    /// Make one result from those of several workers
    #[command(disable_help_flag = true, after_help = help::below("bench merge"))]
    Merge(MergeFlags),
}

#[derive(Args, Debug)]
pub(crate) struct ReportFlags {
    /// Result that --save-json or --output json wrote; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What it becomes
    #[arg(short = 'o', long, value_name = "FORM", default_value = "text", value_parser = form())]
    output: Form,

    /// What it must reach, such as 'p99 < 20ms'; a miss is exit code 7; may be repeated
    #[arg(long, value_name = "THRESHOLD")]
    assert: Vec<Assert>,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
pub(crate) struct MergeFlags {
    /// Results of the workers; a directory stands for the .json files in it, - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Merge what there is: shards may be missing, or have run one after the other
    #[arg(long)]
    partial: bool,

    /// What the whole is written as; json keeps everything
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
    /// Results of the first side, one a run; a directory stands for the .json files in it
    #[arg(value_name = "BEFORE", required = true)]
    before: Vec<PathBuf>,

    /// Results of the second side
    #[arg(value_name = "AFTER", last = true)]
    after: Vec<PathBuf>,

    /// How much worse a figure may be, such as 5%; more, where repeated runs show that it is not chance, is exit code 7
    #[arg(long, value_name = "PERCENT")]
    bound: Option<compare::Bound>,

    /// What the comparison is written as
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
            return Err(Error::usage("there is nothing to compare with")
                .hint("name two results, or several on each side of --"));
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
