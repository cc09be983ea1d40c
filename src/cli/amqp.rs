//! The commands of `amqp`.

use clap::Subcommand;

use crate::command::Plan;
use crate::error::Result;

use super::amqp_apply::ApplyFlags;
use super::amqp_bind::BindFlags;
use super::amqp_broker::BrokerFlags;
use super::amqp_consume::ConsumeFlags;
use super::amqp_declare::{DeclareExchangeFlags, DeclareQueueFlags};
use super::amqp_delete::{DeleteExchangeFlags, DeleteQueueFlags, PurgeFlags};
use super::amqp_get::GetFlags;
use super::amqp_ping::PingFlags;
use super::amqp_publish::PublishFlags;
use super::amqp_request::RequestFlags;
use super::amqp_respond::RespondFlags;
use super::amqp_tap::TapFlags;
use super::help;
use super::terminal_flags::HelpFlag;

#[derive(Subcommand, Debug)]
pub(super) enum Amqp {
    /// Publish messages and wait until each is confirmed
    #[command(disable_help_flag = true, after_help = help::below("amqp publish"))]
    Publish(Box<PublishFlags>),

    /// Show what comes to a queue or an exchange, and acknowledge it
    #[command(disable_help_flag = true, after_help = help::below("amqp consume"))]
    Consume(Box<ConsumeFlags>),

    /// Show copies of what passes an exchange, without taking anything away
    #[command(disable_help_flag = true, after_help = help::below("amqp tap"))]
    Tap(Box<TapFlags>),

    /// Take what a queue has, without waiting for more
    #[command(disable_help_flag = true, after_help = help::below("amqp get"))]
    Get(Box<GetFlags>),

    /// Send requests and show their answers
    #[command(disable_help_flag = true, after_help = help::below("amqp request"))]
    Request(Box<RequestFlags>),

    /// Answer requests: by echo, with a text, or with what a command writes
    #[command(disable_help_flag = true, after_help = help::below("amqp respond"))]
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
    #[command(disable_help_flag = true, after_help = help::below("amqp bind"))]
    Bind(Box<BindFlags>),

    /// Take such a binding away
    #[command(disable_help_flag = true, after_help = help::below("amqp unbind"))]
    Unbind(Box<BindFlags>),

    /// Make exchanges, queues and bindings what a file describes, or check that they are
    #[command(disable_help_flag = true, after_help = help::below("amqp apply"))]
    Apply(Box<ApplyFlags>),

    /// Throw away the messages of a queue
    #[command(disable_help_flag = true, after_help = help::below("amqp purge"))]
    Purge(Box<PurgeFlags>),

    /// Connect, log in and measure round trips, as a health check
    #[command(disable_help_flag = true, after_help = help::below("amqp ping"))]
    Ping(Box<PingFlags>),

    /// Run the embedded broker, for development and tests
    #[command(disable_help_flag = true, after_help = help::below("amqp broker"))]
    Broker(Box<BrokerFlags>),
}

#[derive(Subcommand, Debug)]
pub(super) enum Declare {
    /// Make a queue and print its name, messages and consumers
    #[command(disable_help_flag = true, after_help = help::below("amqp declare queue"))]
    Queue(Box<DeclareQueueFlags>),

    /// Make an exchange
    #[command(disable_help_flag = true, after_help = help::below("amqp declare exchange"))]
    Exchange(Box<DeclareExchangeFlags>),
}

#[derive(Subcommand, Debug)]
pub(super) enum Delete {
    /// Take a queue away, with its messages
    #[command(disable_help_flag = true, after_help = help::below("amqp delete queue"))]
    Queue(Box<DeleteQueueFlags>),

    /// Take an exchange away
    #[command(disable_help_flag = true, after_help = help::below("amqp delete exchange"))]
    Exchange(Box<DeleteExchangeFlags>),
}

impl Amqp {
    /// The plan that the words ask for.
    pub(super) fn plan(self) -> Result<Plan> {
        let topology = match self {
            Self::Publish(flags) => return Ok(Plan::AmqpPublish(Box::new(flags.plan()?))),
            Self::Consume(flags) => return Ok(Plan::AmqpConsume(Box::new(flags.plan()?))),
            Self::Tap(flags) => return Ok(Plan::AmqpConsume(Box::new(flags.plan()?))),
            Self::Get(flags) => return Ok(Plan::AmqpGet(Box::new(flags.plan()?))),
            Self::Request(flags) => return Ok(Plan::AmqpRequest(Box::new(flags.plan()?))),
            Self::Respond(flags) => return Ok(Plan::AmqpRespond(Box::new(flags.plan()?))),
            Self::Broker(flags) => return Ok(Plan::AmqpBroker(Box::new(flags.plan()?))),
            Self::Apply(flags) => return Ok(Plan::AmqpApply(Box::new(flags.plan()?))),
            Self::Ping(flags) => return Ok(Plan::AmqpPing(Box::new(flags.plan()?))),
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
        Ok(Plan::AmqpTopology(Box::new(topology)))
    }
}
