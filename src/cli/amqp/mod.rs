//! The commands of `amqp`.

mod apply;
mod bind;
mod broker;
mod consume;
mod declare;
mod delete;
mod exec;
mod get;
pub(crate) mod help;
mod ping;
mod property;
#[cfg(test)]
mod protocol_tests;
mod publish;
mod request;
mod respond;
pub(crate) mod session;
pub(crate) mod syntax;
mod tap;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::Subcommand;

use crate::command::{self, amqp};
use crate::error::Result;

use self::apply::ApplyFlags;
use self::bind::BindFlags;
use self::broker::BrokerFlags;
use self::consume::ConsumeFlags;
use self::declare::{DeclareExchangeFlags, DeclareQueueFlags};
use self::delete::{DeleteExchangeFlags, DeleteQueueFlags, PurgeFlags};
use self::get::GetFlags;
use self::ping::AmqpPingFlags;
use self::publish::PublishFlags;
use self::request::RequestFlags;
use self::respond::RespondFlags;
use self::tap::TapFlags;
use crate::cli::alone::{alone, one};
use crate::cli::flags::terminal::HelpFlag;
use crate::cli::help::below;

#[derive(Subcommand, Debug)]
pub(crate) enum Amqp {
    /// Publish messages and wait for their confirms
    #[command(disable_help_flag = true, after_help = below("amqp publish"))]
    Publish(Box<PublishFlags>),

    /// Consume messages from a queue or an exchange
    #[command(disable_help_flag = true, after_help = below("amqp consume"))]
    Consume(Box<ConsumeFlags>),

    /// Show copies of the messages that pass through an exchange
    #[command(disable_help_flag = true, after_help = below("amqp tap"))]
    Tap(Box<TapFlags>),

    /// Get messages from a queue without waiting for more
    #[command(disable_help_flag = true, after_help = below("amqp get"))]
    Get(Box<GetFlags>),

    /// Send requests and show the replies
    #[command(disable_help_flag = true, after_help = below("amqp request"))]
    Request(Box<RequestFlags>),

    /// Reply to requests with an echo, a fixed text, or the output of a command
    #[command(disable_help_flag = true, after_help = below("amqp respond"))]
    Respond(Box<RespondFlags>),

    /// Declare a queue or an exchange, or check that it exists
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Declare {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        what: Declare,
    },

    /// Delete a queue or an exchange
    #[command(
        disable_help_flag = true,
        disable_help_subcommand = true,
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Delete {
        #[command(flatten)]
        help: HelpFlag,

        #[command(subcommand)]
        what: Delete,
    },

    /// Bind a queue or an exchange to an exchange
    #[command(disable_help_flag = true, after_help = below("amqp bind"))]
    Bind(Box<BindFlags>),

    /// Remove a binding
    #[command(disable_help_flag = true, after_help = below("amqp unbind"))]
    Unbind(Box<BindFlags>),

    /// Create the exchanges, queues and bindings described in a file, or check them
    #[command(disable_help_flag = true, after_help = below("amqp apply"))]
    Apply(Box<ApplyFlags>),

    /// Remove all messages from a queue
    #[command(disable_help_flag = true, after_help = below("amqp purge"))]
    Purge(Box<PurgeFlags>),

    /// Connect, log in and measure round trips, as a health check
    #[command(disable_help_flag = true, after_help = below("amqp ping"))]
    Ping(Box<AmqpPingFlags>),

    /// Run the embedded broker, for development and tests
    #[command(disable_help_flag = true, after_help = below("amqp broker"))]
    Broker(Box<BrokerFlags>),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Declare {
    /// Declare a queue and print its name and its message and consumer counts
    #[command(disable_help_flag = true, after_help = below("amqp declare queue"))]
    Queue(Box<DeclareQueueFlags>),

    /// Declare an exchange
    #[command(disable_help_flag = true, after_help = below("amqp declare exchange"))]
    Exchange(Box<DeclareExchangeFlags>),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Delete {
    /// Delete a queue and its messages
    #[command(disable_help_flag = true, after_help = below("amqp delete queue"))]
    Queue(Box<DeleteQueueFlags>),

    /// Delete an exchange
    #[command(disable_help_flag = true, after_help = below("amqp delete exchange"))]
    Exchange(Box<DeleteExchangeFlags>),
}

impl Amqp {
    /// The plan of the command.
    pub(crate) fn command(self) -> Result<command::Command> {
        Ok(command::Command::Amqp(self.of_amqp()?))
    }

    fn of_amqp(self) -> Result<amqp::Command> {
        let topology = match self {
            Self::Publish(flags) => return Ok(amqp::Command::Publish(Box::new(flags.plan()?))),
            Self::Consume(flags) => return Ok(amqp::Command::Consume(Box::new(flags.plan()?))),
            Self::Tap(flags) => return Ok(amqp::Command::Consume(Box::new(flags.plan()?))),
            Self::Get(flags) => return Ok(amqp::Command::Get(Box::new(flags.plan()?))),
            Self::Request(flags) => return Ok(amqp::Command::Request(Box::new(flags.plan()?))),
            Self::Respond(flags) => return Ok(amqp::Command::Respond(Box::new(flags.plan()?))),
            Self::Broker(flags) => return Ok(amqp::Command::Broker(Box::new(flags.plan()?))),
            Self::Apply(flags) => return Ok(amqp::Command::Apply(Box::new(flags.plan()?))),
            Self::Ping(flags) => return Ok(amqp::Command::Ping(Box::new(flags.plan()?))),
            Self::Declare { what, .. } => match what {
                Declare::Queue(flags) => flags.plan()?,
                Declare::Exchange(flags) => flags.plan()?,
            },
            Self::Delete { what, .. } => match what {
                Delete::Queue(flags) => flags.plan()?,
                Delete::Exchange(flags) => flags.plan()?,
            },
            Self::Bind(flags) => flags.bind()?,
            Self::Unbind(flags) => flags.unbind()?,
            Self::Purge(flags) => flags.plan()?,
        };
        Ok(amqp::Command::Topology(Box::new(topology)))
    }

    /// The command alone, described without the others; `None` if its arguments do not parse.
    pub(crate) fn alone(words: &[OsString]) -> Option<Self> {
        match words.get(1)?.to_str()? {
            "publish" => one(words).map(Self::Publish),
            "consume" => one(words).map(Self::Consume),
            "get" => one(words).map(Self::Get),
            "request" => one(words).map(Self::Request),
            "purge" => one(words).map(Self::Purge),
            "ping" => one(words).map(Self::Ping),
            _ => alone(words),
        }
    }
}
