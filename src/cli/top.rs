//! The commands.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};

use crate::command::Plan;
use crate::error::Result;

use super::amqp::Amqp;
use super::bench::Bench;
use super::generated::{self, Shell};
use super::mqtt_broker::BrokerFlags;
use super::mqtt_pub::PubFlags;
use super::mqtt_sub::SubFlags;
use super::terminal_flags::HelpFlag;
use super::{Parsed, help};

/// Publish, subscribe, request and load-test over MQTT and AMQP from a shell
#[derive(Parser, Debug)]
#[command(
    name = "iotctl", bin_name = "iotctl", version, disable_help_subcommand = true, subcommand_required = true,
    arg_required_else_help = true, after_help = help::below("")
)]
pub(super) struct Cli {
    #[command(subcommand)]
    topic: Topic,
}

#[derive(Subcommand, Debug)]
enum Topic {
    /// MQTT 3.1, 3.1.1 and 5: publish, subscribe, and an embedded broker
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Mqtt {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        command: Mqtt,
    },

    /// AMQP 0-9-1: publish, consume, request and respond, and the topology
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Amqp {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        command: Amqp,
    },

    /// Load tests, and what is made of their results
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Bench {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        command: Bench,
    },

    /// Print the completions for a shell
    #[command(disable_help_flag = true)]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,

        #[command(flatten)]
        help: HelpFlag,
    },

    /// Print a man page, for man -l -
    #[command(disable_help_flag = true)]
    Man {
        /// The command, its words joined by hyphens
        #[arg(value_name = "PAGE", default_value = "iotctl", value_parser = page())]
        page: &'static str,

        #[command(flatten)]
        help: HelpFlag,
    },
}

#[derive(Subcommand, Debug)]
enum Mqtt {
    /// Publish messages and wait until each is acknowledged
    #[command(disable_help_flag = true, after_help = help::below("mqtt pub"))]
    Pub(Box<PubFlags>),

    /// Subscribe and show what comes
    #[command(disable_help_flag = true, after_help = help::below("mqtt sub"))]
    Sub(Box<SubFlags>),

    /// Run the embedded broker, for development and tests
    #[command(disable_help_flag = true, after_help = help::below("mqtt broker"))]
    Broker(Box<BrokerFlags>),
}

impl Cli {
    /// The plan or the text that the words ask for.
    pub(super) fn parsed(self) -> Result<Parsed> {
        let plan = match self.topic {
            Topic::Completions { shell, .. } => {
                return Ok(Parsed::Print(shell.completions().into()));
            }
            Topic::Man { page, .. } => return Ok(Parsed::Print(page.into())),
            Topic::Amqp { command, .. } => command.plan()?,
            Topic::Bench { command, .. } => return command.parsed(),
            Topic::Mqtt { command, .. } => match command {
                Mqtt::Pub(flags) => Plan::MqttPub(Box::new(flags.plan()?)),
                Mqtt::Sub(flags) => Plan::MqttSub(Box::new(flags.plan()?)),
                Mqtt::Broker(flags) => Plan::MqttBroker(Box::new(flags.plan()?)),
            },
        };
        Ok(Parsed::Command(plan))
    }
}

fn page() -> impl TypedValueParser<Value = &'static str> {
    let names = generated::page_names();
    let names = names.map(|name| PossibleValue::new(name).alias(format!("iotctl-{name}")));
    PossibleValuesParser::new(names)
        .try_map(|name| generated::page(&name).ok_or("there is no such page"))
}
