//! The commands of `mqtt`.

mod broker;
mod clear;
mod destination;
pub(crate) mod help;
mod ping;
mod probe;
pub(crate) mod property;
mod publish;
mod request;
mod respond;
pub(crate) mod session;
mod subscribe;
pub(crate) mod subscription;
mod sys;

use std::ffi::OsString;

use clap::Subcommand;

use crate::cli::alone::{alone, one};
use crate::cli::help::below;
use crate::command::{self, mqtt};
use crate::error::Result;
use broker::BrokerFlags;
use clear::ClearFlags;
use ping::MqttPingFlags;
use probe::ProbeFlags;
use publish::PubFlags;
use request::RequestFlags;
use respond::RespondFlags;
use subscribe::SubFlags;
use sys::SysFlags;

#[derive(Subcommand, Debug)]
pub(crate) enum Mqtt {
    /// Publish messages and wait for their acknowledgements
    #[command(disable_help_flag = true, after_help = below("mqtt pub"))]
    Pub(Box<PubFlags>),

    /// Subscribe and show the messages received
    #[command(disable_help_flag = true, after_help = below("mqtt sub"))]
    Sub(Box<SubFlags>),

    /// Send requests and show the replies
    #[command(disable_help_flag = true, after_help = below("mqtt request"))]
    Request(Box<RequestFlags>),

    /// Answer requests
    #[command(disable_help_flag = true, after_help = below("mqtt respond"))]
    Respond(Box<RespondFlags>),

    /// Connect and measure round trips, as a health check
    #[command(disable_help_flag = true, after_help = below("mqtt ping"))]
    Ping(Box<MqttPingFlags>),

    /// Show what a broker can do: announced, and tried
    #[command(disable_help_flag = true, after_help = below("mqtt probe"))]
    Probe(Box<ProbeFlags>),

    /// Show what a broker publishes about itself ($SYS)
    #[command(disable_help_flag = true, after_help = below("mqtt sys"))]
    Sys(Box<SysFlags>),

    /// Remove retained messages, after counting them
    #[command(disable_help_flag = true, after_help = below("mqtt clear"))]
    Clear(Box<ClearFlags>),

    /// Run the embedded broker, for development and tests
    #[command(disable_help_flag = true, after_help = below("mqtt broker"))]
    Broker(Box<BrokerFlags>),
}

impl Mqtt {
    /// The plan of the command.
    pub(crate) fn command(self) -> Result<command::Command> {
        Ok(command::Command::Mqtt(match self {
            Self::Pub(flags) => mqtt::Command::Publish(Box::new(flags.plan()?)),
            Self::Sub(flags) => mqtt::Command::Subscribe(Box::new(flags.plan()?)),
            Self::Request(flags) => mqtt::Command::Request(Box::new(flags.plan()?)),
            Self::Respond(flags) => mqtt::Command::Respond(Box::new(flags.plan()?)),
            Self::Ping(flags) => mqtt::Command::Ping(Box::new(flags.plan()?)),
            Self::Probe(flags) => mqtt::Command::Probe(Box::new(flags.plan()?)),
            Self::Sys(flags) => mqtt::Command::Sys(Box::new(flags.plan()?)),
            Self::Clear(flags) => mqtt::Command::Clear(Box::new(flags.plan()?)),
            Self::Broker(flags) => mqtt::Command::Broker(Box::new(flags.plan()?)),
        }))
    }

    /// The command alone, described without the others; `None` if its arguments do not parse.
    pub(crate) fn alone(words: &[OsString]) -> Option<Self> {
        match words.get(1)?.to_str()? {
            "pub" => one(words).map(Self::Pub),
            "sub" => one(words).map(Self::Sub),
            "request" => one(words).map(Self::Request),
            "ping" => one(words).map(Self::Ping),
            _ => alone(words),
        }
    }
}
