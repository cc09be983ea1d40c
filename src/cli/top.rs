//! The commands.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::command;
use crate::error::Result;

use super::alert::AlertFlags;
use super::alone::{alone, top};
use super::bridge::BridgeFlags;
use super::coap::Coap;
use super::log::LogFlags;
use super::mqtt::Mqtt;
use super::ota::Ota;
use super::replay::ReplayFlags;
use super::route::RouteFlags;
use super::simulate::SimulateFlags;
use super::watch::WatchFlags;
use super::{Parsed, complete, generated, help, page, version};
use crate::cli::amqp::Amqp;
use crate::cli::bench::Bench;
use crate::cli::flags::terminal::HelpFlag;
use crate::output::ColorChoice;

/// Publish, subscribe, request and load-test over MQTT, CoAP and AMQP from a shell
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
    /// MQTT 3.1, 3.1.1 and 5: publish, subscribe, request and respond, and an embedded broker
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

    /// CoAP: requests, observations, discovery, ping, and a server
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Coap {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        command: Coap,
    },

    /// AMQP 0-9-1: publish, consume, request and respond, topology, and an embedded broker
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

    /// Load tests, and reports of their results
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

    /// Log messages to files or databases
    #[command(disable_help_flag = true, after_help = help::below("log"))]
    Log(Box<LogFlags>),

    /// Raise alerts on MQTT, CoAP or AMQP readings
    #[command(disable_help_flag = true, after_help = help::below("alert"))]
    Alert(Box<AlertFlags>),

    /// Bridge two servers: forward messages between MQTT, CoAP and AMQP
    #[command(disable_help_flag = true, after_help = help::below("bridge"))]
    Bridge(Box<BridgeFlags>),

    /// Firmware updates: sign, serve, install, roll out
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Ota {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        command: Ota,
    },

    /// Send recorded messages again, at the pace of the recording
    #[command(disable_help_flag = true, after_help = help::below("replay"))]
    Replay(Box<ReplayFlags>),

    /// Route messages according to a routes file
    #[command(disable_help_flag = true, after_help = help::below("route"))]
    Route(Box<RouteFlags>),

    /// Show topics, devices and alerts as they change
    #[command(disable_help_flag = true, after_help = help::below("watch"))]
    Watch(Box<WatchFlags>),

    /// Run a fleet of simulated devices
    #[command(disable_help_flag = true, after_help = help::below("simulate"))]
    Simulate(Box<SimulateFlags>),

    /// Show a short help page: the flags of a command that are used most
    #[command(disable_help_flag = true)]
    Help {
        /// The command, such as mqtt pub [default: all commands]
        #[arg(value_name = "COMMAND")]
        words: Vec<String>,

        #[command(flatten)]
        help: HelpFlag,
    },

    /// Print the version and the optional features that are built in
    #[command(disable_help_flag = true)]
    Version {
        #[command(flatten)]
        help: HelpFlag,
    },

    /// Print completions for a shell
    #[command(disable_help_flag = true)]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,

        #[command(flatten)]
        help: HelpFlag,
    },

    /// Create links that run this program as mosquitto_pub, mosquitto_sub and mosquitto_rr
    #[command(disable_help_flag = true, after_help = help::below("install"))]
    Install {
        /// Directory for the links; existing files are left unchanged
        #[arg(long, value_name = "DIR", required = true)]
        links: PathBuf,

        #[command(flatten)]
        help: HelpFlag,
    },

    /// Show a man page; its source, in roff, if standard output is not a terminal
    #[command(disable_help_flag = true)]
    Man {
        /// The command, such as mqtt pub or mqtt-pub [default: iotctl itself]
        #[arg(value_name = "COMMAND")]
        words: Vec<String>,

        #[command(flatten)]
        help: HelpFlag,
    },
}

impl Cli {
    /// Reads the words, the program's name first. Nearly all start-up time would go into describing every command to
    /// clap; so only the one named is described, or those of the protocol, and all of them when something has to be
    /// said.
    ///
    /// # Errors
    /// A page that was asked for, or clap's refusal.
    pub(super) fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        match words
            .get(1)
            .and_then(|word| word.to_str())
            .and_then(|word| Topic::alone(word, &words[1..]))
        {
            Some(topic) => Ok(Self { topic }),
            None => Self::try_parse_from(words),
        }
    }

    /// The plan or the text that the words ask for.
    pub(super) fn parsed(self) -> Result<Parsed> {
        let command = match self.topic {
            Topic::Completions { shell, .. } => {
                return Ok(Parsed::Print(match complete::script(shell) {
                    Some(script) => script.into(),
                    None => generated::completions(shell, Self::command()).into(),
                }));
            }
            Topic::Man { words, .. } => {
                let page = generated::page(&words, Self::command())?;
                return Ok(Parsed::ManPage(page));
            }
            Topic::Help { words, .. } => {
                return Ok(Parsed::Help(
                    page::short(&words, Self::command())?,
                    ColorChoice::Auto,
                ));
            }
            Topic::Install { links, .. } => {
                return Ok(Parsed::Command(command::Command::Install(links)));
            }
            Topic::Alert(flags) => flags.command()?,
            Topic::Bridge(flags) => flags.command()?,
            Topic::Route(flags) => command::Command::Route(Box::new(flags.plan())),
            Topic::Watch(flags) => command::Command::Watch(Box::new(flags.plan()?)),
            Topic::Simulate(flags) => command::Command::Simulate(Box::new(flags.plan()?)),
            Topic::Version { .. } => return Ok(Parsed::Print(version().into())),
            Topic::Bench { command, .. } => return command.parsed(),
            Topic::Log(flags) => flags.command()?,
            Topic::Mqtt { command, .. } => command.command()?,
            Topic::Coap { command, .. } => command.command()?,
            Topic::Amqp { command, .. } => command.command()?,
            Topic::Ota { command, .. } => command.command()?,
            Topic::Replay(flags) => command::Command::Replay(Box::new(flags.plan()?)),
        };
        Ok(Parsed::Command(command))
    }
}

impl Topic {
    /// What the words ask of one protocol; `None` unless they are all right.
    fn alone(name: &str, words: &[OsString]) -> Option<Self> {
        let help = HelpFlag::default();
        match name {
            "mqtt" => Mqtt::alone(words).map(|command| Self::Mqtt { help, command }),
            "coap" => Coap::alone(words).map(|command| Self::Coap { help, command }),
            "amqp" => Amqp::alone(words).map(|command| Self::Amqp { help, command }),
            "alert" => top(words).map(Self::Alert),
            "bridge" => top(words).map(Self::Bridge),
            "route" => top(words).map(Self::Route),
            "watch" => top(words).map(Self::Watch),
            "simulate" => top(words).map(Self::Simulate),
            "bench" => alone(words).map(|command| Self::Bench { help, command }),
            "log" => top(words).map(Self::Log),
            "ota" => alone(words).map(|command| Self::Ota { help, command }),
            "replay" => top(words).map(Self::Replay),
            _ => None,
        }
    }
}
