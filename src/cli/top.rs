//! The commands.

use std::ffi::OsString;

use clap::{Args, Command, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::coap::code::Code;
use crate::command::Plan;
use crate::error::Result;

use super::amqp::Amqp;
use super::bench::Bench;
use super::coap_discover::DiscoverFlags;
use super::coap_observe::ObserveFlags;
use super::coap_ping::PingFlags;
use super::coap_rd::Rd;
use super::coap_request::{AskFlags, SendFlags};
use super::coap_server::ServerFlags;
use super::generated;
use super::mqtt_broker::BrokerFlags;
use super::mqtt_pub::PubFlags;
use super::mqtt_sub::SubFlags;
use super::terminal_flags::HelpFlag;
use super::{Parsed, help};

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
        #[arg(value_name = "PAGE", default_value = "iotctl", value_parser = generated::page_name())]
        page: String,

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

#[derive(Subcommand, Debug)]
enum Coap {
    /// Ask for what a resource holds
    #[command(disable_help_flag = true, after_help = help::below("coap get"))]
    Get(Box<AskFlags>),

    /// Create a resource, or replace what it holds
    #[command(disable_help_flag = true, after_help = help::below("coap put"))]
    Put(Box<SendFlags>),

    /// Hand a body to a resource
    #[command(disable_help_flag = true, after_help = help::below("coap post"))]
    Post(Box<SendFlags>),

    /// Remove a resource
    #[command(disable_help_flag = true, after_help = help::below("coap delete"))]
    Delete(Box<AskFlags>),

    /// Ask for a part of what a resource holds, described by the body (RFC 8132)
    #[command(disable_help_flag = true, after_help = help::below("coap fetch"))]
    Fetch(Box<SendFlags>),

    /// Change a part of what a resource holds (RFC 8132)
    #[command(disable_help_flag = true, after_help = help::below("coap patch"))]
    Patch(Box<SendFlags>),

    /// Change a part, so that doing it twice is as doing it once (RFC 8132)
    #[command(disable_help_flag = true, after_help = help::below("coap ipatch"))]
    Ipatch(Box<SendFlags>),

    /// Show what a resource holds, whenever it changes
    #[command(disable_help_flag = true, after_help = help::below("coap observe"))]
    Observe(Box<ObserveFlags>),

    /// List the resources of a server or of a group of servers
    #[command(disable_help_flag = true, after_help = help::below("coap discover"))]
    Discover(Box<DiscoverFlags>),

    /// Register at a resource directory, and find what others registered (RFC 9176)
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Rd {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        command: Rd,
    },

    /// Measure round-trip times
    #[command(disable_help_flag = true, after_help = help::below("coap ping"))]
    Ping(Box<PingFlags>),

    /// Run a server of resources, for development and tests
    #[command(disable_help_flag = true, after_help = help::below("coap server"))]
    Server(Box<ServerFlags>),
}

impl Coap {
    fn plan(self) -> Result<Plan> {
        let request = |plan| Plan::CoapRequest(Box::new(plan));
        Ok(match self {
            Self::Get(flags) => request(flags.plan(Code::GET)?),
            Self::Put(flags) => request(flags.plan(Code::PUT)?),
            Self::Post(flags) => request(flags.plan(Code::POST)?),
            Self::Delete(flags) => request(flags.plan(Code::DELETE)?),
            Self::Fetch(flags) => request(flags.plan(Code::FETCH)?),
            Self::Patch(flags) => request(flags.plan(Code::PATCH)?),
            Self::Ipatch(flags) => request(flags.plan(Code::IPATCH)?),
            Self::Observe(flags) => Plan::CoapObserve(Box::new(flags.plan()?)),
            Self::Discover(flags) => Plan::CoapDiscover(Box::new(flags.plan()?)),
            Self::Rd { command, .. } => Plan::CoapRd(Box::new(command.plan()?)),
            Self::Ping(flags) => Plan::CoapPing(Box::new(flags.plan()?)),
            Self::Server(flags) => Plan::CoapServer(Box::new(flags.plan()?)),
        })
    }
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
        let plan = match self.topic {
            Topic::Completions { shell, .. } => {
                return Ok(Parsed::Print(
                    generated::completions(shell, Self::command()).into(),
                ));
            }
            Topic::Man { page, .. } => {
                return Ok(Parsed::Print(
                    generated::page(&page, Self::command()).into(),
                ));
            }
            Topic::Amqp { command, .. } => command.plan()?,
            Topic::Bench { command, .. } => return command.parsed(),
            Topic::Mqtt { command, .. } => match command {
                Mqtt::Pub(flags) => Plan::MqttPub(Box::new(flags.plan()?)),
                Mqtt::Sub(flags) => Plan::MqttSub(Box::new(flags.plan()?)),
                Mqtt::Broker(flags) => Plan::MqttBroker(Box::new(flags.plan()?)),
            },
            Topic::Coap { command, .. } => command.plan()?,
        };
        Ok(Parsed::Command(plan))
    }
}

impl Topic {
    /// What the words ask of one protocol; `None` unless they are all right.
    fn alone(name: &str, words: &[OsString]) -> Option<Self> {
        let help = HelpFlag::default();
        match name {
            "mqtt" => Mqtt::alone(words).map(|command| Self::Mqtt { help, command }),
            "coap" => Coap::alone(words).map(|command| Self::Coap { help, command }),
            "amqp" => alone(words).map(|command| Self::Amqp { help, command }),
            "bench" => alone(words).map(|command| Self::Bench { help, command }),
            _ => None,
        }
    }
}

impl Mqtt {
    fn alone(words: &[OsString]) -> Option<Self> {
        match words.get(1)?.to_str()? {
            "pub" => one(words).map(Self::Pub),
            "sub" => one(words).map(Self::Sub),
            _ => alone(words),
        }
    }
}

impl Coap {
    fn alone(words: &[OsString]) -> Option<Self> {
        match words.get(1)?.to_str()? {
            "get" => one(words).map(Self::Get),
            "put" => one(words).map(Self::Put),
            "post" => one(words).map(Self::Post),
            "delete" => one(words).map(Self::Delete),
            "fetch" => one(words).map(Self::Fetch),
            "observe" => one(words).map(Self::Observe),
            "discover" => one(words).map(Self::Discover),
            "ping" => one(words).map(Self::Ping),
            _ => alone(words),
        }
    }
}

/// The flags of one command, whose name is the second word.
fn one<F: Args>(words: &[OsString]) -> Option<Box<F>> {
    let bare = Command::new("iotctl").disable_help_flag(true);
    let matches = F::augment_args(bare).try_get_matches_from(&words[1..]);
    F::from_arg_matches(&matches.ok()?).ok().map(Box::new)
}

fn alone<C: Subcommand>(words: &[OsString]) -> Option<C> {
    let bare = Command::new("iotctl")
        .disable_help_flag(true)
        .disable_help_subcommand(true);
    let matches = C::augment_subcommands(bare)
        .try_get_matches_from(words)
        .ok()?;
    C::from_arg_matches(&matches).ok()
}
