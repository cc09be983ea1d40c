//! The commands of `coap`.

mod discover;
pub(crate) mod flags;
pub(crate) mod help;
mod observe;
mod ping;
pub(super) mod rd;
mod request;
pub(crate) mod server;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::Subcommand;

use crate::cli::alone::{alone, one};
use crate::cli::flags::terminal::HelpFlag;
use crate::cli::help::below;
use crate::coap::code::Code;
use crate::command::{self, coap};
use crate::error::Result;
use discover::DiscoverFlags;
use observe::ObserveFlags;
use ping::CoapPingFlags;
use rd::Rd;
use request::{AskFlags, SendFlags};
use server::ServerFlags;

#[derive(Subcommand, Debug)]
pub(crate) enum Coap {
    /// Read a resource
    #[command(disable_help_flag = true, after_help = below("coap get"))]
    Get(Box<AskFlags>),

    /// Create or replace a resource
    #[command(disable_help_flag = true, after_help = below("coap put"))]
    Put(Box<SendFlags>),

    /// Send a body to a resource for processing
    #[command(disable_help_flag = true, after_help = below("coap post"))]
    Post(Box<SendFlags>),

    /// Delete a resource
    #[command(disable_help_flag = true, after_help = below("coap delete"))]
    Delete(Box<AskFlags>),

    /// Read part of a resource, selected by the body (RFC 8132)
    #[command(disable_help_flag = true, after_help = below("coap fetch"))]
    Fetch(Box<SendFlags>),

    /// Change part of a resource (RFC 8132)
    #[command(disable_help_flag = true, after_help = below("coap patch"))]
    Patch(Box<SendFlags>),

    /// Change part of a resource idempotently (RFC 8132)
    #[command(disable_help_flag = true, after_help = below("coap ipatch"))]
    Ipatch(Box<SendFlags>),

    /// Observe a resource and show its changes
    #[command(disable_help_flag = true, after_help = below("coap observe"))]
    Observe(Box<ObserveFlags>),

    /// List the resources of a server or a multicast group
    #[command(disable_help_flag = true, after_help = below("coap discover"))]
    Discover(Box<DiscoverFlags>),

    /// Register at a resource directory and look up registrations (RFC 9176)
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
    #[command(disable_help_flag = true, after_help = below("coap ping"))]
    Ping(Box<CoapPingFlags>),

    /// Run the embedded server, for development and tests
    #[command(disable_help_flag = true, after_help = below("coap server"))]
    Server(Box<ServerFlags>),
}

impl Coap {
    /// The plan of the command.
    pub(crate) fn command(self) -> Result<command::Command> {
        let request = |plan| coap::Command::Request(Box::new(plan));
        Ok(command::Command::Coap(match self {
            Self::Get(flags) => request(flags.plan(Code::GET)?),
            Self::Put(flags) => request(flags.plan(Code::PUT)?),
            Self::Post(flags) => request(flags.plan(Code::POST)?),
            Self::Delete(flags) => request(flags.plan(Code::DELETE)?),
            Self::Fetch(flags) => request(flags.plan(Code::FETCH)?),
            Self::Patch(flags) => request(flags.plan(Code::PATCH)?),
            Self::Ipatch(flags) => request(flags.plan(Code::IPATCH)?),
            Self::Observe(flags) => coap::Command::Observe(Box::new(flags.plan()?)),
            Self::Discover(flags) => coap::Command::Discover(Box::new(flags.plan()?)),
            Self::Rd { command, .. } => coap::Command::Directory(Box::new(command.plan()?)),
            Self::Ping(flags) => coap::Command::Ping(Box::new(flags.plan()?)),
            Self::Server(flags) => coap::Command::Server(Box::new(flags.plan()?)),
        }))
    }

    /// The command alone, described without the others; `None` if its arguments do not parse.
    pub(crate) fn alone(words: &[OsString]) -> Option<Self> {
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
