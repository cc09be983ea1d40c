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
use self::ping::PingFlags;
use self::publish::PublishFlags;
use self::request::RequestFlags;
use self::respond::RespondFlags;
use self::tap::TapFlags;
use crate::cli::flags::terminal::HelpFlag;
use crate::cli::help::below;

#[derive(Subcommand, Debug)]
pub(crate) enum Amqp {
    /// Publish messages and wait until each is confirmed
    #[command(disable_help_flag = true, after_help = below("amqp publish"))]
    Publish(Box<PublishFlags>),

    /// Show what comes to a queue or an exchange, and acknowledge it
    #[command(disable_help_flag = true, after_help = below("amqp consume"))]
    Consume(Box<ConsumeFlags>),

    /// Show copies of what passes an exchange, without taking anything away
    #[command(disable_help_flag = true, after_help = below("amqp tap"))]
    Tap(Box<TapFlags>),

    /// Take what a queue has, without waiting for more
    #[command(disable_help_flag = true, after_help = below("amqp get"))]
    Get(Box<GetFlags>),

    /// Send requests and show their answers
    #[command(disable_help_flag = true, after_help = below("amqp request"))]
    Request(Box<RequestFlags>),

    /// Answer requests: by echo, with a text, or with what a command writes
    #[command(disable_help_flag = true, after_help = below("amqp respond"))]
    Respond(Box<RespondFlags>),

    /// Make a queue or an exchange, or check that it is there
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

    /// Take a queue or an exchange away
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

    /// Let an exchange hand messages on to a queue or another exchange
    #[command(disable_help_flag = true, after_help = below("amqp bind"))]
    Bind(Box<BindFlags>),

    /// Take such a binding away
    #[command(disable_help_flag = true, after_help = below("amqp unbind"))]
    Unbind(Box<BindFlags>),

    /// Make exchanges, queues and bindings what a file describes, or check that they are
    #[command(disable_help_flag = true, after_help = below("amqp apply"))]
    Apply(Box<ApplyFlags>),

    /// Throw away the messages of a queue
    #[command(disable_help_flag = true, after_help = below("amqp purge"))]
    Purge(Box<PurgeFlags>),

    /// Connect, log in and measure round trips, as a health check
    #[command(disable_help_flag = true, after_help = below("amqp ping"))]
    Ping(Box<PingFlags>),

    /// Run the embedded broker, for development and tests
    #[command(disable_help_flag = true, after_help = below("amqp broker"))]
    Broker(Box<BrokerFlags>),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Declare {
    /// Make a queue and print its name, messages and consumers
    #[command(disable_help_flag = true, after_help = below("amqp declare queue"))]
    Queue(Box<DeclareQueueFlags>),

    /// Make an exchange
    #[command(disable_help_flag = true, after_help = below("amqp declare exchange"))]
    Exchange(Box<DeclareExchangeFlags>),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Delete {
    /// Take a queue away, with its messages
    #[command(disable_help_flag = true, after_help = below("amqp delete queue"))]
    Queue(Box<DeleteQueueFlags>),

    /// Take an exchange away
    #[command(disable_help_flag = true, after_help = below("amqp delete exchange"))]
    Exchange(Box<DeleteExchangeFlags>),
}

impl Amqp {
    /// The command that the words ask for.
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
}
